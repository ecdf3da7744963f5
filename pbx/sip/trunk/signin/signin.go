// Package signin decides when a trunk turns to which of its servers: to sign in there (RFC 3261 10), or to ask
// whether it is there.
//
// It promises: a sign-in is renewed before it ends; one that is refused is tried again less and less often, at
// most five times in ten minutes; a server that is silent or overloaded makes way for the next one, and is left
// alone for as long as it asks; nothing is said to be well for more than a minute after all servers failed. It is
// pure: time comes in, what is due is asked. Start reading at Machine.
package signin

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// Why a trunk is out of service, as a person reads it.
const (
	Beginning = "not signed in yet"
	NoName    = "DNS does not know the server; is the name right, and does the network have DNS?"
	NoRoute   = "no network leads to the server"
	Silent    = "the server does not answer"
	Overload  = "the server is overloaded or under repair"
	Password  = "the server refused user and password"
	Forbidden = "the server does not let this account in"
	Unknown   = "the server does not know this account"
	Refused   = "the server refused the sign-in"
	Unsigned  = "nobody whom the box trusts has signed the server's certificate; give that of its authority as ca, or is somebody between?"
	Misnamed  = "the server's certificate is of another name; is the name right, or is somebody between?"
	Outdated  = "the server's certificate is out of its time; is the clock of the box right?"
	NoTLS     = "the server speaks no TLS on that port; it is mostly 5061"
	Meddling  = "your router's SIP ALG alters the signalling; switch SIP ALG off in the router"
)

// Reasons are all of them that are told, but for Beginning.
func Reasons() []string {
	return []string{NoName, NoRoute, Silent, Overload, Password, Forbidden, Unknown, Refused, Unsigned, Misnamed, Outdated, NoTLS, Meddling}
}

const (
	firstRefusal, lastRefusal = 30 * time.Second, 5 * time.Minute // between tries of a sign-in that is refused
	firstRound, lastRound     = 4 * time.Second, time.Minute      // between tries of servers that all failed
	hop                       = 500 * time.Millisecond            // before the next server
	tolerance                 = 25 * time.Second                  // of failure before it is told
	longestRest               = time.Hour                         // that a server may ask for
	longestExpiry             = 24 * time.Hour
	shortestExpiry            = 20 * time.Second
	ahead                     = 30 * time.Second // of its end a sign-in is renewed at the latest
)

// Answer is what came of one try.
type Answer struct {
	Code       int           // of the final response; 0: none came
	Why        string        // none came: one of the constants; "": Silent
	Proof      bool          // the server refused our credentials
	Granted    time.Duration // how long a 2xx holds; 0: it did not say
	MinExpires time.Duration // of a 423
	RetryAfter time.Duration // 0: it did not say
}

// Machine is the state of one trunk. New makes it; it is used by one goroutine.
type Machine struct {
	expires time.Duration // that is asked for
	peer    bool          // nothing is signed in to: any answer means that the server is there
	period  time.Duration // between questions to a peer

	servers []netip.AddrPort // in order of liking
	at      int              // of servers
	rests   map[netip.AddrPort]time.Time
	due     time.Time // zero: at once

	in       bool
	why      string
	failing  time.Time // since when no server answered; zero: it does
	until    time.Time // the end of the sign-in
	failed   int       // servers in a row
	rounds   int       // of all servers
	refusals int       // in a row
	longer   bool      // the server has asked for a longer sign-in
}

// New makes the machine of a trunk that signs in for that long.
func New(expires time.Duration) *Machine {
	return &Machine{expires: expires, why: Beginning, rests: map[netip.AddrPort]time.Time{}}
}

// NewPeer makes the machine of a trunk that signs in nowhere: its servers are asked every period.
func NewPeer(period time.Duration) *Machine {
	m := New(0)
	m.peer, m.period, m.why = true, period, Silent
	return m
}

// In says whether the trunk can carry calls.
func (m *Machine) In() bool { return m.in }

// Why says why it cannot: one of the constants.
func (m *Machine) Why() string { return m.why }

// Expires is how long a sign-in is to be asked for.
func (m *Machine) Expires() time.Duration { return m.expires }

// Due says whether something is to be sent now, to Server.
func (m *Machine) Due(now time.Time) bool { return len(m.servers) > 0 && !now.Before(m.due) }

// Server is the one that is turned to; invalid while none is known.
func (m *Machine) Server() netip.AddrPort {
	if len(m.servers) == 0 {
		return netip.AddrPort{}
	}
	return m.servers[m.at]
}

