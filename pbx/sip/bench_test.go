package sip

import (
	"context"
	"io"
	"log/slog"
	"net"
	"testing"

	"github.com/icholy/digest"

	"branchline/hal"
)

// BenchmarkRegister renews a sign-in over a real socket: one REGISTER with credentials, one 200.
// The allocations of the phone's side (its digest and text, about 40) are in the figure.
func BenchmarkRegister(b *testing.B) {
	phones := NewPhones(Options{Name: "phones", Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	commit, err := phones.Prepare(settings())
	if err != nil {
		b.Fatal(err)
	}
	commit()
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error)
	go func() {
		ended <- phones.Run(ctx, func(s hal.Signal) {
			if _, ok := s.(hal.InService); ok {
				close(ready)
			}
		})
	}()
	<-ready
	defer func() { cancel(); <-ended }()
	at := phones.Listening()[0]
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(at))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	p := &raw{conn: conn, server: at, user: "201", id: "b"}
	buf := make([]byte, 4096)
	ask := func(extra string) msg {
		text := p.registerText("c", p.myContact(), extra)
		if _, err := conn.Write(withCRLF(text)); err != nil {
			b.Fatal(err)
		}
		n, err := conn.Read(buf)
		if err != nil {
			b.Fatal(err)
		}
		return parse(string(buf[:n]))
	}
	c, err := digest.ParseChallenge(ask("").get("WWW-Authenticate"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		cred, err := digest.Digest(c, digest.Options{Method: "REGISTER", URI: "sip:" + at.String(), Username: "201", Password: "secret201", Count: n})
		if err != nil {
			b.Fatal(err)
		}
		if m := ask("Authorization: " + cred.String()); m.code() != 200 {
			b.Fatal(m.start)
		}
	}
}

func withCRLF(text string) []byte {
	out := make([]byte, 0, len(text)+64)
	for _, c := range []byte(text) {
		if c == '\n' {
			out = append(out, '\r')
		}
		out = append(out, c)
	}
	return append(out, "\r\nContent-Length: 0\r\n\r\n"...)
}
