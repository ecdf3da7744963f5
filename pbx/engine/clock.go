package engine

import (
	"time"

	"branchline/pbx/call"
)

// clockStep is how far the clock of the box may be from the engine's own time before that counts as
// set. The kernel's small corrections move both alike.
const clockStep = time.Second

// checkClock compares the clock of the box with the engine's own time. When somebody has set the
// clock, the floor is told, and from there on the engine's time is the new one. Whatever the engine
// itself keeps moves along: nothing becomes due by it, and nothing late.
func (e *Engine) checkClock() error {
	by := e.o.Wall().Round(0).Sub(e.now())
	if by.Abs() <= clockStep {
		return nil
	}
	set := call.ClockSet{By: by}
	e.o.Log.Warn("the clock of the box was set", "by", by)
	e.base = e.base.Add(by)
	set.Shift(&e.savedAt, &e.hold.stalled)
	for i := range e.hold.orders {
		set.Shift(&e.hold.orders[i].since)
	}
	e.flight.shift(set)
	_, err := e.step(set, "")
	e.o.Journal.Alive(e.now()) // a mark by a clock that was ahead would date the end of calls
	return err
}
