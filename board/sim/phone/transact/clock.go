package transact

import (
	"container/heap"
	"time"
)

// Clock runs things later in the goroutine of its owner, who alone may touch it: he waits until
// Next and then calls Run.
type Clock struct {
	now   func() time.Time
	queue timerQueue
	seq   uint64 // timers due together run in the order in which they were set
}

// NewClock makes a clock that reads the time from now.
func NewClock(now func() time.Time) *Clock { return &Clock{now: now} }

// Timer is one thing to be done later.
type Timer struct {
	clock *Clock
	at    time.Time
	seq   uint64
	do    func()
	index int // in the queue; -1: done or stopped
}

// After has do run by the first Run that comes d from now or later.
func (c *Clock) After(d time.Duration, do func()) *Timer {
	c.seq++
	t := &Timer{clock: c, at: c.now().Add(d), seq: c.seq, do: do}
	heap.Push(&c.queue, t)
	return t
}

// Stop makes sure that t does not run any more. A nil Timer may be stopped.
func (t *Timer) Stop() {
	if t != nil && t.index >= 0 {
		heap.Remove(&t.clock.queue, t.index)
	}
}

// Next says when Run has something to do; false: never.
func (c *Clock) Next() (time.Time, bool) {
	if len(c.queue) == 0 {
		return time.Time{}, false
	}
	return c.queue[0].at, true
}

// Run does all that is due.
func (c *Clock) Run() {
	for now := c.now(); len(c.queue) > 0 && !c.queue[0].at.After(now); {
		heap.Pop(&c.queue).(*Timer).do()
	}
}

type timerQueue []*Timer

func (q timerQueue) Len() int { return len(q) }
func (q timerQueue) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].seq < q[j].seq
	}
	return q[i].at.Before(q[j].at)
}
func (q timerQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}
func (q *timerQueue) Push(x any) {
	t := x.(*Timer)
	t.index = len(*q)
	*q = append(*q, t)
}
func (q *timerQueue) Pop() any {
	last := len(*q) - 1
	t := (*q)[last]
	(*q)[last], *q = nil, (*q)[:last]
	t.index = -1
	return t
}
