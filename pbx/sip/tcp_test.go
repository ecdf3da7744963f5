package sip

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"branchline/hal"
	"branchline/pbx/sip/registrar"
)

// newTCP is a raw phone that speaks on a connection of its own.
func newTCP(t *testing.T, server netip.AddrPort, user string) *raw {
	t.Helper()
	conn, err := net.Dial("tcp", server.String())
	if err != nil {
		t.Fatal(err)
	}
	rtp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: server.Addr().AsSlice()})
	if err != nil {
		t.Fatal(err)
	}
	p := &raw{t: t, tcp: conn, server: server, user: user, password: "secret" + user, in: make(chan msg, 1000), rtp: rtp,
		id: fmt.Sprintf("%s-%d", user, conn.LocalAddr().(*net.TCPAddr).Port)}
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(p.in)
		for in := bufio.NewReader(conn); ; {
			m, err := readOne(in)
			if err != nil {
				return
			}
			m.from = server
			p.in <- m
		}
	})
	t.Cleanup(func() { conn.Close(); rtp.Close(); wg.Wait() })
	return p
}

func readOne(in *bufio.Reader) (msg, error) {
	var head strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return msg{}, err
		}
		if line == "\r\n" && head.Len() > 0 {
			break
		}
		head.WriteString(strings.TrimLeft(line, "\r\n"))
	}
	m := parse(strings.TrimSuffix(head.String(), "\r\n"))
	n, err := strconv.Atoi(m.get("Content-Length"))
	if err != nil {
		return m, err
	}
	body := make([]byte, n)
	_, err = io.ReadFull(in, body)
	m.body = string(body)
	return m, err
}

// reach waits until a number of contacts is told of an extension.
func (h *house) reach(extension string, contacts int) hal.Reachable {
	h.Helper()
	for {
		if r := until[hal.Reachable](h, ""); r.Endpoint == extension && r.Contacts == contacts {
			return r
		}
	}
}

func TestPhoneIsCalledOnItsOwnConnection(t *testing.T) { // sipgo v1.7.2 does otherwise
	h := open(t, settings(), Options{})
	first, last := newTCP(t, h.at, "201"), newTCP(t, h.at, "202")
	first.signIn()
	last.signIn() // accepted last
	h.do(hal.Dial{Leg: "o1", To: "201", Show: "0935"})
	m := first.request("INVITE")
	if !strings.HasPrefix(m.get("Via"), "SIP/2.0/TCP "+h.at.String()) || !strings.Contains(m.get("Contact"), ";transport=tcp") {
		t.Errorf("Via %q, Contact %q", m.get("Via"), m.get("Contact"))
	}
	if !strings.HasPrefix(m.start, "INVITE sip:201@"+first.addr()+";transport=tcp") {
		t.Errorf("%q", m.start)
	}
	first.reply(m, 200, "x", "", first.sdp("sendrecv"))
	first.request("ACK")
	until[hal.Answered](h, "o1")
	h.do(hal.Hangup{Leg: "o1"})
	first.reply(first.request("BYE"), 200, "", "", "")
	last.none(func(m msg) bool { return m.code() == 0 })

	k, leg := h.talking(last, "203") // and back: 401, its ACK, 200, ACK on the connection
	h.do(hal.Hangup{Leg: leg})
	last.request("BYE")
	if k.last.contact() != "sip:"+h.at.String()+";transport=tcp" {
		t.Errorf("Contact %q", k.last.contact())
	}
	refuses := newTCP(t, h.at, "203")
	refuses.signIn()
	h.do(hal.Dial{Leg: "o2", To: "203"})
	refuses.reply(refuses.request("INVITE"), 486, "x", "", "")
	refuses.request("ACK")
	if g := until[hal.Gone](h, "o2"); g.Cause != hal.Busy {
		t.Errorf("told %+v", g)
	}
}

