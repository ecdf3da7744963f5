// Package plc fills the gaps that lost packets leave: ITU-T G.711 Appendix I (09/99), whose lengths are
// those of 8 kHz; at 16 kHz the same times are kept, which is beyond the appendix. A gap is filled with
// the last pitch period, then with the last two and three, fading after 10 ms and silent after 60 ms;
// whatever meets overlaps.
//
// It is pure: it waits for nothing and allocates nothing. Sound is delayed by 3.75 ms, because the end
// of what came is smoothed when a gap begins. Start reading at Concealer.
package plc

import "math"

// Lengths in samples at 8 kHz.
const (
	piece    = 80  // 10 ms: what is worked on at a time
	pitchMin = 40  // 200 Hz
	pitchMax = 120 // 66 Hz
	window   = 160 // what is compared to find the pitch
	overlap  = pitchMax / 4
	history  = 3*pitchMax + overlap // 48.75 ms
	growth   = 32                   // how much longer the overlap after a gap is for each piece of it

	silent  = 6    // pieces: after 60 ms there is nothing to say
	fading  = 0.2  // of full gain per piece, from the second on
	weakest = 2000 // of a window's energy, below which it counts as this: nothing is like silence
)

// Concealer hears one stream and speaks where it is silent. New is the only way to make one. It belongs
// to one caller at a time; a copy goes on by itself.
type Concealer struct {
	scale  int // 1 at 8 kHz, 2 at 16
	past   [2 * history]int16
	period [2 * history]float32 // the past at the beginning of the gap, its end smoothed for repeating
	last   [2 * overlap]float32 // its last quarter of a pitch period as it was
	pitch  int
	used   int // the end of period that is repeated: one, two or three times the pitch
	at     int // the next sample of that
	lost   int // pieces in this gap
}

// New makes a Concealer for sound of 8000 or 16000 samples a second; another rate is our own bug.
func New(rate int) *Concealer {
	if rate != 8000 && rate != 16000 {
		panic("plc: the rate is neither 8000 nor 16000")
	}
	return &Concealer{scale: rate / 8000}
}

// Delay is how many samples later sound is played.
func (c *Concealer) Delay() int { return overlap * c.scale }

// Heard takes a frame that came, a whole number of 10 ms, and puts what is to be played in its place.
func (c *Concealer) Heard(pcm []int16) {
	for n := piece * c.scale; len(pcm) >= n; pcm = pcm[n:] {
		if c.lost > 0 {
			c.join(pcm[:n])
			c.lost = 0
		}
		c.delay(pcm[:n])
	}
}

// Lost puts what is to be played in the place of a frame that did not come, a whole number of 10 ms.
func (c *Concealer) Lost(pcm []int16) {
	for n := piece * c.scale; len(pcm) >= n; pcm = pcm[n:] {
		c.fill(pcm[:n])
		c.lost = min(c.lost+1, silent)
		c.delay(pcm[:n])
	}
}

// delay remembers one piece and puts in its place what is played now.
func (c *Concealer) delay(pcm []int16) {
	past := c.past[:history*c.scale]
	copy(past, past[len(pcm):])
	copy(past[len(past)-len(pcm):], pcm)
	copy(pcm, past[len(past)-len(pcm)-c.Delay():])
}

// fill makes one piece of a gap.
func (c *Concealer) fill(pcm []int16) {
	var sound, was [2 * piece]float32
	out := sound[:len(pcm)]
	quarter := c.pitch / 4
	switch {
	case c.lost >= silent:
	case c.lost == 0:
		c.begin()
		c.repeat(out)
	case c.lost < 3: // one more period, overlapped with how the fewer would have gone on
		at := c.at
		c.repeat(was[:quarter])
		c.use((c.lost + 1) * c.pitch)
		c.at = at % c.pitch
		c.repeat(out)
		cross(out[:quarter], was[:quarter], out[:quarter])
	default:
		c.repeat(out)
	}
	gain, step := c.gain(), float32(0)
	if c.lost > 0 {
		step = fading / float32(len(pcm))
	}
	for i, v := range out {
		pcm[i] = int16(v * gain)
		gain = max(gain-step, 0)
	}
}

// gain is the loudness at the beginning of the next piece of a gap.
func (c *Concealer) gain() float32 { return 1 - fading*float32(min(max(c.lost-1, 0), 5)) }

// begin turns from hearing to speaking: the last of the past, not played yet, is smoothed as well.
func (c *Concealer) begin() {
	past := c.past[:history*c.scale]
	period := c.period[:len(past)]
	for i, v := range past {
		period[i] = float32(v)
	}
	c.pitch, c.at = pitch(period, c.scale), 0
	quarter := c.pitch / 4
	copy(c.last[:quarter], period[len(period)-quarter:])
	c.use(c.pitch)
	for i := len(past) - quarter; i < len(past); i++ {
		past[i] = int16(period[i])
	}
}

// use lets the last n samples be repeated: their end glides into what was before their beginning.
func (c *Concealer) use(n int) {
	end, quarter := history*c.scale, c.pitch/4
	c.used = n
	cross(c.period[end-quarter:end], c.last[:quarter], c.period[end-n-quarter:end-n])
}

// repeat goes on speaking.
func (c *Concealer) repeat(dst []float32) {
	end := history * c.scale
	for len(dst) > 0 {
		n := copy(dst, c.period[end-c.used+c.at:end])
		c.at = (c.at + n) % c.used
		dst = dst[n:]
	}
}

// join overlaps the first piece after a gap with what filled it.
func (c *Concealer) join(pcm []int16) {
	if c.lost >= silent {
		c.rise(pcm)
		return
	}
	n := min(c.pitch/4+(c.lost-1)*growth*c.scale, len(pcm))
	var sound [2 * piece]float32
	c.repeat(sound[:n])
	gain := c.gain()
	for i, v := range sound[:n] {
		w := float32(i+1) / float32(n)
		pcm[i] = int16(v*gain*(1-w) + float32(pcm[i])*w)
	}
}

// rise fades the first piece in where the gap was silent in the end.
func (c *Concealer) rise(pcm []int16) {
	for i := range pcm {
		pcm[i] = int16(int(pcm[i]) * (i + 1) / len(pcm))
	}
}

// cross fades from one sound over to another; all are equally long, dst may be one of them.
func cross(dst, from, to []float32) {
	for i := range dst {
		w := float32(i+1) / float32(len(dst))
		dst[i] = from[i]*(1-w) + to[i]*w
	}
}

// pitch is how many samples back the end of sound is most like itself, coarse first.
func pitch(sound []float32, scale int) int {
	best := likest(sound, pitchMin*scale, pitchMax*scale, 2*scale)
	lowest, highest := max(best-2*scale+1, pitchMin*scale), min(best+2*scale-1, pitchMax*scale)
	return likest(sound, lowest, highest, 1)
}

// likest is the lag from lowest to highest whose normalised correlation is highest, every step-th
// lag and sample looked at.
func likest(sound []float32, lowest, highest, step int) int {
	n := window * len(sound) / history
	end := sound[len(sound)-n:]
	best, most := lowest, float32(math.Inf(-1))
	for lag := lowest; lag <= highest; lag += step {
		before := sound[len(sound)-n-lag:][:n]
		var like, energy float32
		for i := 0; i < n; i += step {
			like += end[i] * before[i]
			energy += before[i] * before[i]
		}
		if like /= float32(math.Sqrt(float64(max(energy, weakest)))); like > most {
			best, most = lag, like
		}
	}
	return best
}
