package media

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"branchline/hal"
	"branchline/pbx/media/mail"
	"branchline/pbx/media/udp"
)

// portRange hands out port numbers in turn, so that a number given back rests for as long as can be.
type portRange struct {
	bounds atomic.Uint32 // first<<16 | last
	next   atomic.Uint32
}

// SetRange changes the ports that OpenRTP may take, both included. Ports that are open stay.
func (w *Worker) SetRange(first, last uint16) {
	w.ports.bounds.Store(uint32(first)<<16 | uint32(last))
}

// OpenRTP takes an even port of the range on ip for leg, and the odd one above it for RTCP. It may
// be called from any goroutine and does not wait. The caller closes the Port.
func (w *Worker) OpenRTP(leg hal.LegID, ip netip.Addr) (*Port, error) {
	bounds := w.ports.bounds.Load()
	first, last := int(bounds>>16), int(bounds&0xffff)
	first += first & 1
	pairs := (last - first + 1) / 2
	if pairs <= 0 || !ip.IsValid() {
		return nil, fmt.Errorf("media: no RTP port on %v in the range %d-%d: give a wider range", ip, bounds>>16, last)
	}
	ip = ip.Unmap()
	for range pairs {
		number := first + 2*int(w.ports.next.Add(1)%uint32(pairs))
		fd, rtcp, err := udp.BindPair(ip, uint16(number))
		if errors.Is(err, unix.EADDRINUSE) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("media: RTP on %v: %w", netip.AddrPortFrom(ip, uint16(number)), err)
		}
		p := w.newPort(leg, netip.AddrPortFrom(ip, uint16(number)), fd, rtcp)
		if !w.post(func() { w.adopt(p) }) {
			p.release()
			return nil, errEnded
		}
		return p, nil
	}
	return nil, fmt.Errorf("media: all RTP ports from %d to %d on %v are in use: give a wider range", first, last, ip)
}

// newPort makes a Port; where its numbering begins is chance, as RFC 3550 section 5.1 wants it.
func (w *Worker) newPort(leg hal.LegID, local netip.AddrPort, fd, rtcp int) *Port {
	var seed [10]byte
	_, _ = rand.Read(seed[:]) // it does not fail
	p := &Port{w: w, leg: leg, local: local, fd: fd, rtcp: rtcp}
	p.out.SSRC = binary.BigEndian.Uint32(seed[:])
	p.out.Timestamp = binary.BigEndian.Uint32(seed[4:])
	p.out.Seq = binary.BigEndian.Uint16(seed[8:])
	return p
}

// adopt puts a port among the sockets that the worker listens to.
func (w *Worker) adopt(p *Port) {
	for len(w.sockets) <= p.fd {
		w.sockets = append(w.sockets, nil)
	}
	w.sockets[p.fd] = p
	if err := w.poll.Add(p.fd); err != nil {
		w.out.Tell(mail.Notice{Kind: mail.Logged, Leg: p.leg, Log: "an RTP socket cannot be watched", Why: err.Error()})
	}
}

// release closes the sockets of a port that the worker does not know, or no longer. Only the first
// call does something: a Close may meet the end of Run.
func (p *Port) release() {
	if p.released.Swap(true) {
		return
	}
	udp.Close(p.fd, p.rtcp)
}

func count(c *atomic.Uint64) { c.Add(1) }
