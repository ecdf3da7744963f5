package wire

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"branchline/hal"
	"branchline/pbx/sip/guard"
)

// Door is the guard that the readers of all sockets and the goroutine of Run ask. It outlives a Wire, so
// that who is kept away stays away. The zero value guards with the zero guard.Settings; its methods may be
// called by anybody and do not wait for anything but each other.
type Door struct {
	mu    sync.Mutex // guards what follows
	guard guard.Guard
}

// spokenTo is how long somebody to whom we have sent a request is no stranger: his answers, and if he is a
// provider his calls, must not be lost to what others send under his address.
const spokenTo = 2 * time.Minute

// Configure replaces the settings.
func (d *Door) Configure(s guard.Settings) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.guard.Configure(s)
}

// Welcome says that whoever is at from is known until then at least: he has proved who he is. Whoever is
// sent a request is known for spokenTo by himself.
func (d *Door) Welcome(from netip.AddrPort, until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.guard.Welcome(from, until, time.Now())
}

// Leave says that nobody is signed in at from any more.
func (d *Door) Leave(from netip.AddrPort) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.guard.Leave(from)
}

// Note counts what speaks against from.
func (d *Door) Note(from netip.AddrPort, e guard.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.guard.Note(from, e, time.Now())
}

// Ban keeps a source away for that long, Forgive takes it back; false: nothing spoke against it.
func (d *Door) Ban(a netip.Addr, length time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.guard.Ban(a, length, time.Now())
}

// Forgive takes a source back in.
func (d *Door) Forgive(a netip.Addr) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.guard.Forgive(a)
}

// Report gives what the line of that name is to tell since the call before. It is called each second or so.
func (d *Door) Report(line string) (out []hal.Guarded) {
	d.mu.Lock()
	told := d.guard.Report(time.Now())
	d.mu.Unlock()
	for _, l := range told {
		s := hal.Guarded{Name: line, Counts: map[string]int{}, ByHand: l.ByHand}
		if !l.Until.IsZero() {
			s.For = time.Until(l.Until).Round(time.Second)
		}
		if l.Source.IsValid() {
			s.Source = guard.Text(l.Source)
		}
		for e, n := range l.Counts {
			if n > 0 {
				s.Counts[guard.Event(e).String()] = int(n)
			}
		}
		out = append(out, s)
	}
	return out
}

// List gives at most so many sources that something speaks against.
func (d *Door) List(most int) []guard.Line {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.guard.List(most, time.Now())
}

// look judges a message before it is read; known: it comes from a phone that is signed in.
func (d *Door) look(from netip.AddrPort, data []byte, now time.Time) (in, known bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.guard.Look(from, now) {
		return false, false
	}
	if d.guard.Known(from, now) {
		return true, true
	}
	return !d.guard.Scanner(from, agentOf(data), now), false
}

func (d *Door) connect(from netip.AddrPort) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.guard.Connect(from, time.Now())
}

// agentOf is the User-Agent of a message that is not read yet, as far as a quick look finds it.
func agentOf(data []byte) string {
	const name = "user-agent"
	for i := 0; i+len(name) < len(data); i++ {
		if data[i] != '\n' {
			continue
		}
		line := data[i+1:]
		if len(line) < len(name)+1 || line[0] == '\r' || line[0] == '\n' {
			return ""
		}
		if !foldPrefix(line, name) {
			continue
		}
		end := 0
		for end < len(line) && end < 200 && line[end] != '\n' {
			end++
		}
		return string(line[len(name):end])
	}
	return ""
}

// foldPrefix says whether b begins with the lower-case name, in any case.
func foldPrefix(b []byte, name string) bool {
	for i := range len(name) {
		if b[i]|0x20 != name[i]|0x20 {
			return false
		}
	}
	return true
}

// AttachedNetworks are the networks that the box is attached to and that can be its house's: its own addresses,
// loopback, all of IPv6, and the private ones of IPv4. Who shares a public network with the box is a stranger.
func AttachedNetworks() (out []netip.Prefix) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, i := range all {
		p, err := netip.ParsePrefix(i.String())
		if err != nil {
			continue
		}
		a := p.Addr().Unmap()
		out = append(out, netip.PrefixFrom(a, a.BitLen()))
		if a.Is6() || a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() {
			out = append(out, p.Masked())
		}
	}
	return out
}
