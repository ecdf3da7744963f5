package boot

import (
	"time"

	"branchline/pbx/store"
)

// calendar is the time by which age is told when old things are let go. It follows the clock of the box, but
// warily, for what is gone is gone: a clock that somebody sets to 2050 must not empty the box. It is a value;
// the zero one has no past.
type calendar struct {
	Day  time.Time `json:"day"` // what it says; kept over a restart
	seen time.Time // the clock when it was last looked at
}

const calendars store.Table[calendar] = "retention"

const calendarKey = "calendar"

const (
	steady  = time.Minute    // an hour by the clock is one by our own count but for this, else it was set
	catchUp = 24 * time.Hour // what the calendar goes on by at a time, at most
)

// begin is c at a start, by the clock. alive is when the box was last known to be up: that is where a calendar
// without a past begins.
func (c calendar) begin(clock, alive time.Time) calendar {
	if c.Day.IsZero() {
		c.Day = alive
	}
	if clockUnset(c.Day) {
		c.Day = clock
	}
	c.seen = clock
	return c
}

// next looks at the clock an hour later; passed is how long that was by a count that nobody sets. trusted is
// false, and the calendar stands still, while the clock is not set or was set since the last look. Else it goes
// to the clock, by a day at most: a box that was off for a month, or whose clock was set ahead, has caught up
// after thirty hours.
func (c calendar) next(clock time.Time, passed time.Duration) (after calendar, trusted bool) {
	was := c.seen
	c.seen = clock
	by := clock.Round(0).Sub(was.Round(0)) - passed
	if clockUnset(clock) || by.Abs() > steady {
		return c, false
	}
	if clockUnset(c.Day) || clock.Before(c.Day.Add(catchUp)) {
		c.Day = clock
	} else {
		c.Day = c.Day.Add(catchUp)
	}
	return c, true
}
