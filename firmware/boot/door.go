package boot

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"branchline/hal"
	"branchline/pbx/sip"
	"branchline/pbx/sip/guard"
	"branchline/pbx/sip/trunk"
	"branchline/ui"
	"branchline/ui/api"
)

// door is the guards of all SIP lines as the API sees them: that of the desk phones and one for each trunk.
type door struct{ box *Box }

var _ ui.Door = door{}

// guarded is a SIP line with a door.
type guarded interface {
	hal.Line
	Guarded(most int) []guard.Line
	Forgive(a netip.Addr) bool
	Ban(a netip.Addr, length time.Duration)
}

var (
	_ guarded = (*sip.Phones)(nil)
	_ guarded = (*trunk.Trunk)(nil)
)

// maxShown bounds how many sources are listed of each line: the worst come first.
const maxShown = 200

func (d door) lines() []guarded {
	out := []guarded{d.box.phones}
	for _, l := range d.box.lines.all() {
		if g, ok := l.(guarded); ok {
			out = append(out, g)
		}
	}
	return out
}

// Sources is ui.Door's.
func (d door) Sources() []api.GuardSource {
	out := []api.GuardSource{}
	for _, at := range d.lines() {
		for _, l := range at.Guarded(maxShown) {
			out = append(out, source(at.Name(), l))
		}
	}
	slices.SortStableFunc(out, func(a, b api.GuardSource) int { // who is kept away, at whatever door, comes first
		return cmp.Compare(kept(b), kept(a))
	})
	return out
}

func kept(s api.GuardSource) int {
	if s.Until != nil {
		return 1
	}
	return 0
}

func source(line string, l guard.Line) api.GuardSource {
	s := api.GuardSource{Line: line, Source: guard.Text(l.Source), Counts: map[string]int{}, Heard: l.Heard.UTC(), ByHand: l.ByHand, Phones: l.Phones}
	for e, n := range l.Counts {
		if n > 0 {
			s.Counts[guard.Event(e).String()] = int(n)
		}
	}
	if !l.Until.IsZero() {
		until := l.Until.UTC()
		s.Until = &until
	}
	return s
}

// Forgive is ui.Door's.
func (d door) Forgive(a netip.Addr) bool {
	any := false
	for _, at := range d.lines() {
		any = at.Forgive(a) || any
	}
	return any
}

// Ban is ui.Door's.
func (d door) Ban(a netip.Addr, length time.Duration) {
	for _, at := range d.lines() {
		at.Ban(a, length)
	}
}
