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
	"errors"
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
	Park  Kind = "park"  // Name is a place where calls are parked: "1" to "99"
	Set   Kind = "set"   // what a phone was set to; Name is its extension
)

// Lamp is the state of one thing. What does not fit its Kind is zero.
type Lamp struct {
	Kind Kind   `json:"kind"`
	Name string `json:"name"`

	Up    bool   `json:"up,omitempty"`    // of a phone: it can ring
	Talks []Talk `json:"talks,omitempty"` // of a phone: by leg; empty: it is idle. Of a place: who is parked there

	DND     bool   `json:"dnd,omitempty"`     // of a phone and of what it was set to: it wants no calls
	Forward string `json:"forward,omitempty"` // of what it was set to: where all calls go

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
	From  hal.Number `json:"from"` // the party for whom somebody is sought
	Name  string     `json:"name"`
	Queue string     `json:"queue"` // where it waits
	Place string     `json:"place"` // where it is parked
}

// side is a leg.
type side struct {
	Call      call.ID    `json:"call"`
	Extension string     `json:"extension"` // "": not one of our phones
	Number    hal.Number `json:"number"`    // who is there
	Name      string     `json:"name"`
	Incoming  bool       `json:"incoming"`
	Stage     Stage      `json:"stage"`
	Held      bool       `json:"held"`
	With      hal.LegID  `json:"with"`  // who talks with it, or did last
	Other     hal.Number `json:"other"` // whom the phone is shown
	OtherName string     `json:"other_name"`
}

// wishes are what an extension was set to at its phone.
type wishes struct {
	DND    bool   `json:"dnd"`
	Always string `json:"always"`
}

type key struct {
	kind Kind
	name string
}

// state is what a checkpoint keeps.
type state struct {
	Up     map[string]bool       `json:"up"` // extensions whose phone can ring
	Calls  map[call.ID]contact   `json:"calls"`
	Sides  map[hal.LegID]side    `json:"sides"`
	Queues map[string]int        `json:"queues"` // how many wait; zero: nobody any more
	Agents map[string]agentState `json:"agents"`
	Places map[string]call.ID    `json:"places"` // who is parked where
	Wishes map[string]wishes     `json:"wishes"` // by extension
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
	f.now.Agents, f.now.Wishes = map[string]agentState{}, map[string]wishes{}
	return f
}

// Name is "lamps".
func (f *Fold) Name() string { return "lamps" }

// clear forgets what a restart ends, and says so of all that was shown. Agents stay: the box says itself
// what became of them; and what phones were set to.
func (f *Fold) clear() {
	f.touchAll()
	f.now = state{Up: map[string]bool{}, Calls: map[call.ID]contact{}, Sides: map[hal.LegID]side{},
		Queues: map[string]int{}, Places: map[string]call.ID{}, Agents: f.now.Agents, Wishes: f.now.Wishes}
}

// touchAll says that all but the agents and the wishes may have changed.
func (f *Fold) touchAll() {
	for e := range f.now.Up {
		f.touch(Phone, e)
	}
	for _, s := range f.now.Sides {
		f.touch(Phone, s.Extension)
	}
	for q := range f.now.Queues {
		f.touch(Queue, q)
	}
	for p := range f.now.Places {
		f.touch(Park, p)
	}
}

func (f *Fold) touch(k Kind, name string) {
	if name != "" {
		f.changed[key{k, name}] = true
	}
}

// Changes are the lamps that have become different since it was last asked, by kind and name; after
// Restore all that are known.
func (f *Fold) Changes() []Lamp {
	if len(f.changed) == 0 {
		return nil
	}
	talks := map[string][]Talk{}
	for id, s := range f.now.Sides {
		if f.changed[key{Phone, s.Extension}] {
			talks[s.Extension] = append(talks[s.Extension], s.talk(id))
		}
	}
	out := make([]Lamp, 0, len(f.changed))
	for k := range f.changed {
		out = append(out, f.lamp(k, talks))
	}
	clear(f.changed)
	slices.SortFunc(out, func(a, b Lamp) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name)) })
	return out
}

// lamp is that of k; talks are those of the phones that have changed.
func (f *Fold) lamp(k key, talks map[string][]Talk) Lamp {
	l := Lamp{Kind: k.kind, Name: k.name}
	switch k.kind {
	case Phone:
		l.Up, l.DND, l.Talks = f.now.Up[k.name], f.now.Wishes[k.name].DND, talks[k.name]
		slices.SortFunc(l.Talks, func(a, b Talk) int { return cmp.Compare(a.Leg, b.Leg) })
	case Queue:
		l.Waiting = f.now.Queues[k.name]
	case Agent:
		l.State, l.Extension = f.now.Agents[k.name].State, f.now.Agents[k.name].Extension
	case Park:
		if id, taken := f.now.Places[k.name]; taken {
			c := f.now.Calls[id]
			l.Talks = []Talk{{Call: id, Incoming: true, Stage: Confirmed, Other: c.From, Name: c.Name}}
		}
	case Set:
		l.DND, l.Forward = f.now.Wishes[k.name].DND, f.now.Wishes[k.name].Always
	default:
		panic(fmt.Sprintf("lamps: kind %q", k.kind)) // only our own bug
	}
	return l
}

func (s side) talk(id hal.LegID) Talk {
	return Talk{Leg: id, Call: s.Call, Incoming: s.Incoming, Stage: s.Stage, Held: s.Held, Other: s.Other, Name: s.OtherName}
}

// Save gives the fold as it is.
func (f *Fold) Save() []byte {
	raw, err := json.Marshal(f.now)
	if err != nil {
		panic(fmt.Sprintf("lamps: %v", err)) // plain types: only our own bug
	}
	return raw
}

// Restore takes what Save gave. An error: it is not that, or of a program that took fewer facts.
func (f *Fold) Restore(saved []byte) error {
	fresh := &Fold{changed: map[key]bool{}}
	if err := json.Unmarshal(saved, &fresh.now); err != nil {
		return fmt.Errorf("lamps: %w", err)
	}
	if fresh.now.Wishes == nil || fresh.now.Places == nil {
		return errors.New("lamps: of an older program")
	}
	fresh.touchAll()
	for e := range fresh.now.Wishes {
		fresh.touch(Set, e)
		fresh.touch(Phone, e)
	}
	for a := range fresh.now.Agents {
		fresh.touch(Agent, a)
	}
	*f = *fresh
	return nil
}
