package engine

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/floor"
)

// fragile is the real floor, which breaks where a test says so and notes what it is told.
type fragile struct {
	*floor.Floor
	mu     sync.Mutex
	before func(call.Event) bool // it panics before it has looked at the event
	after  func(call.Event) bool // it panics when it has decided
	heard  []call.Event
	drops  int
	broken bool // Drop panics too
}

func (f *fragile) Step(now time.Time, ev call.Event) (floor.Output, error) {
	f.mu.Lock()
	f.heard = append(f.heard, ev)
	f.mu.Unlock()
	if f.before != nil && f.before(ev) {
		panic("the floor is fragile")
	}
	out, err := f.Floor.Step(now, ev)
	if f.after != nil && f.after(ev) {
		panic("the floor is fragile")
	}
	return out, err
}

func (f *fragile) Drop(now time.Time, leg hal.LegID) floor.Output {
	f.drops++
	if f.broken {
		panic("and again")
	}
	return f.Floor.Drop(now, leg)
}

func (f *fragile) events() []call.Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.heard)
}

// keyed matches a key of a leg.
func keyed(leg hal.LegID, key byte) func(call.Event) bool {
	return func(ev call.Event) bool {
		h, _ := ev.(call.Heard)
		d, ok := h.Signal.(hal.Digit)
		return ok && d.Leg == leg && d.Key == key
	}
}

// office is a bench with the real floor of branch, its disk quick.
func office(t *testing.T, pin func(agent, keys string) bool) (*bench, *fragile) {
	f := &fragile{Floor: floor.New(branch(), floor.State{Box: 1, Boot: 1})}
	b := run(t, f, pin)
	b.disk.mu.Lock()
	b.disk.quick = true
	b.disk.mu.Unlock()
	b.tell(hal.Reachable{Name: "phones", Endpoint: "201", Contacts: 1}, hal.Reachable{Name: "phones", Endpoint: "202", Contacts: 1})
	return b, f
}

func TestAPanicInTheFloorCostsOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, f := office(t, nil)
		f.before = keyed(caller, '7')
		b.tell(hal.Incoming{Leg: caller, From: "0935"}, hal.Incoming{Leg: other, From: "0936"}, hal.Answered{Leg: caller}, hal.Answered{Leg: other})
		b.tell(hal.Digit{Leg: caller, Key: '7'})
		if !b.left.has(hal.Hangup{Leg: caller, Cause: hal.WireTrouble}) {
			t.Error("the call in which the floor failed is not hung up")
		}
		ended := factsOf[call.Ended](b.disk)
		if len(ended) != 1 || ended[0].Cause != hal.WireTrouble || len(factsOf[call.Trouble](b.disk)) != 1 {
			t.Errorf("the timeline says %+v and %+v", ended, factsOf[call.Trouble](b.disk))
		}
		b.tell(hal.Gone{Leg: caller, Cause: hal.WireTrouble}, hal.Gone{Leg: other, Cause: hal.Normal, Far: true})
		if ended := factsOf[call.Ended](b.disk); len(ended) != 2 || ended[1].By != call.ByCaller {
			t.Errorf("the other call did not end by itself: %+v", ended)
		}
		if f.drops != 1 || !strings.Contains(b.log.String(), "the floor failed") {
			t.Errorf("%d calls dropped; log:\n%s", f.drops, b.log)
		}
	})
}

// The caller is told something, the hang-up: so there is a record of him.
func TestACallInWhoseFirstMomentTheFloorFailsIsOnTheTimelineAndHungUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, f := office(t, nil)
		f.before = func(ev call.Event) bool { h, _ := ev.(call.Heard); return h.Signal != nil && h.Signal.On() == other }
		b.tell(hal.Incoming{Leg: other})
		if !b.left.has(hal.Hangup{Leg: other, Cause: hal.WireTrouble}) {
			t.Error("a caller of whom the floor knows nothing is not hung up")
		}
	})
}

func TestWhatTheFloorWantedToBeWokenForIsKeptOverAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, f := office(t, nil)
		f.before = func(ev call.Event) bool { h, _ := ev.(call.Heard); return h.Signal != nil && h.Signal.On() == other }
		b.tell(hal.Incoming{Leg: "phones#1-1", From: "201", Endpoint: "201", To: "202"}) // rings for a minute
		b.tell(hal.Digit{Leg: other, Key: '1'})
		time.Sleep(70 * time.Second)
		synctest.Wait()
		if ended := factsOf[call.Ended](b.disk); len(ended) != 1 || ended[0].Cause != hal.NoAnswer {
			t.Errorf("the call that rang for too long: %+v", ended)
		}
	})
}

