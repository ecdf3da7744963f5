package view

import (
	"slices"

	"branchline/hal"
	"branchline/pbx/call"
)

// takeTurn takes that the parties of the call change, or are about to.
func (c *openCall) takeTurn(e call.Entry) {
	r := &c.Record
	switch f := e.Fact.(type) {
	case call.Parted:
		c.Pairs = slices.DeleteFunc(c.Pairs, func(p pair) bool { return p == pair{f.Leg, f.Peer} })
		c.Held = slices.DeleteFunc(c.Held, func(l hal.LegID) bool { return l == f.Leg || l == f.Peer })
	case call.Transfer:
		keep(r, &r.Turns, Turn{
			At: e.At, What: TurnTransfer, How: string(f.State), Leg: f.Leg, Extension: c.extension(f.Leg), To: f.To, Cause: f.Cause,
		})
	case call.Parked:
		keep(r, &r.Turns, Turn{At: e.At, What: TurnPark, How: f.Place, Leg: f.Leg, Extension: f.Extension})
	case call.Forwarded:
		keep(r, &r.Turns, Turn{At: e.At, What: TurnForward, How: f.Why, Extension: f.Extension, To: f.To})
	}
}

// extension is whose phone a leg is, where it is one of ours.
func (c *openCall) extension(id hal.LegID) string {
	if l := c.leg(id); l != nil {
		return l.Extension
	}
	return ""
}

// moved takes a leg out of its call into another one. In the first it has ended then.
func (r *Records) moved(e call.Entry, f call.Moved) {
	from, into := r.open[f.From], r.open[f.Call]
	if from == nil || into == nil {
		r.counts.Late++
		return
	}
	from.pass(e.At)
	into.pass(e.At)
	leg := Leg{Leg: f.Leg, Line: f.Leg.Line(), Began: e.At}
	if l := from.leg(f.Leg); l != nil {
		leg = *l
		l.Ended, l.Cause = e.At, hal.Elsewhere
	}
	from.Record.Into = f.Call
	from.Pairs = slices.DeleteFunc(from.Pairs, func(p pair) bool { return p.A == f.Leg || p.B == f.Leg })
	from.Held = slices.DeleteFunc(from.Held, func(l hal.LegID) bool { return l == f.Leg })
	keep(&into.Record, &into.Record.Legs, leg)
	keep(&into.Record, &into.Record.Turns, Turn{
		At: e.At, What: TurnJoin, How: f.Why, Leg: f.Leg, Extension: leg.Extension, To: leg.Number, From: f.From,
	})
}
