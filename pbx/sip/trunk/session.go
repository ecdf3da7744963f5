package trunk

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"strings"
	"time"

	"branchline/hal"
	"branchline/pbx/config"
	"branchline/pbx/sip/header"
	"branchline/pbx/sip/leg"
	"branchline/pbx/sip/outbox"
	"branchline/pbx/sip/trunk/nat"
	"branchline/pbx/sip/trunk/proof"
	"branchline/pbx/sip/trunk/servers"
	"branchline/pbx/sip/trunk/signin"
	"branchline/pbx/sip/wire"
)

// session is what a Trunk owns while it runs. All of it belongs to the goroutine of the wire, but for find.
type session struct {
	trunk *Trunk
	c     config.Trunk
	log   *slog.Logger
	pace  pace
	wire  *wire.Wire
	out   *outbox.Outbox
	legs  *leg.Table

	machine *signin.Machine
	wallet  proof.Wallet
	view    nat.View
	finder  *servers.Finder           // of find alone
	names   map[netip.AddrPort]string // of servers, as the document has them
	roots   *x509.CertPool            // whose certificates count, by TLS; nil: those of the system
	again   chan struct{}             // wakes find

	domain string // of our address at the provider
	line   string // a parameter of our Contact: nobody else's has it
	callID string // of all sign-ins
	tag    string
	seq    uint32
	bound  header.URI // the Contact that is signed in; empty: none
	routes []string   // of requests outside of a dialog

	flow     wire.Flow                // to the server; its Network is "" while there is none
	peers    map[netip.Addr]time.Time // from which calls may come, and when DNS last said so
	asking   bool                     // a sign-in or question is on its way
	nameless bool                     // DNS knows none of the servers
	answers  bool                     // the server answers OPTIONS
	kept     time.Time                // when the way was last kept open
	looked   time.Time                // when our own address was last looked up
	meddled  time.Time                // when a router was last caught
	closing  bool

	told bool   // InService or OutOfService was
	in   bool   // which
	why  string // of OutOfService
}

var _ wire.Handler = (*session)(nil)
var _ wire.Watcher = (*session)(nil)

// allow is the methods that servers may use.
const allow = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK"

func newSession(t *Trunk, w *wire.Wire) *session {
	c := t.o.Config
	s := &session{trunk: t, c: c, log: t.log, pace: t.pace, wire: w, out: outbox.New(), again: make(chan struct{}, 1),
		wallet: proof.Wallet{User: cmp.Or(c.AuthUser, c.User), Password: c.Password},
		view:   nat.View{Private: t.private},
		finder: servers.New(t.o.Resolver, c.Transport), names: map[netip.AddrPort]string{}, roots: trusted(c.CA),
		domain: c.Domain, line: strings.ToLower(rand.Text()[:12]), callID: rand.Text(), tag: rand.Text()[:12],
		peers: map[netip.Addr]time.Time{}}
	if s.domain == "" {
		s.domain = hostOf(c.Servers[0])
	}
	if ip, err := netip.ParseAddr(c.Public); err == nil {
		s.view.Fixed = ip.Unmap()
	}
	s.machine = signin.New(c.Expires)
	if !c.Register {
		s.machine = signin.NewPeer(s.pace.keepAlive)
	}
	s.routes = s.proxyRoute()
	s.legs = leg.NewTable(leg.Options{Name: t.o.Name, Boot: t.o.Boot, Count: &t.legs, Log: t.log, Media: t.o.Media, Wire: w, Trace: t.o.Trace,
		Out: s.out, Ports: &t.ports, Peers: s, Allow: allow})
	return s
}

// hostOf is the host of "host:port" or "host".
func hostOf(server string) string {
	if host, _, err := net.SplitHostPort(server); err == nil {
		return host
	}
	return strings.Trim(server, "[]")
}

// proxyRoute is the Route through the outbound proxy (RFC 3261 8.1.2), none where there is no proxy.
func (s *session) proxyRoute() []string {
	if s.c.Proxy == "" {
		return nil
	}
	host, port, ok := header.ParseHostPort(s.c.Proxy)
	if !ok {
		return nil
	}
	uri, err := header.NewURI("", host, port)
	if err != nil {
		return nil
	}
	return []string{"<" + uri.Text + transportParam(s.c.Transport) + ";lr>"}
}

// open puts the wire at rest and begins.
func (s *session) open(releases []string) {
	s.legs.End(releases)
	s.tick()
}

// find asks DNS again and again until ctx ends.
func (s *session) find(ctx context.Context) {
	every := time.NewTicker(s.pace.find)
	defer every.Stop()
	first, rest := s.c.Servers, []string(nil)
	if s.c.Proxy != "" {
		first, rest = []string{s.c.Proxy}, s.c.Servers
	}
	for {
		found, err := s.finder.Find(ctx, first)
		others, _ := s.finder.Find(ctx, rest)
		if ctx.Err() != nil {
			return
		}
		_ = s.wire.Post(func() { s.found(found, others, err) })
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		case <-s.again:
		}
	}
}

