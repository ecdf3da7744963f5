package engine

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/config"
	"branchline/pbx/floor"
	"branchline/pbx/scenario"
)

// Bounds of the flight recorder.
const (
	partAge   = 10 * time.Minute // a part that is older ends at the next quiet moment
	partBytes = 4 << 20          // and one that is longer ends at once
	keepAge   = 6 * time.Hour
	keepBytes = 16 << 20 // of finished parts; some 400 calls
)

// recorder is the flight recorder: the last hours of what the floor lived through, in parts, each a
// scenario of its own. A part begins while no call is up, so that it can be replayed; on a floor
// that is never quiet it begins under calls and says so. The engine's goroutine writes it, anybody
// may read it.
type recorder struct {
	doc *config.Doc

	mu    sync.Mutex
	now   []byte // the part that is being written
	whole bool   // it began in a quiet moment
	since time.Time
	kept  []part // oldest first
	bytes int
}

// part is a finished part; nobody changes its text.
type part struct {
	to   time.Time
	text []byte
}

// stage is what the recorder must see of a floor.
type stage interface {
	Busy() bool
	Scene() floor.Scene
}

// event writes one event with what came of it.
func (r *recorder) event(f stage, at time.Time, ev call.Event, out floor.Output, refusal error) {
	if c, ok := ev.(call.Configured); ok {
		r.doc = c.Doc
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now != nil {
		r.now = scenario.Event(r.now, at, ev, out, refusal)
	}
	r.turn(f, at)
}

// failed writes the event at which the floor failed, and that its call was ended by force: a replay
// fails there too.
func (r *recorder) failed(at time.Time, ev call.Event, leg hal.LegID, out floor.Output) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now == nil {
		return
	}
	r.now = scenario.Event(r.now, at, ev, floor.Output{}, nil)
	r.now = scenario.Dropped(r.now, at, leg, out)
}

// shift takes that the clock was set: the parts keep their ages.
func (r *recorder) shift(s call.ClockSet) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.Shift(&r.since)
	for i := range r.kept {
		s.Shift(&r.kept[i].to)
	}
}

// turn begins a new part where it is time to.
func (r *recorder) turn(f stage, at time.Time) {
	if r.doc == nil {
		return
	}
	quiet := !f.Busy()
	due := r.now == nil || len(r.now) > partBytes || quiet && (!r.whole || at.Sub(r.since) > partAge)
	if !due {
		return
	}
	r.finish(at)
	r.since, r.whole = at, quiet
	r.now = fmt.Appendf(make([]byte, 0, 64<<10), "# from %s\n", at.UTC().Format(time.RFC3339))
	if !quiet {
		r.now = append(r.now, "# This part begins under calls: a replay may differ.\n"...)
	}
	r.now = scenario.Head(r.now, r.doc, f.Scene())
}

// finish ends the part that is being written and lets go what is too old or too much.
func (r *recorder) finish(at time.Time) {
	if len(r.now) > 0 {
		r.kept = append(r.kept, part{at, r.now})
		r.bytes += len(r.now)
	}
	gone := 0
	for gone < len(r.kept) && (r.bytes > keepBytes || at.Sub(r.kept[gone].to) > keepAge) {
		r.bytes -= len(r.kept[gone].text)
		gone++
	}
	r.kept = slices.Delete(r.kept, 0, gone) // re-slicing would keep the texts in memory
}

// WriteScenario writes the last hours, or what of them came after since, as a scenario: the parts
// that hold it, oldest first. It may be called from any goroutine and does not hold up calls.
func (e *Engine) WriteScenario(w io.Writer, since time.Time) error {
	e.flight.mu.Lock()
	kept := append([]part(nil), e.flight.kept...)
	now := bytes.Clone(e.flight.now)
	e.flight.mu.Unlock()
	for _, p := range kept {
		if p.to.Before(since) {
			continue
		}
		if _, err := w.Write(p.text); err != nil {
			return fmt.Errorf("scenario: %w", err)
		}
	}
	_, err := w.Write(now)
	return err
}
