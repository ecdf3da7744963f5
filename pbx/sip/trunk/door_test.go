package trunk

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"branchline/board/sim/provider"
	"branchline/hal"
	"branchline/pbx/sip/guard"
)

func TestStrangerAtTheTrunksPortIsKeptAwayAndTold(t *testing.T) {
	t.Parallel()
	p := serve(t, provider.Options{})
	r := ready(t, p, settings(p), nil)
	at := r.line.Listening()[0]
	from, err := net.DialUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 83, 7, 7)}, net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), at.Port())))
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	say := func() {
		_, _ = from.Write([]byte("OPTIONS sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP 127.83.7.7;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\n" +
			"Call-ID: s\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"))
	}
	for range 40 {
		say()
	}
	told := until[hal.Guarded](r, "")
	if told.Name != "acme" || told.Source != "127.83.7.7" || told.For == 0 || told.Counts["outside"] < 30 {
		t.Errorf("told %+v", told)
	}
	if list := r.line.Guarded(10); len(list) != 1 || list[0].Until.IsZero() {
		t.Errorf("listed %+v", list)
	}
	if !r.line.Forgive(netip.MustParseAddr("127.83.7.7")) || len(r.line.Guarded(10)) != 0 {
		t.Error("not taken back in")
	}
	r.line.Guard(guard.Settings{NoBans: true})
	for range 40 {
		say()
	}
	_ = from.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, err := from.Read(make([]byte, 100)); err == nil {
		t.Errorf("answered by %d octets", n)
	}
	if list := r.line.Guarded(10); len(list) != 1 || !list[0].Until.IsZero() {
		t.Errorf("with bans off: %+v", list)
	}
}
