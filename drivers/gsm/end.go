package gsm

import (
	"errors"
	"strconv"
	"time"

	"branchline/drivers/atmodem"
	"branchline/drivers/gsm/module"
	"branchline/hal"
)

var (
	errHangUp = errors.New("the module does not hang up")
	errStuck  = errors.New("the module's sound was stuck: it is being reset")
)

const (
	stuckFrames = 50              // that the sound port did not take in a call
	cureEvery   = 5 * time.Minute // at most: no reset loop
)

// hangUp ends the call from our side. It is gone when the module says so.
func (a *actor) hangUp(c *call, why hal.Cause) {
	if c.ending {
		return
	}
	c.ending, c.cause, c.hangBy = true, why, time.Now().Add(hangUpEnd)
	if c.cause == "" {
		c.cause = hal.Normal
	}
	a.wire.pump.Set(nil)
	if !c.far && !c.dialled {
		a.gone(c, c.cause, false, "")
		return
	}
	over := func() bool { return a.call != c }
	a.send(atmodem.Command{Text: hangUpAll, Class: atmodem.Urgent, Limit: hangUpLimit, Skip: over, Done: func(r atmodem.Reply) {
		if over() || r.Err == nil {
			a.gone(c, c.cause, false, "")
			return
		}
		a.send(atmodem.Command{Text: "ATH", Class: atmodem.Urgent, Limit: hangUpLimit, Skip: over, Done: func(r atmodem.Reply) {
			if r.Err == nil {
				a.gone(c, c.cause, false, "")
				return
			}
			c.over = true
			a.poll()
		}})
	}})
}

// close ends a call that is no longer on the wire. Where the modem's own words say too little, it
// is asked once more.
func (a *actor) close(c *call) {
	switch {
	case c.explains:
	case c.ending:
		a.gone(c, c.cause, false, c.word)
	case c.answered:
		a.gone(c, hal.Normal, true, c.word)
	case c.far:
		a.gone(c, hal.NoAnswer, true, c.word)
	case c.why != "":
		a.gone(c, c.why, true, c.word)
	case c.word == "" || c.word == "NO CARRIER":
		a.explain(c)
	default:
		a.gone(c, module.CauseOfWord(c.word, c.alerted), true, c.word)
	}
}

// explain asks why a call of ours ended before anybody answered.
func (a *actor) explain(c *call) {
	c.explains = true
	a.send(atmodem.Command{Text: "AT+CEER", Expect: []string{"+CEER:"}, Limit: pollLimit, Class: atmodem.Control,
		Done: func(r atmodem.Reply) {
			cause, q850 := module.CauseOfReport(r.Line())
			wire := c.word
			switch {
			case cause == "":
				cause = module.CauseOfWord(c.word, c.alerted)
			case q850 != 0:
				wire = "Q.850 " + strconv.Itoa(q850)
			}
			a.gone(c, cause, true, wire)
		}})
}

// gone closes the call, once, and puts its sound away.
func (a *actor) gone(c *call, cause hal.Cause, far bool, wire string) {
	if a.call != c {
		return
	}
	a.call = nil
	if c.far && !c.told { // it rang, so it is told: every call has its record
		a.tellIncoming(c)
	}
	a.tell(hal.Gone{Leg: c.leg, Cause: cause, Far: far, Wire: wire})
	a.past, a.settledBy = module.Entry{Index: c.index, Far: c.far}, time.Now().Add(settleEnd)
	if a.wire == nil {
		return
	}
	a.wire.pump.Set(nil)
	stalled, missed := a.wire.pump.Late()
	if s := c.sound; s != nil {
		n := s.Counts()
		a.log.Info("sound of the call", "leg", c.leg, "dropped in", n.DroppedIn, "repeated in", n.RepeatedIn,
			"dropped out", n.DroppedOut, "repeated out", n.RepeatedOut, "stalled", stalled, "missed", missed)
	}
	if a.trouble != nil {
		return
	}
	if (c.lit || c.lighting) && a.profile.SoundOff != "" {
		a.send(atmodem.Command{Text: a.profile.SoundOff, Class: atmodem.Control})
	}
	if c.dark == maxDark || stalled >= stuckFrames {
		a.cure()
	}
	if c.told || c.dialled {
		a.poll()
	}
}

// cure resets a module whose sound port is stuck: the next call would have no sound either. One that
// it does not help is left in service, for its calls can still be told.
func (a *actor) cure() {
	if a.profile.SoundCure == "" || time.Since(a.curedAt) < cureEvery {
		return
	}
	a.curedAt = time.Now()
	a.send(atmodem.Command{Text: a.profile.SoundCure, Class: atmodem.Urgent, Done: func(atmodem.Reply) {
		if a.trouble == nil {
			a.trouble = errStuck
		}
	}})
}

// dropCalls ends what there is: the wire broke.
func (a *actor) dropCalls(why string) {
	if c := a.call; c != nil {
		a.call = nil
		if c.far && !c.told {
			a.tellIncoming(c)
		}
		a.tell(hal.Gone{Leg: c.leg, Cause: hal.WireTrouble, Wire: why})
		if a.wire != nil {
			a.wire.pump.Set(nil)
		}
	}
	a.calls = calls{seconds: a.seconds}
}
