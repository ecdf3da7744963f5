package sip

import (
	"net/netip"
	"slices"
	"time"

	"branchline/pbx/sip/guard"
	"branchline/pbx/sip/registrar"
)

// Guard is what the configuration says about the door. The zero value guards everything: phones come from
// the networks that the box is attached to alone.
type Guard struct {
	guard.Settings
	Anywhere bool                      // phones may sign in from any network
	Networks []netip.Prefix            // from which they may beside those that the box is attached to
	Adopted  map[string][]netip.Prefix // from which this extension may besides
}

// bindingGrace is how long a phone counts as signed in beyond its binding: its clock may be slow, and a
// REGISTER be lost.
const bindingGrace = time.Minute

// provedGrace is how long one who has proved who he is, but is not signed in, is no stranger.
const provedGrace = 5 * time.Minute

// configureDoor takes new settings, and what networks the box is attached to now.
func (d *desk) configureDoor(g Guard) {
	d.guarded = g
	d.house = append(d.attached(), g.Networks...)
	set := g.Settings
	set.House = d.house
	d.door.Configure(set)
}

// admits says whether extension may sign in and call from a; admitsAnybody whether any may.
func (d *desk) admits(extension string, a netip.Addr) bool {
	return d.guarded.Anywhere || guard.Within(d.house, a) || guard.Within(d.guarded.Adopted[extension], a)
}

func (d *desk) admitsAnybody(a netip.Addr) bool {
	if d.guarded.Anywhere || guard.Within(d.house, a) {
		return true
	}
	for _, networks := range d.guarded.Adopted {
		if guard.Within(networks, a) {
			return true
		}
	}
	return false
}

// bound notes at the door where a phone is signed in, or is no more.
func (d *desk) bound(c registrar.Change) {
	if !c.Gone {
		d.door.Welcome(c.Binding.Remote, time.Now().Add(c.Binding.Expires.Sub(d.clock.now())+bindingGrace))
	}
	if c.Gone {
		d.unbound(c.Binding.Remote)
	} else if c.Was.Remote.IsValid() {
		d.unbound(c.Was.Remote)
	}
}

func (d *desk) unbound(at netip.AddrPort) {
	for b := range d.reg.All() {
		if b.Remote == at {
			return
		}
	}
	d.door.Leave(at)
}

// tellGuarded tells of what was kept away.
func (d *desk) tellGuarded() {
	for _, s := range d.door.Report(d.name) {
		d.out.Put(s)
	}
}

// Guarded gives who was kept away or has something against him, at most so many; those who are kept away
// come first.
func (p *Phones) Guarded(most int) []guard.Line { return p.door.List(most) }

// Forgive takes a source back in and forgets what speaks against it; false: nothing does.
func (p *Phones) Forgive(a netip.Addr) bool { return p.door.Forgive(a) }

// Ban keeps a source away for that long. Phones that are signed in there stay.
func (p *Phones) Ban(a netip.Addr, length time.Duration) { p.door.Ban(a, length) }

// clone is g with lists of its own.
func (g Guard) clone() Guard {
	g.Networks, g.Trusted = slices.Clone(g.Networks), slices.Clone(g.Trusted)
	return g
}
