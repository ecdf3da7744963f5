package stream

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// Watcher is a Handler that also wants to hear of connections that came to nothing, and why. It is called
// as Handler is.
type Watcher interface {
	Stumbled(c *Conn, how Stumble, err error)
}

// Stumble is how a connection came to nothing before its first message.
type Stumble int

// The ways to stumble.
const (
	PlainToTLS Stumble = iota // no TLS where TLS is spoken
	TLSToPlain                // TLS where none is spoken
	NoShake                   // the hand-shake of TLS failed: err says how
)

func (h Stumble) String() string {
	switch h {
	case PlainToTLS:
		return "speaks without TLS to the port of TLS; set its transport to TLS, or its port to the one of TCP and UDP"
	case TLSToPlain:
		return "speaks TLS to the port of TCP; set its port to the one of TLS, or its transport to TCP or UDP"
	case NoShake:
		return "does not come together with the box by TLS; does it trust the certificate of the box, and speak TLS 1.2?"
	}
	panic(fmt.Sprintf("stream: stumble %d", int(h)))
}

// ListenTLS binds one address on which TLS is spoken, as secure says.
func (s *Server) ListenTLS(at netip.AddrPort, secure *tls.Config) error { return s.listen(at, secure) }

// DialTLS is Dial with TLS: the peer must show a certificate as secure asks for; its ServerName is the name
// that is asked for (SNI) and checked. The error is in words that a person can act upon.
func (s *Server) DialTLS(ctx context.Context, from netip.Addr, to netip.AddrPort, secure *tls.Config, idle time.Duration) (*Conn, error) {
	return s.dial(ctx, from, to, secure, idle)
}

// Why a server is not talked with by TLS; errors of DialTLS wrap one of them where one fits.
var (
	ErrUnsigned = errors.New("the certificate is signed by nobody we trust")
	ErrMisnamed = errors.New("the certificate is not of that name")
	ErrOutdated = errors.New("the certificate is out of its time")
	ErrPlain    = errors.New("no TLS is spoken there")
)

// reason says why the hand-shake with a server of that name failed.
func reason(err error, name string) error {
	var unknown x509.UnknownAuthorityError
	var other x509.HostnameError
	var invalid x509.CertificateInvalidError
	var plain tls.RecordHeaderError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("%w: that of %s; give the certificate of its authority, or is somebody between? (%w)", ErrUnsigned, name, err)
	case errors.As(err, &other):
		return fmt.Errorf("%w, %s; is the server's name right, or is somebody between? (%w)", ErrMisnamed, name, err)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("%w: that of %s; is the clock of the box right? (%w)", ErrOutdated, name, err)
	case errors.As(err, &plain):
		return fmt.Errorf("%w: on that port of %s; it is mostly 5061 (%w)", ErrPlain, name, err)
	}
	return fmt.Errorf("TLS with %s: %w", name, err)
}

// shake does the hand-shake of a connection that came, where it needs one. It waits for Bounds.Shake at most.
func (c *Conn) shake() bool {
	secure, ok := c.conn.(*tls.Conn)
	if !ok {
		return true
	}
	_ = c.tcp.SetDeadline(time.Now().Add(c.server.bounds.Shake))
	err := secure.Handshake()
	c.mu.Lock()
	c.shaking = false
	over := c.finishing || c.closed
	c.mu.Unlock()
	_ = c.tcp.SetWriteDeadline(time.Time{})
	var plain tls.RecordHeaderError
	switch {
	case err == nil:
		return !over
	case over:
	case errors.As(err, &plain):
		c.server.stumble(c, PlainToTLS, err)
	default:
		c.server.stumble(c, NoShake, err)
	}
	return false
}

func (s *Server) stumble(c *Conn, how Stumble, err error) {
	if w, ok := s.handler.(Watcher); ok {
		w.Stumbled(c, how, err)
	}
}

// stumbled says whether what a connection begins with is the end of it; err is that of reading it.
func (c *Conn) stumbled(in *bufio.Reader, err error) bool {
	switch {
	case err == nil && !c.Secure && beginsTLS(in):
		c.server.stumble(c, TLSToPlain, nil)
		return true
	case alerted(err):
		c.server.stumble(c, NoShake, err)
	}
	return false
}

// alerted says whether the peer broke off because of what TLS it saw. By TLS 1.3 it says so when the hand-shake
// is over for us.
func alerted(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}

// beginsTLS says whether what waits to be read is the hello of a TLS client (RFC 8446 5.1).
func beginsTLS(in *bufio.Reader) bool {
	b, err := in.Peek(1)
	return err == nil && b[0] == 22
}

// FreeBind lets a socket be bound to an IPv6 address that no interface has yet: one that has just come up is
// not to be had for a second or two, while it is asked whether somebody else has it (RFC 4862 5.4).
func FreeBind(network, address string, raw syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().Is6() || at.Addr().Is4In6() {
		return nil
	}
	const freebind = 78 // IPV6_FREEBIND of Linux's in6.h, which package syscall does not name
	var failed error
	err = raw.Control(func(fd uintptr) { failed = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IPV6, freebind, 1) })
	if failed != nil {
		return os.NewSyscallError("setsockopt", failed)
	}
	return err
}
