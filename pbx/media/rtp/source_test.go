package rtp

import (
	"net/netip"
	"testing"
)

func address(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func hear(s *Source, from string, ssrc uint32, seq uint16) (ok, moved, fresh bool) {
	return s.Accept(address(from), &Packet{SSRC: ssrc, Seq: seq})
}

// latch lets four packets in sequence come and says which of them counted.
func latch(s *Source, from string, ssrc uint32, seq uint16) (counted [4]bool) {
	for i := range counted {
		counted[i], _, _ = hear(s, from, ssrc, seq+uint16(i))
	}
	return counted
}

const (
	told    = "10.0.0.1:4000"     // in the SDP
	phone   = "192.0.2.1:4000"    // whence the phone really speaks, and signals
	another = "192.0.2.1:4002"    // the same router, another port
	thief   = "198.51.100.1:4000" // elsewhere
)

func TestSourceIsTakenAfterFourInSequence(t *testing.T) {
	var s Source
	s.Expect(address(told), address(phone).Addr())
	for i, seq := range []uint16{65533, 65535, 0, 1, 2} { // one is missing: it begins anew
		if ok, moved, fresh := hear(&s, phone, 1, seq); ok != (i == 4) || moved != ok || fresh != ok {
			t.Fatalf("packet %d: %v %v %v", i, ok, moved, fresh)
		}
		if ok, _, _ := hear(&s, thief, 9, seq); ok { // who does not disturb it
			t.Fatal("a thief was taken")
		}
	}
	if ok, moved, fresh := hear(&s, phone, 2, 77); !ok || moved || !fresh {
		t.Errorf("the phone with a new SSRC: %v %v %v", ok, moved, fresh)
	}
	s.Expect(address(phone), address(phone).Addr())
	if ok, moved, fresh := hear(&s, phone, 4, 1); !ok || moved || !fresh {
		t.Errorf("the expected address at once: %v %v %v", ok, moved, fresh)
	}
}

func TestSourceElsewhereIsNeverTaken(t *testing.T) {
	var s Source
	s.Expect(address(told), address(phone).Addr())
	s.Silent = 1000
	for i := range uint16(1000) { // before the phone has said a word, and long after its last
		if ok, _, _ := hear(&s, thief, 9, i); ok {
			t.Fatalf("packet %d of a thief was taken", i)
		}
	}
	if got := latch(&s, "192.0.2.1:53", 9, 1); got != [4]bool{} {
		t.Errorf("a service as a source: %v", got)
	}
}

func TestSourceStaysWhileItSpeaksAndMovesAfterSilence(t *testing.T) {
	var s Source
	s.Expect(address(told), address(phone).Addr())
	latch(&s, phone, 1, 100)
	if got := latch(&s, another, 7, 1); got != [4]bool{} {
		t.Errorf("another stream beside the one that speaks: %v", got)
	}
	s.Silent = latchSilent + 1
	if got := latch(&s, another, 7, 50); got != [4]bool{3: true} {
		t.Errorf("another stream after a silence: %v", got)
	}
	if got := latch(&s, phone, 7, 54); got != [4]bool{3: true} {
		t.Errorf("the same stream by another way: %v", got)
	}
	if got := latch(&s, another, 7, 40); got != [4]bool{} {
		t.Errorf("packets of before, sent again by somebody: %v", got)
	}
	if got := latch(&s, told, 9, 1); got != [4]bool{3: true} {
		t.Errorf("the address that was told, when it speaks after all: %v", got)
	}
}

func TestSourceThatProvesItselfMayBeAnywhere(t *testing.T) {
	var s Source
	s.Expect(address(told), netip.Addr{})
	if got := latch(&s, thief, 1, 1); got != [4]bool{3: true} {
		t.Errorf("taken %v", got)
	}
}
