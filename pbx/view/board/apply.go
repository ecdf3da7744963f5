package board

import (
	"encoding/json"
	"slices"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
)

// maxLegs bounds what a call shows.
const maxLegs = 64

// Apply takes the next entry. It gives no rows.
func (b *Board) Apply(e call.Entry) []json.RawMessage {
	b.seq, b.at = e.Seq, e.At
	switch f := e.Fact.(type) {
	case call.Booted:
		b.clear()
	case call.ClockSet:
		b.shift(f)
	case call.Unsynced:
		b.unsynced = e.At.Add(-f.For)
	case call.Synced:
		b.unsynced = time.Time{}
	case call.LineUp:
		b.line(Line{Name: f.Line, Up: true, Since: e.At})
	case call.LineDown:
		b.line(Line{Name: f.Line, Why: f.Why, Since: e.At})
	case call.PhoneUp:
		b.phones[f.Extension] = true
	case call.PhoneDown:
		delete(b.phones, f.Extension)
	case call.Presence:
		a := Agent{
			Agent: f.Agent, State: f.State, After: f.After, Reason: f.Reason, Extension: f.Extension,
			Call: f.Call, Since: e.At, Until: f.Until,
		}
		if was, ok := b.agents[f.Agent]; ok && was.State == f.State && (was.Reason == f.Reason || f.State != call.NotReady) {
			a.Since = was.Since
		}
		b.agents[f.Agent] = a
	case call.Began:
		b.calls[f.Call] = &Call{
			Call: f.Call, Direction: f.Direction, Line: f.Line, From: f.From, To: f.To, Name: f.Name,
			Agent: f.Agent, Phase: Began, Since: e.At, Began: e.At,
			Legs: []Leg{{Leg: f.Leg, Line: f.Line, Number: f.From, Agent: f.Agent, State: legIn}},
		}
	case call.Ended:
		delete(b.calls, f.Call)
	case call.Moved:
		b.moved(f)
	default:
		if c := b.calls[e.Fact.About()]; c != nil {
			c.take(e)
		}
	}
	return nil
}

// moved shows a leg in the call that it moved into.
func (b *Board) moved(f call.Moved) {
	from, into := b.calls[f.From], b.calls[f.Call]
	if from == nil || into == nil {
		return
	}
	for i, l := range from.Legs {
		if l.Leg != f.Leg {
			continue
		}
		from.Legs = slices.Delete(from.Legs, i, i+1)
		if l.State == legIn {
			l.State = legRinging
		}
		if len(into.Legs) < maxLegs {
			into.Legs = append(into.Legs, l)
		}
		return
	}
}

// shift moves the times of what is on the board: the clock was set.
func (b *Board) shift(s call.ClockSet) {
	s.Shift(&b.unsynced)
	for name, l := range b.lines {
		s.Shift(&l.Since)
		b.lines[name] = l
	}
	for _, c := range b.calls {
		s.Shift(&c.Since, &c.Began, &c.Waiting)
	}
	for number, a := range b.agents {
		s.Shift(&a.Since, &a.Until)
		b.agents[number] = a
	}
}

// line sets a line; Since stays while nothing has changed.
func (b *Board) line(l Line) {
	if was, ok := b.lines[l.Name]; ok && was.Up == l.Up {
		l.Since = was.Since
	}
	b.lines[l.Name] = l
}

func (c *Call) take(e call.Entry) {
	switch f := e.Fact.(type) {
	case call.FlowEntered:
		c.phase(InFlow, e.At)
	case call.Queued:
		c.Queue, c.Waiting = f.Queue, e.At
		c.phase(Waiting, e.At)
	case call.Dequeued:
		c.Waiting = time.Time{}
		if f.Exit != call.ExitAnswered {
			c.Queue, c.Agent = "", ""
			c.phase(InFlow, e.At)
		}
	case call.Offered:
		c.Agent = f.Agent
	case call.Missed, call.Withdrawn:
		c.Agent = ""
		if !c.Waiting.IsZero() {
			c.phase(Waiting, e.At)
		}
	case call.Dialed:
		if len(c.Legs) < maxLegs {
			c.Legs = append(c.Legs, Leg{Leg: f.Leg, Line: f.Line, Number: f.To, Agent: f.Agent, State: legDialling})
		}
	case call.Alerting:
		c.leg(f.Leg, legRinging)
		if c.Phase != Talking && c.Phase != Holding {
			c.phase(Ringing, e.At)
		}
	case call.Answered:
		c.leg(f.Leg, legUp)
	case call.Connected:
		if f.Agent != "" {
			c.Agent = f.Agent
		}
		c.phase(Talking, e.At)
	case call.Parted:
		c.phase(Began, e.At)
	case call.Parked:
		c.phase(Parked, e.At)
	case call.Held:
		c.leg(f.Leg, legHeld)
		if c.Phase == Talking {
			c.phase(Holding, e.At)
		}
	case call.Resumed:
		c.leg(f.Leg, legUp)
		if c.Phase == Holding && !slices.ContainsFunc(c.Legs, func(l Leg) bool { return l.State == legHeld }) {
			c.phase(Talking, e.At)
		}
	case call.LegEnded:
		c.Legs = slices.DeleteFunc(c.Legs, func(l Leg) bool { return l.Leg == f.Leg })
	case call.RecordingStarted:
		c.Recorded = true
	case call.RecordingSaved:
		c.Recorded = false
	case call.Trouble:
		c.Trouble = f.What
	}
}

func (c *Call) phase(p Phase, at time.Time) {
	if c.Phase != p {
		c.Phase, c.Since = p, at
	}
}

func (c *Call) leg(id hal.LegID, state string) {
	for i := range c.Legs {
		if c.Legs[i].Leg == id {
			c.Legs[i].State = state
		}
	}
}
