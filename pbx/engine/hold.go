package engine

import (
	"slices"
	"strings"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
)

// hold keeps back the orders that tell a caller anything until the facts behind them are on disk:
// then a call that anybody noticed has a record, whenever the plug is pulled. Orders for one leg
// keep their order; a Stop finds its Play among the held ones.
type hold struct {
	orders   []held
	unsynced bool // the disk has stalled; said once until it answers again

	stalled time.Time // since when, and the fact that says so
	told    call.Seq
}

type held struct {
	order hal.Order
	need  call.Seq
	since time.Time
}

// until is when the oldest held order goes out in any case; zero: none is held.
func (h *hold) until() time.Time {
	if len(h.orders) == 0 {
		return time.Time{}
	}
	return h.orders[0].since.Add(stall)
}

// behind tells whether an order for leg must queue up behind a held one.
func (h *hold) behind(leg hal.LegID) bool {
	return leg != "" && slices.ContainsFunc(h.orders, func(o held) bool { return o.order.On() == leg })
}

func (h *hold) drop(leg hal.LegID) {
	h.orders = slices.DeleteFunc(h.orders, func(o held) bool { return o.order.On() == leg })
}

// stop takes a Play that has not gone out yet; it never began.
func (h *hold) stop(ref hal.Ref) bool {
	had := len(h.orders)
	h.orders = slices.DeleteFunc(h.orders, func(o held) bool {
		p, ok := o.order.(hal.Play)
		return ok && p.Ref == ref
	})
	return len(h.orders) < had
}

// carry sends o, or holds it back.
func (e *Engine) carry(now time.Time, o hal.Order) {
	if s, ok := o.(hal.Stop); ok && e.hold.stop(s.Ref) {
		return
	}
	synced, _ := e.o.Journal.Mark()
	if e.last > synced && !e.hold.unsynced && e.tells(o) || e.hold.behind(o.On()) {
		e.hold.orders = append(e.hold.orders, held{o, e.last, now})
		return
	}
	e.send(o)
}

// tells: whether o lets somebody outside the box notice that something has happened. Our own phones
// may ring before the record is safe; everything else waits.
func (e *Engine) tells(order hal.Order) bool {
	switch o := order.(type) {
	case hal.Answer, hal.Alert, hal.Play:
		return true
	case hal.Dial:
		return !e.lines.inside(o.Line())
	case hal.Hangup:
		return !e.open[o.Leg] && !dialled(o.Leg)
	case hal.TextStored, hal.SendText, hal.SendUSSD:
		return true
	}
	return false
}

// dialled tells whether the box itself opened the leg.
func dialled(leg hal.LegID) bool {
	_, n, _ := strings.Cut(string(leg), "-o")
	return n != ""
}

// release sends what the disk has confirmed, and everything once it has stalled too long. changed is
// closed when the disk has confirmed more.
func (e *Engine) release() (changed <-chan struct{}) {
	synced, changed := e.o.Journal.Mark()
	h := &e.hold
	now := e.now()
	if h.unsynced && synced >= h.told {
		h.unsynced = false
		e.last = e.o.Journal.Append(now, call.Synced{For: now.Sub(h.stalled)})
		e.o.Log.Info("the disk confirms again", "after", now.Sub(h.stalled))
	}
	if len(h.orders) == 0 {
		return changed
	}
	if !h.unsynced && !h.until().After(now) {
		h.unsynced, h.stalled = true, h.orders[0].since
		h.told = e.o.Journal.Append(now, call.Unsynced{For: now.Sub(h.stalled)})
		e.last = h.told
		e.o.Log.Error("the disk does not confirm; calls go on without it", "waited", now.Sub(h.stalled))
	}
	waiting := h.orders
	h.orders = nil
	for _, o := range waiting {
		if !h.unsynced && o.need > synced { // needs never fall: an order of the same leg behind it stays too
			h.orders = append(h.orders, o)
			continue
		}
		e.send(o.order)
	}
	return changed
}

// send gives o to who carries it out. What cannot be given is answered here, so that the floor
// never waits for nothing.
func (e *Engine) send(o hal.Order) {
	var err error
	switch o.(type) {
	case hal.Join, hal.Play, hal.Stop, hal.Record, hal.PauseRecord:
		err = e.o.Media.Do(o)
	default:
		l := e.lines.get(o.Line())
		if l == nil {
			err = errNoLine
		} else {
			err = l.Do(o)
		}
	}
	if err == nil {
		return
	}
	e.o.Log.Warn("order not taken", "order", o, "err", err)
	e.local = append(e.local, undone(o, err))
}

// undone is what the floor hears of an order that nobody took.
func undone(order hal.Order, err error) hal.Signal {
	switch o := order.(type) {
	case hal.Dial, hal.Answer, hal.Hangup:
		return hal.Gone{Leg: o.On(), Cause: hal.WireTrouble, Wire: err.Error()}
	case hal.Play:
		return hal.Failed{Leg: o.Leg, Ref: o.Ref, Why: err.Error()}
	case hal.Record:
		return hal.Recorded{Ref: o.Ref, File: o.File, Err: err.Error()}
	}
	return hal.Failed{Leg: order.On(), Why: err.Error()}
}
