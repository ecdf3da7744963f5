package phone

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"branchline/board/sim/phone/message"
	"branchline/board/sim/phone/transact"
)

// peer is a bare socket that says what a test has it say.
type peer struct {
	t    *testing.T
	conn *net.UDPConn
	addr netip.AddrPort
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(loopback()))
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return &peer{t, conn, conn.LocalAddr().(*net.UDPAddr).AddrPort()}
}

// next is the next message that is one of kinds: a method, or a status as text.
func (p *peer) next(kinds ...string) *message.Message {
	p.t.Helper()
	buf := make([]byte, 65536)
	must(p.t, p.conn.SetReadDeadline(time.Now().Add(5*time.Second)))
	for {
		n, err := p.conn.Read(buf)
		if err != nil {
			p.t.Fatalf("no %v came: %v", kinds, err)
		}
		m, err := message.Parse(buf[:n])
		must(p.t, err)
		must(p.t, m.Check())
		for _, k := range kinds {
			if m.Method == k || m.Method == "" && fmt.Sprint(m.Code) == k {
				return m
			}
		}
	}
}

func (p *peer) say(to *Phone, m *message.Message) {
	p.t.Helper()
	p.raw(to, string(m.Bytes()))
}

func (p *peer) raw(to *Phone, text string) {
	p.t.Helper()
	_, err := p.conn.WriteToUDPAddrPort([]byte(text), to.Addr())
	must(p.t, err)
}

// request makes one; lines are added to its header.
func (p *peer) request(to *Phone, method, branch, toTag string, seq int, lines ...string) *message.Message {
	m := &message.Message{Method: method, URI: to.URI()}
	m.Add("Via", "SIP/2.0/UDP "+p.addr.String()+";branch=z9hG4bK"+branch)
	m.Add("From", `"Sales" <sip:+4930123456@box>;tag=box1`)
	m.Add("To", "<"+to.URI()+">"+toTag)
	m.Add("Call-ID", "call-1")
	m.Add("CSeq", fmt.Sprintf("%d %s", seq, method))
	m.Add("Contact", "<sip:box@"+p.addr.String()+">")
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ": ")
		m.Add(name, value)
	}
	return m
}

func withSDP(m *message.Message, dir string) *message.Message {
	m.Add("Content-Type", "application/sdp")
	m.Body = []byte("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=" + dir + "\r\n")
	return m
}

func tagOf(m *message.Message) string {
	a, _ := message.ParseAddress(m.Get("To"))
	return ";tag=" + a.Tag()
}

func TestSecondForkIsAcknowledgedAndEnded(t *testing.T) {
	t.Parallel()
	box := newPeer(t)
	p := start(t, Options{User: "201", Server: box.addr, Expires: -1})
	c, err := p.Dial(soon(t), "300")
	must(t, err)
	invite := box.next("INVITE")
	answer := func(code int, tag string) *message.Message {
		r := invite.Response(code, tag)
		r.Add("Contact", "<sip:"+tag+"@"+box.addr.String()+">")
		if code == 200 || code == 183 {
			withSDP(r, "sendrecv")
		}
		return r
	}
	box.say(p, answer(180, "a"))
	must(t, c.WaitState(soon(t), Alerting))
	box.say(p, answer(183, "b"))
	box.say(p, answer(200, "b"))
	if ack := box.next("ACK"); !strings.HasPrefix(ack.URI, "sip:b@") || tagOf(ack) != ";tag=b" {
		t.Errorf("ACK to %s %s", ack.URI, ack.Get("To"))
	}
	must(t, c.WaitState(soon(t), Talking))
	box.say(p, answer(200, "b")) // our ACK was lost
	box.next("ACK")
	box.say(p, answer(200, "a")) // the other fork answered too
	if ack := box.next("ACK"); tagOf(ack) != ";tag=a" {
		t.Errorf("ACK of the second fork for %s", ack.Get("To"))
	}
	bye := box.next("BYE")
	if tagOf(bye) != ";tag=a" || !strings.HasPrefix(bye.URI, "sip:a@") {
		t.Errorf("BYE to %s %s", bye.URI, bye.Get("To"))
	}
	box.say(p, bye.Response(200, ""))
	if c.State() != Talking {
		t.Errorf("the call is %s", c.State())
	}
	must(t, c.Hangup())
	if bye := box.next("BYE"); tagOf(bye) != ";tag=b" {
		t.Errorf("BYE to %s", bye.Get("To"))
	} else {
		box.say(p, bye.Response(200, ""))
	}
}

