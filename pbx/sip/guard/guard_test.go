package guard

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func start() time.Time { return time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC) }

func at(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// send lets a source send so many messages evenly over d and gives how many came in.
func send(g *Guard, from netip.AddrPort, n int, d time.Duration, now *time.Time) (in int) {
	for range n {
		*now = now.Add(d / time.Duration(n))
		if g.Look(from, *now) {
			in++
		}
	}
	return in
}

func TestFloodIsCutDownThenKeptAway(t *testing.T) {
	var g Guard
	now, from := start(), at("198.51.100.7:5060")
	if in := send(&g, from, 1000, time.Second, &now); in < 300 || in > 350 {
		t.Errorf("%d of the first 1000 came in", in)
	}
	if in := send(&g, from, 5000, 5*time.Second, &now); in > 250 {
		t.Errorf("%d of the next 5000 came in", in)
	}
	l := g.List(10, now)
	if len(l) != 1 || !l[0].Until.After(now) || l[0].Counts[Flood] == 0 || l[0].Counts[Knocks] == 0 {
		t.Fatalf("listed %+v", l)
	}
	if g.Look(at("198.51.100.7:9"), now) || g.Connect(at("198.51.100.7:9"), now) {
		t.Error("another port of it came in")
	}
	if !g.Look(at("198.51.100.8:5060"), now) {
		t.Error("its neighbour is kept away")
	}
	if now = l[0].Until; !g.Look(from, now) {
		t.Error("it is kept away beyond the time")
	}
}

func TestBansGrowAndEnd(t *testing.T) {
	for house, want := range map[bool]time.Duration{false: longest, true: inHouse} {
		var g Guard
		if house {
			g.Configure(Settings{House: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
		}
		now, from := start(), at("10.1.1.1:5060")
		var last time.Duration
		for i := range 20 {
			for range Wrong.limit() {
				g.Note(from, Wrong, now)
			}
			l := g.List(1, now)[0]
			d := l.Until.Sub(now)
			if d < last || i == 0 && d != shortest || d > want {
				t.Fatalf("ban %d takes %v after %v", i, d, last)
			}
			last, now = d, l.Until
		}
		if last != want {
			t.Errorf("the longest is %v, want %v", last, want)
		}
		now = now.Add(mercy + time.Second)
		for range Wrong.limit() {
			g.Note(from, Wrong, now)
		}
		if d := g.List(1, now)[0].Until.Sub(now); d != shortest {
			t.Errorf("after a day in peace: %v", d)
		}
	}
}

func TestPhoneThatIsSignedInIsNotKeptAwayForOthers(t *testing.T) {
	var g Guard
	now := start()
	phone, other := at("203.0.113.5:40001"), at("203.0.113.5:40002")
	g.Welcome(phone, now.Add(time.Hour), now)
	for range 100 {
		g.Note(other, Wrong, now)
		g.Note(other, Scan, now)
	}
	if !g.List(1, now)[0].Until.After(now) {
		t.Fatal("the other is not kept away")
	}
	if in := send(&g, phone, 1000, 10*time.Second, &now); in != 1000 {
		t.Errorf("%d of 1000 of the phone came in", in)
	}
	if g.Scanner(phone, "friendly-scanner", now) {
		t.Error("the phone is taken for a scanner")
	}
	// Where phones live, others are slowed down, not shut out: one of them may be a phone that comes anew.
	if in := send(&g, other, 1000, 10*time.Second, &now); in < 40 || in > 70 {
		t.Errorf("%d of 1000 of the other came in", in)
	}
	g.Leave(phone)
	if g.Look(phone, now) || g.Look(other, now) {
		t.Error("nobody is signed in any more, and it came in")
	}
	g.Welcome(phone, now.Add(time.Second), now)
	if now = now.Add(2 * time.Second); g.Known(phone, now) || len(g.living) != 0 {
		t.Error("its time is over, and it is known")
	}
}

func TestScannersGetNoAnswer(t *testing.T) {
	var g Guard
	from := at("198.51.100.9:5060")
	for agent, want := range map[string]bool{"friendly-scanner": true, "SIPVicious 0.3": true, "VaxSIPUserAgent/3.1": true, "": false,
		"Yealink SIP-T46S": false, "sipsak 0.9.8": false, "baresip v1.0": false, "Linphone": false} {
		if got := new(Guard).Scanner(from, agent, start()); got != want {
			t.Errorf("%q: %v", agent, got)
		}
	}
	for range 3 {
		g.Scanner(from, "sipcli/v1.8", start())
	}
	if g.Look(from, start()) {
		t.Error("it comes in after three scans")
	}
}

func TestEachPartCanBeTurnedOff(t *testing.T) {
	from, now := at("198.51.100.9:5060"), start()
	spoil := func(g *Guard) {
		for range 5000 {
			now = now.Add(time.Millisecond)
			g.Look(from, now)
			g.Note(from, Wrong, now)
		}
	}
	bans := Guard{set: Settings{NoBans: true}}
	if spoil(&bans); bans.List(1, now)[0].Until.After(now) {
		t.Error("kept away without bans")
	}
	limits := Guard{set: Settings{NoLimits: true, NoBans: true}}
	if spoil(&limits); !limits.Look(from, now) {
		t.Error("limited without limits")
	}
	if scans := (&Guard{set: Settings{NoScanners: true}}); scans.Scanner(from, "sipvicious", now) {
		t.Error("a scanner is dropped")
	}
	trusted := Guard{set: Settings{Trusted: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}}}
	if spoil(&trusted); !trusted.Look(from, now) || len(trusted.List(9, now)) != 0 {
		t.Error("a trusted network is guarded against")
	}
}

func TestNetworkOfAnIPv6SourceIsOneSource(t *testing.T) {
	var g Guard
	for i := range 20 {
		g.Note(at(fmt.Sprintf("[2001:db8:1:2::%x]:5060", i)), Wrong, start())
	}
	if g.Look(at("[2001:db8:1:2:ffff::1]:5060"), start()) || !g.Look(at("[2001:db8:1:3::1]:5060"), start()) {
		t.Error("not the /64 is kept away, or more")
	}
	if g.Note(at("[::ffff:192.0.2.1]:1"), Wrong, start()); g.sources[netip.MustParsePrefix("192.0.2.1/32")] == nil {
		t.Error("a mapped address is not that of IPv4")
	}
}

func TestMemoryIsBoundedAndPhonesStay(t *testing.T) {
	var g Guard
	now := start()
	phone := at("10.0.0.5:5060")
	g.Welcome(phone, now.Add(time.Hour), now)
	bad := at("203.0.113.1:5060")
	g.Ban(bad.Addr(), time.Hour, now)
	for i := range 50_000 {
		now = now.Add(time.Millisecond)
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], 0x0b000000+uint32(i))
		from := netip.AddrPortFrom(netip.AddrFrom4(b), 5060)
		g.Look(from, now)
		g.Note(from, Rubbish, now)
		g.Welcome(netip.AddrPortFrom(from.Addr(), 1), now.Add(time.Second), now)
	}
	n := 0
	for s := g.oldest; n == 0 || s != g.oldest; s = s.next {
		n++
	}
	if len(g.sources) > maxSources || n != len(g.sources) || len(g.phones) > maxPhones || len(g.living) > maxPhones {
		t.Errorf("%d sources, %d in the ring, %d phones", len(g.sources), n, len(g.phones))
	}
	if !g.Look(phone, now) || g.Look(bad, now) {
		t.Error("the phone was forgotten, or who is kept away")
	}
	told := 0
	for range 600 {
		now = now.Add(time.Second)
		told += len(g.Report(now))
	}
	if told > 11*(perMinute+1) {
		t.Errorf("%d lines in ten minutes", told)
	}
}

