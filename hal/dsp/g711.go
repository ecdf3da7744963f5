package dsp

import "math/bits"

// EncodeULaw writes pcm as G.711 µ-law into dst, which is at least as long as pcm.
func EncodeULaw(dst []byte, pcm []int16) {
	dst = dst[:len(pcm)]
	for i, s := range pcm {
		dst[i] = ulaw(s)
	}
}

// ulaw follows ITU-T G.711 table 2 as G.191 computes it: a magnitude of 14 bits, biased by 33, in
// eight segments, all bits inverted. Here everything is two bits longer, as the sample is.
func ulaw(s int16) byte {
	const bias, clip = 33 << 2, 1<<15 - 1
	x := int32(s)
	sign := byte(x>>31) & 0x80
	x = min((x^x>>31)+bias, clip)
	seg := bits.Len32(uint32(x) >> 8)
	return ^(sign | byte(seg<<4) | byte(x>>(uint(seg+3)&31))&0x0f)
}

// DecodeULaw writes the samples of µ-law b into dst, which is at least as long as b.
func DecodeULaw(dst []int16, b []byte) {
	dst = dst[:len(b)]
	for i, c := range b {
		c = ^c
		x := (int16(c&0x0f)<<3+0x84)<<(c>>4&7) - 0x84
		sign := -int16(c >> 7)
		dst[i] = (x ^ sign) - sign
	}
}

// EncodeALaw writes pcm as G.711 A-law into dst, which is at least as long as pcm.
func EncodeALaw(dst []byte, pcm []int16) {
	dst = dst[:len(pcm)]
	for i, s := range pcm {
		dst[i] = alaw(s)
	}
}

// alaw follows ITU-T G.711 table 1: a magnitude of 12 bits in eight segments of which the first
// two have the same step, even bits inverted, sign 1 for positive.
func alaw(s int16) byte {
	x := int32(s)
	sign := byte(0x80)
	if x < 0 {
		x = ^x
		sign = 0
	}
	x >>= 4
	seg := bits.Len32(uint32(x) >> 4)
	m := x >> (uint(max(seg-1, 0)) & 31) & 0x0f
	return (sign | byte(seg<<4) | byte(m)) ^ 0x55
}

// DecodeALaw writes the samples of A-law b into dst, which is at least as long as b.
func DecodeALaw(dst []int16, b []byte) {
	dst = dst[:len(b)]
	for i, c := range b {
		c ^= 0x55
		x := int16(c&0x0f)<<4 + 8
		if seg := c >> 4 & 7; seg > 0 {
			x = (x + 0x100) << ((seg - 1) & 7)
		}
		sign := int16(c>>7) - 1
		dst[i] = (x ^ sign) - sign
	}
}
