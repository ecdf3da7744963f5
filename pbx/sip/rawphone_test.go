package sip

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/icholy/digest"

	"branchline/hal"
	"branchline/pbx/media"
	"branchline/pbx/sip/wire"
)

func TestMain(m *testing.M) {
	wire.SetTimers(50*time.Millisecond, 400*time.Millisecond, 500*time.Millisecond)
	os.Exit(m.Run())
}

const patience = 8 * time.Second

// house is a running line of phones with all that it told.
type house struct {
	*testing.T
	phones *Phones
	at     netip.AddrPort
	log    *lines

	mu   sync.Mutex
	told []hal.Signal
	read int
	news chan struct{}
	stop func()
}

// lines is a log that a test can read.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func settings() Settings {
	return Settings{Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, TCP: true, Realm: "branchline",
		Accounts: []Account{{Extension: "201", Name: "Ana", Password: "secret201"}, {Extension: "202", Name: "Bo", Password: "secret202"}, {Extension: "203", Password: "secret203"}}}
}

// alone is settings on an address from which no other test takes a port, so that a second box finds the
// first one's free.
func alone() Settings {
	s := settings()
	s.Listen[0] = netip.MustParseAddrPort("127.77.2.1:0")
	return s
}

// newLine makes the line and a media worker under it that lives as long as the test.
func newLine(t *testing.T, o Options) *Phones {
	t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	w := media.New(media.Options{Log: slog.New(slog.DiscardHandler), Country: "DE", RTPFirst: 20000, RTPLast: 29999})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = w.Run(ctx, func(hal.Signal) {}) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	o.Name, o.Boot, o.Media = "phones", 4, w
	return NewPhones(o)
}

func open(t *testing.T, s Settings, o Options) *house {
	t.Helper()
	return openChanged(t, s, o, nil)
}

// openChanged is open with a change that is made before anything runs.
func openChanged(t *testing.T, s Settings, o Options, change func(*Phones)) *house {
	t.Helper()
	if o.Bindings == nil && o.Releases == nil { // else it may be the second of a test
		t.Parallel()
	}
	h := &house{T: t, log: &lines{}, news: make(chan struct{}, 1)}
	o.Log = slog.New(slog.NewTextHandler(h.log, nil))
	h.phones = newLine(t, o)
	if change != nil {
		change(h.phones)
	}
	commit, err := h.phones.Prepare(s)
	if err != nil {
		t.Fatal(err)
	}
	commit()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := h.phones.Run(ctx, h.up); err != nil {
			t.Error(err)
		}
	})
	h.stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(func() {
		h.stop()
		if log := h.log.String(); strings.Contains(log, "panic") && !strings.Contains(t.Name(), "Panic") {
			t.Error(log)
		}
	})
	until[hal.InService](h, "")
	h.at = h.phones.Listening()[0]
	return h
}

func (h *house) up(s hal.Signal) {
	h.mu.Lock()
	h.told = append(h.told, s)
	h.mu.Unlock()
	select {
	case h.news <- struct{}{}:
	default:
	}
}

func (h *house) do(o hal.Order) {
	h.Helper()
	if err := h.phones.Do(o); err != nil {
		h.Fatalf("Do(%+v): %v", o, err)
	}
}

// until waits for the next signal of type S on leg ("": on any) and goes past it.
func until[S hal.Signal](h *house, leg hal.LegID) S {
	h.Helper()
	end := time.After(patience)
	for {
		h.mu.Lock()
		for i, s := range h.told[h.read:] {
			if got, ok := s.(S); ok && (leg == "" || got.On() == leg) {
				h.read += i + 1
				h.mu.Unlock()
				return got
			}
		}
		h.mu.Unlock()
		select {
		case <-h.news:
		case <-end:
			var want S
			h.Fatalf("no %T on %q; told were %+v", want, leg, h.all())
		}
	}
}

func (h *house) all() []hal.Signal {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]hal.Signal(nil), h.told...)
}

// census is what the next census would tell.
func (h *house) census() (legs []hal.LegID) {
	h.Helper()
	h.inside(func(d *desk) { legs = d.legs.Legs() })
	return legs
}

// inside does f where the state of the line belongs.
func (h *house) inside(f func(*desk)) {
	h.Helper()
	h.phones.mu.Lock()
	d := h.phones.desk
	h.phones.mu.Unlock()
	done := make(chan struct{})
	if err := d.wire.Post(func() { defer close(done); f(d) }); err != nil {
		h.Fatal(err)
	}
	<-done
}

// msg is a SIP message as the test phone sees it.
type msg struct {
	start   string
	headers []string // "Name: value"
	body    string
	from    netip.AddrPort
}

func (m msg) get(name string) string {
	v := m.list(name)
	if len(v) == 0 {
		return ""
	}
	return v[0]
}