// found takes what DNS said.
func (s *session) found(list, others []servers.Server, err error) {
	if err != nil && !s.nameless {
		s.log.Warn("servers not found", "servers", s.c.Servers, "proxy", s.c.Proxy, "err", err)
	}
	s.nameless = err != nil
	var reached []netip.AddrPort
	for _, f := range list {
		if _, err := s.trunk.route(f.At); err == nil && (s.c.Transport != config.TransportUDP || s.wire.Toward(f.At.Addr()).IsValid()) {
			reached = append(reached, f.At)
		}
	}
	now := time.Now()
	for _, f := range append(others, list...) {
		s.peers[f.At.Addr()] = now
		s.trunk.door.Welcome(f.At, now.Add(10*s.pace.find))
	}
	if len(list) > 0 {
		clear(s.names)
	}
	for _, f := range list {
		s.names[f.At] = f.Name
	}
	maps.DeleteFunc(s.peers, func(_ netip.Addr, at time.Time) bool { return now.Sub(at) > peerLife })
	why := signin.NoName
	if len(list) > 0 {
		why = signin.NoRoute
	}
	s.machine.Found(reached, why, now)
	s.tellState()
	s.turn()
}

// peerLife is how long calls may come from an address that DNS says no more.
const peerLife = 24 * time.Hour

func (s *session) isPeer(flow wire.Flow) bool {
	_, known := s.peers[flow.Remote.Addr()]
	return known
}

// tick looks after everything.
func (s *session) tick() {
	if s.closing {
		return
	}
	s.wire.After(s.pace.tick, "", s.tick)
	now := time.Now()
	s.machine.Tick(now)
	s.lookHome(now)
	s.turn()
	s.keepAlive(now)
	s.tellState()
	s.out.Put(hal.Census{Name: s.trunk.o.Name, Legs: s.legs.Legs()})
	for _, g := range s.trunk.door.Report(s.trunk.o.Name) {
		s.out.Put(g)
	}
}

// lookHome notices that our own address has changed: the house has another network, or another way out.
func (s *session) lookHome(now time.Time) {
	server := s.machine.Server()
	if !server.IsValid() || now.Sub(s.looked) < 5*s.pace.tick {
		return
	}
	s.looked = now
	ip, err := s.trunk.route(server)
	if err != nil || s.flow.Network == "" || ip == s.view.Local.Addr() {
		return
	}
	s.log.Info("own address changed", "from", s.view.Local.Addr(), "to", ip)
	s.view.Local = netip.AddrPortFrom(ip, s.view.Local.Port())
	s.view.Forget()
	s.advertise()
	if s.flow.Connected() {
		s.wire.Hangup(s.flow)
		s.flow = wire.Flow{}
	} else if _, known := s.view.Address(server.Addr()); known {
		s.resettle()
	}
	s.machine.Moved(now)
}

// advertise has requests name the address by which the server is to know us.
func (s *session) advertise() { s.wire.Advertise(s.sentBy()) }

// nowhere is a host that stands for one whose name nobody knows (RFC 6761 6.4).
func (s *session) nowhere() string { return s.line + ".invalid" }

func (s *session) sentBy() string {
	if a, ok := s.view.Address(s.flow.Remote.Addr()); ok {
		return a.String()
	}
	return s.nowhere()
}

// tellState tells whether the trunk can carry calls, when that is news.
func (s *session) tellState() {
	in, why := s.machine.In(), s.machine.Why()
	switch {
	case in && !(s.told && s.in):
		s.out.Put(hal.InService{Name: s.trunk.o.Name, Traits: hal.Traits{Legs: s.trunk.o.Channels, CallerID: true, Supervised: true, EarlySound: true}})
	case !in && why != "" && why != signin.Beginning && (!s.told || s.in || s.why != why):
		s.out.Put(hal.OutOfService{Name: s.trunk.o.Name, Why: why})
	default:
		return
	}
	s.told, s.in, s.why = true, in, why
}

// meddle takes that a router rewrites what is sent.
func (s *session) meddle(what string) {
	now := time.Now()
	if now.Sub(s.meddled) > time.Hour {
		s.log.Warn(signin.Meddling, "altered", what, "cure", "open the router's page, find SIP ALG, switch it off, restart the router")
	}
	s.meddled = now
}

// Altered hears that a message was cut or lengthened on its way.
func (s *session) Altered(flow wire.Flow) {
	if s.isPeer(flow) {
		s.meddle("Content-Length")
	}
}

// close ends all calls and signs out; end is called when that is done, or has taken long enough.
func (s *session) close(end func()) {
	s.closing = true
	talked := len(s.legs.Legs()) > 0
	s.legs.Farewell()
	signedIn := s.bound.Text != "" && s.flow.Network != ""
	if !talked && !signedIn {
		end()
		return
	}
	s.wire.After(s.pace.goodbye, "", end)
	if signedIn {
		s.signOut(func() {
			if !talked { // else what was sent may still be asked for a proof
				end()
			}
		})
	}
}

// lost tells that the wire broke: it is called when nobody works on the session any more.
func (s *session) lost(err error, up func(hal.Signal)) {
	for _, o := range s.out.Take() {
		up(o)
	}
	s.legs.Drop(up)
	if !errors.Is(err, context.Canceled) {
		up(hal.OutOfService{Name: s.trunk.o.Name, Why: err.Error()})
	}
}