func TestConnectionThatEndsMakesThePhoneUnreachableAtOnce(t *testing.T) {
	h := open(t, settings(), Options{})
	p, q := newTCP(t, h.at, "201"), newTCP(t, h.at, "202")
	p.signIn()
	h.reach("201", 1)
	h.do(hal.Dial{Leg: "o1", To: "201"})
	p.reply(p.request("INVITE"), 180, "x", "", "")
	until[hal.Progress](h, "o1")
	q.call("203", q.sdp("sendrecv"))
	in := until[hal.Incoming](h, "")
	began := time.Now()
	p.tcp.Close()
	q.tcp.Close()
	for range 2 {
		switch g := until[hal.Gone](h, ""); g.Leg {
		case "o1":
			if g.Cause != hal.Unreachable {
				t.Errorf("told %+v", g)
			}
		case in.Leg:
			if g.Cause != hal.WireTrouble {
				t.Errorf("told %+v", g)
			}
		}
	}
	if d := time.Since(began); d > time.Second {
		t.Errorf("known after %v", d)
	}
	h.inside(func(d *desk) {
		calls := slices.Collect(d.legs.All())
		if n := len(d.reg.Contacts("201")); n != 0 || len(calls) != 0 {
			t.Errorf("%d contacts, %d calls are left", n, len(calls))
		}
	})
	if all := fmt.Sprint(h.all()); !strings.Contains(all, "its connection is gone") {
		t.Errorf("told %s", all)
	}
}

func TestCallGoesOnWhenThePhoneComesBackByAnotherConnection(t *testing.T) {
	h := open(t, settings(), Options{})
	for _, signsIn := range []bool{true, false} {
		p := newTCP(t, h.at, "201")
		p.signIn()
		leg := hal.LegID(fmt.Sprint("o-", signsIn))
		k := h.dialled(p, leg)
		p.tcp.Close()
		h.reach("201", 0)
		k.p = newTCP(t, h.at, "201")
		if signsIn { // then the box knows where to
			k.p.signIn()
			h.do(hal.Hangup{Leg: leg})
			k.p.reply(k.p.request("BYE"), 200, "", "", "")
			k.p.tcp.Close()
			h.reach("201", 0)
			continue
		}
		k.p.send(k.in("BYE", "", "")) // else it must prove who it is
		c := k.p.code(401, "BYE")
		k.p.send(k.in("BYE", k.p.credentials(c, "BYE", k.target, "MD5"), ""))
		k.p.code(200, "BYE")
		until[hal.Gone](h, leg)
	}
}

func TestPhoneThatMovesTakesItsCallAlong(t *testing.T) {
	h := open(t, settings(), Options{})
	instance := `;+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"`
	old, other := newRaw(t, h.at, "201"), newRawAt(t, h.at, "201", "127.0.0.2")
	old.register(old.myContact()+instance, "")
	k := h.dialled(old, "o1")
	other.register(other.myContact()+instance, "")
	h.inside(func(d *desk) {
		if n := len(d.reg.Contacts("201")); n != 1 {
			t.Errorf("%d contacts", n)
		}
	})
	k.p = other
	other.send(k.in("OPTIONS", "", "")) // no further proof is asked for
	other.code(200, "OPTIONS")
	old.send(k.in("BYE", "", "")) // from where it was: not without proof
	old.code(401, "BYE")
	h.do(hal.Dial{Leg: "o2", To: "201"})
	other.reply(other.request("INVITE"), 486, "x", "", "")
	h.do(hal.Hangup{Leg: "o1"})
	other.reply(other.request("BYE"), 200, "", "", "")
	old.none(func(m msg) bool { return m.code() == 0 })
}

func TestSilentPhoneIsUnreachableUntilItAnswersAgain(t *testing.T) {
	h := openChanged(t, settings(), Options{}, func(p *Phones) { p.pace = pace{1200 * time.Millisecond, 300 * time.Millisecond} })
	p := newRaw(t, h.at, "201")
	p.signIn()
	h.reach("201", 1)
	p.reply(p.request("OPTIONS"), 404, "x", "", "") // any answer will do
	if r := h.reach("201", 0); r.Why != "the phone does not answer" {
		t.Errorf("told %+v", r)
	}
	h.do(hal.Dial{Leg: "o1", To: "201"})
	if g := until[hal.Gone](h, "o1"); g.Cause != hal.Unreachable || g.Wire != "signed in, but silent" {
		t.Errorf("told %+v", g)
	}
	for len(p.in) > 0 {
		<-p.in // what it slept through
	}
	p.reply(p.request("OPTIONS"), 200, "x", "", "")
	h.reach("201", 1)
	h.do(hal.Dial{Leg: "o2", To: "201"})
	p.reply(p.request("INVITE"), 486, "x", "", "")
	until[hal.Gone](h, "o2")
}

