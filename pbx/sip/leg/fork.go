package leg

import (
	"crypto/rand"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"branchline/hal"
	"branchline/pbx/sip/causes"
	"branchline/pbx/sip/dialog"
	"branchline/pbx/sip/header"
	"branchline/pbx/sip/session"
	"branchline/pbx/sip/wire"
)

// Way is one way to the party of a call of ours: an INVITE goes there.
type Way struct {
	Name    string // told as Answered.Contact when it answers
	Flow    wire.Flow
	URI     header.URI // what the INVITE is addressed to
	Routes  []string
	From    header.Address // without a tag
	To      header.Address
	Headers []wire.Header

	Patience time.Duration // until the first word, if only that it is being tried; 0: timer B of RFC 3261
}

// fork is our INVITE by one way.
type fork struct {
	leg    *Leg
	way    Way
	invite *wire.Request
	heeded bool // some word has come
	rang   bool
	done   bool
	cause  hal.Cause
	said   string   // "SIP 486"
	early  []*early // the phones that ring
	ended  []string // tags of the dialogs that came too late and were ended
}

// Dial opens the leg id by all ways at once; the first to answer wins. All INVITEs have the same Call-ID
// and From tag: for the phones it is one call. There is one way at least.
func (t *Table) Dial(id hal.LegID, terms Terms, ways []Way) {
	if t.legs[id] != nil {
		t.Log.Error("leg dialled twice", "leg", id)
		return
	}
	l := t.newLeg(id, rand.Text(), terms)
	if err := l.openPort(commonAddr(ways)); err != nil {
		t.Log.Warn("not called: no RTP port", "leg", l.id, "err", err)
		l.fail(hal.Congestion, "no RTP port")
		return
	}
	for _, w := range ways {
		f := &fork{leg: l, way: w, invite: l.newInvite(w)}
		if !f.tooLong(ways) {
			l.forks = append(l.forks, f)
		}
	}
	t.Out.Put(hal.Opened{Leg: l.id, Wire: l.callID, Release: l.ringing()})
	for _, f := range l.forks {
		t.Send(f.invite, f.heard)
		if w := f.way; w.Patience > 0 {
			t.Wire.After(w.Patience, l.callID, func() {
				if !f.heeded {
					f.invite.GiveUp()
				}
			})
		}
	}
}

// Fail answers a Dial that leads nowhere.
func (t *Table) Fail(id hal.LegID, cause hal.Cause, why string) {
	if t.legs[id] != nil {
		t.Log.Error("leg dialled twice", "leg", id)
		return
	}
	t.Out.Put(hal.Gone{Leg: id, Cause: cause, Wire: why})
}

// maxUDP is the longest request that goes by UDP where there is another way (RFC 3261 18.1.1).
const maxUDP = 1300

// tooLong says that an INVITE by UDP is to be left out because it is long and the same phone is there
// by a connection too, and gets its own that way. A phone that has UDP alone gets it by UDP all the same.
func (f *fork) tooLong(ways []Way) bool {
	flow := f.way.Flow
	return flow.Network == "udp" && f.invite.Size() > maxUDP && slices.ContainsFunc(ways, func(w Way) bool {
		return w.Flow.Network != "udp" && w.Flow.Remote.Addr() == flow.Remote.Addr()
	})
}

func (l *Leg) fail(cause hal.Cause, why string) {
	l.gone(cause, false, why)
	l.forget()
}

// commonAddr is our address toward all; every address where they see different ones.
func commonAddr(ways []Way) netip.Addr {
	ip := ways[0].Flow.Local.Addr()
	for _, w := range ways[1:] {
		if w.Flow.Local.Addr() == ip {
			continue
		}
		if slices.ContainsFunc(ways, func(w Way) bool { return w.Flow.Local.Addr().Is6() }) {
			return netip.IPv6Unspecified()
		}
		return netip.IPv4Unspecified()
	}
	return ip
}

