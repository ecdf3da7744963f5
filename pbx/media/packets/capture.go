package packets

import (
	"encoding/binary"
	"iter"
	"net/netip"
	"sync/atomic"
	"time"
)

// Capture keeps copies of packets for somebody who wants to see them, until its time is over or it is
// full. The Ends of one goroutine write into it; anybody may read meanwhile. Writing neither waits nor allocates.
type Capture struct {
	until time.Time
	bytes []byte // what lies below used does not change any more
	used  atomic.Int64
	lost  atomic.Uint64
}

// Captured is one packet of a Capture. Data is the Capture's: nobody changes it.
type Captured struct {
	At            time.Time
	Out           bool // the box sent it
	Local, Remote netip.AddrPort
	Data          []byte
}

// NewCapture makes one that ends then and has room for so many bytes, 54 more than its own for each packet.
func NewCapture(until time.Time, size int) *Capture {
	return &Capture{until: until, bytes: make([]byte, size)}
}

// Lost is how many packets found no room.
func (c *Capture) Lost() uint64 { return c.lost.Load() }

// Until is when it ends.
func (c *Capture) Until() time.Time { return c.until }

// A packet lies as time, direction, both addresses, length, data.
const (
	placeSize   = 18
	captureHead = 8 + 1 + 2*placeSize + 2
)

// put copies a packet; false: the time is over.
func (c *Capture) put(out bool, local, remote netip.AddrPort, data []byte) bool {
	now := time.Now()
	if now.After(c.until) {
		return false
	}
	used := int(c.used.Load())
	if used+captureHead+len(data) > len(c.bytes) {
		c.lost.Add(1)
		return true
	}
	b := c.bytes[used:]
	binary.BigEndian.PutUint64(b, uint64(now.UnixMicro()))
	b[8] = 0
	if out {
		b[8] = 1
	}
	putPlace(b[9:], local)
	putPlace(b[9+placeSize:], remote)
	binary.BigEndian.PutUint16(b[captureHead-2:], uint16(len(data)))
	copy(b[captureHead:], data)
	c.used.Store(int64(used + captureHead + len(data)))
	return true
}

func putPlace(b []byte, a netip.AddrPort) {
	ip := a.Addr().As16()
	copy(b, ip[:])
	binary.BigEndian.PutUint16(b[16:], a.Port())
}

func place(b []byte) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b)).Unmap(), binary.BigEndian.Uint16(b[16:]))
}

// All yields the packets until now, in order.
func (c *Capture) All() iter.Seq[Captured] {
	return func(yield func(Captured) bool) {
		for b := c.bytes[:c.used.Load()]; len(b) > 0; {
			n := captureHead + int(binary.BigEndian.Uint16(b[captureHead-2:]))
			p := Captured{At: time.UnixMicro(int64(binary.BigEndian.Uint64(b))).UTC(), Out: b[8] == 1,
				Local: place(b[9:]), Remote: place(b[9+placeSize:]), Data: b[captureHead:n:n]}
			if !yield(p) {
				return
			}
			b = b[n:]
		}
	}
}

// Copy has each packet that comes or goes copied into c until its time is over; nil: no more. local is
// where e receives.
func (e *End) Copy(c *Capture, local netip.AddrPort) { e.capture, e.local = c, local }

// captured copies a packet, if somebody wants it.
func (e *End) captured(out bool, remote netip.AddrPort, data []byte) {
	if e.capture != nil && !e.capture.put(out, e.local, remote, data) {
		e.capture = nil
	}
}
