package lamps_test

import (
	"reflect"
	"testing"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/view/lamps"
	"branchline/pbx/view/viewtest"
)

const (
	caller hal.LegID = "phones#4-17"
	anas   hal.LegID = "phones#4-o42"
)

// say gives facts to f and returns what has changed.
func say(f *lamps.Fold, facts ...call.Fact) []lamps.Lamp {
	for i, fact := range facts {
		f.Apply(call.Entry{Seq: call.Seq(i + 1), At: time.Unix(0, 0).UTC(), Fact: fact})
	}
	return f.Changes()
}

func begun() *lamps.Fold {
	f := lamps.New()
	say(f, call.Booted{Boot: 4}, call.LineUp{Line: "phones", Traits: hal.Traits{Inside: true}}, call.LineUp{Line: "gsm1"},
		call.PhoneUp{Extension: "201"}, call.PhoneUp{Extension: "202"})
	return f
}

func TestBothPhonesOfACallAreShownFromRingToEnd(t *testing.T) {
	f := begun()
	phone := func(number string, talks ...lamps.Talk) lamps.Lamp {
		return lamps.Lamp{Kind: lamps.Phone, Name: number, Up: true, Talks: talks}
	}
	from := func(stage lamps.Stage) lamps.Talk {
		return lamps.Talk{Leg: caller, Call: "A", Stage: stage, Other: "201"}
	}
	to := func(stage lamps.Stage, held bool) lamps.Talk {
		return lamps.Talk{Leg: anas, Call: "A", Incoming: true, Stage: stage, Held: held, Other: "202", Name: "Bo"}
	}
	for i, s := range []struct {
		fact call.Fact
		want []lamps.Lamp
	}{
		{call.Began{Call: "A", Leg: caller, Line: "phones", Direction: call.Internal, From: "202", To: "201", Name: "Bo", Extension: "202"}, []lamps.Lamp{phone("202", from(lamps.Proceeding))}},
		{call.Dialed{Call: "A", Leg: anas, Line: "phones", To: "201", Extension: "201"}, []lamps.Lamp{phone("201", to(lamps.Trying, false))}},
		{call.Alerting{Call: "A", Leg: anas}, []lamps.Lamp{phone("201", to(lamps.Early, false)), phone("202", from(lamps.Early))}},
		{call.Answered{Call: "A", Leg: anas}, []lamps.Lamp{phone("201", to(lamps.Confirmed, false))}},
		{call.Answered{Call: "A", Leg: caller}, []lamps.Lamp{phone("202", from(lamps.Confirmed))}},
		{call.Connected{Call: "A", Leg: caller, Peer: anas}, nil},
		{call.Held{Call: "A", Leg: anas}, []lamps.Lamp{phone("201", to(lamps.Confirmed, true))}},
		{call.Resumed{Call: "A", Leg: anas}, []lamps.Lamp{phone("201", to(lamps.Confirmed, false))}},
		{call.LegEnded{Call: "A", Leg: anas}, []lamps.Lamp{phone("201")}},
		{call.Ended{Call: "A"}, []lamps.Lamp{phone("202")}},
	} {
		if got := say(f, s.fact); !reflect.DeepEqual(got, s.want) {
			t.Errorf("step %d, %T:\n%+v, want\n%+v", i, s.fact, got, s.want)
		}
	}
}

func TestLegsOutsideOfTheHouseLightNoLamp(t *testing.T) {
	f := begun()
	if got := say(f, call.Began{Call: "A", Leg: "gsm1#4-1", Line: "gsm1", From: "0935"}, call.Dialed{Call: "A", Leg: "gsm1#4-o2", Line: "gsm1", To: "201"}); len(got) != 0 {
		t.Errorf("changed: %+v", got)
	}
}

func TestQueueIsLitWhileSomebodyWaits(t *testing.T) {
	f := begun()
	began := func(id call.ID) call.Fact {
		return call.Began{Call: id, Leg: hal.LegID("gsm1#4-" + id), Line: "gsm1"}
	}
	waiting := func(n int, facts ...call.Fact) {
		t.Helper()
		want := []lamps.Lamp{{Kind: lamps.Queue, Name: "sales", Waiting: n}}
		if got := say(f, facts...); !reflect.DeepEqual(got, want) {
			t.Errorf("changed: %+v, want %+v", got, want)
		}
	}
	waiting(2, began("A"), began("B"), call.Queued{Call: "A", Queue: "sales"}, call.Queued{Call: "B", Queue: "sales"})
	waiting(1, call.Dequeued{Call: "A", Queue: "sales", Exit: call.ExitAnswered})
	waiting(0, call.Ended{Call: "B"})
}

func TestAgentsStateChangesTheLampButNotItsReason(t *testing.T) {
	f := begun()
	want := []lamps.Lamp{{Kind: lamps.Agent, Name: "1001", State: call.NotReady, Extension: "201"}}
	if got := say(f, call.Presence{Agent: "1001", State: call.NotReady, Extension: "201"}); !reflect.DeepEqual(got, want) {
		t.Errorf("changed: %+v, want %+v", got, want)
	}
	if got := say(f, call.Presence{Agent: "1001", State: call.NotReady, Reason: "lunch", Extension: "201"}); len(got) != 0 {
		t.Errorf("changed: %+v", got)
	}
}

func TestRestartDarkensPhonesAndQueuesButNotAgents(t *testing.T) {
	f := begun()
	say(f, call.Began{Call: "A", Leg: caller, Line: "phones", Extension: "202"}, call.Queued{Call: "A", Queue: "sales"},
		call.Presence{Agent: "1001", State: call.Ready, Extension: "201"})
	want := []lamps.Lamp{{Kind: lamps.Phone, Name: "201"}, {Kind: lamps.Phone, Name: "202"}, {Kind: lamps.Queue, Name: "sales"}}
	if got := say(f, call.Booted{Boot: 5}); !reflect.DeepEqual(got, want) {
		t.Errorf("changed: %+v, want %+v", got, want)
	}
}

// Wherever it is cut, saved and restored, the fold goes on to the same lamps; at the end of all calls
// every phone and queue is dark.
func TestLampsGoOnFromACheckpoint(t *testing.T) {
	history := viewtest.History(7, time.Unix(1_700_000_000, 0), 300)
	whole, cut := lamps.New(), lamps.New()
	last, other := map[string]lamps.Lamp{}, map[string]lamps.Lamp{}
	take := func(into map[string]lamps.Lamp, list []lamps.Lamp) {
		for _, l := range list {
			into[string(l.Kind)+l.Name] = l
		}
	}
	for i, e := range history {
		whole.Apply(e)
		cut.Apply(e)
		take(last, whole.Changes())
		take(other, cut.Changes())
		if i%41 == 0 {
			restored := lamps.New()
			if err := restored.Restore(cut.Save()); err != nil {
				t.Fatal(err)
			}
			cut = restored
		}
	}
	take(other, cut.Changes())
	if !reflect.DeepEqual(last, other) {
		t.Errorf("whole:\n%+v\ncut:\n%+v", last, other)
	}
	for _, l := range last {
		if l.Waiting != 0 || len(l.Talks) != 0 {
			t.Errorf("left: %+v", l)
		}
	}
}
