package leg

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"branchline/hal"
	"branchline/pbx/sip/dialog"
	"branchline/pbx/sip/header"
	"branchline/pbx/sip/session"
	"branchline/pbx/sip/wire"
)

// early is the dialog with a phone that rings.
type early struct {
	tag    string
	dialog *dialog.Dialog
	rseq   uint32        // RSeq that came last; 0: none yet
	offer  *dialog.Offer // its description; nil: none came
}

// maxEarly is how many phones behind one contact may ring at a time.
const maxEarly = 8

// earlyOf is the dialog of a provisional response; nil where it makes none. f keeps it.
func (f *fork) earlyOf(res *wire.Response) *early {
	tag := res.To.Tag()
	for _, e := range f.early {
		if e.tag == tag {
			return e
		}
	}
	if tag == "" || len(f.early) >= maxEarly {
		return nil
	}
	e := &early{tag: tag, dialog: dialog.Open(f.invite, res)}
	f.early = append(f.early, e)
	return e
}

// acknowledge sends the PRACK of a provisional response that asks for one. false: the response is to be
// left alone, for it came before, or one before it did not (RFC 3262 4).
func (f *fork) acknowledge(e *early, res *wire.Response) bool {
	if !session.Named(res, "Require", "100rel") {
		return true
	}
	n, err := strconv.ParseUint(res.Header("RSeq"), 10, 32)
	if err != nil || n == 0 || e == nil || e.rseq != 0 && uint32(n) != e.rseq+1 {
		return false
	}
	e.rseq = uint32(n)
	e.dialog.Refresh(res.Contact)
	r := e.dialog.Request("PRACK")
	r.Headers = []wire.Header{{Name: "RAck", Value: fmt.Sprintf("%d %d INVITE", n, f.invite.CSeq)}}
	f.leg.sayIn(e.dialog, r, func(*wire.Response) {})
	return true
}

// ringsAt is the dialog of a request from a phone that rings; nil: it is of none.
func (l *Leg) ringsAt(r *wire.Request) *early {
	for _, f := range l.forks {
		for _, e := range f.early {
			if !f.done && r.Flow == e.dialog.Flow && e.dialog.Is(r) {
				return e
			}
		}
	}
	return nil
}

// withinEarly handles a request of a phone that rings: it may change what is heard before the answer.
func (l *Leg) withinEarly(r *wire.Request) {
	e := l.ringsAt(r)
	if e == nil || !e.dialog.InOrder(r) {
		l.table.Reply(r, wire.Response{Code: 481})
		return
	}
	if !r.Keep() {
		return
	}
	res := wire.Response{Code: 200, Contact: []header.Address{e.dialog.Contact}}
	switch r.Method {
	case "OPTIONS":
	case "UPDATE":
		e.dialog.Refresh(r.Contact)
		o, refused := l.sound.Offered(r)
		switch {
		case refused.Code != 0:
			res = refused
		case o != nil && (e.rseq == 0 || e.offer == nil): // our offer has no sure answer yet: RFC 3311 5.2
			res = wire.Response{Code: 500, Headers: []wire.Header{{Name: "Retry-After", Value: "2"}}}
		case o != nil:
			res.Type, res.Body = "application/sdp", l.sound.Answer(o, l.at(r.Flow))
			e.offer = o
			l.agree(o)
		}
	default:
		res = wire.Response{Code: 481}
	}
	l.table.Reply(r, res)
}

// assurance is a provisional response of ours that waits for its PRACK (RFC 3262 3).
type assurance struct {
	rseq         uint32
	response     wire.Response
	wantsAnswer  bool // it carries our offer
	pause, spent time.Duration
	stop         func()
	then         []func() // what waits for the PRACK
}

