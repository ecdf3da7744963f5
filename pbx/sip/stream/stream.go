// Package stream is the connections of SIP peers by TCP and TLS (RFC 3261 18): it listens, cuts the octets into
// messages and sends what it is given.
//
// It promises: a message is whole and bounded, or it is a fault after which its connection ends; one who
// has not proved to be somebody is hung up on soon, and makes room for newcomers before that; nothing
// waits for a peer that does not read; a connection that is gone is told of once, after its last message.
// It knows no SIP but the length of a message and the keep-alive of RFC 5626. Start reading at Server.
package stream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// Handler is told what comes. Calls for one connection come one after the other, for several at once.
type Handler interface {
	// Admit says whether from may open a connection at all. It is called by one goroutine at a time for
	// each listener, and must not wait.
	Admit(from netip.AddrPort) bool
	// Message takes one message, which is the handler's. fault, where it is not "", says what is wrong
	// with it in the words of a 400; then data is the head alone, and the connection ends once what
	// the handler sends has gone out.
	Message(c *Conn, data []byte, fault string)
	// Closed says that c is no more.
	Closed(c *Conn)
}

// Bounds limit what peers can take up. New replaces zeros by the figures that stand here.
type Bounds struct {
	Conns     int           // in all: 1024
	Source    int           // of one source address: 256; an IPv6 /64 is one
	Strangers int           // of one source that have not been welcomed: 32
	Proof     time.Duration // until a stranger is hung up on: 30 s
	Message   time.Duration // that the octets of one message may take: 10 s
	Write     time.Duration // that a peer may take to read: 10 s
	Shake     time.Duration // that the hand-shake of TLS may take: 5 s
}

const (
	maxHead   = 16 << 10
	maxBody   = 16 << 10
	maxQueued = 64 // messages that wait for a peer to read
	goodbye   = 200 * time.Millisecond
)

// A peer whose plug was pulled is known to be gone within this, by probes when it is silent and by
// what it does not acknowledge when it is spoken to: below a minute.
const (
	probeAfter = 20 * time.Second
	probeEvery = 10 * time.Second
	deadAfter  = 45 * time.Second
)

// tcpUserTimeout is TCP_USER_TIMEOUT of Linux's tcp(7), which package syscall does not name.
const tcpUserTimeout = 0x12

// Errors of Conn.Send.
var (
	ErrClosed = errors.New("the connection is closed")
	ErrSlow   = errors.New("the peer does not read what it is sent")
)

// Server is the listeners and connections of one box. Listen comes before Run.
type Server struct {
	bounds    Bounds
	handler   Handler
	listeners []listener
	parts     sync.WaitGroup // connections

	closing chan struct{} // closed by Close

	mu     sync.Mutex // guards what follows
	conns  map[uint64]*Conn
	last   uint64 // number of the newest connection
	closed bool
}

// New makes a server.
func New(h Handler, b Bounds) *Server {
	fill(&b.Conns, 1024)
	fill(&b.Source, 256)
	fill(&b.Strangers, 32)
	fill(&b.Proof, 30*time.Second)
	fill(&b.Message, 10*time.Second)
	fill(&b.Write, 10*time.Second)
	fill(&b.Shake, 5*time.Second)
	return &Server{bounds: b, handler: h, conns: map[uint64]*Conn{}, closing: make(chan struct{})}
}

func fill[T int | time.Duration](v *T, normal T) {
	if *v == 0 {
		*v = normal
	}
}

// Listen binds one address.
func (s *Server) Listen(at netip.AddrPort) error {
	return s.listen(at, nil)
}

// listener is one address; with tls what comes there must be TLS.
type listener struct {
	*net.TCPListener
	tls *tls.Config
}

func (s *Server) listen(at netip.AddrPort, secure *tls.Config) error {
	config := net.ListenConfig{KeepAliveConfig: keepAlive(), Control: FreeBind}
	l, err := config.Listen(context.Background(), "tcp", at.String())
	if err != nil {
		return err
	}
	s.listeners = append(s.listeners, listener{l.(*net.TCPListener), secure})
	return nil
}

