package floor

import (
	"maps"
	"slices"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
)

// gone takes that a leg is no more, and what follows from it.
func (f *Floor) gone(l *leg, s hal.Gone) {
	c := l.of
	waits, talks := l == c.caller, l == c.peer
	asks, aside := c.asks(l), c.transfer != nil && c.transfer.with == l
	asked := c.transfer != nil && c.transfer.by == l
	f.fact(call.LegEnded{Call: c.id, Leg: l.id, Cause: s.Cause, Far: s.Far, Wire: s.Wire})
	f.forget(l)
	switch {
	case c.ending || l.leaving:
	case asks:
		f.askerGone(c)
	case aside:
		f.transferFailed(c, s.Cause)
	case l.ending:
	case waits && c.transfer != nil && c.transfer.with != nil:
		f.goOnAside(c)
	case waits:
		f.end(c, s.Cause, partyOf(s, side(l)))
	case c.visit != nil && c.visit.offer == l:
		f.offerGone(c, s)
	case talks && c.visit != nil: // who picked up for an agent went before he could talk
		c.peer = nil
		f.acd.Wait(c.id, c.visit.queue, c.visit.since)
	case talks && c.parked != nil: // or before he could take back what is parked
	case talks && c.transfer != nil: // or for whom a transfer was to
		f.missing(c, s.Cause, partyOf(s, side(l)))
	case talks:
		f.end(c, s.Cause, partyOf(s, side(l)))
	case asked: // the transfer goes on without him
	default:
		f.soughtGone(c, l, s)
	}
	f.showAt(l.phone, call.ByCall)
	f.close(c)
}

// soughtGone takes that whom the caller wants was not reached by this leg.
func (f *Floor) soughtGone(c *contact, l *leg, s hal.Gone) {
	switch {
	case l.kind == abroad && !l.alerting && !l.sounds && retry(s.Cause):
		f.dialOutside(c, s.Cause)
	case l.kind == together && c.othersRing(l):
	case l.kind == direct:
		f.instead(c, l.phone.extension, s.Cause, partyOf(s, call.ByCallee))
	default:
		f.missing(c, s.Cause, partyOf(s, call.ByCallee))
	}
}

// retry tells whether another line may do better. A busy or unknown number stays that.
func retry(c hal.Cause) bool {
	return c == hal.Congestion || c == hal.WireTrouble || c == hal.Unreachable
}

func partyOf(s hal.Gone, far call.Party) call.Party {
	if s.Far {
		return far
	}
	return call.BySystem
}

// offerGone takes that the phone of an offer rang off, or the agent hung up before the caller could
// talk: in both cases the agent did not take the contact.
func (f *Floor) offerGone(c *contact, s hal.Gone) {
	c.peer = nil
	switch s.Cause {
	case hal.Busy:
		f.missed(c, "busy")
	case hal.Unreachable, hal.Congestion, hal.WireTrouble:
		f.missed(c, "unreachable")
	case hal.NoAnswer:
		f.missed(c, call.ByRONA)
	default:
		f.missed(c, call.ByReject)
	}
}

// end begins the end of a call: everybody is hung up, and Ended follows when the last leg is gone.
func (f *Floor) end(c *contact, cause hal.Cause, by call.Party) {
	if c.ending {
		return
	}
	c.ending, c.cause, c.by = true, cause, by
	c.ivr.await = time.Time{}
	if t := c.transfer; t != nil && t.by != nil && !t.keys {
		f.order(hal.TransferStatus{Leg: t.leg, Ref: t.ref, Code: goneAway, Done: true})
	}
	c.transfer, c.parked = nil, nil
	if c.visit != nil {
		exit := call.ExitSystem
		if by == call.ByCaller {
			exit = call.ExitAbandoned
		}
		f.withdraw(c, exitWhy(exit))
		f.leaveQueue(c, exit, "")
	}
	for _, l := range slices.Clone(c.others) {
		f.hangup(l, reasonFor(l, cause))
	}
	if c.caller != nil {
		f.hangup(c.caller, cause)
	}
	f.close(c)
}

func exitWhy(e call.Exit) string {
	if e == call.ExitAbandoned {
		return "caller left"
	}
	return "call ended"
}

