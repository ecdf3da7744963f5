package dsp

// G.711 by table: g711_tables.go is written by the test that holds it against the formulas.

// EncodeULaw writes pcm as G.711 µ-law into dst, which is at least as long as pcm.
func EncodeULaw(dst []byte, pcm []int16) {
	dst = dst[:len(pcm)]
	for i, s := range pcm {
		dst[i] = ulawCodes[uint16(s)>>2]
	}
}

// DecodeULaw writes the samples of µ-law b into dst, which is at least as long as b.
func DecodeULaw(dst []int16, b []byte) {
	dst = dst[:len(b)]
	for i, c := range b {
		dst[i] = int16(ulawSamples[2*int(c)])<<8 | int16(ulawSamples[2*int(c)+1])
	}
}

// EncodeALaw writes pcm as G.711 A-law into dst, which is at least as long as pcm.
func EncodeALaw(dst []byte, pcm []int16) {
	dst = dst[:len(pcm)]
	for i, s := range pcm {
		dst[i] = alawCodes[uint16(s)>>4]
	}
}

// DecodeALaw writes the samples of A-law b into dst, which is at least as long as b.
func DecodeALaw(dst []int16, b []byte) {
	dst = dst[:len(b)]
	for i, c := range b {
		dst[i] = int16(alawSamples[2*int(c)])<<8 | int16(alawSamples[2*int(c)+1])
	}
}