// ring sends a provisional response of ours, reliably where the caller wants that, or can do it and hears
// sound by it.
func (l *Leg) ring(res wire.Response) {
	needs := session.Named(l.invite, "Require", "100rel")
	if !needs && !(len(res.Body) > 0 && session.Named(l.invite, "Supported", "100rel")) {
		l.table.Reply(l.invite, res)
		return
	}
	wantsAnswer := false
	if l.offer == nil && !l.settled { // the first reliable response carries the offer: RFC 3262 5
		if err := l.openPort(l.dialog.Flow.Local.Addr()); err != nil {
			l.table.Log.Warn("no RTP port", "leg", l.id, "err", err)
			return
		}
		res.Type, res.Body, wantsAnswer = "application/sdp", l.sound.Offer(l.at(l.dialog.Flow)), true
	}
	if l.rseq == 0 {
		l.rseq = 1 + rand.Uint32N(1<<30)
	}
	l.rseq++
	res.Headers = append(res.Headers, wire.Header{Name: "Require", Value: "100rel"}, wire.Header{Name: "RSeq", Value: fmt.Sprint(l.rseq)})
	l.assured = &assurance{rseq: l.rseq, response: res, wantsAnswer: wantsAnswer, pause: wire.T1()}
	l.table.Reply(l.invite, res)
	l.assure()
}

// whenAssured does f at once, or when the PRACK for which we wait has come. f is not done where none comes.
func (l *Leg) whenAssured(f func()) {
	if l.assured == nil {
		f()
		return
	}
	l.assured.then = append(l.assured.then, f)
}

func (l *Leg) assure() {
	a := l.assured
	a.stop = l.table.Wire.After(a.pause, l.callID, func() {
		if a.spent += a.pause; a.spent >= 64*wire.T1() {
			l.assured = nil
			l.table.Reply(l.invite, wire.Response{Code: 504, Reason: "No PRACK", Tag: l.tag})
			l.fail(hal.WireTrouble, "no PRACK")
			return
		}
		a.pause *= 2
		l.table.Reply(l.invite, a.response)
		l.assure()
	})
}

// prack handles a PRACK, which may bring an answer to our offer, or an offer.
func (l *Leg) prack(r *wire.Request) {
	a, res := l.assured, l.response(200)
	if a == nil || l.answered || !isRAck(r.Header("RAck"), a.rseq, l.invite.CSeq) {
		l.table.Reply(r, wire.Response{Code: 481})
		return
	}
	if a.wantsAnswer {
		o, err := l.sound.Answered(r.Flow, r.Body)
		if err != nil {
			l.table.Reply(r, wire.Response{Code: 488})
			return
		}
		l.heardEarly(o)
	} else if o, refused := l.sound.Offered(r); refused.Code != 0 {
		l.table.Reply(r, refused)
		return
	} else if o != nil && len(a.response.Body) > 0 {
		res.Type, res.Body = "application/sdp", l.sound.Answer(o, l.at(l.dialog.Flow))
		l.heardEarly(o)
	}
	l.unassure()
	l.settled = l.settled || len(a.response.Body) > 0
	l.table.Reply(r, res)
	for i, f := range a.then {
		if l.over || l.answered {
			return
		}
		if l.assured != nil { // one of them waits for another PRACK
			l.assured.then = append(l.assured.then, a.then[i:]...)
			return
		}
		f()
	}
}

// heardEarly puts into force what was agreed before the answer.
func (l *Leg) heardEarly(o *dialog.Offer) {
	l.offer = o
	l.agree(o)
	if !l.sounding {
		l.sounding = true
		l.table.Out.Put(hal.Progress{Leg: l.id, Sound: true})
	}
}

func (l *Leg) unassure() {
	if l.assured != nil {
		l.assured.stop()
		l.assured = nil
	}
}

// isRAck reads a RAck (RFC 3262 7.2).
func isRAck(value string, rseq, cseq uint32) bool {
	f := strings.Fields(value)
	return len(f) == 3 && f[0] == fmt.Sprint(rseq) && f[1] == fmt.Sprint(cseq) && f[2] == "INVITE"
}
