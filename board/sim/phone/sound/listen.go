package sound

import (
	"time"

	"branchline/hal/dsp"
)

const (
	listenFor = 200 * time.Millisecond // resolves 5 Hz
	faintest  = 0.01                   // amplitude that counts as sound, of full scale: -40 dBFS
)

// Level is the amplitude of the tone hz in the last d, where 1 is full scale. The tone that a
// Session says has 0.24.
func (s *Session) Level(hz float64, d time.Duration) float64 {
	return dsp.Level(s.Heard(d), 8000, hz)
}

// Hears says whether hz has at least a fifth of the power of the last 200 ms: alone, with a few
// others, or begun a moment ago.
func (s *Session) Hears(hz float64) bool {
	pcm := s.Heard(listenFor)
	return len(pcm) == int(listenFor/(time.Second/8000)) && Contains(pcm, hz)
}

// Contains says whether hz is in pcm (8 kHz) and has at least a fifth of its power.
func Contains(pcm []int16, hz float64) bool {
	a, rms := dsp.Level(pcm, 8000, hz), dsp.RMS(pcm)
	return a > faintest && a*a/2 > 0.2*rms*rms
}

// Silent says whether nothing has been heard for the last 200 ms.
func (s *Session) Silent() bool { return dsp.RMS(s.Heard(listenFor)) < faintest }

// Tone is the frequency that made up most of the last 200 ms, to about 5 Hz; 0: there was silence,
// or no single tone.
func (s *Session) Tone() float64 {
	pcm := s.Heard(listenFor)
	rms := dsp.RMS(pcm)
	if rms < faintest {
		return 0
	}
	best, loudest := 0.0, 0.0
	for hz := 100.0; hz <= 3400; hz += 5 {
		if a := dsp.Level(pcm, 8000, hz); a > loudest {
			best, loudest = hz, a
		}
	}
	if loudest*loudest/2 < 0.5*rms*rms {
		return 0
	}
	return best
}
