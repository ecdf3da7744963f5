package uitest

import (
	"net/netip"
	"time"

	"branchline/ui/api"
)

// door keeps one source away and has something against another; it takes all that it is asked.
type door struct{}

// Sources is ui.Door's.
func (door) Sources() []api.GuardSource {
	until := Now().Add(4 * time.Minute)
	return []api.GuardSource{
		{Line: "phones", Source: "203.0.113.7", Counts: map[string]int{"wrong": 12, "knocks": 340}, Heard: Now().Add(-time.Second), Until: &until, Phones: 1},
		{Line: "acme", Source: "2001:db8:1:2::/64", Counts: map[string]int{"flood": 95}, Heard: Now().Add(-time.Hour)},
	}
}

// Forgive is ui.Door's.
func (door) Forgive(a netip.Addr) bool { return a == netip.MustParseAddr("203.0.113.7") }

// Ban is ui.Door's.
func (door) Ban(netip.Addr, time.Duration) {}
