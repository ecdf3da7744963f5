package floor

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
)

// world is a telephone world without reason: it does, in any order and at any time, all that wires,
// phones and people may do. Its choices come from a byte string, so that a fuzzer can drive it.
type world struct {
	t       *testing.T
	choices []byte
	f       *Floor
	now     time.Time
	wake    time.Time
	wires   map[hal.LegID]*wireLeg
	order   []hal.LegID
	n       uint64
	pins    []hal.Ref
	open    map[call.ID]bool
	done    map[call.ID]bool
	offers  map[string]call.ID
	ringing map[hal.LegID]string // offers by leg
	members map[hal.LegID]call.ID
	log     []Output
	began   []call.ID
}

type wireLeg struct {
	dialled, answered, told bool // told: our own phone's call that was not answered yet
	hung                    bool // the floor wants it to end
	play                    hal.Ref
}

func newWorld(t *testing.T, choices []byte) *world {
	s := State{Box: 7, Boot: 2}
	for i, a := range []string{"ana", "bo", "cy"} {
		s.Fold(began, call.Presence{Agent: a, State: call.Ready, Extension: []string{"201", "202", "203"}[i]})
	}
	w := &world{
		t: t, choices: choices, f: New(branch(), s), now: began,
		wires: map[hal.LegID]*wireLeg{}, open: map[call.ID]bool{}, done: map[call.ID]bool{}, offers: map[string]call.ID{},
		ringing: map[hal.LegID]string{}, members: map[hal.LegID]call.ID{},
	}
	w.step(call.Configured{Doc: branch()})
	w.step(call.Heard{Signal: hal.InService{Name: "phones", Traits: hal.Traits{Inside: true}}})
	w.step(call.Heard{Signal: hal.InService{Name: "gsm1", Traits: hal.Traits{Legs: 1}}})
	for _, e := range stations() {
		w.step(call.Heard{Signal: hal.Reachable{Name: "phones", Endpoint: e, Contacts: 1}})
	}
	return w
}

func (w *world) pick(n int) int {
	if len(w.choices) == 0 || n == 0 {
		return 0
	}
	c := int(w.choices[0])
	w.choices = w.choices[1:]
	return c % n
}

func (w *world) run() {
	for len(w.choices) > 0 {
		w.turn()
	}
}

// turn lets some time pass and something happen.
func (w *world) turn() {
	w.now = w.now.Add([]time.Duration{0, 10, 200, 1500}[w.pick(4)] * time.Duration(w.pick(4)) * time.Millisecond)
	for !w.wake.IsZero() && !w.wake.After(w.now) {
		at := w.now
		w.now = w.wake
		w.step(call.Tick{})
		w.now = at
	}
	w.act()
}

func (w *world) act() {
	switch w.pick(20) {
	case 0, 1:
		w.n++
		id := hal.IncomingLeg("gsm1", 2, w.n)
		w.wires[id] = &wireLeg{}
		w.order = append(w.order, id)
		w.step(call.Heard{Signal: hal.Incoming{Leg: id, From: "0935"}})
	case 2:
		w.n++
		id := hal.IncomingLeg("phones", 2, w.n)
		from := stations()[w.pick(5)]
		to := w.number()
		w.wires[id] = &wireLeg{}
		w.order = append(w.order, id)
		in := hal.Incoming{Leg: id, From: hal.Number(from), Endpoint: from, To: to}
		if w.pick(6) == 0 {
			in.Replaces = w.order[w.pick(len(w.order))]
		}
		w.step(call.Heard{Signal: in})
	case 3:
		if len(w.pins) > 0 {
			ref := w.pins[0]
			w.pins = w.pins[1:]
			w.step(call.Done{Ref: ref, OK: w.pick(4) > 0})
		}
	case 4:
		w.command()
	case 5:
		ext := stations()[w.pick(5)]
		w.step(call.Heard{Signal: hal.Reachable{Name: "phones", Endpoint: ext, Contacts: w.pick(2)}})
	case 7:
		w.set([]time.Duration{time.Hour, -time.Hour, 56 * 365 * 24 * time.Hour, -1100 * time.Millisecond}[w.pick(4)])
	case 6:
		w.step(call.Configured{Doc: changed([][]string{nil, {"queue=support"}, {"agent=bo"}, {"door=support"}, {"fax"}}[w.pick(5)])})
	default:
		if len(w.order) > 0 {
			w.legActs(w.order[w.pick(len(w.order))])
		}
	}
}

