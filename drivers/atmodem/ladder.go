package atmodem

import (
	"fmt"
	"time"
)

const (
	quietGap = 200 * time.Millisecond // this long without a byte: nothing of the old answer is on its way
	quietMax = 2 * time.Second        // a modem that chatters without end is asked all the same
	pingTime = time.Second
	pings    = 2 // unanswered ones before the escape, and again before the end
)

// rung is how far the way back is climbed after a command had no answer: wait for quiet, "AT"; after
// two failures ESC, which frees a modem that hangs in text entry, then "AT"; then the end.
type rung int

const (
	onFoot rung = 0  // no command is overdue; above it: pings sent so far, plus one
	atTop  rung = -1 // a ping was answered; what is still late may come before the next command goes out
)

// Next is when Tick wants to be called at the latest; zero: it waits for the port alone.
func (m *Modem) Next() time.Time {
	switch {
	case m.err != nil:
		return time.Time{}
	case m.ladder != onFoot && m.pending == nil:
		return earlier(m.heard.Add(quietGap), m.deadline)
	case m.pending != nil:
		return m.deadline
	}
	return time.Time{}
}

// Tick tells the modem that time has passed. Calling it too early or too often does no harm.
func (m *Modem) Tick() {
	next := m.Next()
	now := time.Now()
	if next.IsZero() || now.Before(next) {
		return
	}
	if m.pending == nil {
		m.rested()
		return
	}
	c, first := *m.pending, m.ladder == onFoot
	m.pending, m.lines, m.second = nil, nil, second{}
	m.log.Warn("no answer from the modem", "command", hidden(c.Text), "after", c.Limit)
	m.climb()
	if first { // else it was a ping
		done(c, Reply{Err: fmt.Errorf("%s: %w within %v", hidden(c.Text), ErrTimeout, c.Limit)})
	}
}

// climb goes one rung further.
func (m *Modem) climb() {
	if m.ladder > 2*rung(pings) {
		m.err = ErrSilent
		return
	}
	m.ladder = max(m.ladder, 1)
	if m.ladder == 1+rung(pings) {
		m.write("\x1b")
	}
	m.heard, m.deadline = time.Now(), time.Now().Add(quietMax)
}

// rested: it was quiet for a while.
func (m *Modem) rested() {
	if m.ladder == atTop {
		m.ladder = onFoot
		m.start()
		return
	}
	m.ladder++
	m.send(Command{Text: "AT", Limit: pingTime})
}

// climbed takes the answer of a ping. It may be the late answer of the command before, so that the
// ping's own is still to come: taken for the next command's, it would shift all answers by one.
func (m *Modem) climbed() {
	m.ladder = atTop
	m.heard, m.deadline = time.Now(), time.Now().Add(quietMax)
}

// Resync finds the modem on a port that was just opened, or one that has started anew: it waits
// until nothing of an old answer is on its way and asks "AT" until there is an answer. Commands
// wait meanwhile; one that was pending is told nothing.
func (m *Modem) Resync() {
	m.pending, m.lines, m.second, m.ladder = nil, nil, second{}, onFoot
	m.climb()
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
