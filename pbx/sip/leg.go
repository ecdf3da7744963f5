package sip

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"branchline/hal"
	"branchline/pbx/media"
	"branchline/pbx/sip/causes"
	"branchline/pbx/sip/dialog"
	"branchline/pbx/sip/header"
	"branchline/pbx/sip/registrar"
	"branchline/pbx/sip/wire"
)

// leg is one call between the box and one extension.
type leg struct {
	desk      *desk
	id        hal.LegID
	callID    string
	extension string // who is at the far end

	invite *wire.Request // theirs; nil: we called
	tag    string        // ours, of the dialog
	forks  []*fork       // ours, one to each contact
	winner *fork
	dialog *dialog.Dialog // of an incoming leg from its beginning, of ours once it is answered
	offer  *dialog.Offer  // theirs, not answered yet; nil where the INVITE left it to us

	stranded *registrar.Binding // of the phone, whose connection was lost in the call; nil: it is there

	answered bool
	over     bool // Gone is told; the wire may not be at rest yet
	alerting bool
	sounding bool
	held     bool

	port    *media.Port
	sound   dialog.Sound
	pending *acceptance
}

// acceptance is a 2xx of ours that waits for its ACK. We repeat it ourselves: sipgo's server
// transaction does not, as the RFC asks, and its dialogs give up without a BYE (sipgo v1.7.2).
type acceptance struct {
	request      *wire.Request
	response     wire.Response
	wantsAnswer  bool // the 2xx carries our offer
	pause, spent time.Duration
	stop         func()
}

func (d *desk) newLeg(id hal.LegID, callID, extension string) *leg {
	l := &leg{desk: d, id: id, callID: callID, extension: extension, tag: newTag(), sound: dialog.Sound{ID: uint64(rand.Uint32())}}
	d.legs[id] = l
	if callID != "" {
		d.calls[callID] = l
	}
	return l
}

// gone tells that the leg is over, once.
func (l *leg) gone(cause hal.Cause, far bool, wire string) {
	if l.over {
		return
	}
	l.over = true
	l.closePort()
	delete(l.desk.legs, l.id)
	l.desk.out.Put(hal.Gone{Leg: l.id, Cause: cause, Far: far, Wire: wire})
}

// forget says that nothing more is expected in the dialog.
func (l *leg) forget() {
	l.settle()
	if l.desk.calls[l.callID] == l {
		delete(l.desk.calls, l.callID)
	}
}

// release ends the leg on the wire as far as it can be ended now, and tells nobody.
func (l *leg) release(cause hal.Cause) {
	switch {
	case l.answered:
		l.bye()
	case l.invite != nil:
		l.desk.reply(l.invite, wire.Response{Code: causes.Refusal(cause), Tag: l.tag})
	default:
		l.cancelForks(nil, cause)
	}
	l.settle()
}

// hangup carries out a Hangup in any state.
func (l *leg) hangup(cause hal.Cause) {
	if cause == "" {
		cause = hal.Normal
	}
	if p := l.pending; l.answered && p != nil && p.request == l.invite {
		l.gone(cause, false, "") // no BYE before the ACK: RFC 3261 15
		return
	}
	l.release(cause)
	l.gone(cause, false, "")
	l.forget()
}

func (l *leg) bye() { l.desk.send(l.dialog.Request("BYE"), func(*wire.Response) {}) }

// openPort opens the leg's RTP port on ip, once.
func (l *leg) openPort(ip netip.Addr) error {
	if l.port != nil {
		return nil
	}
	p, err := l.desk.media.OpenRTP(l.id, ip)
	if err != nil {
		return err
	}
	l.port = p
	return nil
}

func (l *leg) closePort() {
	if l.port == nil {
		return
	}
	l.desk.audio.set(l.id, nil)
	l.port.Close()
	l.port = nil
}

// at is where the phone shall send its sound: our address on its side of the house. A port that is
// bound to one address stays there even if the phone moves to another.
func (l *leg) at(local netip.AddrPort) netip.AddrPort {
	bound := l.port.Local()
	if bound.Addr().IsUnspecified() {
		return netip.AddrPortFrom(local.Addr(), bound.Port())
	}
	return bound
}

// agree puts what was negotiated into force.
func (l *leg) agree(o *dialog.Offer) {
	l.port.Negotiated(o.Session)
	l.desk.audio.set(l.id, l.port)
}

// tellHold tells whether the phone has put us on hold, when that is news.
func (l *leg) tellHold(o *dialog.Offer) {
	if o == nil || o.Held == l.held {
		return
	}
	l.held = o.Held
	if o.Held {
		l.desk.out.Put(hal.Held{Leg: l.id})
		return
	}
	l.desk.out.Put(hal.Resumed{Leg: l.id})
}

// talk tells that the leg is answered.
func (l *leg) talk(contact string) {
	l.answered = true
	l.desk.out.Put(hal.Answered{Leg: l.id, Contact: contact, Release: l.dialog.Release()})
}

// accept answers an INVITE of the phone by a 2xx and repeats that until its ACK comes.
func (l *leg) accept(r *wire.Request, body []byte, wantsAnswer bool) {
	res := wire.Response{Code: 200, Tag: l.tag, Contact: []header.Address{l.dialog.Contact}, Type: "application/sdp", Body: body}
	l.desk.reply(r, res)
	l.pending = &acceptance{request: r, response: res, wantsAnswer: wantsAnswer, pause: wire.T1()}
	l.wait()
}

func (l *leg) wait() {
	p := l.pending
	p.stop = l.desk.wire.After(p.pause, l.callID, func() {
		p.spent += p.pause
		if p.spent >= 64*wire.T1() { // RFC 3261 13.3.1.4
			l.settle()
			l.bye()
			l.gone(hal.WireTrouble, false, "no ACK")
			l.forget()
			return
		}
		p.pause = min(2*p.pause, wire.T2())
		l.desk.reply(p.request, p.response)
		l.wait()
	})
}

// settle stops repeating a 2xx.
func (l *leg) settle() {
	if l.pending != nil {
		l.pending.stop()
		l.pending = nil
	}
}

// ack handles an ACK; one that fits nothing is ignored (sipgo v1.7.2).
func (l *leg) ack(r *wire.Request) {
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
	if !p.wantsAnswer {
		return
	}
	o, err := dialog.ReadOffer(r.Body)
	if err != nil {
		l.bye()
		l.gone(hal.Media, false, "ACK without a codec that we have")
		l.forget()
		return
	}
	l.agree(o)
	if p.request == l.invite {
		l.talk(r.Flow.Remote.String())
	}
	l.tellHold(o)
}