// Run accepts and reads until Close, or until a listener breaks (an error). It returns when the last
// connection has ended.
func (s *Server) Run() error {
	broken := make(chan error, len(s.listeners))
	for _, l := range s.listeners {
		go func() { broken <- s.accept(l) }()
	}
	var err error
	for range s.listeners {
		if e := <-broken; e != nil && err == nil {
			err = e
			s.Close()
		}
	}
	<-s.closing
	s.parts.Wait()
	return err
}

// Close ends all listeners and connections, these after what waits to be sent has gone out.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.closed {
		close(s.closing)
	}
	s.closed = true
	for _, c := range s.conns {
		c.Finish()
	}
	s.mu.Unlock()
	for _, l := range s.listeners {
		l.Close()
	}
}

// Conn is the connection of that number, nil when it is no more.
func (s *Server) Conn(number uint64) *Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns[number]
}

// accept takes connections until the listener is closed.
func (s *Server) accept(l listener) error {
	pause := time.NewTimer(time.Hour)
	defer pause.Stop()
	for {
		conn, err := l.AcceptTCP()
		if err == nil {
			s.admit(conn, l.tls)
			continue
		}
		s.mu.Lock()
		closed := s.closed
		s.mu.Unlock()
		if closed {
			return nil
		}
		if !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE) && !errors.Is(err, syscall.ECONNABORTED) {
			return fmt.Errorf("listen for phones on %s: %w", l.Addr(), err)
		}
		pause.Reset(100 * time.Millisecond) // no descriptor is free: it waits in the backlog
		<-pause.C
	}
}

// admit makes room for conn and starts it, or refuses it.
func (s *Server) admit(conn *net.TCPConn, secure *tls.Config) {
	if !s.handler.Admit(address(conn.RemoteAddr())) {
		_ = conn.SetLinger(0) // nothing of it shall stay
		conn.Close()
		return
	}
	prepare(conn)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || !s.room(source(address(conn.RemoteAddr()))) {
		conn.Close()
		return
	}
	var shake *tls.Conn
	if secure != nil {
		shake = tls.Server(conn, secure)
	}
	s.begin(conn, shake, 0)
}

// begin makes a connection of conn and starts it; secure, unless it is nil, is the TLS on it. The caller holds mu.
func (s *Server) begin(conn *net.TCPConn, secure *tls.Conn, welcome time.Duration) *Conn {
	s.last++
	c := &Conn{Number: s.last, Local: address(conn.LocalAddr()), Remote: address(conn.RemoteAddr()), server: s, tcp: conn, conn: conn,
		out: make(chan []byte, maxQueued), finish: make(chan struct{}), dead: make(chan struct{}),
		limit: time.Now().Add(max(s.bounds.Proof, welcome)), welcome: welcome, ours: welcome > 0}
	if secure != nil {
		c.Secure, c.conn, c.shaking = true, secure, true
	}
	s.conns[c.Number] = c
	s.parts.Go(c.run)
	return c
}

// room says whether one more of that source may come, after strangers have made way: the oldest one
// goes first, for whoever is in earnest proves himself at once.
func (s *Server) room(from netip.Prefix) bool {
	var own, strangers int
	var oldest, oldestOwn *Conn
	for _, c := range s.conns {
		mine := source(c.Remote) == from
		if mine {
			own++
		}
		if !c.stranger() {
			continue
		}
		if oldest == nil || c.Number < oldest.Number {
			oldest = c
		}
		if !mine {
			continue
		}
		strangers++
		if oldestOwn == nil || c.Number < oldestOwn.Number {
			oldestOwn = c
		}
	}
	switch {
	case own >= s.bounds.Source || strangers >= s.bounds.Strangers:
		oldest = oldestOwn
	case len(s.conns) < s.bounds.Conns:
		return true
	}
	if oldest == nil {
		return false
	}
	delete(s.conns, oldest.Number)
	oldest.close()
	return true
}

func (s *Server) remove(c *Conn) {
	s.mu.Lock()
	delete(s.conns, c.Number)
	s.mu.Unlock()
}

// source is what counts as one source: an IPv4 address, or the network of an IPv6 one.
func source(a netip.AddrPort) netip.Prefix {
	bits := 32
	if a.Addr().Is6() {
		bits = 64
	}
	p, _ := a.Addr().Prefix(bits) // both fit
	return p
}

func address(a net.Addr) netip.AddrPort {
	at := a.(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}
