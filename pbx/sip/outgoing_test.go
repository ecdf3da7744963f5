package sip

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"branchline/hal"
	"branchline/pbx/sip/leg"
	"branchline/pbx/sip/wire"
)

const ours hal.LegID = "phones#4-o1"

func TestBoxCallsAPhoneThatAnswersAndHangsUp(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	p.signIn()
	h.do(hal.Dial{Leg: ours, To: "201", Show: "+49935", Name: `Carl "C"`})
	m := p.request("INVITE")
	if m.start != "INVITE sip:201@"+p.addr()+" SIP/2.0" {
		t.Errorf("start line %q", m.start)
	}
	if from := m.get("From"); !strings.HasPrefix(from, `"Carl \"C\"" <sip:+49935@127.0.0.1:`) {
		t.Errorf("From %q", from)
	}
	if m.from != h.at || !strings.Contains(m.get("Via"), h.at.String()) {
		t.Errorf("came from %v, Via %q", m.from, m.get("Via"))
	}
	if o := until[hal.Opened](h, ours); o.Wire != m.get("Call-ID") {
		t.Errorf("told %+v, Call-ID %q", o, m.get("Call-ID"))
	}
	p.reply(m, 180, "x", "", "")
	if pr := until[hal.Progress](h, ours); !pr.Alerting || pr.Sound {
		t.Errorf("told %+v", pr)
	}
	p.reply(m, 200, "x", "Record-Route: <sip:b@127.0.0.1;lr>\nRecord-Route: <sip:a@127.0.0.1;lr>", p.sdp("sendrecv"))
	ack := p.request("ACK")
	if ack.get("CSeq") != "1 ACK" || strings.Join(ack.list("Route"), " ") != "<sip:a@127.0.0.1;lr> <sip:b@127.0.0.1;lr>" {
		t.Errorf("ACK: CSeq %q, Route %q", ack.get("CSeq"), ack.list("Route"))
	}
	if a := until[hal.Answered](h, ours); a.Contact != "sip:201@"+p.addr() {
		t.Errorf("told %+v", a)
	}
	p.reply(m, 200, "x", "", p.sdp("sendrecv")) // our ACK was lost
	p.request("ACK")
	k := p.called(m, "x")
	p.send(k.in("BYE", "", ""))
	p.code(200, "BYE")
	if g := until[hal.Gone](h, ours); g.Cause != hal.Normal || !g.Far {
		t.Errorf("told %+v", g)
	}
}

func TestPhoneThatIsAwayOrUnknownCannotBeCalled(t *testing.T) {
	h := open(t, settings(), Options{})
	h.do(hal.Dial{Leg: ours, To: "201"})
	if g := until[hal.Gone](h, ours); g.Cause != hal.Unreachable {
		t.Errorf("told %+v", g)
	}
	h.do(hal.Dial{Leg: ours, To: "777"})
	if g := until[hal.Gone](h, ours); g.Cause != hal.Unallocated {
		t.Errorf("told %+v", g)
	}
}

func TestFirstPhoneToAnswerWinsAndTheOthersStopRinging(t *testing.T) {
	h := open(t, settings(), Options{})
	a, b := newRaw(t, h.at, "201"), newRaw(t, h.at, "201")
	a.signIn()
	b.signIn()
	h.do(hal.Dial{Leg: ours, To: "201", Show: "0935"})
	ma, mb := a.request("INVITE"), b.request("INVITE")
	if ma.get("Call-ID") != mb.get("Call-ID") {
		t.Error("two Call-IDs for one leg")
	}
	a.reply(ma, 180, "a", "", "")
	b.reply(mb, 180, "b", "", "")
	b.reply(mb, 200, "b", "", b.sdp("sendrecv"))
	b.request("ACK")
	until[hal.Answered](h, ours)
	c := a.request("CANCEL")
	if r := c.get("Reason"); r != `SIP;cause=200;text="Call completed elsewhere"` {
		t.Errorf("Reason %q", r)
	}
	if c.get("Via") != ma.get("Via") || c.get("CSeq") != "1 CANCEL" {
		t.Errorf("CANCEL does not fit its INVITE: %q", c.headers)
	}
	a.reply(c, 200, "a", "", "")
	a.reply(ma, 487, "a", "", "")
	a.request("ACK")
	h.do(hal.Hangup{Leg: ours})
	b.reply(b.request("BYE"), 200, "", "", "")
	until[hal.Gone](h, ours)
	n := 0
	for _, s := range h.all() {
		if _, ok := s.(hal.Progress); ok {
			n++
		}
	}
	if n != 1 {
		t.Errorf("ringing told %d times", n)
	}
}

