package leg

import (
	"time"

	"branchline/hal"
	"branchline/pbx/sip/wire"
)

// acceptance is a 2xx of ours that waits for its ACK. We repeat it ourselves: sipgo's server
// transaction does not, as the RFC asks, and its dialogs give up without a BYE (sipgo v1.7.2).
type acceptance struct {
	request      *wire.Request
	response     wire.Response
	wantsAnswer  bool // the 2xx carries our offer
	pause, spent time.Duration
	stop         func()
}

// accept answers an INVITE of the phone by a 2xx and repeats that until its ACK comes.
func (l *Leg) accept(r *wire.Request, headers []wire.Header, body []byte, wantsAnswer bool) {
	res := l.response(200)
	res.Headers = append(res.Headers, headers...)
	res.Type, res.Body = "application/sdp", body
	l.table.Reply(r, res)
	l.pending = &acceptance{request: r, response: res, wantsAnswer: wantsAnswer, pause: wire.T1()}
	l.wait()
}

func (l *Leg) wait() {
	p := l.pending
	p.stop = l.table.Wire.After(p.pause, l.callID, func() {
		p.spent += p.pause
		if p.spent >= 64*wire.T1() { // RFC 3261 13.3.1.4
			l.end(hal.WireTrouble, "no ACK")
			return
		}
		p.pause = min(2*p.pause, wire.T2())
		l.table.Reply(p.request, p.response)
		l.wait()
	})
}

// settle stops repeating a 2xx.
func (l *Leg) settle() {
	if l.pending != nil {
		l.pending.stop()
		l.pending = nil
	}
}

func (l *Leg) ack(r *wire.Request) {
	p := l.pending
	if p == nil || r.CSeq != p.request.CSeq || !l.dialog.Is(r) || r.Flow.Remote.Addr() != l.dialog.Flow.Remote.Addr() {
		return
	}
	l.settle()
	if l.over {
		l.bye()
		l.forget()
		return
	}
	defer l.renew()
	if !p.wantsAnswer {
		return
	}
	o, err := l.sound.Answered(r.Flow, r.Body)
	if err != nil {
		l.end(hal.Media, "SIP ACK: "+err.Error())
		return
	}
	l.agree(o)
	if p.request == l.invite {
		l.talk(r.Flow.Remote.String())
	}
	l.tellHold(o)
}
