package sip

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"branchline/hal"
)

// notify waits for the next word on a transfer and answers it.
func (p *raw) notify(last msg) msg {
	p.t.Helper()
	m := p.later("NOTIFY", last)
	p.reply(m, 200, "", "", "")
	return m
}

func TestBlindTransfer(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	k, leg := h.talking(p, "202")
	p.send(k.in("REFER", fmt.Sprintf("%s\nRefer-To: <sip:203@%s>\nReferred-By: <sip:201@x>", p.myContact(), h.at), ""))
	p.code(202, "REFER")
	m := p.notify(msg{})
	if m.body != "SIP/2.0 100 Trying\r\n" || m.get("Event") != fmt.Sprintf("refer;id=%d", k.cseq) || !strings.HasPrefix(m.get("Subscription-State"), "active") ||
		!strings.HasPrefix(m.get("Content-Type"), "message/sipfrag") || m.get("Contact") == "" {
		t.Errorf("told %q %q", m.headers, m.body)
	}
	tr := until[hal.Transfer](h, leg)
	if tr.To != "203" || tr.Ref == "" || tr.Replaces != "" {
		t.Errorf("told %+v", tr)
	}
	p.send(k.in("REFER", fmt.Sprintf("%s\nRefer-To: <sip:202@%s>", p.myContact(), h.at), "")) // one at a time
	p.code(491, "REFER")
	h.do(hal.TransferStatus{Leg: leg, Ref: "another", Code: 200, Done: true})
	h.do(hal.TransferStatus{Leg: leg, Ref: tr.Ref, Code: 180})
	if m = p.notify(m); m.body != "SIP/2.0 180 Ringing\r\n" {
		t.Errorf("told %q", m.body)
	}
	h.do(hal.TransferStatus{Leg: leg, Ref: tr.Ref, Code: 200, Done: true})
	if m = p.notify(m); m.body != "SIP/2.0 200 OK\r\n" || !strings.HasPrefix(m.get("Subscription-State"), "terminated") {
		t.Errorf("told %q %q", m.get("Subscription-State"), m.body)
	}
	p.send(k.in("REFER", fmt.Sprintf("%s\nRefer-To: sip:203@%s\nRefer-Sub: false", p.myContact(), h.at), ""))
	if m := p.code(202, "REFER"); m.get("Refer-Sub") != "false" {
		t.Errorf("answered %q", m.headers)
	}
	tr = until[hal.Transfer](h, leg)
	h.do(hal.TransferStatus{Leg: leg, Ref: tr.Ref, Code: 486, Done: true})
	p.none(func(n msg) bool { return n.code() == 0 && n.method() == "NOTIFY" && n.get("CSeq") != m.get("CSeq") })
	p.send(k.in("BYE", "", ""))
	p.code(200, "BYE")
}

func TestTransferToElsewhereOrNowhereIsRefused(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	k, leg := h.talking(p, "202")
	for to, want := range map[string]int{
		"Refer-To: <sip:0900@premium.example>":     403,
		"Refer-To: <http://x/>":                    416,
		"Refer-To: <sip:203@127.0.0.1;method=BYE>": 400,
		"X: 1": 400,
		"Refer-To: <sip:203@127.0.0.1>\nRefer-To: <sip:202@127.0.0.1>":                                                                    400,
		"Refer-To: <sip:203@127.0.0.1?Replaces=no%3Bto-tag%3D1%3Bfrom-tag%3D2>":                                                           404,
		"Refer-To: <sip:203@127.0.0.1?Replaces=" + url.QueryEscape(k.callID+";to-tag="+tagOf(k.remote)+";from-tag="+tagOf(k.local)) + ">": 404, // itself
	} {
		p.send(k.in("REFER", p.myContact()+"\n"+to, ""))
		p.code(want, "REFER")
	}
	for _, s := range h.all() {
		if _, ok := s.(hal.Transfer); ok {
			t.Errorf("told %+v", s)
		}
	}
	lone := p.newTalk("202")
	p.send(lone.in("REFER", fmt.Sprintf("Refer-To: <sip:203@%s>", h.at), "")) // in no call
	p.code(403, "REFER")
	h.do(hal.Hangup{Leg: leg})
}

