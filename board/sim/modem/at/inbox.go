package at

import (
	"context"
	"sync"
)

// NewInbox makes an empty one.
func NewInbox() *Inbox { return &Inbox{Ready: make(chan struct{}, 1)} }

// Inbox is how others reach what one goroutine owns. Make one by NewInbox.
type Inbox struct {
	Ready chan struct{} // has something when Take has
	mu    sync.Mutex    // guards wait
	wait  []func()
}

// Post hands f to the owner and returns at once.
func (in *Inbox) Post(f func()) {
	in.mu.Lock()
	in.wait = append(in.wait, f)
	in.mu.Unlock()
	select {
	case in.Ready <- struct{}{}:
	default:
	}
}

// Await posts f and waits until it is done or ctx ends.
func (in *Inbox) Await(ctx context.Context, f func()) {
	done := make(chan struct{})
	in.Post(func() { f(); close(done) })
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// Take is what was posted since, in order.
func (in *Inbox) Take() []func() {
	in.mu.Lock()
	defer in.mu.Unlock()
	all := in.wait
	in.wait = nil
	return all
}
