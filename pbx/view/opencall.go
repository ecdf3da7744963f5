package view

import (
	"slices"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
)

// pass counts the time up to at as talk or hold. A clock that was set back counts nothing.
func (c *openCall) pass(at time.Time) {
	if d := at.Sub(c.Passed); d > 0 {
		switch {
		case len(c.Pairs) == 0:
		case len(c.Held) > 0:
			c.Record.Hold += d
		default:
			c.Record.Talk += d
		}
	}
	c.Passed = at
}

// take takes a fact about the call, but for Began and Ended.
func (c *openCall) take(e call.Entry) {
	r := &c.Record
	switch f := e.Fact.(type) {
	case call.FlowEntered:
		keep(r, &r.Flows, f.Flow)
	case call.Keyed:
		keep(r, &r.Keys, Key{At: e.At, Leg: f.Leg, Key: f.Key, Step: f.Step})
	case call.Queued, call.Dequeued, call.Offered, call.Missed, call.Withdrawn:
		c.takeQueue(e)
	case call.Dialed:
		keep(r, &r.Legs, Leg{Leg: f.Leg, Line: f.Line, Outgoing: true, Number: f.To, Extension: f.Extension, Agent: f.Agent, Began: e.At})
		if o := c.offer(f.Leg); o != nil {
			c.leg(f.Leg).Extension = o.Extension
		}
	case call.Opened, call.Alerting, call.Answered, call.LegEnded:
		c.takeLeg(e)
	case call.Connected:
		c.connect(e.At, f)
	case call.Parted, call.Transfer, call.Parked, call.Forwarded:
		c.takeTurn(e)
	case call.Held:
		if !slices.Contains(c.Held, f.Leg) && len(c.Held) < maxDetails {
			c.Held = append(c.Held, f.Leg)
		}
	case call.Resumed:
		c.Held = slices.DeleteFunc(c.Held, func(l hal.LegID) bool { return l == f.Leg })
	case call.RecordingStarted:
		keep(r, &r.Recordings, Recording{Call: f.Call, File: f.File, Started: e.At, Left: f.Left, Right: f.Right})
	case call.RecordingSaved:
		for i := range r.Recordings {
			if rec := &r.Recordings[i]; rec.File == f.File {
				rec.For, rec.Err, rec.Saved = f.For, f.Err, f.Err == ""
			}
		}
	case call.Trouble:
		keep(r, &r.Troubles, f.What)
	case call.Presence: // of the agents' log
	}
}

// keep appends v while there is room.
func keep[V any](r *Record, list *[]V, v V) {
	if len(*list) >= maxDetails {
		r.Cut++
		return
	}
	*list = append(*list, v)
}

func (c *openCall) takeQueue(e call.Entry) {
	r := &c.Record
	switch f := e.Fact.(type) {
	case call.Queued:
		keep(r, &r.Visits, Visit{Queue: f.Queue, Entered: e.At})
	case call.Dequeued:
		if v := c.visit(f.Queue); v != nil {
			v.Left, v.Exit, v.Agent, v.Wait = e.At, f.Exit, f.Agent, f.Waited
			if v.Wait == 0 { // a restart closed it, and nobody knew the time any more
				v.Wait = max(0, e.At.Sub(v.Entered))
			}
			r.Wait += v.Wait
		}
	case call.Offered:
		if v := c.visit(f.Queue); v != nil {
			keep(r, &v.Offers, Offer{Agent: f.Agent, Extension: f.Extension, Leg: f.Leg, At: e.At, Why: f.Why})
		}
		if l := c.leg(f.Leg); l != nil { // Dialed may have come first
			l.Extension = f.Extension
		}
	case call.Missed:
		c.closeOffer(f.Leg, e.At, OfferMissed, f.Why)
	case call.Withdrawn:
		c.closeOffer(f.Leg, e.At, OfferWithdrawn, f.Why)
	}
}

// visit is the open visit of queue, nil where there is none.
func (c *openCall) visit(queue string) *Visit {
	for i := len(c.Record.Visits) - 1; i >= 0; i-- {
		if v := &c.Record.Visits[i]; v.Queue == queue && v.Left.IsZero() {
			return v
		}
	}
	return nil
}

// offer is the open offer that rings on leg, nil where there is none.
func (c *openCall) offer(leg hal.LegID) *Offer {
	for i := range c.Record.Visits {
		for k := range c.Record.Visits[i].Offers {
			if o := &c.Record.Visits[i].Offers[k]; o.Leg == leg && o.Closed.IsZero() {
				return o
			}
		}
	}
	return nil
}