func TestSilentPhoneIsKnownWithinAMinute(t *testing.T) {
	p := NewPhones(Options{Log: newLine(t, Options{}).lg}).pace
	const tick = time.Second // how late an OPTIONS may be sent
	if worst := p.every + tick + maxMisses*p.patience + tick; worst > time.Minute {
		t.Errorf("known after %v", worst)
	}
}

func TestPhoneWorksWhileOthersAbuseTheListener(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newTCP(t, h.at, "201")
	p.signIn()
	k, leg := h.talking(p, "202")
	stranger := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 77, 3, 1)}}
	for i := range 200 {
		c, err := stranger.Dial("tcp", h.at.String())
		if err != nil {
			continue // he is kept away by now
		}
		defer c.Close()
		switch i % 5 {
		case 1:
			_, _ = io.WriteString(c, "INVITE sip:201@x SIP/2.0\r\nVia: SIP/2.0/T") // and no more
		case 2:
			_, _ = io.WriteString(c, "\x16\x03\x01garbage\r\n\r\n")
		case 3:
			_, _ = io.WriteString(c, strings.Repeat("\r\n\r\n", 2000))
		case 4:
			_, _ = io.WriteString(c, strings.Repeat("OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n", 50))
		}
	}
	q := newTCP(t, h.at, "202") // a phone that comes in the crowd
	q.signIn()
	p.send(k.in("OPTIONS", "", ""))
	p.code(200, "OPTIONS")
	h.do(hal.Dial{Leg: "o1", To: "202"})
	q.reply(q.request("INVITE"), 486, "x", "", "")
	until[hal.Gone](h, "o1")
	p.send(k.in("BYE", "", ""))
	p.code(200, "BYE")
	until[hal.Gone](h, leg)
}

func TestBrokenMessageIsAnswered400AndCostsItsConnectionWhereItsEndIsNotKnown(t *testing.T) {
	h := open(t, settings(), Options{})
	for name, c := range map[string]struct {
		spoil func(string) string
		ends  bool
	}{
		"no Content-Length":  {func(s string) string { return strings.Replace(s, "Content-Length: 0\r\n", "", 1) }, true},
		"two Content-Length": {func(s string) string { return strings.Replace(s, "CSeq:", "l: 0\r\nCSeq:", 1) }, true},
		"bad request line":   {func(s string) string { return strings.Replace(s, "sip:"+h.at.String(), "sip:@:x", 1) }, false},
		"header of no name":  {func(s string) string { return strings.Replace(s, "User-Agent:", "User-Agent", 1) }, false},
	} {
		p := newTCP(t, h.at, "201")
		text := strings.ReplaceAll(p.registerText("c", p.myContact(), ""), "\n", "\r\n") + "\r\nContent-Length: 0\r\n\r\n"
		if _, err := io.WriteString(p.tcp, c.spoil(text)+text); err != nil {
			t.Fatal(err)
		}
		m := p.next(name, func(msg) bool { return true })
		if m.code() != 400 || m.get("Call-ID") != "c" {
			t.Errorf("%s: answered %q", name, m.start)
		}
		select {
		case m, open := <-p.in:
			if open == c.ends || open && m.code() != 401 {
				t.Errorf("%s: heard %q after the 400", name, m.start)
			}
		case <-time.After(patience):
			t.Errorf("%s: still open", name)
		}
	}
}

