package sip

import (
	"crypto/rand"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"branchline/hal"
	"branchline/pbx/sip/causes"
	"branchline/pbx/sip/dialog"
	"branchline/pbx/sip/header"
	"branchline/pbx/sip/registrar"
	"branchline/pbx/sip/wire"
)

// fork is our INVITE to one contact of the extension that a leg calls.
type fork struct {
	leg     *leg
	binding registrar.Binding
	invite  *wire.Request
	rang    bool
	done    bool
	cause   hal.Cause
	said    string   // "SIP 486"
	ended   []string // tags of the dialogs that came too late and were ended
}

// dial calls all contacts of an extension. The first to answer wins.
func (d *desk) dial(o hal.Dial) {
	if d.legs[o.Leg] != nil {
		d.log.Error("leg dialled twice", "leg", o.Leg)
		return
	}
	extension := string(o.To)
	l := d.newLeg(o.Leg, rand.Text(), extension)
	contacts := d.reg.Reachable(extension)
	if _, known := d.accounts[extension]; !known {
		l.fail(hal.Unallocated, "no such extension")
		return
	}
	if len(contacts) == 0 {
		why := "not signed in"
		if len(d.reg.Contacts(extension)) > 0 {
			why = "signed in, but silent"
		}
		l.fail(hal.Unreachable, why)
		return
	}
	if err := l.openPort(commonAddr(contacts)); err != nil {
		d.log.Warn("phone not called: no RTP port", "leg", l.id, "err", err)
		l.fail(hal.Congestion, "no RTP port")
		return
	}
	for _, b := range contacts {
		f := &fork{leg: l, binding: b}
		if f.invite = d.newInvite(l, o, b); f.invite != nil && !tooLong(f.invite, contacts) {
			l.forks = append(l.forks, f)
		}
	}
	d.out.Put(hal.Opened{Leg: l.id, Wire: l.callID})
	for _, f := range l.forks {
		d.send(f.invite, f.heard)
	}
	if len(l.forks) == 0 {
		l.fail(hal.Unreachable, "contact cannot be called")
	}
}

// maxUDP is the longest request that goes by UDP where there is another way (RFC 3261 18.1.1).
const maxUDP = 1300

// tooLong says that an INVITE by UDP is to be left out because it is long and the same phone is there
// by TCP too, and gets its own that way. A phone that has UDP alone gets it by UDP all the same.
func tooLong(invite *wire.Request, contacts []registrar.Binding) bool {
	return invite.Flow.Network == "udp" && invite.Size() > maxUDP && slices.ContainsFunc(contacts, func(b registrar.Binding) bool {
		return b.Network == "tcp" && b.Remote.Addr() == invite.Flow.Remote.Addr()
	})
}

func (l *leg) fail(cause hal.Cause, why string) {
	l.gone(cause, false, why)
	l.forget()
}

// commonAddr is our address toward all contacts; every address where they see different ones.
func commonAddr(contacts []registrar.Binding) netip.Addr {
	ip := contacts[0].Local.Addr()
	for _, b := range contacts[1:] {
		if b.Local.Addr() == ip {
			continue
		}
		if slices.ContainsFunc(contacts, func(b registrar.Binding) bool { return b.Local.Addr().Is6() }) {
			return netip.IPv6Unspecified()
		}
		return netip.IPv4Unspecified()
	}
	return ip
}

// newInvite makes the INVITE to one contact; nil where the contact cannot be addressed. All of a
// leg's have the same Call-ID and From: for the phones it is one call.
func (d *desk) newInvite(l *leg, o hal.Dial, b registrar.Binding) *wire.Request {
	target, err := header.ParseURI(b.Contact)
	if err != nil {
		return nil
	}
	from := header.MakeURI(string(o.Show), b.Local)
	name := header.Plain(o.Name)
	if o.Private || o.Show == "" {
		from, _ = header.ParseURI("sip:anonymous@anonymous.invalid") // RFC 3323 4.1.1.3
		if o.Private {
			name = "Anonymous"
		}
	}
	r := &wire.Request{Method: "INVITE", URI: target, CallID: l.callID, CSeq: 1,
		Flow:    b.Flow(),
		From:    header.MakeAddress(name, from, l.tag),
		To:      header.MakeAddress("", header.MakeURI(l.extension, b.Local), ""),
		Contact: []header.Address{b.Flow().Contact()},
		Type:    "application/sdp", Body: l.sound.Offer(l.at(b.Local))}
	if o.AutoAnswer { // phones know one or the other
		r.Headers = append(r.Headers,
			wire.Header{Name: "Call-Info", Value: "<sip:" + b.Local.Addr().String() + ">;answer-after=0"},
			wire.Header{Name: "Alert-Info", Value: "<http://" + b.Local.Addr().String() + ">;info=alert-autoanswer"})
	} else if o.Alert != "" && !strings.ContainsAny(o.Alert, "<>\"; \r\n") {
		r.Headers = append(r.Headers, wire.Header{Name: "Alert-Info", Value: "<http://" + b.Local.Addr().String() + ">;info=" + o.Alert})
	}
	return r
}

