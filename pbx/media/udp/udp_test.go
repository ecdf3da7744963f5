package udp

import (
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestDatagramsGoAndComeWithoutAllocating(t *testing.T) {
	from, to := netip.MustParseAddrPort("127.0.0.1:28420"), netip.MustParseAddrPort("127.0.0.1:28430")
	a, aux, err := BindPair(from.Addr(), from.Port())
	if err != nil {
		t.Fatal(err)
	}
	b, bux, err := BindPair(to.Addr(), to.Port())
	if err != nil {
		t.Fatal(err)
	}
	defer Close(a, aux, b, bux)
	if _, _, err := BindPair(to.Addr(), to.Port()); err == nil {
		t.Error("a port was taken twice")
	}
	var dest Addr
	dest.Set(to)
	in, text := NewInbox(), []byte("hello")
	if n := testing.AllocsPerRun(20, func() {
		if !Send(a, text, &dest) || !Send(a, text[:1], &dest) {
			t.Error("not sent")
		}
		if n := in.Read(b); n != 2 {
			t.Fatalf("%d datagrams, want 2", n)
		}
		if got, who := in.Packet(0); string(got) != "hello" || who != from {
			t.Errorf("%q from %v", got, who)
		}
		if got, _ := in.Packet(1); string(got) != "h" {
			t.Errorf("%q", got)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n := in.Read(b); n != 0 {
		t.Errorf("%d datagrams out of nothing", n)
	}
}

func TestAddressComesBackAsItWasSet(t *testing.T) {
	for _, s := range []string{"192.0.2.1:4000", "[2001:db8::1]:65535"} {
		var a Addr
		if a.Set(netip.MustParseAddrPort(s)); !a.Valid() || a.get().String() != s {
			t.Errorf("%s comes back as %v", s, a.get())
		}
	}
}

func TestNowhereIsNoAddress(t *testing.T) {
	var a Addr
	for _, s := range []string{"0.0.0.0:4000", "192.0.2.1:0", "[::]:4000"} {
		if a.Set(netip.MustParseAddrPort(s)); a.Valid() {
			t.Errorf("%s is somewhere", s)
		}
	}
	if a.Set(netip.AddrPort{}); a.Valid() {
		t.Error("nothing is somewhere")
	}
}

func TestPollerTellsTicksSocketsAndTheBell(t *testing.T) {
	p, err := NewPoller(20 * time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	here := netip.MustParseAddrPort("127.0.0.1:28440")
	fd, aux, err := BindPair(here.Addr(), here.Port())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Add(fd); err != nil {
		t.Fatal(err)
	}
	var dest Addr
	dest.Set(here)
	Send(fd, []byte{1}, &dest)
	told, ticks, in, begin := 0, 0, NewInbox(), time.Now()
	for ticks < 5 {
		p.Bell().Ring()
		n, err := p.Wait(func(which int) {
			if told++; which != fd || in.Read(fd) != 1 {
				t.Error("another socket was told")
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	if late := p.Now() - p.Due(); late < 0 || late > 20*time.Millisecond*time.Duration(1+ticks) {
		t.Errorf("the newest tick was due %v ago", late)
	}
	if n := testing.AllocsPerRun(100, func() { p.Now() }); n != 0 {
		t.Errorf("%v allocations to know the time", n)
	}
	if took := time.Since(begin); told != 1 || took < 90*time.Millisecond {
		t.Errorf("told %d sockets and %d ticks in %v", told, ticks, took)
	}
	p.Remove(fd)
	Close(fd, aux)
	p.Close()
	p.Bell().Ring() // rings nobody, harms nobody
}

func TestSoundAndReportsAreMarkedAsExpedited(t *testing.T) {
	for _, c := range []struct {
		ip            string
		level, option int
	}{{"127.0.0.1", unix.IPPROTO_IP, unix.IP_TOS}, {"::1", unix.IPPROTO_IPV6, unix.IPV6_TCLASS}} {
		var r Range
		r.Set(28500, 28599)
		fd, rtcp, _, err := r.Take(netip.MustParseAddr(c.ip))
		if err != nil && c.ip == "::1" {
			continue // a machine without IPv6
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, fd := range []int{fd, rtcp} {
			if got, err := unix.GetsockoptInt(fd, c.level, c.option); err != nil || got != 46<<2 {
				t.Errorf("%s is marked %#x, want DSCP EF, 0xb8 (%v)", c.ip, got, err)
			}
		}
		Close(fd, rtcp)
	}
}

func TestOursAreTheAddressesOfThisMachine(t *testing.T) {
	for ip, want := range map[string]bool{"127.0.0.1": true, "127.9.8.7": true, "192.0.2.1": false, "2001:db8::1": false, "0.0.0.0": false} {
		if got := Ours(netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s: %v", ip, got)
		}
	}
}
