package trace

import (
	"bytes"
	"hash/maphash"
	"net/netip"

	"branchline/hal"
)

// Ladder is what the parties of a call and the box said to each other.
type Ladder struct {
	Parties []Party
	Steps   []Step
}

// Party is one far end.
type Party struct {
	Peer string // an extension, a trunk; "" where it is not known
	At   netip.AddrPort
}

// Step is one message of a Ladder.
type Step struct {
	Message
	Summary
	Leg   hal.LegID // "" where it belongs to none
	Party int       // of Parties
	Again bool      // the same has gone the same way before
}

// Ladder puts the messages of legs that are still kept in order, all parties beside each other. whole leaves
// in what Blank takes out. It looks at all that is kept.
func (t *Trace) Ladder(legs []hal.LegID, whole bool) Ladder {
	calls := t.CallIDs(legs)
	var out Ladder
	seen, seed := map[uint64]bool{}, maphash.MakeSeed()
	for m, ok := t.Next(0); ok; m, ok = t.Next(m.No) {
		leg, ours := calls[callID(m.Text)]
		if !ours {
			continue
		}
		s := NewStep(m, whole)
		s.Leg, s.Party = leg.ID, out.party(Party{leg.Peer, m.Remote})
		var key maphash.Hash
		key.SetSeed(seed)
		_, _ = key.Write(m.Text) // it does not fail
		_, _ = key.WriteString(m.Remote.String())
		s.Again = seen[key.Sum64()]
		seen[key.Sum64()] = true
		out.Steps = append(out.Steps, s)
	}
	return out
}

// CallIDs are those of legs, as far as they are known.
func (t *Trace) CallIDs(legs []hal.LegID) map[string]Leg {
	calls := map[string]Leg{}
	for _, id := range legs {
		if l, ok := t.Leg(id); ok {
			calls[l.CallID] = l
		}
	}
	return calls
}

// Concerns says whether m has one of the Call-IDs of calls.
func (m *Message) Concerns(calls map[string]Leg) bool {
	_, ok := calls[callID(m.Text)]
	return ok
}

// NewStep sums m up; whole leaves in what Blank takes out.
func NewStep(m Message, whole bool) Step {
	if !whole {
		m.Text = bytes.Clone(m.Text)
		Blank(m.Text)
	}
	return Step{Message: m, Summary: Read(m.Text)}
}

func (l *Ladder) party(p Party) int {
	for i, o := range l.Parties {
		if o == p {
			return i
		}
	}
	l.Parties = append(l.Parties, p)
	return len(l.Parties) - 1
}
