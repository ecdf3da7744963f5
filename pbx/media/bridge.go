package media

import (
	"time"

	"branchline/hal"
	"branchline/hal/dsp"
	"branchline/pbx/media/mail"
)

// bridge is a conversation: each member hears the others. It exists while it has members.
type bridge struct {
	id       hal.BridgeID
	members  []*leg
	play     *play // heard by all
	tapes    []*tape
	whispers bool // somebody whispers
	pair     pair
	sum      [frame]int32
	tune     [frame]int16
}

// arrange works out what follows from who is here and how. It is called on every change.
func (b *bridge) arrange() {
	b.whispers = false
	for _, l := range b.members {
		b.whispers = b.whispers || l.role == hal.Whisper
	}
	for _, t := range b.tapes {
		t.arrange()
	}
}

// mix works out what every member hears: all who talk but itself, whoever whispers to it, and what
// plays here.
func (b *bridge) mix(w *Worker) {
	if b.pair.a != nil {
		b.rest()
		return
	}
	clear(b.sum[:])
	for _, l := range b.members {
		l.mixed = true
		if l.role == hal.Talk && l.heard {
			for i, s := range l.in {
				b.sum[i] += int32(s)
			}
		}
	}
	b.music(w)
	for _, l := range b.members {
		if l.role == hal.Talk && l.heard {
			for i, s := range b.sum {
				l.out[i] = dsp.Clip(s - int32(l.in[i]))
			}
		} else {
			for i, s := range b.sum {
				l.out[i] = dsp.Clip(s)
			}
		}
		if b.whispers {
			b.whisper(l)
		}
	}
	for _, t := range b.tapes {
		t.turn()
	}
}

// rest is a tick in which nothing is mixed, because a pair is passed through.
func (b *bridge) rest() {
	for _, l := range b.members {
		clear(l.out[:])
	}
	for _, t := range b.tapes {
		t.turn()
	}
}

// music adds what plays into the bridge.
func (b *bridge) music(w *Worker) {
	p := b.play
	if p == nil || !p.ready {
		return
	}
	over := p.list.Render(b.tune[:])
	down := int32(1)
	if p.under {
		down = 4 // -12 dB
	}
	for i, s := range b.tune {
		b.sum[i] += int32(s) / down
	}
	if over {
		w.end(p, false)
	}
}

// whisper adds to what l hears those who whisper to it alone.
func (b *bridge) whisper(l *leg) {
	for _, from := range b.members {
		if from.role == hal.Whisper && from.to == l.id && from.heard && from != l {
			for i, s := range from.in {
				l.out[i] = dsp.Clip(int32(l.out[i]) + int32(s))
			}
		}
	}
}

// tape is a hal.Record under way.
type tape struct {
	order       hal.Record
	bridge      *bridge
	out         Tape
	paused      bool
	left, right []*leg // those of the order who are here and can be heard
	stereo      [2 * frame]int16
}

// record begins to write what is said in a bridge.
func (w *Worker) record(o hal.Record) {
	b := w.byName[o.Bridge]
	switch {
	case b == nil:
		w.fail("", o.Ref, "nobody is in this bridge")
		return
	case w.tapes[o.Ref] != nil:
		w.fail("", o.Ref, "this Ref is recording already")
		return
	}
	n := mail.Notice{Kind: mail.Recorded, Ref: o.Ref, File: o.File}
	if w.opt.Recorder == nil {
		n.Why = "this box does not record"
		w.out.Tell(n)
		return
	}
	out, err := w.opt.Recorder.Open(o.File, rate, func(length time.Duration, err error) {
		n.Held = length
		if err != nil {
			n.Why = err.Error()
		}
		w.post(func() { w.out.Tell(n) })
	})
	if err != nil {
		n.Why = err.Error()
		w.out.Tell(n)
		return
	}
	t := &tape{order: o, bridge: b, out: out,
		left: make([]*leg, 0, len(o.Left)), right: make([]*leg, 0, len(o.Right))}
	w.tapes[o.Ref] = t
	b.tapes = append(b.tapes, t)
	t.arrange()
}

// finish ends a recording; Recorded comes when its file is safe.
func (w *Worker) finish(t *tape) {
	delete(w.tapes, t.order.Ref)
	t.bridge.tapes = without(t.bridge.tapes, t)
	t.out.Close()
}

func (t *tape) arrange() {
	t.left = t.present(t.left[:0], t.order.Left)
	t.right = t.present(t.right[:0], t.order.Right)
}

// present lists the members of the bridge that are among ids and are heard by somebody.
func (t *tape) present(list []*leg, ids []hal.LegID) []*leg {
	for _, id := range ids {
		for _, l := range t.bridge.members {
			if l.id == id && l.role != hal.Listen {
				list = append(list, l)
			}
		}
	}
	return list
}

// turn writes this tick.
func (t *tape) turn() {
	clear(t.stereo[:])
	if !t.paused {
		t.channel(0, t.left)
		t.channel(1, t.right)
	}
	t.out.Write(t.stereo[:]) // what is lost the Recorder counts and tells at the end
}

func (t *tape) channel(c int, legs []*leg) {
	for _, l := range legs {
		if !l.heard {
			continue
		}
		for i, s := range l.in {
			at := &t.stereo[2*i+c]
			*at = dsp.Clip(int32(*at) + int32(s))
		}
	}
}
