package sip

import (
	crand "crypto/rand"
	"math/rand/v2"
	"time"

	"branchline/pbx/sip/header"
	"branchline/pbx/sip/registrar"
	"branchline/pbx/sip/wire"
)

// pace is how phones that speak UDP are asked whether they are there: by OPTIONS, each every `every` or
// somewhat sooner, so that they do not all come at once: often enough for a router between that forgets after
// 30 s. A phone that falls silent has missed twice after every + 2·patience, 45 s: below a minute. By TCP the kernel asks (package stream).
type pace struct{ every, patience time.Duration }

// maxMisses is how many OPTIONS a phone may leave unanswered; one alone may be lost in the net.
const maxMisses = 2

// watch is what we know of the presence of one phone.
type watch struct {
	due    time.Time // when it is asked next
	misses int
	asked  *wire.Request // not answered yet
}

// ask asks all phones that are due.
func (d *desk) ask(now time.Time) {
	for b := range d.reg.All() {
		w := d.watches[b.Name()]
		if w == nil || w.asked != nil || now.Before(w.due) {
			continue
		}
		target, err := header.ParseURI(b.Contact)
		if err != nil {
			continue
		}
		w.due = now.Add(d.pause())
		id := crand.Text()[:12]
		r := &wire.Request{Method: "OPTIONS", URI: target, Flow: b.Flow(), CallID: id, CSeq: 1,
			From: header.MakeAddress("", header.MakeURI("branchline", b.Local), id),
			To:   header.MakeAddress("", header.MakeURI(b.Extension, b.Local), ""), Contact: []header.Address{b.Flow().Contact()}}
		w.asked = r
		d.legs.Send(r, func(res *wire.Response) {
			if res.Local && w.asked == r && d.watches[b.Name()] == w {
				d.missed(b, w)
			}
		})
		d.wire.After(d.pace.patience, "", r.GiveUp)
	}
}

func (d *desk) pause() time.Duration { return d.pace.every - rand.N(d.pace.every/5) }

// missed notes that a phone did not answer.
func (d *desk) missed(b registrar.Binding, w *watch) {
	w.asked = nil
	if w.misses++; w.misses < maxMisses {
		w.due = time.Now()
		return
	}
	if d.reg.SetSilent(b, true) {
		d.log.Warn("phone does not answer", "extension", b.Extension, "contact", b.Contact)
		d.tellReach(b.Extension, "the phone does not answer")
	}
}

// alive notes that a phone was heard: it answered, or it proved who it is.
func (d *desk) alive(flow wire.Flow) {
	if flow.Network != "udp" {
		return
	}
	for b := range d.reg.All() {
		if b.Flow() != flow {
			continue
		}
		w := d.watches[b.Name()]
		if w == nil {
			continue
		}
		w.misses, w.asked, w.due = 0, nil, time.Now().Add(d.pause())
		if d.reg.SetSilent(b, false) {
			d.tellReach(b.Extension, "the phone answers again")
		}
	}
}

// watched follows what becomes of a binding.
func (d *desk) watched(c registrar.Change) {
	name := c.Binding.Name()
	switch {
	case c.Gone || c.Binding.Network != "udp":
		delete(d.watches, name)
	default: // it signs in: it is there
		d.watches[name] = &watch{due: time.Now().Add(d.pause())}
	}
}
