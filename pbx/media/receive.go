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
		p.pass.awaited = false
	}
	count(&p.stats.received)
	if p.link == nil {
		return
	}
	p.sort(&packet)
}

// sort passes a packet on, or hands it to the buffer or to the keys, by its payload type.
func (p *Port) sort(packet *rtp.Packet) {
	if pt := packet.PayloadType; pt == p.session.DTMF && pt != 0 {
		passes := p.pass.to != nil && p.pass.to.session.DTMF != 0
		if p.keysIn.Put(packet.Timestamp, packet.Payload, passes) {
			p.relayKey(packet)
		} else {
			p.withhold(packet)
		}
		return
	}
	codec, ok := p.codec(packet.PayloadType)
	if n := len(packet.Payload); !ok || n == 0 || n > maxPayload {
		if packet.PayloadType != comfortNoise {
			count(&p.stats.invalid)
		}
		p.withhold(packet)
		return
	}
	if !p.session.Recv {
		return
	}
	if p.pass.to != nil {
		p.relaySound(packet, codec)
	}
	if codec == Raw || p.pass.to != nil && !p.pass.tapped {
		return
	}
	pcm := p.pcm[:len(packet.Payload)]
	decode(pcm, packet.Payload, codec)
	p.jitter.Put(packet.Timestamp, packet.Marker, pcm)
}

const pcmu, pcma, comfortNoise = 0, 8, 13 // RFC 3551 table 4

// codec is what a payload type means.
func (p *Port) codec(pt uint8) (Codec, bool) {
	switch {
	case pt == p.session.PayloadType:
		return p.session.Codec, true
	case p.session.Codec == Raw: // its clock may be another
		return Raw, false
	case pt == pcmu: // a sender may use any codec that the other end understands
		return PCMU, true
	case pt == pcma:
		return PCMA, true
	}
	return Raw, false
}

func decode(pcm []int16, b []byte, c Codec) {
	if c == PCMA {
		dsp.DecodeALaw(pcm, b)
	} else {
		dsp.DecodeULaw(pcm, b)
	}
}
