package sip

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"branchline/hal"
	"branchline/pbx/sip/leg"
	"branchline/pbx/sip/wire"
)

// talking has p call number and the box answer.
func (h *house) talking(p *raw, number string) (*talk, hal.LegID) {
	h.Helper()
	k := p.call(number, p.sdp("sendrecv"))
	in := until[hal.Incoming](h, "")
	h.do(hal.Answer{Leg: in.Leg})
	k.up(p.code(200, "INVITE"), "")
	until[hal.Answered](h, in.Leg)
	return k, in.Leg
}

// dialled has the box call p, which answers; it returns the dialog.
func (h *house) dialled(p *raw, leg hal.LegID) *talk {
	h.Helper()
	h.do(hal.Dial{Leg: leg, To: hal.Number(p.user), Show: "0935", Name: "Carl"})
	m := p.request("INVITE")
	p.reply(m, 180, "x", "", "")
	p.reply(m, 200, "x", "", p.sdp("sendrecv"))
	p.request("ACK")
	until[hal.Answered](h, leg)
	return p.called(m, "x")
}

func TestPhoneCallsIsAnsweredAndHangsUp(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	k := p.call("0935%231", p.sdp("sendrecv"))
	p.code(100, "INVITE")
	in := until[hal.Incoming](h, "")
	want := hal.Incoming{Leg: "phones#4-1", From: "201", To: "0935#1", Endpoint: "201", Name: "Phone 201", Wire: k.callID}
	if want.Release = in.Release; in != want || in.Release == "" {
		t.Errorf("told %+v, want %+v", in, want)
	}
	h.do(hal.Alert{Leg: in.Leg})
	ringing := p.code(180, "INVITE")
	h.do(hal.Answer{Leg: in.Leg})
	m := p.code(200, "INVITE")
	if m.tag("To") == "" || m.tag("To") != ringing.tag("To") {
		t.Errorf("tags of 180 and 200: %q, %q", ringing.tag("To"), m.tag("To"))
	}
	if !strings.Contains(m.body, "m=audio") || !strings.Contains(m.body, "RTP/AVP 8 101") || !strings.Contains(m.body, "c=IN IP4 127.0.0.1") {
		t.Errorf("answer:\n%s", m.body)
	}
	k.up(m, "")
	a := until[hal.Answered](h, in.Leg)
	if a.Release == "" || strings.Contains(a.Release, "\n") {
		t.Errorf("release %q", a.Release)
	}
	if h.phones.Audio(in.Leg) == nil {
		t.Error("no audio")
	}
	if c := until[hal.Census](h, ""); !slices.Equal(c.Legs, []hal.LegID{in.Leg}) {
		t.Errorf("told %+v", c)
	}
	p.send(k.in("BYE", "", ""))
	p.code(200, "BYE")
	if g := until[hal.Gone](h, in.Leg); g.Cause != hal.Normal || !g.Far {
		t.Errorf("told %+v", g)
	}
	if h.phones.Audio(in.Leg) != nil || len(h.census()) != 0 {
		t.Error("something of the leg is left")
	}
}

func TestCallOfAStrangerOrWithAWrongPasswordIsRefused(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	k := p.newTalk("202")
	p.send(k.inviteText("", p.sdp("sendrecv")))
	c := p.code(401, "INVITE")
	k.ackRefusal(c)
	p.none(func(m msg) bool { return m.code() != 0 }) // an ACK is never answered, and a challenge costs no state
	p.password = "guess"
	k.cseq++
	p.send(k.inviteText(p.credentials(c, "INVITE", k.target, "MD5"), p.sdp("sendrecv")))
	p.code(403, "INVITE")
	for _, s := range h.all() {
		if _, ok := s.(hal.Incoming); ok {
			t.Errorf("told %+v", s)
		}
	}
	if !strings.Contains(h.log.String(), "phone refused") {
		t.Error("nothing logged")
	}
}

