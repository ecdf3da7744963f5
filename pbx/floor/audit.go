package floor

import (
	"slices"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/config"
	"branchline/pbx/number"
)

// settle is how long a new leg may be unknown to its line's census, and how many censuses in a row.
const (
	settle    = 2 * time.Second
	lostAfter = 2
)

// audit compares the floor's legs with those that the wire itself knows: a leg that one side has
// lost is ended on the other, so that neither a caller nor an agent hangs in nothing.
func (f *Floor) audit(s hal.Census) {
	for _, c := range slices.Clone(f.calls) {
		f.busy = c
		for _, l := range c.legsNow() {
			if l.id.Line() != s.Name || f.legs[l.id] != l {
				continue
			}
			if slices.Contains(s.Legs, l.id) || f.now.Sub(l.born) < settle {
				l.lost = 0
				continue
			}
			if l.lost++; l.lost >= lostAfter {
				f.vanish(l, "does not know this leg any more")
			}
		}
	}
	for _, id := range s.Legs {
		if f.legs[id] == nil {
			f.order(hal.Hangup{Leg: id, Cause: hal.Normal})
		}
	}
}

// configure takes a new document under live calls: calls go on, in the flow that they are in; who
// waits in a queue that is no more flows on; an agent who is no more is signed out after his call.
func (f *Floor) configure(doc *config.Doc) {
	f.doc, f.plan = doc, number.Of(doc)
	f.acd.Configure(doc)
	for _, d := range doc.Agents {
		a := f.agent(d.Number)
		if a == nil {
			a = f.addAgent(d)
		}
		if a.gone { // brought back before his last call has ended: he stays where he is
			a.gone, a.leaving = false, false
		}
	}
	for _, a := range slices.Clone(f.agents) {
		if !slices.ContainsFunc(doc.Agents, func(d config.Agent) bool { return d.Number == a.number }) {
			a.gone, a.leaving = true, true
		}
		if f.isDoor(a.phone) {
			a.leaving = true
		}
		f.show(a, "system", call.ByConfig)
	}
	f.agents = slices.DeleteFunc(f.agents, func(a *agent) bool { return a.gone && a.phone == nil })
	for _, c := range slices.Clone(f.calls) {
		if c.visit != nil && f.queue(c.visit.queue) == nil && !f.answeredOffer(c) {
			f.flowOut(c, call.ExitSystem)
		}
	}
}
