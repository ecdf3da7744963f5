// Package guard decides who may knock at the box's SIP door, how often, and who is kept away.
//
// It promises: a phone that is signed in is never kept away for what others at its address do, and is
// limited only far above what a phone can need; whoever fails again and again is kept away, each time
// for longer, but never for ever; its memory is bounded, whatever comes. It is pure: time comes in,
// verdicts go out, and its owner takes care that one asks at a time. Start reading at Guard, then Look.
package guard

import (
	"net/netip"
	"time"
)

// Settings say what is guarded. The zero value guards everything.
type Settings struct {
	NoLimits   bool           // let everybody send as much as he likes
	NoBans     bool           // keep nobody away
	NoScanners bool           // answer known attack tools too
	Trusted    []netip.Prefix // never limited, never kept away
	House      []netip.Prefix // networks of the house: kept away for minutes, not for hours
}

// Event is something that speaks against a source.
type Event uint8

const (
	Flood   Event = iota // sent more than its limit
	Scan                 // named itself as an attack tool
	Rubbish              // sent what is no SIP, or broken
	Wrong                // unknown user or wrong password
	Outside              // tried to sign in from where nobody may
	Crowd                // opened more connections than its limit
	Knocks               // came while it was kept away
	events  = int(Knocks) + 1
)

// String is the word for an event on the timeline.
func (e Event) String() string {
	return [events]string{"flood", "scan", "rubbish", "wrong", "outside", "crowd", "knocks"}[e]
}

// Counts are how often each Event was noted.
type Counts [events]uint32

// Sum is how often anything was.
func (c Counts) Sum() (n uint32) {
	for _, v := range c {
		n += v
	}
	return n
}

func (c *Counts) add(o Counts) {
	for i, v := range o {
		c[i] += v
	}
}

const (
	maxSources = 4096 // that are remembered; the one that was heard of longest ago makes room
	maxPhones  = 4096 // flows of phones that are signed in

	phoneRate, phoneBurst       = 1000, 5000 // messages a second of a phone that is signed in
	sourceRate, sourceBurst     = 40, 300    // of one source, all strangers there together
	confinedRate, confinedBurst = 5, 10      // of a source that is kept away and has phones
	houseRate, houseBurst       = 1500, 3000
	outsideRate, outsideBurst   = 500, 1000 // of all strangers of the house's networks, and of all others

	memory   = 5 * time.Minute // within which events count together
	shortest = time.Minute     // that a source is kept away, at first
	inHouse  = 10 * time.Minute
	longest  = 24 * time.Hour
	mercy    = 24 * time.Hour // after which a source that behaved begins anew
)

// limit is how many events within memory have a source kept away.
func (e Event) limit() uint32 {
	return [events]uint32{Flood: 1000, Scan: 3, Rubbish: 200, Wrong: 12, Outside: 30, Crowd: 1000, Knocks: 1 << 31}[e]
}

// Guard remembers sources. The zero value guards with the zero Settings.
type Guard struct {
	set     Settings
	sources map[netip.Prefix]*source
	oldest  *source // of a ring of all sources, in the order in which they were heard of
	phones  map[netip.AddrPort]*phone
	living  map[netip.Prefix]int // phones of each source

	house, outside bucket // of all strangers together
	others         Counts // of sources that were forgotten, or are too many to be told one by one
	told           int    // sources told in this minute
	minute         time.Time
}

// phone is a flow on which somebody proved who he is.
type phone struct {
	bucket
	until time.Time
}

// source is an address, or the /64 of an IPv6 one.
type source struct {
	at         netip.Prefix
	prev, next *source
	bucket
	confined bucket

	since  time.Time // when what counts together began
	counts Counts    // since then
	total  Counts
	untold Counts
	first  time.Time // of what is untold
	bans   int       // so far; each lasts twice as long
	banned time.Time // until when; zero: it is not
	byHand bool
	news   bool // the ban is not told yet
	heard  time.Time
}

// Configure replaces the settings; what is remembered stays.
func (g *Guard) Configure(s Settings) { g.set = s }

// Source is what counts as one source: an IPv4 address, or the network of an IPv6 one.
func Source(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // both fit
	return p
}

// Look says whether a message from there may come in, before it is read.
func (g *Guard) Look(from netip.AddrPort, now time.Time) bool {
	p := g.phone(from, now)
	if p != nil {
		return g.set.NoLimits || p.take(phoneRate, phoneBurst, now) || g.trusted(from.Addr())
	}
	at := Source(from.Addr())
	s := g.sources[at]
	if s != nil && now.Before(s.banned) && !g.trusted(from.Addr()) {
		s.note(Knocks, now)
		return g.living[at] > 0 && s.confined.take(confinedRate, confinedBurst, now)
	}
	if g.set.NoLimits || g.trusted(from.Addr()) {
		return true
	}
	if s == nil {
		s = g.remember(at, now)
	}
	if s.take(sourceRate, sourceBurst, now) && g.all(from.Addr(), now) {
		return true
	}
	g.Note(from, Flood, now)
	return false
}

// all says whether strangers together have sent no more than the box can read beside its calls.
func (g *Guard) all(a netip.Addr, now time.Time) bool {
	if Within(g.set.House, a) {
		return g.house.take(houseRate, houseBurst, now)
	}
	return g.outside.take(outsideRate, outsideBurst, now)
}