func TestPhoneThatAnswersAcrossOurCANCELIsAcknowledgedAndEnded(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	p.signIn()
	h.do(hal.Dial{Leg: ours, To: "201"})
	m := p.request("INVITE")
	p.reply(m, 180, "x", "", "")
	until[hal.Progress](h, ours)
	h.do(hal.Hangup{Leg: ours, Cause: hal.NoAnswer})
	if g := until[hal.Gone](h, ours); g.Cause != hal.NoAnswer || g.Far {
		t.Errorf("told %+v", g)
	}
	p.request("CANCEL")
	p.reply(m, 200, "x", "", p.sdp("sendrecv"))
	p.request("ACK")
	p.reply(p.request("BYE"), 200, "", "", "")
	p.reply(m, 200, "x", "", p.sdp("sendrecv"))
	p.request("ACK")
	p.none(func(m msg) bool { return m.code() == 0 && m.method() == "BYE" })
}

func TestHangupBeforeAnyResponseCancelsWhenOneComes(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	p.signIn()
	h.do(hal.Dial{Leg: ours, To: "201"})
	m := p.request("INVITE")
	h.do(hal.Hangup{Leg: ours})
	until[hal.Gone](h, ours)
	p.none(func(m msg) bool { return m.code() == 0 && m.method() == "CANCEL" }) // RFC 3261 9.1
	p.reply(m, 100, "", "", "")
	p.reply(p.request("CANCEL"), 200, "x", "", "")
	p.reply(m, 487, "x", "", "")
	p.request("ACK")
}

func TestSecondPhoneBehindOneContactIsAcknowledgedAndEnded(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	p.signIn()
	h.do(hal.Dial{Leg: ours, To: "201"})
	m := p.request("INVITE")
	p.reply(m, 200, "one", "", p.sdp("sendrecv"))
	p.request("ACK")
	p.reply(m, 200, "two", "", p.sdp("sendrecv"))
	isTwo := func(r msg) bool { return r.tag("To") == "two" }
	p.next("ACK of the second", func(r msg) bool { return r.method() == "ACK" && isTwo(r) })
	bye := p.next("BYE of the second", func(r msg) bool { return r.method() == "BYE" && isTwo(r) })
	p.reply(bye, 200, "", "", "")
	if c := h.census(); len(c) != 1 {
		t.Errorf("census %v: the first must go on", c)
	}
}

func TestRefusalsOfAPhoneAndTheirCauses(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	p.signIn()
	for _, c := range []struct {
		code  int
		rings bool
		extra string
		want  hal.Cause
	}{
		{486, false, "", hal.Busy}, {603, true, "", hal.Rejected}, {480, false, "", hal.Rejected}, {480, true, "", hal.NoAnswer},
		{404, false, "", hal.Unallocated}, {488, false, "", hal.Media}, {503, false, "", hal.Congestion}, {403, false, "", hal.Forbidden},
		{480, false, "Reason: Q.850;cause=17", hal.Busy},
	} {
		h.do(hal.Dial{Leg: ours, To: "201"})
		m := p.request("INVITE")
		if c.rings {
			p.reply(m, 180, "x", "", "")
		}
		p.reply(m, c.code, "x", c.extra, "")
		p.request("ACK")
		p.reply(m, c.code, "x", c.extra, "") // our ACK was lost: it comes again at once
		began := time.Now()
		p.request("ACK")
		if took := time.Since(began); took > wire.T2()/2 {
			t.Errorf("the second ACK took %v", took)
		}
		if g := until[hal.Gone](h, ours); g.Cause != c.want || !g.Far || !strings.HasPrefix(g.Wire, "SIP ") {
			t.Errorf("%d: told %+v, want %s", c.code, g, c.want)
		}
	}
}

