package dsp

import (
	"math"
	"time"
)

// Step is one stretch of a Cadence: up to four frequencies together, or silence.
type Step struct {
	Hz    [4]float64    // unused ones are 0; all 0: silence
	Beat  float64       // Hz; not 0: the tone is modulated by it (India's "400×25")
	Gain  float64       // amplitude of each frequency, where 1 is full scale
	For   time.Duration // 0: for ever
	Decay time.Duration // not 0: it rises softly and falls to 1/e in this time, like a plucked string; needs For
}

// Cadence is what a tone does in time. After its last step it begins again.
type Cadence []Step

// Generator renders a Cadence. The zero value renders silence; copying it copies its place.
type Generator struct {
	cadence Cadence
	rate    int
	at      int // the step that sounds
	pos     int // samples into it
	end     int // samples of it; 0: for ever
	voices  int
	osc     [4]oscillator
	beat    oscillator
	level   float64 // of a step that decays
	fade    float64 // its factor per sample
}

// NewGenerator makes a Generator at the beginning of c, for sound of rate samples per second.
func NewGenerator(c Cadence, rate int) Generator {
	g := Generator{cadence: c, rate: rate}
	if len(c) > 0 {
		g.enter(0)
	}
	return g
}

// Fill renders the next len(pcm) samples. It allocates nothing.
func (g *Generator) Fill(pcm []int16) {
	if len(g.cadence) == 0 {
		clear(pcm)
		return
	}
	for range len(g.cadence) + len(pcm) { // each turn renders a sample or passes an empty step
		if len(pcm) == 0 {
			return
		}
		n := len(pcm)
		if g.end > 0 {
			n = min(n, g.end-g.pos)
		}
		g.render(pcm[:n])
		g.pos += n
		pcm = pcm[n:]
		if g.end > 0 && g.pos == g.end {
			g.enter((g.at + 1) % len(g.cadence))
		}
	}
}

// enter begins step i.
func (g *Generator) enter(i int) {
	s := &g.cadence[i]
	g.at, g.pos = i, 0
	g.end = Samples(s.For, g.rate)
	if s.For > 0 && g.end == 0 {
		g.end = 1
	}
	g.voices = 0
	for _, hz := range s.Hz {
		if hz > 0 {
			g.osc[g.voices] = newOscillator(hz, g.rate)
			g.voices++
		}
	}
	g.beat = newOscillator(s.Beat, g.rate)
	g.level, g.fade = 1, 1
	if s.Decay > 0 {
		g.fade = math.Exp(-1 / (s.Decay.Seconds() * float64(g.rate)))
	}
}

// render adds up the voices of the present step.
func (g *Generator) render(pcm []int16) {
	s := &g.cadence[g.at]
	if g.voices == 0 {
		clear(pcm)
		return
	}
	gain := s.Gain * 32767
	soft := float64(g.rate) / 50 // samples of rise and fall of a step that decays
	for i := range pcm {
		v := 0.0
		for k := range g.osc[:g.voices] {
			v += g.osc[k].next()
		}
		if s.Beat > 0 {
			v *= 0.5 + 0.5*g.beat.next()
		}
		if s.Decay > 0 {
			v *= g.level * min(1, float64(g.pos+i)/soft, float64(g.end-g.pos-i)/soft)
			g.level *= g.fade
		}
		pcm[i] = Clip(int32(v * gain))
	}
	for k := range g.osc[:g.voices] {
		g.osc[k].mend()
	}
	g.beat.mend()
}

// oscillator is a pointer that turns; its height is the next sample of a sine.
type oscillator struct{ x, y, cos, sin float64 }

func newOscillator(hz float64, rate int) oscillator {
	sin, cos := math.Sincos(2 * math.Pi * hz / float64(rate))
	return oscillator{x: 1, cos: cos, sin: sin}
}

func (o *oscillator) next() float64 {
	y := o.y
	o.x, o.y = o.x*o.cos-o.y*o.sin, o.x*o.sin+o.y*o.cos
	return y
}

// mend keeps rounding from making the pointer longer or shorter over the hours.
func (o *oscillator) mend() {
	k := (3 - o.x*o.x - o.y*o.y) / 2
	o.x *= k
	o.y *= k
}

// Clip fits a sum of samples into one, saturating.
func Clip(v int32) int16 {
	return int16(min(max(v, math.MinInt16), math.MaxInt16))
}

// Samples is how many samples last for d at rate samples per second.
func Samples(d time.Duration, rate int) int {
	return int(d * time.Duration(rate) / time.Second)
}
