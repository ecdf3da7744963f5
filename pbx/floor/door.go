package floor

import (
	"strings"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/config"
)

// fromDoor begins the call of a door station. Whatever it dials, it reaches its target alone.
func (f *Floor) fromDoor(s hal.Incoming, door *config.Extension) {
	if len(door.Target) == 0 {
		f.end(f.beginAt(s, call.Internal, s.To), hal.Unallocated, call.BySystem)
		return
	}
	to := door.Target[0]
	c := f.beginAt(s, call.Internal, hal.Number(to))
	c.record = door.Record
	if len(door.Target) == 1 && f.queue(to) != nil {
		f.enqueue(c, to)
		return
	}
	f.ringAll(c, door.Target)
}

// ringAll lets several extensions ring for the caller of c; the first that answers has him. One alone may
// forward its calls; of several, those ring that can.
func (f *Floor) ringAll(c *contact, extensions []string) {
	c.passed, c.diverted = nil, ""
	if len(extensions) == 1 {
		f.ring(c, extensions[0])
		return
	}
	rings := false
	for _, e := range extensions {
		p := f.phone(e)
		if f.extension(e) == nil || p.contacts == 0 || f.forwards(e).DND || p == c.caller.phone {
			continue
		}
		rings = true
		f.dial(c, p, together, f.now.Add(directRing))
	}
	if !rings {
		f.missing(c, hal.Unreachable, call.BySystem)
	}
}

// callOff hangs up all that ring together with l.
func (f *Floor) callOff(c *contact, l *leg) {
	for _, o := range c.legsNow() {
		if o != l && o.kind == together && !o.answered && !o.ending {
			f.hangup(o, hal.Elsewhere)
		}
	}
}

// othersRing tells whether another phone rings together with l.
func (c *contact) othersRing(l *leg) bool {
	for _, o := range c.others {
		if o != l && o.kind == together && !o.ending {
			return true
		}
	}
	return false
}

// opensDoor takes that the party on l may have pressed what opens the door that it talks with. The keys of
// our own phones have gone there one by one; those of others are sent now.
func (f *Floor) opensDoor(c *contact, l *leg, keys string) bool {
	station := c.other(l)
	if station == nil || station.phone == nil {
		return false
	}
	door := f.extension(station.phone.extension)
	if door == nil || !door.IsDoor() || door.Open == "" || !strings.HasSuffix(keys, door.Open) {
		return false
	}
	l.pressed = pressed{}
	number, _ := f.who(l)
	f.fact(call.DoorOpened{Call: c.id, Leg: station.id, Extension: door.Number, By: l.id, Number: number})
	if l.phone == nil {
		f.order(hal.Digits{Leg: station.id, Ref: f.ref("keys"), Keys: door.Open})
	}
	return true
}

// isDoor tells whether p is a door station.
func (f *Floor) isDoor(p *phone) bool {
	if p == nil {
		return false
	}
	ext := f.extension(p.extension)
	return ext != nil && ext.IsDoor()
}

// isFax tells whether a fax machine is in the conversation of c: nothing is recorded then.
func (f *Floor) isFax(c *contact) bool {
	for _, l := range [...]*leg{c.caller, c.peer} {
		if l != nil && l.phone != nil {
			if ext := f.extension(l.phone.extension); ext != nil && ext.Fax {
				return true
			}
		}
	}
	return false
}
