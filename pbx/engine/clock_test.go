package engine

import (
	"encoding/json"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/floor"
	"branchline/pbx/view"
)

// wall is the clock of a box, which a test sets.
type wall struct{ off atomic.Int64 }

func (w *wall) now() time.Time       { return time.Now().Add(time.Duration(w.off.Load())) }
func (w *wall) set(at time.Time)     { w.off.Store(int64(at.Sub(time.Now().Round(0)))) }
func (w *wall) move(d time.Duration) { w.off.Add(int64(d)) }

// shift is how an office is run by a clock: Ana is signed in.
func shift(t *testing.T, w *wall) *bench {
	t.Helper()
	s := floor.State{Box: 1, Boot: 1}
	s.Fold(w.now(), call.Presence{Agent: "1001", State: call.Ready, Extension: "201"})
	b := runBy(t, floor.New(branch(), s), nil, w.now)
	b.disk.mu.Lock()
	b.disk.quick = true
	b.disk.mu.Unlock()
	if err := b.Configure(t.Context(), branch()); err != nil {
		t.Fatal(err)
	}
	b.tell(hal.Reachable{Name: "phones", Endpoint: "201", Contacts: 1})
	return b
}

// pass lets time pass, and all that comes of it.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// records are the records and the stints that the timeline gives.
func records(t *testing.T, entries []call.Entry) (calls []view.Record, stints []view.Stint) {
	t.Helper()
	c, s := view.NewRecords(), view.NewAgentLog()
	for _, e := range entries {
		calls = append(calls, read[view.Record](t, c.Apply(e))...)
		stints = append(stints, read[view.Stint](t, s.Apply(e))...)
	}
	return calls, stints
}

func read[V any](t *testing.T, rows []json.RawMessage) (out []V) {
	t.Helper()
	for _, row := range rows {
		var v V
		if err := json.Unmarshal(row, &v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

var year2026 = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// A box without a battery begins in 1970; the network sets it right while a caller waits, and a
// person puts it an hour back while he talks and an hour forward in wrap-up.
func TestDurationsAreExactThoughTheClockJumpsInACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wall{}
		w.set(time.Unix(100, 0))
		b := shift(t, w)
		pass(9 * time.Second)
		const ana hal.LegID = "phones#1-o1"
		b.tell(hal.Incoming{Leg: caller, From: "0935"}, hal.Answered{Leg: caller}, hal.Progress{Leg: ana, Alerting: true})
		pass(3 * time.Second)
		w.set(year2026)
		pass(4 * time.Second)
		b.tell(hal.Answered{Leg: ana})
		pass(10 * time.Second)
		w.move(-time.Hour)
		pass(10 * time.Second)
		b.tell(hal.Held{Leg: ana})
		pass(5 * time.Second)
		w.move(time.Hour)
		pass(5 * time.Second)
		b.tell(hal.Resumed{Leg: ana})
		pass(time.Second)
		b.tell(hal.Gone{Leg: caller, Cause: hal.Normal, Far: true}, hal.Gone{Leg: ana, Cause: hal.Normal})
		pass(3 * time.Second)
		w.move(time.Hour)
		pass(20 * time.Second)

		entries := b.disk.Entries(0, 1<<20)
		calls, stints := records(t, entries)
		if len(calls) != 1 {
			t.Fatalf("%d records, want 1", len(calls))
		}
		r := calls[0]
		if r.Wait != 7*time.Second || r.Talk != 21*time.Second || r.Hold != 10*time.Second || r.Total != 38*time.Second {
			t.Errorf("wait %v, talk %v, hold %v, total %v; want 7s, 21s, 10s, 38s", r.Wait, r.Talk, r.Hold, r.Total)
		}
		if d := r.Connected.Sub(r.Began); d != 7*time.Second || r.Began.Year() != 2026 {
			t.Errorf("began %v, connected %v: not by one clock, the new one", r.Began, r.Connected)
		}
		for _, s := range stints {
			if s.State == call.WrapUp && s.For != 10*time.Second {
				t.Errorf("wrap-up lasted %v, want 10s", s.For)
			}
		}
		if !slices.ContainsFunc(stints, func(s view.Stint) bool { return s.State == call.WrapUp }) {
			t.Error("no wrap-up has ended")
		}
		if got := factsOf[call.ClockSet](b.disk); len(got) != 4 || got[1].By != -time.Hour || got[2].By != time.Hour {
			t.Errorf("the timeline says %+v, want four times that the clock was set", got)
		}
		inOrder(t, entries)
	})
}

