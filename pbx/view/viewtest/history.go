// Package viewtest makes histories of a busy call centre: facts as the floor could have stated
// them, for tests of folds and of the journal. Equal seeds give equal histories. Start at History.
package viewtest

import (
	"fmt"
	"slices"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
)

// chance is a small generator (splitmix64, Steele et al. 2014, figure 16): viewtest is pure.
type chance uint64

func (c *chance) below(n int) int {
	*c += 0x9e3779b97f4a7c15
	z := uint64(*c)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return int((z ^ z>>31) % uint64(n))
}

func (c *chance) span(from, to time.Duration) time.Duration {
	return from + time.Duration(c.below(int((to-from)/time.Millisecond)))*time.Millisecond
}

// maker makes one history.
type maker struct {
	chance
	box  uint32
	boot uint32
	n    uint64
	out  []call.Entry // Seq is not yet set
}

// History is a history that begins at from: calls of all kinds, about 40 s of each other, up to the
// end of the last one. Some of them are cut by restarts of the box.
func History(seed uint64, from time.Time, calls int) []call.Entry {
	m := &maker{chance: chance(seed), box: 77, boot: 1}
	at := from.UTC()
	m.say(at, call.Booted{Boot: 1, Program: "test", Clean: true})
	m.say(at, call.LineUp{Line: "gsm1", Traits: hal.Traits{Legs: 2, Sounds: 1, CallerID: true}})
	m.say(at, call.PhoneUp{Extension: "201"})
	cut := len(m.out)
	for i := range calls {
		at = at.Add(m.span(time.Millisecond, 80*time.Second))
		m.call(at)
		if i%97 == 96 {
			at = at.Add(m.span(0, time.Minute))
			m.crash(cut, at)
			at = at.Add(3 * time.Second)
			m.boot++
			m.say(at, call.Booted{Boot: m.boot, Program: "test"})
			cut = len(m.out)
		}
	}
	m.sort(cut)
	for i := range m.out {
		m.out[i].Seq = call.Seq(i + 1)
	}
	return m.out
}

func (m *maker) say(at time.Time, f call.Fact) {
	m.out = append(m.out, call.Entry{At: at, Fact: f})
}

// sort brings what was said since from into the order of time.
func (m *maker) sort(from int) {
	slices.SortStableFunc(m.out[from:], func(a, b call.Entry) int { return a.At.Compare(b.At) })
}

// crash takes back what was said since from for later than at, and ends what is open then.
func (m *maker) crash(from int, at time.Time) {
	m.sort(from)
	for len(m.out) > from && m.out[len(m.out)-1].At.After(at) {
		m.out = m.out[:len(m.out)-1]
	}
	open := map[call.ID]bool{}
	var order []call.ID
	for _, e := range m.out[from:] {
		switch f := e.Fact.(type) {
		case call.Began:
			open[f.Call] = true
			order = append(order, f.Call)
		case call.Ended:
			delete(open, f.Call)
		}
	}
	for _, id := range order {
		if open[id] {
			m.say(at, call.Ended{Call: id, Cause: hal.Restarted, By: call.BySystem})
		}
	}
}

// talk is one call on its way.
type talk struct {
	*maker
	at  time.Time
	id  call.ID
	leg hal.LegID
}

// then says a fact after a while.
func (t *talk) then(from, to time.Duration, f call.Fact) {
	t.at = t.at.Add(t.span(from, to))
	t.say(t.at, f)
}

func (t *talk) dialled(line string) hal.LegID {
	t.n++
	return hal.OutgoingLeg(line, t.boot, t.n)
}

func (t *talk) end(legs []hal.LegID, cause hal.Cause, by call.Party) {
	for _, l := range legs {
		t.then(0, 5*time.Millisecond+time.Millisecond, call.LegEnded{Call: t.id, Leg: l, Cause: cause, Far: by != call.BySystem})
	}
	t.then(0, 2*time.Millisecond, call.Ended{Call: t.id, Cause: cause, By: by})
}

func (m *maker) call(at time.Time) {
	m.n++
	t := &talk{maker: m, at: at, id: call.NewID(at, m.box, m.boot, m.n)}
	switch m.below(6) {
	case 0:
		t.direct(call.Outbound, hal.Number(fmt.Sprintf("0800%05d", m.below(100000))))
	case 1:
		t.direct(call.Internal, "202")
	case 2:
		t.service()
	default:
		t.inbound()
	}
}

// service is a desk phone that dials a code.
func (t *talk) service() {
	t.leg = hal.IncomingLeg("phones", t.boot, t.n)
	t.say(t.at, call.Began{Call: t.id, Leg: t.leg, Line: "phones", Direction: call.Internal, From: "201", To: "*22", Extension: "201", Wire: "a84b4c76e66710@phone"})
	t.then(1e6, 1e8, call.Answered{Call: t.id, Leg: t.leg})
	agent := t.agent()
	t.then(time.Second, 5*time.Second, call.Presence{Agent: agent, State: call.Ready, Extension: "201", Actor: agent, Cause: call.BySelf})
	t.end([]hal.LegID{t.leg}, hal.Normal, call.BySystem)
}

func (m *maker) agent() string { return fmt.Sprint(1001 + m.below(20)) }

