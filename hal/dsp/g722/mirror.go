package g722

// The mirror filter has 24 taps, symmetric, half of them for each sample of a pair: taps.
// Sums are made for two pairs at a time, in the lower and the upper 32 bits of a word: no sum
// exceeds 65536 · 6482 and so no lane its 32 bits.
const taps = 12

// two is a and the later b in one word.
func two(a, b int32) int64 { return int64(a) + int64(b)<<32 }

// apart is what two has joined.
func apart(w int64) (a, b int32) {
	a = int32(w)
	return a, int32((w - int64(a)) >> 32)
}

// even weighs the words by the even taps, H0 first, for the newest word.
func even(w *[taps]int64) int64 {
	return 3*w[11] - 11*w[10] + 12*w[9] + 32*w[8] - 210*w[7] + 951*w[6] +
		3876*w[5] - 805*w[4] + 362*w[3] - 156*w[2] + 53*w[1] - 11*w[0]
}

// odd weighs the words by the odd taps: the even ones backwards.
func odd(w *[taps]int64) int64 {
	return 3*w[0] - 11*w[1] + 12*w[2] + 32*w[3] - 210*w[4] + 951*w[5] +
		3876*w[6] - 805*w[7] + 362*w[8] - 156*w[9] + 53*w[10] - 11*w[11]
}

// split is the transmit side: pcm, chunk pairs at most, into the two bands (clause 3.1).
func (e *Encoder) split(lows, highs *[chunk]int32, pcm []int16) {
	var newer, older [taps - 1 + chunk + 1]int32
	copy(newer[:], e.newer[:])
	copy(older[:], e.older[:])
	n := len(pcm) / 2
	for i := range min(n, chunk) {
		older[taps-1+i], newer[taps-1+i] = int32(pcm[2*i]), int32(pcm[2*i+1])
	}
	copy(e.newer[:], newer[n:])
	copy(e.older[:], older[n:])
	var a, b [taps - 1 + chunk]int64
	pair(&a, &newer)
	pair(&b, &older)
	for i := 0; i < n; i += 2 {
		x, y := even((*[taps]int64)(a[i:])), odd((*[taps]int64)(b[i:]))
		sum0, sum1 := apart(x + y)
		dif0, dif1 := apart(x - y)
		lows[i], lows[i+1] = sum0>>14, sum1>>14
		highs[i], highs[i+1] = dif0>>14, dif1>>14
	}
}

func pair(dst *[taps - 1 + chunk]int64, src *[taps + chunk]int32) {
	for i := range dst {
		dst[i] = two(src[i], src[i+1])
	}
}

// unite is the receive side: n differences and sums of the bands into pairs of samples (clause 4.4).
func unite(dst []int16, dif, sum *[taps + chunk]int32, n int) {
	var a, b [taps - 1 + chunk]int64
	pair(&a, dif)
	pair(&b, sum)
	for i := 0; i < n; i += 2 {
		x0, x1 := apart(even((*[taps]int64)(a[i:])))
		y0, y1 := apart(odd((*[taps]int64)(b[i:])))
		dst[2*i], dst[2*i+1] = int16(word(x0>>11)), int16(word(y0>>11))
		if i+1 < n {
			dst[2*i+2], dst[2*i+3] = int16(word(x1>>11)), int16(word(y1>>11))
		}
	}
}