// reasonFor is the cause that a dialled leg is hung up with: one that still rings is called off.
func reasonFor(l *leg, cause hal.Cause) hal.Cause {
	if l.answered {
		return hal.Normal
	}
	if cause == hal.Normal {
		return hal.NoAnswer
	}
	return cause
}

// hangup ends a leg and shows what its agent is doing now.
func (f *Floor) hangup(l *leg, cause hal.Cause) {
	f.wrapUp(l)
	f.release(l, cause)
	f.showAt(l.phone, call.ByCall)
}

// release orders the end of a leg, once; a leg that is gone already is left alone.
func (f *Floor) release(l *leg, cause hal.Cause) {
	if l.ending || f.legs[l.id] != l {
		return
	}
	l.ending, l.deadline, l.mute = true, f.now.Add(hangupGrace), time.Time{}
	f.order(hal.Hangup{Leg: l.id, Cause: cause})
}

// forget takes a leg out of everything that knows it.
func (f *Floor) forget(l *leg) {
	delete(f.legs, l.id)
	c := l.of
	if l == c.caller {
		c.caller = nil
	}
	c.others = slices.DeleteFunc(c.others, func(o *leg) bool { return o == l })
	if l == c.peer {
		c.peer = nil
	}
	if c.transfer != nil && c.transfer.by == l {
		c.transfer.by = nil
	}
	if c.transfer != nil && c.transfer.with == l {
		c.transfer.with = nil
	}
	if l.phone != nil {
		f.wrapUp(l)
		l.phone.legs = slices.DeleteFunc(l.phone.legs, func(o *leg) bool { return o == l })
	}
}

// close states the end of a call that has no leg any more.
func (f *Floor) close(c *contact) {
	if !c.ending || c.caller != nil || len(c.others) > 0 {
		return
	}
	at := slices.Index(f.calls, c)
	if at < 0 {
		return
	}
	f.calls = slices.Delete(f.calls, at, at+1)
	f.fact(call.Ended{Call: c.id, Cause: c.cause, By: c.by, Actor: c.actor})
}

// Drop ends a call by force, after a panic in Step: the one that Step was busy with (both, where legs
// moved between two), or else that of leg id. Its legs are hung up and forgotten, its facts closed, whatever state it is in. What Step had
// stated before it panicked is stated; what it had ordered is not. A leg of no call is hung up.
func (f *Floor) Drop(now time.Time, id hal.LegID) Output {
	c := f.busy
	if l := f.legs[id]; c == nil && l != nil {
		c = l.of
	}
	f.now, f.out = now, Output{Facts: f.out.Facts}
	if c == nil {
		f.order(hal.Hangup{Leg: id, Cause: hal.WireTrouble})
		return f.settle()
	}
	for _, o := range [...]*contact{c, f.with} {
		if slices.Contains(f.calls, o) { // else it had ended before the panic
			f.drop(o, id)
		}
	}
	for _, a := range f.agents { // also of a leg that was forgotten right before
		f.show(a, "", call.ByCall)
	}
	return f.settle()
}

func (f *Floor) drop(c *contact, id hal.LegID) {
	c.ending, c.cause, c.by = true, hal.WireTrouble, call.BySystem
	c.transfer, c.parked = nil, nil
	f.fact(call.Trouble{Call: c.id, Leg: id, What: "the program failed in this call; it was ended so that the others go on"})
	if v := c.visit; v != nil {
		if v.offer != nil {
			f.fact(call.Withdrawn{Call: c.id, Queue: v.queue, Agent: v.agent.number, Leg: v.offer.id, Why: "call ended"})
		}
		f.leaveQueue(c, call.ExitSystem, "")
	}
	for _, l := range f.remains(c) {
		f.order(hal.Hangup{Leg: l.id, Cause: hal.WireTrouble})
		if f.legs[l.id] == l {
			f.fact(call.LegEnded{Call: c.id, Leg: l.id, Cause: hal.WireTrouble})
		}
		f.forget(l)
	}
	f.close(c)
}

// remains are the legs of c that anything knows, also one that was being forgotten when Step panicked.
func (f *Floor) remains(c *contact) []*leg {
	legs := c.legsNow()
	for _, extension := range slices.Sorted(maps.Keys(f.phones)) {
		for _, l := range f.phones[extension].legs {
			if l.of == c && !slices.Contains(legs, l) {
				legs = append(legs, l)
			}
		}
	}
	return legs
}
