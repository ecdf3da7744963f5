package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/config"
	"branchline/pbx/floor"
)

// disk is a timeline whose disk is as slow as a test wants: it confirms when told to.
type disk struct {
	mu      sync.Mutex
	entries []call.Entry
	synced  call.Seq
	changed chan struct{}
	quick   bool // confirms at once
	alive   []time.Time
	marks   []saved
}

type saved struct {
	at    call.Seq
	state []byte
}

func newDisk() *disk { return &disk{changed: make(chan struct{})} }

func (d *disk) Append(at time.Time, facts ...call.Fact) call.Seq {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range facts {
		d.entries = append(d.entries, call.Entry{Seq: call.Seq(len(d.entries) + 1), At: at, Fact: f})
	}
	if d.quick {
		d.confirm()
	}
	return call.Seq(len(d.entries))
}

func (d *disk) confirm() {
	d.synced = call.Seq(len(d.entries))
	close(d.changed)
	d.changed = make(chan struct{})
}

// sync lets the disk confirm all there is.
func (d *disk) sync() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.confirm()
}

// syncTo lets it confirm what there is up to last.
func (d *disk) syncTo(last call.Seq) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.synced = last
	close(d.changed)
	d.changed = make(chan struct{})
}

func (d *disk) Mark() (call.Seq, <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.synced, d.changed
}

func (d *disk) Synced(ctx context.Context, s call.Seq) error {
	for {
		synced, changed := d.Mark()
		if synced >= s {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (d *disk) Alive(at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.alive = append(d.alive, at)
}

func (d *disk) aliveMarks() []time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.alive)
}

func (d *disk) AliveAt() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	last := d.entries[len(d.entries)-1].At
	if n := len(d.alive); n > 0 && d.alive[n-1].After(last) {
		return d.alive[n-1]
	}
	return last
}

func (d *disk) Checkpoint(_ string, at call.Seq, state []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.marks = append(d.marks, saved{at, state})
}

func (d *disk) Load(string) (call.Seq, []byte, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.marks) == 0 {
		return 0, nil, false
	}
	m := d.marks[len(d.marks)-1]
	return m.at, m.state, true
}

func (d *disk) Entries(since call.Seq, limit int) []call.Entry {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := d.entries[min(int(since), len(d.entries)):]
	return slices.Clone(list[:min(limit, len(list))])
}

func factsOf[F call.Fact](d *disk) (out []F) {
	for _, e := range d.Entries(0, 1<<20) {
		if f, ok := e.Fact.(F); ok {
			out = append(out, f)
		}
	}
	return out
}

// paper is what was ordered of lines and media, in the order in which it left.
type paper struct {
	mu   sync.Mutex
	done []hal.Order
}

func (p *paper) take(o hal.Order) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = append(p.done, o)
}

func (p *paper) orders() []hal.Order {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.done)
}

func (p *paper) has(o hal.Order) bool {
	return slices.ContainsFunc(p.orders(), func(x hal.Order) bool { return fmt.Sprint(x) == fmt.Sprint(o) })
}

// wire is a line that does nothing but note its orders. Refuses: it takes none.
type wire struct {
	name string
	*paper
	refuses bool
}

var _ hal.Line = wire{}

func (w wire) Name() string                                      { return w.name }
func (w wire) Run(ctx context.Context, _ func(hal.Signal)) error { <-ctx.Done(); return nil }
func (w wire) Audio(hal.LegID) hal.Audio                         { return nil }
func (w wire) Do(o hal.Order) error {
	if w.refuses {
		return fmt.Errorf("%s is not running", w.name)
	}
	w.take(o)
	return nil
}

type noSound struct{ *paper }

func (m noSound) Do(o hal.Order) error            { m.take(o); return nil }
func (noSound) Attach(leg hal.LegID, a hal.Audio) {}
func (noSound) Detach(leg hal.LegID)              {}

// oracle is a floor that decides what the test has written down for the next signal of a leg.
type oracle struct {
	next  []floor.Output
	heard []call.Event
	busy  atomic.Bool
}

