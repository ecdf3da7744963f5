package dsp

// Between 8 and 16 kHz stands one half-band low-pass: at 16 kHz, 43 taps, of which those at even
// distances from the middle are 0 and the middle is a half, so each way needs the 11 of beside. Up to
// 3.4 kHz it is level within 0.02 dB, from 4.6 kHz on at least 54 dB down (measured by the tests).
// Each change of rate costs 1.3 ms of delay; sound that keeps its rate needs none and has none.

// beside is 2¹⁵ times the sum of what stands around the middle, weighted by a sinc under a Kaiser window
// (β = 5); together a half.
func beside(w *[22]int32) int32 {
	v := 10372*(w[10]+w[11]) - 3332*(w[9]+w[12]) + 1855*(w[8]+w[13]) - 1181*(w[7]+w[14])
	v += 785*(w[6]+w[15]) - 524*(w[5]+w[16]) + 342*(w[4]+w[17]) - 215*(w[3]+w[18])
	return v + 127*(w[2]+w[19]) - 67*(w[1]+w[20]) + 30*(w[0]+w[21])
}

// Halver brings sound from 16 to 8 kHz. The zero value is ready.
type Halver struct {
	even [11]int32
	odd  [21]int32
}

// Halve takes len(src) samples and writes half as many into dst; len(src) is even and at most 640.
// It delays by 21 samples of src and allocates nothing.
func (h *Halver) Halve(dst, src []int16) {
	var even [11 + 320]int32
	var odd [21 + 320]int32
	copy(even[:], h.even[:])
	copy(odd[:], h.odd[:])
	n := len(src) / 2
	for i := range n {
		even[11+i], odd[21+i] = int32(src[2*i]), int32(src[2*i+1])
	}
	dst = dst[:n]
	for i := range dst {
		dst[i] = Clip((beside((*[22]int32)(odd[i:])) + even[i+1]<<14 + 1<<14) >> 15)
	}
	copy(h.even[:], even[n:])
	copy(h.odd[:], odd[n:])
}

// Doubler brings sound from 8 to 16 kHz. The zero value is ready.
type Doubler struct{ past [21]int32 }

// Double takes len(src) samples, 320 at most, and writes twice as many into dst. It delays by 22
// samples of dst and allocates nothing. Samples of src come through unchanged, every other of dst.
func (d *Doubler) Double(dst, src []int16) {
	var buf [21 + 320]int32
	copy(buf[:], d.past[:])
	for i, v := range src {
		buf[21+i] = int32(v)
	}
	dst = dst[:2*len(src)]
	for i := range src {
		dst[2*i] = int16(buf[i+10])
		dst[2*i+1] = Clip((beside((*[22]int32)(buf[i:])) + 1<<13) >> 14)
	}
	copy(d.past[:], buf[len(src):])
}
