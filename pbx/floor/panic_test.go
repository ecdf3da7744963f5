package floor

import (
	"slices"
	"testing"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
)

// odd is a signal that the floor does not know: its program is older than its lines.
type odd struct{ hal.Held }

// traps are ways in which a Step breaks: at its begin, in its middle and at its end. Each breaks f and
// gives what mends it again.
func traps() map[string]func(f *Floor) (mend func()) {
	return map[string]func(f *Floor) func(){
		"at its begin": func(*Floor) func() { return func() {} },
		"in its middle": func(f *Floor) func() {
			doc := f.doc
			f.doc = nil
			return func() { f.doc = doc }
		},
		"at its end": func(f *Floor) func() {
			acd := f.acd
			f.acd = nil
			return func() { f.acd = acd }
		},
	}
}

// broken steps a floor that is in a trap as the engine does, and drops the call of s. False: the trap
// did not catch this step.
func (w *world) broken(trap func(*Floor) func(), s hal.Signal) (caught bool, out Output) {
	w.t.Helper()
	mend := trap(w.f)
	func() {
		defer func() { caught = recover() != nil }()
		out, _ = w.f.Step(w.now, call.Heard{Signal: s})
	}()
	mend()
	if caught {
		out = w.f.Drop(w.now, s.On())
	}
	w.took(out)
	return caught, out
}

// talking brings a call in on gsm1 and to ana, or to the next agent, and gives both legs.
func (w *world) talking(n uint64) (caller, agent hal.LegID) {
	w.t.Helper()
	caller = hal.IncomingLeg("gsm1", 2, n)
	w.wires[caller] = &wireLeg{}
	w.order = append(w.order, caller)
	for _, s := range []hal.Signal{hal.Incoming{Leg: caller, From: "0935"}, hal.Answered{Leg: caller}, hal.Digit{Leg: caller, Key: '1'}} {
		w.step(call.Heard{Signal: s})
	}
	agent = w.order[len(w.order)-1]
	w.step(call.Heard{Signal: hal.Progress{Leg: agent, Alerting: true}})
	w.step(call.Heard{Signal: hal.Answered{Leg: agent}})
	if l := w.f.legs[agent]; l == nil || !l.of.connected {
		w.t.Fatalf("the call of %s is not connected", caller)
	}
	return caller, agent
}

func TestAPanicInACallEndsThatCallAlone(t *testing.T) {
	for name, trap := range traps() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			unlucky, anas := w.talking(1)
			other, bos := w.talking(2)
			lost, kept := w.f.legs[unlucky].of, w.f.legs[other].of

			signal := hal.Signal(hal.Gone{Leg: anas, Cause: hal.Normal, Far: true}) // asks for the queue's wrap-up
			if name == "at its begin" {
				signal = odd{hal.Held{Leg: anas}}
			}
			caught, out := w.broken(trap, signal)
			if !caught {
				t.Fatal("the step did not break; this test shows nothing")
			}
			for _, o := range out.Orders {
				if o.On() == other || o.On() == bos {
					t.Errorf("the other call is ordered %+v", o)
				}
			}
			if !slices.Contains(out.Orders, hal.Order(hal.Hangup{Leg: unlucky, Cause: hal.WireTrouble})) {
				t.Errorf("the caller is not hung up: %+v", out.Orders)
			}
			ended := slices.Contains(out.Facts, call.Fact(call.Ended{Call: lost.id, Cause: hal.WireTrouble, By: call.BySystem}))
			told := slices.ContainsFunc(out.Facts, func(f call.Fact) bool { x, ok := f.(call.Trouble); return ok && x.Call == lost.id })
			if !ended || !told {
				t.Errorf("the end of the call and its trouble are not on the timeline: %+v", out.Facts)
			}
			if w.f.contact(lost.id) != nil || w.f.contact(kept.id) == nil || !kept.connected {
				t.Error("the calls that are up are not those that should be")
			}
			w.step(call.Heard{Signal: hal.Gone{Leg: unlucky, Cause: hal.WireTrouble}}) // the line has hung up
			w.step(call.Heard{Signal: hal.Gone{Leg: anas, Cause: hal.WireTrouble}})
			w.step(call.Asked{Command: call.SetReady{Agent: "ana", Actor: "Mia"}})
			w.now = w.now.Add(time.Minute)
			if _, again := w.talking(3); w.f.legs[again].phone.agent.number != "ana" {
				t.Error("the agent of the call that was lost does not get the next one")
			}
			w.rest()
		})
	}
}

// A step that breaks has stated facts by then and folded them into the state that survives: they are
// on the timeline too, also that of a call's begin.
func TestWhatABrokenStepHasStatedIsNotLost(t *testing.T) {
	w := newWorld(t, nil)
	leg := hal.IncomingLeg("gsm1", 2, 1)
	caught, out := w.broken(traps()["at its end"], hal.Incoming{Leg: leg, From: "0935"})
	if !caught || len(out.Facts) == 0 {
		t.Fatalf("broken %v, facts %+v", caught, out.Facts)
	}
	if b, ok := out.Facts[0].(call.Began); !ok || b.Leg != leg {
		t.Errorf("the first fact of the broken call is %+v, want that it began", out.Facts[0])
	}
	if open := w.f.State().Open; len(open) != 0 {
		t.Errorf("the state that survives keeps %v", open)
	}
	w.rest()
}

// Wherever a step breaks, in whatever a world without reason has come to: the promises hold from there.
func TestPromisesHoldAfterAPanicAnywhere(t *testing.T) {
	broke := 0
	for seed := range uint64(60) {
		for _, name := range []string{"at its begin", "in its middle", "at its end"} {
			w := newWorld(t, noise(seed, 400))
			w.run()
			if len(w.order) == 0 {
				continue
			}
			leg := w.order[int(seed)%len(w.order)]
			signals := []hal.Signal{odd{hal.Held{Leg: leg}}}
			if name != "at its begin" {
				signals = []hal.Signal{hal.Digit{Leg: leg, Key: '1'}, hal.Held{Leg: leg}, hal.Gone{Leg: leg, Cause: hal.Normal, Far: true}}
			}
			for _, s := range signals {
				caught, _ := w.broken(traps()[name], s)
				if caught {
					broke++
				}
				if _, gone := s.(hal.Gone); gone {
					w.forget(leg)
				}
			}
			w.choices = noise(seed+1000, 200)
			w.run()
			w.rest()
		}
	}
	if broke < 100 {
		t.Errorf("only %d steps broke; this test shows little", broke)
	}
}
