package trunk

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/netip"

	"branchline/pbx/config"
	"branchline/pbx/sip/stream"
	"branchline/pbx/sip/trunk/signin"
)

// trusted are those whose certificates count: of a document's PEM, nil for those that the system trusts.
func trusted(pem string) *x509.CertPool {
	if pem == "" {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(pem)) // it was judged with the document
	return pool
}

// secure is how we talk with server by TLS: its certificate must be of the name that stands in the document,
// whatever DNS made of it (RFC 5922 7).
func (s *session) secure(server netip.AddrPort) *tls.Config {
	name := s.names[server]
	if name == "" {
		name = server.Addr().String()
	}
	return &tls.Config{ServerName: name, RootCAs: s.roots, MinVersion: tls.VersionTLS12}
}

// unmet says why a server is not talked with, as signin has it.
func unmet(err error) string {
	switch {
	case errors.Is(err, stream.ErrUnsigned):
		return signin.Unsigned
	case errors.Is(err, stream.ErrMisnamed):
		return signin.Misnamed
	case errors.Is(err, stream.ErrOutdated):
		return signin.Outdated
	case errors.Is(err, stream.ErrPlain):
		return signin.NoTLS
	}
	return signin.Silent
}

// transportParam is what our addresses say of the transport; "": nothing, for UDP is meant.
func transportParam(transport string) string {
	if transport == config.TransportUDP {
		return ""
	}
	return ";transport=" + transport
}
