package sip

import (
	"strings"
	"testing"
	"time"

	"branchline/hal"
	"branchline/pbx/sip/session"
)

// quick are sessions that a test can wait for.
func quick() Options {
	return Options{Session: session.Wants{Expires: 4 * time.Second, Least: time.Second}}
}

// later waits for a request with a CSeq other than that of m, which may come once more.
func (p *raw) later(method string, m msg) msg {
	p.t.Helper()
	return p.next("another "+method, func(n msg) bool {
		return n.code() == 0 && n.method() == method && n.get("CSeq") != m.get("CSeq")
	})
}

const timers = "Supported: timer\nAllow: INVITE, ACK, BYE, UPDATE\n"

func TestSessionIsOfferedAndRaisedWhereThePhoneBearsLess(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	p.signIn()
	h.do(hal.Dial{Leg: ours, To: "201"})
	m := p.request("INVITE")
	if m.get("Session-Expires") != "1800" || m.get("Min-SE") != "90" || !strings.Contains(m.get("Supported"), "timer") {
		t.Errorf("INVITE says %q", m.headers)
	}
	p.reply(m, 422, "x", "Min-SE: 3600", "")
	again := p.later("INVITE", m)
	if again.get("Session-Expires") != "3600" || again.get("Min-SE") != "3600" || again.get("CSeq") != "2 INVITE" || again.get("Call-ID") != m.get("Call-ID") {
		t.Errorf("then it says %q", again.headers)
	}
	p.reply(again, 422, "x", "Min-SE: 3600", "") // we have done what we can
	until[hal.Gone](h, ours)
}

func TestSessionTooShortIsRefused(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	k := p.newTalk("202")
	p.send(k.inviteText("", p.sdp("sendrecv")))
	c := p.code(401, "INVITE")
	k.ackRefusal(c)
	k.cseq++
	p.send(k.inviteText(p.credentials(c, "INVITE", k.target, "MD5")+"\nSupported: timer\nSession-Expires: 60", p.sdp("sendrecv")))
	m := p.code(422, "INVITE")
	if m.get("Min-SE") != "90" {
		t.Errorf("refused by %q", m.headers)
	}
	k.ackRefusal(m)
	k.cseq++
	p.send(k.inviteText("Supported: timer\nSession-Expires: 90", p.sdp("sendrecv"))) // the same call, asked again
	c = p.code(401, "INVITE")
	k.ackRefusal(c)
	k.cseq++
	p.send(k.inviteText(p.credentials(c, "INVITE", k.target, "MD5")+"\nSupported: timer\nSession-Expires: 90", p.sdp("sendrecv")))
	leg := until[hal.Incoming](h, "").Leg
	h.do(hal.Answer{Leg: leg})
	k.up(p.code(200, "INVITE"), "")
	until[hal.Answered](h, leg)
	p.send(k.in("INVITE", p.myContact()+"\nContent-Type: application/sdp\nSupported: timer\nSession-Expires: 90", p.sdp("sendonly")))
	k.up(p.code(200, "INVITE"), "")
	until[hal.Held](h, leg)
}

func TestWeGiveTheSignOfLifeByUPDATE(t *testing.T) {
	h := open(t, settings(), quick())
	p := newRaw(t, h.at, "201")
	p.signIn()
	h.do(hal.Dial{Leg: ours, To: "201"})
	p.reply(p.request("INVITE"), 200, "x", timers+"Require: timer\nSession-Expires: 4;refresher=uac", p.sdp("sendrecv"))
	until[hal.Answered](h, ours)
	var m msg
	for range 2 {
		m = p.later("UPDATE", m)
		if m.get("Session-Expires") != "4;refresher=uac" || m.body != "" {
			t.Errorf("UPDATE says %q %q", m.headers, m.body)
		}
		p.reply(m, 200, "x", "Session-Expires: 4;refresher=uac\nRequire: timer", "")
	}
	p.reply(p.later("UPDATE", m), 405, "x", "", "") // it knows it not after all
	m = p.later("INVITE", m)
	if m.get("Session-Expires") != "4;refresher=uac" || !strings.Contains(m.body, "m=audio") {
		t.Errorf("re-INVITE says %q %q", m.headers, m.body)
	}
	p.reply(m, 200, "x", "Session-Expires: 4;refresher=uac", p.sdp("sendrecv"))
	if ack := p.request("ACK"); strings.Fields(ack.get("CSeq"))[0] != strings.Fields(m.get("CSeq"))[0] {
		t.Errorf("ACK %q of %q", ack.get("CSeq"), m.get("CSeq"))
	}
	p.reply(m, 200, "x", "Session-Expires: 4;refresher=uac", p.sdp("sendrecv")) // the ACK was lost
	p.request("ACK")
	p.reply(p.later("INVITE", m), 481, "x", "", "") // the phone has restarted
	p.request("BYE")
	if g := until[hal.Gone](h, ours); g.Cause != hal.WireTrouble {
		t.Errorf("told %+v", g)
	}
}

