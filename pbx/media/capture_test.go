package media

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"branchline/hal"
)

func TestCaptureHoldsBothWaysOfALegAndAllocatesNothing(t *testing.T) {
	d, turn, _ := house(t, 4, true)
	for range 20 {
		turn()
	}
	port := d.byID[hal.IncomingLeg("phones", 1, 2)].port
	bare := testing.AllocsPerRun(100, turn)
	c := NewCapture(time.Now().Add(time.Minute), 1<<20)
	before := port.Stats()
	local := netip.MustParseAddrPort("192.0.2.1:4000")
	port.end.Copy(c, local)
	with := testing.AllocsPerRun(100, turn)
	if bare != 0 || with != 0 {
		t.Errorf("%v allocations per tick, %v with a capture", bare, with)
	}
	port.end.Copy(nil, local)
	after, in, out := port.Stats(), uint64(0), uint64(0)
	for p := range c.All() {
		if p.Local != local || len(p.Data) < 12 || p.Data[0]>>6 != 2 || time.Since(p.At) > time.Minute {
			t.Fatalf("%+v", p)
		}
		if p.Out {
			out++
		} else {
			in++
		}
	}
	if in == 0 || in != after.Received-before.Received || out == 0 || out != after.Sent-before.Sent || c.Lost() != 0 {
		t.Errorf("%d in and %d out, of %+v", in, out, after)
	}
}

func TestCaptureEndsWhenItIsFullOrItsTimeIsOver(t *testing.T) {
	d := newDesk(t, Options{})
	p := d.port("a", session(1, PCMU))
	s := newSender(1, 400)
	c := NewCapture(time.Now().Add(time.Minute), 600)
	p.end.Copy(c, p.local)
	first := bytes.Clone(s.packet(PCMU))
	p.take(first, remote(1), false)
	for range 9 {
		p.take(s.packet(PCMU), remote(1), false)
	}
	n := 0
	for got := range c.All() {
		if n++; n == 1 && (!bytes.Equal(got.Data, first) || got.Remote != remote(1) || got.Out) {
			t.Errorf("%+v", got)
		}
	}
	if n != 2 || c.Lost() != 8 {
		t.Errorf("%d packets are kept, %d lost", n, c.Lost())
	}
	over := NewCapture(time.Now().Add(-time.Second), 1<<20)
	p.end.Copy(over, p.local)
	p.take(s.packet(PCMU), remote(1), false)
	for range over.All() {
		t.Error("kept after its time")
	}
}
