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
	case call.LineUp:
		f.now.Inside[v.Line] = v.Traits.Inside
	case call.PhoneUp:
		f.now.Up[v.Extension] = true
		f.touch(Phone, v.Extension)
	case call.PhoneDown:
		delete(f.now.Up, v.Extension)
		f.touch(Phone, v.Extension)
	case call.Presence:
		f.presence(v)
	case call.Began:
		f.now.Calls[v.Call] = contact{From: v.From, Name: v.Name, To: v.To}
		if v.Extension != "" {
			f.set(v.Leg, side{Call: v.Call, Extension: v.Extension, Stage: Proceeding})
		}
	case call.Queued:
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
		if f.now.Inside[v.Line] {
			f.set(v.Leg, side{Call: v.Call, Extension: string(v.To), Incoming: true, Stage: Trying})
		}
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

func (f *Fold) change(id hal.LegID, how func(*side)) {
	s, ours := f.now.Sides[id]
	if !ours {
		return
	}
	was := s
	if how(&s); s != was {
		f.set(id, s)
	}
}

func (f *Fold) drop(id hal.LegID) {
	if s, ours := f.now.Sides[id]; ours {
		delete(f.now.Sides, id)
		f.touch(Phone, s.Extension)
	}
}
