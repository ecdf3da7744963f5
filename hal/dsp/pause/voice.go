// Package pause is about when nobody speaks: a detector that tells voice from what is always there, and
// a generator of the noise that fills a pause as RFC 3389 describes it.
//
// It is pure, waits for nothing and allocates nothing. Start reading at Detector and Noise.
package pause

import "math"

const (
	remembered = 50   // frames of 20 ms: a second
	steady     = 8.0  // dB between the loudest and the faintest of them: nobody speaks as evenly
	loudest    = -30  // dB: what is louder is no background, however steady
	faintest   = -65  // dB: what is fainter is no voice
	above      = 9.0  // dB over the background begins a voice
	still      = 5.0  // dB over it keeps one going
	hangover   = 10   // frames in which a voice is not over yet: ends of words are faint
	quick      = 0.25 // of the way down in a frame that is fainter than the background
)

// Detector tells frames with a voice from frames without. The zero value is ready, takes the first
// sound for a background of -50 dB, and knows a noise after a second of it. It belongs to one caller.
type Detector struct {
	levels [remembered]float32 // dB of the last frames
	at     int
	filled bool
	floor  float32 // dB of the background; 0: not known yet
	hold   int     // frames left in which the voice goes on
}

// Voice tells whether somebody speaks in pcm, a frame of 20 ms at any rate, or has just spoken: for
// 200 ms more it says so.
func (d *Detector) Voice(pcm []int16) bool {
	level := decibels(pcm)
	if d.floor == 0 {
		d.floor = -50
	}
	d.learn(level)
	over := level - d.floor
	if level > faintest && (over > above || d.hold > 0 && over > still) {
		d.hold = hangover + 1
	}
	d.hold = max(d.hold-1, 0)
	return d.hold > 0
}

// Background is the level of what is always there, in dB of a square wave at full scale.
func (d *Detector) Background() float64 { return float64(d.floor) }

// learn follows the background: down at once, up when a whole second was steady.
func (d *Detector) learn(level float32) {
	d.levels[d.at] = level
	if d.at = (d.at + 1) % remembered; d.at == 0 {
		d.filled = true
	}
	if level < d.floor {
		d.floor += quick * (level - d.floor)
	}
	if !d.filled {
		return
	}
	low, high, sum := d.levels[0], d.levels[0], float32(0)
	for _, l := range d.levels {
		low, high, sum = min(low, l), max(high, l), sum+l
	}
	if high-low < steady && high < loudest {
		d.floor = sum / remembered
	}
}

// decibels is the level of pcm in dB of a square wave at full scale, -96 at least.
func decibels(pcm []int16) float32 {
	var sum int64
	for _, v := range pcm {
		sum += int64(v) * int64(v)
	}
	mean := float64(sum) / float64(max(len(pcm), 1)) / (1 << 30)
	return float32(10 * math.Log10(max(mean, 2.5e-10)))
}
