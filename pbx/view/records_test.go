package view_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/view"
	"branchline/pbx/view/board"
	"branchline/pbx/view/viewtest"
)

// fold is what the folds of the package have in common.
type fold interface {
	Apply(e call.Entry) []json.RawMessage
	Save() []byte
	Restore(state []byte) error
}

func start() time.Time { return time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC) }

// history numbers facts that come a second after each other.
func history(facts ...call.Fact) []call.Entry {
	var out []call.Entry
	for i, f := range facts {
		out = append(out, call.Entry{Seq: call.Seq(i + 1), At: start().Add(time.Duration(i) * time.Second), Fact: f})
	}
	return out
}

func apply(f fold, entries []call.Entry) (rows []json.RawMessage) {
	for _, e := range entries {
		rows = append(rows, f.Apply(e)...)
	}
	return rows
}

// one is the only record that facts give.
func one(t *testing.T, facts ...call.Fact) view.Record {
	t.Helper()
	rows := apply(view.NewRecords(), history(facts...))
	if len(rows) != 1 {
		t.Fatalf("%d rows, want 1", len(rows))
	}
	var r view.Record
	if err := json.Unmarshal(rows[0], &r); err != nil {
		t.Fatal(err)
	}
	return r
}

const (
	caller hal.LegID = "gsm1#4-17"
	anas   hal.LegID = "phones#4-o42"
	bos    hal.LegID = "phones#4-o43"
)

// queueCall is a caller whom Ana misses and Bo answers; the legs of step 1's first scenario.
func queueCall() []call.Fact {
	return []call.Fact{
		call.Began{Call: "A", Leg: caller, Line: "gsm1", Direction: call.Inbound, From: "0935", To: "0800", Wire: "1"}, // 0 s
		call.Answered{Call: "A", Leg: caller, Release: "CHUP"},                                                         // 1
		call.FlowEntered{Call: "A", Flow: "main"},                                                                      // 2
		call.Keyed{Call: "A", Leg: caller, Key: "1", Step: "menu"},                                                     // 3
		call.Queued{Call: "A", Queue: "sales"},                                                                         // 4
		call.Offered{Call: "A", Queue: "sales", Agent: "1001", Extension: "201", Leg: anas, Why: "longest idle, 5s"},   // 5
		call.Dialed{Call: "A", Leg: anas, Line: "phones", To: "201", Agent: "1001"},                                    // 6
		call.Opened{Call: "A", Leg: anas, Wire: "f81d@192.0.2.1"},                                                      // 7
		call.Alerting{Call: "A", Leg: anas},                                                                            // 8
		call.LegEnded{Call: "A", Leg: anas, Cause: hal.NoAnswer},                                                       // 9
		call.Missed{Call: "A", Queue: "sales", Agent: "1001", Leg: anas, Why: call.ByRONA},                             // 10
		call.Dialed{Call: "A", Leg: bos, Line: "phones", To: "202", Agent: "1002"},                                     // 11
		call.Offered{Call: "A", Queue: "sales", Agent: "1002", Extension: "202", Leg: bos, Why: "longest idle, 19s"},   // 12
		call.Answered{Call: "A", Leg: bos, Contact: "sip:202@192.0.2.8"},                                               // 13
		call.Dequeued{Call: "A", Queue: "sales", Exit: call.ExitAnswered, Agent: "1002", Waited: 10 * time.Second},     // 14
		call.Connected{Call: "A", Leg: caller, Peer: bos, Agent: "1002", Queue: "sales"},                               // 15
		call.RecordingStarted{Call: "A", File: "a", Left: []hal.LegID{caller}, Right: []hal.LegID{bos}},                // 16
		call.Held{Call: "A", Leg: bos},                                                                                 // 17
		call.Resumed{Call: "A", Leg: bos},                                                                              // 18
		call.Trouble{Call: "A", Leg: bos, What: "one-way sound"},                                                       // 19
		call.LegEnded{Call: "A", Leg: caller, Cause: hal.Normal, Far: true, Wire: "NO CARRIER"},                        // 20
		call.LegEnded{Call: "A", Leg: bos, Cause: hal.Normal},                                                          // 21
		call.Ended{Call: "A", Cause: hal.Normal, By: call.ByCaller},                                                    // 22
	}
}

