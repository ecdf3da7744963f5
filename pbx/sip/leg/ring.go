package leg

import (
	"branchline/hal"
	"branchline/pbx/sip/dialog"
	"branchline/pbx/sip/session"
	"branchline/pbx/sip/wire"
)

// Ring makes a leg of r, an INVITE outside of a dialog whose line knows who calls, and tells in, whose
// Leg, Wire, Replaces and Release it sets; without an Endpoint it takes nobody's place. Where that cannot be, r is answered.
func (t *Table) Ring(r *wire.Request, terms Terms, in hal.Incoming) {
	if !r.Keep() {
		return
	}
	t.Reply(r, wire.Response{Code: 100})
	if t.calls[r.CallID] != nil {
		t.Reply(r, wire.Response{Code: 482}) // RFC 3261 8.2.2.2
		return
	}
	if in.To == "" {
		t.Reply(r, wire.Response{Code: 484})
		return
	}
	offer, refused := terms.Sound.Offered(r)
	if refused.Code != 0 {
		t.Reply(r, refused)
		return
	}
	if _, _, refused := t.Session.Answer(r, false, session.Timer{}); refused.Code != 0 {
		t.Reply(r, refused)
		return
	}
	replaced, code := t.replaces(r, in.Endpoint)
	if code != 0 {
		t.Reply(r, wire.Response{Code: code})
		return
	}
	*t.Count++
	l := t.newLeg(hal.IncomingLeg(t.Name, t.Boot, *t.Count), r.CallID, terms)
	l.invite, l.offer, l.dialog = r, offer, dialog.Accept(r, l.tag)
	l.dialog.Contact = t.contact(r.Flow, r.URI)
	l.learn(r)
	in.Leg, in.Wire, in.Replaces, in.Release = l.id, r.CallID, replaced, l.dialog.Release()
	t.Out.Put(in)
}

// alert tells the caller that it rings, or lets him hear something before the answer.
func (l *Leg) alert(o hal.Alert) {
	t := l.table
	res := l.response(180)
	if !o.Sound {
		l.ring(res)
		return
	}
	if l.offer == nil && !session.Named(l.invite, "Require", "100rel") {
		t.Out.Put(hal.Failed{Leg: l.id, Why: "the phone left the offer to us: no sound before the answer"})
		l.ring(res)
		return
	}
	if err := l.openPort(l.dialog.Flow.Local.Addr()); err != nil {
		t.Out.Put(hal.Failed{Leg: l.id, Why: err.Error()})
		l.ring(res)
		return
	}
	res.Code = 183
	if l.offer != nil && !l.settled {
		res.Type, res.Body = "application/sdp", l.sound.Answer(l.offer, l.at(l.dialog.Flow))
	}
	l.ring(res)
	if l.offer != nil {
		l.heardEarly(l.offer)
	}
}

// answer takes the call.
func (l *Leg) answer() {
	if err := l.openPort(l.dialog.Flow.Local.Addr()); err != nil {
		l.table.Log.Warn("call not answered: no RTP port", "leg", l.id, "err", err)
		l.table.Reply(l.invite, wire.Response{Code: 503, Tag: l.tag})
		l.gone(hal.Congestion, false, "no RTP port")
		l.forget()
		return
	}
	at := l.at(l.dialog.Flow)
	timer, headers, _ := l.wants.Answer(l.invite, false, session.Timer{})
	if l.offer == nil { // answered once the ACK says what the phone can
		l.answered = true
		l.accept(l.invite, headers, l.sound.Offer(at), true)
		l.watch(timer)
		return
	}
	var body []byte
	if !l.settled {
		body = l.sound.Answer(l.offer, at)
	}
	l.accept(l.invite, headers, body, false)
	l.watch(timer)
	l.agree(l.offer)
	l.talk(l.dialog.Flow.Remote.String())
	l.tellHold(l.offer)
}
