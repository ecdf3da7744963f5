package floor

import (
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/flow"
	"branchline/pbx/prompt"
)

// visit is a contact's stay in a queue, from Queued to Dequeued.
type visit struct {
	queue    string
	since    time.Time
	deadline time.Time // max_wait; zero: none
	offer    *leg      // to whom it is offered now
	agent    *agent
	offered  time.Time
}

// enqueue puts the caller into a queue: he is answered and hears music while agents are tried.
func (f *Floor) enqueue(c *contact, name string) {
	q := f.queue(name)
	if q == nil {
		f.skipQueue(c, name)
		return
	}
	c.visit = &visit{queue: name, since: f.now}
	if q.MaxWait > 0 {
		c.visit.deadline = f.now.Add(q.MaxWait)
	}
	c.record = q.Record
	f.fact(call.Queued{Call: c.id, Queue: name})
	f.acd.Wait(c.id, name, f.now)
	f.play(c, prompt.Music(q.Music), true)
}

// skipQueue sends a caller on in his flow that leads to a queue which is no more: he is in the flow of
// the configuration before. One who comes to nothing but such queues, round and round, is hung up.
func (f *Floor) skipQueue(c *contact, name string) {
	for range maxSkips {
		f.fact(call.Trouble{Call: c.id, What: "the flow leads to queue " + name + ", which is not configured"})
		run, act := c.ivr.run.QueueLeft()
		c.ivr.run = run
		if act.Kind != flow.Queue || f.queue(act.Queue) != nil {
			f.act(c, act)
			return
		}
		name = act.Queue
	}
	f.end(c, hal.Congestion, call.BySystem)
}

// match offers contacts to agents as long as there is a pair.
func (f *Floor) match() {
	for {
		m, ok := f.acd.Next(f.now)
		if !ok {
			return
		}
		c, a := f.contact(m.Call), f.agent(m.Agent)
		f.busy = c
		f.acd.Leave(m.Call)
		f.acd.Taken(m.Agent)
		v := c.visit
		v.agent, v.offered = a, f.now
		v.offer = f.dial(c, a.phone, offered, f.now.Add(reservedFor))
		f.fact(call.Offered{
			Call: c.id, Queue: m.Queue, Agent: a.number,
			Extension: a.phone.extension, Leg: v.offer.id, Why: m.Why,
		})
	}
}

// missed closes an offer that the agent did not take; the contact keeps its place and the agent is
// set not ready, lest the next caller waits for nobody too.
func (f *Floor) missed(c *contact, why string) {
	v := c.visit
	l, a := v.offer, v.agent
	v.offer, v.agent = nil, nil
	f.fact(call.Missed{Call: c.id, Queue: v.queue, Agent: a.number, Leg: l.id, Why: why})
	a.ready, a.reason = false, why
	f.release(l, hal.NoAnswer)
	f.show(a, "system", why)
	f.acd.Wait(c.id, v.queue, v.since)
}

// withdraw closes an offer for no fault of the agent.
func (f *Floor) withdraw(c *contact, why string) {
	v := c.visit
	if v == nil || v.offer == nil {
		return
	}
	l, a := v.offer, v.agent
	v.offer, v.agent = nil, nil
	c.peer = nil
	f.fact(call.Withdrawn{Call: c.id, Queue: v.queue, Agent: a.number, Leg: l.id, Why: why})
	f.hangup(l, hal.NoAnswer)
}

// leaveQueue closes the visit.
func (f *Floor) leaveQueue(c *contact, exit call.Exit, agent string) {
	v := c.visit
	if v == nil {
		return
	}
	c.visit = nil
	f.acd.Leave(c.id)
	f.fact(call.Dequeued{Call: c.id, Queue: v.queue, Exit: exit, Agent: agent, Waited: f.now.Sub(v.since)})
}

// flowOut sends a caller who waited too long, or whose queue is no more, on in his flow.
func (f *Floor) flowOut(c *contact, exit call.Exit) {
	f.withdraw(c, string(exit))
	f.leaveQueue(c, exit, "")
	f.hush(c)
	if c.ivr.run.Name() == "" { // no flow has led him here, and none leads on
		f.end(c, hal.NoAnswer, call.BySystem)
		return
	}
	run, act := c.ivr.run.QueueLeft()
	c.ivr.run = run
	f.act(c, act)
}

func (f *Floor) contact(id call.ID) *contact {
	for _, c := range f.calls {
		if c.id == id {
			return c
		}
	}
	return nil
}
