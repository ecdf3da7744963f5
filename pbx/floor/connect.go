package floor

import (
	"fmt"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
)

// progress takes that a dialled leg rings.
func (f *Floor) progress(l *leg, s hal.Progress) {
	if !s.Alerting || l.alerting || l.answered || l.kind == caller || l.ending {
		return
	}
	l.alerting = true
	f.fact(call.Alerting{Call: l.of.id, Leg: l.id, Release: s.Release})
	switch l.kind {
	case offered:
		if q := f.queue(l.of.visit.queue); q != nil {
			l.deadline = l.of.visit.offered.Add(q.RingTimeout)
		}
	default:
		if !l.of.answering {
			f.order(hal.Alert{Leg: l.of.caller.id})
		}
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
	if l.kind == caller {
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
		c.peer = l
		f.answer(c)
	}
	f.showAt(l.phone, call.ByCall)
	f.connect(c)
}

// connect joins the caller and who answered, once both talk.
func (f *Floor) connect(c *contact) {
	if c.connected || c.ending || c.peer == nil || !c.peer.answered || !c.caller.answered {
		return
	}
	c.connected = true
	f.hush(c)
	joined := call.Connected{Call: c.id, Leg: c.caller.id, Peer: c.peer.id}
	if c.peer.phone != nil && c.peer.phone.agent != nil {
		joined.Agent = c.peer.phone.agent.number
	}
	if v := c.visit; v != nil {
		joined.Queue, joined.Agent = v.queue, v.agent.number
		v.agent.served = v.queue
		f.leaveQueue(c, call.ExitAnswered, v.agent.number)
	}
	f.fact(joined)
	bridge := hal.BridgeID(c.id)
	f.order(hal.Join{Leg: c.caller.id, Bridge: bridge, Role: hal.Talk})
	f.order(hal.Join{Leg: c.peer.id, Bridge: bridge, Role: hal.Talk})
	if c.record {
		f.startRecording(c, bridge)
	}
	f.showAt(c.caller.phone, call.ByCall)
	f.showAt(c.peer.phone, call.ByCall)
}

func (f *Floor) startRecording(c *contact, bridge hal.BridgeID) {
	rec := hal.Record{
		Bridge: bridge, Ref: hal.Ref("record-" + string(c.id)),
		File:  fmt.Sprintf("%s/%s", f.now.UTC().Format("2006/01/02"), c.id),
		Left:  []hal.LegID{c.caller.id},
		Right: []hal.LegID{c.peer.id},
	}
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
	if c.connected && !c.ending {
		other := c.caller
		if l == c.caller {
			other = c.peer
		}
		f.holdMusic(l, other)
	}
	f.showAt(l.phone, call.ByCall)
}

func (f *Floor) holdMusic(l, other *leg) {
	if other == nil || other.ending {
		return
	}
	ref := hal.Ref("hold-" + string(l.id))
	if l.held {
		f.order(hal.Play{Leg: other.id, Ref: ref, Items: []hal.Item{{Tone: "music"}}, Loop: true})
		return
	}
	f.order(hal.Stop{Ref: ref})
}
