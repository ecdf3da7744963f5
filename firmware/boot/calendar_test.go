package boot

import (
	"testing"
	"time"
)

const day = 24 * time.Hour

func TestCalendarFollowsTheClockWarily(t *testing.T) {
	today := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	const hour = time.Hour
	for name, test := range map[string]struct {
		begins time.Time   // the clock at the start; the box was alive until today
		clocks []time.Time // one hour after the other
		moved  int         // how often the calendar was trusted
		day    time.Time
	}{
		"an ordinary day":                 {today, []time.Time{today.Add(hour), today.Add(2 * hour)}, 2, today.Add(2 * hour)},
		"the clock drifts":                {today, []time.Time{today.Add(hour + 30*time.Second)}, 1, today.Add(hour + 30*time.Second)},
		"set ten years ahead":             {today, []time.Time{today.AddDate(10, 0, 0)}, 0, today},
		"ten years ahead for two hours":   {today, []time.Time{today.AddDate(10, 0, 0), today.AddDate(10, 0, 0).Add(hour)}, 1, today.Add(day)},
		"begun ten years ahead":           {today.AddDate(10, 0, 0), []time.Time{today.AddDate(10, 0, 0).Add(hour)}, 1, today.Add(day)},
		"ten years ahead and back":        {today, []time.Time{today.AddDate(10, 0, 0), today.Add(2 * hour), today.Add(3 * hour)}, 1, today.Add(3 * hour)},
		"unset, then set by the network":  {time.Unix(0, 0), []time.Time{time.Unix(3600, 0), today.Add(2 * hour), today.Add(3 * hour)}, 1, today.Add(3 * hour)},
		"unset":                           {time.Unix(0, 0), []time.Time{time.Unix(3600, 0), time.Unix(7200, 0)}, 0, today},
		"off for two days, then catch up": {today.Add(2 * day), []time.Time{today.Add(2*day + hour), today.Add(2*day + 2*hour), today.Add(2*day + 3*hour)}, 3, today.Add(2*day + 3*hour)},
		"an hour back":                    {today, []time.Time{today, today.Add(hour)}, 1, today.Add(hour)},
	} {
		c := calendar{}.begin(test.begins, today)
		moved := 0
		for _, clock := range test.clocks {
			var trusted bool
			if c, trusted = c.next(clock, hour); trusted {
				moved++
			}
		}
		if moved != test.moved || !c.Day.Equal(test.day) {
			t.Errorf("%s: trusted %d times, it is %v; want %d and %v", name, moved, c.Day, test.moved, test.day)
		}
	}
}

func TestNewBoxAndOneThatNeverKnewTheTimeBeginToday(t *testing.T) {
	today := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	for name, alive := range map[string]time.Time{"new": {}, "it lived in 1970": time.Unix(86400, 0)} {
		if c := (calendar{}).begin(today, alive); !c.Day.Equal(today) {
			t.Errorf("%s: %v", name, c.Day)
		}
	}
	kept := calendar{Day: today}
	if c := kept.begin(today.AddDate(3, 0, 0), today.AddDate(3, 0, 0)); !c.Day.Equal(today) {
		t.Errorf("what was kept counts: %v", c.Day)
	}
}
