package network

import (
	"time"

	"branchline/hal"
)

// callOut is a person who calls: waits for the answer as long as patience lasts, then does the steps.
func (l *Leg) callOut(s Script) {
	patience, by := ringLimit, ByNetwork
	if s.patience > 0 && s.patience < ringLimit {
		patience, by = s.patience, ByCaller
	}
	c := l.call
	select {
	case <-c.done:
		return
	case <-c.answered:
	case <-time.After(patience):
		c.giveUp(by)
	}
	l.follow(s.steps)
}

// beCalled is a person who is called: answers or refuses as the script says, then does the steps.
func (l *Leg) beCalled(s Script) {
	if !l.pause(setupTime) {
		return
	}
	c := l.call
	switch s.refusal {
	case hal.Unallocated, hal.Unreachable, hal.Busy, hal.Congestion:
		if l.pause(s.after) {
			c.end(ByNetwork, s.refusal)
		}
		return
	}
	l.Ringing()
	if !l.pause(s.after) {
		return
	}
	switch s.refusal {
	case hal.NoAnswer:
		c.end(ByNetwork, hal.NoAnswer)
	case hal.Rejected:
		l.Hangup(hal.Rejected)
	default:
		if l.Answer() == nil {
			l.follow(s.steps)
		}
	}
}

// follow does the steps one after the other until they or the call are over. After the last
// one the person stays on the line.
func (l *Leg) follow(steps []step) {
	for _, s := range steps {
		if !l.do(s) {
			return
		}
	}
}

// do does one step and waits for its end; false: the call is over.
func (l *Leg) do(s step) bool {
	switch s.verb {
	case "wait":
		return l.pause(s.d)
	case "tone", "quiet":
		l.setTone(s.hz)
		if s.d == 0 {
			return true
		}
		alive := l.pause(s.d)
		l.setTone(0)
		return alive
	case "key":
		for i := range len(s.keys) {
			done := make(chan struct{})
			if l.press(s.keys[i], s.d, done) && !l.await(done) {
				return false
			}
		}
		return true
	case "play":
		done := make(chan struct{})
		l.utter(s.pcm, done)
		return l.await(done)
	case "hangup":
		if l.pause(s.d) {
			l.Hangup(hal.Normal)
		}
		return false
	default:
		panic("unknown step " + s.verb)
	}
}

// pause waits for d; false: the call is over.
func (l *Leg) pause(d time.Duration) bool {
	if d <= 0 {
		return l.call.State().Phase != Ended
	}
	select {
	case <-time.After(d):
		return true
	case <-l.call.done:
		return false
	}
}

func (l *Leg) await(done chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-l.call.done:
		return false
	}
}
