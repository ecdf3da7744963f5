// Package board is what happens now: lines, phones, calls, agents and queues as a wallboard shows
// them. It is a fold over the timeline, pure as all of view.
//
// It promises: a Snapshot shares nothing with the board and never changes; after a restart of the
// box no call of the run before is on it. Start at Board and Snapshot.
package board

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
)

// Snapshot is the board at one moment. Lists are sorted: lines, agents, queues and phones by name,
// calls by their begin.
type Snapshot struct {
	Seq    call.Seq  `json:"seq"` // the newest entry that is in it
	At     time.Time `json:"at"`  // and its time
	Lines  []Line    `json:"lines"`
	Phones []string  `json:"phones"` // extensions whose phone can ring
	Calls  []Call    `json:"calls"`
	Agents []Agent   `json:"agents"`
	Queues []Queue   `json:"queues"` // where somebody waits

	Unsynced time.Time `json:"unsynced,omitzero"` // since when the disk has not confirmed; zero: it does
}

// Line is one line that has been heard of since boot.
type Line struct {
	Name  string    `json:"name"`
	Up    bool      `json:"up"`
	Why   string    `json:"why,omitempty"` // why it is down
	Since time.Time `json:"since"`
	Legs  int       `json:"legs"` // that it carries now
}

// Phase is how far a call is.
type Phase string

const (
	Began   Phase = "began"   // it came in, or is being dialled
	InFlow  Phase = "flow"    // in a menu
	Waiting Phase = "waiting" // in a queue
	Ringing Phase = "ringing" // somebody's phone rings for it
	Talking Phase = "talking" // two parties hear each other
	Holding Phase = "holding" // one of them has the other on hold
	Parked  Phase = "parked"  // one waits for a phone that takes him back
)

// Call is one call that runs.
type Call struct {
	Call      call.ID        `json:"call"`
	Direction call.Direction `json:"direction"`
	Line      string         `json:"line"`
	From      hal.Number     `json:"from"`
	To        hal.Number     `json:"to"`
	Name      string         `json:"name,omitempty"`
	Phase     Phase          `json:"phase"`
	Since     time.Time      `json:"since"` // of the phase
	Began     time.Time      `json:"began"`
	Queue     string         `json:"queue,omitempty"`   // where it waits, or from which it was answered
	Waiting   time.Time      `json:"waiting,omitzero"`  // since when it waits there
	Agent     string         `json:"agent,omitempty"`   // who is offered it, or talks
	Legs      []Leg          `json:"legs"`              // that are up or ring
	Recorded  bool           `json:"recorded"`          // it is being recorded
	Trouble   string         `json:"trouble,omitempty"` // the latest
}

// Leg is one side of a call that runs.
type Leg struct {
	Leg    hal.LegID  `json:"leg"`
	Line   string     `json:"line"`
	Number hal.Number `json:"number"`
	Agent  string     `json:"agent,omitempty"`
	State  string     `json:"state"` // in, dialling, ringing, up, held
}

// States of a Leg.
const (
	legIn       = "in"
	legDialling = "dialling"
	legRinging  = "ringing"
	legUp       = "up"
	legHeld     = "held"
)

// Agent is one agent that has been heard of.
type Agent struct {
	Agent     string     `json:"agent"`
	State     call.State `json:"state"`
	After     call.State `json:"after,omitempty"`  // what follows a state that ends by itself, where it is not ready
	Reason    string     `json:"reason,omitempty"` // of not ready, now or After
	Extension string     `json:"extension,omitempty"`
	Call      call.ID    `json:"call,omitempty"`
	Since     time.Time  `json:"since"`
	Until     time.Time  `json:"until,omitzero"` // the deadline of the state
}

// Queue is a queue in which somebody waits.
type Queue struct {
	Queue   string    `json:"queue"`
	Waiting int       `json:"waiting"`
	Longest time.Time `json:"longest"` // since when the first of them waits
}

// Board is the fold.
type Board struct {
	seq    call.Seq
	at     time.Time
	lines  map[string]Line
	phones map[string]bool
	calls  map[call.ID]*Call
	agents map[string]Agent

	unsynced time.Time
}

// New makes an empty board.
func New() *Board {
	b := &Board{}
	b.clear()
	b.agents = map[string]Agent{}
	return b
}

// clear forgets what a restart ends. Agents stay: the box says itself what became of them.
func (b *Board) clear() {
	b.lines, b.phones, b.calls = map[string]Line{}, map[string]bool{}, map[call.ID]*Call{}
	b.unsynced = time.Time{}
}

// Name is "board".
func (b *Board) Name() string { return "board" }

// Snapshot is the board as it is now. It costs a copy of all that is on it.
func (b *Board) Snapshot() Snapshot {
	s := Snapshot{
		Seq: b.seq, At: b.at,
		Lines:  make([]Line, 0, len(b.lines)),
		Phones: slices.AppendSeq(make([]string, 0, len(b.phones)), maps.Keys(b.phones)),
		Calls:  make([]Call, 0, len(b.calls)),
		Agents: make([]Agent, 0, len(b.agents)),
		Queues: []Queue{}, Unsynced: b.unsynced,
	}
	legs, queues := map[string]int{}, map[string]Queue{}
	for _, c := range b.calls {
		for _, l := range c.Legs {
			legs[l.Line]++
		}
		if !c.Waiting.IsZero() {
			q, ok := queues[c.Queue]
			if !ok || c.Waiting.Before(q.Longest) {
				q.Longest = c.Waiting
			}
			q.Queue, q.Waiting = c.Queue, q.Waiting+1
			queues[c.Queue] = q
		}
		copied := *c
		copied.Legs = slices.Clone(c.Legs)
		s.Calls = append(s.Calls, copied)
	}
	for _, l := range b.lines {
		l.Legs = legs[l.Name]
		s.Lines = append(s.Lines, l)
	}
	s.Agents = slices.AppendSeq(s.Agents, maps.Values(b.agents))
	s.Queues = slices.AppendSeq(s.Queues, maps.Values(queues))
	slices.Sort(s.Phones)
	slices.SortFunc(s.Lines, func(a, b Line) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(s.Calls, func(a, b Call) int { return cmp.Or(a.Began.Compare(b.Began), cmp.Compare(a.Call, b.Call)) })
	slices.SortFunc(s.Agents, func(a, b Agent) int { return cmp.Compare(a.Agent, b.Agent) })
	slices.SortFunc(s.Queues, func(a, b Queue) int { return cmp.Compare(a.Queue, b.Queue) })
	return s
}

// Save gives the board as it is.
func (b *Board) Save() []byte {
	raw, err := json.Marshal(b.Snapshot())
	if err != nil {
		panic(fmt.Sprintf("board: %v", err)) // plain types: only our own bug
	}
	return raw
}

// Restore takes what Save gave.
func (b *Board) Restore(state []byte) error {
	var s Snapshot
	if err := json.Unmarshal(state, &s); err != nil {
		return fmt.Errorf("board: %w", err)
	}
	fresh := New()
	fresh.seq, fresh.at, fresh.unsynced = s.Seq, s.At, s.Unsynced
	for _, l := range s.Lines {
		fresh.lines[l.Name] = l
	}
	for _, p := range s.Phones {
		fresh.phones[p] = true
	}
	for i := range s.Calls {
		fresh.calls[s.Calls[i].Call] = &s.Calls[i]
	}
	for _, a := range s.Agents {
		fresh.agents[a.Agent] = a
	}
	*b = *fresh
	return nil
}