func TestCallerWhoGivesUpWhileRinging(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	for _, c := range []struct {
		reason string
		want   hal.Cause
	}{{"", hal.NoAnswer}, {"Reason: SIP;cause=200;text=\"Call completed elsewhere\"", hal.Elsewhere}} {
		k := p.call("202", p.sdp("sendrecv"))
		in := until[hal.Incoming](h, "")
		h.do(hal.Alert{Leg: in.Leg})
		p.code(180, "INVITE")
		k.cancel(c.reason)
		p.code(200, "CANCEL")
		m := p.code(487, "INVITE")
		k.ackRefusal(m)
		if g := until[hal.Gone](h, in.Leg); g.Cause != c.want || !g.Far {
			t.Errorf("told %+v, want %s", g, c.want)
		}
	}
}

func TestCancelFromElsewhereCancelsNothing(t *testing.T) {
	h := open(t, settings(), Options{})
	p, thief := newRaw(t, h.at, "201"), newRaw(t, h.at, "202")
	k := p.call("202", p.sdp("sendrecv"))
	in := until[hal.Incoming](h, "")
	k.p = thief
	k.cancel("")
	thief.code(481, "CANCEL")
	h.do(hal.Answer{Leg: in.Leg})
	p.code(200, "INVITE")
}

func TestRefusalCodesOfIncomingLegs(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	for cause, code := range map[hal.Cause]int{hal.Busy: 486, hal.Unallocated: 404, hal.Forbidden: 403, hal.Rejected: 603,
		hal.Congestion: 503, hal.Unreachable: 480, hal.NoAnswer: 480, hal.Media: 488} {
		k := p.call("202", p.sdp("sendrecv"))
		in := until[hal.Incoming](h, "")
		h.do(hal.Hangup{Leg: in.Leg, Cause: cause})
		k.ackRefusal(p.code(code, "INVITE"))
		if g := until[hal.Gone](h, in.Leg); g.Cause != cause || g.Far {
			t.Errorf("told %+v", g)
		}
	}
}

func TestRefusalIsRepeatedUntilItsACK(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	k := p.call("202", p.sdp("sendrecv"))
	h.do(hal.Hangup{Leg: until[hal.Incoming](h, "").Leg, Cause: hal.Busy})
	p.code(486, "INVITE")
	p.code(486, "INVITE") // timer G
	k.ackRefusal(p.code(486, "INVITE"))
	for len(p.in) > 0 {
		<-p.in
	}
	p.none(func(m msg) bool { return m.code() == 486 })
}

func TestAnswerIsRepeatedAndWithoutACKTheCallEnds(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	p.call("202", p.sdp("sendrecv"))
	in := until[hal.Incoming](h, "")
	h.do(hal.Answer{Leg: in.Leg})
	began := time.Now()
	for range 4 {
		p.code(200, "INVITE")
	}
	if took, least := time.Since(began), 7*wire.T1(); took < least-20*time.Millisecond {
		t.Errorf("4 of 200 within %v, want %v at least", took, least)
	}
	bye := p.request("BYE")
	p.reply(bye, 200, "", "", "")
	if g := until[hal.Gone](h, in.Leg); g.Cause != hal.WireTrouble {
		t.Errorf("told %+v", g)
	}
	if took := time.Since(began); took < 64*wire.T1()-50*time.Millisecond {
		t.Errorf("given up after %v, want %v", took, 64*wire.T1())
	}
}

func TestHangupRightAfterAnswerWaitsForTheACKWithItsBYE(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	k := p.call("202", p.sdp("sendrecv"))
	in := until[hal.Incoming](h, "")
	h.do(hal.Answer{Leg: in.Leg})
	h.do(hal.Hangup{Leg: in.Leg})
	m := p.code(200, "INVITE")
	p.none(func(m msg) bool { return m.code() == 0 && m.method() == "BYE" })
	k.up(m, "")
	p.reply(p.request("BYE"), 200, "", "", "")
	until[hal.Gone](h, in.Leg)
}

