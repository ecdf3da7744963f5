package board_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/view/board"
	"branchline/pbx/view/viewtest"
)

func start() time.Time { return time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC) }

// board after facts that come a second after each other.
func after(facts ...call.Fact) board.Snapshot {
	b := board.New()
	for i, f := range facts {
		b.Apply(call.Entry{Seq: call.Seq(i + 1), At: start().Add(time.Duration(i) * time.Second), Fact: f})
	}
	return b.Snapshot()
}

const (
	caller hal.LegID = "gsm1#4-17"
	anas   hal.LegID = "phones#4-o42"
)

func TestBoardFollowsACallFromRingToEnd(t *testing.T) {
	steps := []struct {
		fact  call.Fact
		phase board.Phase
		agent string
		legs  int
	}{
		{call.Began{Call: "A", Leg: caller, Line: "gsm1", Direction: call.Inbound, From: "0935"}, board.Began, "", 1},
		{call.Answered{Call: "A", Leg: caller}, board.Began, "", 1},
		{call.FlowEntered{Call: "A", Flow: "main"}, board.InFlow, "", 1},
		{call.Queued{Call: "A", Queue: "sales"}, board.Waiting, "", 1},
		{call.Offered{Call: "A", Queue: "sales", Agent: "1001", Leg: anas}, board.Waiting, "1001", 1},
		{call.Dialed{Call: "A", Leg: anas, Line: "phones", To: "201", Agent: "1001"}, board.Waiting, "1001", 2},
		{call.Alerting{Call: "A", Leg: anas}, board.Ringing, "1001", 2},
		{call.LegEnded{Call: "A", Leg: anas}, board.Ringing, "1001", 1},
		{call.Missed{Call: "A", Queue: "sales", Agent: "1001", Leg: anas}, board.Waiting, "", 1},
		{call.Dialed{Call: "A", Leg: anas, Line: "phones", To: "201", Agent: "1002"}, board.Waiting, "", 2},
		{call.Answered{Call: "A", Leg: anas}, board.Waiting, "", 2},
		{call.Dequeued{Call: "A", Queue: "sales", Exit: call.ExitAnswered, Agent: "1002"}, board.Waiting, "", 2},
		{call.Connected{Call: "A", Leg: caller, Peer: anas, Agent: "1002"}, board.Talking, "1002", 2},
		{call.Held{Call: "A", Leg: anas}, board.Holding, "1002", 2},
		{call.Resumed{Call: "A", Leg: anas}, board.Talking, "1002", 2},
	}
	var facts []call.Fact
	for i, s := range steps {
		facts = append(facts, s.fact)
		got := after(facts...)
		if len(got.Calls) != 1 {
			t.Fatalf("step %d: %d calls, want 1", i, len(got.Calls))
		}
		c := got.Calls[0]
		if c.Phase != s.phase || c.Agent != s.agent || len(c.Legs) != s.legs {
			t.Errorf("after %T: %s, agent %q, %d legs; want %s, %q, %d", s.fact, c.Phase, c.Agent, len(c.Legs), s.phase, s.agent, s.legs)
		}
		waits := i >= 3 && i < 11
		if (len(got.Queues) == 1) != waits {
			t.Errorf("after %T: queues %+v, want somebody waiting: %v", s.fact, got.Queues, waits)
		}
	}
	if got := after(append(facts, call.Ended{Call: "A"})...); len(got.Calls) != 0 {
		t.Errorf("%d calls after the end, want none", len(got.Calls))
	}
}

func TestADiskThatStallsIsShownUntilItAnswersOrTheBoxStartsAnew(t *testing.T) {
	stalls := call.Unsynced{For: 300 * time.Millisecond}
	for _, ends := range []call.Fact{call.Synced{For: time.Second}, call.Booted{Boot: 5}} {
		if got, want := after(stalls, call.LineUp{Line: "gsm1"}).Unsynced, start().Add(-stalls.For); !got.Equal(want) {
			t.Errorf("stalled since %v, want %v", got, want)
		}
		if got := after(stalls, ends).Unsynced; !got.IsZero() {
			t.Errorf("after %T it is stalled since %v", ends, got)
		}
	}
	if got, want := after(stalls, call.ClockSet{By: time.Hour}).Unsynced, start().Add(time.Hour-stalls.For); !got.Equal(want) {
		t.Errorf("after the clock was set: stalled since %v, want %v", got, want)
	}
}

