package floor

import (
	"slices"
	"strings"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
)

// State is what must survive the program: who is signed in, and which calls are open. It is a fold
// over the floor's own facts (Fold), so a checkpoint and the facts after it give the same State as
// the floor that wrote them had.
type State struct {
	Box    uint32       `json:"box"`
	Boot   uint32       `json:"boot"`
	Agents []AgentState `json:"agents"` // ordered by number
	Open   []OpenCall   `json:"open"`   // in order of their begin

	Forwards []call.ForwardSet `json:"forwards,omitempty"` // set at the phones; ordered by extension
}

// AgentState is an agent as last told by a Presence.
type AgentState struct {
	Number    string     `json:"number"`
	State     call.State `json:"state"`
	After     call.State `json:"after,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	Extension string     `json:"extension,omitempty"`
	Call      call.ID    `json:"call,omitempty"`
	Since     time.Time  `json:"since"`
	Idle      time.Time  `json:"idle"`            // since when he is idle, for longest idle
	Until     time.Time  `json:"until,omitzero"`  // end of wrap-up
	Queue     bool       `json:"queue,omitempty"` // the call he is in came from a queue
}

// OpenCall is a call that has not ended.
type OpenCall struct {
	ID       call.ID   `json:"id"`
	Legs     []OpenLeg `json:"legs"`
	Queue    string    `json:"queue,omitempty"` // where it waits
	QueuedAt time.Time `json:"queued_at,omitzero"`
	Agent    string    `json:"agent,omitempty"` // to whom it is offered
	Offer    hal.LegID `json:"offer,omitempty"`
	File     string    `json:"file,omitempty"` // its recording, still being written
}

// OpenLeg is a leg that has not ended. Release is what its line needs to end it after a crash.
type OpenLeg struct {
	Leg     hal.LegID `json:"leg"`
	Release string    `json:"release,omitempty"`
}

// Fold takes one fact of the timeline. Facts that change nothing here are passed over.
func (s *State) Fold(at time.Time, fact call.Fact) {
	switch f := fact.(type) {
	case call.Presence:
		s.foldPresence(at, f)
	case call.ClockSet:
		s.shift(f)
	case call.Began:
		s.Open = append(s.Open, OpenCall{ID: f.Call, Legs: []OpenLeg{{Leg: f.Leg, Release: f.Release}}})
	case call.ForwardSet:
		s.foldForward(f)
	case call.Moved:
		s.move(f)
	case call.Ended:
		if i := s.find(f.Call); i >= 0 {
			s.Open = slices.Delete(s.Open, i, i+1)
		}
	default:
		if i := s.find(fact.About()); i >= 0 {
			s.Open[i].fold(at, fact)
		}
	}
}

func (s *State) foldForward(f call.ForwardSet) {
	i, ok := slices.BinarySearchFunc(s.Forwards, f.Extension, func(a call.ForwardSet, n string) int { return strings.Compare(a.Extension, n) })
	if !ok {
		s.Forwards = slices.Insert(s.Forwards, i, f)
	}
	s.Forwards[i] = f
}

// forward is what was set at the phone of an extension, if anything ever was.
func (s *State) forward(extension string) (call.ForwardSet, bool) {
	for _, f := range s.Forwards {
		if f.Extension == extension {
			return f, true
		}
	}
	return call.ForwardSet{}, false
}

// move takes a leg into another call.
func (s *State) move(f call.Moved) {
	from, into := s.find(f.From), s.find(f.Call)
	if from < 0 || into < 0 {
		return
	}
	legs := s.Open[from].Legs
	if i := slices.IndexFunc(legs, func(l OpenLeg) bool { return l.Leg == f.Leg }); i >= 0 {
		s.Open[into].Legs = append(s.Open[into].Legs, legs[i])
		s.Open[from].Legs = slices.Delete(legs, i, i+1)
	}
}

func (c *OpenCall) fold(at time.Time, fact call.Fact) {
	switch f := fact.(type) {
	case call.Dialed:
		c.Legs = append(c.Legs, OpenLeg{Leg: f.Leg})
	case call.Opened:
		c.release(f.Leg, f.Release)
	case call.Alerting:
		c.release(f.Leg, f.Release)
	case call.Answered:
		c.release(f.Leg, f.Release)
	case call.LegEnded:
		c.Legs = slices.DeleteFunc(c.Legs, func(l OpenLeg) bool { return l.Leg == f.Leg })
	case call.Queued:
		c.Queue, c.QueuedAt = f.Queue, at
	case call.Dequeued:
		c.Queue = ""
	case call.Offered:
		c.Agent, c.Offer = f.Agent, f.Leg
	case call.Missed, call.Withdrawn, call.Connected:
		c.Agent, c.Offer = "", ""
	case call.RecordingStarted:
		c.File = f.File
	case call.RecordingSaved:
		c.File = ""
	}
}

// release notes what ends a leg from now on; "" nothing else than before.
func (c *OpenCall) release(leg hal.LegID, with string) {
	for i := range c.Legs {
		if c.Legs[i].Leg == leg && with != "" {
			c.Legs[i].Release = with
		}
	}
}

func (s *State) foldPresence(at time.Time, f call.Presence) {
	i, ok := slices.BinarySearchFunc(s.Agents, f.Agent, func(a AgentState, n string) int { return strings.Compare(a.Number, n) })
	if !ok {
		s.Agents = slices.Insert(s.Agents, i, AgentState{Number: f.Agent})
	}
	a := &s.Agents[i]
	if idleFrom(a.State, f.State) {
		a.Idle = at
	}
	a.Queue = a.Queue && a.Call == f.Call || f.State == call.Reserved
	if a.State != f.State {
		a.Since = at
	}
	a.State, a.After, a.Reason = f.State, f.After, f.Reason
	a.Extension, a.Call, a.Until = f.Extension, f.Call, f.Until
}

func (s *State) find(id call.ID) int {
	if id == "" {
		return -1
	}
	return slices.IndexFunc(s.Open, func(c OpenCall) bool { return c.ID == id })
}

// Releases lists, per line, what its open legs need to be ended on the wire.
func (s State) Releases() map[string][]string {
	out := map[string][]string{}
	for _, c := range s.Open {
		for _, l := range c.Legs {
			if l.Release != "" {
				out[l.Leg.Line()] = append(out[l.Leg.Line()], l.Release)
			}
		}
	}
	return out
}

// AfterRestart gives the facts that close what was open when the box went down, to be appended at
// the time when it was last known alive: no call goes on, and an agent who was in a queue call is in
// wrap-up for as long as wrapUp says.
func (s State) AfterRestart(now time.Time, wrapUp func(agent string) time.Duration) []call.Fact {
	var out []call.Fact
	for _, c := range s.Open {
		if c.Offer != "" {
			out = append(out, call.Withdrawn{Call: c.ID, Queue: c.Queue, Agent: c.Agent, Leg: c.Offer, Why: call.ByRestart})
		}
		if c.Queue != "" {
			out = append(out, call.Dequeued{Call: c.ID, Queue: c.Queue, Exit: call.ExitRestarted})
		}
		for _, l := range c.Legs {
			out = append(out, call.LegEnded{Call: c.ID, Leg: l.Leg, Cause: hal.Restarted})
		}
		out = append(out, call.Ended{Call: c.ID, Cause: hal.Restarted, By: call.BySystem})
	}
	for _, a := range s.Agents {
		switch a.State {
		case call.Reserved, call.Ringing, call.Talking, call.Holding, call.Dialing:
		default:
			continue
		}
		p := call.Presence{Agent: a.Number, State: call.Ready, Reason: a.Reason, Extension: a.Extension, Actor: "system", Cause: call.ByRestart}
		switch {
		case a.After == call.SignedOut:
			p.State, p.Extension = call.SignedOut, ""
		case a.Queue && (a.State == call.Talking || a.State == call.Holding) && wrapUp(a.Number) > 0:
			p.State, p.After, p.Until = call.WrapUp, a.After, now.Add(wrapUp(a.Number))
		case a.After != "":
			p.State = a.After
		}
		out = append(out, p)
	}
	return out
}

// Clone is a copy that shares nothing with s.
func (s State) Clone() State {
	s.Agents = slices.Clone(s.Agents)
	s.Forwards = slices.Clone(s.Forwards)
	s.Open = slices.Clone(s.Open)
	for i := range s.Open {
		s.Open[i].Legs = slices.Clone(s.Open[i].Legs)
	}
	return s
}
