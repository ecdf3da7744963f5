package dsp

// halfTaps are the taps of a half-band low-pass at the odd distances 1, 3, … 15 from its middle
// (sinc under a Kaiser window, β = 6); the middle is 0.5, those at even distances are 0.
func halfTaps() [8]float32 {
	return [8]float32{0.3147343, -0.0956895, 0.0475551, -0.0252977, 0.0129328, -0.0059247, 0.0022132, -0.0005234}
}

// Halver brings sound from 16 to 8 kHz. The zero value is ready.
type Halver struct{ past [30]int16 }

// Halve takes len(src) samples and writes half as many into dst; len(src) is even and at most 640.
// It delays by 1 ms and allocates nothing.
func (h *Halver) Halve(dst, src []int16) {
	var buf [30 + 640]int16
	copy(buf[:], h.past[:])
	n := 30 + copy(buf[30:], src)
	taps := halfTaps()
	for i := 0; i+30 < n; i += 2 {
		mid := i + 15
		v := 0.5 * float32(buf[mid])
		for k, t := range taps {
			v += t * (float32(buf[mid-2*k-1]) + float32(buf[mid+2*k+1]))
		}
		dst[i/2] = Clip(int32(v))
	}
	copy(h.past[:], buf[n-30:n])
}

// Doubler brings sound from 8 to 16 kHz. The zero value is ready.
type Doubler struct{ past [15]int16 }

// Double takes len(src) samples, 320 at most, and writes twice as many into dst. It delays by 1 ms
// and allocates nothing.
func (d *Doubler) Double(dst, src []int16) {
	var buf [15 + 320]int16
	copy(buf[:], d.past[:])
	n := 15 + copy(buf[15:], src)
	taps := halfTaps()
	for i := 0; i+15 < n; i++ {
		v := float32(0)
		for k, t := range taps {
			v += 2 * t * (float32(buf[i+7-k]) + float32(buf[i+8+k]))
		}
		dst[2*i] = buf[i+7]
		dst[2*i+1] = Clip(int32(v))
	}
	copy(d.past[:], buf[n-15:n])
}
