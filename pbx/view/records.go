package view

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
)

// maxDetails bounds each list of a record: a caller who keys for hours fills no memory.
const maxDetails = 200

// Records is the fold that makes a Record of each call: one row at its Ended.
type Records struct {
	open   map[call.ID]*openCall
	counts Counts
}

// Counts are things that should not be.
type Counts struct {
	Late    uint64 `json:"late"`    // facts about a call that is not open: a second Ended, a leg that outlived its call
	Unknown uint64 `json:"unknown"` // facts of a kind that this program does not know
	Left    uint64 `json:"left"`    // calls that were never ended and were closed by the fold at a later boot
}

// openCall is a record in the making. It is what Save keeps.
type openCall struct {
	Record  Record
	Pairs   []pair      // who hears whom
	Held    []hal.LegID // who put the other side on hold
	Passed  time.Time   // up to where Talk and Hold are counted
	Crossed bool        // a boot passed and it is still open
}

type pair struct{ A, B hal.LegID }

// NewRecords makes the fold with no call open.
func NewRecords() *Records { return &Records{open: map[call.ID]*openCall{}} }

// RecordsName is the name of the fold Records.
const RecordsName = "records"

// Name is RecordsName.
func (r *Records) Name() string { return RecordsName }

// Counts tells what should not have been.
func (r *Records) Counts() Counts { return r.counts }

// Open gives the calls that have not ended, oldest first: records without Ended, Outcome and Cause.
func (r *Records) Open() []Record {
	out := make([]Record, 0, len(r.open))
	for _, id := range r.ids() {
		out = append(out, clone(r.open[id].Record))
	}
	return out
}

// ids are the open calls in order of their begin.
func (r *Records) ids() []call.ID {
	ids := make([]call.ID, 0, len(r.open))
	for id := range r.open {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b call.ID) int {
		return cmp.Compare(r.open[a].Record.First, r.open[b].Record.First)
	})
	return ids
}

// clone gives a record that shares nothing which still changes.
func clone(r Record) Record {
	r.Flows, r.Keys, r.Legs = slices.Clone(r.Flows), slices.Clone(r.Keys), slices.Clone(r.Legs)
	r.Recordings, r.Troubles = slices.Clone(r.Recordings), slices.Clone(r.Troubles)
	r.Turns = slices.Clone(r.Turns)
	r.Visits = slices.Clone(r.Visits)
	for i := range r.Visits {
		r.Visits[i].Offers = slices.Clone(r.Visits[i].Offers)
	}
	return r
}

// saved is the state of Records. A slice, so that equal states are equal bytes.
type saved struct {
	Calls  []*openCall
	Counts Counts
}

// Save gives the open calls.
func (r *Records) Save() []byte {
	s := saved{Counts: r.counts}
	for _, id := range r.ids() {
		s.Calls = append(s.Calls, r.open[id])
	}
	return mustJSON(s)
}

// Restore takes what Save gave.
func (r *Records) Restore(state []byte) error {
	var s saved
	if err := json.Unmarshal(state, &s); err != nil {
		return fmt.Errorf("records: %w", err)
	}
	r.open, r.counts = map[call.ID]*openCall{}, s.Counts
	for _, c := range s.Calls {
		if c != nil {
			r.open[c.Record.Call] = c
		}
	}
	return nil
}

// mustJSON encodes our own plain types: only a bug could make it fail.
func mustJSON(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("view: %v", err))
	}
	return raw
}

// Apply takes the next entry and gives a row when a call has ended.
func (r *Records) Apply(e call.Entry) []json.RawMessage {
	switch f := e.Fact.(type) {
	case call.Began:
		if r.open[f.Call] == nil {
			r.open[f.Call] = begin(e, f)
			return nil
		}
	case call.Booted:
		return r.leftovers(e)
	case call.Moved:
		r.moved(e, f)
		return nil
	case call.ClockSet:
		r.shift(f)
	case call.Unknown:
		r.counts.Unknown++
		return nil
	case call.Presence, call.RecordingSaved:
		if r.open[e.Fact.About()] == nil {
			return nil // both may follow a call's end
		}
	}
	id := e.Fact.About()
	if id == "" {
		return nil
	}
	c := r.open[id]
	if _, again := e.Fact.(call.Began); again || c == nil {
		r.counts.Late++
		return nil
	}
	c.pass(e.At)
	if f, ok := e.Fact.(call.Ended); ok {
		delete(r.open, id)
		return []json.RawMessage{mustJSON(c.end(e, f))}
	}
	c.take(e)
	return nil
}

// leftovers closes calls that a boot before this one should have ended: the box states Ended for
// what a crash left right after Booted, so nothing is open any more when the next one comes.
func (r *Records) leftovers(e call.Entry) (rows []json.RawMessage) {
	for _, id := range r.ids() {
		c := r.open[id]
		if !c.Crossed {
			c.Crossed = true
			continue
		}
		delete(r.open, id)
		r.counts.Left++
		e.At = c.Passed
		rows = append(rows, mustJSON(c.end(e, call.Ended{Call: id, Cause: hal.Restarted, By: call.BySystem})))
	}
	return rows
}

func begin(e call.Entry, f call.Began) *openCall {
	return &openCall{
		Passed: e.At,
		Record: Record{
			Call: f.Call, Direction: f.Direction, Line: f.Line, From: f.From, To: f.To, Name: f.Name,
			Extension: f.Extension, Agent: f.Agent, Began: e.At, First: e.Seq,
			Legs: []Leg{{
				Leg: f.Leg, Line: f.Line, Number: f.From, Extension: f.Extension, Agent: f.Agent,
				Wire: f.Wire, Began: e.At,
			}},
		},
	}
}
