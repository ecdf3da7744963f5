// Package network is the toy telephone network that joins all simulated lines of the box.
//
// Inside it are subscribers, simulated devices such as a modem, that are reached by a number
// (Attach), and persons outside, who follow a Script: they call a subscriber (Call) or wait
// until the box dials them (Person). Each call keeps a ledger of what really happened to it and
// when; crash tests hold the box's call records against it, so it is exact and, with LedgerTo,
// on disk before anybody is told of the event.
//
// All times are taken from package time: under testing/synctest a simulated day takes no time.
// Start reading at Network.Call, then Call and Leg.
package network

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"branchline/hal"
)

const (
	setupTime   = 100 * time.Millisecond // from the last digit until the far end is reached
	ringLimit   = 2 * time.Minute        // the network itself ends a call that nobody answers
	keptCalls   = 200                    // ended calls that Calls still shows
	frame       = 160                    // samples in 20 ms at 8 kHz
	sampleRate  = 8000
	maxNumberOf = 40 // characters of a telephone number
)

// Network joins subscribers and persons. New makes it; it runs nothing of its own while there is no call.
type Network struct {
	log    *slog.Logger
	ledger ledger
	people sync.WaitGroup // one goroutine for each person who is in a call
	prefix string         // of call ids: they stay unique when a simulator starts anew

	mu          sync.Mutex // guards what follows
	subscribers map[string]*Access
	persons     map[string]Script
	calls       []*Call // running ones and the last ended ones, oldest first
	texts       []Text
	made        uint64
	closed      bool
}

// Station is a simulated device at the network. The network tells it what happens on a call of
// its own, in order and one at a time per call. The methods must not wait; they may call the Leg.
type Station interface {
	Ring(l *Leg)                                // a call has come in; the station says l.Ringing when it rings
	Alerting(l *Leg)                            // the number that the station has dialled rings
	Answered(l *Leg)                            // the number that the station has dialled has answered
	Ended(l *Leg, why hal.Cause)                // the far end or the network has ended the call
	KeyHeard(l *Leg, key byte, d time.Duration) // a key tone from the far end is over; it was also in the sound
}

// Access is a subscriber's connection to the network.
type Access struct {
	net     *Network
	number  string
	station Station
	off     bool // guarded by net.mu
}

// New makes a network without anybody in it.
func New(log *slog.Logger) *Network {
	return &Network{
		log:         log,
		prefix:      "c" + strconv.FormatInt(time.Now().UnixMilli(), 36) + "-",
		subscribers: map[string]*Access{},
		persons:     map[string]Script{},
	}
}

// LedgerTo writes every event from now on to w, one JSON object per line, each in a single Write
// before anybody is told of the event. A write that goes wrong is logged.
func (n *Network) LedgerTo(w io.Writer) { n.ledger.writeTo(w) }

// Attach connects s under number. It can be called at once. An error: the number is taken or no number.
func (n *Network) Attach(number string, s Station) (*Access, error) {
	if err := checkNumber(number); err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.subscribers[number] != nil {
		return nil, fmt.Errorf("number %s has a subscriber already", number)
	}
	a := &Access{net: n, number: number, station: s}
	n.subscribers[number] = a
	return a, nil
}

// Person puts somebody outside who behaves as s says when number is dialled, in any number of
// calls at once. It replaces the one who had the number. A number without a Person is unallocated.
func (n *Network) Person(number string, s Script) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.persons[number] = s
}

// Call lets a person outside call number to, which must be a subscriber's, and returns at once.
// The person rings until the box answers, the script's patience is over, or two minutes have
// gone; the script's steps begin when the box answers.
func (n *Network) Call(to string, s Script) (*Call, error) {
	if s.refusal != "" || s.answers {
		return nil, fmt.Errorf("call to %s: the script is one for a person who is called: %s", to, s)
	}
	n.mu.Lock()
	a := n.subscribers[to]
	var off bool
	if a != nil {
		off = a.off
	}
	known := n.numbers()
	n.mu.Unlock()
	if a == nil {
		return nil, fmt.Errorf("call to %q: no simulated line has that number; there are: %s", to, strings.Join(known, ", "))
	}
	c, err := n.open(s.from, to, nil, a.station)
	if err != nil {
		return nil, err
	}
	n.people.Go(func() {
		switch {
		case off:
			c.end(ByNetwork, hal.Unreachable)
		default:
			c.tell(func() { a.station.Ring(c.ends[called]) })
			c.ends[caller].callOut(s)
		}
	})
	return c, nil
}

