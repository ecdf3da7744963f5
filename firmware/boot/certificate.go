package boot

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"

	"branchline/firmware/authority"
	"branchline/pbx/config"
	"branchline/ui/api"
)

// openAuthority finds the box's own authority and gives who it is by TLS; nil: it is broken, and phones are
// heard by UDP and TCP alone.
func (b *Box) openAuthority(doc *config.Doc) *tls.Config {
	o := authority.Options{Dir: filepath.Join(b.o.Data, "certificates"), Name: fmt.Sprintf("%06x", b.store.BoxID()), Log: b.o.Log}
	if host, err := os.Hostname(); err == nil {
		o.Hosts = []string{host}
	}
	for _, a := range doc.Network.SIP.Listen {
		o.Addrs = append(o.Addrs, a.Addr().Unmap())
	}
	var err error
	if b.authority, err = authority.Open(o); err != nil {
		b.o.Log.Error("phones cannot be heard by TLS", "err", err)
		return nil
	}
	return b.authority.TLS()
}

// secureAddresses are where TLS is spoken: the addresses of all phones, each with its own port.
func secureAddresses(s config.SIP) (out []netip.AddrPort) {
	for _, a := range s.Listen {
		if at := netip.AddrPortFrom(a.Addr(), s.TLSPort); !slices.Contains(out, at) {
			out = append(out, at)
		}
	}
	return out
}

// certificate is what is told of the authority.
func (b *Box) certificate() (c api.Certificate, ok bool) {
	a := b.authority
	if a == nil {
		return api.Certificate{}, false
	}
	c = api.Certificate{Name: a.Name(), Fingerprint: a.Fingerprint(), Until: a.Until(), PEM: string(a.PEM())}
	if sip := b.config.started.Network.SIP; sip.TLS {
		for _, at := range secureAddresses(sip) {
			c.Addresses = append(c.Addresses, at.String())
		}
	}
	return c, true
}