func TestRecordTellsTheWholeCall(t *testing.T) {
	sec := func(n int) time.Time { return start().Add(time.Duration(n) * time.Second) }
	got := one(t, queueCall()...)
	want := view.Record{
		Call: "A", Direction: call.Inbound, Line: "gsm1", From: "0935", To: "0800", Agent: "1002",
		Began: sec(0), Answered: sec(1), Connected: sec(15), Ended: sec(22),
		Outcome: view.OutcomeAnswered, Cause: hal.Normal, By: call.ByCaller,
		Total: 22 * time.Second, Wait: 10 * time.Second, Talk: 4 * time.Second, Hold: time.Second,
		Flows: []string{"main"},
		Keys:  []view.Key{{At: sec(3), Leg: caller, Key: "1", Step: "menu"}},
		Visits: []view.Visit{{
			Queue: "sales", Entered: sec(4), Left: sec(14), Exit: call.ExitAnswered, Agent: "1002", Wait: 10 * time.Second,
			Offers: []view.Offer{
				{Agent: "1001", Extension: "201", Leg: anas, At: sec(5), Why: "longest idle, 5s", Closed: sec(10), Result: "missed", Reason: "rona"},
				{Agent: "1002", Extension: "202", Leg: bos, At: sec(12), Why: "longest idle, 19s", Closed: sec(15), Result: "answered"},
			},
		}},
		Legs: []view.Leg{
			{Leg: caller, Line: "gsm1", Number: "0935", Wire: "1", Began: sec(0), Answered: sec(1), Ended: sec(20), Cause: hal.Normal, Far: true, WireCause: "NO CARRIER"},
			{Leg: anas, Line: "phones", Outgoing: true, Number: "201", Extension: "201", Agent: "1001", Wire: "f81d@192.0.2.1", Began: sec(6), Alerting: sec(8), Ended: sec(9), Cause: hal.NoAnswer},
			{Leg: bos, Line: "phones", Outgoing: true, Number: "202", Extension: "202", Agent: "1002", Contact: "sip:202@192.0.2.8", Began: sec(11), Answered: sec(13), Ended: sec(21), Cause: hal.Normal},
		},
		Recordings: []view.Recording{{Call: "A", File: "a", Started: sec(16), Left: []hal.LegID{caller}, Right: []hal.LegID{bos}}},
		Troubles:   []string{"one-way sound"},
		First:      1, Last: 23,
	}
	a, b := indented(t, got), indented(t, want)
	if a != b {
		t.Errorf("record\n%s\nwant\n%s", a, b)
	}
}

