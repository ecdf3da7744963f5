package sip

import "time"

// clockStep is how far the clock of the box may be from ours before that counts as set.
const clockStep = time.Second

// clock is time by which phones are signed in. It goes on evenly, whatever is done to the clock of the box,
// until set takes the new clock over: what counts by it must be moved then.
type clock struct {
	wall          func() time.Time
	base, started time.Time
}

func newClock(wall func() time.Time) *clock {
	return &clock{wall: wall, base: wall().Round(0).UTC(), started: time.Now()}
}

func (c *clock) now() time.Time { return c.base.Add(time.Since(c.started)) }

// set is by how much the clock of the box was set since the last call, 0 where it was not.
func (c *clock) set() time.Duration {
	by := c.wall().Round(0).Sub(c.now())
	if by.Abs() <= clockStep {
		return 0
	}
	c.base = c.base.Add(by)
	return by
}

// checkClock moves sign-ins with the clock of the box, also those that are kept over a restart: none ends
// early or late.
func (d *desk) checkClock() {
	if by := d.clock.set(); by != 0 {
		d.log.Warn("the clock of the box was set; sign-ins move along", "by", by)
		d.keeper.Note(d.reg.Shift(by))
	}
}
