package media

import (
	"net/netip"

	"branchline/hal/dsp"
	"branchline/pbx/media/rtp"
)

// source decides whose packets count. The address that was negotiated counts at once; another one
// (a phone behind a router) is taken after four packets in sequence, if the present one is silent.
// What others send is dropped: nobody can slip sound into a call or draw it away.
type source struct {
	addr   netip.AddrPort // whose packets count; invalid: nobody's yet
	stream stream
	any    bool // stream is set

	expected netip.AddrPort
	silent   int // ticks without a packet that counted

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

// expect begins anew with the address that was negotiated.
func (s *source) expect(a netip.AddrPort) { *s = source{expected: a} }

// accept says whether a packet counts, whether the address is another one than before, and whether
// the numbering is.
func (s *source) accept(from netip.AddrPort, p *rtp.Packet) (ok, moved, fresh bool) {
	next := stream{p.SSRC, p.Seq}
	switch {
	case from == s.addr:
	case !s.addr.IsValid() && from == s.expected:
		s.addr = from
	case s.claimed(from, next) && (!s.addr.IsValid() || s.silent > latchSilent):
		s.addr, moved = from, true
	default:
		return false, false, false
	}
	fresh = !s.any || s.stream.ssrc != next.ssrc
	s.stream, s.any, s.silent, s.run = next, true, 0, 0
	return true, moved, fresh
}

// claimed counts packets in sequence from one address.
func (s *source) claimed(from netip.AddrPort, next stream) bool {
	if from == s.candidate && next.ssrc == s.claim.ssrc && next.seq == s.claim.seq+1 {
		s.run++
	} else {
		s.candidate, s.run = from, 1
	}
	s.claim = next
	return s.run >= latchRun
}

// receive takes what came in on a socket. A panic costs the leg of that socket.
func (w *Worker) receive(fd int) {
	if fd >= len(w.sockets) || w.sockets[fd] == nil {
		return
	}
	p := w.sockets[fd]
	defer func() {
		if r := recover(); r != nil {
			w.broke(p.leg, r)
			p.broken = true
			if p.link != nil {
				p.link.broken, w.broken = true, true
			}
		}
	}()
	for range 4 { // a flood on one socket must not starve the others; epoll tells again
		n := w.poll.in.read(fd)
		for i := range n {
			b, from := w.poll.in.packet(i)
			p.take(b, from)
		}
		if n < batch {
			return
		}
	}
}

// take handles one datagram.
func (p *Port) take(b []byte, from netip.AddrPort) {
	if p.broken || !p.agreed {
		return
	}
	packet, ok := rtp.Parse(b)
	if !ok {
		count(&p.stats.invalid)
		return
	}
	ok, moved, fresh := p.source.accept(from, &packet)
	if !ok {
		count(&p.stats.foreign)
		return
	}
	if moved {
		p.dest.set(from)
	}
	if fresh {
		p.jitter.Reset()
		p.keysIn.Restart()
	}
	count(&p.stats.received)
	if p.link == nil {
		return
	}
	p.sort(&packet)
}

// sort hands a packet to the buffer or to the keys, by its payload type.
func (p *Port) sort(packet *rtp.Packet) {
	const pcmu, pcma, comfortNoise = 0, 8, 13 // RFC 3551 table 4
	codec := p.session.Codec
	switch pt := packet.PayloadType; {
	case pt == p.session.DTMF && pt != 0:
		p.keysIn.Put(packet.Timestamp, packet.Payload)
		return
	case pt == p.session.PayloadType:
	case pt == pcmu: // a sender may use any codec that the other end understands
		codec = PCMU
	case pt == pcma:
		codec = PCMA
	case pt == comfortNoise:
		return
	default:
		count(&p.stats.invalid)
		return
	}
	n := len(packet.Payload)
	if n == 0 || n > maxPayload {
		count(&p.stats.invalid)
		return
	}
	if !p.session.Recv {
		return
	}
	if codec == PCMA {
		dsp.DecodeALaw(p.pcm[:n], packet.Payload)
	} else {
		dsp.DecodeULaw(p.pcm[:n], packet.Payload)
	}
	p.jitter.Put(packet.Timestamp, packet.Marker, p.pcm[:n])
}
