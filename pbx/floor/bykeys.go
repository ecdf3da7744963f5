package floor

import (
	"slices"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/config"
	"branchline/pbx/prompt"
	"branchline/pbx/route"
)

// Calls are passed on by keys too, at phones that have no key for it: a code in a conversation, or the
// hook of an analogue telephone, and the number. The other party waits meanwhile, as in any transfer.

// pressed is what the party on a leg has pressed in a conversation of late.
type pressed struct {
	keys string
	at   time.Time // the last
}

const (
	codePause  = 2 * time.Second // keys of one code come within it, and none comes before them for as long
	maxPressed = 16
	maxTyped   = 32
)

// press notes a key and gives what it ends: all keys since the last pause.
func (p *pressed) press(k byte, now time.Time) string {
	if now.Sub(p.at) > codePause {
		p.keys = ""
	}
	p.keys, p.at = p.keys+string(k), now
	if over := len(p.keys) - maxPressed; over > 0 {
		p.keys = p.keys[over:]
	}
	return p.keys
}

// talkKey takes a key in a conversation: it goes on to the other party, and may be the end of a code.
func (f *Floor) talkKey(c *contact, l *leg, k byte, passed bool) {
	if !passed { // else the bridge did it, to the millisecond
		f.relayKey(c, l, k)
	}
	keys := l.pressed.press(k, f.now)
	codes := f.doc.Codes
	switch {
	case f.opensDoor(c, l, keys):
	case !f.mayPassOn(l):
	case keys == codes.Transfer:
		f.askWhom(c, l, false)
	case keys == codes.Consult:
		f.askWhom(c, l, true)
	}
}

// mayPassOn tells whether the keys of l mean anything: not those of outside parties, doors and fax machines.
func (f *Floor) mayPassOn(l *leg) bool {
	if l.phone == nil || l.ending || l.leaving {
		return false
	}
	ext := f.extension(l.phone.extension)
	return ext != nil && !ext.IsDoor() && !ext.Fax
}

// flash takes that an analogue telephone's hook was tapped: the other party waits and a number may be
// dialled; tapped again, the two talk again.
func (f *Floor) flash(l *leg) {
	if !f.mayPassOn(l) || f.extension(l.phone.extension).Kind != config.KindAdapter {
		return
	}
	switch c := l.of; {
	case c.asks(l):
		f.talkAgain(c)
	case c.other(l) != nil:
		f.askWhom(c, l, true)
	}
}

// asks tells whether l is who passes c on by keys just now.
func (c *contact) asks(l *leg) bool {
	return c.transfer != nil && c.transfer.keys && c.transfer.by == l && !c.ending
}

// askWhom lets the other party wait and gives l a dial tone; first: it wants to talk with whom it calls.
func (f *Floor) askWhom(c *contact, l *leg, first bool) {
	other := c.other(l)
	l.pressed = pressed{}
	f.part(c)
	f.stays(c, other)
	c.transfer = &transfer{by: l, leg: l.id, home: l.phone.extension, keys: true, first: first, await: f.now.Add(firstKey)}
	f.play(c, prompt.Music(nil), true)
	f.sound(c.transfer, "dial")
	f.showAt(l.phone, call.ByCall)
}

// sound lets who asked hear a tone while nobody talks with him.
func (f *Floor) sound(t *transfer, tone string) {
	f.silence(t)
	t.tone = f.ref("tone")
	f.order(hal.Play{Leg: t.leg, Ref: t.tone, Items: []hal.Item{{Tone: tone}}, Loop: true})
}

func (f *Floor) silence(t *transfer) {
	if t.tone != "" && t.by != nil && !t.by.ending {
		f.order(hal.Stop{Ref: t.tone})
	}
	t.tone = ""
}

// askKey takes a key of who passes c on: of the number, or, while he talks with whom he called, the code
// that leads back.
func (f *Floor) askKey(c *contact, l *leg, k byte, passed bool) {
	t := c.transfer
	if t.await.IsZero() {
		if t.with != nil && l.phone != nil && !passed {
			f.order(hal.Digits{Leg: t.with.id, Ref: f.ref("keys"), Keys: string(k)})
		}
		if keys := l.pressed.press(k, f.now); t.first && keys == f.doc.Codes.Consult {
			f.talkAgain(c)
		}
		return
	}
	if k == '#' && t.typed != "" {
		f.typed(c)
		return
	}
	if len(t.typed) < maxTyped {
		t.typed += string(k)
	}
	f.silence(t)
	t.await = f.now.Add(keyPause)
	if f.complete(t.typed) {
		f.typed(c)
	}
}

// complete tells whether n is an extension and no other number begins so.
func (f *Floor) complete(n string) bool {
	return f.extension(n) != nil && !slices.ContainsFunc(f.doc.Extensions, func(e config.Extension) bool {
		return len(e.Number) > len(n) && e.Number[:len(n)] == n
	})
}

