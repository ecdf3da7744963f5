package floor

import "branchline/pbx/call"

// clockSet takes that the clock was set: f.now is by the new one, so every time that is kept moves
// along. How long anything has lasted and may last stays as it was.
func (f *Floor) clockSet(s call.ClockSet) {
	for _, c := range f.calls {
		s.Shift(&c.ivr.await, &c.until)
		if c.transfer != nil {
			s.Shift(&c.transfer.await)
		}
		if c.parked != nil {
			s.Shift(&c.parked.until)
		}
		for _, l := range c.legsNow() {
			s.Shift(&l.born, &l.deadline, &l.mute, &l.pressed.at)
		}
		if c.desk != nil {
			s.Shift(&c.desk.await)
		}
		if c.visit != nil {
			s.Shift(&c.visit.since, &c.visit.deadline, &c.visit.offered)
		}
	}
	for _, a := range f.agents {
		s.Shift(&a.wrapUntil, &a.idle, &a.locked, &a.shown.Until)
	}
	f.acd.Shift(s)
	f.fact(s)
}

// shift moves what the state keeps of before the clock was set.
func (s *State) shift(c call.ClockSet) {
	for i := range s.Agents {
		a := &s.Agents[i]
		c.Shift(&a.Since, &a.Idle, &a.Until)
	}
	for i := range s.Open {
		c.Shift(&s.Open[i].QueuedAt)
	}
}
