package e2e

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"branchline/board/sim/phone"
)

// forgotten is how long before the cut an answer may have come that the box has forgotten: the last
// facts of a call may be lost, and with them what ends it on the wire.
const forgotten = 100 * time.Millisecond

// pulledInTheMoment pulls the plug again and again while desk phones call, ring and answer.
func pulledInTheMoment(t *testing.T, program string) {
	const rounds, calls = 12, 20
	p := plugIn(t, program)
	talks := talkers{since: map[*phone.Call]time.Time{}}
	one, _ := p.phone("201", 0, func(o *phone.Options) { o.OnEvent = talks.note; o.T1 = 20 * time.Millisecond })
	two, _ := p.phone("202", 0, func(o *phone.Options) {
		o.OnEvent, o.T1 = talks.note, 20*time.Millisecond
		o.Auto = phone.AnswerAfter(20 * time.Millisecond)
	})
	var stories []story
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
		<-time.After(30 * time.Millisecond) // what the box has said is still on its way
		for _, c := range placed {
			stories = append(stories, phoneStory(c.Call, round, c.dialled))
		}
		up := append(one.Calls(), two.Calls()...)
		ended, others := p.putToRest(up, &talks, p.pulled[round].from.Add(-forgotten))
		if ended < calls/2 {
			t.Errorf("round %d: only %d legs were up when the plug was pulled", round, ended)
		}
		t.Logf("round %d: the box ended %d legs by itself and %d more in time", round, ended, others)
	}
	compare(t, p, stories, p.records())
}

// putToRest starts the box, which must end all calls that talked at a time; of the others it does
// not know. They end when their persons hang up.
func (p *outlet) putToRest(calls []*phone.Call, talks *talkers, at time.Time) (ended, others int) {
	p.t.Helper()
	p.start()
	late := time.After(goodbye)
	for _, c := range calls {
		if !talks.at(c, at) {
			continue
		}
		select {
		case <-c.Gone():
			ended++
			if !c.Far() || c.Code() != 0 {
				p.t.Errorf("a call ended %d %s, not by a BYE of the box", c.Code(), c.Cause())
			}
		case <-late:
			p.t.Fatalf("a call is %s %v after the restart: its person is left in silence", c.State(), goodbye)
		}
	}
	for _, c := range calls {
		if c.State() == phone.Gone {
			others++
			continue
		}
		if err := c.Hangup(); err != nil {
			p.t.Error(err)
		}
	}
	for _, c := range calls {
		p.reach(c, phone.Gone)
	}
	return ended, others - ended
}

// talkers notes since when calls talk.
type talkers struct {
	mu    sync.Mutex
	since map[*phone.Call]time.Time
}

func (t *talkers) note(e phone.Event) {
	if e.Kind == phone.Talks {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.since[e.Call] = time.Now()
	}
}

// at tells whether c talked at that time.
func (t *talkers) at(c *phone.Call, when time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	since, ok := t.since[c]
	return ok && since.Before(when)
}
