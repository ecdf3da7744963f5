package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"branchline/pbx/sip/stream"
)

func TestAddressOfIPv6IsLeftOutWhereTheKernelSpeaksNone(t *testing.T) {
	var said strings.Builder
	w := New(slog.New(slog.NewTextHandler(&said, nil)))
	six, four := netip.MustParseAddrPort("[fd00::1]:5060"), netip.MustParseAddrPort("192.0.2.1:5060")
	none := &net.OpError{Op: "listen", Err: os.NewSyscallError("socket", syscall.EAFNOSUPPORT)}
	taken := &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}
	if err := w.tolerate(six, none); err != nil || !strings.Contains(said.String(), "speaks no IPv6") {
		t.Errorf("%v, said %q", err, said.String())
	}
	if w.tolerate(six, taken) == nil || w.tolerate(four, none) == nil || w.tolerate(four, nil) != nil {
		t.Error("what a person must mend is passed over")
	}
}

func TestBoxWithNoAddressThatCanBeHadSaysSo(t *testing.T) {
	w := New(slog.New(slog.DiscardHandler))
	if err := w.Open(nil, true); err == nil || !strings.Contains(err.Error(), "name an IPv4 address") {
		t.Errorf("%v", err)
	}
}

func TestStumblesAreToldOnceAMinuteAndSummedUp(t *testing.T) {
	var said strings.Builder
	log := slog.New(slog.NewTextHandler(&said, nil))
	var s stumbles
	for range 1000 {
		s.note(log, netip.MustParseAddr("192.0.2.1"), stream.PlainToTLS, nil)
	}
	s.report(log)
	s.report(log)
	if n := strings.Count(said.String(), "\n"); n != 2 || !strings.Contains(said.String(), "count=999") {
		t.Errorf("%d lines: %s", n, said.String())
	}
}

func TestDialByTLSTellsInWordsWhyNot(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
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
			_, _ = c.Write([]byte("SIP/2.0 400 Bad Request\r\n\r\n"))
			c.Close()
		}
	}()
	w := one(t, desk{})
	told := make(chan error, 1)
	_ = w.Post(func() {
		w.DialTLS(netip.Addr{}, l.Addr().(*net.TCPAddr).AddrPort(), &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "sip.test"}, time.Hour,
			func(_ Flow, err error) { told <- err })
	})
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	select {
	case err := <-told:
		if err == nil || !errors.Is(err, stream.ErrPlain) {
			t.Errorf("%v", err)
		}
	case <-ctx.Done():
		t.Error("told nothing")
	}
}