// direct is a desk phone that calls somebody.
func (t *talk) direct(way call.Direction, to hal.Number) {
	t.leg = hal.IncomingLeg("phones", t.boot, t.n)
	line := map[call.Direction]string{call.Outbound: "gsm1", call.Internal: "phones"}[way]
	peer := t.dialled(line)
	t.say(t.at, call.Began{Call: t.id, Leg: t.leg, Line: "phones", Direction: way, From: "201", To: to, Extension: "201", Wire: "b1@phone"})
	t.then(0, 1e7, call.Dialed{Call: t.id, Leg: peer, Line: line, To: to})
	t.then(1e6, 1e8, call.Opened{Call: t.id, Leg: peer, Wire: "1"})
	t.then(1e8, 3e9, call.Alerting{Call: t.id, Leg: peer})
	switch t.below(4) {
	case 0:
		t.then(1e9, 3e10, call.LegEnded{Call: t.id, Leg: peer, Cause: hal.Busy, Far: true, Wire: "SIP 486"})
		t.end([]hal.LegID{t.leg}, hal.Busy, call.ByCallee)
	case 1:
		t.then(1e9, 3e10, call.LegEnded{Call: t.id, Leg: t.leg, Cause: hal.NoAnswer, Far: true})
		t.end([]hal.LegID{peer}, hal.NoAnswer, call.ByCaller)
	default:
		t.then(1e9, 2e10, call.Answered{Call: t.id, Leg: peer})
		t.then(0, 1e7, call.Connected{Call: t.id, Leg: t.leg, Peer: peer})
		t.then(1e9, 2e11, call.Held{Call: t.id, Leg: t.leg})
		t.then(1e9, 6e10, call.Resumed{Call: t.id, Leg: t.leg})
		t.then(1e9, 2e11, call.Trouble{Call: t.id, Leg: t.leg, What: "silent"})
		t.end([]hal.LegID{peer, t.leg}, hal.Normal, call.ByCallee)
	}
}

// inbound is a stranger who comes to a queue.
func (t *talk) inbound() {
	t.leg = hal.IncomingLeg("gsm1", t.boot, t.n)
	t.say(t.at, call.Began{Call: t.id, Leg: t.leg, Line: "gsm1", Direction: call.Inbound, From: hal.Number(fmt.Sprintf("09%08d", t.below(1e8))), Wire: "1"})
	t.then(1e6, 5e8, call.Answered{Call: t.id, Leg: t.leg, Release: "CHUP"})
	t.then(0, 1e7, call.FlowEntered{Call: t.id, Flow: "main"})
	t.then(1e9, 2e10, call.Keyed{Call: t.id, Leg: t.leg, Key: "1", Step: "menu"})
	t.then(0, 1e7, call.Queued{Call: t.id, Queue: "sales"})
	queued := t.at
	for range t.below(3) {
		agent, peer := t.offer()
		t.then(1.4e10, 1.6e10, call.LegEnded{Call: t.id, Leg: peer, Cause: hal.NoAnswer})
		t.say(t.at, call.Missed{Call: t.id, Queue: "sales", Agent: agent, Leg: peer, Why: call.ByRONA})
		t.say(t.at, call.Presence{Agent: agent, State: call.NotReady, Reason: call.ByRONA, Actor: "system", Cause: call.ByRONA})
	}
	agent, peer := t.offer()
	if t.below(4) == 0 {
		t.then(1e8, 1e10, call.Withdrawn{Call: t.id, Queue: "sales", Agent: agent, Leg: peer, Why: "the caller left"})
		t.say(t.at, call.Dequeued{Call: t.id, Queue: "sales", Exit: call.ExitAbandoned, Waited: t.at.Sub(queued)})
		t.end([]hal.LegID{t.leg, peer}, hal.Normal, call.ByCaller)
		return
	}
	t.then(1e9, 1e10, call.Answered{Call: t.id, Leg: peer, Contact: "sip:201@192.0.2.7"})
	t.say(t.at, call.Dequeued{Call: t.id, Queue: "sales", Exit: call.ExitAnswered, Agent: agent, Waited: t.at.Sub(queued)})
	t.say(t.at, call.Connected{Call: t.id, Leg: t.leg, Peer: peer, Agent: agent, Queue: "sales"})
	t.say(t.at, call.Presence{Agent: agent, State: call.Talking, Call: t.id, Actor: "system", Cause: call.ByCall})
	file := "2026/" + string(t.id)
	began := t.at
	t.say(t.at, call.RecordingStarted{Call: t.id, File: file, Left: []hal.LegID{t.leg}, Right: []hal.LegID{peer}})
	t.then(1e9, 3e11, call.Presence{Agent: agent, State: call.WrapUp, Actor: "system", Cause: call.ByCall, Until: t.at.Add(10 * time.Second)})
	t.end([]hal.LegID{t.leg, peer}, hal.Normal, call.ByCaller)
	t.then(0, 1e8, call.RecordingSaved{Call: t.id, File: file, For: t.at.Sub(began)})
}

// offer rings an agent's phone.
func (t *talk) offer() (agent string, leg hal.LegID) {
	agent, leg = t.agent(), t.dialled("phones")
	t.then(0, 1e9, call.Offered{Call: t.id, Queue: "sales", Agent: agent, Extension: "201", Leg: leg, Why: "longest idle, 19s"})
	t.say(t.at, call.Dialed{Call: t.id, Leg: leg, Line: "phones", To: "201", Agent: agent})
	t.say(t.at, call.Presence{Agent: agent, State: call.Ringing, Call: t.id, Actor: "system", Cause: call.ByCall})
	t.then(0, 1e8, call.Opened{Call: t.id, Leg: leg, Wire: "c0ffee-" + string(leg) + "@192.0.2.1"})
	t.then(0, 1e8, call.Alerting{Call: t.id, Leg: leg})
	return agent, leg
}
