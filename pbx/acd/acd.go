// Package acd decides which contact goes to which agent.
//
// It is pure and keeps two kinds of ordered sets: the contacts that wait, oldest first over all
// queues, and per queue the agents who are free, longest idle first. Next pairs the oldest contact
// that has a free agent with the one who has been idle longest. Start at Matcher.
package acd

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"branchline/pbx/call"
	"branchline/pbx/config"
)

// Matcher holds who waits and who is free. Make one by New; it belongs to one floor.
type Matcher struct {
	serves  map[string][]string // agent → queues
	free    map[string][]idle   // queue → longest idle first
	waiting []contact           // oldest first
	idle    map[string]time.Time
}

type contact struct {
	id    call.ID
	queue string
	since time.Time
}

type idle struct {
	agent string
	since time.Time
}

// Match is a pair that Next found, and why this agent, in words for the timeline.
type Match struct {
	Call  call.ID
	Queue string
	Agent string
	Why   string
}

// New makes a Matcher for the queues of doc with nobody in it.
func New(doc *config.Doc) *Matcher {
	m := &Matcher{idle: map[string]time.Time{}}
	m.Configure(doc)
	return m
}

// Configure takes the queues of doc; who waits and who is free stays. Contacts of a queue that is
// no more must be taken out by Leave.
func (m *Matcher) Configure(doc *config.Doc) {
	m.serves = map[string][]string{}
	m.free = map[string][]idle{}
	for _, q := range doc.Queues {
		for _, a := range q.Agents {
			m.serves[a] = append(m.serves[a], q.Name)
		}
	}
	free := make([]idle, 0, len(m.idle))
	for a, since := range m.idle {
		free = append(free, idle{a, since})
	}
	slices.SortFunc(free, longer)
	m.idle = map[string]time.Time{}
	for _, f := range free {
		m.Free(f.agent, f.since)
	}
}

// Serves tells whether agent is in any queue.
func (m *Matcher) Serves(agent string) bool { return len(m.serves[agent]) > 0 }

// Wait puts a contact into queue; since is when it began to wait.
func (m *Matcher) Wait(id call.ID, queue string, since time.Time) {
	c := contact{id, queue, since}
	at, _ := slices.BinarySearchFunc(m.waiting, c, older)
	m.waiting = slices.Insert(m.waiting, at, c)
}

// Leave takes a contact out of its queue, if it is in one.
func (m *Matcher) Leave(id call.ID) {
	if at := slices.IndexFunc(m.waiting, func(c contact) bool { return c.id == id }); at >= 0 {
		m.waiting = slices.Delete(m.waiting, at, at+1)
	}
}

// Free says that agent can take a contact and has been idle since then.
func (m *Matcher) Free(agent string, since time.Time) {
	if had, ok := m.idle[agent]; ok {
		if had.Equal(since) {
			return
		}
		m.Taken(agent)
	}
	m.idle[agent] = since
	for _, q := range m.serves[agent] {
		f := idle{agent, since}
		at, _ := slices.BinarySearchFunc(m.free[q], f, longer)
		m.free[q] = slices.Insert(m.free[q], at, f)
	}
}

// Taken says that agent cannot take a contact, if he could.
func (m *Matcher) Taken(agent string) {
	since, ok := m.idle[agent]
	if !ok {
		return
	}
	delete(m.idle, agent)
	for _, q := range m.serves[agent] {
		if at, ok := slices.BinarySearchFunc(m.free[q], idle{agent, since}, longer); ok {
			m.free[q] = slices.Delete(m.free[q], at, at+1)
		}
	}
}

// Shift takes that the clock was set: every time that is kept moves by it, and no order changes.
func (m *Matcher) Shift(c call.ClockSet) {
	for i := range m.waiting {
		c.Shift(&m.waiting[i].since)
	}
	for agent, since := range m.idle {
		c.Shift(&since)
		m.idle[agent] = since
	}
	for _, free := range m.free {
		for i := range free {
			c.Shift(&free[i].since)
		}
	}
}

// Next finds the next pair at now; ok is false when nobody fits. It changes nothing: the floor
// tells Leave and Taken when it has made the offer.
func (m *Matcher) Next(now time.Time) (next Match, ok bool) {
	for _, c := range m.waiting {
		free := m.free[c.queue]
		if len(free) == 0 {
			continue
		}
		a := free[0]
		why := fmt.Sprintf("longest idle, %s", now.Sub(a.since).Round(time.Second))
		return Match{Call: c.id, Queue: c.queue, Agent: a.agent, Why: why}, true
	}
	return Match{}, false
}

// Waiting is how many contacts wait in queue.
func (m *Matcher) Waiting(queue string) (n int) {
	for _, c := range m.waiting {
		if c.queue == queue {
			n++
		}
	}
	return n
}

func older(a, b contact) int {
	if c := a.since.Compare(b.since); c != 0 {
		return c
	}
	return strings.Compare(counter(a.id), counter(b.id))
}

// counter is the part of an id that counts the calls of this boot: the rest is by a clock that may have
// been set back between two calls.
func counter(id call.ID) string { return string(id[max(0, len(id)-7):]) }

func longer(a, b idle) int {
	if c := a.since.Compare(b.since); c != 0 {
		return c
	}
	return strings.Compare(a.agent, b.agent)
}
