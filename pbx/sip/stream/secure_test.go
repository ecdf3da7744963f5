package stream

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// pair is a certificate of 127.0.0.1, and who trusts it.
func pair(t *testing.T, until time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: until.Add(-time.Hour * 48), NotAfter: until, IsCA: true,
		BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"box.test"}}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: cert}, pool
}

type stumble struct {
	how Stumble
	err error
}

// porch is a hall that hears of stumbles.
type porch struct {
	*hall
	fell chan stumble
}

func (p porch) Stumbled(_ *Conn, how Stumble, err error) { p.fell <- stumble{how, err} }

// openTLS is a hall with TLS; roots trust it.
func openTLS(t *testing.T, b Bounds) (p porch, roots *x509.CertPool, plain string) {
	t.Helper()
	cert, roots := pair(t, time.Now().Add(time.Hour))
	h := &hall{T: t, closed: make(chan *Conn, 5000), came: map[netip.AddrPort]*Conn{}}
	p = porch{h, make(chan stumble, 100)}
	h.s = New(p, b)
	if err := h.s.ListenTLS(netip.MustParseAddrPort("127.0.0.1:0"), &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}); err != nil {
		t.Fatal(err)
	}
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
	return p, roots, h.s.listeners[1].Addr().String()
}

func (p porch) dialTLS(c *tls.Config) peer {
	p.Helper()
	conn, err := tls.Dial("tcp", p.at, c)
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { conn.Close() })
	return peer{conn, p.T, bufio.NewReader(conn)}
}

func (p porch) stumbles(want Stumble) {
	p.Helper()
	select {
	case got := <-p.fell:
		if got.how != want {
			p.Errorf("told %v (%v), want %v", got.how, got.err, want)
		}
	case <-time.After(3 * time.Second):
		p.Errorf("told nothing, want %v", want)
	}
}

func TestMessagesTravelByTLSInAnyPieces(t *testing.T) {
	p, roots, _ := openTLS(t, Bounds{})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		c := p.dialTLS(&tls.Config{RootCAs: roots, MaxVersion: version})
		m := text("a", "body") + text("b", "")
		for i := range len(m) {
			c.say(m[i : i+1])
		}
		if a, b := c.hears(), c.hears(); a != "got X a SIP/2.0" || b != "got X b SIP/2.0" {
			t.Errorf("heard %q, %q", a, b)
		}
		c.say("\r\n\r\n")
		b := make([]byte, 2)
		if _, err := io.ReadFull(c.in, b); err != nil || string(b) != "\r\n" {
			t.Errorf("pong %q, %v", b, err)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.came {
		if !c.Secure {
			t.Error("a connection by TLS is not called secure")
		}
	}
}

func TestWrongWayOfSpeakingIsHungUpOnAndTold(t *testing.T) {
	p, roots, plain := openTLS(t, Bounds{})
	c := p.dial().say(text("a", "")) // plain, to the port of TLS
	if !c.ends(3 * time.Second) {
		t.Error("plain to TLS: still open")
	}
	p.stumbles(PlainToTLS)
	conn, err := tls.Dial("tcp", plain, &tls.Config{RootCAs: roots})
	if err == nil {
		conn.Close()
		t.Error("TLS came about on the port of TCP")
	}
	p.stumbles(TLSToPlain)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} { // a phone that does not know our authority
		if conn, err := tls.Dial("tcp", p.at, &tls.Config{MaxVersion: version}); err == nil {
			conn.Close()
			t.Error("a stranger's certificate was taken")
		}
		p.stumbles(NoShake)
	}
	if _, err := tls.Dial("tcp", p.at, &tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 was spoken")
	}
	p.stumbles(NoShake)
	if got := p.all(); len(got) > 0 {
		t.Errorf("told %q", got)
	}
}

func TestSlowHandShakeIsHungUpOn(t *testing.T) {
	p, _, _ := openTLS(t, Bounds{Shake: 100 * time.Millisecond})
	silent, begun := p.dial(), p.dial().say("\x16\x03\x01")
	for _, c := range []peer{silent, begun} {
		if !c.ends(3 * time.Second) {
			t.Error("still open")
		}
		p.stumbles(NoShake)
	}
}

func TestStopDoesNotWaitForHandShakes(t *testing.T) {
	p, _, _ := openTLS(t, Bounds{Shake: time.Hour})
	for range 5 {
		p.dial().say("\x16")
	}
	for {
		p.s.mu.Lock()
		n := len(p.s.conns)
		p.s.mu.Unlock()
		if n == 5 {
			break
		}
		<-time.After(time.Millisecond)
	}
	began := time.Now()
	p.s.Close()
	for range 5 {
		<-p.closed
	}
	if d := time.Since(began); d > 2*time.Second {
		t.Errorf("it took %v", d)
	}
}

func TestHandShakesOfOneSourceAreBounded(t *testing.T) {
	p, roots, _ := openTLS(t, Bounds{Strangers: 4, Shake: time.Hour, Proof: time.Hour})
	var idle []peer
	for range 12 {
		idle = append(idle, p.dial())
	}
	for _, c := range idle[:8] { // the oldest make room
		if !c.ends(3 * time.Second) {
			t.Error("still open")
		}
	}
	if got := p.dialTLS(&tls.Config{RootCAs: roots}).say(text("a", "")).hears(); got != "got X a SIP/2.0" {
		t.Errorf("heard %q", got)
	}
}

func TestDialByTLSChecksWhoAnswers(t *testing.T) {
	p, roots, plain := openTLS(t, Bounds{})
	old, oldRoots := pair(t, time.Now().Add(-time.Hour))
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{old}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.(*tls.Conn).Handshake()
			c.Close()
		}
	}()
	for _, c := range []struct {
		at    string
		roots *x509.CertPool
		name  string
		want  string
	}{
		{p.at, roots, "box.test", ""},
		{p.at, roots, "127.0.0.1", ""},
		{p.at, roots, "other.test", "is the server's name right"},
		{p.at, x509.NewCertPool(), "box.test", "signed by nobody we trust"},
		{l.Addr().String(), oldRoots, "box.test", "out of its time"},
		{plain, roots, "box.test", ""},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		conn, err := p.s.DialTLS(ctx, netip.Addr{}, netip.MustParseAddrPort(c.at), &tls.Config{RootCAs: c.roots, ServerName: c.name}, time.Hour)
		cancel()
		switch {
		case c.at == plain:
			if err == nil {
				t.Error("TLS with a port of TCP")
			}
		case c.want == "" && (err != nil || !conn.Secure):
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		var several interface{ Unwrap() []error }
		if err != nil && errors.Unwrap(err) == nil && !errors.As(err, &several) {
			t.Errorf("%s: %v wraps nothing", c.name, err)
		}
		if conn != nil {
			conn.close()
		}
	}
}