// set is somebody who sets the clock of the box: nothing follows but the fact.
func (w *world) set(by time.Duration) {
	w.t.Helper()
	w.now = w.now.Add(by)
	w.step(call.ClockSet{By: by})
	out := w.log[len(w.log)-1]
	if want := []call.Fact{call.ClockSet{By: by}}; !reflect.DeepEqual(out.Facts, want) || len(out.Orders)+len(out.Tasks) > 0 {
		w.t.Fatalf("the clock was set by %v, and %+v came of it", by, out)
	}
}

func stations() []string { return []string{"201", "202", "203", "204", "210"} }

// numbers are what people dial and transfer to.
func numbers() []hal.Number {
	return []hal.Number{
		"201", "202", "203", "*22ana", "*22bo", "*22", "*23", "0123", "299", "0112", "09001234567", "*8", "*8201",
		"*61", "*61", "*6", "*78", "*72202", "*72", "*90203", "*92201", "*940123", "*9200123", "204", "210",
	}
}

// number is what a person dials: mostly a colleague.
func (w *world) number() hal.Number {
	if n := w.pick(6); n < 4 {
		return numbers()[n]
	}
	return numbers()[w.pick(len(numbers()))]
}

// sibling is another leg of the same phone, or any one.
func (w *world) sibling(id hal.LegID) hal.LegID {
	if l := w.f.legs[id]; l != nil && l.phone != nil && len(l.phone.legs) > 1 {
		return l.phone.legs[w.pick(len(l.phone.legs))].id
	}
	return w.order[w.pick(len(w.order))]
}

func (w *world) command() {
	a := []string{"ana", "bo", "cy"}[w.pick(3)]
	switch w.pick(7) {
	default:
		w.step(call.Asked{Command: call.SetReady{Agent: a, Actor: "x"}})
	case 1:
		w.step(call.Asked{Command: call.SetNotReady{Agent: a, Reason: "tea", Actor: "x"}})
	case 2:
		w.step(call.Asked{Command: call.SignOut{Agent: a, Actor: a}})
	case 3:
		for _, c := range w.f.calls[:min(1, len(w.f.calls))] {
			w.step(call.Asked{Command: call.EndCall{Call: c.id, Actor: "x"}})
		}
	}
}

func (w *world) legActs(id hal.LegID) {
	l := w.wires[id]
	if l.hung && w.pick(4) > 0 { // most do as they are told
		w.forget(id)
		w.step(call.Heard{Signal: hal.Gone{Leg: id, Cause: hal.Normal}})
		return
	}
	var s hal.Signal
	switch w.pick(22) {
	case 0:
		causes := []hal.Cause{hal.Normal, hal.Busy, hal.Rejected, hal.Unreachable, hal.Congestion, hal.WireTrouble, hal.NoAnswer}
		s = hal.Gone{Leg: id, Cause: causes[w.pick(len(causes))], Far: w.pick(2) == 0}
		w.forget(id)
	case 1, 9, 10:
		s = hal.Progress{Leg: id, Alerting: w.pick(3) > 0, Sound: w.pick(3) == 0}
	case 12:
		if w.pick(8) == 0 {
			w.took(w.f.Drop(w.now, id)) // as after a panic in this call
		}
		return
	case 11:
		w.step(call.Heard{Signal: hal.Census{Name: id.Line(), Legs: []hal.LegID{id}}})
		return
	default:
		if l.dialled || l.told {
			l.answered = true
		}
		if !l.answered {
			return
		}
		s = hal.Answered{Leg: id}
	case 4, 5:
		s = hal.Digit{Leg: id, Key: "12#.9*"[w.pick(6)]}
	case 6:
		s = hal.Played{Leg: id, Ref: l.play}
	case 7:
		s = hal.Held{Leg: id}
	case 8:
		s = hal.Resumed{Leg: id}
	case 13, 14:
		tr := hal.Transfer{Leg: id, Ref: hal.Ref("refer-" + string(id)), To: w.number()}
		if w.pick(2) == 0 {
			tr.Replaces = w.sibling(id)
		}
		s = tr
	case 15:
		w.presses(id, []string{"##203", "##0123#", "*2202", "*2204", "*2", "#1", "##299#", "*20123#", "##*61#"}[w.pick(9)])
		return
	case 16:
		s = hal.Flash{Leg: id}
	case 17:
		w.presses(id, []string{"201", "0123#", "203"}[w.pick(3)])
		return
	case 20:
		s = hal.Quality{Leg: id, Problem: "silent"}
	case 21:
		s = hal.Quality{Leg: id}
	}
	w.step(call.Heard{Signal: s})
}

