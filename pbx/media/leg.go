package media

import (
	"branchline/hal"
	"branchline/hal/dsp"
	"branchline/pbx/media/mail"
)

// leg is the sound of one party.
type leg struct {
	id    hal.LegID
	audio hal.Audio
	port  *Port // audio, where it is one of ours
	rate  int

	bridge *bridge
	role   hal.Role
	to     hal.LegID // whom a Whisper is for
	play   *play

	in     [frame]int16 // what the party says in this tick
	heard  bool         // there is something in it
	mixed  bool         // it was heard in the mix of its bridge
	out    [frame]int16 // what the party is to hear
	broken bool

	detector *dsp.KeyDetector // not nil: keys are looked for in the sound
	wide     [2 * frame]int16 // a frame at 16 kHz
	halver   dsp.Halver
	doubler  dsp.Doubler
}

// listen decides whether keys are looked for in the sound.
func (l *leg) listen() {
	tones := false
	if l.port != nil {
		tones = l.port.end.KeysInSound()
	} else if k, ok := l.audio.(KeysInSound); ok {
		tones = k.KeysInSound()
	}
	switch {
	case !tones:
		l.detector = nil
	case l.detector == nil:
		l.detector = dsp.NewKeyDetector(rate)
	}
}

// pull takes this tick's frame from the wire, and the keys.
func (l *leg) pull(w *Worker) {
	switch {
	case l.port != nil:
		l.heard = l.port.end.Hear(l.in[:])
		l.port.tell(w)
	case l.audio == nil:
		l.heard = false
	case l.rate == 2*rate:
		n := l.audio.Read(l.wide[:])
		clear(l.wide[n:])
		l.halver.Halve(l.in[:], l.wide[:])
		l.heard = n > 0
	default:
		n := l.audio.Read(l.in[:])
		clear(l.in[n:])
		l.heard = n > 0
	}
	if l.detector == nil {
		return
	}
	if key, held, ok := l.detector.Feed(l.in[:]); ok {
		w.out.Tell(mail.Notice{Kind: mail.Digit, Leg: l.id, Key: key, Held: held})
	}
}

// push gives this tick's frame to the wire. In a bridge l.out holds the mix by now.
func (l *leg) push(w *Worker) {
	if l.port != nil && l.port.end.Rests() {
		return
	}
	sounds := l.bridge != nil
	if !sounds {
		clear(l.out[:])
	}
	if p := l.play; p != nil && p.ready {
		over := p.list.Render(w.scratch[:])
		if l.bridge != nil && p.under {
			lay(l.out[:], w.scratch[:])
		} else {
			l.out = w.scratch
		}
		sounds = true
		if over {
			w.end(p, false)
		}
	}
	switch {
	case l.port != nil:
		l.port.end.Push(l.out[:], sounds)
	case l.audio == nil:
	case l.rate == 2*rate:
		l.doubler.Double(l.wide[:], l.out[:])
		l.audio.Write(l.wide[:])
	default:
		l.audio.Write(l.out[:])
	}
}

// lay puts under below out, 12 dB down.
func lay(out, under []int16) {
	for i, s := range under {
		out[i] = dsp.Clip(int32(out[i]) + int32(s)/4)
	}
}