func (c *openCall) closeOffer(leg hal.LegID, at time.Time, result, reason string) {
	if o := c.offer(leg); o != nil {
		o.Closed, o.Result, o.Reason = at, result, reason
	}
}

// leg is one of the call's legs, nil where it is none.
func (c *openCall) leg(id hal.LegID) *Leg {
	for i := range c.Record.Legs {
		if c.Record.Legs[i].Leg == id {
			return &c.Record.Legs[i]
		}
	}
	return nil
}

func (c *openCall) takeLeg(e call.Entry) {
	switch f := e.Fact.(type) {
	case call.Opened:
		if l := c.leg(f.Leg); l != nil {
			l.Wire = f.Wire
		}
	case call.Alerting:
		if l := c.leg(f.Leg); l != nil && l.Alerting.IsZero() {
			l.Alerting = e.At
		}
	case call.Answered:
		if l := c.leg(f.Leg); l != nil && l.Answered.IsZero() {
			l.Answered, l.Contact = e.At, f.Contact
		}
		if c.Record.Answered.IsZero() && len(c.Record.Legs) > 0 && f.Leg == c.Record.Legs[0].Leg {
			c.Record.Answered = e.At
		}
	case call.LegEnded:
		if l := c.leg(f.Leg); l != nil && l.Ended.IsZero() {
			l.Ended, l.Cause, l.Far, l.WireCause = e.At, f.Cause, f.Far, f.Wire
		}
		c.Pairs = slices.DeleteFunc(c.Pairs, func(p pair) bool { return p.A == f.Leg || p.B == f.Leg })
		c.Held = slices.DeleteFunc(c.Held, func(l hal.LegID) bool { return l == f.Leg })
	}
}

func (c *openCall) connect(at time.Time, f call.Connected) {
	if c.Record.Connected.IsZero() {
		c.Record.Connected = at
	}
	if p := (pair{f.Leg, f.Peer}); !slices.Contains(c.Pairs, p) && len(c.Pairs) < maxDetails {
		c.Pairs = append(c.Pairs, p)
	}
	if f.Agent == "" {
		return
	}
	if c.Record.Direction == call.Inbound {
		c.Record.Agent = f.Agent
	}
	c.closeOffer(f.Peer, at, OfferAnswered, "")
	if l := c.leg(f.Peer); l != nil {
		l.Agent = f.Agent
	}
}

// end closes what is still open and gives the finished record. After a crash no fact may have
// closed it.
func (c *openCall) end(e call.Entry, f call.Ended) Record {
	r := &c.Record
	r.Ended, r.Last, r.Cause, r.By, r.Actor = e.At, e.Seq, f.Cause, f.By, f.Actor
	r.Total = max(0, e.At.Sub(r.Began))
	for i := range r.Visits {
		v := &r.Visits[i]
		if v.Left.IsZero() {
			v.Left, v.Exit, v.Wait = e.At, exitOf(f), max(0, e.At.Sub(v.Entered))
			r.Wait += v.Wait
		}
		for k := range v.Offers {
			if o := &v.Offers[k]; o.Closed.IsZero() {
				o.Closed, o.Result, o.Reason = e.At, OfferWithdrawn, string(f.Cause)
			}
		}
	}
	for i := range r.Legs {
		if l := &r.Legs[i]; l.Ended.IsZero() {
			l.Ended, l.Cause = e.At, f.Cause
		}
	}
	r.Outcome = outcome(r)
	return *r
}

// exitOf is how a visit ended that no Dequeued closed.
func exitOf(f call.Ended) call.Exit {
	switch {
	case f.Cause == hal.Restarted:
		return call.ExitRestarted
	case f.By == call.ByCaller:
		return call.ExitAbandoned
	}
	return call.ExitSystem
}

// outcome says what became of a call that has ended.
func outcome(r *Record) Outcome {
	switch {
	case r.Cause == hal.Restarted:
		return OutcomeRestarted
	case !r.Connected.IsZero():
		return OutcomeAnswered
	case len(r.Visits) > 0 && r.By == call.ByCaller:
		return OutcomeAbandoned
	case len(r.Visits) > 0:
		return OutcomeNoAnswer
	case r.Into != "", len(r.Legs) == 1 && !r.Answered.IsZero():
		return OutcomeService
	}
	switch r.Cause {
	case hal.Busy, hal.Rejected:
		return OutcomeBusy
	case hal.NoAnswer:
		return OutcomeNoAnswer
	case hal.Unreachable:
		return OutcomeUnreachable
	}
	switch {
	case r.By == call.ByCaller && r.Direction == call.Inbound:
		return OutcomeAbandoned
	case r.By == call.ByCaller:
		return OutcomeNoAnswer // he gave up before the other side answered
	}
	return OutcomeFailed
}
