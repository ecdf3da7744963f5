package leg

import "branchline/hal"

// Identity is how a dialog of a leg is named on the wire: what another phone needs to take its place
// (Replaces: RFC 3891 3).
type Identity struct {
	CallID string
	Ours   string // our tag
	Theirs string // the peer's tag; "" while it has said none
}

// Identity says how the dialog of a leg is named; of one that rings at several phones that of the first
// that rang. false: there is no such leg.
func (t *Table) Identity(id hal.LegID) (Identity, bool) {
	l := t.legs[id]
	if l == nil {
		return Identity{}, false
	}
	i := Identity{CallID: l.callID, Ours: l.tag}
	if l.dialog != nil {
		i.Theirs = l.dialog.Remote.Tag()
		return i, true
	}
	for _, f := range l.forks {
		if len(f.early) > 0 && !f.done {
			i.Theirs = f.early[0].tag
			break
		}
	}
	return i, true
}
