package udp

import (
	"encoding/binary"
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// BindPair opens the sockets for RTP at port and RTCP at the one above it.
func BindPair(ip netip.Addr, port uint16) (fd, rtcp int, err error) {
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

// Addr is an address as the kernel takes it.
type Addr struct {
	data unix.RawSockaddrInet6 // the longer of the two forms
	len  uint32
}

// Valid says whether it is somewhere.
func (r *Addr) Valid() bool { return r.len > 0 }

// Set makes r the address a, or none where a is nowhere.
func (r *Addr) Set(a netip.AddrPort) {
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

// At is the address, the zero value where it is none.
func (r *Addr) At() netip.AddrPort {
	if !r.Valid() {
		return netip.AddrPort{}
	}
	return r.get()
}

// get reads what the kernel wrote.
func (r *Addr) get() netip.AddrPort {
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

// Close closes sockets.
func Close(fds ...int) {
	for _, fd := range fds {
		if fd >= 0 {
			_ = unix.Close(fd) // nothing was buffered
		}
	}
}
