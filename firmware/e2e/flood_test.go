package e2e

import (
	"sync"
	"testing"
	"time"

	"branchline/board/sim/phone"
	"branchline/pbx/call"
)

// Strangers at eight addresses send thousands of requests a second: an honest phone's calls do not fail, who
// floods is kept away, and the timeline says so. The figures of a longer flood: tools/bench -what flood.
func TestHonestPhoneCallsWhileStrangersFloodTheDoor(t *testing.T) {
	r := start(t)
	r.lineUp("phones")
	ana := r.phone("201", nil)
	r.phone("202", func(o *phone.Options) { o.Auto = phone.AnswerAfter(0) })
	over := make(chan struct{})
	var flood sync.WaitGroup
	for range 8 {
		s := newStranger(r)
		flood.Go(func() {
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for n := 0; ; {
				select {
				case <-over:
					return
				case <-tick.C:
				}
				for range 4 { // 6400 a second in all
					n++
					method := "REGISTER"
					if n%6 == 0 {
						method = "INVITE"
					}
					_, _ = s.conn.Write(s.request(method, "201"))
				}
			}
		})
	}
	calls := 0
	for began := time.Now(); time.Since(began) < 3*time.Second; calls++ {
		c, err := ana.Dial(r.ctx(), "202")
		if err != nil {
			t.Fatal(err)
		}
		if err := c.WaitState(r.ctx(), phone.Talking); err != nil {
			t.Fatalf("call %d: %v: %s", calls, err, c.Cause())
		}
		if err := c.Hangup(); err != nil {
			t.Fatal(err)
		}
		r.within("the call to end", c.Gone())
	}
	close(over)
	flood.Wait()
	if calls < 3 {
		t.Errorf("%d calls in three seconds", calls)
	}
	g := waitFact(r, func(f call.Guarded) bool { return f.For > 0 })
	if g.Counts["flood"] == 0 || g.Line != "phones" {
		t.Errorf("the timeline says %+v", g)
	}
	var listed []struct {
		Source string
		Until  *time.Time
	}
	r.get("guard", &listed)
	if len(listed) == 0 || listed[0].Until == nil {
		t.Errorf("the API lists %+v", listed)
	}
}