func TestDelayedOfferIsAnsweredInTheACK(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	k := p.call("202", "")
	in := until[hal.Incoming](h, "")
	h.do(hal.Alert{Leg: in.Leg, Sound: true})
	until[hal.Failed](h, in.Leg)
	h.do(hal.Answer{Leg: in.Leg})
	m := p.code(200, "INVITE")
	if !strings.Contains(m.body, "RTP/AVP 8 0 101") {
		t.Errorf("offer:\n%s", m.body)
	}
	k.up(m, p.sdp("sendrecv"))
	until[hal.Answered](h, in.Leg)

	k2 := p.call("202", "")
	in = until[hal.Incoming](h, "")
	h.do(hal.Answer{Leg: in.Leg})
	k2.up(p.code(200, "INVITE"), "") // an ACK without an answer
	p.reply(p.request("BYE"), 200, "", "", "")
	if g := until[hal.Gone](h, in.Leg); g.Cause != hal.Media {
		t.Errorf("told %+v", g)
	}
}

func TestSoundBeforeTheAnswer(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	p.call("202", p.sdp("sendrecv"))
	in := until[hal.Incoming](h, "")
	h.do(hal.Alert{Leg: in.Leg, Sound: true})
	early := p.code(183, "INVITE")
	if !until[hal.Progress](h, in.Leg).Sound || h.phones.Audio(in.Leg) == nil {
		t.Error("no sound told")
	}
	h.do(hal.Answer{Leg: in.Leg})
	if m := p.code(200, "INVITE"); m.body != early.body {
		t.Errorf("the answer changed:\n%s\n%s", early.body, m.body)
	}
}

func TestHoldAndResumeInAllTheirForms(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	k, leg := h.talking(p, "202")
	version := ""
	for _, c := range []struct{ name, offer, want string }{
		{"sendonly", p.sdp("sendonly"), "recvonly"},
		{"inactive", p.sdp("inactive"), "inactive"},
		{"0.0.0.0", strings.Replace(p.sdp("sendrecv"), "c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0", 1), "recvonly"},
	} {
		for _, method := range []string{"INVITE", "UPDATE"} {
			change := func(offer string) msg {
				p.send(k.in(method, p.myContact()+"\nContent-Type: application/sdp", offer))
				k.invite = k.cseq
				m := p.code(200, method)
				if method == "INVITE" {
					k.up(m, "")
				}
				return m
			}
			m := change(c.offer)
			if !strings.Contains(m.body, "a="+c.want+"\r\n") || strings.Contains(m.body, "a=sendrecv") {
				t.Errorf("%s by %s answered:\n%s", c.name, method, m.body)
			}
			until[hal.Held](h, leg)
			m = change(p.sdp("sendrecv"))
			until[hal.Resumed](h, leg)
			if o := line(m.body, "o="); o == version {
				t.Errorf("the version of o= did not rise: %q", o)
			} else {
				version = o
			}
		}
	}
	// Nothing that can be talked with: the call goes on as it was.
	p.send(k.in("INVITE", p.myContact()+"\nContent-Type: application/sdp", strings.ReplaceAll(p.sdp("sendrecv"), "RTP/AVP 8 0 101", "RTP/AVP 18")))
	k.invite = k.cseq
	p.code(488, "INVITE")
	// No offer: ours is in the 200.
	p.send(k.in("INVITE", p.myContact(), ""))
	k.invite = k.cseq
	k.up(p.code(200, "INVITE"), p.sdp("sendonly"))
	until[hal.Held](h, leg)
}

func line(body, prefix string) string {
	for l := range strings.Lines(body) {
		if strings.HasPrefix(l, prefix) {
			return strings.TrimSpace(l)
		}
	}
	return ""
}

