package media

import (
	"fmt"

	"branchline/hal"
	"branchline/pbx/media/mail"
	"branchline/pbx/media/playlist"
)

const maxOrders = 100_000 // waiting in the mailbox

// Do accepts Join, Play, Stop, Record and PauseRecord and never waits. What comes of them is a
// signal: each Play that is accepted ends in one Played, each Record in one Recorded; an order
// about a leg or bridge that is not there is answered by Failed, and nothing else comes of it. A
// Stop or PauseRecord of what is over already, and leaving no bridge, do nothing. An error means
// that the order was not queued.
func (w *Worker) Do(o hal.Order) error {
	var do func()
	switch o := o.(type) {
	case hal.Join:
		do = func() { w.join(o) }
	case hal.Play:
		list, missing := playlist.New(o.Items, w.opt.Country, o.Loop)
		p := &play{ref: o.Ref, list: list, under: o.Under}
		do = func() { w.play(p, o, missing) }
	case hal.Stop:
		do = func() { w.stop(o.Ref) }
	case hal.Record:
		do = func() { w.record(o) }
	case hal.PauseRecord:
		do = func() {
			if t := w.tapes[o.Ref]; t != nil {
				t.paused = o.Paused
			}
		}
	default:
		return fmt.Errorf("media: %T is no order for sound", o)
	}
	if w.mail.Len() > maxOrders {
		return errBehind
	}
	if !w.post(do) {
		return errEnded
	}
	return nil
}

// Attach gives leg its sound, in order with Do, and never waits. A Port of this worker is handled
// as packets; anything else is read and written as PCM in every tick until Detach. To attach what
// is attached already does nothing; other sound takes the place of what was there, the leg staying
// in its bridge.
func (w *Worker) Attach(leg hal.LegID, a hal.Audio) {
	w.post(func() { w.attach(leg, a) })
}

// Detach takes leg out, in order with Do, and never waits: it leaves its bridge and its Play ends
// in Played{Cut: true}. It is for Gone.
func (w *Worker) Detach(leg hal.LegID) {
	w.post(func() {
		if l := w.byID[leg]; l != nil {
			w.detach(l)
		}
	})
}

func (w *Worker) attach(id hal.LegID, a hal.Audio) {
	if a == nil || id == "" {
		w.out.Tell(mail.Notice{Kind: mail.Logged, Leg: id, Log: "attached without sound"})
		return
	}
	l := w.byID[id]
	if l == nil {
		l = &leg{id: id}
		w.byID[id] = l
		w.legs = append(w.legs, l)
	}
	if l.audio == a {
		return
	}
	w.unlink(l)
	l.audio, l.rate = a, a.Rate()
	if p, ok := a.(*Port); ok {
		if p.w != w {
			w.out.Tell(mail.Notice{Kind: mail.Logged, Leg: id, Log: "attached a port of another worker"})
			return
		}
		p.link, l.port = l, p
		p.end.Use(true)
	}
	l.listen()
}

// unlink parts the leg from its sound.
func (w *Worker) unlink(l *leg) {
	if l.port != nil {
		l.part()
		l.port.link = nil
		l.port.end.Use(false)
	}
	l.audio, l.port, l.detector = nil, nil, nil
}

func (w *Worker) detach(l *leg) {
	w.leave(l)
	if l.play != nil {
		w.end(l.play, true)
	}
	w.unlink(l)
	delete(w.byID, l.id)
	w.legs = without(w.legs, l)
}

func (w *Worker) join(o hal.Join) {
	l := w.byID[o.Leg]
	switch {
	case l == nil && o.Bridge == "":
		return
	case l == nil:
		w.fail(o.Leg, "", "the leg has no sound here")
		return
	case l.bridge != nil && l.bridge.id == o.Bridge:
		l.role, l.to = o.Role, o.To
		l.bridge.arrange()
		return
	}
	left := l.bridge
	l.bridge = nil
	if o.Bridge != "" {
		w.enter(l, o)
	}
	if left != nil { // last, so that a leg that moves alone does not end what moves with it
		w.vacate(left, l)
	}
}

func (w *Worker) enter(l *leg, o hal.Join) {
	b := w.byName[o.Bridge]
	if b == nil {
		b = &bridge{id: o.Bridge}
		w.byName[b.id] = b
		w.bridges = append(w.bridges, b)
	}
	l.bridge, l.role, l.to, l.mixed = b, o.Role, o.To, false
	b.members = append(b.members, l)
	b.arrange()
}

func (w *Worker) leave(l *leg) {
	if b := l.bridge; b != nil {
		l.bridge = nil
		w.vacate(b, l)
	}
}

// vacate takes l out of b; an empty bridge ends, and with it what plays and records there.
func (w *Worker) vacate(b *bridge, l *leg) {
	if b.pair.has(l.port) {
		b.pair.end()
	}
	b.members = without(b.members, l)
	b.arrange()
	if len(b.members) > 0 {
		return
	}
	if b.play != nil {
		w.end(b.play, true)
	}
	for len(b.tapes) > 0 {
		w.finish(b.tapes[0])
	}
	delete(w.byName, b.id)
	w.bridges = without(w.bridges, b)
}

// stop ends a Play or a Record; keys still to be sent under ref are forgotten.
func (w *Worker) stop(ref hal.Ref) {
	if p := w.plays[ref]; p != nil {
		w.end(p, true)
	}
	if t := w.tapes[ref]; t != nil {
		w.finish(t)
	}
	for _, l := range w.legs {
		if l.port != nil && l.port.keysRef == ref {
			l.port.end.ForgetKeys()
		}
	}
}

// without removes x from list, keeping the order.
func without[T comparable](list []T, x T) []T {
	for i := range list {
		if list[i] == x {
			copy(list[i:], list[i+1:])
			var none T
			list[len(list)-1] = none
			return list[:len(list)-1]
		}
	}
	return list
}