// heard handles each response to the INVITE of a fork, for as long as any may come.
func (f *fork) heard(res *wire.Response) {
	l := f.leg
	switch {
	case res.Code/100 == 2:
		f.accepted(res)
	case res.Code >= 300:
		f.refused(res)
	case !l.over && !l.answered:
		f.progress(res)
	}
}

func (f *fork) progress(res *wire.Response) {
	l := f.leg
	rings := res.Code == 180
	f.rang = f.rang || rings
	news := rings && !l.alerting
	l.alerting = l.alerting || rings
	if res.Type == "application/sdp" && !l.sounding {
		if o, err := dialog.ReadOffer(res.Body); err == nil {
			l.agree(o)
			l.sounding, news = true, true
		}
	}
	if news {
		l.desk.out.Put(hal.Progress{Leg: l.id, Alerting: l.alerting, Sound: l.sounding})
	}
}

func (f *fork) refused(res *wire.Response) {
	l := f.leg
	if f.done {
		return
	}
	f.done = true
	f.said = fmt.Sprintf("SIP %d", res.Code)
	f.cause = causes.Of(res.Code, f.rang, res.Header("Reason"))
	if res.Local { // not one word from the phone, or none after it rang
		f.cause, f.said = hal.Unreachable, "no answer to INVITE"
	}
	if l.over || l.answered {
		return
	}
	best := f
	if res.Code < 600 { // a 6xx speaks for all phones of the person: RFC 3261 21.6
		for _, o := range l.forks {
			if !o.done {
				return
			}
			if causes.Weight(o.cause) > causes.Weight(best.cause) {
				best = o
			}
		}
	}
	l.cancelForks(f, best.cause)
	l.gone(best.cause, !res.Local, best.said)
	l.forget()
}

// accepted handles a 2xx: the first of the leg, one repeated, or one that comes too late, be it
// across our CANCEL or from another phone behind the same contact.
func (f *fork) accepted(res *wire.Response) {
	l, d := f.leg, f.leg.desk
	dlg := dialog.Open(f.invite, res)
	tag := dlg.Remote.Tag()
	if err := d.wire.Tell(dlg.Ack(f.invite.CSeq)); err != nil {
		d.log.Warn("ACK not sent", "call", l.callID, "err", err)
	}
	if l.winner == f && l.dialog.Remote.Tag() == tag || slices.Contains(f.ended, tag) {
		return
	}
	f.done = true
	if l.over || l.answered {
		f.ended = append(f.ended, tag)
		d.send(dlg.Request("BYE"), func(*wire.Response) {})
		return
	}
	l.winner, l.dialog, l.answered = f, dlg, true
	l.cancelForks(f, hal.Elsewhere)
	o, err := dialog.ReadOffer(res.Body)
	switch {
	case err == nil:
		l.agree(o)
	case len(res.Body) == 0 && l.sounding: // its answer came with the 183
	default:
		l.bye()
		l.gone(hal.Media, false, "SIP 200 without a codec that we have")
		l.forget()
		return
	}
	l.talk(f.binding.Contact)
	l.tellHold(o)
}

// cancelForks takes back all INVITEs but that of keep.
func (l *leg) cancelForks(keep *fork, cause hal.Cause) {
	why := ""
	if cause == hal.Elsewhere {
		why = causes.Elsewhere
	}
	for _, f := range l.forks {
		if f != keep && !f.done {
			f.invite.Cancel(why)
		}
	}
}