func TestKeysByINFO(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	k, leg := h.talking(p, "202")
	for body, want := range map[string]hal.Digit{
		"Signal=5\nDuration=160":  {Leg: leg, Key: '5', For: 160 * time.Millisecond},
		"Signal= #\nDuration= 90": {Leg: leg, Key: '#', For: 90 * time.Millisecond},
		"Signal=10":               {Leg: leg, Key: '*'},
	} {
		p.send(k.in("INFO", "Content-Type: application/dtmf-relay", body))
		p.code(200, "INFO")
		if d := until[hal.Digit](h, leg); d != want {
			t.Errorf("%q told as %+v", body, d)
		}
	}
	p.send(k.in("INFO", "Content-Type: application/dtmf", "7"))
	p.code(200, "INFO")
	if d := until[hal.Digit](h, leg); d.Key != '7' {
		t.Errorf("told %+v", d)
	}
	p.send(k.in("INFO", "Content-Type: application/dtmf-relay", "Signal=16"))
	p.code(200, "INFO")
	until[hal.Flash](h, leg)
	p.send(k.in("INFO", "Content-Type: application/hook-flash", "signal=hf"))
	p.code(200, "INFO")
	until[hal.Flash](h, leg)
	p.send(k.in("INFO", "Content-Type: text/plain", "hello"))
	p.code(415, "INFO")
	p.send(k.in("INFO", "", ""))
	p.code(200, "INFO")
	p.send(k.in("OPTIONS", "", ""))
	p.code(200, "OPTIONS")
}

func TestOutOfDialogRequestsHaveTheRFCsAnswers(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	for method, code := range map[string]int{"OPTIONS": 200, "SUBSCRIBE": 401, "NOTIFY": 489, "MESSAGE": 405, "BYE": 481, "FOO": 501} {
		k := p.newTalk("202")
		p.send(k.in(method, "", ""))
		if m := p.code(code, method); !strings.Contains(m.get("Allow"), "INVITE") {
			t.Errorf("%s: Allow %q", method, m.get("Allow"))
		}
	}
	k := p.newTalk("202")
	p.send(k.inviteText("Require: x-teleport", p.sdp("sendrecv")))
	if m := p.code(420, "INVITE"); m.get("Unsupported") != "x-teleport" {
		t.Errorf("Unsupported %q", m.get("Unsupported"))
	}
}

func TestOfferWithNothingForUsIsRefusedAndMoreStreamsAreTurnedDown(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	k := p.call("202", strings.ReplaceAll(p.sdp("sendrecv"), "RTP/AVP 8 0 101", "RTP/AVP 9"))
	k.ackRefusal(p.code(488, "INVITE"))
	k = p.call("202", "hello")
	k.ackRefusal(p.code(400, "INVITE"))
	p.call("202", p.sdp("sendrecv")+"\nm=video 4000 RTP/AVP 96\na=rtpmap:96 H264/90000")
	h.do(hal.Answer{Leg: until[hal.Incoming](h, "").Leg})
	if m := p.code(200, "INVITE"); !strings.Contains(m.body, "m=video 0 RTP/AVP 96") {
		t.Errorf("answer:\n%s", m.body)
	}
}

func TestRequestInADialogFromElsewhereMustProveItself(t *testing.T) {
	h := open(t, settings(), Options{})
	p, thief := newRaw(t, h.at, "201"), newRaw(t, h.at, "202")
	k, leg := h.talking(p, "202")
	k.p = thief
	stolen := k.in("BYE", "", "")
	thief.send(stolen)
	c := thief.code(401, "BYE")
	thief.send(k.in("BYE", thief.credentials(c, "BYE", k.target, "SHA-256"), "")) // of another extension
	thief.code(403, "BYE")
	if c := h.census(); len(c) != 1 {
		t.Fatalf("the call was ended by a stranger: %v", c)
	}
	moved := newRaw(t, h.at, "201") // the phone itself, under another port
	k.p = moved
	moved.send(k.in("BYE", "", ""))
	c = moved.code(401, "BYE")
	moved.send(k.in("BYE", moved.credentials(c, "BYE", k.target, "SHA-256"), ""))
	moved.code(200, "BYE")
	until[hal.Gone](h, leg)
}

