package wire

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"branchline/pbx/sip/stream"
)

// OpenTLS binds the addresses for TLS too; secure is whom we show ourselves as. It comes after Open. On an error
// of Open or OpenTLS nothing stays bound.
func (w *Wire) OpenTLS(addresses []netip.AddrPort, secure *tls.Config) error {
	if w.streams == nil {
		w.streams = stream.New(connections{w}, stream.Bounds{})
	}
	for _, a := range expand(addresses) {
		if err := w.tolerate(a, w.streams.ListenTLS(a, secure)); err != nil {
			w.Close()
			w.listeners, w.streams = nil, nil
			return fmt.Errorf("listen for phones by TLS on %s: %w; is another SIP server running, or the address not ours?", a, err)
		}
	}
	return nil
}

// DialTLS is Dial with TLS: the peer shows a certificate as secure asks for, else the error says in words why it
// is not talked with.
func (w *Wire) DialTLS(from netip.Addr, to netip.AddrPort, secure *tls.Config, idle time.Duration, done func(Flow, error)) {
	w.dial(done, func(ctx context.Context) (*stream.Conn, error) { return w.streams.DialTLS(ctx, from, to, secure, idle) })
}

var _ stream.Watcher = connections{}

// Stumbled notes a connection that came to nothing.
func (k connections) Stumbled(c *stream.Conn, how stream.Stumble, err error) {
	k.wire.stumbles.note(k.wire.log, c.Remote.Addr(), how, err)
}

// stumbles counts the connections that came to nothing. The first of a kind in a minute is told with its
// source, the others are summed up, so that nobody can fill the log. The zero value has counted none.
type stumbles struct {
	mu    sync.Mutex // guards what follows
	count map[stream.Stumble]int
}

func (s *stumbles) note(log *slog.Logger, from netip.Addr, how stream.Stumble, err error) {
	s.mu.Lock()
	if s.count == nil {
		s.count = map[stream.Stumble]int{}
	}
	s.count[how]++
	first := s.count[how] == 1
	s.mu.Unlock()
	if first {
		log := log.With("address", from)
		if err != nil {
			log = log.With("err", err)
		}
		log.Warn("a phone " + how.String())
	}
}

// report tells, once a minute, how many more there were.
func (s *stumbles) report(log *slog.Logger) {
	s.mu.Lock()
	count := s.count
	s.count = nil
	s.mu.Unlock()
	for how, n := range count {
		if n > 1 {
			log.Warn("more phones this minute: one "+how.String(), "count", n-1)
		}
	}
}
