package floor

import "branchline/hal"

// What a network lets be heard before the answer, its ringing, a melody, an announcement, reaches who has
// dialled: his phone is told that there is sound, and the two are joined as soon as both have it. The answer
// finds them joined. Once something was heard no other line is tried: it would be said again.

// soundsEarly takes that a leg has sound before its answer.
func (f *Floor) soundsEarly(l *leg) {
	c := l.of
	if l.sounds || l.answered || l.ending || c.ending || c.transfer != nil || l != c.caller && l.kind != abroad {
		return
	}
	l.sounds = true
	if l != c.caller && !c.caller.sounds && !c.caller.answering {
		f.order(hal.Alert{Leg: c.caller.id, Sound: true}) // a phone that cannot goes on ringing by itself
		return
	}
	f.joinEarly(c)
}

// joinEarly lets the caller hear whom the box calls outside for him.
func (f *Floor) joinEarly(c *contact) {
	if !c.caller.sounds && !c.caller.answered {
		return
	}
	for _, l := range c.others {
		if l.kind == abroad && l.sounds && !l.answered && !l.ending {
			f.hush(c)
			f.order(hal.Join{Leg: c.caller.id, Bridge: hal.BridgeID(c.id), Role: hal.Talk})
			f.order(hal.Join{Leg: l.id, Bridge: hal.BridgeID(c.id), Role: hal.Talk})
		}
	}
}
