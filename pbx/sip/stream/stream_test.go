package stream

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// hall is a server under test: it answers each message with an echo of its first line.
type hall struct {
	*testing.T
	s  *Server
	at string

	mu     sync.Mutex
	got    []string // "fault|data"
	came   map[netip.AddrPort]*Conn
	closed chan *Conn
	hold   bool // do not answer
}

func (h *hall) Message(c *Conn, data []byte, fault string) {
	h.mu.Lock()
	h.got = append(h.got, fault+"|"+string(data))
	h.came[c.Remote] = c
	hold := h.hold
	h.mu.Unlock()
	if strings.Contains(string(data), "welcome") {
		c.Welcome(time.Hour)
	}
	if !hold {
		line, _, _ := strings.Cut(string(data), "\r\n")
		_ = c.Send([]byte("got " + line + "\r\n"))
	}
}

func (h *hall) Admit(netip.AddrPort) bool { return true }

func (h *hall) Closed(c *Conn) { h.closed <- c }

func (h *hall) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.got...)
}

func open(t *testing.T, b Bounds) *hall {
	t.Helper()
	h := &hall{T: t, closed: make(chan *Conn, 5000), came: map[netip.AddrPort]*Conn{}}
	h.s = New(h, b)
	if err := h.s.Listen(netip.MustParseAddrPort("127.0.0.1:0")); err != nil {
		t.Fatal(err)
	}
	h.at = h.s.listeners[0].Addr().String()
	done := make(chan error)
	go func() { done <- h.s.Run() }()
	t.Cleanup(func() {
		h.s.Close()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(3 * time.Second):
			t.Error("the server does not end")
		}
	})
	return h
}

type peer struct {
	net.Conn
	t  *testing.T
	in *bufio.Reader
}

func (h *hall) dial() peer {
	h.Helper()
	c, err := net.Dial("tcp", h.at)
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { c.Close() })
	return peer{c, h.T, bufio.NewReader(c)}
}

func (p peer) say(s string) peer {
	p.t.Helper()
	if _, err := p.Write([]byte(s)); err != nil {
		p.t.Fatal(err)
	}
	return p
}

// hears waits for a line; "" when the connection ends or nothing comes.
func (p peer) hears() string {
	_ = p.SetReadDeadline(time.Now().Add(3 * time.Second))
	line, _ := p.in.ReadString('\n')
	return strings.TrimSpace(line)
}

// ends says whether the connection ends within a while, and soon enough.
func (p peer) ends(within time.Duration) bool {
	_ = p.SetReadDeadline(time.Now().Add(within))
	_, err := io.Copy(io.Discard, p.in)
	e, ok := err.(net.Error)
	return !ok || !e.Timeout()
}

func text(name string, body string, more ...string) string {
	return "X " + name + " SIP/2.0\r\n" + strings.Join(append(more, ""), "\r\n") + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
}

func TestMessagesArriveWholeHoweverTheyAreCut(t *testing.T) {
	h := open(t, Bounds{})
	stream := text("a", "") + text("b", "body\r\n\r\nX no SIP/2.0\r\n") + "\r\n" + strings.Replace(text("c", "y"), "Content-Length", "l", 1)
	whole, p := h.dial().say(stream), h.dial() // pipelined, and one by one
	for i := range len(stream) {
		p.say(stream[i : i+1])
	}
	for _, want := range []string{"got X a SIP/2.0", "got X b SIP/2.0", "got X c SIP/2.0"} {
		for _, p := range []peer{whole, p} {
			if got := p.hears(); got != want {
				t.Errorf("heard %q, want %q", got, want)
			}
		}
	}
	n := 0
	for _, m := range h.all() {
		if m == "|"+text("b", "body\r\n\r\nX no SIP/2.0\r\n") {
			n++
		}
	}
	if n != 2 || len(h.all()) != 6 {
		t.Errorf("got %q", h.all())
	}
}

func TestFaultIsAnsweredAndEndsTheConnection(t *testing.T) {
	h := open(t, Bounds{})
	for _, c := range []struct{ text, want string }{
		{"X a SIP/2.0\r\nA: b\r\n\r\n", "missing"},
		{"X a SIP/2.0\r\nContent-Length: 1\r\nl: 2\r\n\r\n", "twice"},
		{"X a SIP/2.0\r\nContent-Length: -1\r\n\r\n", "Content-Length"},
		{"X a SIP/2.0\r\nContent-Length: 4294967297\r\n\r\n", "Content-Length"},
		{"X a SIP/2.0\r\nContent-Length: 20000\r\n\r\n", "too long"},
	} {
		p := h.dial().say(c.text + strings.Repeat("x", 5000)) // unread octets must not take the answer back
		if got := p.hears(); got != "got X a SIP/2.0" {
			t.Errorf("%q: answered %q", c.text, got)
		}
		if !p.ends(3 * time.Second) {
			t.Errorf("%q: still open", c.text)
		}
		got := h.all()
		if last := got[len(got)-1]; !strings.Contains(last[:strings.Index(last, "|")], c.want) {
			t.Errorf("%q: told %q", c.text, last)
		}
	}
}

func TestGarbageIsHungUpOnUnheard(t *testing.T) {
	h := open(t, Bounds{})
	for _, s := range []string{"GET / HTTP/1.1\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\n", strings.Repeat("A", 6000),
		"X a SIP/2.0\r\n" + strings.Repeat("A: b\r\n", 4000), "X a SIP/2.0\r\nA: " + strings.Repeat("b", 6000)} {
		p := h.dial()
		_, _ = p.Write([]byte(s)) // it may be hung up on before the end
		if !p.ends(3 * time.Second) {
			t.Errorf("%.20q: still open", s)
		}
	}
	if got := h.all(); len(got) > 0 {
		t.Errorf("told %.50q", got)
	}
}

