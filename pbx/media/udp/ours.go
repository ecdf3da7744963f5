package udp

import "net/netip"

// Ours says whether ip is an address of this machine: whether a socket can be bound to it.
func Ours(ip netip.Addr) bool {
	fd, err := bind(netip.AddrPortFrom(ip.Unmap(), 0))
	if err != nil {
		return false
	}
	Close(fd)
	return !ip.IsUnspecified()
}
