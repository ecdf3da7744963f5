package floor

import (
	"slices"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
)

// expire does what is due at f.now. A deadline that it meets is moved or removed, so that Wake
// always lies ahead.
func (f *Floor) expire() {
	for _, c := range slices.Clone(f.calls) {
		f.busy = c
		for _, l := range c.legsNow() {
			if due(l.deadline, f.now) && f.legs[l.id] == l {
				l.deadline = time.Time{}
				f.legLate(c, l)
			}
			if due(l.mute, f.now) {
				f.silentLate(c, l)
			}
		}
		if c.ending {
			continue
		}
		if t := c.transfer; t != nil && due(t.await, f.now) {
			f.typed(c)
		}
		if due(c.ivr.await, f.now) {
			f.keyLate(c)
		}
		if c.parked != nil && c.peer == nil && due(c.parked.until, f.now) {
			f.parkLate(c)
		}
		if c.desk != nil && due(c.desk.await, f.now) {
			f.deskLate(c)
		}
		if c.visit != nil && due(c.visit.deadline, f.now) && !f.answeredOffer(c) {
			f.flowOut(c, call.ExitTimeout)
		}
	}
	f.busy = nil
	for _, a := range f.agents {
		if due(a.wrapUntil, f.now) {
			a.wrapUntil = time.Time{}
			f.show(a, "system", call.ByDeadline)
		}
	}
}

// answeredOffer: an agent has picked up and only the caller's own answer is awaited. His wait is
// over; the deadline goes.
func (f *Floor) answeredOffer(c *contact) bool {
	if c.peer == nil {
		return false
	}
	c.visit.deadline = time.Time{}
	return true
}

func due(at, now time.Time) bool { return !at.IsZero() && !at.After(now) }

// legLate takes that a leg did not do in time what it had to.
func (f *Floor) legLate(c *contact, l *leg) {
	switch {
	case l.ending:
		f.vanish(l, "did not say that it is gone")
	case l.leaving:
		f.hangup(l, hal.Normal)
	case l.kind == offered && !l.alerting:
		f.missed(c, "unreachable")
	case l.kind == offered:
		f.missed(c, call.ByRONA)
	case l.kind == abroad && !l.opened && (c.until.IsZero() || f.now.Before(c.until)):
		f.release(l, hal.NoAnswer)
		f.dialOutside(c, hal.NoAnswer)
	case l.kind == direct:
		f.hangup(l, hal.NoAnswer)
		f.instead(c, l.phone.extension, hal.NoAnswer, call.BySystem)
	default:
		f.hangup(l, hal.NoAnswer)
		f.missing(c, hal.NoAnswer, call.BySystem)
	}
}

// vanish treats a leg as gone that its line has lost. Whoever invents a Gone also orders Hangup.
func (f *Floor) vanish(l *leg, why string) {
	f.fact(call.Trouble{Call: l.of.id, Leg: l.id, What: "the line " + why})
	f.order(hal.Hangup{Leg: l.id, Cause: hal.WireTrouble})
	f.gone(l, hal.Gone{Leg: l.id, Cause: hal.WireTrouble})
}

// wake finds the earliest deadline.
func (f *Floor) wake() {
	f.deadline = time.Time{}
	for _, c := range f.calls {
		for _, l := range c.others {
			f.sooner(l.deadline)
			f.sooner(l.mute)
		}
		if c.caller != nil {
			f.sooner(c.caller.deadline)
			f.sooner(c.caller.mute)
		}
		if c.ending {
			continue
		}
		f.sooner(c.ivr.await)
		if c.transfer != nil {
			f.sooner(c.transfer.await)
		}
		if c.parked != nil && c.peer == nil {
			f.sooner(c.parked.until)
		}
		if c.desk != nil {
			f.sooner(c.desk.await)
		}
		if c.visit != nil {
			f.sooner(c.visit.deadline)
		}
	}
	for _, a := range f.agents {
		f.sooner(a.wrapUntil)
	}
}

func (f *Floor) sooner(at time.Time) {
	if !at.IsZero() && (f.deadline.IsZero() || at.Before(f.deadline)) {
		f.deadline = at
	}
}

func (c *contact) legsNow() []*leg {
	legs := slices.Clone(c.others)
	if c.caller != nil {
		legs = append(legs, c.caller)
	}
	return legs
}
