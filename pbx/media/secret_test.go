package media

import (
	"net"
	"testing"

	"branchline/hal"
	"branchline/pbx/media/rtp"
	"branchline/pbx/media/srtp"
)

func key(s Suite, first byte) Key {
	k := Key{Suite: s}
	for i := range k.Bytes {
		k.Bytes[i] = first + byte(i)
	}
	return k
}

// encrypts agrees with the phone on keys; it goes on as it was otherwise.
func (p *phone) encrypts(ours, theirs Key) {
	p.port.Negotiated(Session{Remote: p.conn.LocalAddr().(*net.UDPAddr).AddrPort(), Peer: loopback, Codec: p.codec,
		PayloadType: []uint8{0, 8}[p.codec], DTMF: 101, Ptime: 20 * ms, Send: true, Recv: true, Ours: ours, Theirs: theirs})
	p.open, p.seal = srtp.NewReceiver(ours), srtp.NewSender(theirs)
}

func TestEncryptedPhonesHearEachOtherAndOneInTheClear(t *testing.T) {
	t.Parallel()
	w := run(t, Options{})
	a, b, c := w.phone("a", 500, PCMU), w.phone("b", 900, PCMU), w.phone("c", 1300, PCMA)
	a.encrypts(key(SHA180, 1), key(SHA180, 50))
	b.encrypts(key(SHA132, 100), key(SHA132, 150))
	w.order(join("a", "x"), join("b", "x"))
	talk(800*ms, a, b) // passed through
	a.hears("a", 3200, map[float64]float64{500: 0, 900: 0.25})
	b.hears("b", 3200, map[float64]float64{500: 0.25, 900: 0})
	if s := a.port.Stats(); s.Relayed == 0 || s.Forged != 0 {
		t.Errorf("counted %+v", s)
	}
	w.order(join("c", "x"))
	talk(1200*ms, a, b, c) // mixed
	a.hears("a", 6400, map[float64]float64{500: 0, 900: 0.25, 1300: 0.25})
	c.hears("c", 6400, map[float64]float64{500: 0.25, 900: 0.25})
	w.order(hal.Join{Leg: "b"})
	talk(800*ms, a, b, c) // passed through between a key and none, and A-law and µ-law
	a.hears("a", 3200, map[float64]float64{900: 0, 1300: 0.25})
	c.hears("c", 3200, map[float64]float64{500: 0.25, 900: 0})
	a.continuous()
	c.continuous()
}

func TestForgedAndRepeatedPacketsAreNotHeardAndCounted(t *testing.T) {
	t.Parallel()
	w := run(t, Options{})
	a, b := w.phone("a", 500, PCMU), w.phone("b", 900, PCMU)
	a.encrypts(key(SHA180, 1), key(SHA180, 50))
	w.order(join("a", "x"), join("b", "x"))
	talk(300*ms, a, b)
	forger := &phone{t: t, conn: a.conn, port: a.port, send: newSender(500, 1300)} // from the very same address, without the key
	other := &phone{t: t, conn: a.conn, port: a.port, send: newSender(77, 1300), seal: srtp.NewSender(key(SHA180, 51))}
	talk(600*ms, forger, other, a, b)
	b.hearsNot(1300)
	b.hears("b", 2400, map[float64]float64{500: 0.25})
	if s := a.port.Stats(); s.Forged < 50 {
		t.Errorf("counted %+v", s)
	}
}

func TestPhoneWithANewKeyAndAddressIsHeardOn(t *testing.T) {
	t.Parallel()
	w := run(t, Options{})
	a, b := w.phone("a", 500, PCMU), w.phone("b", 900, PCMU)
	a.encrypts(key(SHA180, 1), key(SHA180, 50))
	w.order(join("a", "x"), join("b", "x"))
	talk(400*ms, a, b)
	moved := w.stranger("127.0.0.1", a.port, 500)
	moved.codec = a.codec
	open := a.open
	moved.encrypts(key(SHA180, 1), key(SHA180, 99)) // our key stays, and with it what it has sent
	moved.open = open
	talk(600*ms, moved, b)
	b.hears("b", 2400, map[float64]float64{500: 0.25})
	moved.hears("a", 2400, map[float64]float64{900: 0.25})
	moved.open, moved.seal = nil, nil
	moved.behind(moved.conn.LocalAddr().String()) // and in the clear
	talk(600*ms, moved, b)
	b.hears("b", 2400, map[float64]float64{500: 0.25})
	moved.hears("a", 2400, map[float64]float64{900: 0.25})
}

func TestEncryptedPacketsAllocateNothing(t *testing.T) {
	d := newDesk(t, Options{})
	var ports []*Port
	for i := range 3 {
		s := session(i, PCMU)
		s.Ours, s.Theirs = key(SHA180, byte(i)), key(SHA180, byte(50+i))
		ports = append(ports, d.port(hal.LegID(rune('a'+i)), s))
	}
	seals := []*srtp.Sender{srtp.NewSender(key(SHA180, 50)), srtp.NewSender(key(SHA180, 51)), srtp.NewSender(key(SHA180, 52))}
	senders := []*sender{newSender(1, 500), newSender(2, 600), newSender(3, 700)}
	var b [rtp.HeaderLen + frame + srtp.Overhead]byte
	turn := func() {
		for i, p := range ports {
			n := seals[i].Protect(b[:], copy(b[:], senders[i].packet(PCMU)))
			p.take(b[:n], remote(i), false)
			p.take(b[:n], remote(i), false) // twice: forged
		}
		d.tick()
	}
	d.order(join("a", "x"), join("b", "x")) // passed through
	for _, more := range []bool{false, true} {
		if more {
			d.order(join("c", "x")) // mixed
		}
		for range 20 {
			turn()
		}
		if n := testing.AllocsPerRun(200, turn); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
	if s := ports[0].Stats(); s.Relayed < 200 || s.Received < 400 || s.Forged < 400 || s.Sent < 400 {
		t.Errorf("counted %+v", s)
	}
}