func (o *oracle) Step(_ time.Time, ev call.Event) (out floor.Output, err error) {
	o.heard = append(o.heard, ev)
	if h, ok := ev.(call.Heard); ok && h.Signal.On() != "" && len(o.next) > 0 {
		out, o.next = o.next[0], o.next[1:]
	}
	return out, nil
}

func (o *oracle) Drop(time.Time, hal.LegID) floor.Output { return floor.Output{} }
func (o *oracle) Secret(hal.LegID) bool                  { return false }
func (o *oracle) Busy() bool                             { return o.busy.Load() }
func (o *oracle) State() floor.State                     { return floor.State{} }

// bench is an engine that runs in a bubble of its own time.
type bench struct {
	*Engine
	disk  *disk
	left  *paper
	log   *bytes.Buffer
	ended chan error
}

func run(t *testing.T, f Floor, pin func(agent, keys string) bool) *bench {
	t.Helper()
	return runBy(t, f, pin, nil)
}

// runBy is run by a clock that the test sets.
func runBy(t *testing.T, f Floor, pin func(agent, keys string) bool, wall func() time.Time) *bench {
	t.Helper()
	b := &bench{disk: newDisk(), left: &paper{}, log: &bytes.Buffer{}, ended: make(chan error, 1)}
	b.Engine = New(Options{
		Journal: b.disk, Media: noSound{b.left}, Floor: f, PIN: pin, Wall: wall,
		Log: slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	b.Attach(wire{name: "gsm1", paper: b.left})
	b.Attach(wire{name: "gsm2", paper: b.left})
	b.Attach(wire{name: "phones", paper: b.left})
	b.Attach(wire{name: "broken", paper: b.left, refuses: true})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { b.ended <- b.Run(ctx) }()
	t.Cleanup(func() { cancel(); synctest.Wait() })
	b.tell(hal.InService{Name: "phones", Traits: hal.Traits{Inside: true}})
	b.tell(hal.InService{Name: "gsm1", Traits: hal.Traits{Legs: 1}})
	return b
}

// tell hands signals to the engine and waits until all that comes of them is done.
func (b *bench) tell(all ...hal.Signal) {
	for _, s := range all {
		b.Hear(s)
	}
	synctest.Wait()
}

const (
	caller   hal.LegID = "gsm1#1-1"
	agentLeg hal.LegID = "phones#1-o1"
	other    hal.LegID = "gsm2#1-1"
)

var began = call.Began{Call: "c1", Leg: caller}

func TestNothingIsToldToACallerBeforeHisCallIsOnDisk(t *testing.T) {
	tests := []struct {
		order  hal.Order
		waits  bool
		before []hal.Signal
	}{
		{order: hal.Answer{Leg: caller}, waits: true},
		{order: hal.Alert{Leg: caller}, waits: true},
		{order: hal.Alert{Leg: caller, Sound: true}, waits: true},
		{order: hal.Play{Leg: caller, Ref: "p"}, waits: true},
		{order: hal.Hangup{Leg: caller, Cause: hal.Busy}, waits: true}, // a refusal
		{order: hal.Dial{Leg: "gsm2#1-o1", To: "0301"}, waits: true},   // tells a stranger
		{order: hal.SendText{Name: "gsm1", Body: "thanks for calling"}, waits: true},
		{order: hal.TextStored{Name: "gsm1", Ref: "t"}, waits: true},
		{order: hal.Dial{Leg: agentLeg, To: "201"}},
		{order: hal.Hangup{Leg: agentLeg, Cause: hal.NoAnswer}},
		{order: hal.Hangup{Leg: caller}, before: []hal.Signal{hal.Answered{Leg: caller}}}, // he has been told before
		{order: hal.Join{Leg: caller, Bridge: "c1"}},
		{order: hal.Record{Bridge: "c1", Ref: "r"}},
		{order: hal.Stop{Ref: "nobody's"}},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%T%+v", tt.order, tt.order), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &oracle{next: make([]floor.Output, len(tt.before))}
				b := run(t, f, nil)
				b.tell(tt.before...)
				f.next = []floor.Output{{Facts: []call.Fact{began}, Orders: []hal.Order{tt.order}}}
				b.tell(hal.Incoming{Leg: caller})
				time.Sleep(stall - time.Millisecond)
				synctest.Wait()
				if left := b.left.has(tt.order); left == tt.waits {
					t.Errorf("left before the disk confirmed: %v, want %v", left, !tt.waits)
				}
				b.disk.sync()
				synctest.Wait()
				if got := b.left.orders(); len(got) != 1 {
					t.Errorf("left in the end: %v", got)
				}
			})
		})
	}
}

