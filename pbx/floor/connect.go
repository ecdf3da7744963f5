package floor

import (
	"fmt"
	"slices"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
)

// progress takes that a dialled leg rings, or that a leg has sound before its answer.
func (f *Floor) progress(l *leg, s hal.Progress) {
	f.opened(l)
	if s.Sound {
		f.soundsEarly(l)
	}
	if !s.Alerting || l.alerting || l.answered || l == l.of.caller || l.kind == joined || l.ending {
		return
	}
	l.alerting = true
	f.fact(call.Alerting{Call: l.of.id, Leg: l.id, Release: s.Release})
	switch c := l.of; {
	case l.kind == offered:
		if q := f.queue(c.visit.queue); q != nil {
			l.deadline = c.visit.offered.Add(q.RingTimeout)
		}
	case c.transfer != nil:
		f.transferRings(c)
	case !c.caller.answering && !l.sounds: // else he hears it
		f.order(hal.Alert{Leg: c.caller.id})
	}
	f.showAt(l.phone, call.ByCall)
}

// answered takes that a leg talks, and lets the two talk when both do.
func (f *Floor) answered(l *leg, s hal.Answered) {
	if l.answered {
		return
	}
	l.answered = true
	f.fact(call.Answered{Call: l.of.id, Leg: l.id, Contact: s.Contact, Release: s.Release})
	if l.ending {
		return
	}
	c := l.of
	f.watchSound(c)
	if l == c.caller {
		if c.pending != nil {
			f.order(*c.pending)
			c.pending = nil
		}
		if c.desk != nil {
			f.deskAnswered(c)
			return
		}
	} else {
		l.deadline = time.Time{}
		f.callOff(c, l)
		if f.consulted(c, l) {
			f.showAt(l.phone, call.ByCall)
			return
		}
		c.peer = l
		f.answer(c.caller)
	}
	f.showAt(l.phone, call.ByCall)
	f.connect(c)
}

// connect joins the caller and who answered, once both talk.
func (f *Floor) connect(c *contact) {
	if c.connected || c.ending || c.peer == nil || c.caller == nil || !c.peer.answered || !c.caller.answered {
		return
	}
	c.connected, c.parked = true, nil
	f.hush(c)
	joined := call.Connected{Call: c.id, Leg: c.caller.id, Peer: c.peer.id}
	if c.peer.phone != nil && c.peer.phone.agent != nil {
		joined.Agent = c.peer.phone.agent.number
	}
	if v := c.visit; v != nil {
		joined.Queue, c.queue = v.queue, v.queue
		f.leaveQueue(c, call.ExitAnswered, joined.Agent)
	}
	if f.serves(joined.Agent, c.queue) {
		c.peer.served = c.queue
	}
	f.fact(joined)
	bridge := hal.BridgeID(c.id)
	f.order(hal.Join{Leg: c.caller.id, Bridge: bridge, Role: hal.Talk})
	f.order(hal.Join{Leg: c.peer.id, Bridge: bridge, Role: hal.Talk})
	if c.record && !f.isFax(c) {
		f.startRecording(c, bridge)
	}
	for _, two := range [...][2]*leg{{c.caller, c.peer}, {c.peer, c.caller}} {
		f.tell(two[0], two[1])
		if two[0].held { // since before: with whom he talked then
			f.fact(call.Held{Call: c.id, Leg: two[0].id})
			f.holdMusic(two[0], two[1])
		}
	}
	f.showAt(c.caller.phone, call.ByCall)
	f.showAt(c.peer.phone, call.ByCall)
	f.transferDone(c)
}

// part ends a conversation whose parties go on: nobody hears anybody, and what is recorded ends.
func (f *Floor) part(c *contact) {
	if !c.connected {
		return
	}
	c.connected = false
	f.fact(call.Parted{Call: c.id, Leg: c.caller.id, Peer: c.peer.id})
	if c.tape != "" {
		f.order(hal.Stop{Ref: c.tape})
		c.tape = ""
	}
	for _, l := range [...]*leg{c.caller, c.peer} {
		if l.held {
			f.order(hal.Stop{Ref: holdRef(l)})
		}
		f.order(hal.Join{Leg: l.id})
		f.showAt(l.phone, call.ByCall) // who held the other one does so no more
	}
}

// tell shows the party on l whom it talks with now, where that is not whom it was told of. Only phones
// have a display.
func (f *Floor) tell(l, other *leg) {
	number, name := f.who(other)
	if l.phone == nil || l.shown == number {
		return
	}
	l.shown = number
	f.order(hal.Show{Leg: l.id, Name: name, Number: number})
}

// serves tells whether an agent is one of a queue's.
func (f *Floor) serves(agent, queue string) bool {
	q := f.queue(queue)
	return q != nil && slices.Contains(q.Agents, agent)
}

func (f *Floor) startRecording(c *contact, bridge hal.BridgeID) {
	take := string(c.id)
	if c.takes++; c.takes > 1 {
		take = fmt.Sprintf("%s-%d", c.id, c.takes)
	}
	rec := hal.Record{
		Bridge: bridge, Ref: hal.Ref("record-" + take),
		File:  fmt.Sprintf("%s/%s", f.now.UTC().Format("2006/01/02"), take),
		Left:  []hal.LegID{c.caller.id},
		Right: []hal.LegID{c.peer.id},
	}
	c.tape = rec.Ref
	f.files = append(f.files, file{ref: rec.Ref, call: c.id, name: rec.File})
	f.fact(call.RecordingStarted{Call: c.id, File: rec.File, Left: rec.Left, Right: rec.Right})
	f.order(rec)
}

// recorded takes that a file is safe; the call may have ended before.
func (f *Floor) recorded(s hal.Recorded) {
	for i, r := range f.files {
		if r.ref == s.Ref {
			f.files = append(f.files[:i], f.files[i+1:]...)
			f.fact(call.RecordingSaved{Call: r.call, File: r.name, For: s.For, Err: s.Err})
			return
		}
	}
}

// holds takes that a party put its end on hold or came back: the other one hears music meanwhile.
func (f *Floor) holds(l *leg, on bool) {
	c := l.of
	if l.held == on || l.ending {
		return
	}
	l.held = on
	f.watchSound(c)
	if on {
		f.fact(call.Held{Call: c.id, Leg: l.id})
	} else {
		f.fact(call.Resumed{Call: c.id, Leg: l.id})
	}
	if other := c.other(l); other != nil {
		f.holdMusic(l, other)
	}
	f.showAt(l.phone, call.ByCall)
}

func (f *Floor) holdMusic(l, other *leg) {
	if other == nil || other.ending {
		return
	}
	ref := holdRef(l)
	if l.held {
		f.order(hal.Play{Leg: other.id, Ref: ref, Items: []hal.Item{{Tone: "music"}}, Loop: true})
		return
	}
	f.order(hal.Stop{Ref: ref})
}

// holdRef names the music that the other party hears while l holds.
func holdRef(l *leg) hal.Ref { return hal.Ref("hold-" + string(l.id)) }
