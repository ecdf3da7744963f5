// Package outbox holds signals between a line's own goroutine, which must not wait, and up, which may. It
// loses nothing that is told once; of what is told again only the newest is kept. Start reading at Outbox.
package outbox

import (
	"context"
	"slices"
	"sync"

	"branchline/hal"
)

// Outbox holds signals until somebody listens. New makes it.
type Outbox struct {
	ready chan struct{}

	mu      sync.Mutex // guards what follows
	signals []hal.Signal
}

// maxSignals bounds the keys that a phone can pile up while nobody listens. Nothing else is left out.
const maxSignals = 1 << 16

// New makes an empty outbox.
func New() *Outbox { return &Outbox{ready: make(chan struct{}, 1)} }

// Put queues s. It does not wait. Of Censuses only the newest counts.
func (o *Outbox) Put(s hal.Signal) {
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

// Take empties the outbox.
func (o *Outbox) Take() []hal.Signal {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.signals
	o.signals = nil
	return s
}

// Tell hands signals to up until ctx ends (nil) or the wire does (its error).
func (o *Outbox) Tell(ctx context.Context, ended <-chan error, up func(hal.Signal)) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-ended:
			return err
		case <-o.ready:
			for _, s := range o.Take() {
				if ctx.Err() != nil {
					return nil
				}
				up(s)
			}
		}
	}
}
