package pause

import "math"

// order is how many reflection coefficients are heeded: RFC 3389 leaves it open, and more than ten tell
// nothing more of a background.
const order = 10

// Background is a noise as RFC 3389 tells it. The zero value is the loudest white noise; Parse and
// Measure make others.
type Background struct {
	level byte // dB below a square wave at full scale, 0 to 127
	shape [order]float32
	n     int // of shape
}

// Parse reads the payload of a packet of comfort noise (RFC 3389, section 3); ok is false where
// there is none. Coefficients beyond the tenth are left out, and such as no filter stands are 0.
func Parse(b []byte) (_ Background, ok bool) {
	if len(b) == 0 {
		return Background{}, false
	}
	bg := Background{level: b[0] & 0x7f, n: min(len(b)-1, order)}
	for i, v := range b[1 : 1+bg.n] {
		if v < 255 { // 255 is reserved
			bg.shape[i] = 258 * (float32(v) - 127) / 32768
		}
	}
	return bg, true
}

// Append adds the payload that tells the noise.
func (bg Background) Append(b []byte) []byte {
	b = append(b, bg.level)
	for _, k := range bg.shape[:bg.n] {
		b = append(b, byte(min(max(math.Round(float64(k)*32768/258)+127, 0), 254)))
	}
	return b
}

// Level is how loud it is, in dB of a square wave at full scale: 0 to -127.
func (bg Background) Level() int { return -int(bg.level) }

// Measure describes the noise in pcm: a second of frames without a voice tells most. Its colour is
// given by four coefficients (Levinson and Durbin).
func Measure(pcm []int16) Background {
	const coeffs = 4
	bg := Background{level: byte(min(math.Round(float64(-decibels(pcm))), 127)), n: coeffs}
	var r [coeffs + 1]float64
	for lag := range r {
		for i := lag; i < len(pcm); i++ {
			r[lag] += float64(pcm[i]) * float64(pcm[i-lag])
		}
	}
	left := r[0] * 1.001 // as if a little white noise were in it: no filter on the brink
	if left == 0 {
		return bg
	}
	var a [coeffs + 1]float64
	a[0] = 1
	for i := 1; i <= coeffs; i++ {
		var sum float64
		for j := range i {
			sum += a[j] * r[i-j]
		}
		k := -sum / left
		bg.shape[i-1] = float32(k)
		next := a
		for j := 1; j <= i; j++ {
			next[j] += k * a[i-j]
		}
		a = next
		left *= 1 - k*k
	}
	return bg
}

// Noise makes a Background heard. The zero value is silent until Become; a copy goes on by itself.
type Noise struct {
	bg         Background
	gain, goal float32 // of the white noise that is coloured
	past       [order + 1]float32
	chance     uint32
}

// Become changes the noise to bg; its loudness gets there within the next frame.
func (n *Noise) Become(bg Background) {
	power := math.Pow(10, -float64(bg.level)/10) * 3 // evenly spread from -1 to 1, it has a third
	for _, k := range bg.shape[:bg.n] {
		power *= 1 - float64(k)*float64(k)
	}
	n.bg, n.goal = bg, float32(32768*math.Sqrt(power))
}

// Fill writes noise over pcm.
func (n *Noise) Fill(pcm []int16) {
	step := (n.goal - n.gain) / float32(max(len(pcm), 1))
	for i := range pcm {
		n.chance = n.chance*1664525 + 1013904223 // Numerical Recipes, 7.1: enough for the ear
		n.gain += step
		v := n.gain * float32(int32(n.chance)) / (1 << 31)
		for k := n.bg.n - 1; k >= 0; k-- { // a lattice of poles: sound as long as each coefficient is below 1
			v -= n.bg.shape[k] * n.past[k]
			n.past[k+1] = n.past[k] + n.bg.shape[k]*v
		}
		n.past[0] = v
		pcm[i] = int16(min(max(v, -32768), 32767))
	}
	n.gain = n.goal
}