func TestCancelWaitsForTheFirstProvisional(t *testing.T) {
	t.Parallel()
	box := newPeer(t)
	p := start(t, Options{User: "201", Server: box.addr, Expires: -1})
	c, err := p.Dial(soon(t), "300")
	must(t, err)
	invite := box.next("INVITE")
	must(t, c.Cancel())
	must(t, box.conn.SetReadDeadline(time.Now().Add(200*time.Millisecond)))
	if n, err := box.conn.Read(make([]byte, 2000)); err == nil {
		t.Errorf("%d bytes came before the provisional", n)
	}
	box.say(p, invite.Response(100, ""))
	cancel := box.next("CANCEL")
	if cancel.List("Via")[0] != invite.List("Via")[0] || cancel.Get("CSeq") != "1 CANCEL" || cancel.URI != invite.URI {
		t.Errorf("CANCEL does not fit its INVITE:\n%s", cancel.Bytes())
	}
	box.say(p, cancel.Response(200, "x"))
	// The 200 of the INVITE has crossed it: the phone takes it and hangs up.
	r := withSDP(invite.Response(200, "x"), "sendrecv")
	r.Add("Contact", "<sip:box@"+box.addr.String()+">")
	box.say(p, r)
	box.next("ACK")
	bye := box.next("BYE")
	box.say(p, bye.Response(200, ""))
	must(t, c.WaitState(soon(t), Gone))
}

func TestWhatThePhoneAnswers(t *testing.T) {
	t.Parallel()
	box := newPeer(t)
	p := start(t, Options{User: "201", Server: box.addr, Expires: -1})
	for name, c := range map[string]struct {
		m    *message.Message
		code string
		head string
	}{
		"options":       {box.request(p, "OPTIONS", "o", "", 1), "200", "Allow"},
		"unknown":       {box.request(p, "PUBLISH", "u", "", 1), "405", "Allow"},
		"stray bye":     {box.request(p, "BYE", "b", ";tag=none", 1), "481", ""},
		"stray cancel":  {box.request(p, "CANCEL", "c", "", 1), "481", ""},
		"stray info":    {box.request(p, "INFO", "i", ";tag=none", 1), "481", ""},
		"required":      {box.request(p, "INVITE", "r", "", 1, "Require: 100rel"), "420", "Unsupported"},
		"waiting":       {box.request(p, "NOTIFY", "w", "", 1, "Event: message-summary"), "200", ""},
		"unknown event": {box.request(p, "NOTIFY", "e", "", 1, "Event: weather"), "489", ""},
		"bad":           {box.request(p, "OPTIONS", "x", "", 1, "CSeq: 2 OPTIONS"), "400", ""},
	} {
		t.Run(name, func(t *testing.T) {
			box.say(p, c.m)
			r := box.next(c.code)
			if c.head != "" && r.Get(c.head) == "" {
				t.Errorf("no %s in\n%s", c.head, r.Bytes())
			}
			if tagOf(r) == ";tag=" && c.m.Method != "CANCEL" {
				t.Errorf("no To tag in\n%s", r.Bytes())
			}
			if r.Code >= 300 && c.m.Method == "INVITE" {
				box.say(p, box.request(p, "ACK", "r", tagOf(r), 1))
			}
		})
	}
}

func TestGarbageIsSurvived(t *testing.T) {
	t.Parallel()
	box := newPeer(t)
	p := start(t, Options{User: "201", Server: box.addr, Expires: -1})
	for _, text := range []string{"", "\r\n\r\n", "hello", "INVITE", "INVITE sip:x SIP/2.0\r\n\r\n", strings.Repeat("A", 60000)} {
		box.raw(p, text)
	}
	box.say(p, box.request(p, "OPTIONS", "o", "", 1))
	box.next("200")
}

