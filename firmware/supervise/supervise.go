// Package supervise keeps the box's services running: each is started, started again with a
// growing pause when it fails, and waited for at the end. Start at Group.
package supervise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"
)

// Service is something that runs as long as the box does.
type Service struct {
	Name string
	// Run returns nil when ctx ends. An error or a panic has it started again, after a pause.
	Run func(ctx context.Context) error
	// Vital: the program cannot go on without it; its error ends Run, to be started again as a whole.
	Vital bool
}

const (
	firstPause = 200 * time.Millisecond
	longPause  = 30 * time.Second
	wellAfter  = time.Minute // a service that ran this long begins with the first pause again
)

// Group runs services that come and go while the box runs. The zero value is not ready: use New.
type Group struct {
	log  *slog.Logger
	fail context.CancelCauseFunc
	ctx  context.Context

	mu       sync.Mutex
	services []*started // in the order in which they were started
	wait     sync.WaitGroup
}

type started struct {
	name   string
	cancel context.CancelFunc
}

// New makes a group that lives as long as ctx.
func New(ctx context.Context, log *slog.Logger) *Group {
	ctx, fail := context.WithCancelCause(ctx)
	return &Group{log: log, ctx: ctx, fail: fail}
}

// Start runs s until the group ends or Stop names it. The name may be that of one that is ending.
func (g *Group) Start(s Service) {
	ctx, cancel := context.WithCancel(g.ctx)
	self := &started{s.Name, cancel}
	g.mu.Lock()
	g.services = append(g.services, self)
	g.mu.Unlock()
	g.wait.Go(func() {
		g.keep(ctx, s)
		cancel()
		g.mu.Lock()
		g.services = slices.DeleteFunc(g.services, func(o *started) bool { return o == self })
		g.mu.Unlock()
	})
}

// Stop ends the service of that name; it does not wait for its end.
func (g *Group) Stop(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range g.services {
		if s.name == name {
			s.cancel()
		}
	}
}

// Done is closed when the group ends: by its ctx, or by a vital service that failed.
func (g *Group) Done() <-chan struct{} { return g.ctx.Done() }

// Failure is why the group ended, where it was a vital service; else nil.
func (g *Group) Failure() error {
	if err := context.Cause(g.ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// Wait ends all services and waits for them, at most limit. The error names who did not return.
func (g *Group) Wait(limit time.Duration) error {
	g.fail(context.Canceled)
	done := make(chan struct{})
	go func() { g.wait.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-time.After(limit):
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	var names []string
	for _, s := range g.services {
		names = append(names, s.name)
	}
	return fmt.Errorf("did not stop within %v: %s", limit, strings.Join(names, ", "))
}

func (g *Group) keep(ctx context.Context, s Service) {
	pause := firstPause
	for {
		began := time.Now()
		err := guarded(ctx, s.Run)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("ended by itself")
		}
		if s.Vital {
			g.fail(fmt.Errorf("%s: %w", s.Name, err))
			return
		}
		if time.Since(began) > wellAfter {
			pause = firstPause
		}
		g.log.Error("service failed; it is started again", "service", s.Name, "err", err, "pause", pause)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(pause*2, longPause)
	}
}

func guarded(ctx context.Context, run func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return run(ctx)
}