func TestOrdersForOneLegLeaveInTheOrderInWhichTheyWereGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mine := []hal.Order{
			hal.Answer{Leg: caller}, hal.Join{Leg: caller, Bridge: "c1"}, hal.Digits{Leg: caller, Keys: "1"},
			hal.Play{Leg: caller, Ref: "p"}, hal.Hangup{Leg: caller},
		}
		theirs := hal.Join{Leg: other, Bridge: "c2"}
		b := run(t, &oracle{next: []floor.Output{{Facts: []call.Fact{began}, Orders: append(slices.Clone(mine), theirs)}}}, nil)
		b.tell(hal.Incoming{Leg: caller})
		if got := b.left.orders(); len(got) != 1 || got[0] != theirs {
			t.Fatalf("left before the disk confirmed: %v, want the other leg's alone", got)
		}
		b.disk.sync()
		synctest.Wait()
		if got, want := fmt.Sprint(b.left.orders()[1:]), fmt.Sprint(mine); got != want {
			t.Errorf("left in the order\n%s\nwant\n%s", got, want)
		}
	})
}

// Facts that come later must not hold up what the disk has confirmed.
func TestWhatIsConfirmedLeavesAlthoughMoreIsOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := run(t, &oracle{next: []floor.Output{
			{Facts: []call.Fact{began}, Orders: []hal.Order{hal.Answer{Leg: caller}}},
			{Facts: []call.Fact{call.Began{Call: "c2", Leg: other}}, Orders: []hal.Order{hal.Answer{Leg: other}}},
		}}, nil)
		b.tell(hal.Incoming{Leg: caller})
		b.disk.mu.Lock()
		first := call.Seq(len(b.disk.entries))
		b.disk.mu.Unlock()
		b.tell(hal.Incoming{Leg: other})
		b.disk.syncTo(first)
		synctest.Wait()
		if got := b.left.orders(); len(got) != 1 || got[0] != (hal.Answer{Leg: caller}) {
			t.Errorf("left: %v, want the first caller's answer alone", got)
		}
	})
}

func TestAStopTakesBackAPlayThatIsStillHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		second := hal.Play{Leg: caller, Ref: "two"}
		b := run(t, &oracle{next: []floor.Output{{Facts: []call.Fact{began}, Orders: []hal.Order{
			hal.Answer{Leg: caller}, hal.Play{Leg: caller, Ref: "one"}, hal.Stop{Ref: "one"}, second,
		}}}}, nil)
		b.tell(hal.Incoming{Leg: caller})
		b.disk.sync()
		synctest.Wait()
		if got, want := fmt.Sprint(b.left.orders()), fmt.Sprint([]hal.Order{hal.Answer{Leg: caller}, second}); got != want {
			t.Errorf("left: %s, want %s", got, want)
		}
	})
}

func TestALegThatGoesTakesItsHeldOrdersAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := run(t, &oracle{next: []floor.Output{{Facts: []call.Fact{began}, Orders: []hal.Order{hal.Answer{Leg: caller}, hal.Answer{Leg: other}}}}}, nil)
		b.tell(hal.Incoming{Leg: caller}, hal.Gone{Leg: caller, Cause: hal.NoAnswer, Far: true})
		b.disk.sync()
		synctest.Wait()
		if got := b.left.orders(); len(got) != 1 || got[0] != (hal.Answer{Leg: other}) {
			t.Errorf("left: %v, want the other leg's answer alone", got)
		}
	})
}