// Found takes the servers that there are now, in order of liking; none: what is known counts on, and where
// nothing is, why says so.
func (m *Machine) Found(servers []netip.AddrPort, why string, now time.Time) {
	if len(servers) == 0 {
		if len(m.servers) == 0 {
			m.why = why
		}
		return
	}
	if slices.Equal(servers, m.servers) {
		return
	}
	old := m.Server()
	m.servers = slices.Clone(servers)
	m.at = slices.Index(m.servers, old)
	if m.at < 0 { // also the first time
		m.at, m.due = 0, now
	}
}

// Lost says that the server in use has stopped to answer: what is due is due now, at the next one.
func (m *Machine) Lost(now time.Time) {
	if m.in && m.failing.IsZero() {
		m.fail(Silent, 0, now)
	}
}

// Moved says that the world knows us by another address: the sign-in is renewed at once.
func (m *Machine) Moved(now time.Time) {
	if m.in {
		m.due = now
	}
}

// Tick takes the time; the end of a sign-in that could not be renewed is noticed here.
func (m *Machine) Tick(now time.Time) {
	if !m.in {
		return
	}
	if !m.peer && now.After(m.until) || !m.failing.IsZero() && now.Sub(m.failing) > tolerance {
		m.in = false
	}
}

// Blame says that a router meddles with what is sent, which explains what fails.
func (m *Machine) Blame() {
	if !m.in {
		m.why = Meddling
	}
}

// Heard takes what came of a try at Server.
func (m *Machine) Heard(a Answer, now time.Time) {
	switch {
	case a.Code == 0, a.Code == 408:
		m.fail(cmp.Or(a.Why, Silent), 0, now)
	case a.Code/100 == 5 && !(m.peer && a.Code != 503):
		m.fail(Overload, a.RetryAfter, now)
	case m.peer:
		m.welcome(m.period, now)
		m.due = now.Add(m.period)
	case a.Code/100 == 2:
		m.granted(a.Granted, now)
	case a.Code == 423 && !m.longer && a.MinExpires > m.expires && a.MinExpires <= longestExpiry:
		m.expires, m.longer, m.due = a.MinExpires, true, now
	case a.Proof:
		m.refuse(Password, a.RetryAfter, now)
	case a.Code == 403:
		m.refuse(Forbidden, a.RetryAfter, now)
	case a.Code == 404:
		m.refuse(Unknown, a.RetryAfter, now)
	default:
		m.refuse(Refused, a.RetryAfter, now)
	}
}

func (m *Machine) granted(d time.Duration, now time.Time) {
	if d <= 0 {
		d = m.expires
	}
	d = min(max(d, shortestExpiry), longestExpiry)
	m.welcome(d, now)
	m.due = now.Add(max(d/2, min(d*9/10, d-ahead)))
}

func (m *Machine) welcome(d time.Duration, now time.Time) {
	m.in, m.why, m.until = true, "", now.Add(d)
	m.failing, m.failed, m.rounds, m.refusals, m.longer = time.Time{}, 0, 0, 0, false
}

// refuse takes a no that another server would say too.
func (m *Machine) refuse(why string, rest time.Duration, now time.Time) {
	m.in, m.why = false, why
	m.due = now.Add(max(grown(firstRefusal, m.refusals, lastRefusal), min(rest, longestRest)))
	m.refusals++
}

// fail takes that a server did not do its work, and goes on to the next one that may be asked.
func (m *Machine) fail(why string, rest time.Duration, now time.Time) {
	m.why = why
	if m.failing.IsZero() {
		m.failing = now
	}
	if rest > 0 {
		m.rests[m.Server()] = now.Add(min(rest, longestRest))
	}
	m.failed++
	m.due = now.Add(hop)
	if m.failed >= len(m.servers) {
		m.in, m.failed = false, 0
		m.due = now.Add(grown(firstRound, m.rounds, lastRound))
		m.rounds++
	}
	m.next(now)
}

// next goes to the server after this one that does not rest then; where all do, to the one that is ready first.
func (m *Machine) next(now time.Time) {
	best, ready := m.at, time.Time{}
	for i := range len(m.servers) {
		k := (m.at + 1 + i) % len(m.servers)
		r := m.rests[m.servers[k]]
		if !r.After(m.due) {
			m.at = k
			return
		}
		if ready.IsZero() || r.Before(ready) {
			best, ready = k, r
		}
	}
	m.at = best
	if ready.After(m.due) {
		m.due = ready
	}
	for s, r := range m.rests {
		if now.After(r) {
			delete(m.rests, s)
		}
	}
}

// grown is first, doubled n times, up to last.
func grown(first time.Duration, n int, last time.Duration) time.Duration {
	return min(first<<min(n, 16), last)
}
