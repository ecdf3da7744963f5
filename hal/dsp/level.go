package dsp

import "math"

// Goertzel measures one frequency in a stream of samples (Goertzel, 1958). The constructor is the
// only way to make one; copying it copies its state.
type Goertzel struct {
	coeff, s1, s2 float64
	n             int
}

// NewGoertzel makes a meter for the frequency hz in sound of rate samples per second.
func NewGoertzel(rate int, hz float64) Goertzel {
	return Goertzel{coeff: 2 * math.Cos(2*math.Pi*hz/float64(rate))}
}

// Add takes samples.
func (g *Goertzel) Add(pcm []int16) {
	s1, s2 := g.s1, g.s2
	for _, x := range pcm {
		s1, s2 = float64(x)+g.coeff*s1-s2, s1
	}
	g.s1, g.s2 = s1, s2
	g.n += len(pcm)
}

// Power is the squared magnitude of the frequency since Reset, in sample units times samples.
func (g *Goertzel) Power() float64 {
	return g.s1*g.s1 + g.s2*g.s2 - g.coeff*g.s1*g.s2
}

// Amplitude is the peak value of the frequency since Reset, where 1 is full scale.
func (g *Goertzel) Amplitude() float64 {
	if g.n == 0 {
		return 0
	}
	return 2 * math.Sqrt(math.Max(g.Power(), 0)) / float64(g.n) / 32768
}

// Reset begins anew.
func (g *Goertzel) Reset() { g.s1, g.s2, g.n = 0, 0, 0 }

// Level is the amplitude of the tone hz in pcm, where 1 is a sine at full scale. It resolves about
// rate/len(pcm) Hz: half a second tells tones apart that differ by a few hertz.
func Level(pcm []int16, rate int, hz float64) float64 {
	g := NewGoertzel(rate, hz)
	g.Add(pcm)
	return g.Amplitude()
}

// RMS is the effective value of pcm, where a sine at full scale has 0.707.
func RMS(pcm []int16) float64 {
	if len(pcm) == 0 {
		return 0
	}
	var sum float64
	for _, x := range pcm {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum/float64(len(pcm))) / 32768
}

// DBFS is an amplitude in decibels below full scale; silence is -120.
func DBFS(amplitude float64) float64 {
	if amplitude < 1e-6 {
		return -120
	}
	return 20 * math.Log10(amplitude)
}