func TestOneBusyPhoneOfTwoLeavesTheOtherRingingAndADeclineEndsBoth(t *testing.T) {
	h := open(t, settings(), Options{})
	a, b := newRaw(t, h.at, "201"), newRaw(t, h.at, "201")
	a.signIn()
	b.signIn()
	h.do(hal.Dial{Leg: ours, To: "201"})
	ma, mb := a.request("INVITE"), b.request("INVITE")
	a.reply(ma, 486, "a", "", "")
	b.reply(mb, 180, "b", "", "")
	until[hal.Progress](h, ours)
	b.reply(mb, 480, "b", "", "")
	if g := until[hal.Gone](h, ours); g.Cause != hal.Busy {
		t.Errorf("told %+v", g)
	}
	h.do(hal.Dial{Leg: ours, To: "201"})
	ma, mb = a.request("INVITE"), b.request("INVITE")
	b.reply(mb, 180, "b", "", "")
	until[hal.Progress](h, ours)
	a.reply(ma, 603, "a", "", "")
	if g := until[hal.Gone](h, ours); g.Cause != hal.Rejected {
		t.Errorf("told %+v", g)
	}
	b.request("CANCEL")
}

func TestPhoneThatIsSilentIsUnreachableAfterTimerB(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	p.signIn()
	h.do(hal.Dial{Leg: ours, To: "201"})
	began := time.Now()
	p.request("INVITE")
	p.request("INVITE") // timer A
	g := until[hal.Gone](h, ours)
	if g.Cause != hal.Unreachable || g.Far {
		t.Errorf("told %+v", g)
	}
	if took := time.Since(began); took < 60*wire.T1() || took > 90*wire.T1() {
		t.Errorf("given up after %v, want %v", took, 64*wire.T1())
	}
}

func TestTwentyProvisionalResponsesDoNotEndACall(t *testing.T) { // sipgo v1.7.2 does otherwise
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	p.signIn()
	h.do(hal.Dial{Leg: ours, To: "201"})
	m := p.request("INVITE")
	for range 20 {
		p.reply(m, 180, "x", "", "")
	}
	p.reply(m, 200, "x", "", p.sdp("sendrecv"))
	p.request("ACK")
	until[hal.Answered](h, ours)
}

func TestEarlySoundOfAPhoneOutlivesALaterRinging(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	p.signIn()
	h.do(hal.Dial{Leg: ours, To: "201"})
	m := p.request("INVITE")
	p.reply(m, 183, "x", "", p.sdp("sendrecv"))
	if pr := until[hal.Progress](h, ours); !pr.Sound || h.phones.Audio(ours) == nil {
		t.Errorf("told %+v", pr)
	}
	p.reply(m, 180, "x", "", "")
	if pr := until[hal.Progress](h, ours); !pr.Sound || !pr.Alerting {
		t.Errorf("told %+v", pr)
	}
	p.reply(m, 200, "x", "", "") // its answer came with the 183
	p.request("ACK")
	until[hal.Answered](h, ours)
}

func TestAnswerWithoutASharedCodecEndsTheCall(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	p.signIn()
	h.do(hal.Dial{Leg: ours, To: "201"})
	m := p.request("INVITE")
	p.reply(m, 200, "x", "", strings.ReplaceAll(p.sdp("sendrecv"), "8 0 101", "9"))
	p.request("ACK")
	p.reply(p.request("BYE"), 200, "", "", "")
	if g := until[hal.Gone](h, ours); g.Cause != hal.Media {
		t.Errorf("told %+v", g)
	}
}

func TestContactThatPointsElsewhereIsReachedOnItsFlow(t *testing.T) {
	h := open(t, settings(), Options{})
	p, victim := newRaw(t, h.at, "201"), newRaw(t, h.at, "202")
	p.register("Contact: <sip:201@"+victim.addr()+">", "")
	h.do(hal.Dial{Leg: ours, To: "201"})
	m := p.request("INVITE")
	if !strings.Contains(m.start, victim.addr()) {
		t.Errorf("Request-URI: %q", m.start)
	}
	p.reply(m, 200, "x", "Record-Route: <sip:"+victim.addr()+";lr>", p.sdp("sendrecv"))
	p.request("ACK")
	h.do(hal.Hangup{Leg: ours})
	p.reply(p.request("BYE"), 200, "", "", "")
	victim.none(func(msg) bool { return true })
}