// presses presses keys one after the other, after a pause.
func (w *world) presses(id hal.LegID, keys string) {
	if w.wake.IsZero() || w.wake.After(w.now.Add(3*time.Second)) {
		w.now = w.now.Add(3 * time.Second)
	}
	for _, k := range []byte(keys) {
		if w.wires[id] != nil {
			w.step(call.Heard{Signal: hal.Digit{Leg: id, Key: k}})
		}
	}
}

func (w *world) forget(id hal.LegID) {
	delete(w.wires, id)
	w.order = slices.DeleteFunc(w.order, func(o hal.LegID) bool { return o == id })
}

// step lets the floor decide and holds it to its promises.
func (w *world) step(ev call.Event) {
	w.t.Helper()
	before := w.f.State()
	out, err := w.f.Step(w.now, ev)
	w.log = append(w.log, out)
	if err != nil {
		if !reflect.DeepEqual(before, w.f.State()) {
			w.t.Fatalf("refused %+v, but something changed", ev)
		}
		return
	}
	w.took(out)
}

func (w *world) took(out Output) {
	w.t.Helper()
	w.wake = out.Wake
	if !out.Wake.IsZero() && !out.Wake.After(w.now) {
		w.t.Fatalf("wake %v does not lie ahead of %v", out.Wake, w.now)
	}
	for _, f := range out.Facts {
		w.checkFact(f)
	}
	for _, o := range out.Orders {
		w.obey(o)
	}
	for _, k := range out.Tasks {
		w.pins = append(w.pins, call.RefOf(k))
	}
	w.checkAgents()
	for _, c := range w.f.calls {
		w.checkWaits(c)
	}
}

// checkWaits: whoever is in a call talks, or waits for something that comes or has a limit.
func (w *world) checkWaits(c *contact) {
	if c.ending || c.connected || c.visit != nil || c.desk != nil || c.parked != nil || c.peer != nil || c.inFlow() {
		return
	}
	if t := c.transfer; t != nil && t.by != nil && (t.with != nil || !t.await.IsZero()) {
		return
	}
	for _, l := range c.others {
		if !l.ending && !l.leaving && !l.deadline.IsZero() {
			return
		}
	}
	w.t.Fatalf("call %s waits for nothing: %+v, caller %+v", c.id, c, c.caller)
}

func (w *world) obey(o hal.Order) {
	switch o := o.(type) {
	case hal.Dial:
		w.wires[o.Leg] = &wireLeg{dialled: true}
		w.order = append(w.order, o.Leg)
	case hal.Answer:
		if l := w.wires[o.Leg]; l != nil {
			l.told = true
		}
	case hal.Play:
		if l := w.wires[o.Leg]; l != nil {
			l.play = o.Ref
		}
	case hal.Hangup:
		if l := w.wires[o.Leg]; l != nil {
			l.hung = true
		}
	}
}

func (w *world) checkFact(fact call.Fact) {
	id := fact.About()
	_, saved := fact.(call.RecordingSaved)
	_, presence := fact.(call.Presence)
	if id != "" && w.done[id] && !saved && !presence {
		w.t.Fatalf("%s after the call's end: %+v", fact.Kind(), fact)
	}
	switch f := fact.(type) {
	case call.Began:
		w.began = append(w.began, id)
		if w.open[id] {
			w.t.Fatalf("call %s began twice", id)
		}
		w.open[id] = true
	case call.Ended:
		delete(w.open, id)
		w.done[id] = true
	case call.Offered:
		if had := w.offers[f.Agent]; had != "" {
			w.t.Fatalf("agent %s has two offers: %s and %s", f.Agent, had, f.Call)
		}
		w.offers[f.Agent], w.ringing[f.Leg] = f.Call, f.Agent
	case call.Missed:
		w.close(f.Agent, f.Call)
	case call.Withdrawn:
		w.close(f.Agent, f.Call)
	case call.Connected:
		if agent := w.ringing[f.Peer]; agent != "" && w.offers[agent] == f.Call && f.Queue != "" {
			w.close(agent, f.Call)
		}
		w.member(f.Leg, f.Call)
		w.member(f.Peer, f.Call)
	}
	w.checkMembers(fact)
}

// checkMembers: a leg is in one call at a time, from Began, Dialed or Moved to LegEnded.
func (w *world) checkMembers(fact call.Fact) {
	switch f := fact.(type) {
	case call.Began:
		w.members[f.Leg] = f.Call
	case call.Dialed:
		w.members[f.Leg] = f.Call
	case call.Moved:
		w.member(f.Leg, f.From)
		w.members[f.Leg] = f.Call
	case call.LegEnded:
		w.member(f.Leg, f.Call)
		delete(w.members, f.Leg)
	case call.Ended:
		for leg, id := range w.members {
			if id == f.Call {
				w.t.Fatalf("call %s ended with leg %s in it", id, leg)
			}
		}
	case call.Transfer:
		w.member(f.Leg, f.Call)
	}
}

