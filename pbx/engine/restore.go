package engine

import (
	"encoding/json"
	"fmt"
	"time"

	"branchline/pbx/call"
	"branchline/pbx/config"
	"branchline/pbx/floor"
)

const stateName = "floor"

// Past is the timeline as a start reads it.
type Past interface {
	Load(name string) (at call.Seq, state []byte, ok bool)
	Entries(since call.Seq, limit int) []call.Entry
	AliveAt() time.Time
	Append(at time.Time, facts ...call.Fact) call.Seq
}

// Restore finds what the run before left: the last checkpoint and the facts after it. Calls that
// were up are ended on the timeline, at the time when the box was last alive; left is the state as
// it was found, with what the lines need to release those calls on their wires. A clock that begins
// before that time has been set back, and the timeline says so: no wrap-up of then lasts for years.
func Restore(p Past, doc *config.Doc, box, boot uint32, now time.Time) (s, left floor.State, err error) {
	at, raw, ok := p.Load(stateName)
	if ok {
		if err := json.Unmarshal(raw, &s); err != nil {
			return s, s, fmt.Errorf("checkpoint of the floor: %w", err)
		}
	}
	for {
		list := p.Entries(at, 1000)
		if len(list) == 0 {
			break
		}
		for _, e := range list {
			s.Fold(e.At, e.Fact)
			at = e.Seq
		}
	}
	left = s.Clone()
	s.Box, s.Boot = box, boot
	wrap := func(agent string) time.Duration { return wrapUp(doc, agent) }
	say := func(at time.Time, f call.Fact) {
		p.Append(at, f)
		s.Fold(at, f)
	}
	alive := p.AliveAt()
	after := left.AfterRestart(now, wrap)
	for _, f := range after {
		if _, ok := f.(call.Presence); !ok {
			say(alive, f)
		}
	}
	if back := alive.Sub(now); back > clockStep { // a board without a battery begins in 1970
		say(now, call.ClockSet{By: -back})
	}
	for _, f := range after {
		if _, ok := f.(call.Presence); ok {
			say(now, f)
		}
	}
	return s, left, nil
}

// wrapUp is the longest wrap-up of the queues that agent serves.
func wrapUp(doc *config.Doc, agent string) (longest time.Duration) {
	for _, q := range doc.Queues {
		for _, a := range q.Agents {
			if a == agent {
				longest = max(longest, q.WrapUp)
			}
		}
	}
	return longest
}

func (e *Engine) saveSometimes() {
	if e.last == e.saved {
		return
	}
	if e.last-e.saved >= checkpointFacts || e.now().Sub(e.savedAt) >= checkpointEvery {
		e.checkpoint()
	}
}

// checkpoint saves the floor's state beside the facts that it is made of.
func (e *Engine) checkpoint() {
	if e.last == e.saved {
		return
	}
	raw, err := json.Marshal(e.o.Floor.State())
	if err != nil {
		panic(fmt.Sprintf("engine: state of the floor: %v", err))
	}
	e.o.Journal.Checkpoint(stateName, e.last, raw)
	e.saved, e.savedAt = e.last, e.now()
}
