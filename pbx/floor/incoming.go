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
	to := s.To
	if to == "" {
		to = hal.Number(in.Number)
	}
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

// fromPhone begins the call of one of our own phones.
func (f *Floor) fromPhone(s hal.Incoming) {
	place := route.Dialed(f.doc, s.To)
	switch place.Kind {
	case route.SignIn, route.Ready:
		c := f.begin(s, call.Internal, s.To)
		f.openDesk(c, place)
	case route.Extension:
		c := f.begin(s, call.Internal, s.To)
		if string(place.To) == s.Endpoint {
			f.end(c, hal.Busy, call.BySystem)
			return
		}
		ext := f.extension(string(place.To))
		c.record = ext.Record || f.records(s.Endpoint)
		f.dial(c, f.phone(ext.Number), direct, f.now.Add(directRing))
	case route.Outside:
		c := f.begin(s, call.Outbound, s.To)
		c.record = f.records(s.Endpoint)
		c.next = outside{to: place.To, lines: place.Lines}
		f.dialOutside(c, hal.Congestion)
	case route.Nowhere:
		f.end(f.begin(s, call.Internal, s.To), hal.Unallocated, call.BySystem)
	}
}

func (f *Floor) records(extension string) bool {
	ext := f.extension(extension)
	return ext != nil && ext.Record
}

func (f *Floor) begin(s hal.Incoming, d call.Direction, to hal.Number) *contact {
	f.nCalls++
	id := call.NewID(f.now, f.state.Box, f.state.Boot, f.nCalls)
	c := &contact{id: id, direction: d, from: s.From, name: s.Name}
	l := &leg{id: s.Leg, of: c, kind: caller, born: f.now}
	c.caller, f.busy = l, c
	f.calls = append(f.calls, c)
	f.legs[l.id] = l
	began := call.Began{
		Call: c.id, Leg: l.id, Line: s.Line(), Direction: d,
		From: s.From, To: to, Name: s.Name, Extension: s.Endpoint, Wire: s.Wire, Release: s.Release,
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
		f.show(l.phone.agent, "", call.ByCall)
	}
	return c
}