func TestAFloorThatFailsOutsideAnyCallOrTwiceEndsTheProgram(t *testing.T) {
	tests := map[string]struct {
		breaks func(*fragile)
		act    func(*testing.T, *bench)
	}{
		"in a command": {
			func(f *fragile) { f.before = func(ev call.Event) bool { _, ok := ev.(call.Asked); return ok } },
			func(t *testing.T, b *bench) {
				if err := b.Ask(t.Context(), call.EndAll{Actor: "Mia"}); err == nil {
					t.Error("a command in which the floor failed is answered as done")
				}
			},
		},
		"in the configuration": {
			func(f *fragile) { f.before = func(ev call.Event) bool { _, ok := ev.(call.Configured); return ok } },
			func(t *testing.T, b *bench) {
				if err := b.Configure(t.Context(), branch()); err == nil {
					t.Error("a configuration in which the floor failed is answered as done")
				}
			},
		},
		"twice": {
			func(f *fragile) { f.before, f.broken = keyed(caller, '7'), true },
			func(t *testing.T, b *bench) { b.tell(hal.Incoming{Leg: caller}, hal.Digit{Leg: caller, Key: '7'}) },
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, f := office(t, nil)
				tt.breaks(f)
				tt.act(t, b)
				synctest.Wait()
				select {
				case err := <-b.ended:
					if err == nil || !strings.Contains(err.Error(), "fragile") {
						t.Errorf("Run returned %v", err)
					}
				default:
					t.Error("Run goes on with a floor of which nobody knows what it holds")
				}
			})
		})
	}
}

func TestKeysOfAPINReachNeitherTheFloorNorTheTimelineNorTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked [][2]string
		b, f := office(t, func(agent, keys string) bool {
			asked = append(asked, [2]string{agent, keys})
			return keys == "4711"
		})
		const desk hal.LegID = "phones#1-1"
		press := func(keys string) {
			for _, k := range []byte(keys) {
				b.tell(hal.Digit{Leg: desk, Key: k})
			}
		}
		b.tell(hal.Incoming{Leg: desk, From: "201", Endpoint: "201", To: "*22"}, hal.Answered{Leg: desk})
		press("1001#")
		press("99*4711#") // typed wrong, begun anew
		if want := [2]string{"1001", "4711"}; len(asked) != 1 || asked[0] != want {
			t.Fatalf("judged: %v, want %v", asked, want)
		}
		if p := factsOf[call.Presence](b.disk); len(p) == 0 || p[len(p)-1].Reason != "" || !slices.ContainsFunc(p, func(p call.Presence) bool { return p.Agent == "1001" && p.Extension == "201" }) {
			t.Errorf("the agent is not signed in: %+v", p)
		}
		// Once more, and the floor breaks at a secret key: its event is logged.
		b.tell(hal.Gone{Leg: desk, Cause: hal.Normal, Far: true})
		const again hal.LegID = "phones#1-2"
		f.after = keyed(again, call.HiddenKey)
		b.tell(hal.Incoming{Leg: again, From: "202", Endpoint: "202", To: "*22"}, hal.Answered{Leg: again})
		for _, k := range []byte("1001#4") {
			b.tell(hal.Digit{Leg: again, Key: k})
		}
		if f.drops != 1 {
			t.Fatalf("the floor did not fail at the secret key; log:\n%s", b.log)
		}
		var typed []byte
		for _, ev := range f.events() {
			if h, ok := ev.(call.Heard); ok {
				if d, ok := h.Signal.(hal.Digit); ok {
					typed = append(typed, d.Key)
				}
			}
		}
		if got, want := string(typed), "1001#..*....#1001#."; got != want {
			t.Errorf("the floor was told the keys %s, want %s", got, want)
		}
		facts := asJSON(t, b.disk.Entries(0, 1000))
		if strings.Contains(facts, "4711") || strings.Contains(b.log.String(), "4711") || strings.Contains(b.log.String(), "Key:52") {
			t.Errorf("the PIN is in\n%s\n%s", facts, b.log)
		}
	})
}

func TestATaskThatPanicsIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := office(t, func(_, _ string) bool { panic("no list of agents") })
		const desk hal.LegID = "phones#1-1"
		b.tell(hal.Incoming{Leg: desk, From: "201", Endpoint: "201", To: "*22"}, hal.Answered{Leg: desk})
		for _, k := range []byte("1001#4711#") {
			b.tell(hal.Digit{Leg: desk, Key: k})
		}
		if r := factsOf[call.SignInRefused](b.disk); len(r) != 1 {
			t.Errorf("refused: %+v", r)
		}
		if strings.Contains(b.log.String(), "4711") {
			t.Errorf("the PIN is in the log:\n%s", b.log)
		}
	})
}

// The state that a checkpoint and the facts after it give is the state that all facts give, wherever
// the plug is pulled.
func TestACheckpointAndTheFactsAfterItGiveTheStateOfAllFacts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := office(t, func(_, _ string) bool { return true })
		desk := hal.LegID("phones#1-1")
		b.tell(hal.Incoming{Leg: desk, From: "201", Endpoint: "201", To: "*221001"}, hal.Answered{Leg: desk})
		for _, k := range []byte("4711#") {
			b.tell(hal.Digit{Leg: desk, Key: k})
		}
		b.tell(hal.Gone{Leg: desk, Cause: hal.Normal, Far: true})
		for i := range 12 { // calls that end, stay, wait; a checkpoint comes every 30 s
			leg := hal.IncomingLeg("gsm1", 1, uint64(i+1))
			b.tell(hal.Incoming{Leg: leg, From: hal.Number(fmt.Sprint(i))}, hal.Answered{Leg: leg, Release: "bye " + string(leg)})
			time.Sleep(7 * time.Second)
			for _, o := range b.left.orders() {
				if d, ok := o.(hal.Dial); ok {
					b.tell(hal.Progress{Leg: d.Leg, Alerting: true}, hal.Answered{Leg: d.Leg, Release: "bye " + string(d.Leg)})
				}
			}
			if i%3 > 0 {
				b.tell(hal.Gone{Leg: leg, Cause: hal.Normal, Far: true})
			}
		}
		if len(b.disk.marks) < 2 {
			t.Fatalf("%d checkpoints in 84 s", len(b.disk.marks))
		}
		all := b.disk.Entries(0, 1<<20)
		for cut := int(b.disk.marks[0].at); cut <= len(all); cut++ {
			b.compare(t, all[:cut])
		}
	})
}

// compare restores what is left when the plug is pulled after entries, with the checkpoints that
// were there and without any.
func (b *bench) compare(t *testing.T, entries []call.Entry) {
	t.Helper()
	states := map[string]string{}
	open := 0
	for _, with := range []bool{true, false} {
		d := newDisk()
		d.entries = slices.Clone(entries)
		for _, m := range b.disk.marks {
			if with && int(m.at) <= len(entries) {
				d.marks = append(d.marks, m)
			}
		}
		s, left, err := Restore(d, branch(), 1, 2, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		left.Box, left.Boot = 0, 0 // known by a checkpoint alone, and nobody asks
		states[asJSON(t, []any{s, left, left.Releases(), d.Entries(call.Seq(len(entries)), 1000)})] = ""
		if len(s.Open) > 0 {
			t.Errorf("after %d facts: calls are open after the restart: %+v", len(entries), s.Open)
		}
		began, ended := factsOf[call.Began](d), factsOf[call.Ended](d)
		if len(began) != len(ended) {
			t.Errorf("after %d facts: %d calls began and %d ended", len(entries), len(began), len(ended))
		}
		for _, e := range d.Entries(call.Seq(len(entries)), 1000) {
			if _, ok := e.Fact.(call.Ended); ok && e.At != entries[len(entries)-1].At {
				t.Errorf("after %d facts: a call ended at %v, not when the box was last alive, %v", len(entries), e.At, entries[len(entries)-1].At)
			}
		}
		open += len(left.Open)
	}
	if len(states) != 1 {
		var both []string
		for s := range states {
			both = append(both, s)
		}
		t.Fatalf("after %d facts the checkpoint gives another state: %s", len(entries), firstDifference(both[0], both[1]))
	}
	if len(entries) == len(b.disk.entries) && open == 0 {
		t.Error("no call is open at the end: nothing is compared")
	}
}

func firstDifference(one, two string) string {
	a, b := strings.Split(one, "\n"), strings.Split(two, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d\n%s\nand\n%s\nin\n%s", i+1, a[i], b[i], one)
		}
	}
	return one + "\nand\n" + two
}
