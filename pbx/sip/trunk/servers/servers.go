// Package servers finds the addresses of SIP servers by their names (RFC 3263): DNS SRV, then A and AAAA.
//
// It promises: servers come in the order of the document, those of one name by priority and weight; what DNS
// said is asked again after a minute, a name that it does not know after ten seconds; a name that was known
// and is not found now keeps its addresses. Start reading at Finder.
package servers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"branchline/pbx/sip/header"
)

const (
	fresh        = time.Minute      // that an answer of DNS counts; the library does not tell how long it may
	negative     = 10 * time.Second // that no answer counts
	patience     = 4 * time.Second  // with DNS, for one name
	maxAddresses = 16
	plainPort    = 5060
)

// ErrName says that DNS knows none of the servers.
var ErrName = errors.New("DNS does not know the server")

// Finder asks DNS and remembers. It is used by one goroutine; New makes it.
type Finder struct {
	resolver  *net.Resolver
	transport string
	known     map[string]entry
}

type entry struct {
	at    time.Time
	addrs []netip.AddrPort
	err   error
}

// New makes a finder for servers that are spoken to by transport, "udp" or "tcp". A nil resolver is that of
// the system.
func New(r *net.Resolver, transport string) *Finder {
	if r == nil {
		r = net.DefaultResolver
	}
	return &Finder{resolver: r, transport: transport, known: map[string]entry{}}
}

// Find is where the servers of these names are, "host" or "host:port", in order. It waits for DNS, a few
// seconds for each name at most. With some addresses the error is nil.
func (f *Finder) Find(ctx context.Context, names []string) ([]netip.AddrPort, error) {
	var all []netip.AddrPort
	var errs []error
	for _, n := range names {
		e := f.find(ctx, n)
		for _, a := range e.addrs {
			if !slices.Contains(all, a) && len(all) < maxAddresses {
				all = append(all, a)
			}
		}
		if e.err != nil {
			errs = append(errs, e.err)
		}
	}
	if len(all) > 0 {
		return all, nil
	}
	return nil, errors.Join(append(errs, ErrName)...)
}

func (f *Finder) find(ctx context.Context, name string) entry {
	now := time.Now()
	old, asked := f.known[name]
	age := now.Sub(old.at)
	if asked && (old.err == nil && age < fresh || old.err != nil && age < negative) {
		return old
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	e := entry{at: now}
	e.addrs, e.err = f.ask(ctx, name)
	if len(e.addrs) == 0 {
		e.addrs = old.addrs
	}
	f.known[name] = e
	return e
}

// ask asks DNS: RFC 3263 4.2.
func (f *Finder) ask(ctx context.Context, name string) ([]netip.AddrPort, error) {
	if ip, err := netip.ParseAddr(name); err == nil {
		return []netip.AddrPort{netip.AddrPortFrom(ip.Unmap(), plainPort)}, nil
	}
	if at, err := netip.ParseAddrPort(name); err == nil {
		return []netip.AddrPort{netip.AddrPortFrom(at.Addr().Unmap(), at.Port())}, nil
	}
	host, port, ok := header.ParseHostPort(name)
	if !ok {
		return nil, fmt.Errorf("%q is no server", name)
	}
	if port != 0 {
		return f.addresses(ctx, host, port)
	}
	_, srvs, _ := f.resolver.LookupSRV(ctx, "sip", f.transport, host) // in order, by priority and weight
	var all []netip.AddrPort
	for _, s := range srvs[:min(len(srvs), maxAddresses)] {
		if s.Target == "." || s.Port == 0 {
			continue
		}
		addrs, err := f.addresses(ctx, strings.TrimSuffix(s.Target, "."), s.Port)
		if err == nil {
			all = append(all, addrs...)
		}
	}
	if len(all) > 0 {
		return all, nil
	}
	return f.addresses(ctx, host, plainPort)
}

func (f *Finder) addresses(ctx context.Context, host string, port uint16) ([]netip.AddrPort, error) {
	ips, err := f.resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	var all []netip.AddrPort
	for _, ip := range ips {
		all = append(all, netip.AddrPortFrom(ip.Unmap(), port))
	}
	return all, nil
}
