package e2e

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"branchline/board/sim/phone"
	"branchline/board/sim/provider"
	"branchline/pbx/call"
	"branchline/ui/api"
)

// Strangers at eight addresses send thousands of requests a second: an honest phone's calls do not fail, who
// floods is kept away, and the timeline says so. The figures of a longer flood: tools/bench -what flood.
func TestHonestPhoneCallsWhileStrangersFloodTheDoor(t *testing.T) {
	r := start(t)
	r.lineUp("phones")
	ana := r.phone("201", nil)
	r.phone("202", func(o *phone.Options) { o.Auto = phone.AnswerAfter(0) })
	over := r.flood()
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
	over()
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

// flood has strangers at eight addresses send 6400 requests a second to the phones' port, until over is called.
func (r *rig) flood() (over func()) {
	ended := make(chan struct{})
	var all sync.WaitGroup
	for range 8 {
		s := newStranger(r)
		all.Go(func() {
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for n := 0; ; {
				select {
				case <-ended:
					return
				case <-tick.C:
				}
				for range 4 {
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
	return func() { close(ended); all.Wait() }
}

// A trunk has sockets of its own: a flood at the phones' door costs its calls no packet of sound.
func TestTrunkCallLosesNoSoundWhileStrangersFloodThePhonesDoor(t *testing.T) {
	p := serve(t, provider.Habits{})
	r := start(t, onTrunk("", p)...)
	r.lineUp("acme")
	bo := r.phone("202", func(o *phone.Options) { o.Tone = 900 })
	desk, err := bo.Dial(r.ctx(), "0089123456")
	if err != nil {
		t.Fatal(err)
	}
	far, err := p.WaitCall(r.ctx())
	if err != nil {
		t.Fatal(err)
	}
	far.Sound().SetTone(440)
	if err := far.Answer(r.ctx()); err != nil {
		t.Fatal(err)
	}
	r.bothHear("before the flood", far, desk, 900)
	over := r.flood()
	const length = 3 * time.Second
	began, packets := time.Now(), far.Sound().Packets()
	<-time.After(length)
	spent, came := time.Since(began), far.Sound().Packets()-packets
	over()
	if want := int(spent / (20 * time.Millisecond)); came < want-3 {
		t.Errorf("%d packets of %d reached the provider", came, want)
	}
	r.bothHear("after the flood", far, desk, 900)
	var calls []api.Call
	r.get("calls", &calls)
	if len(calls) != 1 {
		t.Fatalf("%d calls", len(calls))
	}
	said := r.prints("trace", calls[0].ID, "-media", "1s", "-pcap", filepath.Join(t.TempDir(), "trunk.pcap"))
	if !strings.Contains(said, "legs with RTP: 2") {
		t.Errorf("captured: %s", said)
	}
}
