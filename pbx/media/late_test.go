package media

import (
	"testing"
	"time"

	"branchline/pbx/media/lateness"
)

func TestTheWorkerKnowsHowLateItIs(t *testing.T) {
	r := run(t, Options{})
	figures := func(enough func(lateness.Figures) bool) lateness.Figures {
		t.Helper()
		end := time.After(3 * time.Second)
		for {
			if f := r.Lateness(lateness.Kept); enough(f) {
				return f
			}
			select {
			case <-end:
				t.Fatalf("after 3 s: %+v", r.Lateness(lateness.Kept))
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	quiet := figures(func(f lateness.Figures) bool { return f.Ticks >= 10 })
	if quiet.LeftOut == quiet.Ticks || quiet.Took.Max == 0 && quiet.Began.Max == 0 {
		t.Errorf("at rest: %+v", quiet)
	}
	busy := func(d time.Duration) { r.post(func() { <-time.After(d) }) } // what no order does
	busy(70 * time.Millisecond)
	behind := figures(func(f lateness.Figures) bool { return f.Late >= quiet.Late+2 })
	if behind.Began.Max < 40*time.Millisecond {
		t.Errorf("after 70 ms of standing still: %+v", behind)
	}
	busy(300 * time.Millisecond)
	still := figures(func(f lateness.Figures) bool { return f.LeftOut >= behind.LeftOut+8 })
	if still.Began.Max < 270*time.Millisecond || still.Late < still.LeftOut {
		t.Errorf("after 300 ms of standing still: %+v", still)
	}
}
