package network

import (
	"errors"
	"slices"
	"sync"
	"time"

	"branchline/hal"
)

// ErrOver says that a call has ended, or is not in a state in which that can be done.
var ErrOver = errors.New("the call is over or was answered already")

const (
	caller = 0
	called = 1
)

// Call is one call through the network. All methods may be called from anywhere at any time.
type Call struct {
	id       string
	net      *Network
	from, to string
	began    time.Time
	ends     [2]*Leg
	answered chan struct{} // closed when it is answered
	done     chan struct{} // closed when it is over

	mu         sync.Mutex // guards what follows
	phase      Kind
	answeredAt time.Time
	endedAt    time.Time
	cause      hal.Cause
	by         Side
	events     []Event
	untold     []func() // what stations are still to be told, in order
	telling    bool
}

// State is a call at one moment.
type State struct {
	ID       string
	From, To string // as shown; From "" withheld
	Phase    Kind   // Dialled, Ringing, Answered or Ended
	Began    time.Time
	Answered time.Time // zero: not answered
	Ended    time.Time // zero: it runs
	By       Side      // who ended it
	Cause    hal.Cause
}

// Leg is one end of a call, in the hands of the station to which it was given. Its methods may
// be called from anywhere and never wait for the far end.
type Leg struct {
	call *Call
	side int
	at   Station // nil: a person
	voice
}

func newCall(n *Network, id, from, to string, callerAt, calledAt Station) *Call {
	c := &Call{
		id: id, net: n, from: from, to: to, began: time.Now(), phase: Dialled,
		answered: make(chan struct{}), done: make(chan struct{}),
	}
	c.ends = [2]*Leg{{call: c, side: caller, at: callerAt}, {call: c, side: called, at: calledAt}}
	return c
}

// ID is unique among all calls of all networks.
func (c *Call) ID() string { return c.id }

// Done is closed when the call is over.
func (c *Call) Done() <-chan struct{} { return c.done }

// Answered is closed when the call is answered.
func (c *Call) Answered() <-chan struct{} { return c.answered }

// State tells how the call stands.
func (c *Call) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return State{
		ID: c.id, From: c.from, To: c.to, Phase: c.phase, Began: c.began,
		Answered: c.answeredAt, Ended: c.endedAt, By: c.by, Cause: c.cause,
	}
}

// Events is the call's part of the ledger so far; the caller owns the slice.
func (c *Call) Events() []Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.events)
}

// Heard is the last 10 s of what the person of the call has heard since the answer, 8 kHz; the
// caller owns the slice. It is empty when both ends are simulated lines.
func (c *Call) Heard() []int16 {
	if l := c.person(); l != nil {
		return l.heardSoFar()
	}
	return nil
}

// Hangup lets the person hang up. After the end it does nothing.
func (c *Call) Hangup() {
	if l := c.person(); l != nil {
		l.Hangup(hal.Normal)
	}
}

// Key lets the person press keys, 100 ms each, after what is still being said in keys.
func (c *Call) Key(keys string) {
	if l := c.person(); l != nil {
		for i := range len(keys) {
			l.Key(keys[i], keyTime)
		}
	}
}

// Tone lets the person sound hz, mixed with nothing, until another Tone; 0 is silence.
func (c *Call) Tone(hz float64) {
	if l := c.person(); l != nil {
		l.setTone(hz)
	}
}

// Say lets the person say pcm (8 kHz), after what is still to be said. The network copies it.
func (c *Call) Say(pcm []int16) {
	if l := c.person(); l != nil {
		l.say(pcm)
	}
}

func (c *Call) person() *Leg {
	for _, l := range c.ends {
		if l.at == nil {
			return l
		}
	}
	return nil
}

// note writes ev into the ledger. The caller holds c.mu.
func (c *Call) note(ev Event) {
	ev.At, ev.Call = time.Now(), c.id
	ev, err := c.net.ledger.add(ev)
	if err != nil {
		c.net.log.Error("simulated network", "err", err)
	}
	c.events = append(c.events, ev)
}

