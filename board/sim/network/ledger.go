package network

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"branchline/hal"
)

// Kind is what an Event tells, and of a call's State what it was told last.
type Kind string

const (
	Dialled  Kind = "dialled"  // the number is complete
	Ringing  Kind = "ringing"  // it rings at the called side; of a modem: its first RING is written
	Answered Kind = "answered" // the called side has answered
	Key      Kind = "key"      // By has pressed a key; the tone is complete and told to the far end
	Held     Kind = "held"     // By has put the far side on hold
	Resumed  Kind = "resumed"  // By has taken it back
	Ended    Kind = "ended"    // By has ended the call
)

// Side is who did something on a call.
type Side string

const (
	ByCaller  Side = "caller"
	ByCalled  Side = "called"
	ByNetwork Side = "network"
)

// Event is one line of the ledger.
type Event struct {
	Seq   uint64        `json:"seq"` // from 1, without gaps
	At    time.Time     `json:"at"`
	Call  string        `json:"call"`
	Kind  Kind          `json:"kind"`
	By    Side          `json:"by"`
	From  string        `json:"from,omitempty"` // Dialled: the number shown; "" withheld
	To    string        `json:"to,omitempty"`   // Dialled
	Key   string        `json:"key,omitempty"`
	For   time.Duration `json:"for_ns,omitempty"` // how long the key was pressed
	Cause hal.Cause     `json:"cause,omitempty"`  // Ended
}

const keptEvents = 10_000

// ledger numbers the events of all calls, writes them out and keeps the last ones for readers.
type ledger struct {
	mu     sync.Mutex // guards what follows
	out    io.Writer
	seq    uint64
	events []Event
	more   chan struct{} // closed at the next event; nil while nobody waits
	broken error
}

func (l *ledger) writeTo(w io.Writer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out = w
}

// add numbers ev and writes it. The lock is held over the write because the order on disk is the
// truth. An error is of the writer, told once; the ledger in memory goes on.
func (l *ledger) add(ev Event) (Event, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	ev.Seq = l.seq
	if len(l.events) >= keptEvents {
		l.events = append(l.events[:0], l.events[keptEvents/2:]...)
	}
	l.events = append(l.events, ev)
	if l.more != nil {
		close(l.more)
		l.more = nil
	}
	if l.out == nil || l.broken != nil {
		return ev, nil
	}
	line, err := json.Marshal(ev)
	if err == nil {
		_, err = l.out.Write(append(line, '\n'))
	}
	if err != nil {
		l.broken = fmt.Errorf("write ledger: %w", err)
	}
	return ev, l.broken
}

// after returns the kept events above since and, when there are none, what to wait for.
func (l *ledger) after(since uint64) ([]Event, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, ev := range l.events {
		if ev.Seq > since {
			return append([]Event(nil), l.events[i:]...), nil
		}
	}
	if l.more == nil {
		l.more = make(chan struct{})
	}
	return nil, l.more
}

func (l *ledger) follow(ctx context.Context, since uint64) func(yield func(Event) bool) {
	return func(yield func(Event) bool) {
		for {
			events, more := l.after(since)
			for _, ev := range events {
				if !yield(ev) {
					return
				}
				since = ev.Seq
			}
			if more == nil {
				continue
			}
			select {
			case <-more:
			case <-ctx.Done():
				return
			}
		}
	}
}
