package sip

import (
	"branchline/hal"
	"branchline/pbx/sip/dialog"
	"branchline/pbx/sip/header"
	"branchline/pbx/sip/wire"
)

// invite handles a call from a phone.
func (d *desk) invite(r *wire.Request) {
	extension, ok := d.authorise(r)
	if !ok || !r.Keep() {
		return
	}
	d.reply(r, wire.Response{Code: 100})
	if d.calls[r.CallID] != nil {
		d.reply(r, wire.Response{Code: 482}) // RFC 3261 8.2.2.2
		return
	}
	if r.URI.User == "" {
		d.reply(r, wire.Response{Code: 484})
		return
	}
	offer, refused := dialog.Offered(r)
	if refused.Code != 0 {
		d.reply(r, refused)
		return
	}
	*d.count++
	l := d.newLeg(hal.IncomingLeg(d.name, d.boot, *d.count), r.CallID, extension)
	l.invite, l.offer, l.dialog = r, offer, dialog.Accept(r, l.tag)
	name := header.Plain(r.From.Name)
	if name == "" {
		name = d.accounts[extension].Name
	}
	d.out.Put(hal.Incoming{Leg: l.id, From: hal.Number(extension), To: hal.Number(r.URI.User), Endpoint: extension,
		Name: name, Wire: r.CallID})
}

// alert tells the caller that it rings, or lets him hear something before the answer.
func (l *leg) alert(o hal.Alert) {
	d := l.desk
	res := wire.Response{Code: 180, Tag: l.tag, Contact: []header.Address{l.dialog.Contact}}
	if !o.Sound {
		d.reply(l.invite, res)
		return
	}
	if l.offer == nil {
		d.out.Put(hal.Failed{Leg: l.id, Why: "the phone left the offer to us: no sound before the answer"})
		d.reply(l.invite, res)
		return
	}
	local := l.dialog.Flow.Local
	if err := l.openPort(local.Addr()); err != nil {
		d.out.Put(hal.Failed{Leg: l.id, Why: err.Error()})
		d.reply(l.invite, res)
		return
	}
	res.Code, res.Type, res.Body = 183, "application/sdp", l.sound.Answer(l.offer, l.at(local))
	d.reply(l.invite, res)
	l.agree(l.offer)
	if !l.sounding {
		l.sounding = true
		d.out.Put(hal.Progress{Leg: l.id, Sound: true})
	}
}

// answer takes the call.
func (l *leg) answer() {
	local := l.dialog.Flow.Local
	if err := l.openPort(local.Addr()); err != nil {
		l.desk.log.Warn("call not answered: no RTP port", "leg", l.id, "err", err)
		l.desk.reply(l.invite, wire.Response{Code: 503, Tag: l.tag})
		l.gone(hal.Congestion, false, "no RTP port")
		l.forget()
		return
	}
	if l.offer == nil { // answered once the ACK says what the phone can
		l.answered = true
		l.accept(l.invite, l.sound.Offer(l.at(local)), true)
		return
	}
	l.accept(l.invite, l.sound.Answer(l.offer, l.at(local)), false)
	l.agree(l.offer)
	l.talk(l.dialog.Flow.Remote.String())
	l.tellHold(l.offer)
}
