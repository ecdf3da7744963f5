package sip

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"branchline/hal"
)

// voice says one octet of A-law for ever from the RTP socket of a phone, and counts what it hears.
type voice struct {
	p     *raw
	says  byte
	to    atomic.Pointer[netip.AddrPort]
	heard [256]atomic.Int64
}

func (p *raw) speak(says byte, sdp string) *voice {
	v := &voice{p: p, says: says}
	v.follow(sdp)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { v.talk(ctx) })
	wg.Go(func() { v.listen(p.rtp) })
	p.t.Cleanup(func() { cancel(); p.rtp.Close(); wg.Wait() })
	return v
}

// follow sends where the box says in its description.
func (v *voice) follow(sdp string) {
	var port uint16
	if _, err := fmt.Sscanf(line(sdp, "m=audio"), "m=audio %d", &port); err != nil {
		v.p.t.Fatalf("%v in %q", err, sdp)
	}
	at := netip.AddrPortFrom(v.p.server.Addr(), port)
	v.to.Store(&at)
}

func (v *voice) talk(ctx context.Context) {
	packet := make([]byte, 12+160)
	packet[0], packet[1], packet[11] = 0x80, 8, v.says
	for i := range packet[12:] {
		packet[12+i] = v.says
	}
	beat := time.NewTicker(20 * time.Millisecond)
	defer beat.Stop()
	for n := uint32(1); ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
		binary.BigEndian.PutUint16(packet[2:], uint16(n))
		binary.BigEndian.PutUint32(packet[4:], n*160)
		_, _ = v.p.rtp.WriteToUDPAddrPort(packet, *v.to.Load())
	}
}

func (v *voice) listen(conn *net.UDPConn) {
	b := make([]byte, 2000)
	for {
		n, _, err := conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		if n == 12+160 && b[1]&0x7f == 8 {
			v.heard[b[12+80]].Add(1)
		}
	}
}

// hears waits until v hears w, from now on.
func (v *voice) hears(after string, w *voice) {
	v.p.t.Helper()
	v.heard[w.says].Store(0)
	for end := time.After(patience); v.heard[w.says].Load() < 10; {
		select {
		case <-end:
			v.p.t.Fatalf("after %s %s hears nothing of %s", after, v.p.user, w.p.user)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func TestSoundGoesBothWaysAfterEveryChangeOfACall(t *testing.T) {
	h := open(t, settings(), Options{})
	p, q := newRaw(t, h.at, "201"), newRaw(t, h.at, "202")
	q.signIn()
	k, one := h.talking(p, "202")
	h.do(hal.Dial{Leg: ours, To: "202"})
	m := q.request("INVITE")
	q.reply(m, 200, "x", "", q.sdp("sendrecv"))
	until[hal.Answered](h, ours)
	kq := q.called(m, "x")
	worker := h.phones.o.Media
	for _, leg := range []hal.LegID{one, ours} {
		worker.Attach(leg, h.phones.Audio(leg))
		if err := worker.Do(hal.Join{Leg: leg, Bridge: "b", Role: hal.Talk}); err != nil {
			t.Fatal(err)
		}
	}
	a, b := p.speak(0x11, k.last.body), q.speak(0x33, m.body)
	both := func(after string) {
		t.Helper()
		a.hears(after, b)
		b.hears(after, a)
	}
	both("the answer")

	h.do(hal.Show{Leg: ours, Number: "201"})
	re := q.later("INVITE", m)
	b.follow(re.body)
	q.reply(re, 200, "x", "", q.sdp("sendrecv"))
	both("our re-INVITE")

	change := func(k *talk, method, body, want string) msg {
		t.Helper()
		k.p.send(k.in(method, k.p.myContact()+"\nContent-Type: application/sdp", body))
		m := k.p.code(200, method)
		if method == "INVITE" {
			k.up(m, "")
		}
		if !strings.Contains(m.body, want) {
			t.Errorf("answered %q, want %s", m.body, want)
		}
		return m
	}
	for _, method := range []string{"INVITE", "UPDATE"} {
		change(k, method, p.sdp("sendonly"), "a=recvonly")
		b.hears("hold by "+method, a) // who holds may play its own music
		change(k, method, p.sdp("sendrecv"), "a=sendrecv")
		both("resume by " + method)
		change(kq, method, q.sdp("inactive"), "a=inactive")
		change(kq, method, q.sdp("sendrecv"), "a=sendrecv")
		both("the other's resume by " + method)
	}

	p.send(k.in("INVITE", p.myContact(), "")) // the offer is ours
	offer := p.code(200, "INVITE")
	a.follow(offer.body)
	k.up(offer, p.sdp("sendrecv"))
	both("a re-INVITE without an offer")
}
