package phone

import (
	"context"
	"sync"
)

// watched lets readers wait for a change. The fields it guards are read and written inside look
// and update only.
type watched struct {
	mu      sync.Mutex
	changed chan struct{}
}

func (w *watched) look(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

func (w *watched) update(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
}

// wait returns nil as soon as ok says so; it asks again after each update.
func (w *watched) wait(ctx context.Context, ok func() bool) error {
	for {
		w.mu.Lock()
		if ok() {
			w.mu.Unlock()
			return nil
		}
		if w.changed == nil {
			w.changed = make(chan struct{})
		}
		changed := w.changed
		w.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
