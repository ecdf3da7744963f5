package floor

import (
	"time"

	"branchline/hal"
	"branchline/pbx/call"
)

// outside is what is left to try for a number outside.
type outside struct {
	to    hal.Number
	lines []string
}

// dial opens a leg of c to a phone of ours, to be answered by until.
func (f *Floor) dial(c *contact, p *phone, kind legKind, until time.Time) *leg {
	l := f.open(c, f.inside, kind, hal.Number(p.extension), p)
	l.deadline = until
	name := c.name
	if c.caller.phone != nil {
		if ext := f.extension(c.caller.phone.extension); ext != nil {
			name = ext.Name
		}
	}
	f.order(hal.Dial{Leg: l.id, To: hal.Number(p.extension), Show: c.from, Name: name})
	return l
}

// dialOutside tries the next line that can take the call; with none left the caller is refused.
func (f *Floor) dialOutside(c *contact, otherwise hal.Cause) {
	for len(c.next.lines) > 0 {
		name := c.next.lines[0]
		c.next.lines = c.next.lines[1:]
		ln := f.lines[name]
		if ln == nil || !ln.up || ln.traits.Legs > 0 && f.legsOn(name) >= ln.traits.Legs {
			continue
		}
		l := f.open(c, name, abroad, c.next.to, nil)
		l.deadline = f.now.Add(outsideRing)
		f.order(hal.Dial{Leg: l.id, To: c.next.to})
		return
	}
	f.end(c, otherwise, call.BySystem)
}

// open makes a leg that the box dials and states it.
func (f *Floor) open(c *contact, line string, kind legKind, to hal.Number, p *phone) *leg {
	f.nLegs++
	l := &leg{id: hal.OutgoingLeg(line, f.state.Boot, f.nLegs), of: c, kind: kind, phone: p, born: f.now}
	c.others = append(c.others, l)
	f.legs[l.id] = l
	dialed := call.Dialed{Call: c.id, Leg: l.id, Line: line, To: to}
	if p != nil {
		p.legs = append(p.legs, l)
		if p.agent != nil {
			dialed.Agent = p.agent.number
		}
	}
	f.fact(dialed)
	if p != nil {
		f.show(p.agent, "", call.ByCall)
	}
	return l
}

func (f *Floor) legsOn(line string) (n int) {
	for _, c := range f.calls {
		if c.caller != nil && c.caller.id.Line() == line {
			n++
		}
		for _, l := range c.others {
			if l.id.Line() == line {
				n++
			}
		}
	}
	return n
}
