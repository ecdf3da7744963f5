package floor

import (
	"slices"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/route"
)

// transfer is a party's wish to be replaced, from when it was heard until its end. The other party waits
// meanwhile as the caller of the contact.
type transfer struct {
	by   *leg // who asked; nil: hung up since
	ref  hal.Ref
	leg  hal.LegID // by's
	to   hal.Number
	home string // the extension that it comes back to
	back bool   // it rings there again
	note string // what the display says then

	keys  bool      // asked by keys, not by the phone: bykeys.go
	first bool      // by wants to talk with whom it calls first
	typed string    // the number so far
	await time.Time // a key must come by then; zero: the number is typed
	tone  hal.Ref   // what by hears
	with  *leg      // whom by talks with meanwhile
}

// SIP codes of what came of a transfer (RFC 3515 clause 2.4.5).
const (
	rings, done             = 180, 200
	noRight, noNumber       = 403, 404
	busyThere, notThere     = 486, 480
	goneAway, noSuchCall    = 487, 481
	noChannel, refusedThere = 503, 603
)

func codeOf(c hal.Cause) int {
	switch c {
	case hal.Busy:
		return busyThere
	case hal.Rejected:
		return refusedThere
	case hal.Unallocated:
		return noNumber
	case hal.Forbidden:
		return noRight
	case hal.Congestion, hal.WireTrouble:
		return noChannel
	}
	return notThere
}

// transferAsked takes that the party on l wants the other one to talk with somebody else. Only our own
// phones may, within the class of service of their extension.
func (f *Floor) transferAsked(l *leg, s hal.Transfer) {
	c := l.of
	refuse := func(code int, cause hal.Cause) {
		f.fact(call.Transfer{Call: c.id, Leg: l.id, To: s.To, State: call.TransferRefused, Cause: cause})
		f.order(hal.TransferStatus{Leg: l.id, Ref: s.Ref, Code: code, Done: true})
	}
	other := c.other(l)
	place := route.Dialed(f.doc, f.plan, s.To)
	switch {
	case l.phone == nil, f.isDoor(l.phone):
		refuse(noRight, hal.Forbidden)
	case other == nil || l.ending || other.ending:
		refuse(noSuchCall, hal.Unallocated)
	case s.Replaces != "":
		if code, cause := f.attended(l, s); code != 0 {
			refuse(code, cause)
		}
	case place.Kind == route.Nowhere:
		refuse(noNumber, hal.Unallocated)
	case place.Kind == route.Park:
		if !f.park(l, s, string(place.To)) {
			refuse(busyThere, hal.Busy)
		}
	case place.Kind != route.Extension && place.Kind != route.Outside, !f.may(l.phone.extension, place):
		refuse(noRight, hal.Forbidden)
	case string(place.To) == l.phone.extension:
		refuse(busyThere, hal.Busy)
	default:
		if place.Kind == route.Outside {
			s.To = place.Number.Shown()
		}
		f.beginTransfer(l, s)
		f.seek(c, place, l.phone.extension)
	}
}

// other is who talks with the party on l, nil where nobody does.
func (c *contact) other(l *leg) *leg {
	switch {
	case !c.connected || c.ending:
		return nil
	case l == c.caller:
		return c.peer
	case l == c.peer:
		return c.caller
	}
	return nil
}

// beginTransfer lets the other party hear that it is being connected.
func (f *Floor) beginTransfer(l *leg, s hal.Transfer) {
	f.leaves(l, s)
	f.play(l.of, []hal.Item{{Tone: "ringback"}}, true)
}

// leaves takes l out of the conversation; the other party waits.
func (f *Floor) leaves(l *leg, s hal.Transfer) {
	c := l.of
	other := c.other(l)
	f.part(c)
	f.stays(c, other)
	c.transfer = &transfer{by: l, ref: s.Ref, leg: l.id, to: s.To, home: l.phone.extension}
	if f.doc.Calls.Recall > 0 {
		c.until = f.now.Add(f.doc.Calls.Recall)
	}
	f.fact(call.Transfer{Call: c.id, Leg: l.id, To: s.To, State: call.TransferAsked})
	f.showAt(l.phone, call.ByCall)
}

// stays makes l the party that waits in c; nobody talks with it for now.
func (f *Floor) stays(c *contact, l *leg) {
	f.hush(c)
	if was := c.caller; was != l {
		c.others = slices.DeleteFunc(c.others, func(o *leg) bool { return o == l })
		if was != nil {
			c.others = append(c.others, was)
		}
		c.caller = l
	}
	c.peer = nil
}

// transferRings passes on that it rings where a transfer leads.
func (f *Floor) transferRings(c *contact) {
	if t := c.transfer; t != nil && t.by != nil && !t.back && !t.keys {
		f.order(hal.TransferStatus{Leg: t.leg, Ref: t.ref, Code: rings})
	}
}

