package rtp

import "net/netip"

// Source decides whose packets count. The address that was negotiated counts at once. Another one, a
// phone behind a router, is taken after four packets in sequence, if it is at the negotiated address or
// at the one that the peer signals from, and the present one is silent or it goes on with the same
// stream. What others send is dropped: nobody can slip sound into a call or draw it away.
type Source struct {
	addr   netip.AddrPort // whose packets count; invalid: nobody's yet
	stream stream
	any    bool // stream is set

	expected netip.AddrPort
	peer     netip.Addr
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
	latchSilent = 25   // ticks: 500 ms
	firstPort   = 1024 // below are services, which somebody may want us to talk to
)

// Expect begins anew with the address that was negotiated, by a peer that signals from peer; invalid:
// that is not known, and packets may come from anywhere.
func (s *Source) Expect(a netip.AddrPort, peer netip.Addr) { *s = Source{expected: a, peer: peer} }

// Peer says where the peer signals from now, and changes nothing else.
func (s *Source) Peer(peer netip.Addr) { s.peer = peer }

// Address is whose packets count, or are expected.
func (s *Source) Address() netip.AddrPort {
	if s.addr.IsValid() {
		return s.addr
	}
	return s.expected
}

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
	case s.near(from) && s.claimed(from, next) && s.yields(from, next):
		s.addr, moved = from, true
	default:
		return false, false, false
	}
	fresh = !s.any || s.stream.ssrc != next.ssrc
	s.stream, s.any, s.Silent, s.run = next, true, 0, 0
	return true, moved, fresh
}

// Near says whether a report that comes from ip may be of the same sender.
func (s *Source) Near(ip netip.Addr) bool {
	return !s.peer.IsValid() || ip == s.expected.Addr() || ip == s.peer
}

func (s *Source) near(from netip.AddrPort) bool {
	return from == s.expected || s.Near(from.Addr()) && from.Port() >= firstPort
}

// yields says whether the present address gives way to another one.
func (s *Source) yields(from netip.AddrPort, next stream) bool {
	ahead := next.seq - s.stream.seq
	sameSender := s.any && next.ssrc == s.stream.ssrc && ahead > 0 && ahead < seqWindow // his router has forgotten him
	return !s.addr.IsValid() || from == s.expected || sameSender || s.Silent > latchSilent
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
