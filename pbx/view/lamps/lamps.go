// Package lamps is what the lamps on desk phones show: who rings, talks or is free, who may take a
// call, and where somebody waits. It is a fold over the timeline, pure as all of view.
//
// It promises: a Lamp shares nothing with the fold and never changes; Changes gives what has become
// different and nothing else; after a restart of the box no call of the run before is shown. Start at
// Fold and Lamp.
package lamps

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"branchline/hal"
	"branchline/pbx/call"
)

// Kind is what a lamp is of.
type Kind string

const (
	Phone Kind = "phone" // Name is an extension
	Queue Kind = "queue" // Name is a queue
	Agent Kind = "agent" // Name is an agent's number
)

// Lamp is the state of one thing. What does not fit its Kind is zero.
type Lamp struct {
	Kind Kind   `json:"kind"`
	Name string `json:"name"`

	Up    bool   `json:"up,omitempty"`    // of a phone: it can ring
	Talks []Talk `json:"talks,omitempty"` // of a phone: by leg; empty: it is idle

	Waiting int `json:"waiting,omitempty"` // of a queue

	State     call.State `json:"state,omitempty"`     // of an agent
	Extension string     `json:"extension,omitempty"` // where the agent is signed in
}

// Stage is how far a talk is, in the words of RFC 4235 3.7.1.
type Stage string

const (
	Trying     Stage = "trying"     // the phone is being called and does not ring yet
	Proceeding Stage = "proceeding" // it calls somebody
	Early      Stage = "early"      // it rings, or hears that it rings there
	Confirmed  Stage = "confirmed"  // it talks
)

// Talk is one leg of a phone.
type Talk struct {
	Leg      hal.LegID  `json:"leg"`
	Call     call.ID    `json:"call"`
	Incoming bool       `json:"incoming,omitempty"` // the phone is called; else it calls
	Stage    Stage      `json:"stage"`
	Held     bool       `json:"held,omitempty"` // it has put the other side on hold
	Other    hal.Number `json:"other,omitempty"`
	Name     string     `json:"name,omitempty"` // of the other
}

// contact is what is kept of a call while it runs.
type contact struct {
	From  hal.Number `json:"from"`
	Name  string     `json:"name"`
	To    hal.Number `json:"to"`
	Queue string     `json:"queue"` // where it waits
}

// side is a leg of one of our phones.
type side struct {
	Call      call.ID `json:"call"`
	Extension string  `json:"extension"`
	Incoming  bool    `json:"incoming"`
	Stage     Stage   `json:"stage"`
	Held      bool    `json:"held"`
}

type key struct {
	kind Kind
	name string
}

// state is what a checkpoint keeps.
type state struct {
	Inside map[string]bool       `json:"inside"` // lines whose far ends are our own phones
	Up     map[string]bool       `json:"up"`     // extensions whose phone can ring
	Calls  map[call.ID]contact   `json:"calls"`
	Sides  map[hal.LegID]side    `json:"sides"`
	Queues map[string]int        `json:"queues"` // how many wait; zero: nobody any more
	Agents map[string]agentState `json:"agents"`
}

type agentState struct {
	State     call.State `json:"state"`
	Extension string     `json:"extension"`
}

// Fold follows the timeline. New makes it.
type Fold struct {
	now     state
	changed map[key]bool
}

// New makes a fold that has seen nothing.
func New() *Fold {
	f := &Fold{changed: map[key]bool{}}
	f.clear()
	f.now.Agents = map[string]agentState{}
	return f
}

// Name is "lamps".
func (f *Fold) Name() string { return "lamps" }

// clear forgets what a restart ends, and says so of all that was shown. Agents stay: the box says itself
// what became of them.
func (f *Fold) clear() {
	for e := range f.now.Up {
		f.touch(Phone, e)
	}
	for _, s := range f.now.Sides {
		f.touch(Phone, s.Extension)
	}
	for q := range f.now.Queues {
		f.touch(Queue, q)
	}
	f.now = state{Inside: map[string]bool{}, Up: map[string]bool{}, Calls: map[call.ID]contact{},
		Sides: map[hal.LegID]side{}, Queues: map[string]int{}, Agents: f.now.Agents}
}

func (f *Fold) touch(k Kind, name string) { f.changed[key{k, name}] = true }

// Changes are the lamps that have become different since it was last asked, by kind and name; after
// Restore all that are known.
func (f *Fold) Changes() []Lamp {
	if len(f.changed) == 0 {
		return nil
	}
	talks := map[string][]Talk{}
	for id, s := range f.now.Sides {
		if f.changed[key{Phone, s.Extension}] {
			talks[s.Extension] = append(talks[s.Extension], f.talk(id, s))
		}
	}
	out := make([]Lamp, 0, len(f.changed))
	for k := range f.changed {
		l := Lamp{Kind: k.kind, Name: k.name}
		switch k.kind {
		case Phone:
			l.Up, l.Talks = f.now.Up[k.name], talks[k.name]
			slices.SortFunc(l.Talks, func(a, b Talk) int { return cmp.Compare(a.Leg, b.Leg) })
		case Queue:
			l.Waiting = f.now.Queues[k.name]
		case Agent:
			l.State, l.Extension = f.now.Agents[k.name].State, f.now.Agents[k.name].Extension
		}
		out = append(out, l)
	}
	clear(f.changed)
	slices.SortFunc(out, func(a, b Lamp) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name)) })
	return out
}

func (f *Fold) talk(id hal.LegID, s side) Talk {
	c := f.now.Calls[s.Call]
	t := Talk{Leg: id, Call: s.Call, Incoming: s.Incoming, Stage: s.Stage, Held: s.Held, Other: c.To}
	if s.Incoming {
		t.Other, t.Name = c.From, c.Name
	}
	return t
}

// Save gives the fold as it is.
func (f *Fold) Save() []byte {
	raw, err := json.Marshal(f.now)
	if err != nil {
		panic(fmt.Sprintf("lamps: %v", err)) // plain types: only our own bug
	}
	return raw
}

// Restore takes what Save gave.
func (f *Fold) Restore(saved []byte) error {
	fresh := New()
	if err := json.Unmarshal(saved, &fresh.now); err != nil {
		return fmt.Errorf("lamps: %w", err)
	}
	for e := range fresh.now.Up {
		fresh.touch(Phone, e)
	}
	for _, s := range fresh.now.Sides {
		fresh.touch(Phone, s.Extension)
	}
	for q := range fresh.now.Queues {
		fresh.touch(Queue, q)
	}
	for a := range fresh.now.Agents {
		fresh.touch(Agent, a)
	}
	*f = *fresh
	return nil
}
