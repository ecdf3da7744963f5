package at

import (
	"slices"
	"time"
)

// Agenda is what a modem will do later, in its own goroutine. The zero value is empty.
type Agenda struct{ jobs []job }

type job struct {
	at time.Time
	do func()
}

// In does do after d.
func (a *Agenda) In(d time.Duration, do func()) { a.When(time.Now().Add(d), do) }

// When does do at a time, behind what is to be done at the same time.
func (a *Agenda) When(at time.Time, do func()) {
	i, _ := slices.BinarySearchFunc(a.jobs, at, func(j job, t time.Time) int {
		if j.at.After(t) {
			return 1
		}
		return -1 // behind those of the same time
	})
	a.jobs = slices.Insert(a.jobs, i, job{at, do})
}

// Next is how long nothing is to be done.
func (a *Agenda) Next() time.Duration {
	if len(a.jobs) == 0 {
		return time.Hour
	}
	return max(0, time.Until(a.jobs[0].at))
}

// Run does what is due.
func (a *Agenda) Run() {
	now := time.Now()
	for len(a.jobs) > 0 && !a.jobs[0].at.After(now) {
		do := a.jobs[0].do
		a.jobs = a.jobs[1:]
		do()
	}
}

// Clear forgets everything.
func (a *Agenda) Clear() { a.jobs = nil }
