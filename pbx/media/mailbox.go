package media

import "sync/atomic"

// mailbox passes work to the worker's thread. Anybody may post and never waits; one goroutine
// takes, without a lock. The zero value is open.
type mailbox struct {
	top    atomic.Pointer[letter] // newest first
	size   atomic.Int64
	closed letter // its address marks a mailbox that nobody empties
}

type letter struct {
	next *letter
	do   func()
}

// post adds do and says whether the taker must be woken. It refuses when the mailbox is closed.
func (m *mailbox) post(do func()) (first, ok bool) {
	l := &letter{do: do}
	for {
		top := m.top.Load()
		if top == &m.closed {
			return false, false
		}
		l.next = top
		if m.top.CompareAndSwap(top, l) {
			m.size.Add(1)
			return top == nil, true
		}
	}
}

// take empties the mailbox, oldest first.
func (m *mailbox) take() *letter { return m.inOrder(m.top.Swap(nil)) }

// close refuses further letters and returns those not yet taken.
func (m *mailbox) close() *letter { return m.inOrder(m.top.Swap(&m.closed)) }

// reopen takes letters again after close.
func (m *mailbox) reopen() { m.top.CompareAndSwap(&m.closed, nil) }

func (m *mailbox) inOrder(l *letter) *letter {
	var oldest *letter
	for l != nil && l != &m.closed {
		l.next, oldest, l = oldest, l, l.next
		m.size.Add(-1)
	}
	return oldest
}
