package sip

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"branchline/hal"
	"branchline/pbx/sip/subscribe"
	"branchline/pbx/sip/wire"
)

// wish is a subscription as the test phone keeps it.
type wish struct {
	*talk
	event string
}

// subscribeText is a SUBSCRIBE with the present CSeq.
func (w *wish) text(extra string) string {
	w.cseq++
	return strings.TrimSpace(fmt.Sprintf("SUBSCRIBE %s SIP/2.0\n%s\nMax-Forwards: 70\nFrom: %s\nTo: %s\nCall-ID: %s\nCSeq: %d SUBSCRIBE\n%s\nEvent: %s\n%s",
		w.target, w.p.via(), w.local, w.remote, w.callID, w.cseq, w.p.myContact(), w.event, extra))
}

// ask subscribes by digest and returns the final answer.
func (p *raw) ask(resource, event, extra string) (*wish, msg) {
	p.t.Helper()
	w := &wish{p.newTalk(resource), event}
	p.send(w.text(extra))
	c := p.code(401, "SUBSCRIBE")
	p.send(w.text(strings.TrimSpace(p.credentials(c, "SUBSCRIBE", w.target, "MD5") + "\n" + extra)))
	m := p.next("answer to SUBSCRIBE", func(m msg) bool { return m.code() >= 200 && strings.HasSuffix(m.get("CSeq"), "SUBSCRIBE") })
	if m.code() == 200 {
		w.remote, w.target = m.get("To"), m.contact()
	}
	return w, m
}

// told answers the next NOTIFY.
func (p *raw) told() msg {
	p.t.Helper()
	m := p.request("NOTIFY")
	p.reply(m, 200, "", "", "")
	return m
}

// watch subscribes and takes the first NOTIFY.
func (p *raw) watch(resource, event string) (*wish, msg) {
	p.t.Helper()
	w, m := p.ask(resource, event, "Expires: 3600")
	if m.code() != 200 {
		p.t.Fatalf("SUBSCRIBE for %s: %s", resource, m.start)
	}
	first := p.told()
	if first.get("Call-ID") != w.callID || first.tag("From") != m.tag("To") || first.get("Event") != event {
		p.t.Fatalf("the first NOTIFY is of another dialog: %q", first.headers)
	}
	return w, first
}

// seen is a dialog-info document as a phone reads it.
type seen struct {
	Version int    `xml:"version,attr"`
	State   string `xml:"state,attr"`
	Entity  string `xml:"entity,attr"`
	Dialogs []struct {
		ID        string `xml:"id,attr"`
		CallID    string `xml:"call-id,attr"`
		Local     string `xml:"local-tag,attr"`
		Remote    string `xml:"remote-tag,attr"`
		Direction string `xml:"direction,attr"`
		State     string `xml:"state"`
		Other     struct {
			Identity string `xml:"identity"`
			Target   struct {
				URI string `xml:"uri,attr"`
			} `xml:"target"`
		} `xml:"remote"`
	} `xml:"dialog"`
}

func read(t *testing.T, m msg) (doc seen) {
	t.Helper()
	if kind := m.get("Content-Type"); kind != "application/dialog-info+xml" {
		t.Fatalf("body of type %q", kind)
	}
	if err := xml.Unmarshal([]byte(m.body), &doc); err != nil {
		t.Fatalf("%v in\n%s", err, m.body)
	}
	return doc
}

func rings(leg hal.LegID, stage subscribe.Stage) []Lamp {
	return []Lamp{{Name: "201", Up: true, Talks: []Talk{{ID: string(leg), Leg: leg, Incoming: true, Stage: stage, Other: "0935", Name: `Carl "<&> 卡尔`}}}}
}

const lampLeg hal.LegID = "phones#4-o900"

