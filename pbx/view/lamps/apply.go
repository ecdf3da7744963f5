package lamps

import (
	"encoding/json"

	"branchline/hal"
	"branchline/pbx/call"
)

// Apply takes the next entry. It gives no rows.
func (f *Fold) Apply(e call.Entry) []json.RawMessage {
	switch v := e.Fact.(type) {
	case call.Booted:
		f.clear()
	case call.PhoneUp:
		f.now.Up[v.Extension] = true
		f.touch(Phone, v.Extension)
	case call.PhoneDown:
		delete(f.now.Up, v.Extension)
		f.touch(Phone, v.Extension)
	case call.Presence:
		f.presence(v)
	case call.ForwardSet:
		f.wish(v)
	case call.Began:
		f.now.Calls[v.Call] = contact{From: v.From, Name: v.Name}
		f.set(v.Leg, side{Call: v.Call, Extension: v.Extension, Number: v.From, Name: v.Name, Stage: Proceeding, Other: v.To})
	case call.Queued:
		f.unpark(v.Call)
		f.wait(v.Call, v.Queue)
	case call.Dequeued:
		f.wait(v.Call, "")
	case call.Ended:
		f.end(v.Call)
	default:
		f.leg(e.Fact)
	}
	return nil
}

func (f *Fold) leg(fact call.Fact) {
	switch v := fact.(type) {
	case call.Dialed:
		f.unpark(v.Call) // it comes back
		c := f.now.Calls[v.Call]
		f.set(v.Leg, side{Call: v.Call, Extension: v.Extension, Number: v.To, Incoming: true, Stage: Trying, Other: c.From, OtherName: c.Name})
	case call.Alerting:
		f.change(v.Leg, func(s *side) { s.Stage = Early })
		for id, s := range f.now.Sides { // whoever calls hears it
			if s.Call == v.Call && s.Stage == Proceeding {
				f.change(id, func(s *side) { s.Stage = Early })
			}
		}
	case call.Answered:
		f.change(v.Leg, func(s *side) { s.Stage = Confirmed })
	case call.Held:
		f.change(v.Leg, func(s *side) { s.Held = true })
	case call.Resumed:
		f.change(v.Leg, func(s *side) { s.Held = false })
	case call.LegEnded:
		f.drop(v.Leg)
	default:
		f.parties(fact)
	}
}

// parties takes who talks with whom.
func (f *Fold) parties(fact call.Fact) {
	switch v := fact.(type) {
	case call.Connected:
		f.unpark(v.Call)
		a, b := f.now.Sides[v.Leg], f.now.Sides[v.Peer]
		f.change(v.Leg, func(s *side) { s.With, s.Other, s.OtherName = v.Peer, b.Number, b.Name })
		f.change(v.Peer, func(s *side) { s.With, s.Other, s.OtherName = v.Leg, a.Number, a.Name })
	case call.Parted:
		for _, id := range [...]hal.LegID{v.Leg, v.Peer} {
			f.change(id, func(s *side) { s.Other, s.OtherName = "", "" })
		}
	case call.Transfer:
		if v.State == call.TransferAsked {
			f.change(f.stays(v.Call, v.Leg), func(s *side) { s.Other = v.To })
		}
	case call.Parked:
		f.stays(v.Call, v.Leg)
		f.park(v.Call, v.Place)
	case call.Moved:
		c := f.now.Calls[v.Call]
		f.change(v.Leg, func(s *side) { s.Call, s.Other, s.OtherName = v.Call, c.From, c.Name })
	}
}

// stays says that the call is from now on for the party that talked with leg, and gives that party's leg.
func (f *Fold) stays(id call.ID, leg hal.LegID) hal.LegID {
	other := f.now.Sides[leg].With
	s, there := f.now.Sides[other]
	if c, known := f.now.Calls[id]; known && there {
		c.From, c.Name = s.Number, s.Name
		f.now.Calls[id] = c
	}
	return other
}

func (f *Fold) park(id call.ID, place string) {
	c, known := f.now.Calls[id]
	if !known {
		return
	}
	c.Place = place
	f.now.Calls[id] = c
	f.now.Places[place] = id
	f.touch(Park, place)
}

// unpark frees the place of a call, if it has one.
func (f *Fold) unpark(id call.ID) {
	c := f.now.Calls[id]
	if c.Place == "" {
		return
	}
	delete(f.now.Places, c.Place)
	f.touch(Park, c.Place)
	c.Place = ""
	f.now.Calls[id] = c
}

// wish takes what an extension was set to; a lamp of the phone shows that it wants no calls.
func (f *Fold) wish(v call.ForwardSet) {
	was, next := f.now.Wishes[v.Extension], wishes{DND: v.DND, Always: v.Always}
	f.now.Wishes[v.Extension] = next
	f.touch(Set, v.Extension) // even where nothing is new: it counts from now on, and not the configuration
	if was.DND != next.DND {
		f.touch(Phone, v.Extension)
	}
}

// presence takes an agent's new state; only what a lamp shows is a change.
func (f *Fold) presence(p call.Presence) {
	next := agentState{p.State, p.Extension}
	if was, known := f.now.Agents[p.Agent]; known && was == next {
		return
	}
	f.now.Agents[p.Agent] = next
	f.touch(Agent, p.Agent)
}

// wait moves a call to a queue, or out of its own.
func (f *Fold) wait(id call.ID, queue string) {
	c, known := f.now.Calls[id]
	if !known || c.Queue == queue {
		return
	}
	if c.Queue != "" {
		f.now.Queues[c.Queue]--
		f.touch(Queue, c.Queue)
	}
	if queue != "" {
		f.now.Queues[queue]++
		f.touch(Queue, queue)
	}
	c.Queue = queue
	f.now.Calls[id] = c
}

// end forgets a call with whatever is left of it.
func (f *Fold) end(id call.ID) {
	f.wait(id, "")
	f.unpark(id)
	delete(f.now.Calls, id)
	for leg, s := range f.now.Sides {
		if s.Call == id {
			f.drop(leg)
		}
	}
}

func (f *Fold) set(id hal.LegID, s side) {
	f.now.Sides[id] = s
	f.touch(Phone, s.Extension)
}

// change changes a leg; only what a lamp shows is news.
func (f *Fold) change(id hal.LegID, how func(*side)) {
	s, known := f.now.Sides[id]
	if !known {
		return
	}
	was := s
	how(&s)
	f.now.Sides[id] = s
	if s.talk(id) != was.talk(id) {
		f.touch(Phone, s.Extension)
	}
}

func (f *Fold) drop(id hal.LegID) {
	if s, known := f.now.Sides[id]; known {
		delete(f.now.Sides, id)
		f.touch(Phone, s.Extension)
	}
}
