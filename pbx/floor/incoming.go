package floor

import (
	"slices"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/config"
	"branchline/pbx/flow"
	"branchline/pbx/route"
)

// incoming begins a call. Everybody who rings gets one, also who is refused: the refusal is on record.
func (f *Floor) incoming(s hal.Incoming) {
	if f.legs[s.Leg] != nil {
		return // a line says Incoming once; what it says twice is the same call
	}
	if s.Endpoint != "" {
		f.fromPhone(s)
		return
	}
	i := slices.IndexFunc(f.doc.Lines, func(l config.Line) bool { return l.Name == s.Line() })
	if i < 0 {
		f.end(f.begin(s, call.Inbound, s.To), hal.Forbidden, call.BySystem)
		return
	}
	in := &f.doc.Lines[i]
	to := f.world(s.To)
	if to == "" {
		to = hal.Number(in.Number)
	}
	s.From = f.world(s.From)
	c := f.begin(s, call.Inbound, to)
	for j := range f.doc.Flows {
		if f.doc.Flows[j].Name == in.Flow {
			f.fact(call.FlowEntered{Call: c.id, Flow: in.Flow})
			run, act := flow.Begin(&f.doc.Flows[j])
			c.ivr.run = run
			f.act(c, act)
			return
		}
	}
	f.end(c, hal.Unallocated, call.BySystem)
}

// world is a number as facts keep it: E.164 where the wire's form of it is understood, else as it came.
func (f *Floor) world(n hal.Number) hal.Number {
	if w := f.plan.Read(n).World; w != "" {
		return w
	}
	return n
}

// fromPhone begins the call of one of our own phones.
func (f *Floor) fromPhone(s hal.Incoming) {
	if ext := f.extension(s.Endpoint); ext != nil && ext.IsDoor() {
		f.fromDoor(s, ext)
		return
	}
	if s.Replaces != "" {
		c := f.beginAt(s, call.Internal, s.To)
		f.replace(c, f.legs[s.Replaces])
		return
	}
	place := route.Dialed(f.doc, f.plan, s.To)
	switch place.Kind {
	case route.SignIn, route.Ready, route.DND, route.Forward:
		f.openDesk(f.begin(s, call.Internal, s.To), place)
	case route.Pickup:
		f.pickUp(f.beginAt(s, call.Internal, s.To), string(place.To))
	case route.Park:
		f.unpark(f.beginAt(s, call.Internal, s.To), string(place.To))
	case route.Extension:
		c := f.beginAt(s, call.Internal, s.To)
		ext := f.extension(string(place.To))
		c.record = ext.Record || f.records(s.Endpoint)
		f.seek(c, place, s.Endpoint)
	case route.Outside:
		c := f.beginAt(s, call.Outbound, place.Number.Shown())
		c.record = f.records(s.Endpoint)
		f.seek(c, place, s.Endpoint)
	case route.Nowhere:
		f.end(f.beginAt(s, call.Internal, s.To), hal.Unallocated, call.BySystem)
	}
}

// beginAt begins the call of a phone and shows what its agent does.
func (f *Floor) beginAt(s hal.Incoming, d call.Direction, to hal.Number) *contact {
	c := f.begin(s, d, to)
	f.showAt(c.caller.phone, call.ByCall)
	return c
}

func (f *Floor) records(extension string) bool {
	ext := f.extension(extension)
	return ext != nil && ext.Record
}

func (f *Floor) begin(s hal.Incoming, d call.Direction, to hal.Number) *contact {
	f.nCalls++
	id := call.NewID(f.now, f.state.Box, f.state.Boot, f.nCalls)
	c := &contact{id: id, direction: d}
	l := &leg{id: s.Leg, of: c, kind: caller, number: s.From, name: s.Name, shown: to, born: f.now, opened: true}
	c.caller, f.busy = l, c
	f.calls = append(f.calls, c)
	f.legs[l.id] = l
	began := call.Began{
		Call: c.id, Leg: l.id, Line: s.Line(), Direction: d,
		From: s.From, To: to, Name: s.Name, Extension: s.Endpoint, Wire: s.Wire, Release: s.Release,
	}
	if s.To != to && d == call.Outbound {
		began.Dialled = s.To
	}
	if s.Endpoint != "" {
		l.phone = f.phone(s.Endpoint)
		if l.phone.agent != nil {
			began.Agent = l.phone.agent.number
		}
	}
	f.fact(began)
	if l.phone != nil {
		l.phone.legs = append(l.phone.legs, l)
	}
	return c
}
