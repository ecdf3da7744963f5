package view

import "branchline/pbx/call"

// When the clock of the box was set, the times of what is open move along, so that durations come out
// as they were and a row is by one clock. Rows that are finished stay by the clock of their day.

func (r *Records) shift(s call.ClockSet) {
	for _, c := range r.open {
		s.Shift(&c.Passed)
		c.Record.shift(s)
	}
}

func (r *Record) shift(s call.ClockSet) {
	s.Shift(&r.Began, &r.Answered, &r.Connected, &r.Ended)
	for i := range r.Keys {
		s.Shift(&r.Keys[i].At)
	}
	for i := range r.Visits {
		v := &r.Visits[i]
		s.Shift(&v.Entered, &v.Left)
		for k := range v.Offers {
			s.Shift(&v.Offers[k].At, &v.Offers[k].Closed)
		}
	}
	for i := range r.Legs {
		l := &r.Legs[i]
		s.Shift(&l.Began, &l.Alerting, &l.Answered, &l.Ended)
	}
	for i := range r.Turns {
		s.Shift(&r.Turns[i].At)
	}
	for i := range r.Recordings {
		s.Shift(&r.Recordings[i].Started)
	}
}

func (l *AgentLog) shift(s call.ClockSet) {
	for agent, stint := range l.open {
		s.Shift(&stint.From)
		l.open[agent] = stint
	}
}

func (r *Recordings) shift(s call.ClockSet) {
	for file, o := range r.open {
		s.Shift(&o.Recording.Started)
		r.open[file] = o
	}
}