func TestDelayedOfferIsAnsweredInTheACK(t *testing.T) {
	t.Parallel()
	box := newPeer(t)
	p := start(t, Options{User: "201", Server: box.addr, Expires: -1, Auto: AnswerAfter(0)})
	box.say(p, box.request(p, "INVITE", "1", "", 1))
	ok := box.next("200")
	if !strings.Contains(string(ok.Body), "m=audio") {
		t.Fatalf("no offer in\n%s", ok.Bytes())
	}
	box.say(p, withSDP(box.request(p, "ACK", "2", tagOf(ok), 1), "sendrecv"))
	c, err := p.WaitCall(soon(t))
	must(t, err)
	must(t, c.listen(soon(t), "an agreement", func() bool { return c.sound.Flow().To.Port() == 9 }))
	box.say(p, box.request(p, "BYE", "3", tagOf(ok), 2))
	box.next("200")
	must(t, c.WaitState(soon(t), Gone))
}

func TestHoldOfTheBoxIsAnsweredAndOldNumbersAreNot(t *testing.T) {
	t.Parallel()
	box := newPeer(t)
	p := start(t, Options{User: "201", Server: box.addr, Expires: -1, Auto: AnswerAfter(0)})
	box.say(p, withSDP(box.request(p, "INVITE", "1", "", 5), "sendrecv"))
	ok := box.next("200")
	c, err := p.WaitCall(soon(t))
	must(t, err)
	tag := tagOf(ok)
	box.say(p, withSDP(box.request(p, "INVITE", "2", tag, 6), "sendonly")) // before the ACK of the first
	if r := box.next("500"); r.Get("Retry-After") == "" {
		t.Error("no Retry-After while a change is under way")
	}
	box.say(p, box.request(p, "ACK", "2", tag, 6))
	box.say(p, box.request(p, "ACK", "3", tag, 5))
	for dir, want := range map[string]string{"sendonly": "recvonly", "inactive": "inactive"} {
		seq := 10 + len(dir)
		box.say(p, withSDP(box.request(p, "INVITE", dir, tag, seq), dir))
		r := box.next("200")
		for !strings.HasSuffix(r.Get("CSeq"), fmt.Sprintf("%d INVITE", seq)) {
			r = box.next("200")
		}
		if !strings.Contains(string(r.Body), "a="+want) {
			t.Errorf("%s answered by\n%s", dir, r.Body)
		}
		box.say(p, box.request(p, "ACK", dir+"a", tag, seq))
		must(t, c.WaitState(soon(t), Held))
	}
	box.say(p, box.request(p, "INFO", "old", tag, 2))
	box.next("500")
	box.say(p, box.request(p, "BYE", "bye", tag, 30, `Reason: SIP;cause=200;text="Call completed elsewhere"`))
	must(t, c.WaitState(soon(t), Gone))
	if c.Cause() != "Call completed elsewhere" {
		t.Errorf("cause %q", c.Cause())
	}
}

func TestBoxMakesThePhonePickUp(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"Call-Info: <sip:x>;answer-after=0", "Alert-Info: <http://x>;info=alert-autoanswer"} {
		box := newPeer(t)
		p := start(t, Options{User: "201", Server: box.addr, Expires: -1})
		box.say(p, withSDP(box.request(p, "INVITE", "1", "", 1, line), "sendrecv"))
		ok := box.next("200")
		box.say(p, box.request(p, "ACK", "2", tagOf(ok), 1))
		box.say(p, box.request(p, "BYE", "3", tagOf(ok), 2))
		box.next("200")
	}
	box := newPeer(t)
	p := start(t, Options{User: "201", Server: box.addr, Expires: -1})
	box.say(p, withSDP(box.request(p, "INVITE", "1", "", 1), "sendrecv"))
	box.next("180")
	box.say(p, box.request(p, "NOTIFY", "2", "", 1, "Event: talk"))
	ok := box.next("200")
	if !strings.HasSuffix(ok.Get("CSeq"), "INVITE") {
		ok = box.next("200")
	}
	box.say(p, box.request(p, "ACK", "3", tagOf(ok), 1))
	c := p.Calls()[0]
	must(t, c.WaitState(soon(t), Talking))
	box.say(p, box.request(p, "BYE", "4", tagOf(ok), 2))
	must(t, c.WaitState(soon(t), Gone))
}

// registrar is the other side of digest, written by hand from RFC 7616 and RFC 8760.
type registrar struct {
	*peer
	challenges []string // algorithms offered
	nonce      string
	expires    int
}

