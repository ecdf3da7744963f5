package mail

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"branchline/hal"
)

// Notice is a signal on its way from the worker to the engine. It is plain memory so that telling
// one allocates nothing on the worker's thread.
type Notice struct {
	Kind   Kind
	Leg    hal.LegID
	Ref    hal.Ref
	Key    byte
	Held   time.Duration
	Cut    bool
	Passed bool
	File   string
	Why    string
	Log    string // what the log is to say besides; "" nothing
}

// Kind says which signal a Notice is.
type Kind uint8

const (
	Logged   Kind = iota // no signal, only the log
	Played               // hal.Played, and so on
	Recorded             // hal.Recorded
	Digit                // hal.Digit
	Flash                // hal.Flash
	Failed               // hal.Failed
	Quality              // hal.Quality, whose Problem is Why
)

// Signal is the signal that n is.
func (n Notice) Signal() hal.Signal {
	switch n.Kind {
	case Played:
		return hal.Played{Leg: n.Leg, Ref: n.Ref, Cut: n.Cut}
	case Recorded:
		return hal.Recorded{Ref: n.Ref, File: n.File, For: n.Held, Err: n.Why}
	case Digit:
		return hal.Digit{Leg: n.Leg, Key: n.Key, For: n.Held, Passed: n.Passed}
	case Flash:
		return hal.Flash{Leg: n.Leg}
	case Failed:
		return hal.Failed{Leg: n.Leg, Ref: n.Ref, Why: n.Why}
	case Quality:
		return hal.Quality{Leg: n.Leg, Problem: n.Why}
	}
	panic(fmt.Sprintf("mail: notice of kind %d", n.Kind))
}

const (
	noticeQueue = 1024
	maxOverflow = 4096
)

// Outbox keeps notices in order until they are handed up. All but Forward and Next belong to one
// goroutine.
type Outbox struct {
	notices  chan Notice
	overflow []Notice
	dropped  uint64
}

// NewOutbox makes an Outbox that is empty.
func NewOutbox() *Outbox { return &Outbox{notices: make(chan Notice, noticeQueue)} }

// Tell queues n for the forwarder. While the engine stands still what was promised (Played,
// Recorded, Failed) is kept, keys beyond a bound are dropped and counted.
func (o *Outbox) Tell(n Notice) {
	if len(o.overflow) == 0 {
		select {
		case o.notices <- n:
			return
		default:
		}
	}
	if len(o.overflow) >= maxOverflow && (n.Kind == Digit || n.Kind == Flash || n.Kind == Logged) {
		o.dropped++
		return
	}
	o.overflow = append(o.overflow, n)
}

// Full says that there is something for Flush to do.
func (o *Outbox) Full() bool { return len(o.overflow) > 0 }

// Flush moves what did not fit before.
func (o *Outbox) Flush() {
	moved := 0
	for moved < len(o.overflow) && len(o.notices) < cap(o.notices) { // nobody else fills the channel
		o.notices <- o.overflow[moved]
		moved++
	}
	if moved > 0 {
		o.overflow = append(o.overflow[:0], o.overflow[moved:]...)
	}
	if len(o.overflow) == 0 && o.dropped > 0 {
		o.Tell(Notice{Kind: Logged, Log: "keys were dropped: the engine did not take them", Why: fmt.Sprint(o.dropped)})
		o.dropped = 0
	}
}

// Close ends Forward. Nothing may be told afterwards.
func (o *Outbox) Close() { close(o.notices) }

// Next takes the oldest notice, if there is one; for those who do without Forward.
func (o *Outbox) Next() (Notice, bool) {
	select {
	case n := <-o.notices:
		return n, true
	default:
		return Notice{}, false
	}
}

// Forward hands signals up until Close; after ctx has ended it only empties the box. It is called by
// one goroutine of its own.
func (o *Outbox) Forward(ctx context.Context, log *slog.Logger, up func(hal.Signal)) {
	for n := range o.notices {
		if n.Log != "" {
			log.Warn("sound", "event", n.Log, "leg", n.Leg, "ref", n.Ref, "why", n.Why)
		}
		if n.Kind != Logged && ctx.Err() == nil {
			up(n.Signal())
		}
	}
}
