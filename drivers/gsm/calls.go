package gsm

import (
	"time"

	"branchline/drivers/atmodem"
	"branchline/drivers/gsm/module"
	"branchline/drivers/soundport"
	"branchline/hal"
)

const (
	hangUpAll = "AT+CHUP"
	listCalls = "AT+CLCC"

	pollEvery   = 500 * time.Millisecond
	pollLimit   = 2 * time.Second
	hangUpLimit = 30 * time.Second       // the standard allows 90 (TS 27.007 clause 6.5)
	hangUpEnd   = 10 * time.Second       // a module that has a call up after this is reset by opening it anew
	nameWait    = 2 * time.Second        // from RING until we go on without +CLIP
	indexWait   = 100 * time.Millisecond // from OK to our ATD until Opened is told without the index from AT+CLCC
	ringEnd     = 10 * time.Second       // RING comes every 3 to 6 s; only where AT+CLCC does not answer
	unseenEnd   = 2 * time.Second        // a new call may be missing in AT+CLCC for this long
	maxDark     = 3                      // times that a module may refuse its sound in one call
	settleEnd   = 2 * time.Second        // an ended call may still be listed, or ring once more, for this long
)

// call is one call from its first sign on the wire until Gone.
type call struct {
	leg   hal.LegID
	far   bool // it came in
	index int  // CLCC index; 0: not known yet
	from  hal.Number
	begin time.Time

	tellBy   time.Time // when it is told with what is known by then
	wired    bool      // the wire's own id is told
	rang     time.Time // when it rang last
	told     bool      // Incoming or Opened is told
	dialled  bool      // ATD is on its way
	alerted  bool
	taking   bool // ATA is on its way
	refused  bool // ATA was refused
	lit      bool // the module's sound is on
	lighting bool
	dark     int // times that the module refused its sound
	answered bool

	ending   bool // we hang up
	cause    hal.Cause
	hangBy   time.Time
	why      hal.Cause // what the module said of its end by number; "": nothing
	word     string    // what the modem said of its end: "BUSY"; "": nothing
	over     bool      // something said that it is over
	seen     bool      // AT+CLCC has listed it
	missed   int       // good answers of AT+CLCC in a row without it
	explains bool      // AT+CEER is on its way: the call is closed when it answers

	tones []hal.Digits // to be sent, the first with the keys that are left
	sound *soundport.Sound
}

// calls is the part of the actor that knows about calls. The line tells of one at a time.
type calls struct {
	call    *call
	pollAt  time.Time // zero: no polling
	polling bool      // AT+CLCC is on its way
	again   bool      // and shall be asked once more: something happened since

	past      module.Entry // the call that ended last
	settledBy time.Time    // until then past is not taken for a new call; zero: it is settled
	second    int          // index of a second call that was noted; 0: none
	seconds   uint64       // second calls that nobody could take
}

// callsDue does what the time asks for.
func (a *actor) callsDue(now time.Time) {
	if !a.settledBy.IsZero() && now.After(a.settledBy) {
		a.settledBy = time.Time{}
	}
	if c := a.call; c != nil {
		switch {
		case !c.told && !c.tellBy.IsZero() && !now.Before(c.tellBy) && c.far:
			a.tellIncoming(c)
		case !c.told && !c.tellBy.IsZero() && !now.Before(c.tellBy):
			a.opened(c)
		case c.ending && !now.Before(c.hangBy):
			a.trouble = errHangUp
			return
		}
	}
	if !a.pollAt.IsZero() && !now.Before(a.pollAt) {
		a.poll()
	}
}

func (a *actor) callsNext() time.Time {
	next := a.pollAt
	if c := a.call; c != nil {
		if !c.told && !c.tellBy.IsZero() && (next.IsZero() || c.tellBy.Before(next)) {
			next = c.tellBy
		}
		if c.ending && (next.IsZero() || c.hangBy.Before(next)) {
			next = c.hangBy
		}
	}
	return next
}

// poll asks the module for its calls now, and every half second as long as it has any.
func (a *actor) poll() {
	a.pollAt = time.Time{}
	if a.polling {
		a.again = true
		return
	}
	a.polling, a.again = true, false
	epoch := a.epoch
	a.send(atmodem.Command{Text: listCalls, Expect: []string{"+CLCC:"}, Limit: pollLimit, Class: atmodem.Status,
		Done: func(r atmodem.Reply) {
			if epoch != a.epoch {
				return
			}
			a.polling = false
			a.list(r)
			if a.again {
				a.poll()
			} else if a.call != nil || !a.settledBy.IsZero() {
				a.pollAt = time.Now().Add(pollEvery)
			}
		}})
}

// list takes the answer of AT+CLCC: the truth about what is on the wire.
func (a *actor) list(r atmodem.Reply) {
	good := r.Err == nil
	var mine *module.Entry
	var others []module.Entry
	for _, line := range r.Lines {
		e, voice, ok := module.Listed(line)
		switch {
		case !ok:
			good = false // a broken line may have been the call that is missed
		case !voice:
		case e.Stat == module.Ended: // news that came in between
			a.ended("", "", e.Index)
		case a.matches(e):
			mine = &e
		default:
			others = append(others, e)
		}
	}
	if c := a.call; c != nil {
		if mine != nil {
			c.seen, c.missed = true, 0
			a.advance(c, *mine)
		} else {
			a.missing(c, good)
		}
	}
	if good {
		a.listOthers(others)
	}
}

