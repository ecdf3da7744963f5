// Package trunk makes a hal.Line of a SIP provider, or of another telephone system.
//
// It promises: a trunk has sockets of its own, so that what happens at the phones' door does not touch it; calls
// come in from the addresses of its servers alone; no private address is told to a public server; a trunk that
// cannot carry calls says so within a minute, in words of package signin, and one that can again comes back by
// itself; numbers are believed and told beside From only to and from trusted peers.
//
// Start reading at Trunk, then session (what it owns while it runs). turn.go is signing in and asking whether the
// server is there, calls.go the calls, identity.go who calls whom. Below lie signin (when), proof (passwords),
// servers (DNS), nat (how the world sees us); the calls themselves are package leg.
package trunk

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"branchline/hal"
	"branchline/pbx/config"
	"branchline/pbx/media"
	"branchline/pbx/sip/guard"
	"branchline/pbx/sip/leg"
	"branchline/pbx/sip/trace"
	"branchline/pbx/sip/wire"
)

// Options are what a Trunk is made of.
type Options struct {
	Name     string // of the line
	Boot     uint32 // boot number, part of leg ids
	Log      *slog.Logger
	Media    *media.Worker
	Trace    *trace.Trace  // of messages; nil: none is kept
	Releases []string      // Answered.Release of the legs that were up when the box died
	Config   config.Trunk  // valid, with defaults
	Number   hal.Number    // the line's own, "" where nobody knows it
	Channels int           // calls at a time, both ways together; 0: no limit
	Resolver *net.Resolver // nil: that of the system
	Guard    guard.Settings
}

// pace is how often things are done; tests change it.
type pace struct {
	tick      time.Duration // of all that is looked after, and between Censuses
	keepAlive time.Duration
	patience  time.Duration // with a server, until a question counts as unanswered
	find      time.Duration // between questions to DNS
	goodbye   time.Duration // for the last words
}

// Trunk is one provider as a line.
type Trunk struct {
	o       Options
	log     *slog.Logger
	pace    pace
	private func(netip.Addr) bool // nil: nat.Private; tests change it
	route   func(to netip.AddrPort) (netip.Addr, error)

	door wire.Door // its own: what happens at the phones' does not close this one
	legs uint64    // incoming legs so far; kept from one Run to the next

	mu       sync.Mutex // guards what follows
	session  *session   // nil while not running
	released bool       // the Releases are told

	ports leg.Ports
}

var _ hal.Line = (*Trunk)(nil)

// New makes the line.
func New(o Options) *Trunk {
	t := &Trunk{o: o, log: o.Log.With("line", o.Name), route: sourceToward,
		pace: pace{time.Second, 20 * time.Second, 10 * time.Second, 30 * time.Second, 400 * time.Millisecond}}
	t.Guard(o.Guard)
	return t
}

// Name is the name of the line.
func (t *Trunk) Name() string { return t.o.Name }

// Audio is the RTP port of leg, or nil while it has none.
func (t *Trunk) Audio(leg hal.LegID) hal.Audio { return t.ports.Audio(leg) }

// Do queues o.
func (t *Trunk) Do(o hal.Order) error {
	t.mu.Lock()
	s := t.session
	t.mu.Unlock()
	if s == nil {
		return fmt.Errorf("%s: not running", t.o.Name)
	}
	return s.wire.Post(func() { s.legs.Do(o, s.dial) })
}

// Run keeps the trunk in service until ctx ends; then it ends every call and signs out. An error means that
// there is no socket to be had, or no more.
func (t *Trunk) Run(ctx context.Context, up func(hal.Signal)) error {
	w := wire.New(t.log)
	w.GuardBy(&t.door)
	if t.o.Trace != nil {
		w.Tapped(t.o.Trace.Tap(t.o.Name))
	}
	listen := t.o.Config.Listen
	if !listen.IsValid() {
		listen = netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	}
	if err := w.OpenOne(listen); err != nil {
		return fmt.Errorf("%s: listen on %s: %w; is the address not ours, or the port taken?", t.o.Name, listen, err)
	}
	s := newSession(t, w)
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var owned sync.WaitGroup
	ended := make(chan error, 1)
	owned.Go(func() { ended <- w.Run(inner, s) })
	owned.Go(func() { s.find(inner) })

	t.mu.Lock()
	t.session = s
	releases := t.o.Releases
	if t.released {
		releases = nil
	}
	t.released = true
	t.mu.Unlock()
	_ = w.Post(func() { s.open(releases) })
	err := s.out.Tell(ctx, ended, up)

	t.mu.Lock()
	t.session = nil
	t.mu.Unlock()
	if err != nil || w.Post(func() { s.close(cancel) }) != nil {
		cancel()
	}
	owned.Wait()
	if err != nil {
		s.lost(err, up)
	}
	t.ports.Clear()
	return err
}

// Listening are the addresses of the sockets; nil while not running.
func (t *Trunk) Listening() []netip.AddrPort {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.session == nil {
		return nil
	}
	return t.session.wire.Listening()
}

// Guard replaces what Options said of the door. Who is kept away stays so.
func (t *Trunk) Guard(s guard.Settings) { t.door.Configure(s) }

// Guarded gives who was kept away or has something against him, at most so many; those who are kept away
// come first.
func (t *Trunk) Guarded(most int) []guard.Line { return t.door.List(most) }

// Forgive takes a source back in and forgets what speaks against it; false: nothing does.
func (t *Trunk) Forgive(a netip.Addr) bool { return t.door.Forgive(a) }

// Ban keeps a source away for that long. Servers that are spoken to stay.
func (t *Trunk) Ban(a netip.Addr, length time.Duration) { t.door.Ban(a, length) }

// sourceToward is our address on the way to a peer, as the kernel would take it. Nothing is sent.
func sourceToward(to netip.AddrPort) (netip.Addr, error) {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return netip.Addr{}, err
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}