func TestPhonesOnEachAddressHearTheirOwn(t *testing.T) {
	s := settings()
	s.Listen = append(s.Listen, netip.MustParseAddrPort("127.77.1.2:0"))
	h := open(t, s, Options{})
	for i, at := range h.phones.Listening() {
		for j, p := range []*raw{newRaw(t, at, "201"), newTCP(t, at, "202")} {
			p.signIn()
			leg := hal.LegID(fmt.Sprintf("o%d-%d", i, j))
			h.do(hal.Dial{Leg: leg, To: hal.Number(p.user), Show: "0935"})
			m := p.request("INVITE")
			if want := "c=IN IP4 " + at.Addr().String() + "\r\n"; !strings.Contains(m.body, want) || !strings.Contains(m.get("Via"), " "+at.String()) ||
				!strings.Contains(m.get("Contact"), "sip:"+at.String()) {
				t.Errorf("phone at %s is told\n%s\n%s\n%s", at, m.get("Via"), m.get("Contact"), m.body)
			}
			p.reply(m, 200, "x", "", p.sdp("sendrecv"))
			p.request("ACK")
			until[hal.Answered](h, leg)
			h.do(hal.Hangup{Leg: leg})
			p.reply(p.request("BYE"), 200, "", "", "")
			p.register("Contact: *", "Expires: 0")
		}
		k, leg := h.talking(newRaw(t, at, "203"), "201")
		if !strings.Contains(k.last.body, "c=IN IP4 "+at.Addr().String()+"\r\n") {
			t.Errorf("caller at %s is told\n%s", at, k.last.body)
		}
		k.p.send(k.in("BYE", "", ""))
		until[hal.Gone](h, leg)
	}
}

func TestCallOfBeforeTheRestartIsEndedWhenThePhoneIsBackByTCP(t *testing.T) {
	store := &memory{map[string]registrar.Binding{}}
	h := open(t, alone(), Options{Bindings: store})
	p := newTCP(t, h.at, "201")
	p.signIn()
	h.do(hal.Dial{Leg: "o1", To: "201"})
	m := p.request("INVITE")
	p.reply(m, 200, "x", "", p.sdp("sendrecv"))
	p.request("ACK")
	release := until[hal.Answered](h, "o1").Release
	h.stop()
	if len(store.bindings) != 1 {
		t.Fatalf("kept: %+v", store.bindings)
	}
	s := settings()
	s.Listen[0] = h.at
	h2 := open(t, s, Options{Bindings: store, Releases: []string{release}})
	h2.do(hal.Dial{Leg: "phones#5-o1", To: "201"}) // its connection is no more
	if g := until[hal.Gone](h2, "phones#5-o1"); g.Cause != hal.Unreachable {
		t.Errorf("told %+v", g)
	}
	again := newTCP(t, h2.at, "201")
	again.signIn()
	if bye := again.request("BYE"); bye.get("Call-ID") != m.get("Call-ID") {
		t.Errorf("BYE of %s", bye.get("Call-ID"))
	}
}

func TestLongInviteGoesByTheConnectionOfAPhoneThatHasBoth(t *testing.T) { // RFC 3261 18.1.1
	h := open(t, settings(), Options{})
	udp, tcp := newRaw(t, h.at, "201"), newTCP(t, h.at, "201")
	udp.signIn()
	tcp.signIn()
	h.do(hal.Dial{Leg: "o1", To: "201", Name: strings.Repeat("N", 64)})
	udp.reply(udp.request("INVITE"), 486, "x", "", "") // short: both ring
	tcp.reply(tcp.request("INVITE"), 486, "y", "", "")
	until[hal.Gone](h, "o1")
	h.do(hal.Dial{Leg: "o2", To: "201", Alert: strings.Repeat("a", 1000)})
	tcp.reply(tcp.request("INVITE"), 486, "z", "", "")
	until[hal.Gone](h, "o2")
	udp.none(func(m msg) bool { return m.method() == "INVITE" })
	tcp.tcp.Close()
	h.reach("201", 1)
	h.do(hal.Dial{Leg: "o3", To: "201", Alert: strings.Repeat("a", 1000)})
	udp.reply(udp.request("INVITE"), 486, "x", "", "") // there is no other way
	until[hal.Gone](h, "o3")
}
