package wire

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	SetTimers(30*time.Millisecond, 240*time.Millisecond, 300*time.Millisecond)
	os.Exit(m.Run())
}

// desk is a Handler made of functions.
type desk struct {
	request   func(*Request)
	cancelled func(*Request)
	broken    func(string)
	lost      func(Flow)
}

func (d desk) Request(r *Request)             { d.request(r) }
func (d desk) Cancelled(r *Request, _ string) { d.cancelled(r) }
func (d desk) Broken(id string)               { d.broken(id) }
func (d desk) Lost(f Flow) {
	if d.lost != nil {
		d.lost(f)
	}
}

// start runs a wire on a free port of 127.0.0.1 for the length of the test.
func start(t *testing.T, d desk) (*Wire, netip.AddrPort, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	w := New(slog.New(slog.NewTextHandler(&log, nil)))
	if err := w.Open([]netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, true); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := w.Run(ctx, d); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	return w, w.Listening()[0], &log
}

// peer is a bare socket toward a wire.
type peer struct {
	*net.UDPConn
	t *testing.T
}

func dial(t *testing.T, at netip.AddrPort) peer {
	t.Helper()
	c, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return peer{c, t}
}

func (p peer) say(s string) {
	p.t.Helper()
	if _, err := p.Write([]byte(s)); err != nil {
		p.t.Fatal(err)
	}
}

// hear waits for one datagram; "" when none comes within d.
func (p peer) hear(d time.Duration) string {
	_ = p.SetReadDeadline(time.Now().Add(d))
	b := make([]byte, 65536)
	n, err := p.Read(b)
	if err != nil {
		return ""
	}
	return string(b[:n])
}

// text makes a request whose lines a test can change.
func (p peer) text(method string, lines ...string) string {
	all := []string{
		method + " sip:201@127.0.0.1 SIP/2.0",
		fmt.Sprintf("Via: SIP/2.0/UDP %s;branch=z9hG4bK-%s-%d;rport", p.LocalAddr(), method, time.Now().UnixNano()),
		"From: <sip:202@127.0.0.1>;tag=a", "To: <sip:201@127.0.0.1>", "Call-ID: " + fmt.Sprint(time.Now().UnixNano()),
		"CSeq: 1 " + method,
	}
	if method == "INVITE" {
		all = append(all, "Contact: <sip:202@127.0.0.1>")
	}
	for _, l := range lines {
		name, _, _ := strings.Cut(l, ":")
		kept := all[:0]
		for _, o := range all {
			if !strings.HasPrefix(o, name+":") {
				kept = append(kept, o)
			}
		}
		all = append(kept, l)
	}
	return strings.Join(all, "\r\n") + "\r\n\r\n"
}

func ok(r *Request) { _ = r.Reply(Response{Code: 200}) }

