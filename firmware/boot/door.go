package boot

import (
	"net/netip"
	"time"

	"branchline/pbx/sip"
	"branchline/pbx/sip/guard"
	"branchline/ui"
	"branchline/ui/api"
)

// door is the guard of the desk phones' line as the API sees it.
type door struct{ phones *sip.Phones }

var _ ui.Door = door{}

// maxShown bounds how many sources are listed: the worst come first.
const maxShown = 200

// Sources is ui.Door's.
func (d door) Sources() []api.GuardSource {
	out := []api.GuardSource{}
	for _, l := range d.phones.Guarded(maxShown) {
		s := api.GuardSource{Source: guard.Text(l.Source), Counts: map[string]int{}, Heard: l.Heard.UTC(), ByHand: l.ByHand, Phones: l.Phones}
		for e, n := range l.Counts {
			if n > 0 {
				s.Counts[guard.Event(e).String()] = int(n)
			}
		}
		if !l.Until.IsZero() {
			until := l.Until.UTC()
			s.Until = &until
		}
		out = append(out, s)
	}
	return out
}

// Forgive is ui.Door's.
func (d door) Forgive(a netip.Addr) bool { return d.phones.Forgive(a) }

// Ban is ui.Door's.
func (d door) Ban(a netip.Addr, length time.Duration) { d.phones.Ban(a, length) }
