// Package nat is what a trunk knows of the routers between it and its server: by which address the world sees
// us, and whether somebody on the way rewrites what we send.
//
// It promises: to a public server no private address is named; to a private one our own address is, as it
// stands. It is pure data. Start reading at View.
package nat

import (
	"net/netip"
	"strconv"
	"strings"

	"branchline/pbx/sip/header"
)

// Private says whether an address is reached within a house or a carrier's network alone: RFC 1918, RFC 6598,
// RFC 4193, loopback and link-local.
func Private(a netip.Addr) bool {
	a = a.Unmap()
	cgnat := netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, 0, 0}), 10)
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified() || cgnat.Contains(a)
}

// View is how the world sees us. It is used by one goroutine.
type View struct {
	Local   netip.AddrPort        // our end on the wire
	Fixed   netip.Addr            // by which the world knows us, as a person says; invalid: it is learned
	Private func(netip.Addr) bool // nil: Private

	seen netip.AddrPort
}

func (v *View) private(a netip.Addr) bool {
	if v.Private != nil {
		return v.Private(a)
	}
	return Private(a)
}

// Address is how server is to know us; false: we do not know it yet.
func (v *View) Address(server netip.Addr) (netip.AddrPort, bool) {
	switch {
	case v.private(server) || !v.private(v.Local.Addr()) && !v.Fixed.IsValid():
		return v.Local, true
	case v.Fixed.IsValid() && v.seen.Addr() == v.Fixed:
		return v.seen, true
	case v.Fixed.IsValid():
		return netip.AddrPortFrom(v.Fixed, v.Local.Port()), true
	}
	return v.seen, v.seen.IsValid()
}

// Learn takes our Via as a server sent it back, with what it saw (RFC 3261 18.2.1, RFC 3581). It says whether
// the server is to know us by another address than before.
func (v *View) Learn(via string, server netip.Addr) (changed bool) {
	before, knew := v.Address(server)
	_, params, _ := strings.Cut(via, ";")
	host, _ := header.Param(params, "received")
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil { // it need not say so where it is what stands before it
		sent, _, _ := strings.Cut(via, ";")
		fields := strings.Fields(sent)
		if len(fields) != 2 {
			return false
		}
		name, _, _ := header.ParseHostPort(fields[1])
		if ip, err = netip.ParseAddr(name); err != nil {
			return false
		}
	}
	port := v.Local.Port()
	if text, _ := header.Param(params, "rport"); text != "" {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return false
		}
		port = uint16(n)
	}
	ip = ip.Unmap()
	if ip.Zone() != "" || ip.IsMulticast() || ip.IsUnspecified() || v.private(ip) && !v.private(server) {
		return false
	}
	v.seen = netip.AddrPortFrom(ip, port)
	after, knows := v.Address(server)
	return knows && (!knew || before != after)
}

// Forget drops what was learned: the way to the world is another one.
func (v *View) Forget() { v.seen = netip.AddrPort{} }

// Seen is the address that servers see us by; invalid: none has said.
func (v *View) Seen() netip.AddrPort { return v.seen }

// ViaAltered says whether our Via came back with another sender than we wrote, "host:port".
func ViaAltered(via, sentBy string) bool {
	sent, _, _ := strings.Cut(via, ";")
	fields := strings.Fields(sent)
	return len(fields) != 2 || !strings.EqualFold(fields[1], sentBy)
}

// ContactAltered says whether the Contact that we signed in with, told by its parameter "line", came back with
// another address than we wrote, which is not the one that the server saw either.
func ContactAltered(ours header.URI, listed []header.Address, seen netip.AddrPort) bool {
	line, ok := ours.Param("line")
	altered := false
	for _, c := range listed {
		theirs, has := c.URI.Param("line")
		if !ok || !has || theirs != line {
			continue
		}
		if c.URI.Host == ours.Host && c.URI.Port == ours.Port {
			return false
		}
		altered = altered || c.URI.Host != seen.Addr().String() || c.URI.Port != seen.Port()
	}
	return altered
}

// TargetAltered says whether a request to the Contact that we told a public server came to a private address
// that we never told.
func TargetAltered(uri, ours header.URI, private func(netip.Addr) bool) bool {
	line, ok := ours.Param("line")
	theirs, has := uri.Param("line")
	ip, err := netip.ParseAddr(uri.Host)
	if private == nil {
		private = Private
	}
	return ok && has && line == theirs && err == nil && uri.Host != ours.Host && private(ip)
}
