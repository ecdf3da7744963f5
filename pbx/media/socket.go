package media

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"branchline/hal"
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
		fd, rtcp, err := bindPair(ip, uint16(number))
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
	if err := w.poll.add(p.fd); err != nil {
		w.tell(notice{kind: logged, leg: p.leg, log: "an RTP socket cannot be watched", why: err.Error()})
	}
}

// release closes the sockets of a port that the worker does not know, or no longer. Only the first
// call does something: a Close may meet the end of Run.
func (p *Port) release() {
	if p.released.Swap(true) {
		return
	}
	for _, fd := range []int{p.fd, p.rtcp} {
		if fd >= 0 {
			_ = unix.Close(fd) // nothing was buffered
		}
	}
}

// bindPair opens the sockets for RTP and RTCP.
func bindPair(ip netip.Addr, port uint16) (fd, rtcp int, err error) {
	if fd, err = bind(netip.AddrPortFrom(ip, port)); err != nil {
		return -1, -1, err
	}
	if rtcp, err = bind(netip.AddrPortFrom(ip, port+1)); err != nil {
		_ = unix.Close(fd)
		return -1, -1, err
	}
	return fd, rtcp, nil
}

func bind(a netip.AddrPort) (int, error) {
	family, level, option := unix.AF_INET, unix.IPPROTO_IP, unix.IP_TOS
	var to unix.Sockaddr = &unix.SockaddrInet4{Port: int(a.Port())}
	if a.Addr().Is4() {
		to = &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	} else {
		family, level, option = unix.AF_INET6, unix.IPPROTO_IPV6, unix.IPV6_TCLASS
		to = &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	const expedited = 46 << 2 // DSCP EF (RFC 4594 section 4.1); where it is not allowed it is only missing
	_ = unix.SetsockoptInt(fd, level, option, expedited)
	if err := unix.Bind(fd, to); err != nil {
		_ = unix.Close(fd)
		return -1, os.NewSyscallError("bind", err)
	}
	return fd, nil
}

// rawAddr is an address as the kernel takes it.
type rawAddr struct {
	data unix.RawSockaddrInet6 // the longer of the two forms
	len  uint32
}

func (r *rawAddr) valid() bool { return r.len > 0 }

// set makes r the address a, or none where a is nowhere.
func (r *rawAddr) set(a netip.AddrPort) {
	r.len = 0
	ip := a.Addr()
	if !ip.IsValid() || ip.IsUnspecified() || a.Port() == 0 {
		return
	}
	if ip.Is4() {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(&r.data))
		*v4 = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: ip.As4()}
		putPort(&v4.Port, a.Port())
		r.len = unix.SizeofSockaddrInet4
		return
	}
	r.data = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: ip.As16()}
	putPort(&r.data.Port, a.Port())
	r.len = unix.SizeofSockaddrInet6
}

// get reads what the kernel wrote.
func (r *rawAddr) get() netip.AddrPort {
	switch r.data.Family {
	case unix.AF_INET:
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(&r.data))
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), port(&v4.Port))
	case unix.AF_INET6:
		return netip.AddrPortFrom(netip.AddrFrom16(r.data.Addr).Unmap(), port(&r.data.Port))
	}
	return netip.AddrPort{}
}

// In a sockaddr the port stands in the order of the net, whatever the machine's is.
func putPort(at *uint16, v uint16) {
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(at))[:], v)
}
func port(at *uint16) uint16 { return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(at))[:]) }

func count(c *atomic.Uint64) { c.Add(1) }