// transferDone takes that the party who waited talks again: with whom it was to, or with who asked.
func (f *Floor) transferDone(c *contact) {
	t := c.transfer
	if t == nil {
		return
	}
	f.endTransfer(c)
	state := call.TransferDone
	if t.back {
		state = call.TransferReturned
	}
	f.fact(call.Transfer{Call: c.id, Leg: t.leg, To: t.to, State: state})
	if t.by != nil {
		f.leave(t.by, t.ref)
	}
}

// leave lets the party on l go, who has what it asked for. It is told so, and hangs up by itself; a phone
// that does not is hung up.
func (f *Floor) leave(l *leg, asked hal.Ref) {
	f.order(hal.TransferStatus{Leg: l.id, Ref: asked, Code: done, Done: true})
	l.leaving, l.deadline = true, f.now.Add(leaveGrace)
	f.wrapUp(l)
	f.showAt(l.phone, call.ByCall)
}

// transferFailed takes that a transfer leads nowhere: the two talk again, or it comes back to who asked.
func (f *Floor) transferFailed(c *contact, cause hal.Cause) {
	t := c.transfer
	f.fact(call.Transfer{Call: c.id, Leg: t.leg, To: t.to, State: call.TransferFailed, Cause: cause})
	switch {
	case t.by != nil && !t.by.ending:
		if !t.keys {
			f.order(hal.TransferStatus{Leg: t.leg, Ref: t.ref, Code: codeOf(cause), Done: true})
		}
		f.resume(c)
	case !t.back:
		f.comeBack(c, string(t.to))
	case c.queue != "" && f.queue(c.queue) != nil: // nobody is there for him: he waits again
		f.endTransfer(c)
		f.hush(c)
		f.enqueue(c, c.queue)
	default:
		f.endTransfer(c)
		f.end(c, cause, call.BySystem)
	}
}

func (f *Floor) endTransfer(c *contact) {
	c.transfer, c.until = nil, time.Time{}
}

// comeBack lets the phone that sent the waiting party away ring again.
func (f *Floor) comeBack(c *contact, from string) {
	c.transfer.back, c.transfer.note = true, ""
	if from != "" {
		c.transfer.note = f.voice().CameBack(from)
	}
	c.until, c.passed, c.diverted = time.Time{}, nil, ""
	home := c.transfer.home
	if f.extension(home) == nil {
		f.missing(c, hal.Unallocated, call.BySystem)
		return
	}
	f.dial(c, f.phone(home), direct, f.now.Add(directRing))
}

// attended joins the other parties of two calls that one phone has: l's goes on, the one of s.Replaces
// ends. It answers with why not.
func (f *Floor) attended(l *leg, s hal.Transfer) (int, hal.Cause) {
	mine := f.legs[s.Replaces]
	switch {
	case mine == nil || mine.of == l.of || mine.ending || mine.of.ending:
		return noSuchCall, hal.Unallocated
	case mine.phone != l.phone:
		return noRight, hal.Forbidden
	}
	c, from := l.of, mine.of
	far := from.other(mine)
	if far == nil {
		far = from.sought(mine)
	}
	if far == nil || far.ending {
		return noSuchCall, hal.Unallocated
	}
	s.To, _ = f.who(far)
	if far.answered {
		f.leaves(l, s)
	} else {
		f.beginTransfer(l, s)
	}
	by := side(mine)
	f.with = from
	f.part(from)
	f.move(far, c, call.ByTransfer)
	f.end(from, hal.Normal, by)
	if far.answered {
		c.peer = far
		f.connect(c)
	} else {
		far.deadline = f.before(c, directRing)
	}
	return 0, ""
}

// sought is the one leg that is called for the caller of c, where l is he: it may be handed on.
func (c *contact) sought(l *leg) *leg {
	if l != c.caller || c.transfer != nil || c.visit != nil || c.peer != nil {
		return nil
	}
	for _, o := range c.others {
		if !o.ending && !o.answered && (o.kind == direct || o.kind == abroad) {
			return o
		}
	}
	return nil
}

// move takes a leg out of its call into another one.
func (f *Floor) move(l *leg, into *contact, why string) {
	from := l.of
	if from.caller == l {
		from.caller = nil
	}
	if from.peer == l {
		from.peer = nil
	}
	from.others = slices.DeleteFunc(from.others, func(o *leg) bool { return o == l })
	if l.kind == caller {
		l.kind = joined
	}
	l.of = into
	into.others = append(into.others, l)
	f.fact(call.Moved{Call: into.id, From: from.id, Leg: l.id, Why: why})
	f.showAt(l.phone, call.ByCall)
}

// side is whom of a call's parties l stands for.
func side(l *leg) call.Party {
	if l.kind == caller {
		return call.ByCaller
	}
	return call.ByCallee
}
