package sip

import (
	"context"
	"slices"
	"sync"

	"branchline/hal"
	"branchline/pbx/media"
)

// outbox holds signals until somebody listens: the desk must not wait for up.
type outbox struct {
	ready chan struct{}

	mu      sync.Mutex // guards what follows
	signals []hal.Signal
}

// maxSignals bounds the keys that a phone can pile up while nobody listens. Nothing else is left out.
const maxSignals = 1 << 16

func newOutbox() *outbox { return &outbox{ready: make(chan struct{}, 1)} }

// put queues s. Of Censuses only the newest counts.
func (o *outbox) put(s hal.Signal) {
	o.mu.Lock()
	switch s.(type) {
	case hal.Census:
		o.signals = slices.DeleteFunc(o.signals, func(s hal.Signal) bool { _, old := s.(hal.Census); return old })
		o.signals = append(o.signals, s)
	case hal.Digit:
		if len(o.signals) < maxSignals {
			o.signals = append(o.signals, s)
		}
	default:
		o.signals = append(o.signals, s)
	}
	o.mu.Unlock()
	select {
	case o.ready <- struct{}{}:
	default:
	}
}

func (o *outbox) take() []hal.Signal {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.signals
	o.signals = nil
	return s
}

// tell hands signals to up until ctx ends (nil) or the wire does (its error).
func (o *outbox) tell(ctx context.Context, ended <-chan error, up func(hal.Signal)) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-ended:
			return err
		case <-o.ready:
			for _, s := range o.take() {
				if ctx.Err() != nil {
					return nil
				}
				up(s)
			}
		}
	}
}

// audio is the table of RTP ports, which the engine asks from its own goroutine.
type audio struct {
	mu    sync.Mutex // guards what follows
	ports map[hal.LegID]*media.Port
}

func (a *audio) of(leg hal.LegID) *media.Port {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ports[leg]
}

func (a *audio) set(leg hal.LegID, p *media.Port) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ports == nil {
		a.ports = map[hal.LegID]*media.Port{}
	}
	if p == nil {
		delete(a.ports, leg)
		return
	}
	a.ports[leg] = p
}

func (a *audio) clear() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ports = nil
}
