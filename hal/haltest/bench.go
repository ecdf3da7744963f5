package haltest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"branchline/hal"
)

// bench is a running line and all that it has told.
type bench struct {
	*testing.T
	Rig
	cancel context.CancelFunc
	ended  chan error // what Run returned
	dialed uint64

	mu     sync.Mutex
	log    []hal.Signal
	told   chan struct{} // closed and renewed with each signal
	gate   chan struct{} // up waits until it is closed
	read   int           // signals that expect has gone past
	inside int           // calls of up at this moment
}

func newBench(t *testing.T, rig Rig) *bench {
	open := make(chan struct{})
	close(open)
	return &bench{T: t, Rig: rig, told: make(chan struct{}), gate: open}
}

// run starts the line and waits until it is in service.
func (b *bench) run() hal.Traits {
	b.Helper()
	b.start()
	return b.until("InService", func(s hal.Signal) bool { _, ok := s.(hal.InService); return ok }).(hal.InService).Traits
}

func (b *bench) start() {
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel, b.ended = cancel, make(chan error, 1)
	go func() { b.ended <- b.Line.Run(ctx, b.up) }()
}

func (b *bench) up(s hal.Signal) {
	b.mu.Lock()
	if b.inside++; b.inside > 1 {
		b.Error("up was called twice at a time")
	}
	gate := b.gate
	b.mu.Unlock()
	<-gate
	b.mu.Lock()
	b.inside--
	b.log = append(b.log, s)
	close(b.told)
	b.told = make(chan struct{})
	b.mu.Unlock()
}

// block makes up wait until the returned func is called.
func (b *bench) block() (open func()) {
	gate := make(chan struct{})
	b.mu.Lock()
	b.gate = gate
	b.mu.Unlock()
	return func() { close(gate) }
}

// stop ends Run and checks that it ends as it must.
func (b *bench) stop() {
	b.Helper()
	b.cancel()
	b.cancel = nil
	select {
	case err := <-b.ended:
		if err != nil {
			b.Errorf("Run returned %v at the end of its context, want nil", err)
		}
	case <-time.After(time.Second):
		b.Errorf("Run still runs 1 s after the end of its context")
		<-b.ended
	}
}

// end stops the line and checks what must hold of everything that it told.
func (b *bench) end() {
	b.Helper()
	if b.cancel != nil {
		b.stop()
	}
	b.checkHistory()
}

func (b *bench) do(o hal.Order) {
	b.Helper()
	if err := b.Line.Do(o); err != nil {
		b.Fatalf("Do(%T): %v", o, err)
	}
}

// dial orders a Dial to the far end and returns its leg.
func (b *bench) dial() hal.LegID {
	b.Helper()
	b.dialed++
	leg := hal.OutgoingLeg(b.Line.Name(), 1, b.dialed)
	b.do(hal.Dial{Leg: leg, To: b.Number})
	return leg
}

// call makes the far end call in and returns its leg.
func (b *bench) call() hal.LegID {
	b.Helper()
	b.Call()
	return b.until("Incoming", func(s hal.Signal) bool { _, ok := s.(hal.Incoming); return ok }).On()
}

// answered makes the far end call in and answers.
func (b *bench) answered() hal.LegID {
	b.Helper()
	leg := b.call()
	b.do(hal.Answer{Leg: leg})
	expect[hal.Answered](b, leg)
	return leg
}

// until waits for the next signal that is wanted and goes past it.
func (b *bench) until(what string, wanted func(hal.Signal) bool) hal.Signal {
	b.Helper()
	end := time.After(patience)
	for {
		b.mu.Lock()
		fresh, told := b.log[b.read:], b.told
		if i := slices.IndexFunc(fresh, wanted); i >= 0 {
			b.read += i + 1
			b.mu.Unlock()
			return fresh[i]
		}
		b.mu.Unlock()
		select {
		case <-told:
		case <-end:
			b.Fatalf("no %s within %v; told were %+v", what, patience, b.history())
		}
	}
}

// expect waits for the next signal of type S on leg.
func expect[S hal.Signal](b *bench, leg hal.LegID) S {
	b.Helper()
	var want S
	return b.until(sprintType(want), func(s hal.Signal) bool { _, ok := s.(S); return ok && s.On() == leg }).(S)
}

// settle waits for two more Censuses: time for what should not come to come.
func (b *bench) settle() (last hal.Census) {
	b.Helper()
	for range 2 {
		last = b.until("Census", func(s hal.Signal) bool { _, ok := s.(hal.Census); return ok }).(hal.Census)
	}
	return last
}

// history is all that was told so far.
func (b *bench) history() []hal.Signal {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.log)
}

// count is how many signals of type S were told on leg.
func count[S hal.Signal](b *bench, leg hal.LegID) int {
	n := 0
	for _, s := range b.history() {
		if _, ok := s.(S); ok && s.On() == leg {
			n++
		}
	}
	return n
}
