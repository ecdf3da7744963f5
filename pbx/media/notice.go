package media

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"branchline/hal"
)

// notice is a signal on its way from the worker to the engine. It is plain memory so that telling
// one allocates nothing on the worker's thread.
type notice struct {
	kind kind
	leg  hal.LegID
	ref  hal.Ref
	key  byte
	held time.Duration
	cut  bool
	file string
	why  string
	log  string // what the log is to say besides; "" nothing
}

type kind uint8

const (
	logged kind = iota // no signal, only the log
	played
	recorded
	digit
	flash
	failed
)

func (n notice) signal() hal.Signal {
	switch n.kind {
	case played:
		return hal.Played{Leg: n.leg, Ref: n.ref, Cut: n.cut}
	case recorded:
		return hal.Recorded{Ref: n.ref, File: n.file, For: n.held, Err: n.why}
	case digit:
		return hal.Digit{Leg: n.leg, Key: n.key, For: n.held}
	case flash:
		return hal.Flash{Leg: n.leg}
	case failed:
		return hal.Failed{Leg: n.leg, Ref: n.ref, Why: n.why}
	}
	panic(fmt.Sprintf("media: notice of kind %d", n.kind))
}

const (
	noticeQueue = 1024
	maxOverflow = 4096
)

// tell queues n for the forwarder. While the engine stands still what was promised (Played,
// Recorded, Failed) is kept, keys beyond a bound are dropped and counted.
func (w *Worker) tell(n notice) {
	if len(w.overflow) == 0 {
		select {
		case w.notices <- n:
			return
		default:
		}
	}
	if len(w.overflow) >= maxOverflow && (n.kind == digit || n.kind == flash || n.kind == logged) {
		w.dropped++
		return
	}
	w.overflow = append(w.overflow, n)
}

// flush moves what did not fit before.
func (w *Worker) flush() {
	moved := 0
	for moved < len(w.overflow) && len(w.notices) < cap(w.notices) { // nobody else fills the channel
		w.notices <- w.overflow[moved]
		moved++
	}
	if moved > 0 {
		w.overflow = append(w.overflow[:0], w.overflow[moved:]...)
	}
	if len(w.overflow) == 0 && w.dropped > 0 {
		w.tell(notice{kind: logged, log: "keys were dropped: the engine did not take them", why: fmt.Sprint(w.dropped)})
		w.dropped = 0
	}
}

// fail answers an order that is not done.
func (w *Worker) fail(leg hal.LegID, ref hal.Ref, why string) {
	w.tell(notice{kind: failed, leg: leg, ref: ref, why: why})
}

// forward hands signals up until notices is closed; after ctx has ended it only empties it.
func (w *Worker) forward(ctx context.Context, notices <-chan notice, up func(hal.Signal)) {
	for n := range notices {
		if n.log != "" {
			w.opt.Log.Warn("sound", "event", n.log, "leg", n.leg, "ref", n.ref, "why", n.why)
		}
		if n.kind != logged && ctx.Err() == nil {
			up(n.signal())
		}
	}
}

// broke reports a panic that was caught. It is called from a deferred function.
func (w *Worker) broke(leg hal.LegID, why any) {
	w.tell(notice{kind: logged, leg: leg, log: "a panic was caught",
		why: fmt.Sprintf("%v\n%s", why, debug.Stack())})
}
