package packets

import (
	"cmp"
	"net/netip"
	"sync/atomic"

	"branchline/hal/dsp"
	"branchline/pbx/media/rtp"
)

// Take handles one datagram, which came from from.
func (e *End) Take(b []byte, from netip.AddrPort) {
	e.captured(false, from, b)
	if !e.agreed {
		return
	}
	if isReport(b) {
		e.hearReport(b, from)
		return
	}
	if e.open != nil {
		n, ok := e.open.Open(b)
		if !ok {
			count(&e.stats.forged)
			return
		}
		b = b[:n]
	}
	packet, ok := rtp.Parse(b)
	if !ok {
		count(&e.stats.invalid)
		return
	}
	ok, moved, fresh := e.source.Accept(from, &packet)
	if !ok {
		count(&e.stats.foreign)
		return
	}
	if moved {
		e.dest.Set(from)
	}
	if fresh {
		e.jitter.Reset()
		e.keysIn.Restart()
		e.pass.awaited = false
	}
	e.life.quiet = 0
	e.reports.came.Take(&packet, e.reports.now, !e.isKey(packet.PayloadType))
	count(&e.stats.received)
	if !e.used {
		return
	}
	e.sort(&packet)
}

// sort passes a packet on, or hands it to the buffer or to the keys, by its payload type.
func (e *End) sort(packet *rtp.Packet) {
	if e.isKey(packet.PayloadType) {
		passes := e.pass.to != nil && e.pass.to.session.DTMF != 0
		if e.keysIn.Put(packet.Timestamp, packet.Payload, passes) {
			e.relayKey(packet)
		} else {
			e.withhold(packet)
		}
		return
	}
	codec, ok := e.codec(packet.PayloadType)
	if n := len(packet.Payload); !ok || n == 0 || n > maxPayload {
		if packet.PayloadType != comfortNoise {
			count(&e.stats.invalid)
		}
		e.withhold(packet)
		return
	}
	if !e.session.Recv {
		return
	}
	if e.pass.to != nil {
		e.relaySound(packet, codec)
	}
	if codec == Raw || e.pass.to != nil && !e.pass.tapped {
		return
	}
	pcm := e.pcm[:len(packet.Payload)]
	decode(pcm, packet.Payload, codec)
	e.jitter.Put(packet.Timestamp, packet.Marker, pcm)
}

const pcmu, pcma, comfortNoise = 0, 8, 13 // RFC 3551 table 4

// isKey says that a payload type is that of keys. What comes should have our numbers; some phones send
// theirs.
func (e *End) isKey(pt uint8) bool {
	s := &e.session
	switch {
	case s.DTMF == 0:
		return false
	case s.DTMFIn == 0 || pt == s.DTMFIn:
		return pt == cmp.Or(s.DTMFIn, s.DTMF)
	}
	return pt == s.DTMF && pt != s.PayloadTypeIn
}

// codec is what a payload type means.
func (e *End) codec(pt uint8) (Codec, bool) {
	switch {
	case pt == e.session.PayloadType || pt == e.session.PayloadTypeIn && pt != 0:
		return e.session.Codec, true
	case e.session.Codec == Raw: // its clock may be another
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

func count(c *atomic.Uint64) { c.Add(1) }