func (r *registrar) challenge(m *message.Message, extra string) *message.Message {
	resp := m.Response(401, "reg")
	for _, a := range r.challenges {
		resp.Add("WWW-Authenticate", fmt.Sprintf(`Digest realm="box", nonce="%s", algorithm=%s, qop="auth, auth-int", opaque="o"%s`, r.nonce, a, extra))
	}
	return resp
}

// verify checks the Authorization of m and returns its nonce count and algorithm.
func (r *registrar) verify(m *message.Message, password string) (nc, algorithm string, ok bool) {
	value := map[string]string{}
	for _, f := range regexp.MustCompile(`(\w+)=(?:"([^"]*)"|([^",\s]+))`).FindAllStringSubmatch(m.Get("Authorization"), -1) {
		value[f[1]] = f[2] + f[3]
	}
	hash := func(s string) string {
		if value["algorithm"] == "SHA-256" {
			h := sha256.Sum256([]byte(s))
			return hex.EncodeToString(h[:])
		}
		h := md5.Sum([]byte(s))
		return hex.EncodeToString(h[:])
	}
	a1, a2 := hash("201:box:"+password), hash(m.Method+":"+value["uri"])
	want := hash(strings.Join([]string{a1, r.nonce, value["nc"], value["cnonce"], "auth", a2}, ":"))
	return value["nc"], value["algorithm"], value["response"] == want && value["nonce"] == r.nonce && value["uri"] == m.URI && value["opaque"] == "o"
}

func (r *registrar) accept(m *message.Message) *message.Message {
	ok := m.Response(200, "reg")
	ok.Add("Contact", "<sip:other@192.0.2.1>;expires=9999")
	ok.Add("Contact", fmt.Sprintf("%s;expires=%d", strings.Split(m.Get("Contact"), ";")[0], r.expires))
	return ok
}

func TestRegistrationIsProvedRefreshedAndGivenUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		offered []string
		prefers string
		want    string
	}{
		"MD5":               {[]string{"MD5"}, "", "MD5"},
		"SHA-256":           {[]string{"SHA-256"}, "", "SHA-256"},
		"box prefers":       {[]string{"SHA-256", "MD5"}, "", "SHA-256"},
		"phone prefers":     {[]string{"SHA-256", "MD5"}, "MD5", "MD5"},
		"unknown is passed": {[]string{"ROT13", "MD5"}, "SHA-256", "MD5"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &registrar{newPeer(t), c.offered, "n1", 1}
			p, err := New(Options{User: "201", Password: "secret", Server: r.addr, Listen: loopback(), Algorithm: c.prefers})
			must(t, err)
			ctx, off := context.WithCancel(context.Background())
			ended := make(chan error, 1)
			go func() { ended <- p.Run(ctx) }()
			first := r.next("REGISTER")
			if first.Get("Authorization") != "" {
				t.Error("credentials before any challenge")
			}
			r.say(p, r.challenge(first, ""))
			for i := 1; i <= 3; i++ { // the second and third are refreshes at half of the second granted
				m := r.next("REGISTER")
				nc, algorithm, ok := r.verify(m, "secret")
				if !ok || algorithm != c.want || nc != fmt.Sprintf("%08x", i) {
					t.Fatalf("REGISTER %d: nc %s %s, right %v\n%s", i, nc, algorithm, ok, m.Bytes())
				}
				if m.Get("Call-ID") != first.Get("Call-ID") || m.Get("CSeq") != fmt.Sprintf("%d REGISTER", i+1) {
					t.Errorf("REGISTER %d: Call-ID %s CSeq %s", i, m.Get("Call-ID"), m.Get("CSeq"))
				}
				r.say(p, r.accept(m))
				must(t, p.Registered(soon(t)))
			}
			off()
			for {
				m := r.next("REGISTER")
				r.say(p, r.accept(m))
				if m.Get("Expires") == "0" && strings.HasSuffix(m.Get("Contact"), "expires=0") {
					break
				}
			}
			must(t, <-ended)
		})
	}
}

func TestWrongPasswordIsToldAtOnce(t *testing.T) {
	t.Parallel()
	r := &registrar{newPeer(t), []string{"MD5"}, "n1", 60}
	p := start(t, Options{User: "201", Password: "wrong", Server: r.addr})
	r.say(p, r.challenge(r.next("REGISTER"), ""))
	m := r.next("REGISTER")
	if _, _, ok := r.verify(m, "secret"); ok {
		t.Fatal("the wrong password is right")
	}
	r.nonce = "n2"
	r.say(p, r.challenge(m, ""))
	if err := p.Registered(soon(t)); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("registered: %v, want a refusal with 401", err)
	}
}

