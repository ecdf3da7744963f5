// Package engine is the loop around the floor: one goroutine that takes signals of the lines,
// commands of people and what came of tasks, steps the floor, writes its facts into the journal and
// carries its orders to the lines and to media.
//
// It promises the order of things: facts are in the journal before an order leaves, and what tells
// a caller anything waits until they are on disk (hold.go). Start at Run.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/config"
	"branchline/pbx/floor"
)

// Journal is the timeline as the engine writes it.
type Journal interface {
	Append(at time.Time, facts ...call.Fact) call.Seq
	Synced(ctx context.Context, s call.Seq) error
	Mark() (synced call.Seq, changed <-chan struct{})
	Alive(at time.Time)
	Checkpoint(name string, at call.Seq, state []byte)
}

// Media is the worker that carries sound.
type Media interface {
	Do(o hal.Order) error
	Attach(leg hal.LegID, a hal.Audio)
	Detach(leg hal.LegID)
}

// Floor decides; floor.Floor is the one. It is used by the loop alone and may panic in Step.
type Floor interface {
	Step(now time.Time, ev call.Event) (floor.Output, error)
	Drop(now time.Time, leg hal.LegID) floor.Output
	Secret(leg hal.LegID) bool
	Busy() bool
	State() floor.State
	Scene() floor.Scene
}

var _ Floor = (*floor.Floor)(nil)

// Options are what an Engine stands on; all but PIN, Wall and Log are needed.
type Options struct {
	Journal Journal
	Media   Media
	Floor   Floor
	// PIN tells whether keys are agent's PIN. It is called off the loop.
	PIN func(agent, keys string) bool
	// Wall is the clock of the box, which anybody may set; nil: time.Now.
	Wall func() time.Time
	Log  *slog.Logger
}

const (
	queueSize       = 1024             // signals that wait for the loop
	aliveEvery      = 2 * time.Second  // how far back a crash may date the end of a call
	checkpointEvery = 30 * time.Second // how long a start may have to read back
	checkpointFacts = 2000
	stall           = 300 * time.Millisecond // how long the disk may keep a caller waiting
)

// Engine owns the floor. Make one by New and Run it once.
type Engine struct {
	o       Options
	signals chan hal.Signal
	asks    chan ask
	done    chan call.Done
	tasks   chan work
	lines   *roster
	ended   chan struct{}

	base    time.Time // wall clock at the start, without its monotonic part; moved when the clock was set
	started time.Time
	last    call.Seq
	wake    time.Time
	secrets map[hal.LegID][]byte
	sound   map[hal.LegID]bool // legs that media has
	open    map[hal.LegID]bool // legs that have been answered: their caller is being told things
	local   []hal.Signal       // what the engine itself says, after this step
	hold    hold
	flight  recorder

	saved   call.Seq // floor checkpoint
	savedAt time.Time
}

type ask struct {
	event call.Event
	reply chan answer
}

type answer struct {
	seq call.Seq
	err error
}

// New makes an engine; nothing runs yet.
func New(o Options) *Engine {
	if o.Wall == nil {
		o.Wall = time.Now
	}
	now := time.Now()
	return &Engine{
		o:       o,
		signals: make(chan hal.Signal, queueSize),
		asks:    make(chan ask),
		done:    make(chan call.Done, queueSize),
		tasks:   make(chan work, 64),
		lines:   &roster{},
		ended:   make(chan struct{}),
		base:    o.Wall().Round(0).UTC(),
		started: now,
		secrets: map[hal.LegID][]byte{},
		sound:   map[hal.LegID]bool{},
		open:    map[hal.LegID]bool{},
	}
}

// Hear takes a signal of a line or of media. It waits while the loop is behind; what comes after
// the loop's end is dropped.
func (e *Engine) Hear(s hal.Signal) {
	select {
	case e.signals <- s:
	case <-e.ended:
	}
}

// Attach makes l reachable for orders. Running it is its owner's matter.
func (e *Engine) Attach(l hal.Line) { e.lines.add(l) }

// Detach takes a line out; orders for it fail from now on.
func (e *Engine) Detach(name string) { e.lines.remove(name) }

// Ask puts a person's command to the floor and waits until what came of it is on disk. The error
// is the floor's refusal, in words.
func (e *Engine) Ask(ctx context.Context, c call.Command) error {
	return e.put(ctx, call.Asked{Command: c})
}

// Configure puts doc in force and waits until the floor has taken it.
func (e *Engine) Configure(ctx context.Context, doc *config.Doc) error {
	return e.put(ctx, call.Configured{Doc: doc})
}