func TestOldCSeqIsRefused(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	k, leg := h.talking(p, "202")
	k.cseq -= 2
	p.send(k.in("BYE", "", ""))
	p.code(500, "BYE")
	k.cseq += 5
	p.send(k.in("BYE", "", ""))
	p.code(200, "BYE")
	until[hal.Gone](h, leg)
	p.send(k.in("BYE", "", ""))
	p.code(481, "BYE")
}

func TestRepeatedRequestIsAnsweredOnceMoreAndDoneOnce(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	k := p.call("202", p.sdp("sendrecv"))
	in := until[hal.Incoming](h, "")
	h.do(hal.Answer{Leg: in.Leg})
	k.up(p.code(200, "INVITE"), "")
	until[hal.Answered](h, in.Leg)
	info := k.in("INFO", "Content-Type: application/dtmf", "7")
	for range 3 {
		p.send(info)
		p.code(200, "INFO")
	}
	p.send(k.in("BYE", "", ""))
	p.code(200, "BYE")
	until[hal.Gone](h, in.Leg) // nothing follows on it
	n := 0
	for _, s := range h.all() {
		if _, ok := s.(hal.Digit); ok {
			n++
		}
	}
	if n != 1 {
		t.Errorf("one key told %d times", n)
	}
}

// breaking is peers of whom one makes the box panic.
type breaking struct {
	leg.Peers
	one string
}

func (b breaking) Listens(flow wire.Flow, bound netip.AddrPort) netip.AddrPort {
	if flow.Remote.String() == b.one {
		panic("broken on purpose")
	}
	return b.Peers.Listens(flow, bound)
}

func TestPanicCostsOneCall(t *testing.T) {
	h := open(t, settings(), Options{})
	p, q := newRaw(t, h.at, "201"), newRaw(t, h.at, "202")
	k, doomed := h.talking(p, "202")
	kq, fine := h.talking(q, "201")
	h.inside(func(d *desk) { d.legs.Peers = breaking{d.legs.Peers, p.addr()} }) // its next offer panics
	p.send(k.in("UPDATE", p.myContact()+"\nContent-Type: application/sdp", p.sdp("sendonly")))
	p.code(500, "UPDATE")
	p.request("BYE")
	if g := until[hal.Gone](h, doomed); g.Cause != hal.WireTrouble {
		t.Errorf("told %+v", g)
	}
	if !strings.Contains(h.log.String(), "panic") {
		t.Error("nothing logged")
	}
	q.send(kq.in("INFO", "Content-Type: application/dtmf", "7"))
	q.code(200, "INFO")
	until[hal.Digit](h, fine)
}

func TestManyPhonesCallAtOnce(t *testing.T) {
	s := settings()
	for i := range 40 {
		e := fmt.Sprint(300 + i)
		s.Accounts = append(s.Accounts, Account{Extension: e, Password: "secret" + e})
	}
	h := open(t, s, Options{})
	ended := make(chan string, 40)
	go func() {
		for range 40 {
			in := until[hal.Incoming](h, "")
			_ = h.phones.Do(hal.Answer{Leg: in.Leg})
		}
	}()
	phones := make([]*raw, 40)
	for i := range phones {
		phones[i] = newRaw(t, h.at, fmt.Sprint(300+i))
	}
	for _, p := range phones {
		go func() {
			k := p.call("202", p.sdp("sendrecv"))
			k.up(p.code(200, "INVITE"), "")
			p.send(k.in("BYE", "", ""))
			p.code(200, "BYE")
			ended <- p.user
		}()
	}
	for range phones {
		select {
		case <-ended:
		case <-time.After(patience):
			t.Fatal("calls hang")
		}
	}
	if c := h.census(); len(c) != 0 {
		t.Errorf("left over: %v", c)
	}
}