func TestAttendedTransferNamesTheOtherCallOfThePhone(t *testing.T) {
	h := open(t, settings(), Options{})
	p, q := newRaw(t, h.at, "201"), newRaw(t, h.at, "202")
	k, one := h.talking(p, "202")
	p.signIn()
	k2 := h.dialled(p, ours)
	foreign, _ := h.talking(q, "203")
	refer := func(other *talk) {
		dialog := url.QueryEscape(other.callID + ";to-tag=" + tagOf(other.remote) + ";from-tag=" + tagOf(other.local))
		p.send(k.in("REFER", p.myContact()+"\nRefer-To: <sip:0935@127.0.0.1?Replaces="+dialog+">", ""))
	}
	refer(foreign) // somebody else's
	p.code(404, "REFER")
	refer(k2)
	p.code(202, "REFER")
	if tr := until[hal.Transfer](h, one); tr.Replaces != ours || tr.To != "0935" {
		t.Errorf("told %+v", tr)
	}
}

// replacing calls number in the place of a dialog.
func (p *raw) replacing(number, dialog string) *talk {
	p.t.Helper()
	k := p.newTalk(number)
	p.send(k.inviteText("", p.sdp("sendrecv")))
	c := p.code(401, "INVITE")
	k.ackRefusal(c)
	k.cseq++
	p.send(k.inviteText(p.credentials(c, "INVITE", k.target, "MD5")+"\nRequire: replaces\nReplaces: "+dialog, p.sdp("sendrecv")))
	return k
}

func TestCallInThePlaceOfAnother(t *testing.T) {
	h := open(t, settings(), Options{})
	p, q := newRaw(t, h.at, "201"), newRaw(t, h.at, "202")
	p.signIn()
	dialog := func(k *talk) string { return k.callID + ";to-tag=" + tagOf(k.remote) + ";from-tag=" + tagOf(k.local) }
	refused := func(dialog string, code int) {
		t.Helper()
		k := q.replacing("201", dialog)
		k.ackRefusal(q.code(code, "INVITE"))
	}
	refused("nobody;to-tag=a;from-tag=b", 481)
	refused("nobody;to-tag=a", 400)

	h.do(hal.Dial{Leg: ours, To: "201"}) // it rings there
	m := p.request("INVITE")
	p.reply(m, 180, "x", "", "")
	until[hal.Progress](h, ours)
	rings := p.called(m, "x")
	refused(rings.callID+";to-tag=x;from-tag=other", 481)
	k := q.replacing("201", dialog(rings)+";early-only")
	if in := until[hal.Incoming](h, ""); in.Replaces != ours || in.Endpoint != "202" {
		t.Errorf("told %+v", in)
	}
	k.cancel("")
	k.ackRefusal(q.code(487, "INVITE"))

	p.reply(m, 200, "x", "", p.sdp("sendrecv")) // it talks
	until[hal.Answered](h, ours)
	refused(dialog(rings)+";early-only", 486)
	q.replacing("201", dialog(rings))
	if in := until[hal.Incoming](h, ""); in.Replaces != ours {
		t.Errorf("told %+v", in)
	}

	k = p.call("203", p.sdp("sendrecv")) // a caller who waits for us
	in := until[hal.Incoming](h, "")
	h.do(hal.Alert{Leg: in.Leg})
	k.remote = p.code(180, "INVITE").get("To")
	refused(dialog(k), 481)
}

func TestSippHearsBeforeTheAnswerGivesASignOfLifeAndTransfers(t *testing.T) {
	h := open(t, settings(), Options{})
	done := make(chan struct{})
	go func() { sipp(t, h, "transfer.xml", "202"); close(done) }()
	in := until[hal.Incoming](h, "")
	h.do(hal.Alert{Leg: in.Leg, Sound: true})
	h.do(hal.Answer{Leg: in.Leg})
	tr := until[hal.Transfer](h, in.Leg)
	h.do(hal.TransferStatus{Leg: in.Leg, Ref: tr.Ref, Code: 180})
	<-time.After(300 * time.Millisecond) // else only the last word counts
	h.do(hal.TransferStatus{Leg: in.Leg, Ref: tr.Ref, Code: 200, Done: true})
	if g := until[hal.Gone](h, in.Leg); g.Cause != hal.Normal || !g.Far {
		t.Errorf("told %+v", g)
	}
	<-done
}