func TestLongestWaitIsThatOfTheFirstWhoCame(t *testing.T) {
	got := after(
		call.Began{Call: "A", Leg: caller}, call.Queued{Call: "A", Queue: "sales"},
		call.Began{Call: "B", Leg: caller}, call.Queued{Call: "B", Queue: "sales"},
		call.Began{Call: "C", Leg: caller}, call.Queued{Call: "C", Queue: "help"},
	).Queues
	want := []board.Queue{
		{Queue: "help", Waiting: 1, Longest: start().Add(5 * time.Second)},
		{Queue: "sales", Waiting: 2, Longest: start().Add(time.Second)},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("queues %+v, want %+v", got, want)
	}
}

func TestRestartClearsCallsLinesAndPhonesButNotAgents(t *testing.T) {
	got := after(
		call.LineUp{Line: "gsm1"}, call.LineDown{Line: "gsm2", Why: "no SIM"}, call.PhoneUp{Extension: "201"},
		call.Began{Call: "A", Leg: caller, Line: "gsm1"},
		call.Presence{Agent: "1001", State: call.Ready, Extension: "201"},
	)
	if len(got.Lines) != 2 || !got.Lines[0].Up || got.Lines[0].Legs != 1 || got.Lines[1].Why != "no SIM" || len(got.Phones) != 1 {
		t.Errorf("before the restart: lines %+v, phones %v", got.Lines, got.Phones)
	}
	got = after(
		call.LineUp{Line: "gsm1"}, call.PhoneUp{Extension: "201"}, call.Began{Call: "A", Leg: caller, Line: "gsm1"},
		call.Presence{Agent: "1001", State: call.Ready, Extension: "201"},
		call.Booted{Boot: 2},
	)
	if len(got.Lines)+len(got.Phones)+len(got.Calls) != 0 || len(got.Agents) != 1 {
		t.Errorf("after the restart: %+v, want the agent alone", got)
	}
}

func TestSinceIsThatOfTheStateNotOfItsLatestMention(t *testing.T) {
	got := after(
		call.Presence{Agent: "1001", State: call.Ready},
		call.LineDown{Line: "gsm1", Why: "a"},
		call.Presence{Agent: "1001", State: call.Ready, Extension: "202"},
		call.LineDown{Line: "gsm1", Why: "b"},
	)
	if a := got.Agents[0]; !a.Since.Equal(start()) || a.Extension != "202" {
		t.Errorf("agent %+v, want since the first mention", a)
	}
	if l := got.Lines[0]; !l.Since.Equal(start().Add(time.Second)) || l.Why != "b" {
		t.Errorf("line %+v, want since the first mention", l)
	}
}

func TestSnapshotDoesNotChangeWhenTheBoardDoes(t *testing.T) {
	b := board.New()
	entries := viewtest.History(5, start(), 150)
	var snaps []board.Snapshot
	var texts []string
	for i, e := range entries {
		b.Apply(e)
		if i%50 == 0 {
			s := b.Snapshot()
			snaps, texts = append(snaps, s), append(texts, text(t, s))
		}
	}
	for i := range snaps {
		if text(t, snaps[i]) != texts[i] {
			t.Fatalf("snapshot %d has changed", i)
		}
	}
}

func TestBoardCutAnywhereIsTheSameBoard(t *testing.T) {
	entries := viewtest.History(9, start(), 150)
	whole, cut := board.New(), board.New()
	for i, e := range entries {
		whole.Apply(e)
		cut.Apply(e)
		if i%11 == 0 {
			next := board.New()
			if err := next.Restore(cut.Save()); err != nil {
				t.Fatal(err)
			}
			cut = next
			if a, b := text(t, cut.Snapshot()), text(t, whole.Snapshot()); a != b {
				t.Fatalf("after entry %d the board is\n%s\nwant\n%s", e.Seq, a, b)
			}
		}
	}
}

func TestDamagedStateIsRefused(t *testing.T) {
	b := board.New()
	for _, state := range []string{"", "x", `{"calls":7}`} {
		if err := b.Restore([]byte(state)); err == nil {
			t.Errorf("state %q is taken", state)
		}
	}
}

func text(t *testing.T, s board.Snapshot) string {
	t.Helper()
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func BenchmarkSnapshot(b *testing.B) {
	live := board.New()
	for _, e := range viewtest.History(1, start(), 90) {
		live.Apply(e)
	}
	for b.Loop() {
		live.Snapshot()
	}
}
