package wire

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"branchline/pbx/sip/header"
)

// one runs a wire for one peer.
func one(t *testing.T, d Handler) *Wire {
	t.Helper()
	w := New(slog.New(slog.DiscardHandler))
	if err := w.OpenOne(netip.MustParseAddrPort("127.0.0.1:0")); err != nil {
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
	return w
}

func TestConnectionThatWeOpenCarriesRequestsAndPings(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	lost, asked := make(chan Flow, 1), make(chan *Request, 1)
	w := one(t, desk{request: func(r *Request) { asked <- r; _ = r.Reply(Response{Code: 200}) }, lost: func(f Flow) { lost <- f }})
	flows := make(chan Flow, 1)
	to := l.Addr().(*net.TCPAddr).AddrPort()
	_ = w.Post(func() {
		w.Dial(netip.Addr{}, to, time.Hour, func(f Flow, err error) {
			if err != nil {
				t.Error(err)
			}
			flows <- f
		})
	})
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(3 * time.Second))
	f := <-flows
	_ = w.Post(func() { _ = w.Ping(f) })
	in := bufio.NewReader(c)
	ping := make([]byte, 4)
	if _, err := io.ReadFull(in, ping); err != nil || string(ping) != "\r\n\r\n" {
		t.Fatalf("heard %q, %v", ping, err)
	}
	text := peer{t: t, UDPConn: dial(t, w.Listening()[0]).UDPConn}.text("OPTIONS", "Content-Length: 0")
	if _, err := io.WriteString(c, "\r\n\r\n"+strings.Replace(text, "/UDP ", "/TCP ", 1)); err != nil { // two pongs are no ping
		t.Fatal(err)
	}
	if r := <-asked; r.Flow != f {
		t.Errorf("came on %+v, want %+v", r.Flow, f)
	}
	if line, err := in.ReadString('\n'); err != nil || !strings.HasPrefix(line, "SIP/2.0 200") {
		t.Errorf("heard %q, %v", line, err)
	}
	_ = w.Post(func() { w.Hangup(f) })
	if got := <-lost; got != f {
		t.Errorf("lost %+v, want %+v", got, f)
	}
}

func TestDialThatIsRefusedSaysSo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	to := l.Addr().(*net.TCPAddr).AddrPort()
	l.Close()
	w := one(t, desk{})
	told := make(chan error, 1)
	_ = w.Post(func() { w.Dial(netip.Addr{}, to, time.Hour, func(_ Flow, err error) { told <- err }) })
	if err := <-told; err == nil {
		t.Error("a closed port was reached")
	}
}

func TestSignallingIsMarkedCS3(t *testing.T) {
	w := one(t, desk{})
	raw, err := w.listeners[0].conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.Control(func(fd uintptr) {
		tos, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_TOS)
		if err != nil || tos>>2 != 24 {
			t.Errorf("type of service %#x, %v; want DSCP 24", tos, err)
		}
	})
}

func TestAdvertisedAddressStandsInViaOfRequestAckAndCancel(t *testing.T) {
	w := one(t, desk{})
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	flow := Flow{Network: "udp", Local: w.Listening()[0], Remote: conn.LocalAddr().(*net.UDPAddr).AddrPort()}
	_ = w.Post(func() {
		w.Advertise("203.0.113.7:1024")
		r := sampleInvite(t, flow)
		_ = w.Send(r, func(res *Response) {
			if res.Code == 180 && !strings.Contains(res.Via, "203.0.113.7:1024") {
				t.Errorf("Via came back as %q", res.Via)
			}
		})
		w.Advertise("198.51.100.1:1")
		r.Cancel("")
	})
	b := make([]byte, 4096)
	for _, want := range []string{"INVITE", "CANCEL", "ACK"} {
		_ = conn.SetReadDeadline(time.Now().Add(2 * time.Second))
		n, from, err := conn.ReadFromUDPAddrPort(b)
		text := string(b[:n])
		if err != nil || !strings.HasPrefix(text, want) || !strings.Contains(text, "Via: SIP/2.0/UDP 203.0.113.7:1024;") {
			t.Fatalf("want %s by 203.0.113.7, heard %q, %v", want, text, err)
		}
		code := map[string]string{"INVITE": "180 Ringing", "CANCEL": "487 Gone"}[want]
		head, _, _ := strings.Cut(text, "Max-Forwards")
		_, via, _ := strings.Cut(head, "\r\n")
		_, rest, _ := strings.Cut(text, "From:")
		rest = strings.Replace("From:"+rest, "CSeq: 1 CANCEL", "CSeq: 1 INVITE", 1)
		if i := strings.Index(rest, "Content-Length"); i >= 0 && code != "" {
			_, _ = conn.WriteToUDPAddrPort([]byte("SIP/2.0 "+code+"\r\n"+via+rest[:i]+"Content-Length: 0\r\n\r\n"), from)
		}
	}
}

func sampleInvite(t *testing.T, flow Flow) *Request {
	t.Helper()
	us, err1 := header.ParseAddress("<sip:us@example.org>;tag=us")
	them, err2 := header.ParseAddress("<sip:them@example.org>")
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	return &Request{Method: "INVITE", URI: them.URI, Flow: flow, From: us, To: them, CallID: "c", CSeq: 1, Contact: []header.Address{flow.Contact()}}
}

// watcher is a desk that hears of altered messages.
type watcher struct {
	desk
	altered chan Flow
}

func (w watcher) Altered(f Flow) { w.altered <- f }

func TestMessageThatLostItsTailIsToldOf(t *testing.T) {
	d := watcher{desk{}, make(chan Flow, 1)}
	w := one(t, d)
	p := dial(t, w.Listening()[0])
	p.say(p.text("OPTIONS", "Content-Length: 10"))
	select {
	case <-d.altered:
	case <-time.After(2 * time.Second):
		t.Error("nobody heard of it")
	}
}