func TestLampShowsWhoRingsWithWhatAPickupNeeds(t *testing.T) {
	h := open(t, settings(), Options{})
	ana, bo := newRaw(t, h.at, "201"), newRaw(t, h.at, "202")
	ana.signIn()
	_, first := bo.watch("201", "dialog")
	if d := read(t, first); d.Version != 0 || d.State != "full" || d.Entity != "sip:201@"+h.at.String() || len(d.Dialogs) != 1 || d.Dialogs[0].State != "terminated" {
		t.Errorf("of an idle phone: %+v", d)
	}
	if s := first.get("Subscription-State"); s != "active;expires=600" {
		t.Errorf("state %q", s)
	}
	h.do(hal.Dial{Leg: lampLeg, To: "201", Show: "0935"})
	invite := ana.request("INVITE")
	ana.reply(invite, 180, "anas", "", "")
	until[hal.Progress](h, lampLeg)
	h.phones.Show(rings(lampLeg, subscribe.Early))
	d := read(t, bo.told())
	if d.Version != 1 || len(d.Dialogs) != 1 {
		t.Fatalf("while it rings: %+v", d)
	}
	g := d.Dialogs[0]
	if g.CallID != invite.get("Call-ID") || g.Local != "anas" || g.Remote != invite.tag("From") {
		t.Errorf("names of the dialog %s %s %s; want %s anas %s", g.CallID, g.Local, g.Remote, invite.get("Call-ID"), invite.tag("From"))
	}
	if g.State != "early" || g.Direction != "recipient" || g.Other.Identity != "sip:0935@"+h.at.String() || g.Other.Target.URI != g.Other.Identity {
		t.Errorf("dialog %+v", g)
	}
	ana.reply(invite, 200, "anas", "", ana.sdp("sendrecv"))
	until[hal.Answered](h, lampLeg)
	h.phones.Show(rings(lampLeg, subscribe.Confirmed))
	if d := read(t, bo.told()); d.Version != 2 || d.Dialogs[0].State != "confirmed" || d.Dialogs[0].Local != "anas" {
		t.Errorf("while it talks: %+v", d)
	}
	h.phones.Show([]Lamp{{Name: "201", Up: true}})
	if d := read(t, bo.told()); d.Dialogs[0].State != "terminated" {
		t.Errorf("after it: %+v", d)
	}
}

func TestManyChangesAreOneNotifyAndOneIsUnderWayAtATime(t *testing.T) {
	h := open(t, settings(), Options{})
	bo := newRaw(t, h.at, "202")
	bo.watch("201", "dialog")
	for _, stage := range []subscribe.Stage{subscribe.Trying, subscribe.Early, subscribe.Confirmed} {
		h.phones.Show(rings(lampLeg, stage))
	}
	m := bo.request("NOTIFY") // not answered yet
	if d := read(t, m); d.Version != 1 || d.Dialogs[0].State != "confirmed" {
		t.Errorf("told %+v; want the last state alone", d)
	}
	h.phones.Show([]Lamp{{Name: "201", Up: true}})
	bo.none(func(n msg) bool { return n.code() == 0 && n.get("CSeq") != m.get("CSeq") })
	bo.reply(m, 200, "", "", "")
	next := bo.next("the next NOTIFY", func(n msg) bool { return n.code() == 0 && n.get("CSeq") != m.get("CSeq") })
	if d := read(t, next); d.Version != 2 || d.Dialogs[0].State != "terminated" {
		t.Errorf("then told %+v", d)
	}
}

func TestSubscriptionsThatAreRefused(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "202")
	for _, c := range []struct {
		resource, event, extra string
		code                   int
		header, value          string
	}{
		{"201", "refer", "", 489, "Allow-Events", "dialog, message-summary, presence"},
		{"201", "dialog", "Expires: 59", 423, "Min-Expires", "60"},
		{"777", "dialog", "", 404, "", ""},
		{"queue-none", "dialog", "", 404, "", ""},
		{"201", "message-summary", "", 403, "", ""},
	} {
		if _, m := p.ask(c.resource, c.event, c.extra); m.code() != c.code || c.header != "" && m.get(c.header) != c.value {
			t.Errorf("%s of %s: %s, %s %q", c.event, c.resource, m.start, c.header, m.get(c.header))
		}
	}
	stranger := newRaw(t, h.at, "202")
	stranger.password = "wrong"
	if _, m := stranger.ask("201", "dialog", ""); m.code() != 403 {
		t.Errorf("a wrong password: %s", m.start)
	}
	w, _ := p.watch("201", "dialog")
	was := w.remote
	w.remote = was + "x"
	p.send(w.text(""))
	p.code(481, "SUBSCRIBE")
	w.remote, w.cseq = was, 0
	p.send(w.text(""))
	p.code(500, "SUBSCRIBE")
	other := newRaw(t, h.at, "203") // who has seen the Call-ID proves nothing
	other.send(strings.Replace((&wish{w.talk, "dialog"}).text("Expires: 0"), w.p.addr(), other.addr(), 1))
	other.code(401, "SUBSCRIBE")
	if n := h.subscriptions(); n != 1 {
		t.Errorf("%d subscriptions are kept", n)
	}
}

