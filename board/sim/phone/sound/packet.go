package sound

import (
	"encoding/binary"
	"time"
)

// packet is what matters of one RTP packet.
type packet struct {
	payloadType uint8
	marker      bool
	seq         uint16
	stamp       uint32
	ssrc        uint32
	payload     []byte // points into the buffer that was read
}

const headerSize = 12

// readPacket is RFC 3550 5.1, with CSRCs, extension and padding skipped; false: not RTP.
func readPacket(b []byte) (packet, bool) {
	if len(b) < headerSize || b[0]>>6 != 2 {
		return packet{}, false
	}
	p := packet{
		payloadType: b[1] & 0x7f, marker: b[1]&0x80 != 0,
		seq: binary.BigEndian.Uint16(b[2:]), stamp: binary.BigEndian.Uint32(b[4:]), ssrc: binary.BigEndian.Uint32(b[8:]),
	}
	at := headerSize + 4*int(b[0]&0x0f)
	if b[0]&0x10 != 0 { // extension: 5.3.1
		if len(b) < at+4 {
			return packet{}, false
		}
		at += 4 + 4*int(binary.BigEndian.Uint16(b[at+2:]))
	}
	end := len(b)
	if b[0]&0x20 != 0 { // padding
		end -= int(b[len(b)-1])
	}
	if at > end {
		return packet{}, false
	}
	p.payload = b[at:end]
	return p, true
}

// header writes p's header to the front of b, which has room for it.
func (p packet) header(b []byte) {
	b[0] = 2 << 6
	b[1] = p.payloadType
	if p.marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], p.seq)
	binary.BigEndian.PutUint32(b[4:], p.stamp)
	binary.BigEndian.PutUint32(b[8:], p.ssrc)
}

const keyNames = "0123456789*#ABCD" // in the order of RFC 4733 table 3

// event is the payload of RFC 4733 2.3.
type event struct {
	code     uint8
	end      bool
	duration uint16 // timestamp units
}

func readEvent(b []byte) (event, bool) {
	if len(b) < 4 || int(b[0]) >= len(keyNames) {
		return event{}, false
	}
	return event{b[0], b[1]&0x80 != 0, binary.BigEndian.Uint16(b[2:])}, true
}

func (e event) write(b []byte) {
	b[0] = e.code
	b[1] = 10 // -10 dBm0, the usual volume
	if e.end {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], e.duration)
}

// How a key is pressed: RFC 4733 asks for the end to be sent three times; exchanges want at least
// 40 ms of key and 40 ms of pause (Q.24).
const (
	frameTime  = 20 * time.Millisecond
	frameSize  = 160 // samples of 8 kHz
	keyFrames  = 5   // 100 ms
	endPackets = 3
	keyPause   = 4 // frames of sound between two keys: 80 ms
)