// typed calls the number that was typed; where that cannot be, the two talk again.
func (f *Floor) typed(c *contact) {
	t := c.transfer
	t.await = time.Time{}
	place := route.Dialed(f.doc, f.plan, hal.Number(t.typed))
	t.to = hal.Number(t.typed)
	if place.Kind == route.Outside {
		t.to = place.Number.Shown()
	}
	if l := t.by; !t.first && place.Kind == route.Park && f.freePlace(string(place.To)) {
		f.silence(t)
		f.endTransfer(c)
		f.hush(c)
		f.waitsAt(c, string(place.To), l)
		f.hangup(l, hal.Normal)
		return
	}
	if cause := f.unfit(t, place); cause != "" {
		if t.typed != "" {
			f.fact(call.Transfer{Call: c.id, Leg: t.leg, To: t.to, State: call.TransferRefused, Cause: cause})
		}
		t.to = ""
		f.talkAgain(c)
		return
	}
	f.fact(call.Transfer{Call: c.id, Leg: t.leg, To: t.to, State: call.TransferAsked})
	if t.first {
		f.sound(t, "ringback")
		f.seek(c, place, t.home)
		return
	}
	f.silence(t)
	f.recallFrom(c)
	f.hush(c)
	f.play(c, []hal.Item{{Tone: "ringback"}}, true)
	f.seek(c, place, t.home)
	if l := t.by; c.transfer == t && !t.back && l != nil { // he is out of it; it comes back to his phone
		t.by = nil
		f.hangup(l, hal.Normal)
	}
}

// unfit is why a transfer cannot lead to place; "" where it can.
func (f *Floor) unfit(t *transfer, place route.Place) hal.Cause {
	switch {
	case place.Kind == route.Nowhere:
		return hal.Unallocated
	case place.Kind == route.Park && !t.first:
		return hal.Busy
	case place.Kind != route.Extension && place.Kind != route.Outside, !f.may(t.home, place):
		return hal.Forbidden
	case string(place.To) == t.home:
		return hal.Busy
	}
	return ""
}

// recallFrom begins the time after which c comes back to who has passed it on.
func (f *Floor) recallFrom(c *contact) {
	if f.doc.Calls.Recall <= 0 {
		return
	}
	c.until = f.now.Add(f.doc.Calls.Recall)
	for _, l := range c.others {
		if !l.ending && !l.answered && c.until.Before(l.deadline) {
			l.deadline = c.until
		}
	}
}

// consulted takes that whom l's side called first has answered: those two talk, the other party waits.
func (f *Floor) consulted(c *contact, l *leg) bool {
	t := c.transfer
	if t == nil || !t.first || t.by == nil || t.back {
		return false
	}
	t.with = l
	f.silence(t)
	f.fact(call.Transfer{Call: c.id, Leg: t.leg, To: t.to, State: call.TransferConsult})
	aside := hal.BridgeID(c.id) + "-aside"
	f.order(hal.Join{Leg: t.leg, Bridge: aside, Role: hal.Talk})
	f.order(hal.Join{Leg: l.id, Bridge: aside, Role: hal.Talk})
	return true
}

// talkAgain lets the two talk who did before one of them asked for somebody else, who is hung up.
func (f *Floor) talkAgain(c *contact) {
	t := c.transfer
	if t.to != "" {
		f.fact(call.Transfer{Call: c.id, Leg: t.leg, To: t.to, State: call.TransferGivenUp})
	}
	f.resume(c)
}

// resume ends a transfer whose asker is still there: he and the other party talk again.
func (f *Floor) resume(c *contact) {
	t := c.transfer
	f.silence(t)
	f.endTransfer(c)
	for _, o := range slices.Clone(c.others) {
		if o != t.by && !o.leaving {
			f.hangup(o, reasonFor(o, hal.Normal))
		}
	}
	c.next, c.peer = outside{}, t.by
	f.connect(c)
}

// askerGone takes that who passed c on by keys has hung up: whom he called takes his place, or will when
// he answers; where he had called nobody yet, his phone rings again.
func (f *Floor) askerGone(c *contact) {
	t := c.transfer
	t.tone, t.first = "", false
	switch {
	case t.with != nil:
		c.peer, t.with = t.with, nil
		f.connect(c)
	case !t.await.IsZero():
		t.await = time.Time{}
		f.comeBack(c, "")
	default:
		f.recallFrom(c)
	}
}

// goOnAside takes that the party who waited has hung up: the two others talk on.
func (f *Floor) goOnAside(c *contact) {
	t := c.transfer
	c.others = slices.DeleteFunc(c.others, func(o *leg) bool { return o == t.by })
	f.hush(c)
	f.endTransfer(c)
	c.caller, c.peer = t.by, t.with
	f.connect(c)
}

// consults tells whether somebody in c talks with whom he called before he passes the call on, or waits for it.
func (c *contact) consults() bool {
	return c.transfer != nil && c.transfer.first && c.transfer.by != nil
}
