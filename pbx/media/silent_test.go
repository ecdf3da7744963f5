package media

import (
	"net/netip"
	"testing"

	"branchline/hal"
	"branchline/pbx/media/rtp"
)

// seconds lets n seconds pass.
func (d *desk) seconds(n int) {
	for range n * 50 {
		d.tick()
	}
}

func TestPhoneThatFallsSilentIsToldAfterTwentySecondsAndWhenItIsBack(t *testing.T) {
	d := newDesk(t, Options{})
	p := d.port("a", session(1, PCMU))
	far := newSender(1, 500)
	p.take(far.packet(PCMU), remote(1), false)
	d.seconds(20)
	if got := d.told(); len(got) != 0 {
		t.Fatalf("told %v too soon", got)
	}
	d.seconds(1)
	d.seconds(60)
	if got := d.told(); len(got) != 1 || got[0] != (hal.Quality{Leg: "a", Problem: "silent"}) {
		t.Fatalf("told %v, want silent, once", got)
	}
	p.take(far.packet(PCMU), remote(1), false)
	d.tick()
	if got := d.told(); len(got) != 1 || got[0] != (hal.Quality{Leg: "a"}) {
		t.Fatalf("told %v, want well again", got)
	}
}

func TestWhoNeedNotSendIsNeverSilent(t *testing.T) {
	for name, s := range map[string]Session{
		"holds us":        {Remote: remote(1), DTMF: 101, Send: false, Recv: true},
		"holds us wholly": {Remote: remote(1), DTMF: 101},
		"only listens":    {Remote: remote(1), DTMF: 101, Send: true},
		"is nowhere":      {Remote: netip.MustParseAddrPort("0.0.0.0:4000"), DTMF: 101, Send: true, Recv: true},
	} {
		d := newDesk(t, Options{})
		p := d.port("a", session(1, PCMU))
		d.seconds(15)
		p.Negotiated(s)
		d.settle()
		d.seconds(60)
		p.Negotiated(session(1, PCMU))
		d.settle()
		d.seconds(19)
		if got := d.told(); len(got) != 0 {
			t.Errorf("a phone that %s: told %v", name, got)
		}
		d.seconds(2)
		if got := d.told(); len(got) != 1 {
			t.Errorf("20 s after: told %v", got)
		}
	}
}

func TestComfortNoiseAndReportsAreSignsOfLifeAndStrangersAreNot(t *testing.T) {
	noise := func(p *Port) {
		head := rtp.Packet{PayloadType: 13, SSRC: 1}
		b := make([]byte, rtp.HeaderLen+1)
		head.PutHeader(b)
		p.take(b, remote(1), false)
	}
	report := []byte{0x80, 201, 0, 1, 0, 0, 0, 1}
	for name, c := range map[string]struct {
		send  func(*Port)
		lives bool
	}{
		"comfort noise":                {noise, true},
		"a report":                     {func(p *Port) { p.take(report, remote(1), true) }, true},
		"a report beside the sound":    {func(p *Port) { p.take(report, remote(1), false) }, true},
		"a report of a stranger":       {func(p *Port) { p.take(report, remote(9), true) }, false},
		"packets of a stranger":        {func(p *Port) { p.take(newSender(9, 500).packet(PCMU), remote(9), false) }, false},
		"nothing that makes any sense": {func(p *Port) { p.take([]byte("hello"), remote(1), false) }, false},
	} {
		d := newDesk(t, Options{})
		s := session(1, PCMU)
		s.Peer = remote(1).Addr()
		p := d.port("a", s)
		for range 10 {
			c.send(p)
			d.seconds(6)
		}
		if got := d.told(); len(got) == 0 != c.lives {
			t.Errorf("%s: told %v", name, got)
		}
	}
}
