// Package pcap writes capture files that Wireshark opens. What it is given are messages and datagrams; the
// headers below them, which nobody has kept, it makes up: IP, and UDP or TCP with sums that are right and
// numbers that go on, so that streams are put together again.
//
// Start reading at Writer. The format is that of the libpcap file (draft-ietf-opsawg-pcap) with link type
// RAW (101): packets begin with their IP header, for there is no Ethernet that would tell anything.
package pcap

import (
	"encoding/binary"
	"io"
	"net/netip"
	"time"
)

// Packet is what went from one place to another.
type Packet struct {
	At       time.Time
	From, To netip.AddrPort
	Stream   bool // by TCP; else by UDP
	Data     []byte
}

// Writer writes one file. Put packets in the order of their times.
type Writer struct {
	to   io.Writer
	next map[direction]uint32 // number of the next octet of a stream
	b    []byte
}

type direction struct{ from, to netip.AddrPort }

const (
	rawIP   = 101
	snap    = 1 << 16
	maxData = 65000 // of one IP packet, less its headers
	maxOnce = 1 << 14
)

// New begins a file.
func New(to io.Writer) (*Writer, error) {
	var head [24]byte
	binary.LittleEndian.PutUint32(head[0:], 0xa1b2c3d4) // times in µs
	binary.LittleEndian.PutUint16(head[4:], 2)
	binary.LittleEndian.PutUint16(head[6:], 4)
	binary.LittleEndian.PutUint32(head[16:], snap)
	binary.LittleEndian.PutUint32(head[20:], rawIP)
	_, err := to.Write(head[:])
	return &Writer{to: to, next: map[direction]uint32{}}, err
}

// Put writes p. Addresses must be valid and of one family; a packet of others is left out.
func (w *Writer) Put(p Packet) error {
	from, to := p.From.Addr().Unmap(), p.To.Addr().Unmap()
	if !from.IsValid() || !to.IsValid() || from.Is4() != to.Is4() || len(p.Data) == 0 {
		return nil
	}
	for data := p.Data; len(data) > 0; {
		n := len(data)
		if p.Stream {
			n = min(n, maxOnce)
		}
		b := w.packet(p, from, to, data[:min(n, maxData)])
		var head [16]byte
		us := p.At.UnixMicro()
		binary.LittleEndian.PutUint32(head[0:], uint32(us/1e6))
		binary.LittleEndian.PutUint32(head[4:], uint32(us%1e6))
		binary.LittleEndian.PutUint32(head[8:], uint32(len(b)))
		binary.LittleEndian.PutUint32(head[12:], uint32(len(b)))
		if _, err := w.to.Write(head[:]); err != nil {
			return err
		}
		if _, err := w.to.Write(b); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// packet is data with all headers, valid until the next.
func (w *Writer) packet(p Packet, from, to netip.Addr, data []byte) []byte {
	const udp, tcp, udpLen, tcpLen = 17, 6, 8, 20
	kind, size := byte(udp), udpLen+len(data)
	if p.Stream {
		kind, size = tcp, tcpLen+len(data)
	}
	b := ip(w.b[:0], from, to, kind, size)
	at := len(b)
	b = binary.BigEndian.AppendUint16(b, p.From.Port())
	b = binary.BigEndian.AppendUint16(b, p.To.Port())
	sumAt := at + 6
	if p.Stream {
		there, back := direction{p.From, p.To}, direction{p.To, p.From}
		for _, d := range []direction{there, back} {
			if _, begun := w.next[d]; !begun {
				w.next[d] = 1
			}
		}
		b = binary.BigEndian.AppendUint32(b, w.next[there])
		b = binary.BigEndian.AppendUint32(b, w.next[back])
		b = append(b, tcpLen/4<<4, 0x18, 0xff, 0xff, 0, 0, 0, 0) // PSH and ACK, the whole window
		sumAt = at + 16
		w.next[there] += uint32(len(data))
	} else {
		b = binary.BigEndian.AppendUint16(b, uint16(size))
		b = append(b, 0, 0)
	}
	b = append(b, data...)
	// The sum is over a pseudo-header too: RFC 768, RFC 9293 clause 3.1, RFC 8200 clause 8.1.
	s := add(add(0, from.AsSlice()), to.AsSlice()) + uint32(kind) + uint32(size)
	sum := ^fold(add(s, b[at:]))
	if sum == 0 && !p.Stream {
		sum = 0xffff // 0 says that there is none
	}
	binary.BigEndian.PutUint16(b[sumAt:], sum)
	w.b = b
	return b
}

// ip puts an IP header before size octets of kind.
func ip(b []byte, from, to netip.Addr, kind byte, size int) []byte {
	const hops = 64
	if from.Is6() {
		b = append(b, 0x60, 0, 0, 0)
		b = binary.BigEndian.AppendUint16(b, uint16(size))
		b = append(b, kind, hops)
		b = append(b, from.AsSlice()...)
		return append(b, to.AsSlice()...)
	}
	b = append(b, 0x45, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(20+size))
	b = append(b, 0, 0, 0x40, 0, hops, kind, 0, 0)
	b = append(b, from.AsSlice()...)
	b = append(b, to.AsSlice()...)
	binary.BigEndian.PutUint16(b[10:], ^fold(add(0, b)))
	return b
}

// add sums b up as RFC 1071 does; fold carries.
func add(sum uint32, b []byte) uint32 {
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	return sum
}

func fold(sum uint32) uint16 {
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}