// tell queues a word to a station and has the queue told, in order and one at a time, with no
// lock held. Somebody who is telling already tells this one too.
func (c *Call) tell(word func()) {
	c.mu.Lock()
	c.untold = append(c.untold, word)
	if c.telling {
		c.mu.Unlock()
		return
	}
	c.telling = true
	for len(c.untold) > 0 {
		next := c.untold[0]
		c.untold = c.untold[1:]
		c.mu.Unlock()
		next()
		c.mu.Lock()
	}
	c.telling = false
	c.mu.Unlock()
}

// end ends the call once; false: it was over.
func (c *Call) end(by Side, why hal.Cause) bool { return c.endIn(by, why, Dialled, Ringing, Answered) }

// giveUp ends the call if it is not answered.
func (c *Call) giveUp(by Side) { c.endIn(by, hal.NoAnswer, Dialled, Ringing) }

// endIn ends the call if it is in one of the phases.
func (c *Call) endIn(by Side, why hal.Cause, phases ...Kind) bool {
	c.mu.Lock()
	if !slices.Contains(phases, c.phase) {
		c.mu.Unlock()
		return false
	}
	c.phase, c.by, c.cause, c.endedAt = Ended, by, why, time.Now()
	c.note(Event{Kind: Ended, By: by, Cause: why})
	close(c.done)
	c.mu.Unlock()
	for i, l := range c.ends {
		if l.at != nil && by != sideOf(i) {
			c.tell(func() { l.at.Ended(l, why) })
		}
	}
	return true
}

// ringing says that it rings at the called side, once.
func (c *Call) ringing() {
	c.mu.Lock()
	if c.phase != Dialled {
		c.mu.Unlock()
		return
	}
	c.phase = Ringing
	c.note(Event{Kind: Ringing, By: ByCalled})
	c.mu.Unlock()
	if l := c.ends[caller]; l.at != nil {
		c.tell(func() { l.at.Alerting(l) })
	}
}

func (c *Call) answer() error {
	c.mu.Lock()
	if c.phase != Dialled && c.phase != Ringing {
		c.mu.Unlock()
		return ErrOver
	}
	c.phase, c.answeredAt = Answered, time.Now()
	c.note(Event{Kind: Answered, By: ByCalled})
	close(c.answered)
	c.mu.Unlock()
	if l := c.ends[caller]; l.at != nil {
		c.tell(func() { l.at.Answered(l) })
	}
	return nil
}

// talks says whether sound flows.
func (c *Call) talks() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.phase == Answered
}

// keyed notes a complete key tone of side and tells the far end.
func (c *Call) keyed(side int, key byte, d time.Duration) {
	c.mu.Lock()
	if c.phase != Answered {
		c.mu.Unlock()
		return
	}
	c.note(Event{Kind: Key, By: sideOf(side), Key: string(rune(key)), For: d})
	c.mu.Unlock()
	if far := c.ends[1-side]; far.at != nil {
		c.tell(func() { far.at.KeyHeard(far, key, d) })
	}
}

// limitRinging ends the call if it is not answered within d; it waits for that.
func (c *Call) limitRinging(d time.Duration) {
	select {
	case <-c.answered:
	case <-c.done:
	case <-time.After(d):
		c.giveUp(ByNetwork)
	}
}

func sideOf(i int) Side { return [...]Side{ByCaller, ByCalled}[i] }

// Call is the call of which the leg is an end.
func (l *Leg) Call() *Call { return l.call }

// Far is the number at the other end as it is shown here; "" withheld.
func (l *Leg) Far() string {
	if l.side == called {
		return l.call.from
	}
	return l.call.to
}

// Ringing says that it rings here. Only the called side says it; the first time counts.
func (l *Leg) Ringing() {
	if l.side == called {
		l.call.ringing()
	}
}

// Answer takes the call. ErrOver: it has ended, was answered, or is not an incoming one.
func (l *Leg) Answer() error {
	if l.side != called {
		return ErrOver
	}
	return l.call.answer()
}

// Hangup ends the call in any state, with the cause that the far end is told. false: it was over already.
func (l *Leg) Hangup(why hal.Cause) bool { return l.call.end(sideOf(l.side), why) }

// Hold notes in the ledger that this side has put the other on hold, or taken it back.
func (l *Leg) Hold(on bool) {
	l.call.mu.Lock()
	defer l.call.mu.Unlock()
	if l.call.phase != Answered {
		return
	}
	kind := Resumed
	if on {
		kind = Held
	}
	l.call.note(Event{Kind: kind, By: sideOf(l.side)})
}
