package network

import (
	"math"
	"strings"
	"sync"
	"time"
)

const (
	keyTime  = 100 * time.Millisecond // a person's press
	keyGap   = 100 * time.Millisecond // and the pause after it
	heardFor = 10 * sampleRate        // samples that Heard keeps
	queued   = 5                      // frames between two stations: 100 ms
	maxKeys  = 64                     // keys waiting at one end
	maxSaid  = 10 * 60 * sampleRate   // samples waiting at one end

	toneLevel = 8000 // amplitude of a tone: -12 dBFS
	keyLevel  = 6000 // amplitude of each of the two tones of a key
)

// voice is what one end of a call says and hears. A station brings its own sound; a person's is
// made here, at the pace at which the station at the other end takes it.
type voice struct {
	mu      sync.Mutex // guards what follows
	presses []press
	said    []utterance
	hz      float64
	phase   float64
	clock   int       // samples of the press that have sounded
	heard   []int16   // a person's
	in      [][]int16 // frames from another station
}

type press struct {
	key  byte
	tone int           // samples
	gap  int           // samples
	done chan struct{} // closed after the gap; may be nil
}

type utterance struct {
	pcm  []int16
	done chan struct{} // closed at its end; may be nil
}

// Exchange is the sound of 20 ms: say (160 samples at 8 kHz) goes to the far end, hear is filled
// with what comes from there. The station calls it 50 times a second while the call is answered,
// also when it has nothing to say: its calls are the clock of the call's sound. It does not wait.
func (l *Leg) Exchange(say, hear []int16) {
	clear(hear)
	if !l.call.talks() {
		return
	}
	far := l.call.ends[1-l.side]
	out := make([]int16, frame)
	copy(out, say)
	l.report(l.speak(out))
	if far.at == nil {
		far.hears(out)
		words := make([]int16, frame)
		far.report(far.speak(words))
		copy(hear, words)
		return
	}
	far.push(out)
	l.pull(hear)
}

// Key sends a key tone of length d to the far end, after those that still sound. In the ledger
// and at the far end it is a key once the tone is complete. Unknown keys are dropped.
func (l *Leg) Key(key byte, d time.Duration) { l.press(key, d, nil) }

// report tells the keys whose tones are complete.
func (l *Leg) report(complete []press) {
	for _, p := range complete {
		l.call.keyed(l.side, p.key, time.Duration(p.tone)*time.Second/sampleRate)
	}
}

func (v *voice) press(key byte, d time.Duration, done chan struct{}) bool {
	low, _ := keyTones(key)
	v.mu.Lock()
	defer v.mu.Unlock()
	if low == 0 || len(v.presses) >= maxKeys {
		return false
	}
	v.presses = append(v.presses, press{key: key, tone: samples(d), gap: samples(keyGap), done: done})
	return true
}

func (v *voice) say(pcm []int16) { v.utter(append([]int16(nil), pcm...), nil) }

// utter queues pcm, which nobody changes any more, up to maxSaid in all.
func (v *voice) utter(pcm []int16, done chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	waiting := 0
	for _, u := range v.said {
		waiting += len(u.pcm)
	}
	v.said = append(v.said, utterance{pcm: pcm[:min(len(pcm), max(0, maxSaid-waiting))], done: done})
}

func (v *voice) setTone(hz float64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.hz = hz
}

// speak lays keys over buf or else fills it with what is to be said or sounded, and returns the
// keys whose tones have become complete.
func (v *voice) speak(buf []int16) (complete []press) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i := range buf {
		switch {
		case len(v.presses) > 0:
			if p, ended := v.pressed(&buf[i]); ended {
				complete = append(complete, p)
			}
		case len(v.said) > 0:
			v.uttered(&buf[i])
		case v.hz > 0:
			buf[i] = int16(toneLevel * math.Sin(v.phase))
			v.phase = math.Mod(v.phase+2*math.Pi*v.hz/sampleRate, 2*math.Pi)
		}
	}
	return complete
}

// pressed makes one sample of the first press; ended: its tone is complete with it.
func (v *voice) pressed(s *int16) (p press, ended bool) {
	p = v.presses[0]
	*s = 0
	if v.clock < p.tone {
		low, high := keyTones(p.key)
		t := 2 * math.Pi * float64(v.clock) / sampleRate
		*s = int16(keyLevel * (math.Sin(low*t) + math.Sin(high*t)))
	}
	v.clock++
	ended = v.clock == p.tone
	if v.clock >= p.tone+p.gap {
		v.presses, v.clock = v.presses[1:], 0
		finish(p.done)
	}
	return p, ended
}

func (v *voice) uttered(s *int16) {
	u := &v.said[0]
	if len(u.pcm) > 0 {
		*s = u.pcm[0]
		u.pcm = u.pcm[1:]
	}
	if len(u.pcm) == 0 {
		finish(u.done)
		v.said = v.said[1:]
	}
}

func (v *voice) hears(pcm []int16) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.heard) >= 2*heardFor {
		v.heard = v.heard[:copy(v.heard, v.heard[len(v.heard)-heardFor:])]
	}
	v.heard = append(v.heard, pcm...)
}

func (v *voice) heardSoFar() []int16 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]int16(nil), v.heard[max(0, len(v.heard)-heardFor):]...)
}

// push queues a frame from another station; the oldest gives way.
func (v *voice) push(pcm []int16) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.in) >= queued {
		v.in = v.in[1:]
	}
	v.in = append(v.in, pcm)
}

func (v *voice) pull(hear []int16) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.in) > 0 {
		copy(hear, v.in[0])
		v.in = v.in[1:]
	}
}

// keyTones is the pair of frequencies of a key (ITU-T Q.23); 0 for what is no key.
func keyTones(key byte) (low, high float64) {
	at := strings.IndexByte("123A456B789C*0#D", key)
	if at < 0 {
		return 0, 0
	}
	return [...]float64{697, 770, 852, 941}[at/4], [...]float64{1209, 1336, 1477, 1633}[at%4]
}

func samples(d time.Duration) int { return max(1, int(d*sampleRate/time.Second)) }

func finish(done chan struct{}) {
	if done != nil {
		close(done)
	}
}
