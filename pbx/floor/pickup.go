package floor

import (
	"branchline/hal"
	"branchline/pbx/call"
)

// pickUp lets the caller of c take the call that rings longest at an extension, or anywhere in his
// group where it is "".
func (f *Floor) pickUp(c *contact, extension string) {
	for _, o := range f.calls {
		for _, l := range o.others {
			if f.takable(l, c.caller) && (extension == "" || l.phone.extension == extension) {
				f.takeRinging(c, l)
				return
			}
		}
	}
	f.end(c, hal.Unallocated, call.BySystem)
}

// takable tells whether l rings at a phone whose calls the one of by may take.
func (f *Floor) takable(l, by *leg) bool {
	return (l.kind == direct || l.kind == offered || l.kind == together) && !l.of.consults() && !l.answered && !l.ending && !l.of.ending &&
		l.of.peer == nil && l.of.caller != nil && l.phone != by.phone && l.of.caller.phone != by.phone && f.sameGroup(l.phone, by.phone)
}

func (f *Floor) sameGroup(a, b *phone) bool {
	x, y := f.extension(a.extension), f.extension(b.extension)
	return a == b || x != nil && y != nil && x.Group == y.Group
}

// replace lets the caller of c take the place of l: of a phone that rings, or of one that talks.
func (f *Floor) replace(c *contact, l *leg) {
	switch {
	case l == nil || l.ending || l.of.ending || l.of == c:
		f.end(c, hal.Unallocated, call.BySystem)
	case l.phone == nil || !f.sameGroup(l.phone, c.caller.phone):
		f.end(c, hal.Forbidden, call.BySystem)
	case f.takable(l, c.caller):
		f.takeRinging(c, l)
	case l.of.other(l) != nil:
		f.takeOver(c, l)
	default:
		f.end(c, hal.Unallocated, call.BySystem)
	}
}

// takeRinging lets the caller of c answer in place of l, which rings no more.
func (f *Floor) takeRinging(c *contact, l *leg) {
	into := l.of
	f.with = into
	if v := into.visit; v != nil && v.offer == l {
		f.fact(call.Withdrawn{Call: into.id, Queue: v.queue, Agent: v.agent.number, Leg: l.id, Why: call.ByPickup})
		v.offer, v.agent = nil, nil
	}
	f.hangup(l, hal.Elsewhere)
	f.callOff(into, l)
	f.takesPart(c, into, call.ByPickup)
}

// takeOver lets the caller of c go on in place of l, which is hung up.
func (f *Floor) takeOver(c *contact, l *leg) {
	into := l.of
	f.with = into
	other := into.other(l)
	f.part(into)
	f.stays(into, other)
	f.hangup(l, hal.Normal)
	f.takesPart(c, into, call.ByTakeOver)
}

// takesPart moves the caller of c into another call, where he talks with who waits as soon as both have
// been answered. What is left of c ends.
func (f *Floor) takesPart(c, into *contact, why string) {
	l := c.caller
	f.hush(c)
	f.move(l, into, why)
	into.peer = l
	f.end(c, hal.Normal, call.ByCaller)
	f.answer(l)
	f.answer(into.caller)
	f.connect(into)
}
