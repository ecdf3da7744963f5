package floor

import (
	"fmt"
	"testing"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
)

// A panic in the middle of a Step: what it has stated is folded into the state already, so it must
// reach the timeline, or the two would tell different stories after a restart.
func TestWhatWasStatedBeforeAPanicIsOnTheTimeline(t *testing.T) {
	s := State{Box: 1, Boot: 4}
	s.Fold(began, call.Presence{Agent: "ana", State: call.Ready, Extension: "201"})
	f := New(branch(), s)
	var facts []call.Fact
	step := func(ev call.Event) {
		out, err := f.Step(began, ev)
		if err != nil {
			t.Fatal(err)
		}
		facts = append(facts, out.Facts...)
	}
	leg := hal.IncomingLeg("gsm1", 4, 1)
	step(call.Heard{Signal: hal.Reachable{Name: "phones", Endpoint: "201", Contacts: 1}})
	step(call.Heard{Signal: hal.Incoming{Leg: leg, From: "0935"}})
	step(call.Heard{Signal: hal.Answered{Leg: leg}})
	f.agent("ana").phone = nil // our own bug: free, and nowhere
	func() {
		defer func() {
			if recover() == nil {
				t.Fatal("nothing broke")
			}
		}()
		step(call.Heard{Signal: hal.Digit{Leg: leg, Key: '1'}})
	}()
	now := began.Add(time.Second)
	out := f.Drop(now, leg)
	var kinds []string
	for _, x := range out.Facts {
		kinds = append(kinds, x.Kind())
	}
	if got, want := fmt.Sprint(kinds), "[keyed queued trouble dequeued leg_ended ended presence]"; got != want {
		t.Errorf("stated: %s, want %s", got, want)
	}
	if len(out.Orders) != 1 || out.Orders[0] != (hal.Hangup{Leg: leg, Cause: hal.WireTrouble}) {
		t.Errorf("ordered: %+v", out.Orders)
	}
	for _, x := range append(facts, out.Facts...) {
		s.Fold(now, x)
	}
	if len(s.Open) != 0 || len(f.State().Open) != 0 {
		t.Errorf("open calls: %+v by the timeline, %+v by the floor", s.Open, f.State().Open)
	}
	if again := f.Drop(now, leg); len(again.Facts) != 0 || len(again.Orders) != 1 {
		t.Errorf("dropped again: %+v", again)
	}
}
