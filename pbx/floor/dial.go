package floor

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/config"
	"branchline/pbx/number"
	"branchline/pbx/route"
)

// outside is what is left to try for a number outside.
type outside struct {
	number number.Number
	route  *config.Route
	lines  []string
}

// seek looks for whom the caller of c wants, on the account of an extension: what its class does not
// allow is refused. What comes of it is connect, or missing.
func (f *Floor) seek(c *contact, place route.Place, account string) {
	c.passed, c.diverted = nil, ""
	f.lookFor(c, place, account)
}

func (f *Floor) lookFor(c *contact, place route.Place, account string) {
	switch {
	case place.Kind != route.Extension && place.Kind != route.Outside:
		f.missing(c, hal.Unallocated, call.BySystem)
	case !f.may(account, place):
		f.missing(c, hal.Forbidden, call.BySystem)
	case place.Kind == route.Extension:
		f.ring(c, string(place.To))
	default:
		c.next = outside{number: place.Number, route: place.Route, lines: f.ordered(place)}
		f.dialOutside(c, hal.Congestion)
	}
}

// may tells whether an extension's class of service reaches place.
func (f *Floor) may(extension string, place route.Place) bool {
	class := ""
	if ext := f.extension(extension); ext != nil {
		class = ext.Class
	}
	return route.Allowed(f.doc.Class(class), place.Number)
}

// missing takes that whom the caller wants cannot be had.
func (f *Floor) missing(c *contact, cause hal.Cause, by call.Party) {
	if c.transfer != nil {
		f.transferFailed(c, cause)
		return
	}
	f.end(c, cause, by)
}

// dial opens a leg of c to a phone of ours, to be answered by until.
func (f *Floor) dial(c *contact, p *phone, kind legKind, until time.Time) *leg {
	l := f.open(c, f.inside, kind, hal.Number(p.extension), p)
	l.deadline = until
	o := hal.Dial{Leg: l.id, To: hal.Number(p.extension), Diverted: hal.Number(c.diverted)}
	o.AutoAnswer = f.isDoor(p)
	o.Show, o.Name = f.who(c.caller)
	switch t := c.transfer; {
	case t == nil:
	case t.back && t.note != "":
		o.Name = t.note
	case t.first && t.by != nil:
		o.Show, o.Name = f.who(t.by)
	}
	l.shown = o.Show
	f.order(o)
	return l
}

// who is the party on l, as its other side is told.
func (f *Floor) who(l *leg) (hal.Number, string) {
	if l.phone == nil {
		return l.number, l.name
	}
	if ext := f.extension(l.phone.extension); ext != nil && ext.Name != "" {
		return hal.Number(l.phone.extension), ext.Name
	}
	return hal.Number(l.phone.extension), l.name
}

// ordered gives the lines of place in the order in which they are tried.
func (f *Floor) ordered(place route.Place) []string {
	lines := slices.Clone(place.Lines)
	if place.Route == nil {
		return lines
	}
	switch place.Route.Pick {
	case config.PickLeastUsed:
		slices.SortStableFunc(lines, func(a, b string) int { return cmp.Compare(f.legsOn(a), f.legsOn(b)) })
	case config.PickRoundRobin:
		slices.SortStableFunc(lines, func(a, b string) int { return cmp.Compare(f.line(a).dialled, f.line(b).dialled) })
	}
	return lines
}

// dialOutside tries the next line that can take the call.
func (f *Floor) dialOutside(c *contact, otherwise hal.Cause) {
	for len(c.next.lines) > 0 {
		name := c.next.lines[0]
		c.next.lines = c.next.lines[1:]
		if !f.free(name) {
			continue
		}
		n, conf := c.next.number, f.lineConf(name)
		l := f.open(c, name, abroad, n.Shown(), nil)
		l.deadline = f.before(c, outsideOpen)
		o := hal.Dial{Leg: l.id, To: f.plan.As(n, conf.Form), Show: route.Shown(c.next.route, conf)}
		if c.diverted != "" {
			o.Diverted = cmp.Or(o.Show, hal.Number(c.diverted))
		}
		f.order(o)
		return
	}
	f.missing(c, otherwise, call.BySystem)
}

// before is for from now on, or until when c waits at most.
func (f *Floor) before(c *contact, wait time.Duration) time.Time {
	at := f.now.Add(wait)
	if !c.until.IsZero() && c.until.Before(at) {
		return c.until
	}
	return at
}

// free tells whether a line can take one more call.
func (f *Floor) free(name string) bool {
	ln := f.line(name)
	most := ln.traits.Legs
	if set := f.lineConf(name).Channels; set > 0 && (most == 0 || set < most) {
		most = set
	}
	return ln.up && (most == 0 || f.legsOn(name) < most)
}

// lineConf is what is configured of a line; the zero Line where it is being taken out.
func (f *Floor) lineConf(name string) *config.Line {
	for i := range f.doc.Lines {
		if f.doc.Lines[i].Name == name {
			return &f.doc.Lines[i]
		}
	}
	return &config.Line{}
}

// opened takes that the wire has begun with a leg: from now on it may ring.
func (f *Floor) opened(l *leg) {
	if l.opened || l.ending {
		return
	}
	l.opened = true
	if l.kind == abroad && !l.answered {
		l.deadline = f.before(l.of, l.born.Add(outsideRing).Sub(f.now))
	}
}

// open makes a leg that the box dials and states it.
func (f *Floor) open(c *contact, line string, kind legKind, to hal.Number, p *phone) *leg {
	f.nLegs++
	l := &leg{id: hal.OutgoingLeg(line, f.state.Boot, f.nLegs), of: c, kind: kind, phone: p, number: to, born: f.now}
	f.line(line).dialled = f.nLegs
	c.others = append(c.others, l)
	f.legs[l.id] = l
	dialed := call.Dialed{Call: c.id, Leg: l.id, Line: line, To: to}
	if p != nil {
		p.legs = append(p.legs, l)
		dialed.Extension = p.extension
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
	for id := range f.legs {
		if strings.HasPrefix(string(id), line+"#") {
			n++
		}
	}
	return n
}