func indented(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestOutcomeIsOneWordForWhatBecameOfTheCall(t *testing.T) {
	in := call.Began{Call: "A", Leg: caller, Line: "gsm1", Direction: call.Inbound}
	out := call.Began{Call: "A", Leg: "phones#4-1", Line: "phones", Direction: call.Outbound, Extension: "201"}
	dialed := call.Dialed{Call: "A", Leg: "gsm1#4-o2", Line: "gsm1", To: "0800"}
	queued := call.Queued{Call: "A", Queue: "sales"}
	ended := func(c hal.Cause, by call.Party) call.Fact { return call.Ended{Call: "A", Cause: c, By: by} }
	for name, c := range map[string]struct {
		facts []call.Fact
		want  view.Outcome
	}{
		"caller left the queue":        {[]call.Fact{in, queued, ended(hal.Normal, call.ByCaller)}, view.OutcomeAbandoned},
		"waited too long":              {[]call.Fact{in, queued, ended(hal.Normal, call.BySystem)}, view.OutcomeNoAnswer},
		"left before the box answered": {[]call.Fact{in, ended(hal.NoAnswer, call.ByCaller)}, view.OutcomeNoAnswer},
		"hung up before it rang":       {[]call.Fact{in, ended(hal.Normal, call.ByCaller)}, view.OutcomeAbandoned},
		"heard the menu and hung up":   {[]call.Fact{in, call.Answered{Call: "A", Leg: caller}, ended(hal.Normal, call.ByCaller)}, view.OutcomeService},
		"party was busy":               {[]call.Fact{out, dialed, ended(hal.Busy, call.ByCallee)}, view.OutcomeBusy},
		"party said no":                {[]call.Fact{out, dialed, ended(hal.Rejected, call.ByCallee)}, view.OutcomeBusy},
		"party's phone is away":        {[]call.Fact{out, dialed, ended(hal.Unreachable, call.ByCallee)}, view.OutcomeUnreachable},
		"party did not answer":         {[]call.Fact{out, dialed, ended(hal.NoAnswer, call.ByCallee)}, view.OutcomeNoAnswer},
		"desk phone gave up":           {[]call.Fact{out, dialed, ended(hal.Normal, call.ByCaller)}, view.OutcomeNoAnswer},
		"no such number":               {[]call.Fact{out, dialed, ended(hal.Unallocated, call.BySystem)}, view.OutcomeFailed},
		"restarted while talking":      {append(queueCall()[:16], ended(hal.Restarted, call.BySystem)), view.OutcomeRestarted},
		"talked, then the line broke":  {append(queueCall()[:16], ended(hal.WireTrouble, call.BySystem)), view.OutcomeAnswered},
	} {
		if got := one(t, c.facts...).Outcome; got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestCallCutByARestartHasNothingLeftOpen(t *testing.T) {
	facts := append(queueCall()[:13], call.Ended{Call: "A", Cause: hal.Restarted, By: call.BySystem})
	r := one(t, facts...)
	v := r.Visits[0]
	if v.Exit != call.ExitRestarted || v.Left.IsZero() || v.Offers[1].Result != view.OfferWithdrawn {
		t.Errorf("visit %+v, want it closed by the restart", v)
	}
	for _, l := range r.Legs {
		if l.Ended.IsZero() || l.Cause == "" {
			t.Errorf("leg %+v has no end", l)
		}
	}
}

func TestSecondEndedGivesNoSecondRecord(t *testing.T) {
	r := view.NewRecords()
	facts := append(queueCall(),
		call.Ended{Call: "A", Cause: hal.Normal, By: call.ByCaller},
		call.LegEnded{Call: "A", Leg: bos},
		call.RecordingSaved{Call: "A", File: "a", For: time.Second}, // that one may come late
		call.Presence{Agent: "1002", State: call.WrapUp, Call: "A"},
		call.Unknown{Name: "later"},
	)
	if rows := apply(r, history(facts...)); len(rows) != 1 {
		t.Errorf("%d rows, want 1", len(rows))
	}
	if got, want := r.Counts(), (view.Counts{Late: 2, Unknown: 1}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	if open := r.Open(); len(open) != 0 {
		t.Errorf("%d calls are still open", len(open))
	}
}

func TestCallThatNobodyEndedIsClosedAtTheSecondBoot(t *testing.T) {
	r := view.NewRecords()
	boot := call.Booted{Boot: 2}
	entries := history(append(queueCall()[:16], boot, call.LineUp{Line: "gsm1"}, boot)...)
	if rows := apply(r, entries[:18]); len(rows) != 0 || len(r.Open()) != 1 {
		t.Fatalf("%d rows, %d open after the first boot; want the call open still", len(rows), len(r.Open()))
	}
	rows := apply(r, entries[18:])
	if len(rows) != 1 || r.Counts().Left != 1 {
		t.Fatalf("%d rows, counts %+v after the second boot, want 1 and Left 1", len(rows), r.Counts())
	}
	var rec view.Record
	if err := json.Unmarshal(rows[0], &rec); err != nil {
		t.Fatal(err)
	}
	if rec.Outcome != view.OutcomeRestarted || !rec.Ended.Equal(entries[15].At) {
		t.Errorf("%s at %v, want restarted at its last sign of life %v", rec.Outcome, rec.Ended, entries[15].At)
	}
}

func TestCallerWhoKeysForHoursFillsNoMemory(t *testing.T) {
	facts := queueCall()[:5]
	for range 5000 {
		facts = append(facts,
			call.Keyed{Call: "A", Leg: caller, Key: "5"},
			call.Offered{Call: "A", Queue: "sales", Leg: "x"},
			call.Trouble{Call: "A", What: "x"},
			call.Dialed{Call: "A", Leg: "x"},
			call.Held{Call: "A", Leg: hal.LegID(fmt.Sprint(len(facts)))},
		)
	}
	r := one(t, append(facts, call.Ended{Call: "A"})...)
	if len(r.Keys) > 200 || len(r.Visits[0].Offers) > 200 || len(r.Troubles) > 200 || len(r.Legs) > 200 || r.Cut == 0 {
		t.Errorf("%d keys, %d offers, %d troubles, %d legs, cut %d; want them bounded and the rest counted",
			len(r.Keys), len(r.Visits[0].Offers), len(r.Troubles), len(r.Legs), r.Cut)
	}
}

func TestClockThatIsSetBackGivesNoNegativeTimes(t *testing.T) {
	entries := history(queueCall()...)
	for i := range entries {
		if i > 10 {
			entries[i].At = entries[i].At.Add(-time.Hour)
		}
	}
	var r view.Record
	if err := json.Unmarshal(apply(view.NewRecords(), entries)[0], &r); err != nil {
		t.Fatal(err)
	}
	if r.Total < 0 || r.Wait < 0 || r.Hold != time.Second || r.Talk != 4*time.Second {
		t.Errorf("total %v, wait %v, talk %v, hold %v", r.Total, r.Wait, r.Talk, r.Hold)
	}
}

func TestRecordingIsARowWhenItsFileIsSafe(t *testing.T) {
	r := view.NewRecordings()
	rows := apply(r, history(append(queueCall(),
		call.RecordingSaved{Call: "A", File: "a", For: 6 * time.Second},
		call.RecordingSaved{Call: "B", File: "orphan", For: time.Second},
		call.RecordingStarted{Call: "C", File: "c"}, call.Booted{}, call.Booted{},
	)...))
	var got []view.Recording
	for _, row := range rows {
		var rec view.Recording
		if err := json.Unmarshal(row, &rec); err != nil {
			t.Fatal(err)
		}
		got = append(got, rec)
	}
	if len(got) != 3 {
		t.Fatalf("%d rows, want 3", len(got))
	}
	if a := got[0]; a.File != "a" || a.For != 6*time.Second || !a.Saved || !slices.Equal(a.Right, []hal.LegID{bos}) || !a.Started.Equal(start().Add(16*time.Second)) {
		t.Errorf("recording %+v", a)
	}
	if b := got[1]; b.File != "orphan" || b.Call != "B" || !b.Saved {
		t.Errorf("orphan %+v", b)
	}
	if c := got[2]; c.File != "c" || c.Saved || c.Err == "" {
		t.Errorf("recording lost in a crash %+v", c)
	}
}

func TestAgentLogGivesEachStintWhenItEnds(t *testing.T) {
	l := view.NewAgentLog()
	rows := apply(l, history(
		call.Presence{Agent: "1001", State: call.Ready, Extension: "201", Actor: "1001", Cause: call.BySelf},
		call.Queued{Call: "A"},
		call.Presence{Agent: "1001", State: call.Talking, Reason: "rest", After: call.NotReady, Call: "A", Actor: "system", Cause: call.ByCall},
		call.Presence{Agent: "1002", State: call.Ready},
		call.Presence{Agent: "1001", State: call.NotReady, Reason: "rest", Actor: "system", Cause: call.ByDeadline},
	))
	if len(rows) != 2 {
		t.Fatalf("%d rows, want 2", len(rows))
	}
	var first, second view.Stint
	if json.Unmarshal(rows[0], &first) != nil || json.Unmarshal(rows[1], &second) != nil {
		t.Fatal("rows are not stints")
	}
	want := view.Stint{
		Agent: "1001", State: call.Ready, Extension: "201", From: start(), To: start().Add(2 * time.Second),
		For: 2 * time.Second, Actor: "1001", Cause: call.BySelf,
	}
	if first != want {
		t.Errorf("first stint %+v, want %+v", first, want)
	}
	if second.State != call.Talking || second.Call != "A" || second.Reason != "" || second.For != 2*time.Second {
		t.Errorf("second stint %+v", second)
	}
	open := l.Open()
	if len(open) != 2 || open[0].State != call.NotReady || open[0].Reason != "rest" || open[1].Agent != "1002" {
		t.Errorf("open stints %+v", open)
	}
}

func TestFoldCutAnywhereGivesTheSameRows(t *testing.T) {
	for seed := range uint64(6) {
		entries := viewtest.History(seed, start(), 250)
		for name, fresh := range map[string]func() fold{
			"records":    func() fold { return view.NewRecords() },
			"recordings": func() fold { return view.NewRecordings() },
			"agents":     func() fold { return view.NewAgentLog() },
		} {
			whole := fresh()
			want := apply(whole, entries)
			if len(want) < 20 {
				t.Fatalf("seed %d: %s gives %d rows, too few to tell anything", seed, name, len(want))
			}
			f := fresh()
			var got []json.RawMessage
			for i, e := range entries {
				if i%(7+int(seed)) == 0 { // checkpoint, and on with another
					next := fresh()
					if err := next.Restore(f.Save()); err != nil {
						t.Fatal(err)
					}
					f = next
				}
				got = append(got, f.Apply(e)...)
			}
			if !slices.EqualFunc(got, want, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) }) {
				t.Errorf("seed %d: %s gives other rows when cut", seed, name)
			}
			if !bytes.Equal(f.Save(), whole.Save()) {
				t.Errorf("seed %d: %s is in another state when cut", seed, name)
			}
		}
	}
}

func TestEveryCallThatEndsHasOneRecord(t *testing.T) {
	for seed := range uint64(6) {
		entries := viewtest.History(seed, start(), 400)
		ended := map[call.ID]int{}
		restarted := 0
		for _, e := range entries {
			if f, ok := e.Fact.(call.Ended); ok {
				ended[f.Call]--
				if f.Cause == hal.Restarted {
					restarted++
				}
			}
		}
		r := view.NewRecords()
		outcomes := map[view.Outcome]int{}
		for _, row := range apply(r, entries) {
			var rec view.Record
			if err := json.Unmarshal(row, &rec); err != nil {
				t.Fatal(err)
			}
			ended[rec.Call]++
			outcomes[rec.Outcome]++
			if rec.Wait < 0 || rec.Talk < 0 || rec.Hold < 0 || rec.Talk+rec.Hold > rec.Total || rec.Outcome == "" {
				t.Fatalf("record %+v", rec)
			}
		}
		for id, n := range ended {
			if n != 0 {
				t.Fatalf("call %s has %d records, want 1", id, n+1)
			}
		}
		if len(r.Open()) != 0 || r.Counts() != (view.Counts{}) {
			t.Errorf("open %d, counts %+v, want none", len(r.Open()), r.Counts())
		}
		if outcomes[view.OutcomeRestarted] != restarted || restarted == 0 || len(outcomes) < 6 {
			t.Errorf("outcomes %v, %d restarted: the history is too plain", outcomes, restarted)
		}
	}
}

func TestDamagedStateIsRefusedWithoutHarm(t *testing.T) {
	for _, f := range []fold{view.NewRecords(), view.NewRecordings(), view.NewAgentLog()} {
		for _, state := range []string{"", "x", `{"Calls":7}`, `{"Calls":[null,{}]}`, `[{"Agent":7}]`, `[7]`} {
			_ = f.Restore([]byte(state))
			apply(f, history(queueCall()...)) // must not panic
			apply(f, history(call.Answered{}, call.LegEnded{}, call.Presence{}))
		}
	}
}

func TestFactsInTheWrongOrderBreakNothing(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		entries := viewtest.History(chance.Uint64(), start(), 60)
		chance.Shuffle(len(entries), func(i, k int) { entries[i].Fact, entries[k].Fact = entries[k].Fact, entries[i].Fact })
		for _, f := range []fold{view.NewRecords(), view.NewRecordings(), view.NewAgentLog(), board.New()} {
			for _, row := range apply(f, entries) {
				if !json.Valid(row) {
					t.Fatalf("row %s", row)
				}
			}
			if err := f.Restore(f.Save()); err != nil {
				t.Errorf("%T does not take its own state: %v", f, err)
			}
		}
	}
}

func BenchmarkRecords(b *testing.B) {
	entries := viewtest.History(1, start(), 2000)
	r := view.NewRecords()
	for i := 0; b.Loop(); i++ {
		if i%len(entries) == 0 {
			r = view.NewRecords()
		}
		r.Apply(entries[i%len(entries)])
	}
}
