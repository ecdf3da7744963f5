// Package rtp is what RTP means without its sockets: the packet (RFC 3550), whose packets count,
// the buffer that makes an even stream of what the net delivers unevenly, the numbers of what is
// sent, and telephone keys as events (RFC 4733).
//
// It is pure and trusts nothing: any bytes may come in. Nothing here allocates after it was made.
// Start reading at Parse, Jitter and Stream. All sound is 8 kHz, so that a timestamp counts samples.
package rtp

import "encoding/binary"

// HeaderLen is the length of the header that Put writes.
const HeaderLen = 12

// Packet is one RTP packet. Payload lies in the bytes that were parsed.
type Packet struct {
	Marker      bool
	PayloadType uint8
	Seq         uint16
	Timestamp   uint32
	SSRC        uint32
	Payload     []byte
}

// Parse reads a packet as RFC 3550 section 5.1 has it. False: it is none.
func Parse(b []byte) (p Packet, ok bool) {
	if len(b) < HeaderLen || b[0]>>6 != 2 {
		return Packet{}, false
	}
	p.Marker, p.PayloadType = b[1]&0x80 != 0, b[1]&0x7f
	p.Seq = binary.BigEndian.Uint16(b[2:])
	p.Timestamp = binary.BigEndian.Uint32(b[4:])
	p.SSRC = binary.BigEndian.Uint32(b[8:])
	from, to := HeaderLen+4*int(b[0]&0x0f), len(b) // after the contributing sources
	if b[0]&0x10 != 0 {                            // header extension
		if to < from+4 {
			return Packet{}, false
		}
		from += 4 + 4*int(binary.BigEndian.Uint16(b[from+2:]))
	}
	if b[0]&0x20 != 0 { // padding; its last byte counts it
		pad := int(b[to-1])
		if pad == 0 {
			return Packet{}, false
		}
		to -= pad
	}
	if from > to {
		return Packet{}, false
	}
	p.Payload = b[from:to]
	return p, true
}

// PutHeader writes the header of p into b, which holds HeaderLen bytes at least.
func (p *Packet) PutHeader(b []byte) {
	b[0], b[1] = 0x80, p.PayloadType&0x7f
	if p.Marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], p.Seq)
	binary.BigEndian.PutUint32(b[4:], p.Timestamp)
	binary.BigEndian.PutUint32(b[8:], p.SSRC)
}