func (l *Leg) newInvite(w Way) *wire.Request {
	return &wire.Request{Method: "INVITE", URI: w.URI, CallID: l.callID, CSeq: 1, Flow: w.Flow, Route: w.Routes,
		From: header.MakeAddress(w.From.Name, w.From.URI, l.tag), To: w.To,
		Contact: []header.Address{l.table.contact(w.Flow, w.URI)}, Headers: append(slices.Clone(w.Headers), l.wants.Offer(session.Timer{})...),
		Type: "application/sdp", Body: l.sound.Offer(l.at(w.Flow))}
}

// heard handles each response to the INVITE of a fork, for as long as any may come.
func (f *fork) heard(res *wire.Response) {
	l := f.leg
	f.heeded = true
	switch {
	case res.Code/100 == 2:
		f.accepted(res)
	case res.Code >= 300:
		if l.over || l.answered || !f.again(res) {
			f.refused(res)
		}
	case !l.over && !l.answered:
		f.progress(res)
	}
}

// again sends the INVITE once more where the peer wants it otherwise: with a password, or a longer session.
func (f *fork) again(res *wire.Response) bool {
	l := f.leg
	next := func() uint32 { return f.invite.CSeq + 1 }
	again := l.table.again(f.invite, res, next)
	if again == nil {
		wants, ok := l.wants.Raise(res)
		if res.Code != 422 || !ok {
			return false
		}
		l.wants = wants
		again = longer(f.invite, wants.Offer(session.Timer{}), next())
	}
	f.invite = again
	l.table.send(again, f.heard)
	return true
}

func (f *fork) progress(res *wire.Response) {
	l := f.leg
	e := f.earlyOf(res)
	if !f.acknowledge(e, res) {
		return
	}
	rings := res.Code == 180
	f.rang = f.rang || rings
	news := rings && !l.alerting
	l.alerting = l.alerting || rings
	if res.Type == "application/sdp" {
		o, err := l.sound.Answered(f.invite.Flow, res.Body)
		if err == nil && e != nil {
			e.offer = o
		}
		if err == nil && !l.sounding {
			l.agree(o)
			l.sounding, news = true, true
		}
	}
	if news {
		l.table.Out.Put(hal.Progress{Leg: l.id, Alerting: l.alerting, Sound: l.sounding, Release: l.ringing()})
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
	l, t := f.leg, f.leg.table
	dlg := dialog.Open(f.invite, res)
	tag := dlg.Remote.Tag()
	if err := t.Wire.Tell(dlg.Ack(f.invite.CSeq)); err != nil {
		t.Log.Warn("ACK not sent", "call", l.callID, "err", err)
	}
	if l.winner == f && l.dialog.Remote.Tag() == tag || slices.Contains(f.ended, tag) {
		return
	}
	f.done = true
	if l.over || l.answered {
		f.ended = append(f.ended, tag)
		t.end(dlg.Request("BYE"))
		return
	}
	e := f.earlyOf(res)
	if e != nil {
		dlg.Seq, dlg.RemoteSeq = e.dialog.Seq, e.dialog.RemoteSeq // PRACKs went before
	}
	l.winner, l.dialog, l.answered = f, dlg, true
	l.cancelForks(f, hal.Elsewhere)
	o, err := l.sound.Answered(f.invite.Flow, res.Body)
	if len(res.Body) == 0 && e != nil && e.offer != nil { // its answer came with the 183
		o, err = e.offer, nil
	}
	if err == nil {
		l.agree(o)
	} else {
		l.end(hal.Media, "SIP 200: "+err.Error())
		return
	}
	l.learn(res)
	l.talk(f.way.Name)
	l.tellHold(o)
	timer := session.Agreed(res)
	l.their.timer = l.their.timer || timer.Expires > 0
	l.watch(timer)
	l.renew()
}

// cancelForks takes back all INVITEs but that of keep.
func (l *Leg) cancelForks(keep *fork, cause hal.Cause) {
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

// ringing is what ends, after a crash, what rings by now: a phone that we know by its tag may have
// answered meanwhile, and gets a BYE too.
func (l *Leg) ringing() string {
	var all []string
	for _, f := range l.forks {
		if f.done {
			continue
		}
		all = append(all, dialog.Ringing(f.invite, l.table.Wire.Branch(f.invite)))
		for _, e := range f.early {
			all = append(all, e.dialog.Release())
		}
	}
	return dialog.Releases(all)
}
