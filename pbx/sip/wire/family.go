package wire

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// tolerate says of an address that could not be bound whether the others do without it: where the kernel speaks
// no IPv6 the box goes on by IPv4.
func (w *Wire) tolerate(a netip.AddrPort, err error) error {
	if err == nil || !a.Addr().Is6() || a.Addr().Is4In6() || !errors.Is(err, syscall.EAFNOSUPPORT) {
		return err
	}
	w.log.Warn("this machine speaks no IPv6: phones are heard by IPv4 alone", "address", a, "err", err)
	return nil
}

// absent tells of addresses of IPv6 that nobody has now: they were bound all the same, for one that has just come
// up cannot be had for a second or two (stream.FreeBind).
func (w *Wire) absent(addresses []netip.AddrPort) {
	ours, err := net.InterfaceAddrs()
	if err != nil {
		return
	}
	for _, a := range addresses {
		here := slices.ContainsFunc(ours, func(o net.Addr) bool {
			p, err := netip.ParsePrefix(o.String())
			return err == nil && p.Addr() == a.Addr()
		})
		if a.Addr().Is6() && !a.Addr().Is4In6() && !here {
			w.log.Warn("no network of this machine has that address now (is IPv6 off?); phones are heard there once one has", "address", a)
		}
	}
}
