package udp

import (
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Range hands out port numbers in turn, so that a number given back rests for as long as can be.
// Its methods may be called from any goroutine and do not wait. The zero value has no ports.
type Range struct {
	bounds atomic.Uint32 // first<<16 | last
	next   atomic.Uint32
}

// Set changes the ports that Take may take, both included. What was taken stays.
func (r *Range) Set(first, last uint16) { r.bounds.Store(uint32(first)<<16 | uint32(last)) }

// Take opens sockets on ip, as BindPair does, at an even port of the range and the odd one above it.
func (r *Range) Take(ip netip.Addr) (fd, rtcp int, local netip.AddrPort, err error) {
	bounds := r.bounds.Load()
	first, last := int(bounds>>16), int(bounds&0xffff)
	first += first & 1
	pairs := (last - first + 1) / 2
	if pairs <= 0 || !ip.IsValid() {
		return -1, -1, local, fmt.Errorf("no RTP port on %v in the range %d-%d: give a wider range", ip, bounds>>16, last)
	}
	ip = ip.Unmap()
	for range pairs {
		local = netip.AddrPortFrom(ip, uint16(first+2*int(r.next.Add(1)%uint32(pairs))))
		fd, rtcp, err = BindPair(ip, local.Port())
		if errors.Is(err, unix.EADDRINUSE) {
			continue
		}
		if err != nil {
			return -1, -1, local, fmt.Errorf("RTP on %v: %w", local, err)
		}
		return fd, rtcp, local, nil
	}
	return -1, -1, local, fmt.Errorf("all RTP ports from %d to %d on %v are in use: give a wider range", first, last, ip)
}