func TestKeepAliveIsAnswered(t *testing.T) { // RFC 5626 4.4.1
	h := open(t, Bounds{})
	p := h.dial()
	for range 3 {
		p.say("\r\n\r\n")
		b := make([]byte, 2)
		_ = p.SetReadDeadline(time.Now().Add(3 * time.Second))
		if _, err := io.ReadFull(p.in, b); err != nil || string(b) != "\r\n" {
			t.Fatalf("pong %q, %v", b, err)
		}
	}
	p.say("\r\n" + text("a", ""))
	if got := p.hears(); got != "got X a SIP/2.0" {
		t.Errorf("heard %q", got)
	}
}

func TestSlowSendersAndStrangersAreHungUpOn(t *testing.T) {
	h := open(t, Bounds{Proof: 300 * time.Millisecond, Message: 150 * time.Millisecond})
	phone := h.dial().say(text("welcome", ""))
	phone.hears()
	slow := h.dial().say("X a SIP/2.0\r\nA: ")
	slowPhone := h.dial().say(text("welcome", ""))
	slowPhone.hears()
	slowPhone.say("X a SI")
	idle := h.dial()
	pinging := h.dial().say("\r\n\r\n")
	chatting := h.dial().say(text("a", ""))
	for name, p := range map[string]peer{"slow": slow, "slow phone": slowPhone, "idle": idle, "pinging": pinging, "chatting": chatting} {
		if !p.ends(3 * time.Second) {
			t.Errorf("%s: still open", name)
		}
	}
	if got := phone.say(text("b", "")).hears(); got != "got X b SIP/2.0" {
		t.Errorf("the phone hears %q", got)
	}
}

func TestStrangersMakeRoomAndPhonesDoNot(t *testing.T) {
	h := open(t, Bounds{Strangers: 8, Source: 12})
	phone := h.dial().say(text("welcome", ""))
	phone.hears()
	var idle []peer
	for range 200 {
		idle = append(idle, h.dial())
	}
	for _, p := range idle[:192] {
		if !p.ends(3 * time.Second) {
			t.Fatal("a stranger of long ago is still there")
		}
	}
	second := h.dial().say(text("welcome", "")) // a phone that comes in the crowd
	for _, p := range []peer{second, phone.say(text("b", ""))} {
		if got := p.hears(); !strings.HasPrefix(got, "got X") {
			t.Errorf("a phone hears %q", got)
		}
	}
	for range 20 { // from now on phones alone
		if p := h.dial().say(text("welcome", "")); p.hears() == "" {
			break
		}
	}
	h.s.mu.Lock()
	n := len(h.s.conns)
	h.s.mu.Unlock()
	if n > 12 {
		t.Errorf("%d connections, want 12 at most", n)
	}
	if got := phone.say(text("c", "")).hears(); got != "got X c SIP/2.0" {
		t.Errorf("the first phone hears %q", got)
	}
}

func TestPeerThatDoesNotReadHoldsUpNobody(t *testing.T) {
	h := open(t, Bounds{Write: 200 * time.Millisecond})
	h.hold = true
	p := h.dial().say(text("welcome", ""))
	var c *Conn
	for c == nil {
		h.mu.Lock()
		c = h.came[address(p.LocalAddr())]
		h.mu.Unlock()
		<-time.After(time.Millisecond)
	}
	began := time.Now()
	var err error
	for i := 0; err == nil && i < 100000; i++ {
		err = c.Send(bytes.Repeat([]byte("x"), 10000))
	}
	if err == nil || time.Since(began) > 2*time.Second {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
	select {
	case got := <-h.closed:
		if got != c {
			t.Error("told of another")
		}
	case <-time.After(3 * time.Second):
		t.Error("its end was not told")
	}
	if h.s.Conn(c.Number) != nil || c.Send([]byte("x")) == nil {
		t.Error("it is still there")
	}
}

func TestWhatWasSentBeforeTheEndArrives(t *testing.T) {
	h := open(t, Bounds{})
	p := h.dial().say(text("welcome", ""))
	p.hears()
	h.mu.Lock()
	c := h.came[address(p.LocalAddr())]
	h.mu.Unlock()
	for i := range 20 {
		if err := c.Send(fmt.Appendf(nil, "BYE %d\r\n", i)); err != nil {
			t.Fatal(err)
		}
	}
	h.s.Close()
	for i := range 20 {
		if got := p.hears(); got != fmt.Sprint("BYE ", i) {
			t.Fatalf("heard %q, want BYE %d", got, i)
		}
	}
}

func FuzzNext(f *testing.F) {
	for _, s := range []string{text("a", "body"), "X SIP/2.0\nl: 1\n\nx", "X SIP/2.0\r\nContent-Length : 3\r\n\r\nabc", "SIP/2.0 200 OK\r\n\r\n",
		"X SIP/2.0\r\nContent-Length: 99999\r\n\r\n", "X SIP/2.0\r\nl: 1\r\nl: 1\r\n\r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in := bufio.NewReaderSize(bytes.NewReader(data), 4<<10)
		total := 0
		for {
			m, fault, err := next(in)
			if err != nil {
				return
			}
			total += len(m)
			if len(m) > maxHead+maxBody || len(m) == 0 || total > len(data) {
				t.Fatalf("%d octets of %d", len(m), len(data))
			}
			if fault != "" {
				return
			}
		}
	})
}
