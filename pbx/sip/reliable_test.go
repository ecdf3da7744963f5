package sip

import (
	"fmt"
	"strings"
	"testing"

	"branchline/hal"
)

// callWith is call with further headers in the INVITE.
func (p *raw) callWith(number, extra, body string) *talk {
	p.t.Helper()
	k := p.newTalk(number)
	p.send(k.inviteText(extra, body))
	c := p.code(401, "INVITE")
	k.ackRefusal(c)
	k.cseq++
	p.send(k.inviteText(p.credentials(c, "INVITE", k.target, "MD5")+"\n"+extra, body))
	return k
}

// prack acknowledges a provisional response.
func (k *talk) prack(m msg, body string) string {
	k.remote = m.get("To")
	extra := fmt.Sprintf("RAck: %s %d INVITE", m.get("RSeq"), k.invite)
	if body != "" {
		extra += "\nContent-Type: application/sdp"
	}
	return k.in("PRACK", extra, body)
}

func TestRingingIsSentReliablyWhereThatIsRequired(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	k := p.callWith("202", "Require: 100rel", p.sdp("sendrecv"))
	in := until[hal.Incoming](h, "")
	h.do(hal.Alert{Leg: in.Leg})
	h.do(hal.Alert{Leg: in.Leg, Sound: true}) // waits for the PRACK of the first
	h.do(hal.Answer{Leg: in.Leg})             // and this for that of both
	m := p.code(180, "INVITE")
	if m.get("Require") != "100rel" || m.get("RSeq") == "" {
		t.Errorf("180 says %q", m.headers)
	}
	if again := p.code(180, "INVITE"); again.get("RSeq") != m.get("RSeq") {
		t.Errorf("repeated with RSeq %s after %s", again.get("RSeq"), m.get("RSeq"))
	}
	k.remote = m.get("To")
	p.send(k.in("PRACK", fmt.Sprintf("RAck: 1 %d INVITE", k.invite), ""))
	p.code(481, "PRACK")
	ack := k.prack(m, "")
	p.send(ack)
	p.code(200, "PRACK")
	n := p.code(183, "INVITE")
	if !strings.Contains(n.body, "m=audio") {
		t.Errorf("183 says %q", n.body)
	}
	p.send(k.prack(n, ""))
	p.code(200, "PRACK")
	up := p.code(200, "INVITE")
	if up.body != "" {
		t.Errorf("answered a second time: %q", up.body)
	}
	k.up(up, "")
	until[hal.Answered](h, in.Leg)
	p.send(k.in("BYE", "", ""))
	p.code(200, "BYE")
}

func TestSoundBeforeTheAnswerIsSentReliablyWhereThePhoneKnowsHow(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	k := p.callWith("202", "Supported: 100rel", p.sdp("sendrecv"))
	in := until[hal.Incoming](h, "")
	h.do(hal.Alert{Leg: in.Leg}) // as ever
	if m := p.code(180, "INVITE"); m.get("RSeq") != "" {
		t.Errorf("180 says %q", m.headers)
	}
	h.do(hal.Alert{Leg: in.Leg, Sound: true})
	m := p.code(183, "INVITE")
	p.send(k.prack(m, p.sdp("recvonly"))) // with an offer
	if ok := p.code(200, "PRACK"); !strings.Contains(ok.body, "a=sendonly") {
		t.Errorf("answered %q", ok.body)
	}
	p.send(k.in("UPDATE", p.myContact()+"\nContent-Type: application/sdp", p.sdp("sendrecv"))) // RFC 3311 5.1
	if ok := p.code(200, "UPDATE"); !strings.Contains(ok.body, "a=sendrecv") {
		t.Errorf("answered %q", ok.body)
	}
	h.do(hal.Answer{Leg: in.Leg})
	k.up(p.code(200, "INVITE"), "")
	until[hal.Answered](h, in.Leg)
}

func TestOfferThatIsLeftToUsGoesWithTheFirstReliableResponse(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	k := p.callWith("202", "Require: 100rel", "")
	in := until[hal.Incoming](h, "")
	h.do(hal.Alert{Leg: in.Leg, Sound: true})
	m := p.code(183, "INVITE")
	if !strings.Contains(m.body, "m=audio") {
		t.Errorf("183 says %q", m.body)
	}
	p.send(k.prack(m, p.sdp("sendrecv")))
	p.code(200, "PRACK")
	if pr := until[hal.Progress](h, in.Leg); !pr.Sound {
		t.Errorf("told %+v", pr)
	}
	h.do(hal.Answer{Leg: in.Leg})
	k.up(p.code(200, "INVITE"), "")
	until[hal.Answered](h, in.Leg)
}

func TestCallerWhoNeverAcknowledgesRingingIsRefused(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	k := p.callWith("202", "Require: 100rel", p.sdp("sendrecv"))
	in := until[hal.Incoming](h, "")
	h.do(hal.Alert{Leg: in.Leg})
	k.ackRefusal(p.code(504, "INVITE"))
	if g := until[hal.Gone](h, in.Leg); g.Cause != hal.WireTrouble {
		t.Errorf("told %+v", g)
	}
}

func TestPhoneThatRingsReliablyIsAcknowledged(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	p.signIn()
	h.do(hal.Dial{Leg: ours, To: "201"})
	m := p.request("INVITE")
	rel := func(n int) string { return fmt.Sprintf("Require: 100rel\nRSeq: %d", n) }
	p.reply(m, 183, "x", rel(7), p.sdp("sendrecv"))
	a := p.request("PRACK")
	if a.get("RAck") != "7 1 INVITE" || a.get("CSeq") != "2 PRACK" || a.tag("To") != "x" {
		t.Errorf("PRACK says %q", a.headers)
	}
	p.reply(a, 200, "", "", "")
	p.reply(m, 183, "x", rel(7), p.sdp("sendrecv")) // once more
	p.reply(m, 180, "x", rel(9), "")                // one is missing between
	p.none(func(n msg) bool { return n.code() == 0 && n.method() == "PRACK" && n.get("CSeq") != a.get("CSeq") })
	p.reply(m, 180, "x", rel(8), "") // does not end the sound
	a = p.later("PRACK", a)
	p.reply(a, 200, "", "", "")
	k := p.called(m, "x")
	p.send(k.in("UPDATE", p.myContact()+"\nContent-Type: application/sdp", p.sdp("sendonly")))
	if ok := p.code(200, "UPDATE"); !strings.Contains(ok.body, "a=recvonly") {
		t.Errorf("answered %q", ok.body)
	}
	k.local = strings.Replace(k.local, ";tag=x", ";tag=y", 1)
	p.send(k.in("UPDATE", p.myContact(), ""))
	p.code(481, "UPDATE")
	if pr := until[hal.Progress](h, ours); !pr.Sound || pr.Alerting {
		t.Errorf("told %+v", pr)
	}
	if pr := until[hal.Progress](h, ours); !pr.Sound || !pr.Alerting {
		t.Errorf("told %+v", pr)
	}
	p.reply(m, 200, "x", "", "")
	if ack := p.request("ACK"); ack.get("CSeq") != "1 ACK" {
		t.Errorf("ACK says %q", ack.headers)
	}
	until[hal.Answered](h, ours)
	h.do(hal.Hangup{Leg: ours})
	bye := p.request("BYE")
	if bye.get("CSeq") != "4 BYE" {
		t.Errorf("BYE says %q", bye.get("CSeq"))
	}
	p.reply(bye, 200, "", "", "")
}
