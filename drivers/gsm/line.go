// Package gsm makes a hal.Line of a GSM or LTE module: its AT port, and a second port that carries
// the sound.
//
// One goroutine, the actor, owns everything about the module. What the module says by itself are
// hints; AT+CLCC, asked every half second while there is a call, is the truth. Whatever happens on
// the ports, garbage, silence, a module that is pulled out in a call, costs the call, which ends
// with a cause, and the line comes back by itself. What is peculiar to a make stands in its profile
// and nowhere else. Start reading at New, then actor.
package gsm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"

	"branchline/drivers/soundport"
	"branchline/hal"
)

// Options say which module a line is made of.
type Options struct {
	Name string // of the line: "gsm1"
	Boot uint32 // number of this start of the box; it keeps leg ids unique
	Log  *slog.Logger

	// OpenAT and OpenPCM open the command port and the sound port (signed 16-bit little-endian samples,
	// 8 kHz). Either may fail: the line is then out of service with that reason, and tries again
	// after 1, 2, 5, 10, 30, 30 … s. They are called again after every fault. Closing a port must
	// wake whoever reads or writes it. Both are needed.
	OpenAT, OpenPCM func() (io.ReadWriteCloser, error)

	PIN     string // of the SIM; "": it has none. One that the SIM refused is not tried again
	Profile string // "" asks the module what it is; "ec25", "sim7600" or "e17x" takes it for one
}

// Line is a SIM as a hal.Line. It carries one call at a time.
type Line struct {
	o       Options
	orders  chan hal.Order
	running atomic.Bool

	// of whoever is in Run:
	legs    uint64 // that came in since boot
	refused string // the PIN that was tried without success

	mu     sync.Mutex
	sounds map[hal.LegID]*soundport.Sound
}

const maxOrders = 1024 // waiting; a call centre sends a handful per call

// ErrNotRunning says that the line takes no orders now.
var ErrNotRunning = errors.New("the line is not running")

// ErrFull says that too many orders wait already.
var ErrFull = errors.New("too many orders wait")

// New makes the line; it opens nothing before Run.
func New(o Options) *Line {
	return &Line{o: o, orders: make(chan hal.Order, maxOrders), sounds: make(map[hal.LegID]*soundport.Sound)}
}

// Name is Options.Name.
func (l *Line) Name() string { return l.o.Name }

// Run keeps the line in service until ctx ends. It hangs up a call that it leaves behind. It may be
// called again, not twice at a time.
func (l *Line) Run(ctx context.Context, up func(hal.Signal)) error {
	if l.o.OpenAT == nil || l.o.OpenPCM == nil {
		return fmt.Errorf("line %s: it needs a command port and a sound port", l.o.Name)
	}
	if l.running.Swap(true) {
		return fmt.Errorf("line %s: already running", l.o.Name)
	}
	defer l.running.Store(false)
	for len(l.orders) > 0 {
		<-l.orders // came while an earlier Run was ending
	}
	// Signals have a goroutine of their own, so that the wire is served while up blocks.
	tell := make(chan hal.Signal)
	told := make(chan struct{})
	go func() {
		defer close(told)
		for s := range tell {
			if g, ok := s.(hal.Gone); ok {
				l.setSound(g.Leg, nil)
			}
			up(s)
		}
	}()
	newActor(l).run(ctx, tell)
	close(tell)
	<-told
	l.mu.Lock()
	clear(l.sounds)
	l.mu.Unlock()
	return nil
}

// Do queues o. It fails with ErrNotRunning or ErrFull.
func (l *Line) Do(o hal.Order) error {
	if !l.running.Load() {
		return fmt.Errorf("line %s: %w", l.o.Name, ErrNotRunning)
	}
	select {
	case l.orders <- o:
		return nil
	default:
		return fmt.Errorf("line %s: %w", l.o.Name, ErrFull)
	}
}

// Audio is the sound of leg from Answered until Gone, else nil.
func (l *Line) Audio(leg hal.LegID) hal.Audio {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.sounds[leg]; s != nil {
		return s
	}
	return nil
}

func (l *Line) setSound(leg hal.LegID, s *soundport.Sound) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s == nil {
		delete(l.sounds, leg)
		return
	}
	l.sounds[leg] = s
}

var _ hal.Line = (*Line)(nil)
