package call

import "time"

// Shift moves each time by what the clock was set; the zero time stays zero: it means none.
func (c ClockSet) Shift(times ...*time.Time) {
	for _, t := range times {
		if !t.IsZero() {
			*t = t.Add(c.By)
		}
	}
}
