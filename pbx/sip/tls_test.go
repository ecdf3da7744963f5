package sip

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"branchline/hal"
)

// identity is who a box under test is by TLS, and who trusts it.
func identity(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 78, 1, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
}

// newTLS is a raw phone that speaks TLS.
func newTLS(t *testing.T, server netip.AddrPort, roots *x509.CertPool, user string) *raw {
	t.Helper()
	conn, err := tls.Dial("tcp", server.String(), &tls.Config{RootCAs: roots})
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

// openTLS is a house with TLS at the second address.
func openTLS(t *testing.T, port uint16) (*house, netip.AddrPort, *x509.CertPool) {
	t.Helper()
	id, roots := identity(t)
	s := settings()
	at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 78, 1, 1}), port)
	s.Listen = []netip.AddrPort{netip.AddrPortFrom(at.Addr(), port+1)}
	s.TLS = []netip.AddrPort{at}
	return open(t, s, Options{TLS: id}), at, roots
}

func TestPhoneByTLSIsCalledByTLSOnItsOwnConnection(t *testing.T) {
	h, at, roots := openTLS(t, 5161)
	p, other := newTLS(t, at, roots, "201"), newTLS(t, at, roots, "202")
	p.signIn()
	other.signIn()
	h.do(hal.Dial{Leg: "o1", To: "201", Show: "0935"})
	m := p.request("INVITE")
	if !strings.HasPrefix(m.get("Via"), "SIP/2.0/TLS "+at.String()) || m.get("Contact") != "<sip:"+at.String()+";transport=tls>" {
		t.Errorf("Via %q, Contact %q", m.get("Via"), m.get("Contact"))
	}
	p.reply(m, 200, "x", "", p.sdp("sendrecv"))
	p.request("ACK")
	until[hal.Answered](h, "o1")
	h.do(hal.Hangup{Leg: "o1"})
	p.reply(p.request("BYE"), 200, "", "", "")
	other.none(func(m msg) bool { return m.code() == 0 })
	_ = p.tcp.Close()
	h.reach("201", 0)
}

func TestWhoAsksForSipsByNoTLSIsRefused(t *testing.T) {
	h, _, _ := openTLS(t, 5171)
	p := newTCP(t, h.at, "201")
	p.send(strings.ReplaceAll("OPTIONS sips:"+h.at.String()+" SIP/2.0\n"+p.via()+"\nFrom: <sip:201@x>;tag=1\nTo: <sip:x>\n"+
		"Call-ID: sips\nCSeq: 1 OPTIONS\nMax-Forwards: 70\n\n", "\r", ""))
	if m := p.next("an answer", func(m msg) bool { return m.code() > 0 }); m.code() != 403 || !strings.Contains(m.start, "sips is for TLS") {
		t.Errorf("%q", m.start)
	}
}