func (h *house) subscriptions() (n int) {
	h.Helper()
	h.inside(func(d *desk) { n = d.lamps.Len() })
	return n
}

func TestSubscriptionIsRenewedAndTakenBack(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "202")
	w, _ := p.watch("201", "dialog")
	p.send(w.text("Expires: 120"))
	if m := p.code(200, "SUBSCRIBE"); m.get("Expires") != "120" {
		t.Errorf("renewed for %q", m.get("Expires"))
	}
	if m := p.told(); m.get("Subscription-State") != "active;expires=120" || read(t, m).Version != 1 {
		t.Errorf("renewal told %q", m.headers)
	}
	p.send(w.text("Expires: 0"))
	p.code(200, "SUBSCRIBE")
	if m := p.told(); m.get("Subscription-State") != "terminated;reason=timeout" {
		t.Errorf("the end told %q", m.get("Subscription-State"))
	}
	if n := h.subscriptions(); n != 0 {
		t.Errorf("%d subscriptions are left", n)
	}
	if _, m := p.ask("203", "dialog", "Expires: 0"); m.code() != 200 { // a look, nothing more
		t.Errorf("a look: %s", m.start)
	}
	if m := p.told(); m.get("Subscription-State") != "terminated;reason=timeout" || len(read(t, m).Dialogs) != 1 {
		t.Errorf("a look told %q", m.headers)
	}
}

func TestSubscriptionsEndWithTheirExtension(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "202")
	p.watch("201", "dialog")
	s := settings()
	s.Accounts = s.Accounts[1:]
	commit, err := h.phones.Prepare(s)
	if err != nil {
		t.Fatal(err)
	}
	commit()
	if m := p.told(); m.get("Subscription-State") != "terminated;reason=noresource" {
		t.Errorf("told %q", m.get("Subscription-State"))
	}
}