func (m msg) list(name string) (out []string) {
	for _, h := range m.headers {
		if k, v, _ := strings.Cut(h, ": "); strings.EqualFold(k, name) {
			out = append(out, v)
		}
	}
	return out
}

func (m msg) code() int {
	f := strings.Fields(m.start)
	if len(f) < 2 || f[0] != "SIP/2.0" {
		return 0
	}
	n, _ := strconv.Atoi(f[1])
	return n
}

func (m msg) method() string { return strings.Fields(m.start)[0] }

func (m msg) tag(header string) string {
	_, tag, _ := strings.Cut(m.get(header), ";tag=")
	tag, _, _ = strings.Cut(tag, ";")
	return tag
}

func (m msg) contact() string {
	c := m.get("Contact")
	return strings.Trim(c, "<>")
}

// raw is a SIP phone written by hand: it says exactly what a test tells it to say.
type raw struct {
	t        *testing.T
	conn     *net.UDPConn
	tcp      net.Conn // of a phone that speaks TCP or TLS
	server   netip.AddrPort
	user     string
	password string
	in       chan msg
	cseq     int
	branches int
	id       string
	nonceUse map[string]int
	rtp      *net.UDPConn
}

func newRaw(t *testing.T, server netip.AddrPort, user string) *raw {
	return newRawAt(t, server, user, "127.0.0.1")
}

func newRawAt(t *testing.T, server netip.AddrPort, user, ip string) *raw {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(ip)})
	if err != nil {
		t.Fatal(err)
	}
	rtp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(ip)})
	if err != nil {
		t.Fatal(err)
	}
	p := &raw{t: t, conn: conn, server: server, user: user, password: "secret" + user, in: make(chan msg, 1000),
		id: fmt.Sprintf("%s-%d", user, conn.LocalAddr().(*net.UDPAddr).Port), rtp: rtp}
	var wg sync.WaitGroup
	wg.Go(p.listen)
	t.Cleanup(func() { conn.Close(); rtp.Close(); wg.Wait() })
	return p
}

func (p *raw) addr() string {
	if p.tcp != nil {
		return p.tcp.LocalAddr().String()
	}
	return p.conn.LocalAddr().String()
}

// network is what a connection of the phone is called.
func (p *raw) network() string {
	if _, ok := p.tcp.(*tls.Conn); ok {
		return "tls"
	}
	return "tcp"
}

func (p *raw) listen() {
	defer close(p.in)
	b := make([]byte, 65536)
	for {
		n, from, err := p.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		m := parse(string(b[:n]))
		m.from = from
		p.in <- m
	}
}

func parse(s string) msg {
	head, body, _ := strings.Cut(s, "\r\n\r\n")
	ls := strings.Split(head, "\r\n")
	return msg{start: ls[0], headers: ls[1:], body: body}
}

func (p *raw) send(text string) {
	p.t.Helper()
	p.sendTo(text, p.server)
}

func (p *raw) sendTo(text string, to netip.AddrPort) {
	p.t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	out := strings.ReplaceAll(strings.TrimSpace(head), "\n", "\r\n")
	body = strings.ReplaceAll(strings.TrimSpace(body), "\n", "\r\n")
	if body != "" {
		body += "\r\n"
	}
	if !strings.Contains(out, "Content-Length") {
		out += "\r\nContent-Length: " + strconv.Itoa(len(body))
	}
	if p.tcp != nil {
		_, _ = p.tcp.Write([]byte(out + "\r\n\r\n" + body))
		return
	}
	_, err := p.conn.WriteToUDPAddrPort([]byte(out+"\r\n\r\n"+body), to)
	if err != nil && !errors.Is(err, net.ErrClosed) { // the test is over
		p.t.Fatal(err)
	}
}

// next waits for a message that is wanted and drops all others.
func (p *raw) next(what string, wanted func(msg) bool) msg {
	p.t.Helper()
	end := time.After(patience)
	var others []string
	for {
		select {
		case m, ok := <-p.in:
			if !ok {
				p.t.Fatalf("%s: socket closed while waiting for %s", p.user, what)
			}
			if wanted(m) {
				return m
			}
			others = append(others, m.start+" | "+m.get("CSeq"))
		case <-end:
			p.t.Fatalf("%s: no %s; came were %q", p.user, what, others)
		}
	}
}

// code waits for a final response, or for the provisional one that is named.
func (p *raw) code(code int, method string) msg {
	p.t.Helper()
	m := p.next(fmt.Sprintf("response to %s", method), func(m msg) bool {
		return m.code() != 0 && strings.HasSuffix(m.get("CSeq"), " "+method) && (m.code() >= 200 || m.code() == code)
	})
	if m.code() != code {
		p.t.Fatalf("%s: %s answered %q, want %d", p.user, method, m.start, code)
	}
	return m
}