func TestResponseFromElsewhereIsIgnored(t *testing.T) {
	h := open(t, settings(), Options{})
	p, thief := newRaw(t, h.at, "201"), newRawAt(t, h.at, "201", "127.0.0.2")
	p.signIn()
	h.do(hal.Dial{Leg: ours, To: "201"})
	m := p.request("INVITE")
	thief.reply(m, 486, "x", "", "")
	p.reply(m, 180, "x", "", "")
	until[hal.Progress](h, ours)
	h.do(hal.Hangup{Leg: ours})
}

func TestCallsOfBeforeTheCrashAreEndedFirst(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	p.signIn()
	k := h.dialled(p, ours)
	var release string
	for _, s := range h.all() {
		if a, ok := s.(hal.Answered); ok {
			release = a.Release
		}
	}
	k2, _ := h.talking(p, "202")
	for _, s := range h.all() {
		if a, ok := s.(hal.Answered); ok && a.Leg != ours {
			release += "\n" + a.Release
		}
	}
	h.die()
	s := settings()
	s.Listen[0] = h.at
	open(t, s, Options{Releases: append(strings.Split(release, "\n"), "rubbish", `{"id":"x"}`)})
	seen := map[string]bool{}
	for range 2 {
		bye := p.request("BYE")
		p.reply(bye, 200, "", "", "")
		seen[bye.get("Call-ID")] = true
		want := k
		if bye.get("Call-ID") == k2.callID {
			want = k2
		}
		if bye.tag("To") != tagOf(want.local) || bye.tag("From") != tagOf(want.remote) || bye.start != "BYE sip:201@"+p.addr()+" SIP/2.0" {
			t.Errorf("BYE does not fit its dialog: %q %q", bye.start, bye.headers)
		}
	}
	if !seen[k.callID] || !seen[k2.callID] {
		t.Errorf("ended: %v", seen)
	}
}

// die has the box end without another word.
func (h *house) die() {
	h.inside(func(d *desk) { d.legs = leg.NewTable(d.legs.Options) })
	h.stop()
}

// again opens the box once more where it was, with what it told to be ended.
func (h *house) again() *house {
	h.Helper()
	var releases []string
	for _, s := range h.all() {
		switch s := s.(type) {
		case hal.Incoming:
			releases = append(releases, s.Release)
		case hal.Opened:
			releases = append(releases, s.Release)
		case hal.Progress:
			releases[len(releases)-1] = s.Release
		}
	}
	s := settings()
	s.Listen[0] = h.at
	return open(h.T, s, Options{Releases: releases})
}

func TestPhoneThatRangWhenTheBoxDiedRingsNoMore(t *testing.T) {
	h := open(t, settings(), Options{})
	p, q := newRaw(t, h.at, "201"), newRaw(t, h.at, "202")
	p.signIn()
	q.signIn()
	h.do(hal.Dial{Leg: "o1", To: "201"})
	h.do(hal.Dial{Leg: "o2", To: "202"})
	m, n := p.request("INVITE"), q.request("INVITE")
	p.reply(m, 100, "", "", "")
	q.reply(n, 180, "x", "", "")
	until[hal.Progress](h, "o2")
	k := q.call("203", q.sdp("sendrecv"))
	until[hal.Incoming](h, "")
	h.die()
	h.again()
	c := p.request("CANCEL") // of whom no tag is known
	if c.get("Via") != m.get("Via") || c.get("CSeq") != "1 CANCEL" || c.get("Call-ID") != m.get("Call-ID") || c.start != "CANCEL"+strings.TrimPrefix(m.start, "INVITE") {
		t.Errorf("CANCEL does not fit its INVITE: %q %q", c.start, c.headers)
	}
	p.reply(c, 200, "", "", "")
	p.reply(m, 487, "x", "", "")
	if a := p.request("ACK"); a.get("Via") != m.get("Via") {
		t.Errorf("ACK does not fit its INVITE: %q", a.headers)
	}
	bye := q.next("BYE to the phone that rang", func(b msg) bool {
		return b.code() == 0 && b.method() == "BYE" && b.get("Call-ID") == n.get("Call-ID") // it may have answered since
	})
	if bye.tag("To") != "x" {
		t.Errorf("BYE %q", bye.headers)
	}
	q.next("BYE to the one that called", func(b msg) bool {
		return b.code() == 0 && b.method() == "BYE" && b.get("Call-ID") == k.callID
	})
}