func TestStaleNonceIsNoRefusal(t *testing.T) {
	t.Parallel()
	r := &registrar{newPeer(t), []string{"SHA-256"}, "n1", 60}
	p := start(t, Options{User: "201", Password: "secret", Server: r.addr, Retry: time.Hour})
	r.say(p, r.challenge(r.next("REGISTER"), ""))
	m := r.next("REGISTER")
	r.nonce = "n2"
	r.say(p, r.challenge(m, ", stale=true"))
	m = r.next("REGISTER")
	if nc, _, ok := r.verify(m, "secret"); !ok || nc != "00000001" {
		t.Errorf("new nonce answered with nc %s, right %v", nc, ok)
	}
	r.say(p, r.accept(m))
	must(t, p.Registered(soon(t)))
}

func TestTooShortARegistrationIsMadeLonger(t *testing.T) {
	t.Parallel()
	r := &registrar{newPeer(t), nil, "", 60}
	p := start(t, Options{User: "201", Server: r.addr, Expires: 10 * time.Second})
	brief := r.next("REGISTER").Response(423, "x")
	brief.Add("Min-Expires", "60")
	r.say(p, brief)
	m := r.next("REGISTER")
	if m.Get("Expires") != "60" {
		t.Errorf("Expires %s, want 60", m.Get("Expires"))
	}
	r.say(p, r.accept(m))
	must(t, p.Registered(soon(t)))
}

func TestChallengedInviteIsRepeatedWithCredentials(t *testing.T) {
	t.Parallel()
	r := &registrar{newPeer(t), []string{"MD5"}, "n1", 60}
	p := start(t, Options{User: "201", Password: "secret", Server: r.addr, Expires: -1})
	c, err := p.Dial(soon(t), "*22")
	must(t, err)
	first := r.next("INVITE")
	r.say(p, r.challenge(first, ""))
	if ack := r.next("ACK"); ack.List("Via")[0] != first.List("Via")[0] {
		t.Error("the ACK of a 401 belongs to the INVITE's transaction")
	}
	m := r.next("INVITE")
	if _, _, ok := r.verify(m, "secret"); !ok || m.Get("CSeq") != "2 INVITE" || m.Get("Call-ID") != first.Get("Call-ID") {
		t.Errorf("second INVITE right %v:\n%s", ok, m.Bytes())
	}
	r.say(p, m.Response(404, "x"))
	must(t, c.WaitState(soon(t), Gone))
	if c.Code() != 404 {
		t.Errorf("code %d", c.Code())
	}
}

func FuzzDatagrams(f *testing.F) {
	p, err := New(Options{User: "201", Listen: loopback(), Auto: AnswerAfter(0), Lines: 8})
	if err != nil {
		f.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.ctx = ctx
	f.Cleanup(func() { cancel(); p.workers.Wait(); _ = p.conn.Close() })
	from := netip.MustParseAddrPort("127.0.0.1:9")
	box := &peer{addr: from}
	for _, m := range []*message.Message{
		withSDP(box.request(p, "INVITE", "1", "", 1), "sendrecv"),
		box.request(p, "CANCEL", "1", "", 1), box.request(p, "BYE", "2", ";tag=x", 2), box.request(p, "NOTIFY", "3", "", 1, "Event: talk"),
		withSDP(box.request(p, "INVITE", "1", "", 1), "x").Response(200, "x"),
	} {
		f.Add(m.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p.clock = transact.NewClock(time.Now)
		p.layer = p.newLayer()
		p.acct.Layer = p.layer // the last one's transactions would wait for their timers
		p.receive(datagram{from, b})
		p.receive(datagram{from, b})
		for _, c := range append([]*Call(nil), p.calls...) { // the same, as if it were about a call that stands
			m, err := message.Parse(b)
			if err != nil || m.Check() != nil {
				continue
			}
			m.Set("Call-ID", c.id)
			m.Set("From", c.dialog.Remote)
			m.Set("To", c.dialog.Local)
			p.receive(datagram{from, m.Bytes()})
			c.end(false, 0, "fuzz")
		}
	})
}