func TestAnOrderThatNobodyTakesIsAnsweredAtOnce(t *testing.T) {
	for _, confirmed := range []bool{true, false} {
		t.Run(fmt.Sprintf("held=%v", !confirmed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &oracle{next: []floor.Output{{Facts: []call.Fact{began}, Orders: []hal.Order{hal.Answer{Leg: "broken#1-1"}}}}}
				b := run(t, f, nil)
				b.disk.mu.Lock()
				b.disk.quick = confirmed
				b.disk.mu.Unlock()
				b.tell(hal.Incoming{Leg: "broken#1-1"})
				b.disk.sync()
				synctest.Wait() // no time passes
				heard, ok := f.heard[len(f.heard)-1].(call.Heard)
				if gone, is := heard.Signal.(hal.Gone); !ok || !is || gone.Leg != "broken#1-1" || gone.Cause != hal.WireTrouble {
					t.Errorf("the floor heard %+v last, want that the leg is gone", f.heard[len(f.heard)-1])
				}
			})
		})
	}
}

func TestAPersonsCommandIsAnsweredWhenItIsOnDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := floor.New(branch(), floor.State{})
		b := run(t, f, nil)
		answered := make(chan error, 1)
		b.tell(hal.Reachable{Name: "phones", Endpoint: "201", Contacts: 1})
		go func() { answered <- b.Configure(t.Context(), branch()) }()
		synctest.Wait()
		select {
		case err := <-answered:
			t.Fatalf("answered %v before the disk", err)
		default:
		}
		b.disk.sync()
		if err := <-answered; err != nil {
			t.Error(err)
		}
		if err := b.Ask(t.Context(), call.SetReady{Agent: "nobody"}); err == nil || !strings.Contains(err.Error(), "no agent nobody") {
			t.Errorf("a command that cannot be is answered %v", err)
		}
	})
}

func TestTheAliveMarkIsSetEvery2sWhileCallsAreUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &oracle{}
		b := run(t, f, nil)
		time.Sleep(9 * time.Second)
		synctest.Wait()
		if n := len(b.disk.aliveMarks()); n != 0 {
			t.Errorf("%d marks without any call", n)
		}
		f.busy.Store(true) // nobody steps now
		time.Sleep(9 * time.Second)
		synctest.Wait()
		marks := b.disk.aliveMarks()
		if len(marks) != 5 {
			t.Fatalf("%d marks in the 9 s from the 9th on, want 5", len(marks))
		}
		for i, at := range marks[1:] {
			if d := at.Sub(marks[i]); d != 2*time.Second {
				t.Errorf("%v between two marks", d)
			}
		}
	})
}

// branch is one SIM, two desk phones, one queue with one agent, and a flow that leads into it.
func branch() *config.Doc {
	return &config.Doc{
		Lines: []config.Line{
			{Name: "gsm1", Kind: "sim", Slot: "slot1", Number: "+4930901820", Flow: "main"},
			{Name: "gsm2", Kind: "sim", Slot: "slot2", Number: "+4930901821", Flow: "main"},
		},
		Extensions: []config.Extension{{Number: "201", Name: "Front desk"}, {Number: "202", Name: "Back office"}},
		Agents:     []config.Agent{{Number: "1001", PIN: "4711"}},
		Queues:     []config.Queue{{Name: "sales", Agents: []string{"1001"}, RingTimeout: 15 * time.Second, WrapUp: 10 * time.Second}},
		Flows:      []config.Flow{{Name: "main", Steps: []config.Step{{Name: "sales", Queue: "sales"}}}},
		Codes:      config.Codes{SignIn: "*22", Ready: "*23"},
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func (o *oracle) Scene() floor.Scene { return floor.Scene{} }