// inOrder holds a timeline to its times: they go back nowhere but where the clock was set.
func inOrder(t *testing.T, entries []call.Entry) {
	t.Helper()
	for i, e := range entries[1:] {
		last := entries[i].At
		if c, ok := e.Fact.(call.ClockSet); ok {
			last = last.Add(c.By)
		}
		if e.At.Before(last) {
			t.Errorf("%v follows %v", e, entries[i])
		}
	}
}

func TestAClockThatIsSetWhileNothingHappensIsNoticedWithin2s(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wall{}
		b := shift(t, w)
		before := len(b.disk.Entries(0, 1<<20))
		w.move(900 * time.Millisecond) // a correction, no step
		pass(time.Minute)
		if n := len(b.disk.Entries(0, 1<<20)); n != before {
			t.Errorf("%d facts came of less than a second", n-before)
		}
		w.move(-time.Hour)
		pass(2 * time.Second)
		if got := factsOf[call.ClockSet](b.disk); len(got) != 1 || got[0].By != -time.Hour+900*time.Millisecond {
			t.Fatalf("the timeline says %+v, want that the clock was set", got)
		}
		if marks := b.disk.aliveMarks(); len(marks) != 1 || marks[0].After(w.now()) {
			t.Errorf("alive marks %v, want one by the new clock", marks)
		}
		pass(time.Minute)
		if got := factsOf[call.ClockSet](b.disk); len(got) != 1 {
			t.Errorf("it is said %d times", len(got))
		}
	})
}

func TestTheFlightRecordSaysThatTheClockWasSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wall{}
		b := shift(t, w)
		b.tell(hal.Incoming{Leg: caller, From: "0935"}, hal.Answered{Leg: caller}, hal.Progress{Leg: "phones#1-o1", Alerting: true})
		w.move(time.Hour)
		pass(15 * time.Second)
		var text strings.Builder
		if err := b.WriteScenario(&text, time.Time{}); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"Z clock {\"by_ns\":3600000000000}\n  {\"kind\":\"clock_set\"", "T01:00:15Z tick\n", `"why":"rona"`} {
			if !strings.Contains(text.String(), want) {
				t.Errorf("%q is missing in\n%s", want, &text)
			}
		}
	})
}

func TestAStartWithAClockThatIsBehindSaysSoAndKeepsWrapUpShort(t *testing.T) {
	d := newDisk()
	d.Append(year2026, call.Began{Call: "c1", Leg: caller})
	d.Append(year2026.Add(time.Minute), call.Presence{
		Agent: "1001", State: call.WrapUp, Extension: "201", Until: year2026.Add(70 * time.Second),
	})
	now := time.Unix(40, 0).UTC()
	s, _, err := Restore(d, branch(), 1, 2, now)
	if err != nil {
		t.Fatal(err)
	}
	calls, _ := records(t, d.Entries(0, 1<<20))
	if len(calls) != 1 || calls[0].Total != time.Minute {
		t.Errorf("records %+v, want one of a minute", calls)
	}
	if until := s.Agents[0].Until; !until.Equal(now.Add(10 * time.Second)) {
		t.Errorf("wrap-up until %v, want 10s after %v", until, now)
	}
	if got := factsOf[call.ClockSet](d); len(got) != 1 {
		t.Errorf("the timeline says %+v, want that the clock was set back", got)
	}
}