func (w *world) member(leg hal.LegID, id call.ID) {
	if had := w.members[leg]; had != id && had != "" {
		w.t.Fatalf("leg %s is in call %s, not in %s", leg, had, id)
	}
}

func (w *world) close(agent string, id call.ID) {
	if w.offers[agent] != id {
		w.t.Fatalf("an offer of %s to %s was closed that was not open", id, agent)
	}
	delete(w.offers, agent)
}

func (w *world) checkAgents() {
	for _, a := range w.f.agents {
		if p := w.f.stateOf(a); p != a.shown {
			w.t.Fatalf("agent %s is shown as %+v but is %+v", a.number, a.shown, p)
		}
	}
	for _, s := range w.f.State().Agents {
		if a := w.f.agent(s.Number); a != nil && (a.shown.State != s.State || !a.idle.Equal(s.Idle) && s.State == call.Ready || !a.shown.Until.Equal(s.Until)) {
			w.t.Fatalf("agent %s: the state that survives says %+v, the floor %+v", s.Number, s, a)
		}
	}
	if m, ok := w.f.acd.Next(w.now); ok {
		w.t.Fatalf("%s waits though %s is free", m.Call, m.Agent)
	}
}

// rest lets every leg end and all time pass: nothing may be left.
func (w *world) rest() {
	for _, id := range slices.Clone(w.order) {
		w.forget(id)
		w.step(call.Heard{Signal: hal.Gone{Leg: id, Cause: hal.Normal, Far: true}})
	}
	for n := 0; !w.wake.IsZero(); n++ {
		if n > 1000 {
			w.t.Fatal("the floor wants to be woken for ever")
		}
		w.now = w.wake
		w.step(call.Tick{})
		for _, id := range slices.Clone(w.order) {
			w.forget(id)
			w.step(call.Heard{Signal: hal.Gone{Leg: id, Cause: hal.Normal}})
		}
	}
	if len(w.open) > 0 || len(w.f.calls) > 0 || len(w.f.legs) > 0 || len(w.offers) > 0 {
		w.t.Fatalf("left over: calls %v, legs %d, offers %v", w.open, len(w.f.legs), w.offers)
	}
	for _, p := range w.f.phones {
		if len(p.legs) > 0 {
			w.t.Fatalf("extension %s keeps %d legs", p.extension, len(p.legs))
		}
	}
}

func FuzzPromises(f *testing.F) {
	for seed := range uint64(40) {
		f.Add(noise(seed, 600))
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		if len(choices) > 5000 {
			return
		}
		w := newWorld(t, choices)
		w.run()
		w.rest()
	})
}

func noise(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.UintN(256))
	}
	return b
}

func TestEqualHistoriesGiveEqualOutput(t *testing.T) {
	for seed := range uint64(20) {
		a, b := newWorld(t, noise(seed, 800)), newWorld(t, noise(seed, 800))
		a.run()
		b.run()
		if fmt.Sprint(a.log) != fmt.Sprint(b.log) {
			t.Fatalf("seed %d: two floors with one history decide differently", seed)
		}
	}
}

// A crash at any moment: the calls that were open are ended once, and agents are where they were.
func TestRestartEndsWhatWasOpen(t *testing.T) {
	for seed := range uint64(100) {
		w := newWorld(t, noise(seed, 300))
		w.run()
		s := w.f.State()
		open := len(s.Open)
		if open != len(w.open) {
			t.Fatalf("seed %d: state has %d open calls, the timeline %d", seed, open, len(w.open))
		}
		ended := 0
		for _, fact := range w.f.State().AfterRestart(w.now, func(string) time.Duration { return 10 * time.Second }) {
			if e, ok := fact.(call.Ended); ok {
				ended++
				if e.Cause != hal.Restarted {
					t.Fatalf("ended by %s", e.Cause)
				}
			}
			s.Fold(w.now, fact)
		}
		if ended != open || len(s.Open) != 0 {
			t.Fatalf("seed %d: %d calls were open, %d ended, %d left", seed, open, ended, len(s.Open))
		}
		again := New(branch(), s)
		if _, err := again.Step(w.now, call.Configured{Doc: branch()}); err != nil {
			t.Fatal(err)
		}
		for _, a := range s.Agents {
			switch a.State {
			case call.Reserved, call.Ringing, call.Talking, call.Holding, call.Dialing:
				t.Fatalf("seed %d: agent %s is %s after a restart", seed, a.Number, a.State)
			}
		}
	}
}
