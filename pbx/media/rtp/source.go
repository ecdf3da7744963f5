package rtp

import "net/netip"

// Source decides whose packets count. The address that was negotiated counts at once; another one
// (a phone behind a router) is taken after four packets in sequence, if the present one is silent.
// What others send is dropped: nobody can slip sound into a call or draw it away.
type Source struct {
	addr   netip.AddrPort // whose packets count; invalid: nobody's yet
	stream stream
	any    bool // stream is set

	expected netip.AddrPort
	Silent   int // ticks without a packet that counted; whoever ticks counts it up

	candidate netip.AddrPort
	claim     stream
	run       int // packets in sequence from candidate
}

// stream is a place in a sender's numbering.
type stream struct {
	ssrc uint32
	seq  uint16
}

const (
	latchRun    = 4
	latchSilent = 50 // ticks: 1 s
)

// Expect begins anew with the address that was negotiated.
func (s *Source) Expect(a netip.AddrPort) { *s = Source{expected: a} }

// Newest is the SSRC and number of the last packet that counted.
func (s *Source) Newest() (ssrc uint32, seq uint16) { return s.stream.ssrc, s.stream.seq }

// Accept says whether a packet counts, whether the address is another one than before, and whether
// the numbering is.
func (s *Source) Accept(from netip.AddrPort, p *Packet) (ok, moved, fresh bool) {
	next := stream{p.SSRC, p.Seq}
	switch {
	case from == s.addr:
	case !s.addr.IsValid() && from == s.expected:
		s.addr = from
	case s.claimed(from, next) && (!s.addr.IsValid() || s.Silent > latchSilent):
		s.addr, moved = from, true
	default:
		return false, false, false
	}
	fresh = !s.any || s.stream.ssrc != next.ssrc
	s.stream, s.any, s.Silent, s.run = next, true, 0, 0
	return true, moved, fresh
}

// claimed counts packets in sequence from one address.
func (s *Source) claimed(from netip.AddrPort, next stream) bool {
	if from == s.candidate && next.ssrc == s.claim.ssrc && next.seq == s.claim.seq+1 {
		s.run++
	} else {
		s.candidate, s.run = from, 1
	}
	s.claim = next
	return s.run >= latchRun
}