func TestPhoneThatForgotOrFellSilentHearsNoMore(t *testing.T) {
	h := open(t, settings(), Options{})
	p, q := newRaw(t, h.at, "202"), newRaw(t, h.at, "203")
	p.watch("201", "dialog")
	q.watch("201", "dialog")
	h.phones.Show(rings(lampLeg, subscribe.Early))
	p.reply(p.request("NOTIFY"), 481, "", "", "")
	first := q.request("NOTIFY")
	second := q.next("the second NOTIFY", func(m msg) bool { return m.code() == 0 && m.get("CSeq") != first.get("CSeq") })
	if second.method() != "NOTIFY" {
		t.Errorf("came %s", second.start)
	}
	end := time.After(patience)
	for h.subscriptions() > 0 {
		select {
		case <-end:
			t.Fatal("who is silent is still told")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func TestLampsFollowAPhoneThatMoves(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "202")
	contact := p.myContact() + `;+sip.instance="<urn:uuid:1>"`
	if m := p.register(contact, ""); m.code() != 200 {
		t.Fatal(m.start)
	}
	p.watch("201", "dialog")
	moved := newRaw(t, h.at, "202")
	if m := moved.register(moved.myContact()+`;+sip.instance="<urn:uuid:1>"`, ""); m.code() != 200 {
		t.Fatal(m.start)
	}
	moved.told()
	h.phones.Show(rings(lampLeg, subscribe.Early))
	if d := read(t, moved.told()); d.Dialogs[0].State != "early" {
		t.Errorf("told %+v", d)
	}
}

func TestLampsByConnectionWaitUntilThePhoneIsBack(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newTCP(t, h.at, "202")
	p.signIn()
	p.watch("201", "dialog")
	p.tcp.Close()
	h.reach("202", 0)
	h.phones.Show(rings(lampLeg, subscribe.Early))
	again := newTCP(t, h.at, "202")
	again.signIn()
	if d := read(t, again.told()); d.Version != 1 || d.Dialogs[0].State != "early" {
		t.Errorf("told %+v", d)
	}
}

func TestMessagesPresenceAndNamesOfLamps(t *testing.T) {
	s := settings()
	s.Lamps = map[string]string{"queue-sales": "queue-sales", "701": "queue-sales", "*23": "ready-"}
	h := open(t, s, Options{})
	p := newRaw(t, h.at, "202")
	_, m := p.watch("202", "message-summary")
	if want := "Messages-Waiting: no\r\nMessage-Account: sip:202@" + h.at.String() + "\r\nVoice-Message: 0/0 (0/0)\r\n"; m.body != want {
		t.Errorf("messages:\n%q", m.body)
	}
	h.phones.Show([]Lamp{{Name: "202", Mail: subscribe.Mail{New: 2, Old: 1}}})
	if m := p.told(); !strings.Contains(m.body, "Messages-Waiting: yes\r\n") || !strings.Contains(m.body, "Voice-Message: 2/1 (0/0)") {
		t.Errorf("messages:\n%s", m.body)
	}
	if _, m = p.watch("201", "presence"); !strings.Contains(m.body, "<basic>closed</basic>") {
		t.Errorf("presence:\n%s", m.body)
	}
	h.phones.Show([]Lamp{{Name: "201", Up: true}})
	if m := p.told(); !strings.Contains(m.body, "<basic>open</basic>") {
		t.Errorf("presence:\n%s", m.body)
	}
	h.phones.Show([]Lamp{{Name: "queue-sales", Talks: []Talk{{ID: "q", Stage: subscribe.Confirmed}}}, {Name: "ready-202", Talks: []Talk{{ID: "r", Stage: subscribe.Early}}}})
	for name, state := range map[string]string{"queue-sales": "confirmed", "701": "confirmed", "*23": "early"} {
		if _, m := p.watch(name, "dialog"); read(t, m).Dialogs[0].State != state {
			t.Errorf("%s:\n%s", name, m.body)
		}
	}
}

func TestPhoneThatStartsAnewReplacesItsSubscriptionAndTooManyAreRefused(t *testing.T) {
	s := settings()
	s.Lamps = map[string]string{}
	for i := range 201 {
		s.Lamps[fmt.Sprintf("queue-%d", i)] = fmt.Sprintf("queue-%d", i)
	}
	h := open(t, s, Options{})
	p := newRaw(t, h.at, "202")
	p.watch("201", "dialog")
	p.watch("201", "dialog")
	if n := h.subscriptions(); n != 1 {
		t.Errorf("%d subscriptions for one key", n)
	}
	for i := range 199 {
		p.watch(fmt.Sprintf("queue-%d", i), "dialog")
	}
	if _, m := p.ask("queue-200", "dialog", ""); m.code() != 503 || m.get("Retry-After") == "" {
		t.Errorf("one too many: %s", m.start)
	}
}

func TestPanicInALampCostsItsSubscriptionAlone(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "202")
	w, _ := p.watch("201", "dialog")
	p.watch("203", "dialog")
	h.phones.mu.Lock()
	d := h.phones.desk
	h.phones.mu.Unlock()
	d.wire.After(0, w.callID, func() { panic("lamp") })
	end := time.After(patience)
	for h.subscriptions() != 1 {
		select {
		case <-end:
			t.Fatalf("%d subscriptions are left", h.subscriptions())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func TestPhonesSayWhatTheyThinkOfASync(t *testing.T) {
	h := open(t, settings(), Options{})
	if _, err := h.phones.Resync(context.Background(), "201", false); !errors.Is(err, ErrNoPhone) {
		t.Errorf("with nobody there: %v", err)
	}
	p, q := newRaw(t, h.at, "201"), newRaw(t, h.at, "201")
	p.signIn()
	q.signIn()
	done := make(chan []Told, 1)
	go func() {
		told, err := h.phones.Resync(context.Background(), "201", true)
		if err != nil {
			t.Error(err)
		}
		done <- told
	}()
	m := p.request("NOTIFY")
	if m.get("Event") != "check-sync;reboot=true" || m.get("Subscription-State") == "" {
		t.Errorf("asked %q", m.headers)
	}
	p.reply(m, 200, "x", "", "")
	q.reply(q.request("NOTIFY"), 489, "x", "", "")
	told := <-done
	if len(told) != 2 || told[0].Code != 200 || told[1].Code != 489 || told[0].Agent != "raw/1" {
		t.Errorf("said %+v", told)
	}
}

func TestStopTellsThatSubscriptionsAreOver(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "202")
	p.watch("201", "dialog")
	h.stop()
	if m := p.request("NOTIFY"); m.get("Subscription-State") != "terminated;reason=probation;retry-after=10" {
		t.Errorf("told %q", m.get("Subscription-State"))
	}
}

var _ wire.Handler = (*desk)(nil)
