package stream

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// Dial opens a connection from one of our addresses; a zero from is whichever leads there. It waits, until
// ctx ends at the latest. The peer is known: the connection may be idle that long. Run must run.
func (s *Server) Dial(ctx context.Context, from netip.Addr, to netip.AddrPort, idle time.Duration) (*Conn, error) {
	return s.dial(ctx, from, to, nil, idle)
}

func (s *Server) dial(ctx context.Context, from netip.Addr, to netip.AddrPort, secure *tls.Config, idle time.Duration) (*Conn, error) {
	d := net.Dialer{KeepAliveConfig: keepAlive()}
	if from.IsValid() {
		d.LocalAddr = &net.TCPAddr{IP: from.AsSlice(), Zone: from.Zone()}
	}
	conn, err := d.DialContext(ctx, "tcp", to.String())
	if err != nil {
		return nil, err
	}
	tcp := conn.(*net.TCPConn)
	prepare(tcp)
	var shaken *tls.Conn
	if secure != nil {
		shaken = tls.Client(tcp, secure)
		if err := shaken.HandshakeContext(ctx); err != nil {
			tcp.Close()
			return nil, reason(err, secure.ServerName)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		tcp.Close()
		return nil, ErrClosed
	}
	return s.begin(tcp, shaken, idle), nil
}

// Ping keeps the connection known to what lies between (RFC 5626 4.4.1).
func (c *Conn) Ping() error { return c.Send([]byte("\r\n\r\n")) }

func keepAlive() net.KeepAliveConfig {
	return net.KeepAliveConfig{Enable: true, Idle: probeAfter, Interval: probeEvery, Count: 3}
}

// prepare gives a connection the options that every one has.
func prepare(conn *net.TCPConn) {
	Mark(conn)
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(deadAfter.Milliseconds()))
	})
}

// signalling is DSCP CS3, the class of signalling (RFC 4594 2.3), in its place in the octet.
const signalling = 24 << 2

// Mark has what conn sends treated as signalling by routers that mind it. One that cannot be marked
// stays as it is.
func Mark(conn syscall.Conn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_TOS, signalling)
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IPV6, syscall.IPV6_TCLASS, signalling)
	})
}
