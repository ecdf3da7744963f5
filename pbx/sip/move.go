package sip

import (
	"branchline/hal"
	"branchline/pbx/sip/header"
	"branchline/pbx/sip/leg"
	"branchline/pbx/sip/registrar"
	"branchline/pbx/sip/wire"
)

// peers is what the legs ask of the desk.
type peers struct {
	leg.Direct
	desk *desk
}

var _ leg.Introducer = peers{}

// Proves asks a phone that changed its network, or somebody who has seen our Call-ID, for its password.
func (p peers) Proves(peer string, r *wire.Request) bool {
	extension, ok := p.desk.authorise(r)
	if ok && extension != peer {
		p.desk.legs.Reply(r, wire.Response{Code: 403})
		return false
	}
	return ok
}

// Identity is said in both ways that phones know (RFC 3325; draft-ietf-sip-privacy-04).
func (p peers) Identity(flow wire.Flow, o hal.Show) []wire.Header {
	uri, privacy := header.MakeURI(string(o.Number), flow.Local), "off"
	if o.Private {
		o.Number, o.Name = "", ""
	}
	if o.Number == "" {
		uri, _ = header.ParseURI("sip:anonymous@anonymous.invalid")
		privacy = "full"
	}
	who := header.MakeAddress(header.Plain(o.Name), uri, "").Text
	return []wire.Header{{Name: "P-Asserted-Identity", Value: who},
		{Name: "Remote-Party-ID", Value: who + ";party=called;screen=yes;privacy=" + privacy}}
}

func (p peers) Heard(flow wire.Flow) { p.desk.alive(flow) }

// Lost handles the end of a phone's connection: nobody is reached by it any more.
func (d *desk) Lost(flow wire.Flow) {
	changes := d.reg.Lost(flow)
	for _, l := range d.legs.Lost(flow) {
		for _, c := range changes {
			if c.Binding.Extension == l.Peer() {
				d.stranded[l] = c.Binding
			}
		}
	}
	d.lamps.Lost(flow)
	d.changed(changes, "its connection is gone")
}

// moved takes the calls of a phone along that has signed in from elsewhere, or by a new connection:
// where it was it is not heard any more.
func (d *desk) moved(c registrar.Change) {
	if c.Gone {
		return
	}
	for l := range d.legs.All() {
		flow, ok := l.Flow()
		if l.Peer() != c.Binding.Extension || !ok {
			continue
		}
		was, stranded := d.stranded[l]
		stranded = stranded && flow == was.Flow() // else it has come back by itself
		if c.Was.Local.IsValid() && flow == c.Was || stranded && was.SamePhone(c.Binding) {
			l.Move(c.Binding.Flow())
			delete(d.stranded, l)
		}
	}
}

// unstrand forgets the phones of calls that are no more.
func (d *desk) unstrand() {
	if len(d.stranded) == 0 {
		return
	}
	left := map[*leg.Leg]registrar.Binding{}
	for l := range d.legs.All() {
		if b, ok := d.stranded[l]; ok {
			left[l] = b
		}
	}
	d.stranded = left
}

// Stray ends a call of before the restart that a phone of ours believes to have answered.
func (d *desk) Stray(res *wire.Response) {
	for b := range d.reg.All() {
		if b.Flow() == res.Flow {
			d.legs.Stray(res)
			return
		}
	}
}
