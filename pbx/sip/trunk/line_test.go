package trunk

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"branchline/board/sim/provider"
	"branchline/hal"
	"branchline/hal/haltest"
)

// far is what a provider does at the hooks of haltest.
type far struct {
	t  *testing.T
	p  *provider.Provider
	mu sync.Mutex
	c  *provider.Call
}

func (f *far) do(act func(ctx context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := act(ctx); err != nil {
		f.t.Error(err)
	}
}

// call is the call that the box has made, or ours.
func (f *far) call(ctx context.Context, wait bool) (*provider.Call, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !wait {
		return f.c, nil
	}
	c, err := f.p.WaitCall(ctx)
	f.c = c
	return c, err
}

func trunkRig(t *testing.T) haltest.Rig {
	p := serve(t, provider.Options{})
	f := &far{t: t, p: p}
	line := newLine(t, settings(p), slog.New(slog.DiscardHandler), func(l *Trunk) { l.pace.tick = time.Second })
	return haltest.Rig{
		Line: line, Number: "+4989123456", From: "0171555",
		Call: func() {
			f.do(func(ctx context.Context) (err error) {
				f.mu.Lock()
				defer f.mu.Unlock()
				f.c, err = p.Call(ctx, "4930901820", "0171555", nil)
				return err
			})
		},
		RingAgain: func() { f.do(func(ctx context.Context) error { return f.c.Repeat(ctx) }) },
		Pick: func() {
			f.do(func(ctx context.Context) error {
				c, err := f.call(ctx, true)
				if err != nil {
					return err
				}
				return c.Answer(ctx)
			})
		},
		Refuse: func() {
			f.do(func(ctx context.Context) error {
				c, err := f.call(ctx, true)
				if err != nil {
					return err
				}
				return c.Refuse(ctx, 486)
			})
		},
		HangUp: func() {
			f.do(func(ctx context.Context) error {
				c, err := f.call(ctx, false)
				if err != nil {
					return err
				}
				return c.Hangup(ctx)
			})
		},
		Press: func(key byte) {
			f.do(func(ctx context.Context) error {
				c, _ := f.call(ctx, false)
				if err := c.Wait(ctx, provider.Talks); err != nil {
					return err
				}
				return c.Info(ctx, key)
			})
		},
		// What a call sounds like does not go by the server: it goes on while that is away.
		Lacks: []string{"Vanish", "Return"},
	}
}

func TestTrunksKeepThePromisesOfALine(t *testing.T) { haltest.TestLine(t, trunkRig) }

var _ hal.Line = (*Trunk)(nil)