func (e *Engine) put(ctx context.Context, ev call.Event) error {
	a := ask{ev, make(chan answer, 1)}
	select {
	case e.asks <- a:
	case <-ctx.Done():
		return fmt.Errorf("the box is busy or stopping: %w", ctx.Err())
	}
	select {
	case r := <-a.reply:
		if r.err != nil {
			return r.err
		}
		return e.o.Journal.Synced(ctx, r.seq)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run steps the floor until ctx ends; then it states Stopped facts no more and returns nil. An
// error means that the floor failed and could not be mended: the program must start again.
func (e *Engine) Run(ctx context.Context) error {
	defer close(e.ended)
	workers, stop := e.startWorkers(ctx)
	defer func() { stop(); workers.Wait() }()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	alive := time.NewTicker(aliveEvery)
	defer alive.Stop()
	for {
		synced := e.release()
		err := e.sayLocal()
		if err != nil {
			return err
		}
		timer.Reset(e.untilNext())
		select {
		case <-ctx.Done():
			e.checkpoint()
			return nil
		case s := <-e.signals:
			err = e.hear(s)
		case a := <-e.asks:
			var refusal error
			refusal, err = e.step(a.event, "")
			a.reply <- answer{e.last, errors.Join(refusal, err)}
		case d := <-e.done:
			_, err = e.step(d, "")
		case <-synced:
		case <-timer.C:
			if !e.wake.IsZero() && !e.wake.After(e.now()) {
				_, err = e.step(call.Tick{}, "")
			}
		case <-alive.C:
			err = e.checkClock()
			if e.o.Floor.Busy() {
				e.o.Journal.Alive(e.now())
			}
			e.saveSometimes()
		}
		if err != nil {
			return err
		}
	}
}

// now is UTC and goes on evenly, whatever is done to the clock of the box, until checkClock takes
// the new clock over.
func (e *Engine) now() time.Time { return e.base.Add(time.Since(e.started)) }

func (e *Engine) untilNext() time.Duration {
	next := time.Hour
	now := e.now()
	if !e.wake.IsZero() {
		next = min(next, e.wake.Sub(now))
	}
	if at := e.hold.until(); !at.IsZero() {
		next = min(next, at.Sub(now))
	}
	return max(next, 0)
}

// hear prepares a signal for the floor: sound is fetched, secret keys are kept back.
func (e *Engine) hear(signal hal.Signal) error {
	leg := signal.On()
	switch s := signal.(type) {
	case hal.InService:
		e.lines.heard(s)
	case hal.Answered:
		e.open[leg] = true
		e.attachSound(leg)
	case hal.Progress:
		if s.Sound {
			e.attachSound(leg)
		}
	case hal.Digit:
		signal = e.keepSecret(s)
	case hal.Gone:
		e.o.Media.Detach(leg)
		delete(e.sound, leg)
		delete(e.secrets, leg)
		delete(e.open, leg)
		e.hold.drop(leg)
	}
	_, err := e.step(call.Heard{Signal: signal}, leg)
	return err
}

func (e *Engine) attachSound(leg hal.LegID) {
	if e.sound[leg] {
		return
	}
	l := e.lines.get(leg.Line())
	if l == nil {
		return
	}
	if a := l.Audio(leg); a != nil {
		e.sound[leg] = true
		e.o.Media.Attach(leg, a)
	}
}

func (e *Engine) keepSecret(s hal.Digit) hal.Digit {
	if !e.o.Floor.Secret(s.Leg) || s.Key == '#' {
		return s
	}
	if s.Key == '*' {
		delete(e.secrets, s.Leg)
		return s
	}
	if len(e.secrets[s.Leg]) < 32 {
		e.secrets[s.Leg] = append(e.secrets[s.Leg], s.Key)
	}
	s.Key = call.HiddenKey
	return s
}

// step lets the floor decide and carries out what it decided; refusal says no to a person. A panic
// costs the call of leg; one that cannot be mended is err.
func (e *Engine) step(ev call.Event, leg hal.LegID) (refusal, err error) {
	now := e.now()
	out, refusal, broken := e.decide(now, ev)
	if broken != nil {
		out, err = e.mend(now, leg, broken)
		e.flight.failed(now, ev, leg, out)
	} else {
		e.flight.event(e.o.Floor, now, ev, out, refusal)
	}
	if refusal != nil || err != nil {
		return refusal, err
	}
	if len(out.Facts) > 0 {
		e.last = e.o.Journal.Append(now, out.Facts...)
	}
	e.wake = out.Wake
	for _, o := range out.Orders {
		e.carry(now, o)
	}
	for _, t := range out.Tasks {
		e.give(t)
	}
	return nil, nil
}

func (e *Engine) decide(now time.Time, ev call.Event) (out floor.Output, refusal error, broken any) {
	defer func() {
		if broken = recover(); broken != nil {
			e.o.Log.Error("the floor failed; its call is ended", "event", fmt.Sprintf("%T%+v", ev, ev), "panic", broken, "stack", string(debug.Stack()))
		}
	}()
	out, refusal = e.o.Floor.Step(now, ev)
	return out, refusal, nil
}

// mend ends the call in which the floor failed, so that the others go on.
func (e *Engine) mend(now time.Time, leg hal.LegID, broken any) (out floor.Output, err error) {
	defer func() {
		if again := recover(); again != nil {
			err = fmt.Errorf("floor failed twice: %v, then %v", broken, again)
		}
	}()
	if leg == "" {
		return out, fmt.Errorf("floor failed outside any call: %v", broken)
	}
	return e.o.Floor.Drop(now, leg), nil
}

// sayLocal tells the floor what the engine itself has to say of orders that could not be given.
func (e *Engine) sayLocal() error {
	for len(e.local) > 0 {
		s := e.local[0]
		e.local = e.local[1:]
		if err := e.hear(s); err != nil {
			return err
		}
	}
	return nil
}