func TestBadRequestsHaveTheRFCsAnswer(t *testing.T) { // sipgo v1.7.2 does otherwise
	_, at, _ := start(t, desk{request: ok})
	p := dial(t, at)
	for _, c := range []struct {
		name, text string
		code       string // "": no answer
	}{
		{"sound", p.text("OPTIONS"), "200"},
		{"no From", strings.Replace(p.text("OPTIONS"), "From: <sip:202@127.0.0.1>;tag=a\r\n", "", 1), "400"},
		{"no To", strings.Replace(p.text("OPTIONS"), "To: <sip:201@127.0.0.1>\r\n", "", 1), "400"},
		{"no CSeq", strings.Replace(p.text("OPTIONS"), "CSeq: 1 OPTIONS\r\n", "", 1), "400"},
		{"no Via", "OPTIONS sip:201@127.0.0.1 SIP/2.0\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n", ""},
		{"CSeq of another method", p.text("OPTIONS", "CSeq: 1 INVITE"), "400"},
		{"CSeq too high", p.text("OPTIONS", "CSeq: 4294967296 OPTIONS"), "400"},
		{"two Call-IDs", p.text("OPTIONS", "Call-ID: 1\r\nCall-ID: 2"), "400"},
		{"Content-Length too long", p.text("OPTIONS", "Content-Length: 500"), "400"},
		{"Content-Length no number", p.text("OPTIONS", "Content-Length: x"), "400"},
		{"two Content-Lengths", p.text("OPTIONS", "Content-Length: 0\r\nl: 0"), "400"},
		{"port -1", strings.Replace(p.text("OPTIONS"), "sip:201@127.0.0.1 SIP", "sip:201@127.0.0.1:-1 SIP", 1), "400"},
		{"port 99999", strings.Replace(p.text("OPTIONS"), "sip:201@127.0.0.1 SIP", "sip:201@127.0.0.1:99999 SIP", 1), "400"},
		{"256.256.256.256", strings.Replace(p.text("OPTIONS"), "sip:201@127.0.0.1 SIP", "sip:256.256.256.256 SIP", 1), "400"},
		{"sip:@", strings.Replace(p.text("OPTIONS"), "sip:201@127.0.0.1 SIP", "sip:@ SIP", 1), "400"},
		{"unknown scheme", strings.Replace(p.text("OPTIONS"), "sip:201@127.0.0.1 SIP", "http:201 SIP", 1), "416"},
		{"bad Contact", p.text("REGISTER", "Contact: <sip:a"), "400"},
		{"no Contact", strings.Replace(p.text("INVITE"), "Contact: <sip:202@127.0.0.1>\r\n", "", 1), "400"},
		{"star with Expires 60", p.text("REGISTER", "Contact: *", "Expires: 60"), "400"},
		{"star", p.text("REGISTER", "Contact: *", "Expires: 0"), "200"},
		{"SIP 7", strings.Replace(p.text("OPTIONS"), "SIP/2.0\r\nVia", "SIP/7.0\r\nVia", 1), "505"},
		{"bad ACK", p.text("ACK", "CSeq: 1 INVITE"), ""},
		{"ACK without CSeq", strings.Replace(p.text("ACK"), "CSeq: 1 ACK\r\n", "", 1), ""},
		{"LF alone", strings.ReplaceAll(p.text("OPTIONS"), "\r\n", "\n"), "200"},
		{"folded line", p.text("OPTIONS", "Subject: long\r\n  and longer"), "200"},
		{"upper case", strings.NewReplacer("From:", "FROM:", "branch=", "Branch=", "tag=", "TAG=").Replace(p.text("OPTIONS")), "200"},
		{"compact", strings.NewReplacer("From:", "f:", "To:", "t:", "Call-ID:", "i:", "Via:", "v:").Replace(p.text("OPTIONS")), "200"},
		{"RFC 2543", strings.NewReplacer(";tag=a", "", "branch=z9hG4bK", "branch=").Replace(p.text("OPTIONS")), "200"},
		{"tel", strings.Replace(p.text("OPTIONS"), "sip:201@127.0.0.1 SIP", "tel:+49-30-1 SIP", 1), "200"},
		{"quoted Contact", p.text("INVITE", `Contact: "Last, \"First\"" <sip:202@127.0.0.1>`), "200"},
	} {
		p.say(c.text)
		wait := 5 * time.Second
		if c.code == "" {
			wait = 100 * time.Millisecond
		}
		got := p.hear(wait)
		if c.code == "" && got != "" || c.code != "" && !strings.HasPrefix(got, "SIP/2.0 "+c.code+" ") {
			t.Errorf("%s: answered %.60q, want %q", c.name, got, c.code)
		}
	}
}

func TestCancelNeverOvertakesItsInvite(t *testing.T) { // sipgo v1.7.2 does otherwise
	var mu sync.Mutex
	seen := map[string]bool{}
	cancelled := make(chan bool, 200)
	_, at, _ := start(t, desk{
		request: func(r *Request) {
			mu.Lock()
			defer mu.Unlock()
			seen[r.CallID] = r.Keep()
			_ = r.Reply(Response{Code: 100})
		},
		cancelled: func(r *Request) {
			_ = r.Reply(Response{Code: 487})
			mu.Lock()
			defer mu.Unlock()
			cancelled <- seen[r.CallID]
		},
	})
	p := dial(t, at)
	for range 50 {
		invite := p.text("INVITE")
		p.say(invite)
		p.say(strings.ReplaceAll(strings.Replace(invite, "INVITE sip", "CANCEL sip", 1), "1 INVITE", "1 CANCEL"))
		select {
		case ok := <-cancelled:
			if !ok {
				t.Fatal("a CANCEL came before its INVITE")
			}
		case <-time.After(5 * time.Second):
			t.Fatal("a CANCEL was lost")
		}
	}
}

func TestLongMessagesPass(t *testing.T) { // sipgo v1.7.2 does otherwise
	body := bytes.Repeat([]byte("x"), 6000)
	_, at, _ := start(t, desk{request: func(r *Request) {
		_ = r.Reply(Response{Code: 200, Type: "text/plain", Body: r.Body})
	}})
	p := dial(t, at)
	p.say(p.text("OPTIONS", "Content-Length: 6000") + string(body))
	if got := p.hear(5 * time.Second); !strings.HasSuffix(got, string(body)) {
		t.Errorf("%d octets came back", len(got))
	}
}