func TestReportTellsABanAtOnceAndCountsOnceAMinute(t *testing.T) {
	var g Guard
	now, from := start(), at("198.51.100.9:5060")
	g.Report(now)
	g.Note(from, Wrong, now)
	if l := g.Report(now.Add(time.Second)); len(l) != 0 {
		t.Errorf("told at once: %+v", l)
	}
	now = now.Add(time.Minute)
	if l := g.Report(now); len(l) != 1 || l[0].Counts[Wrong] != 1 || !l[0].Until.IsZero() {
		t.Errorf("told after a minute: %+v", l)
	}
	for range Wrong.limit() {
		g.Note(from, Wrong, now)
	}
	if l := g.Report(now); len(l) != 1 || l[0].Counts[Wrong] != Wrong.limit() || !l[0].Until.After(now) {
		t.Errorf("told of the ban: %+v", l)
	}
	if l := g.Report(now.Add(time.Second)); len(l) != 0 {
		t.Errorf("told twice: %+v", l)
	}
}

func TestPersonBansAndForgives(t *testing.T) {
	var g Guard
	from := at("10.0.0.9:5060")
	if g.Forgive(from.Addr()) {
		t.Error("forgave who did nothing")
	}
	g.Ban(from.Addr(), time.Hour, start())
	if l := g.List(9, start()); len(l) != 1 || !l[0].ByHand || g.Look(from, start()) {
		t.Errorf("listed %+v", l)
	}
	if !g.Forgive(from.Addr()) || !g.Look(from, start()) {
		t.Error("not forgiven")
	}
}

// FuzzGuard plays what may come in any order and asks for what is promised.
func FuzzGuard(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 255, 128})
	f.Fuzz(func(t *testing.T, data []byte) {
		var g Guard
		now, until := start(), start().Add(time.Hour)
		phone := at("10.0.0.1:5060")
		g.Welcome(phone, until, now)
		for i := 0; i+2 < len(data); i += 3 {
			now = now.Add(time.Duration(data[i+2]) * 20 * time.Millisecond)
			from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, data[i+1] % 8}), uint16(data[i+1]))
			switch data[i] % 8 {
			case 0, 1:
				g.Look(from, now)
			case 2:
				g.Note(from, Event(data[i+2])%Event(events), now)
			case 3:
				g.Connect(from, now)
			case 4:
				g.Welcome(from, now.Add(time.Minute), now)
			case 5:
				g.Leave(from)
			case 6:
				g.Ban(from.Addr(), time.Minute, now)
			case 7:
				g.Report(now)
				g.Forgive(from.Addr())
			}
		}
		if now.Before(until) && !g.Look(phone, now) {
			t.Error("the phone is kept away")
		}
		n := 0
		for _, c := range g.living {
			n += c
		}
		if n != len(g.phones) {
			t.Errorf("%d phones, %d counted", len(g.phones), n)
		}
	})
}
