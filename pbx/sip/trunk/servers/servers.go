// Package servers finds the addresses of SIP servers by their names (RFC 3263): DNS SRV, then A and AAAA.
//
// It promises: each address comes with the name that a person wrote, by which a certificate is judged: what DNS
// says may be forged (RFC 5922 4); servers come in the order of the document, those of one name by priority and weight; what DNS
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
	securePort   = 5061
)

// Server is where a server is, and its name, or address, as a person wrote it.
type Server struct {
	At   netip.AddrPort
	Name string
}

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
	found []Server
	err   error
}

// New makes a finder for servers that are spoken to by transport, "udp", "tcp" or "tls". A nil resolver is that of
// the system.
func New(r *net.Resolver, transport string) *Finder {
	if r == nil {
		r = net.DefaultResolver
	}
	return &Finder{resolver: r, transport: transport, known: map[string]entry{}}
}

// Find is where the servers of these names are, "host" or "host:port", in order. It waits for DNS, a few
// seconds for each name at most. With some addresses the error is nil.
func (f *Finder) Find(ctx context.Context, names []string) ([]Server, error) {
	var all []Server
	var errs []error
	for _, n := range names {
		e := f.find(ctx, n)
		for _, s := range e.found {
			known := slices.ContainsFunc(all, func(o Server) bool { return o.At == s.At })
			if !known && len(all) < maxAddresses {
				all = append(all, s)
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
	e.found, e.err = f.ask(ctx, name)
	if len(e.found) == 0 {
		e.found = old.found
	}
	f.known[name] = e
	return e
}

// ask asks DNS: RFC 3263 4.2.
func (f *Finder) ask(ctx context.Context, name string) ([]Server, error) {
	if ip, err := netip.ParseAddr(name); err == nil {
		return []Server{{netip.AddrPortFrom(ip.Unmap(), f.port()), ip.Unmap().String()}}, nil
	}
	if at, err := netip.ParseAddrPort(name); err == nil {
		return []Server{{netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), at.Addr().Unmap().String()}}, nil
	}
	host, port, ok := header.ParseHostPort(name)
	if !ok {
		return nil, fmt.Errorf("%q is no server", name)
	}
	if port != 0 {
		return f.addresses(ctx, host, host, port)
	}
	_, srvs, _ := f.lookup(ctx, host) // in order, by priority and weight
	var all []Server
	for _, s := range srvs[:min(len(srvs), maxAddresses)] {
		if s.Target == "." || s.Port == 0 {
			continue
		}
		found, err := f.addresses(ctx, host, strings.TrimSuffix(s.Target, "."), s.Port)
		if err == nil {
			all = append(all, found...)
		}
	}
	if len(all) > 0 {
		return all, nil
	}
	return f.addresses(ctx, host, host, f.port())
}

// lookup asks for the services of host: RFC 3263 4.1.
func (f *Finder) lookup(ctx context.Context, host string) (string, []*net.SRV, error) {
	if f.transport == "tls" {
		return f.resolver.LookupSRV(ctx, "sips", "tcp", host)
	}
	return f.resolver.LookupSRV(ctx, "sip", f.transport, host)
}

func (f *Finder) port() uint16 {
	if f.transport == "tls" {
		return securePort
	}
	return plainPort
}

// addresses are those of host, which belongs to the server of that name.
func (f *Finder) addresses(ctx context.Context, name, host string, port uint16) ([]Server, error) {
	ips, err := f.resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	var all []Server
	for _, ip := range ips {
		all = append(all, Server{netip.AddrPortFrom(ip.Unmap(), port), name})
	}
	return all, nil
}
