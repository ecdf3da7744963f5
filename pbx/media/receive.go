package media

import (
	"net/netip"

	"branchline/hal/dsp"
	"branchline/pbx/media/rtp"
	"branchline/pbx/media/udp"
)

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
		n := w.in.Read(fd)
		for i := range n {
			b, from := w.in.Packet(i)
			p.take(b, from)
		}
		if n < udp.Batch {
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
	ok, moved, fresh := p.source.Accept(from, &packet)
	if !ok {
		count(&p.stats.foreign)
		return
	}
	if moved {
		p.dest.Set(from)
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