func (p *raw) request(method string) msg {
	p.t.Helper()
	return p.next(method, func(m msg) bool { return m.code() == 0 && m.method() == method })
}

// none checks that nothing that is unwanted comes within a while.
func (p *raw) none(unwanted func(msg) bool) {
	p.t.Helper()
	end := time.After(300 * time.Millisecond)
	for {
		select {
		case m := <-p.in:
			if unwanted(m) {
				p.t.Fatalf("%s: unwanted %q", p.user, m.start)
			}
		case <-end:
			return
		}
	}
}

func (p *raw) via() string {
	p.branches++
	transport := "UDP"
	if p.tcp != nil {
		transport = strings.ToUpper(p.network())
	}
	return fmt.Sprintf("Via: SIP/2.0/%s %s;branch=z9hG4bK-%s-%d;rport", transport, p.addr(), p.id, p.branches)
}

// credentials makes an Authorization line for a challenge; algorithm picks one of several.
func (p *raw) credentials(challenge msg, method, uri, algorithm string) string {
	p.t.Helper()
	for _, h := range challenge.list("WWW-Authenticate") {
		c, err := digest.ParseChallenge(h)
		if err != nil {
			p.t.Fatal(err)
		}
		if c.Algorithm != algorithm {
			continue
		}
		if p.nonceUse == nil {
			p.nonceUse = map[string]int{}
		}
		p.nonceUse[c.Nonce]++
		cred, err := digest.Digest(c, digest.Options{Method: method, URI: uri, Username: p.user, Password: p.password, Count: p.nonceUse[c.Nonce]})
		if err != nil {
			p.t.Fatal(err)
		}
		return "Authorization: " + cred.String()
	}
	p.t.Fatalf("no %s challenge in %q", algorithm, challenge.headers)
	return ""
}

func (p *raw) registerText(callID, contact, extra string) string {
	p.cseq++
	if contact != "" {
		extra = contact + "\n" + extra
	}
	return strings.TrimSpace(fmt.Sprintf(`REGISTER sip:%[1]s SIP/2.0
%[2]s
Max-Forwards: 70
From: <sip:%[3]s@%[1]s>;tag=r%[4]d
To: <sip:%[3]s@%[1]s>
Call-ID: %[5]s
CSeq: %[4]d REGISTER
User-Agent: raw/1
%[6]s`, p.server, p.via(), p.user, p.cseq, callID, strings.TrimSpace(extra)))
}

func (p *raw) myContact() string {
	params := ""
	if p.tcp != nil {
		params = ";transport=" + p.network()
	}
	return fmt.Sprintf("Contact: <sip:%s@%s%s>", p.user, p.addr(), params)
}

// register signs in with SHA-256 and returns the final answer.
func (p *raw) register(contact, extra string) msg {
	p.t.Helper()
	return p.registerWith(contact, extra, "SHA-256")
}

func (p *raw) registerWith(contact, extra, algorithm string) msg {
	p.t.Helper()
	final := func(m msg) bool { return m.code() >= 200 && strings.HasSuffix(m.get("CSeq"), "REGISTER") }
	p.send(p.registerText("reg-"+p.id, contact, extra))
	challenge := p.next("401", final)
	if challenge.code() != 401 {
		return challenge
	}
	auth := p.credentials(challenge, "REGISTER", "sip:"+p.server.String(), algorithm)
	p.send(p.registerText("reg-"+p.id, contact, strings.TrimSpace(auth+"\n"+extra)))
	return p.next("answer to REGISTER", func(m msg) bool {
		return final(m) && strings.HasPrefix(m.get("CSeq"), strconv.Itoa(p.cseq)+" ")
	})
}

func (p *raw) signIn() {
	p.t.Helper()
	if m := p.register(p.myContact(), ""); m.code() != 200 {
		p.t.Fatalf("%s: %s", p.user, m.start)
	}
}

// sdp is an offer or answer of this phone.
func (p *raw) sdp(direction string) string {
	port := p.rtp.LocalAddr().(*net.UDPAddr).Port
	ip := p.rtp.LocalAddr().(*net.UDPAddr).IP
	return fmt.Sprintf(`v=0
o=raw 1 1 IN IP4 %[1]s
s=-
c=IN IP4 %[1]s
t=0 0
m=audio %[2]d RTP/AVP 8 0 101
a=rtpmap:101 telephone-event/8000
a=%[3]s`, ip, port, direction)
}

// talk is a dialog as the test phone keeps it.
type talk struct {
	p                 *raw
	callID            string
	local, remote     string // From and To of our requests
	target            string
	cseq, invite      int
	routes, inviteVia string
	inviteURI         string
	last              msg
}

