package media

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"branchline/pbx/media/rtp"
	"branchline/pbx/media/srtp"
)

// reports takes the reports that have come to f at the socket fd.
func (f *far) reports(fd int, open *srtp.Receiver) (list [][]byte) {
	for n := f.in.Read(fd); n > 0; n = f.in.Read(fd) {
		for i := range n {
			b, from := f.in.Packet(i)
			if b[1] < 192 {
				continue
			}
			if want := f.port.Local(); from.Addr() != want.Addr() || f.session.Mux && from != want || !f.session.Mux && from.Port() != want.Port()+1 {
				f.d.t.Errorf("a report came from %v", from)
			}
			b = append([]byte(nil), b...)
			if open != nil {
				n, ok := open.OpenReport(b)
				if !ok {
					f.d.t.Error("a report that its key does not open")
				}
				b = b[:n]
			}
			list = append(list, b)
		}
	}
	return list
}

func TestReportsGoBothWaysAndTellHowTheSoundFares(t *testing.T) {
	for name, s := range map[string]Session{
		"on its own port": agreed(PCMU),
		"in secret":       {DTMF: 101, Ours: key(SHA132, 1), Theirs: key(SHA132, 9)},
	} {
		d := wired(t, Options{})
		a, b := d.far("a", s), d.far("b", agreed(PCMA))
		tab := newTable(d, 0, b)
		d.order(join("a", "x"), join("b", "x"))
		seal, open := (*srtp.Sender)(nil), (*srtp.Receiver)(nil)
		if s.Ours.Suite != srtp.None {
			seal, open = srtp.NewSender(s.Theirs), srtp.NewReceiver(s.Ours)
		}
		var last []byte
		for i := range 260 {
			p := a.packet(frame)
			if i%10 != 5 {
				if seal != nil {
					p = append(p, make([]byte, srtp.Overhead)...)
					p = p[:seal.Protect(p, len(p)-srtp.Overhead)]
				}
				a.say(p)
			}
			tab.pass(20)
			if got := a.reports(a.rtcp, open); len(got) > 0 {
				last = got[len(got)-1]
			}
			for n := a.in.Read(a.fd); n > 0; n = a.in.Read(a.fd) {
			}
		}
		h, ok := rtp.ReadReport(last, a.head.SSRC)
		if !ok || !h.Sender || !h.About || h.Fraction < 20 || h.Fraction > 32 {
			t.Fatalf("%s: %v %+v of %x", name, ok, h, last)
		}
		// The phone answers: a quarter lost, its jitter 5 ms, it has had our report for 1 s, and a round trip of 80 ms.
		rr := make([]byte, 32, 32+srtp.Overhead)
		copy(rr, []byte{0x81, 201, 0, 7})
		binary.BigEndian.PutUint32(rr[4:], a.head.SSRC)
		binary.BigEndian.PutUint32(rr[8:], h.SSRC)
		rr[12] = 64
		binary.BigEndian.PutUint32(rr[20:], 40)
		binary.BigEndian.PutUint32(rr[24:], uint32(rtp.NTP(time.Now().Add(-1080*ms))>>16))
		binary.BigEndian.PutUint32(rr[28:], 65536)
		if seal != nil {
			rr = rr[:seal.ProtectReport(rr[:cap(rr)], 32)]
		}
		a.port.take(rr, netip.AddrPortFrom(loopback, a.session.Remote.Port()+1), true)
		tab.pass(1020)
		q, ok := d.Quality("a")
		if !ok || q.Loss < 0.08 || q.Loss > 0.12 || q.FarLoss != 0.25 || q.FarJitter != 5*ms || q.RoundTrip < 60*ms || q.RoundTrip > 200*ms ||
			q.MOS < 2.5 || q.MOS > 3.8 || q.FarMOS > 2.8 || q.FarMOS < 1 {
			t.Errorf("%s: %v %+v, %+v", name, ok, q, a.port.Stats())
		}
	}
}

func TestReportsGoBesideTheSoundWhereThatWasAgreedOnAndTearNothing(t *testing.T) {
	d := wired(t, Options{})
	s := agreed(PCMU)
	s.Mux = true
	a, b := d.far("a", s), d.far("b", agreed(PCMU))
	tab := newTable(d, 0, a, b)
	d.order(join("a", "x"), join("b", "x"))
	tab.pass(200)
	report := []byte{0x80, 201, 0, 1, 9, 9, 9, 9}
	for range 40 {
		a.say(report)
		tab.pass(20)
	}
	if jumps, _ := b.jumps(a); len(jumps) > 1 || a.port.Stats().Invalid > 0 { // one where the passage begins
		t.Errorf("the sound is off by %v, %+v", jumps, a.port.Stats())
	}
	b.numbers()
	fd, got := a.fd, 0
	for range 255 {
		d.tick()
		got += len(a.reports(fd, nil))
	}
	if got == 0 {
		t.Error("no report came beside the sound")
	}
}

func TestReportsOfStrangersAndRubbishCountForNothing(t *testing.T) {
	d := wired(t, Options{})
	s := agreed(PCMU)
	s.Peer = loopback
	a := d.far("a", s)
	evil := []byte{0x81, 201, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0}
	for range 260 {
		d.tick()
	}
	h, _ := rtp.ReadReport(a.reports(a.rtcp, nil)[0], 0)
	binary.BigEndian.PutUint32(evil[8:], h.SSRC)
	a.port.take(evil, netip.MustParseAddrPort("127.9.9.9:4001"), true)
	a.port.take(evil[:31], netip.AddrPortFrom(loopback, 4001), true)
	if q := a.port.Quality(); q != (Quality{}) {
		t.Errorf("%+v", q)
	}
	if s := a.port.Stats(); s.Foreign != 1 || s.Invalid != 1 {
		t.Errorf("%+v", s)
	}
	for range 260 {
		d.tick()
	}
	if got := a.reports(a.rtcp, nil); len(got) == 0 {
		t.Error("the reports were drawn away")
	}
}

func TestHearingReportsAllocatesNothing(t *testing.T) {
	d := newDesk(t, Options{})
	p := d.port("a", session(1, PCMU))
	p.take(newSender(1, 500).packet(PCMU), remote(1), false)
	good := []byte{0x81, 201, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0}
	if n := testing.AllocsPerRun(200, func() {
		p.take(good, remote(1), true)
		p.take(good, remote(1), false)
		p.take(good[:31], remote(1), true)
		d.tick()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
