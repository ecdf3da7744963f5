package e2e

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"branchline/board/sim/network"
	"branchline/board/sim/phone"
	"branchline/firmware/cli"
	"branchline/hal/dsp"
	"branchline/pbx/call"
)

// anaAnswers is ana's phone 201, which answers by itself and says 1000 Hz, with her signed in.
func (r *rig) anaAnswers() *phone.Phone {
	r.t.Helper()
	ana := r.phone("201", func(o *phone.Options) { o.Tone, o.Auto = 1000, phone.AnswerAfter(0) })
	r.signIn(ana, "1001", "4711")
	return ana
}

// talk has somebody outside, who says 440 Hz, call the queue of sales until the agent at p, who says
// hz, has answered and both hear each other.
func (r *rig) talk(p *phone.Phone, from, to string, hz float64) (caller *network.Call, desk *phone.Call) {
	r.t.Helper()
	caller = r.outsideTo(to, "from="+from+"; tone 440; key 1")
	desk, err := p.WaitCall(r.ctx())
	if err != nil {
		r.t.Fatal(err)
	}
	r.hears(caller, hz)
	if err := desk.WaitHears(r.ctx(), 440); err != nil {
		r.t.Fatal(err)
	}
	return caller, desk
}

// goesOn listens for d and fails where either side of a call lost the other's tone for longer than maxGap.
func (r *rig) goesOn(what string, caller *network.Call, desk *phone.Call, hz float64, d time.Duration) {
	r.t.Helper()
	before := len(caller.Heard())
	<-time.After(d)
	r.heardThroughout(what, caller, desk, hz, d)
	if now := len(caller.Heard()); before < 10*8000 && now-before < dsp.Samples(d*9/10, 8000) {
		r.t.Errorf("%s: the caller heard %d samples in %v", what, now-before, d)
	}
}

// heardThroughout is goesOn for the d that have passed.
func (r *rig) heardThroughout(what string, caller *network.Call, desk *phone.Call, hz float64, d time.Duration) {
	r.t.Helper()
	if desk.State() != phone.Talking || caller.State().Phase != network.Answered {
		r.t.Fatalf("%s: the phone's call is %s, the caller's %s", what, desk.State(), caller.State().Phase)
	}
	limit := r.maxGap(time.Now().Add(-d))
	if gap := gapIn(desk.HeardFor(d), 440); gap > limit {
		r.t.Errorf("%s: the agent did not hear the caller for %v; %v may be the machine's", what, gap, limit)
	}
	heard := caller.Heard()
	if gap := gapIn(heard[max(0, len(heard)-dsp.Samples(d, 8000)):], hz); gap > limit {
		r.t.Errorf("%s: the caller did not hear the agent for %v; %v may be the machine's", what, gap, limit)
	}
}

// maxGap is the longest break in a tone that goes on: a few frames that came late, a jitter buffer that
// had to grow, and what the machine itself stood still since then.
func (r *rig) maxGap(since time.Time) time.Duration {
	return 200*time.Millisecond + 2*r.pulse.worst(since)
}

// pulse measures for how long the machine stands still: other programs use it too.
type pulse struct {
	mu    sync.Mutex
	stops map[time.Time]time.Duration
}

// newPulse measures until the end of the test.
func newPulse(t *testing.T) *pulse {
	p := &pulse{stops: map[time.Time]time.Duration{}}
	end, ended := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(end); <-ended })
	go func() {
		defer close(ended)
		beat := time.NewTicker(10 * time.Millisecond)
		defer beat.Stop()
		for last := time.Now(); ; {
			select {
			case <-end:
				return
			case <-beat.C:
			}
			now := time.Now()
			if late := now.Sub(last) - 10*time.Millisecond; late > 20*time.Millisecond {
				p.mu.Lock()
				p.stops[now] = late
				p.mu.Unlock()
			}
			last = now
		}
	}()
	return p
}

func (p *pulse) worst(since time.Time) (worst time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for at, late := range p.stops {
		if at.After(since) {
			worst = max(worst, late)
		}
	}
	return worst
}

// gapIn is the longest time in pcm without hz.
func gapIn(pcm []int16, hz float64) (worst time.Duration) {
	const window = 160 // 20 ms
	gap := 0
	for ; len(pcm) >= window; pcm = pcm[window:] {
		gap++
		if dsp.Level(pcm[:window], 8000, hz) > 0.05 {
			gap = 0
		}
		worst = max(worst, time.Duration(gap)*20*time.Millisecond)
	}
	return worst
}

// command runs a command of the program against the box, as a person at the shell does.
func (r *rig) command(args ...string) (code int, said string) {
	r.t.Helper()
	var out bytes.Buffer
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	code = cli.Main(ctx, append(args, "-data", r.dir), cli.Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Version: "test"})
	return code, out.String()
}

// mustCommand is command that has to go well.
func (r *rig) mustCommand(args ...string) string {
	r.t.Helper()
	code, said := r.command(args...)
	if code != cli.OK {
		r.t.Fatalf("branchline %s: exit code %d: %s", strings.Join(args, " "), code, said)
	}
	return said
}

// lastPresence is the newest entry about an agent.
func (r *rig) lastPresence(agent string) (last call.Presence, at time.Time) {
	for _, e := range r.facts() {
		if p, ok := e.Fact.(call.Presence); ok && p.Agent == agent {
			last, at = p, e.At
		}
	}
	return last, at
}

func TestGapInATone(t *testing.T) {
	w, err := dsp.ParseWAV(toneFile(440, time.Second))
	if err != nil {
		t.Fatal(err)
	}
	clear(w.PCM[4000:5600])
	if gap := gapIn(w.PCM, 440); gap != 200*time.Millisecond {
		t.Errorf("a gap of 200 ms is measured as %v", gap)
	}
}