// inviteText is an INVITE of the talk with its present CSeq.
func (k *talk) inviteText(extra, body string) string {
	k.invite = k.cseq
	k.inviteVia = k.p.via()
	kind := ""
	if body != "" {
		kind = "\nContent-Type: application/sdp"
	}
	if extra != "" {
		extra = "\n" + extra
	}
	return fmt.Sprintf("INVITE %s SIP/2.0\n%s\nMax-Forwards: 70\nFrom: %s\nTo: %s\nCall-ID: %s\nCSeq: %d INVITE\n%s%s%s\n\n%s",
		k.target, k.inviteVia, k.local, k.remote, k.callID, k.cseq, k.p.myContact(), extra, kind, body)
}

// call calls a number up to the point where it is accepted as a leg: 100 Trying.
func (p *raw) call(number, body string) *talk {
	p.t.Helper()
	k := p.newTalk(number)
	p.send(k.inviteText("", body))
	c := p.code(401, "INVITE")
	k.ackRefusal(c)
	k.cseq++
	p.send(k.inviteText(p.credentials(c, "INVITE", k.target, "SHA-256"), body))
	return k
}

func (p *raw) newTalk(number string) *talk {
	p.branches++
	return &talk{p: p, callID: fmt.Sprintf("call-%s-%d", p.id, p.branches), cseq: 1,
		local:  fmt.Sprintf(`"Phone %s" <sip:%s@%s>;tag=t%d`, p.user, p.user, p.server, p.branches),
		remote: fmt.Sprintf("<sip:%s@%s>", number, p.server), target: fmt.Sprintf("sip:%s@%s", number, p.server)}
}

func (k *talk) ackRefusal(m msg) {
	k.p.send(fmt.Sprintf("ACK %s SIP/2.0\n%s\nFrom: %s\nTo: %s\nCall-ID: %s\nCSeq: %d ACK\n", k.target, k.inviteVia, k.local, m.get("To"), k.callID, k.invite))
}

// up takes over what a 2xx says and acknowledges it.
func (k *talk) up(m msg, body string) {
	k.remote, k.last = m.get("To"), m
	if c := m.contact(); c != "" {
		k.target = c
	}
	kind := ""
	if body != "" {
		kind = "\nContent-Type: application/sdp"
	}
	k.p.send(fmt.Sprintf("ACK %s SIP/2.0\n%s\nFrom: %s\nTo: %s\nCall-ID: %s\nCSeq: %d ACK%s\n\n%s", k.target, k.p.via(), k.local, k.remote, k.callID, k.invite, kind, body))
}

func (k *talk) cancel(extra string) {
	if extra != "" {
		extra = "\n" + extra
	}
	k.p.send(fmt.Sprintf("CANCEL %s SIP/2.0\n%s\nFrom: %s\nTo: %s\nCall-ID: %s\nCSeq: %d CANCEL%s\n", k.target, k.inviteVia, k.local, k.remote, k.callID, k.invite, extra))
}

// in makes a request within the dialog.
func (k *talk) in(method, extra, body string) string {
	k.cseq++
	if extra != "" {
		extra = "\n" + extra
	}
	via := k.p.via()
	if method == "INVITE" {
		k.invite, k.inviteVia = k.cseq, via
	}
	return fmt.Sprintf("%s %s SIP/2.0\n%s\nMax-Forwards: 70\nFrom: %s\nTo: %s\nCall-ID: %s\nCSeq: %d %s%s\n\n%s",
		method, k.target, via, k.local, k.remote, k.callID, k.cseq, method, extra, body)
}

// reply answers a request of the box; tag is ours.
func (p *raw) reply(m msg, code int, tag, extra, body string) {
	p.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d Whatever\n", code)
	for _, v := range m.list("Via") {
		fmt.Fprintf(&b, "Via: %s\n", v)
	}
	to := m.get("To")
	if tag != "" && !strings.Contains(to, ";tag=") {
		to += ";tag=" + tag
	}
	fmt.Fprintf(&b, "From: %s\nTo: %s\nCall-ID: %s\nCSeq: %s\n%s\n", m.get("From"), to, m.get("Call-ID"), m.get("CSeq"), p.myContact())
	if extra != "" {
		b.WriteString(extra + "\n")
	}
	if body != "" {
		b.WriteString("Content-Type: application/sdp\n\n" + body)
	}
	p.sendTo(b.String(), m.from)
}

// called makes the dialog of an INVITE of the box that this phone took with tag.
func (p *raw) called(m msg, tag string) *talk {
	return &talk{p: p, callID: m.get("Call-ID"), local: m.get("To") + ";tag=" + tag, remote: m.get("From"),
		target: m.contact(), cseq: 100}
}
