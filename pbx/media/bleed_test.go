package media

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"branchline/hal/dsp"
)

// stranger is somebody elsewhere who sends to port what a phone would.
func (r *running) stranger(ip string, port *Port, hz float64) *phone {
	r.t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(ip)})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	return &phone{t: r.t, conn: conn, port: port, send: newSender(uint32(hz), hz)}
}

// behind tells a port that its phone, which signals from 127.0.0.1, believes to be elsewhere.
func (p *phone) behind(nowhere string) {
	p.port.Negotiated(Session{Remote: netip.MustParseAddrPort(nowhere), Peer: loopback, Codec: p.codec,
		PayloadType: []uint8{0, 8}[p.codec], DTMF: 101, Ptime: 20 * ms, Send: true, Recv: true})
}

// hearsNot checks that hz is in no piece of what was heard until now.
func (p *phone) hearsNot(hz float64) {
	p.t.Helper()
	for at := 0; at+400 <= len(p.heard); at += 400 {
		if got := dsp.Level(p.heard[at:at+400], rate, hz); got > 0.1 {
			p.t.Errorf("%v Hz is heard at sample %d, level %.3f", hz, at, got)
		}
	}
}

func TestPacketsFromElsewhereAreNeitherHeardNorRelayedNorAnswered(t *testing.T) {
	t.Parallel()
	w := run(t, Options{})
	a, b := w.phone("a", 500, PCMU), w.phone("b", 900, PCMU)
	a.behind("127.0.0.1:4000")
	thief := w.stranger("127.83.0.2", a.port, 1300)
	w.order(join("a", "x"), join("b", "x"))

	talk(400*ms, thief, b) // before the phone has said a word: the mix
	b.hearsNot(1300)
	talk(800*ms, a, b, thief) // while it talks: passed through
	b.hears("b", 3200, map[float64]float64{500: 0.25, 1300: 0})
	a.hears("a", 3200, map[float64]float64{900: 0.25})
	talk(1500*ms, b, thief) // when it is silent
	b.hearsNot(1300)
	talk(600*ms, a, b, thief) // and when it comes back
	b.hears("b", 2400, map[float64]float64{500: 0.25, 1300: 0})

	thief.listen()
	if len(thief.heads) > 0 {
		t.Errorf("%d packets were sent to a stranger", len(thief.heads))
	}
	if n := a.port.Stats().Foreign; n < 150 {
		t.Errorf("%d packets of the stranger were counted", n)
	}
}

func TestPhoneWhoseRouterForgetsItIsHeardOnFromItsNewPort(t *testing.T) {
	t.Parallel()
	w := run(t, Options{})
	a, b := w.phone("a", 500, PCMU), w.phone("b", 900, PCMU)
	a.behind("127.0.0.1:4000")
	w.order(join("a", "x"), join("b", "x"))
	talk(400*ms, a, b)
	moved := w.stranger("127.0.0.1", a.port, 500)
	moved.send = a.send // the same stream goes on
	talk(600*ms, moved, b)
	b.hears("b", 2400, map[float64]float64{500: 0.25})
	moved.hears("a", 2400, map[float64]float64{900: 0.25})
	if s := a.port.Stats(); s.Foreign > 6 || s.Silent > 200*time.Millisecond {
		t.Errorf("counted %+v", s)
	}
}
