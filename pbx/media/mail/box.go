// Package mail is how the worker's thread talks with everybody else without waiting, locking or
// allocating: letters come in through a Box, signals go out through an Outbox. Start reading there.
package mail

import "sync/atomic"

// Box passes work to the worker's thread. Anybody may post and never waits; one goroutine
// takes, without a lock. The zero value is open.
type Box struct {
	top    atomic.Pointer[Letter] // newest first
	size   atomic.Int64
	closed Letter // its address marks a box that nobody empties
}

// Letter is something to be done, and the one to be done after it.
type Letter struct {
	Next *Letter
	Do   func()
}

// Post adds do and says whether the taker must be woken. It refuses when the box is closed.
func (b *Box) Post(do func()) (first, ok bool) {
	l := &Letter{Do: do}
	for {
		top := b.top.Load()
		if top == &b.closed {
			return false, false
		}
		l.Next = top
		if b.top.CompareAndSwap(top, l) {
			b.size.Add(1)
			return top == nil, true
		}
	}
}

// Take empties the box, oldest first.
func (b *Box) Take() *Letter { return b.inOrder(b.top.Swap(nil)) }

// Close refuses further letters and returns those not yet taken.
func (b *Box) Close() *Letter { return b.inOrder(b.top.Swap(&b.closed)) }

// Reopen takes letters again after Close.
func (b *Box) Reopen() { b.top.CompareAndSwap(&b.closed, nil) }

// Len is how many letters wait.
func (b *Box) Len() int { return int(b.size.Load()) }

func (b *Box) inOrder(l *Letter) *Letter {
	var oldest *Letter
	for l != nil && l != &b.closed {
		l.Next, oldest, l = oldest, l, l.Next
		b.size.Add(-1)
	}
	return oldest
}