func TestPhoneThatStillAnswersACallOfBeforeTheCrashIsTakenDown(t *testing.T) {
	h := open(t, settings(), Options{})
	p, stranger := newRaw(t, h.at, "201"), newRaw(t, h.at, "202")
	p.signIn()
	h.do(hal.Dial{Leg: ours, To: "201"})
	m := p.request("INVITE")
	h.die()
	s := settings()
	s.Listen[0] = h.at
	open(t, s, Options{Releases: []string{"rubbish"}})
	p.signIn()
	stranger.reply(m, 200, "x", "", stranger.sdp("sendrecv")) // nobody has signed in there
	stranger.none(func(msg) bool { return true })
	other := m
	other.headers = append([]string(nil), m.headers...)
	for i, h := range other.headers {
		if strings.HasPrefix(h, "From:") {
			other.headers[i] = "From: <sip:0935@127.0.0.1>;tag=notours"
		}
	}
	p.reply(other, 200, "x", "", p.sdp("sendrecv"))
	p.none(func(m msg) bool { return m.code() == 0 && m.method() != "INVITE" })
	p.reply(m, 200, "x", "", p.sdp("sendrecv"))
	if a := p.request("ACK"); a.get("CSeq") != "1 ACK" || a.tag("To") != "x" {
		t.Errorf("ACK %q", a.headers)
	}
	b := p.request("BYE")
	if b.tag("To") != "x" || b.tag("From") != m.tag("From") {
		t.Errorf("BYE %q", b.headers)
	}
	p.reply(b, 200, "", "", "")
	p.reply(m, 200, "x", "", p.sdp("sendrecv"))
	p.request("ACK")
	p.none(func(n msg) bool { return n.code() == 0 && n.method() == "BYE" && n.get("CSeq") != b.get("CSeq") })
}

func tagOf(address string) string {
	_, tag, _ := strings.Cut(address, ";tag=")
	return tag
}

func TestStoppedBoxLeavesNobodyInSilence(t *testing.T) {
	h := open(t, settings(), Options{})
	p, q := newRaw(t, h.at, "201"), newRaw(t, h.at, "202")
	p.signIn()
	q.signIn()
	h.dialled(p, ours)
	h.do(hal.Dial{Leg: "phones#4-o2", To: "202"})
	m := q.request("INVITE")
	q.reply(m, 180, "x", "", "")
	until[hal.Progress](h, "phones#4-o2")
	p.call("203", p.sdp("sendrecv"))
	until[hal.Incoming](h, "")
	began := time.Now()
	h.stop()
	if took := time.Since(began); took > time.Second {
		t.Errorf("the stop took %v", took)
	}
	p.code(503, "INVITE")
	p.request("BYE")
	q.request("CANCEL")
}

func TestPhoneIsReachedFromTheAddressOnWhichItSignedIn(t *testing.T) {
	s := settings()
	s.Listen = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0"), netip.MustParseAddrPort("127.0.0.3:0")}
	h := open(t, s, Options{})
	other := h.phones.Listening()[1]
	a, b := newRaw(t, h.at, "201"), newRaw(t, other, "201")
	a.signIn()
	b.signIn()
	h.do(hal.Dial{Leg: ours, To: "201"})
	ma, mb := a.request("INVITE"), b.request("INVITE")
	if ma.from != h.at || mb.from != other {
		t.Errorf("came from %v and %v", ma.from, mb.from)
	}
	if !strings.Contains(ma.body, "c=IN IP4 127.0.0.1") || !strings.Contains(mb.body, "c=IN IP4 127.0.0.3") {
		t.Errorf("offers:\n%s\n%s", ma.body, mb.body)
	}
	if line(ma.body, "m=") != line(mb.body, "m=") {
		t.Error("one leg has two ports")
	}
}

func TestAutomaticAnswerIsAskedForInBothWays(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	p.signIn()
	h.do(hal.Dial{Leg: ours, To: "201", Show: "0935", Private: true, AutoAnswer: true})
	m := p.request("INVITE")
	if !strings.Contains(m.get("Call-Info"), ";answer-after=0") || !strings.Contains(m.get("Alert-Info"), "alert-autoanswer") {
		t.Errorf("headers %q", m.headers)
	}
	if strings.Contains(m.get("From"), "0935") {
		t.Errorf("From %q of a private call", m.get("From"))
	}
}
