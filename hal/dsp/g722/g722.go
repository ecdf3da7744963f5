// Package g722 is 7 kHz sound in 64 kbit/s: ITU-T G.722 (1988), mode 1, whose one octet carries two
// samples at 16 kHz. The band is split in two by a mirror filter; each half is coded by adaptive
// differences. What it says is bit by bit what an independent implementation says, full scale and
// noise included; the tests hold it to that.
//
// It is pure: it waits for nothing and allocates nothing. A frame of 20 ms is 320 samples and 160
// octets, but any number will do. On RTP its clock counts 8000 a second all the same (RFC 3551,
// 4.5.2). An encoder and the decoder behind it delay by 22 samples, 1.4 ms. Start reading at Encoder;
// band.go is what both directions share.
//
// Words in capitals are the blocks and variables of the recommendation's computational details (clauses 5
// and 6).
package g722

// chunk is how many octets are worked on at a time: a frame of 20 ms.
const chunk = 160

// Encoder turns sound into octets. The zero value begins a stream. It belongs to one stream and one
// caller at a time; a copy goes on by itself.
type Encoder struct {
	low, high    band
	newer, older [taps - 1]int32 // of each pair of samples, as the filter remembers them
}

// Encode writes the octets of pcm into dst, which is at least half as long, and returns how many. A
// last sample without its pair is left out: give an even number. It keeps neither.
func (e *Encoder) Encode(dst []byte, pcm []int16) int {
	n := len(pcm) / 2
	for at := 0; at < n; at += chunk {
		end := min(at+chunk, n)
		e.encode(dst[at:end], pcm[2*at:2*end])
	}
	return n
}

func (e *Encoder) encode(dst []byte, pcm []int16) {
	var lows, highs [chunk]int32
	e.split(&lows, &highs, pcm)
	q, steps, paces := newQuantizer(), steps(), lowPaces()
	levels, highLevels, highPaces := lowLevels4(), highLevels(), highPaces()
	var dl, dh past
	copy(dl[:], e.low.d[:])
	copy(dh[:], e.high.d[:])
	e.low.turn()
	e.high.turn()
	for i := range min(len(dst), chunk) {
		det := step(&steps, e.low.nb, 8)
		il := q.low(word(lows[i]-e.low.s), det)
		e.low.nb = min(max(e.low.nb*127>>7+paces[il>>2&15], 0), 18432)
		dl[6+i] = det * levels[il>>2&15] >> 15 * 2
		e.low.adapt((*[7]int32)(dl[i:]))

		det = step(&steps, e.high.nb, 10)
		ih := quantizeHigh(word(highs[i]-e.high.s), det)
		e.high.nb = min(max(e.high.nb*127>>7+highPaces[ih&3], 0), 22528)
		dh[6+i] = det * highLevels[ih&3] >> 15 * 2
		e.high.adapt((*[7]int32)(dh[i:]))
		dst[i] = byte(ih<<6 | il)
	}
	e.low.turn()
	e.high.turn()
	copy(e.low.d[:], dl[len(dst):])
	copy(e.high.d[:], dh[len(dst):])
}

// Decoder turns octets into sound. The zero value begins a stream. It belongs to one stream and one
// caller at a time; a copy goes on by itself. Any octets may come: there are no wrong ones.
type Decoder struct {
	low, high band
	dif, sum  [taps - 1]int32 // of the two halves, as the filter remembers them
}

// Decode writes the samples of b into dst, which is at least twice as long, and returns how many. It
// keeps neither.
func (d *Decoder) Decode(dst []int16, b []byte) int {
	for at := 0; at < len(b); at += chunk {
		end := min(at+chunk, len(b))
		d.decode(dst[2*at:2*end], b[at:end])
	}
	return 2 * len(b)
}

func (d *Decoder) decode(dst []int16, b []byte) {
	var dif, sum [taps - 1 + chunk + 1]int32
	copy(dif[:], d.dif[:])
	copy(sum[:], d.sum[:])
	steps, paces := steps(), lowPaces()
	levels4, levels6 := lowLevels4(), lowLevels6()
	highLevels, highPaces := highLevels(), highPaces()
	var dl, dh past
	copy(dl[:], d.low.d[:])
	copy(dh[:], d.high.d[:])
	d.low.turn()
	d.high.turn()
	for i, c := range b[:min(len(b), chunk)] {
		il, ih := int32(c&63), int32(c>>6)
		det := step(&steps, d.low.nb, 8)
		rl := clamp15(d.low.s + det*levels6[il]>>15)
		d.low.nb = min(max(d.low.nb*127>>7+paces[il>>2], 0), 18432)
		dl[6+i] = det * levels4[il>>2] >> 15 * 2
		d.low.adapt((*[7]int32)(dl[i:]))

		det = step(&steps, d.high.nb, 10)
		diff := det * highLevels[ih] >> 15
		rh := clamp15(d.high.s + diff)
		d.high.nb = min(max(d.high.nb*127>>7+highPaces[ih&3], 0), 22528)
		dh[6+i] = 2 * diff
		d.high.adapt((*[7]int32)(dh[i:]))
		dif[taps-1+i], sum[taps-1+i] = rl-rh, rl+rh
	}
	d.low.turn()
	d.high.turn()
	n := len(b)
	copy(d.low.d[:], dl[n:])
	copy(d.high.d[:], dh[n:])
	unite(dst, &dif, &sum, n)
	copy(d.dif[:], dif[n:])
	copy(d.sum[:], sum[n:])
}
