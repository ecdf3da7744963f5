package guard

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// bucket lets through so many a second, after a burst. The zero value is full.
type bucket struct {
	spent float64 // of the burst
	last  time.Time
}

func (b *bucket) take(rate, burst float64, now time.Time) bool {
	if d := now.Sub(b.last).Seconds(); d > 0 {
		b.spent, b.last = max(0, b.spent-d*rate), now
	}
	if b.spent+1 > burst {
		return false
	}
	b.spent++
	return true
}

// remember makes a source that is not known yet; the one that was heard of longest ago makes room.
func (g *Guard) remember(at netip.Prefix, now time.Time) *source {
	if g.sources == nil {
		g.sources = map[netip.Prefix]*source{}
	}
	if len(g.sources) >= maxSources {
		g.forget(g.victim(now))
	}
	s := &source{at: at, since: now, heard: now}
	g.sources[at] = s
	g.append(s)
	return s
}

// victim is who makes room: of the few heard of longest ago one who is not kept away, if there is one.
func (g *Guard) victim(now time.Time) *source {
	s := g.oldest
	for range 16 {
		if !now.Before(s.banned) {
			return s
		}
		s = s.next
	}
	return g.oldest
}

func (g *Guard) append(s *source) {
	if g.oldest == nil {
		g.oldest, s.prev, s.next = s, s, s
		return
	}
	s.prev, s.next = g.oldest.prev, g.oldest
	s.prev.next, s.next.prev = s, s
}

func (g *Guard) remove(s *source) {
	s.prev.next, s.next.prev = s.next, s.prev
	if g.oldest == s {
		g.oldest = s.next
	}
	if s.next == s {
		g.oldest = nil
	}
}

// refresh makes s the one heard of last.
func (g *Guard) refresh(s *source, now time.Time) {
	s.heard = now
	g.remove(s)
	g.append(s)
}

func (g *Guard) forget(s *source) {
	g.others.add(s.untold)
	g.remove(s)
	delete(g.sources, s.at)
}

// Line is what is known of one source.
type Line struct {
	Source netip.Prefix // zero: of sources that are not told one by one
	Counts Counts
	Heard  time.Time
	Until  time.Time // it is kept away until then; zero: it is not
	ByHand bool      // a person keeps it away
	Phones int       // that are signed in there
}

const (
	perMinute = 30 // sources that Report tells of in a minute; the others together are one
	perCall   = 10
)

// Report gives what is to be told since the call before: of each source once a minute, and of whoever is
// kept away at once. It is called each second or so.
func (g *Guard) Report(now time.Time) (out []Line) {
	if now.Sub(g.minute) >= time.Minute {
		if g.others.Sum() > 0 {
			out = append(out, Line{Counts: g.others, Heard: now})
		}
		g.minute, g.told, g.others = now, 0, Counts{}
	}
	for _, s := range g.sources {
		due := s.untold.Sum() > 0 && now.Sub(s.first) >= time.Minute
		if !s.news && !due || len(out) >= perCall {
			continue
		}
		if g.told++; g.told > perMinute {
			g.others.add(s.untold)
		} else {
			l := g.line(s, now)
			l.Counts = s.untold
			out = append(out, l)
		}
		s.untold, s.news = Counts{}, false
	}
	slices.SortFunc(out, func(a, b Line) int { return a.Source.Addr().Compare(b.Source.Addr()) })
	return out
}

// List gives all sources that something speaks against, those that are kept away first, then those heard
// of last; at most so many.
func (g *Guard) List(most int, now time.Time) (out []Line) {
	for _, s := range g.sources {
		if s.total.Sum() > 0 || now.Before(s.banned) {
			out = append(out, g.line(s, now))
		}
	}
	slices.SortFunc(out, func(a, b Line) int {
		return cmp.Or(b.Until.Compare(a.Until), b.Heard.Compare(a.Heard), a.Source.Addr().Compare(b.Source.Addr()))
	})
	return out[:min(len(out), most)]
}

func (g *Guard) line(s *source, now time.Time) Line {
	l := Line{Source: s.at, Counts: s.total, Heard: s.heard, Phones: g.living[s.at]}
	if now.Before(s.banned) {
		l.Until, l.ByHand = s.banned, s.byHand
	}
	return l
}

// Text is a source as people read it: an address, or the network that counts as one.
func Text(source netip.Prefix) string {
	if source.Addr().Is4() {
		return source.Addr().String()
	}
	return source.String()
}