func TestCallOfAPhoneThatGivesNoSignOfLifeIsEnded(t *testing.T) {
	h := open(t, settings(), quick())
	p := newRaw(t, h.at, "201")
	k := p.newTalk("202")
	p.send(k.inviteText("", p.sdp("sendrecv")))
	c := p.code(401, "INVITE")
	k.ackRefusal(c)
	k.cseq++
	p.send(k.inviteText(p.credentials(c, "INVITE", k.target, "MD5")+"\n"+timers+"Session-Expires: 4;refresher=uac", p.sdp("sendrecv")))
	in := until[hal.Incoming](h, "")
	h.do(hal.Answer{Leg: in.Leg})
	m := p.code(200, "INVITE")
	if m.get("Session-Expires") != "4;refresher=uac" || m.get("Require") != "timer" {
		t.Errorf("answered %q", m.headers)
	}
	k.up(m, "")
	began := time.Now()
	<-time.After(700 * time.Millisecond)
	p.send(k.in("UPDATE", p.myContact()+"\n"+timers+"Session-Expires: 4;refresher=uac", "")) // one, then no more
	if m := p.code(200, "UPDATE"); m.get("Session-Expires") != "4;refresher=uac" {
		t.Errorf("answered %q", m.headers)
	}
	p.request("BYE")
	if g := until[hal.Gone](h, in.Leg); g.Cause != hal.WireTrouble || time.Since(began) < 3300*time.Millisecond {
		t.Errorf("told %+v after %v", g, time.Since(began))
	}
}

func TestBothSidesChangeTheCallAtOnce(t *testing.T) {
	h := open(t, settings(), quick())
	p := newRaw(t, h.at, "201")
	p.signIn()
	h.do(hal.Dial{Leg: ours, To: "201"})
	invite := p.request("INVITE")
	p.reply(invite, 200, "x", "Supported: timer\nSession-Expires: 10;refresher=uac", p.sdp("sendrecv"))
	until[hal.Answered](h, ours)
	k := p.called(invite, "x")
	m := p.later("INVITE", invite)
	p.send(k.in("INVITE", p.myContact()+"\nContent-Type: application/sdp", p.sdp("sendonly")))
	k.ackRefusal(p.code(491, "INVITE")) // ours is on its way
	p.send(k.in("UPDATE", p.myContact()+"\nContent-Type: application/sdp", p.sdp("sendonly")))
	p.code(491, "UPDATE")
	p.reply(m, 491, "x", "", "")
	p.request("ACK")
	refused := time.Now()
	p.send(k.in("INVITE", p.myContact()+"\nContent-Type: application/sdp", p.sdp("sendonly"))) // it is quicker
	k.up(p.code(200, "INVITE"), "")
	until[hal.Held](h, ours)
	m = p.later("INVITE", m) // we made the Call-ID: 2.1 to 4 s later, RFC 3261 14.1
	if d := time.Since(refused); d < 2100*time.Millisecond || d > 4500*time.Millisecond {
		t.Errorf("asked again after %v", d)
	}
	p.reply(m, 200, "x", "Session-Expires: 10;refresher=uac", p.sdp("sendonly"))
	p.request("ACK")
	h.do(hal.Hangup{Leg: ours})
	p.reply(p.request("BYE"), 200, "", "", "")
}

func TestOnlyAnUnknownExtensionIsRefused(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	k, leg := h.talking(p, "202")
	p.send(k.in("INFO", "Require: timer, x-teleport\nRequire: timer", ""))
	if m := p.code(420, "INFO"); m.get("Unsupported") != "x-teleport" {
		t.Errorf("refused by %q", m.headers)
	}
	p.send(k.in("OPTIONS", "Require: timer", ""))
	if m := p.code(200, "OPTIONS"); !strings.Contains(m.get("Supported"), "timer") {
		t.Errorf("answered %q", m.headers)
	}
	p.send(k.in("BYE", "Require: timer", ""))
	p.code(200, "BYE")
	until[hal.Gone](h, leg)
}