// Connect says whether from may open a connection.
func (g *Guard) Connect(from netip.AddrPort, now time.Time) bool {
	if g.trusted(from.Addr()) {
		return true
	}
	at := Source(from.Addr())
	s := g.sources[at]
	if s == nil {
		s = g.remember(at, now)
	}
	if now.Before(s.banned) {
		s.note(Knocks, now)
		return g.living[at] > 0 && s.confined.take(confinedRate, confinedBurst, now)
	}
	if g.set.NoLimits || s.take(sourceRate, sourceBurst, now) {
		return true
	}
	g.Note(from, Crowd, now)
	return false
}

// Scanner says whether a message that names itself so comes from a known attack tool that shall get no
// answer. Phones that are signed in are believed.
func (g *Guard) Scanner(from netip.AddrPort, agent string, now time.Time) bool {
	if g.set.NoScanners || !isScanner(agent) || g.phone(from, now) != nil || g.trusted(from.Addr()) {
		return false
	}
	g.Note(from, Scan, now)
	return true
}

// Note counts e against from, and keeps from away where it is too much.
func (g *Guard) Note(from netip.AddrPort, e Event, now time.Time) {
	if g.trusted(from.Addr()) {
		return
	}
	at := Source(from.Addr())
	s := g.sources[at]
	if s == nil {
		s = g.remember(at, now)
	}
	g.refresh(s, now)
	s.note(e, now)
	if now.Sub(s.since) > memory {
		s.since, s.counts = now, Counts{}
	}
	s.counts[e]++
	if s.counts[e] >= e.limit() && !g.set.NoBans && !now.Before(s.banned) {
		s.ban(g.sentence(s, now), now)
	}
}

func (s *source) note(e Event, now time.Time) {
	if s.untold == (Counts{}) {
		s.first = now
	}
	s.untold[e]++
	s.total[e]++
}

// sentence is for how long a source is kept away now.
func (g *Guard) sentence(s *source, now time.Time) time.Duration {
	if !s.banned.IsZero() && now.Sub(s.banned) > mercy {
		s.bans = 0
	}
	most := longest
	if Within(g.set.House, s.at.Addr()) {
		most = inHouse
	}
	return min(shortest<<min(s.bans, 12), most)
}

func (s *source) ban(d time.Duration, now time.Time) {
	s.bans++
	s.banned, s.news, s.byHand = now.Add(d), true, false
	s.counts, s.since = Counts{}, now
	if s.untold == (Counts{}) {
		s.first = now
	}
}

// Welcome says that whoever is at from is known, a phone that has proved who it is or a peer that we spoke
// to, until then at least.
func (g *Guard) Welcome(from netip.AddrPort, until, now time.Time) {
	if p := g.phones[from]; p != nil {
		if until.After(p.until) {
			p.until = until
		}
		return
	}
	if g.phones == nil {
		g.phones, g.living = map[netip.AddrPort]*phone{}, map[netip.Prefix]int{}
	}
	if len(g.phones) >= maxPhones {
		g.sweep(now)
	}
	if len(g.phones) >= maxPhones {
		return // it is a stranger then, whom nothing but his own doings is held against
	}
	g.phones[from] = &phone{until: until}
	g.living[Source(from.Addr())]++
}

// Leave says that nobody is signed in at from any more.
func (g *Guard) Leave(from netip.AddrPort) {
	if g.phones[from] == nil {
		return
	}
	delete(g.phones, from)
	at := Source(from.Addr())
	if g.living[at]--; g.living[at] <= 0 {
		delete(g.living, at)
	}
}

// Known says whether a phone is signed in at from.
func (g *Guard) Known(from netip.AddrPort, now time.Time) bool { return g.phone(from, now) != nil }

func (g *Guard) phone(from netip.AddrPort, now time.Time) *phone {
	p := g.phones[from]
	if p == nil || now.Before(p.until) {
		return p
	}
	g.Leave(from)
	return nil
}

func (g *Guard) sweep(now time.Time) {
	for at, p := range g.phones {
		if !now.Before(p.until) {
			g.Leave(at)
		}
	}
}

// Ban keeps a source away for d, by the will of a person; Forgive forgets all that speaks against it, and
// says whether anything did.
func (g *Guard) Ban(a netip.Addr, d time.Duration, now time.Time) {
	at := Source(a)
	s := g.sources[at]
	if s == nil {
		s = g.remember(at, now)
	}
	s.ban(min(d, 365*longest), now)
	s.byHand = true
}

// Forgive takes a source back in.
func (g *Guard) Forgive(a netip.Addr) bool {
	s := g.sources[Source(a)]
	if s == nil {
		return false
	}
	g.forget(s)
	return true
}

func (g *Guard) trusted(a netip.Addr) bool { return len(g.set.Trusted) > 0 && Within(g.set.Trusted, a) }

// Within says whether a lies in one of list.
func Within(list []netip.Prefix, a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// isScanner knows attack tools by how they name themselves.
func isScanner(agent string) bool {
	for _, name := range [...]string{"friendly-scanner", "friendly-request", "sipvicious", "svmap", "svwar", "svcrack", "sundayddr", "sipcli",
		"sip-scan", "sipscan", "sivus", "iwar", "smap", "vaxsipuseragent", "vaxipuseragent", "pplsip", "siparmyknife", "sipptest"} {
		if containsFold(agent, name) {
			return true
		}
	}
	return false
}

// containsFold says whether s holds the lower-case name, in any case.
func containsFold(s, name string) bool {
	for i := 0; i+len(name) <= len(s); i++ {
		j := 0
		for j < len(name) && lower(s[i+j]) == name[j] {
			j++
		}
		if j == len(name) {
			return true
		}
	}
	return false
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
