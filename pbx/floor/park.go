package floor

import (
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/prompt"
)

// parked is where the caller of a contact waits to be taken back by any phone.
type parked struct {
	place string
	home  string // the extension that it comes back to
	leg   hal.LegID
	until time.Time
}

// park puts the party that talks with l at a place, and lets l go. Without a place it takes the first
// that is free. It answers with whether it could.
func (f *Floor) park(l *leg, s hal.Transfer, place string) bool {
	c := l.of
	if !f.freePlace(place) {
		return false
	}
	other := c.other(l)
	f.part(c)
	f.stays(c, other)
	f.waitsAt(c, place, l)
	f.leave(l, s.Ref)
	return true
}

func (f *Floor) freePlace(place string) bool { return parkPlace(place) && f.parkedAt(place) == nil }

// waitsAt puts the caller of c, with whom nobody talks, at a place; l parked him.
func (f *Floor) waitsAt(c *contact, place string, l *leg) {
	c.parked = &parked{place: place, home: l.phone.extension, leg: l.id}
	if f.doc.Calls.Park > 0 {
		c.parked.until = f.now.Add(f.doc.Calls.Park)
	}
	f.fact(call.Parked{Call: c.id, Leg: l.id, Place: place, Extension: l.phone.extension})
	f.play(c, prompt.Music(nil), true)
}

// parkPlace tells whether s is a place: 1 to 99.
func parkPlace(s string) bool {
	if len(s) < 1 || len(s) > 2 || s[0] == '0' {
		return false
	}
	return s[0] >= '1' && s[0] <= '9' && s[len(s)-1] >= '0' && s[len(s)-1] <= '9'
}

func (f *Floor) parkedAt(place string) *contact {
	for _, c := range f.calls {
		if c.parked != nil && c.parked.place == place && !c.ending {
			return c
		}
	}
	return nil
}

// unpark lets the caller of c talk with who is parked at a place. Until they do, he is parked still.
func (f *Floor) unpark(c *contact, place string) {
	into := f.parkedAt(place)
	if into == nil || into.peer != nil { // somebody is just taking it
		f.end(c, hal.Unallocated, call.BySystem)
		return
	}
	f.with = into
	f.takesPart(c, into, call.ByUnpark)
}

// parkLate lets a call that nobody took back ring at the phone that parked it.
func (f *Floor) parkLate(c *contact) {
	p := c.parked
	c.parked = nil
	c.transfer = &transfer{leg: p.leg, to: hal.Number(f.doc.Codes.Park + p.place), home: p.home}
	f.comeBack(c, f.doc.Codes.Park+p.place)
}
