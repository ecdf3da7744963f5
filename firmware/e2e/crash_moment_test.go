package e2e

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"branchline/board/sim/phone"
)

// pulledInTheMoment pulls the plug again and again while desk phones call, ring and answer.
func pulledInTheMoment(t *testing.T, program string) {
	const rounds, calls = 12, 20
	p := plugIn(t, program)
	one, _ := p.phone("201", 0, func(o *phone.Options) { o.T1 = 20 * time.Millisecond })
	two, _ := p.phone("202", 0, func(o *phone.Options) {
		o.T1, o.Auto = 20*time.Millisecond, phone.AnswerAfter(20*time.Millisecond)
	})
	var stories []story
	talked, forgotten := 0, 0
	p.start()
	p.signedIn(one, two)
	for round := range rounds {
		var placed []placed
		for range calls {
			placed = append(placed, p.dial(one, "202"))
			<-time.After(8 * time.Millisecond)
		}
		<-time.After(rand.N(20 * time.Millisecond))
		p.pull()
		<-time.After(inFlight)
		for _, c := range placed {
			stories = append(stories, phoneStory(c.Call, round, c.dialled))
		}
		t, f := p.putToRest(append(one.Calls(), two.Calls()...))
		talked, forgotten = talked+t, forgotten+f
	}
	if talked < rounds*calls || forgotten > talked/10 {
		t.Errorf("%d legs talked when the plug was pulled, and the box left %d of them in silence", talked, forgotten)
	}
	t.Logf("%d legs talked when the plug was pulled; the box left %d of them in silence", talked, forgotten)
	compare(t, p, stories, p.records())
}

// putToRest starts the box, which must end all legs that are known to talk. It may have forgotten the
// answer of some, for the last facts of a call may be lost: those that it knows to have rung it ends all
// the same; the few of which it does not even know that end when their persons hang up.
func (p *outlet) putToRest(calls []*phone.Call) (talked, forgotten int) {
	p.t.Helper()
	talking := map[*phone.Call]bool{}
	for _, c := range calls {
		talking[c] = c.State() == phone.Talking
	}
	p.start()
	answered := map[string]bool{}
	for _, r := range p.records() {
		for _, l := range r.Legs {
			answered[l.Wire] = answered[l.Wire] || !l.Answered.IsZero()
		}
	}
	late := time.After(goodbye)
	var unknown []*phone.Call
	for _, c := range calls {
		switch {
		case !talking[c]:
			continue
		case !answered[c.ID()]:
			unknown = append(unknown, c)
			continue
		}
		talked++
		select {
		case <-c.Gone():
			if !c.Far() || c.Code() != 0 {
				p.t.Errorf("a call ended %d %s, not by a BYE of the box", c.Code(), c.Cause())
			}
		case <-late:
			p.t.Fatalf("a call is %s %v after the restart: its person is left in silence", c.State(), goodbye)
		}
	}
	soon, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, c := range unknown {
		select {
		case <-c.Gone():
		case <-soon.Done():
		}
		if c.State() == phone.Talking {
			forgotten++
			continue
		}
		talked++
	}
	for _, c := range calls {
		if err := c.Hangup(); err != nil {
			p.t.Error(err)
		}
	}
	for _, c := range calls {
		p.reach(c, phone.Gone)
	}
	return talked, forgotten
}