// Dial calls number to for the subscriber and returns at once; what comes of it is told to the
// station. Withhold hides the subscriber's number.
func (a *Access) Dial(to string, withhold bool) (*Leg, error) {
	n, from := a.net, a.number
	if withhold {
		from = ""
	}
	n.mu.Lock()
	far, off := n.subscribers[to], false
	if far != nil {
		off = far.off
	}
	script, isPerson := n.persons[to]
	n.mu.Unlock()

	var station Station
	switch {
	case far == a:
		script = Script{refusal: hal.Busy}
	case far != nil && off:
		script = Script{refusal: hal.Unreachable}
	case far != nil:
		station = far.station
	case !isPerson:
		script = Script{refusal: hal.Unallocated}
	}
	c, err := n.open(from, to, a.station, station)
	if err != nil {
		return nil, err
	}
	if station != nil {
		n.people.Go(func() {
			c.tell(func() { station.Ring(c.ends[called]) })
			c.limitRinging(ringLimit)
		})
	} else {
		n.people.Go(func() { c.ends[called].beCalled(script) })
	}
	return c.ends[caller], nil
}

// Reachable switches the access on or off: while it is off, callers are told that the number is
// unreachable. Calls that run are not touched.
func (a *Access) Reachable(on bool) {
	a.net.mu.Lock()
	defer a.net.mu.Unlock()
	a.off = !on
}

// Calls lists the running calls and the last 200 ended ones, oldest first.
func (n *Network) Calls() []*Call {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.calls)
}

// Find is the call with that id, or nil when there is none or it ended long ago.
func (n *Network) Find(id string) *Call {
	for _, c := range n.Calls() {
		if c.id == id {
			return c
		}
	}
	return nil
}

// Watch yields the ledger's events with a Seq above since, oldest first, then waits for more
// until ctx ends or the caller breaks. Events that are long past (10,000) are left out.
func (n *Network) Watch(ctx context.Context, since uint64) func(yield func(Event) bool) {
	return n.ledger.follow(ctx, since)
}

// Close ends all calls and waits until every person has gone. The network takes no calls after it.
func (n *Network) Close() {
	n.mu.Lock()
	n.closed = true
	calls := slices.Clone(n.calls)
	n.mu.Unlock()
	for _, c := range calls {
		c.end(ByNetwork, hal.WireTrouble)
	}
	n.people.Wait()
}

// open makes a call; a nil station is a person.
func (n *Network) open(from, to string, callerAt, calledAt Station) (*Call, error) {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return nil, fmt.Errorf("call from %q to %s: the simulated network is closed", from, to)
	}
	n.made++
	c := newCall(n, n.prefix+strconv.FormatUint(n.made, 10), from, to, callerAt, calledAt)
	n.calls = append(n.calls, c)
	n.forget()
	n.mu.Unlock()
	c.mu.Lock()
	c.note(Event{Kind: Dialled, By: ByCaller, From: from, To: to})
	c.mu.Unlock()
	n.log.Debug("simulated call", "call", c.id, "from", from, "to", to)
	return c, nil
}

// forget drops the oldest ended calls above keptCalls. The caller holds n.mu.
func (n *Network) forget() {
	for over, i := len(n.calls)-keptCalls, 0; over > 0 && i < len(n.calls); {
		select {
		case <-n.calls[i].done:
			n.calls = slices.Delete(n.calls, i, i+1)
			over--
		default:
			i++
		}
	}
}

func (n *Network) numbers() []string {
	var all []string
	for number := range n.subscribers {
		all = append(all, number)
	}
	slices.Sort(all)
	return all
}

func checkNumber(number string) error {
	digits := strings.TrimPrefix(number, "+")
	if digits == "" || len(digits) > maxNumberOf || strings.Trim(digits, "0123456789*#") != "" {
		return fmt.Errorf("%q is no telephone number: digits, * and #, with a leading + where it is international", number)
	}
	return nil
}