func TestAnswerMayComeLate(t *testing.T) { // sipgo v1.7.2 does otherwise
	var w *Wire
	ready := make(chan struct{})
	w, at, _ := start(t, desk{request: func(r *Request) {
		<-ready
		r.Keep()
		w.After(100*time.Millisecond, r.CallID, func() { _ = r.Reply(Response{Code: 200}) })
	}})
	close(ready)
	p := dial(t, at)
	text := p.text("BYE")
	p.say(text)
	p.say(text)
	if got := p.hear(5 * time.Second); !strings.HasPrefix(got, "SIP/2.0 200") {
		t.Errorf("answered %.40q", got)
	}
	p.say(text)
	if got := p.hear(5 * time.Second); !strings.HasPrefix(got, "SIP/2.0 200") {
		t.Errorf("repeated: %.40q", got)
	}
}

func TestPanicCostsOneMessage(t *testing.T) { // sipgo v1.7.2 does otherwise
	broken := make(chan string, 10)
	_, at, _ := start(t, desk{
		request: func(r *Request) {
			if r.Method == "INFO" {
				panic("bug")
			}
			ok(r)
		},
		broken: func(id string) { broken <- id; panic("and once more") },
	})
	p := dial(t, at)
	p.say(p.text("INFO", "Call-ID: bad"))
	if got := p.hear(5 * time.Second); !strings.HasPrefix(got, "SIP/2.0 500") {
		t.Errorf("answered %.40q", got)
	}
	if id := <-broken; id != "bad" {
		t.Errorf("broken %q", id)
	}
	p.say(p.text("OPTIONS"))
	if got := p.hear(5 * time.Second); !strings.HasPrefix(got, "SIP/2.0 200") {
		t.Errorf("answered %.40q", got)
	}
}

func TestRubbishIsDroppedAndNotLogged(t *testing.T) {
	w, at, log := start(t, desk{request: ok})
	p := dial(t, at)
	for _, s := range []string{"\r\n\r\n", "\x00\x00", "hello", "GET / HTTP/1.1\r\n\r\n", "SIP/2.0", "SIP/2.0 abc\r\n\r\n",
		"OPTIONS  sip:x SIP/2.0\r\n\r\n", strings.Repeat("A", 20000), "INVITE sip:x SIP/2.0\r\n" + strings.Repeat("X: y\r\n", 2000) + "\r\n"} {
		p.say(s)
	}
	p.say(p.text("OPTIONS"))
	for got := p.hear(5 * time.Second); !strings.HasPrefix(got, "SIP/2.0 200"); got = p.hear(5 * time.Second) {
		if got == "" {
			t.Fatal("deaf after rubbish")
		}
	}
	if log.Len() > 0 || w.dropped.Load() == 0 {
		t.Errorf("logged %q, counted %d", log.String(), w.dropped.Load())
	}
}

func TestResponseGoesWhereViaAndRportSay(t *testing.T) {
	_, at, _ := start(t, desk{request: ok})
	p, q := dial(t, at), dial(t, at)
	text := strings.Replace(p.text("OPTIONS"), "UDP "+p.LocalAddr().String(), "UDP 10.0.0.9:"+fmt.Sprint(q.LocalAddr().(*net.UDPAddr).Port), 1)
	p.say(text)
	if got := p.hear(5 * time.Second); !strings.Contains(got, fmt.Sprintf(";rport=%d;received=127.0.0.1", p.LocalAddr().(*net.UDPAddr).Port)) {
		t.Errorf("with rport: %q", got)
	}
	p.say(strings.Replace(text, ";rport", "", 1))
	if got := q.hear(5 * time.Second); !strings.Contains(got, ";received=127.0.0.1") {
		t.Errorf("without rport: %q", got)
	}
}

func TestOneAddressTwiceIsAnError(t *testing.T) {
	_, at, _ := start(t, desk{request: ok})
	w := New(slog.New(slog.DiscardHandler))
	if err := w.Open([]netip.AddrPort{at}, true); err == nil || !strings.Contains(err.Error(), at.String()) {
		t.Errorf("error %v", err)
	}
}

func TestUnspecifiedAddressStandsForEachRealOne(t *testing.T) { // sipgo v1.7.2 does otherwise
	w := New(slog.New(slog.DiscardHandler))
	if err := w.Open([]netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:0")}, true); err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, a := range w.Listening() {
		if a.Addr().IsUnspecified() {
			t.Errorf("listening on %v", a)
		}
	}
	if len(w.Listening()) == 0 {
		t.Error("listening nowhere")
	}
}
