package leg

import (
	"branchline/hal"
	"branchline/pbx/sip/dialog"
	"branchline/pbx/sip/session"
	"branchline/pbx/sip/wire"
)

// Within handles a request inside a dialog. It counts only when it comes from where the dialog
// is; from elsewhere (a phone that changed its network, or somebody who has seen our Call-ID) it
// must prove to be the same peer.
func (t *Table) Within(r *wire.Request) {
	l := t.calls[r.CallID]
	if l != nil && l.dialog == nil && !l.over {
		l.withinEarly(r)
		return
	}
	if l == nil || l.dialog == nil || !l.dialog.Is(r) {
		t.Reply(r, wire.Response{Code: 481})
		return
	}
	if r.Flow != l.dialog.Flow {
		if !t.Peers.Proves(l.peer, r) {
			return
		}
		l.Move(r.Flow)
	}
	if !l.dialog.InOrder(r) {
		t.Reply(r, wire.Response{Code: 500, Reason: "CSeq Out Of Order"}) // RFC 3261 12.2.2
		return
	}
	if !r.Keep() {
		return
	}
	switch {
	case r.Method == "BYE":
		l.theirBye(r)
	case l.over:
		t.Reply(r, wire.Response{Code: 481})
	case r.Method == "INVITE":
		l.reinvite(r)
	case r.Method == "UPDATE":
		l.update(r)
	case r.Method == "PRACK":
		l.prack(r)
	case r.Method == "INFO":
		l.info(r)
	case r.Method == "OPTIONS":
		t.Reply(r, wire.Response{Code: 200, Headers: []wire.Header{{Name: "Accept", Value: Accepted}}})
	case r.Method == "REFER" && t.allows(r.Method):
		l.refer(r)
	case r.Method == "SUBSCRIBE", r.Method == "NOTIFY":
		t.Reply(r, wire.Response{Code: 489})
	default:
		t.Reply(r, wire.Response{Code: 405})
	}
}

func (l *Leg) theirBye(r *wire.Request) {
	l.table.Reply(r, wire.Response{Code: 200})
	cause := hal.Normal
	if !l.answered { // a caller may end an early dialog so, too: RFC 3261 15
		cause = hal.NoAnswer
		l.table.Reply(l.invite, wire.Response{Code: 487, Tag: l.tag})
	}
	l.gone(cause, true, "SIP BYE")
	l.forget()
}

// reinvite changes a call that stands: hold, resume, another address, a sign of life.
func (l *Leg) reinvite(r *wire.Request) {
	t := l.table
	t.Reply(r, wire.Response{Code: 100})
	if !l.answered || l.pending != nil || l.asking != nil && l.asking.Method == "INVITE" {
		t.Reply(r, wire.Response{Code: 491})
		return
	}
	o, timer, headers, refused := l.renewal(r)
	if refused.Code != 0 {
		t.Reply(r, refused)
		return
	}
	l.dialog.Refresh(r.Contact)
	l.watch(timer)
	at := l.at(l.dialog.Flow)
	if o == nil {
		l.accept(r, headers, l.sound.Offer(at), true)
		return
	}
	l.accept(r, headers, l.sound.Answer(o, at), false)
	l.agree(o)
	l.tellHold(o)
}

// renewal reads what a re-INVITE or UPDATE offers and asks for.
func (l *Leg) renewal(r *wire.Request) (o *dialog.Offer, timer session.Timer, headers []wire.Header, refused wire.Response) {
	if o, refused = l.sound.Offered(r); refused.Code != 0 {
		return o, timer, nil, refused
	}
	timer, headers, refused = l.wants.Answer(r, l.their.timer, l.timer)
	l.their.timer = l.their.timer || session.Knows(r)
	return o, timer, headers, refused
}

// update does the same without an ACK (RFC 3311).
func (l *Leg) update(r *wire.Request) {
	res := l.response(200)
	o, timer, headers, refused := l.renewal(r)
	switch {
	case refused.Code != 0:
		res = refused
	case o != nil && !l.answered && (!l.settled || l.assured != nil): // the first offer has no answer yet: RFC 3311 5.2
		res = wire.Response{Code: 500, Headers: []wire.Header{{Name: "Retry-After", Value: "2"}}}
	case o != nil && (l.pending != nil || l.asking != nil && len(l.asking.Body) > 0):
		res = wire.Response{Code: 491}
	default:
		l.dialog.Refresh(r.Contact)
		if l.answered {
			l.watch(timer)
			res.Headers = append(res.Headers, headers...)
		}
		if o != nil {
			res.Type, res.Body = "application/sdp", l.sound.Answer(o, l.at(l.dialog.Flow))
			l.agree(o)
			if l.answered {
				l.tellHold(o)
			} else {
				l.offer = o
			}
		}
	}
	l.table.Reply(r, res)
}

// info takes keys that a phone sends as messages.
func (l *Leg) info(r *wire.Request) {
	if r.Type == "application/hook-flash" { // as analogue adapters say it; the body says no more
		l.table.Reply(r, wire.Response{Code: 200})
		l.table.Out.Put(hal.Flash{Leg: l.id})
		return
	}
	if len(r.Body) == 0 {
		l.table.Reply(r, wire.Response{Code: 200})
		return
	}
	if r.Type != "application/dtmf-relay" && r.Type != "application/dtmf" {
		l.table.Reply(r, wire.Response{Code: 415, Headers: []wire.Header{{Name: "Accept", Value: "application/dtmf-relay, application/dtmf"}}})
		return
	}
	key, length, ok := dialog.ReadKey(r.Type, r.Body)
	if !ok {
		l.table.Reply(r, wire.Response{Code: 400, Reason: "Bad Request: key"})
		return
	}
	l.table.Reply(r, wire.Response{Code: 200})
	if key == '!' {
		l.table.Out.Put(hal.Flash{Leg: l.id})
		return
	}
	l.table.Out.Put(hal.Digit{Leg: l.id, Key: key, For: length})
}
