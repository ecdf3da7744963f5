package sip

import (
	"strings"
	"testing"

	"branchline/hal"
)

func TestPhoneIsToldWhoIsAtTheOtherSideNow(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	p.signIn()
	h.do(hal.Dial{Leg: ours, To: "201", Show: "202", Name: "Bo"})
	m := p.request("INVITE")
	p.reply(m, 180, "x", "", "")
	until[hal.Progress](h, ours)
	h.do(hal.Show{Leg: ours, Number: "1", Name: "overtaken"})
	h.do(hal.Show{Leg: ours, Number: "+49935", Name: `Carl "C"`}) // told when it answers
	h.inside(func(*desk) {})                                      // both are heard of
	p.reply(m, 200, "x", "Allow: INVITE, UPDATE", p.sdp("sendrecv"))
	u := p.request("UPDATE")
	if id := u.get("P-Asserted-Identity"); !strings.HasPrefix(id, `"Carl \"C\"" <sip:+49935@127.0.0.1:`) || u.body != "" {
		t.Errorf("told %q, %q", id, u.body)
	}
	if id := u.get("Remote-Party-ID"); !strings.HasSuffix(id, ";party=called;screen=yes;privacy=off") {
		t.Errorf("told %q", id)
	}
	h.do(hal.Show{Leg: ours}) // while the other has no answer
	p.reply(u, 405, "x", "", "")
	v := p.later("INVITE", m) // what counts is the last
	if !strings.Contains(v.get("P-Asserted-Identity"), "anonymous.invalid") || !strings.Contains(v.body, "m=audio") {
		t.Errorf("told %q %q", v.headers, v.body)
	}
	p.reply(v, 488, "x", "", "") // the call does not care
	p.request("ACK")
	h.do(hal.Hangup{Leg: ours})
	p.reply(p.request("BYE"), 200, "", "", "")
}

func TestCallerIsToldWhomHeReaches(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	k := p.call("600", p.sdp("sendrecv"))
	in := until[hal.Incoming](h, "")
	h.do(hal.Show{Leg: in.Leg, Number: "202", Name: "Bo"})
	h.do(hal.Alert{Leg: in.Leg})
	if m := p.code(180, "INVITE"); !strings.HasPrefix(m.get("P-Asserted-Identity"), `"Bo" <sip:202@`) {
		t.Errorf("told %q", m.headers)
	}
	h.do(hal.Show{Leg: in.Leg, Number: "203", Name: "Cy"})
	h.do(hal.Answer{Leg: in.Leg})
	m := p.code(200, "INVITE")
	if !strings.HasPrefix(m.get("P-Asserted-Identity"), `"Cy" <sip:203@`) {
		t.Errorf("told %q", m.headers)
	}
	k.up(m, "")
}

func TestPhoneIsAskedToPressItsKeys(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	p.signIn()
	h.do(hal.Dial{Leg: ours, To: "201"})
	m := p.request("INVITE")
	h.do(hal.Answer{Leg: ours}) // nothing rings yet
	until[hal.Failed](h, ours)
	p.reply(m, 180, "x", "Allow-Events: talk, hold", "")
	until[hal.Progress](h, ours)
	h.do(hal.Answer{Leg: ours})
	n := p.request("NOTIFY")
	if n.get("Event") != "talk" || n.tag("To") != "x" || n.get("Call-ID") != m.get("Call-ID") || n.get("Subscription-State") == "" {
		t.Errorf("asked %q", n.headers)
	}
	p.reply(n, 200, "", "", "")
	p.reply(m, 200, "x", "", p.sdp("sendrecv"))
	until[hal.Answered](h, ours)
	k := p.called(m, "x")
	h.do(hal.Hold{Leg: ours})
	n = p.later("NOTIFY", n)
	if n.get("Event") != "hold" {
		t.Errorf("asked %q", n.headers)
	}
	p.reply(n, 200, "", "", "")
	p.send(k.in("INVITE", p.myContact()+"\nContent-Type: application/sdp", p.sdp("sendonly")))
	k.up(p.code(200, "INVITE"), "")
	until[hal.Held](h, ours)
	h.do(hal.Resume{Leg: ours})
	n = p.later("NOTIFY", n)
	if n.get("Event") != "talk" {
		t.Errorf("asked %q", n.headers)
	}
	p.reply(n, 489, "", "", "") // it knows not how
	until[hal.Failed](h, ours)
}