// matches says whether e is our call.
func (a *actor) matches(e module.Entry) bool {
	c := a.call
	return c != nil && e.Far == c.far && (c.index == 0 || c.index == e.Index) && (c.far || c.dialled)
}

// missing: an answer did not list the call. One such answer closes a call of which something has
// said that it is over; without that it takes two. Where AT+CLCC gives no good answer, what was
// said must do.
func (a *actor) missing(c *call, good bool) {
	now := time.Now()
	if !good {
		if c.over && !c.refused || c.far && !c.taking && !c.answered && now.Sub(c.rang) >= ringEnd {
			a.close(c)
		}
		return
	}
	if !c.far && !c.dialled || !c.seen && !c.over && now.Sub(c.begin) < unseenEnd {
		return
	}
	if c.missed++; c.missed >= 2 || c.over {
		a.close(c)
	}
}

// listOthers looks at the calls that are not the one we tell of.
func (a *actor) listOthers(others []module.Entry) {
	settled := true
	for _, e := range others {
		rings := e.Stat == module.Incoming || e.Stat == module.Waiting
		switch {
		case !a.settledBy.IsZero() && e.Far == a.past.Far && (a.past.Index == 0 || e.Index == a.past.Index):
			settled = false
		case a.call != nil:
			a.noteSecond(e.Index)
		case !rings:
			a.log.Warn("a call that nobody knows of is hung up", "index", e.Index)
			a.send(atmodem.Command{Text: hangUpAll, Class: atmodem.Urgent, Limit: hangUpLimit,
				Skip: func() bool { return a.call != nil }})
		default:
			a.begin(e)
		}
	}
	if settled {
		a.settledBy = time.Time{}
	}
	if len(others) == 0 {
		a.second = 0
	}
}

// noteSecond counts a call that comes while there is one already: this line carries one.
func (a *actor) noteSecond(index int) {
	if index != 0 && index == a.second {
		return
	}
	a.second = index
	a.seconds++
	a.log.Warn("a second caller could not be taken", "count", a.seconds)
}

// begin opens an incoming call at its first sign, whichever that is.
func (a *actor) begin(e module.Entry) *call {
	if !a.serving {
		return nil
	}
	now := time.Now()
	a.legs++
	c := &call{leg: hal.IncomingLeg(a.o.Name, a.o.Boot, a.legs), far: true, index: e.Index,
		begin: now, rang: now, tellBy: now.Add(nameWait)}
	a.call = c
	if e.Named {
		a.name(c, e)
	}
	a.poll()
	return c
}

// name takes the caller's number from the first sign that has it and tells the call.
func (a *actor) name(c *call, e module.Entry) {
	if !c.told {
		c.from = e.Number
		a.tellIncoming(c)
	}
}

func (a *actor) tellIncoming(c *call) {
	c.told, c.wired = true, c.index != 0
	a.tell(hal.Incoming{Leg: c.leg, From: c.from, Wire: module.WireID(c.index)})
}

// advance brings the call to where the module says that it is.
func (a *actor) advance(c *call, e module.Entry) {
	c.index = e.Index
	if c.explains || c.ending {
		return
	}
	switch {
	case c.far && !c.told && e.Named:
		a.name(c, e)
	case c.far && c.told && !c.wired:
		c.wired = true
		a.tell(hal.Opened{Leg: c.leg, Wire: module.WireID(c.index)})
		a.advance(c, e)
	case !c.far && !c.told:
		a.opened(c)
		a.advance(c, e)
	case c.refused && e.Stat == module.Incoming:
		a.hangUp(c, hal.WireTrouble)
	case e.Stat == module.Alerting && !c.far && !c.alerted:
		a.opened(c)
		c.alerted = true
		a.tell(hal.Progress{Leg: c.leg, Alerting: true})
	case e.Stat == module.Active && !c.answered:
		a.light(c, func() { a.talk(c) })
	case e.Stat == module.Active && !c.lit && c.dark > 0 && c.dark < maxDark:
		a.light(c, func() {})
	}
}

func (a *actor) opened(c *call) {
	if !c.told {
		c.told = true
		a.tell(hal.Opened{Leg: c.leg, Wire: module.WireID(c.index)})
	}
}

// light switches the module's sound on, then calls then, whether or not it worked: a call without
// sound is still a call, and the log says why.
func (a *actor) light(c *call, then func()) {
	if c.lighting {
		return
	}
	if c.lit || a.profile.SoundOn == "" {
		then()
		return
	}
	c.lighting = true
	a.wire.pump.Align()
	a.send(atmodem.Command{Text: a.profile.SoundOn, Class: atmodem.Control, Skip: func() bool { return a.call != c },
		Done: func(r atmodem.Reply) {
			c.lighting, c.lit = false, r.Err == nil
			if a.call != c {
				return
			}
			if r.Err != nil {
				c.dark++
				a.log.Error("the module does not switch its sound on", "leg", c.leg, "err", r.Err)
			}
			then()
		}})
}

// talk tells that the call is answered and gives it its sound.
func (a *actor) talk(c *call) {
	if c.answered || c.ending || c.explains || a.call != c {
		return
	}
	if c.far && !c.told {
		a.tellIncoming(c)
	}
	if !c.far {
		a.opened(c)
	}
	c.answered = true
	c.sound = new(soundport.Sound)
	a.setSound(c.leg, c.sound)
	a.wire.pump.Set(c.sound)
	a.tell(hal.Answered{Leg: c.leg})
}
