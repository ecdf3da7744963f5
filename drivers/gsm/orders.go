package gsm

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"branchline/drivers/atmodem"
	"branchline/drivers/gsm/module"
	"branchline/hal"
)

const (
	dialLimit   = 60 * time.Second
	answerLimit = 30 * time.Second
	maxKeys     = 64 // keys that wait to be sent
)

// obey carries out an order. One for a leg that is gone is no error: it crossed Gone.
func (a *actor) obey(o hal.Order) {
	c := a.call
	if c != nil && o.On() != c.leg {
		c = nil
	}
	switch o := o.(type) {
	case hal.Dial:
		a.dial(o)
	case hal.Stop:
		a.stopTones(o.Ref)
	case hal.SendText:
		a.cannot(o, o.Ref)
	case hal.SendUSSD:
		a.cannot(o, o.Ref)
	case hal.TextStored:
		a.cannot(o, o.Ref)
	default:
		if c == nil && o.On() != "" {
			a.log.Debug("order for a leg that is not there", "leg", o.On())
			return
		}
		a.obeyCall(c, o)
	}
}

// obeyCall carries out an order about call c; c is nil for an order about none.
func (a *actor) obeyCall(c *call, o hal.Order) {
	switch o := o.(type) {
	case hal.Answer:
		a.answer(c)
	case hal.Hangup:
		a.hangUp(c, o.Cause)
	case hal.Digits:
		a.digits(c, o)
	case hal.Alert:
		if o.Sound {
			a.cannot(o, "")
		} // else: the network has told the caller already that it rings
	case hal.TransferStatus:
		a.cannot(o, o.Ref)
	case hal.Play:
		a.cannot(o, o.Ref)
	case hal.Record:
		a.cannot(o, o.Ref)
	case hal.PauseRecord:
		a.cannot(o, o.Ref)
	default: // Hold, Resume, Join and whatever comes to be
		a.cannot(o, "")
	}
}

func (a *actor) cannot(o hal.Order, ref hal.Ref) {
	a.tell(hal.Failed{Leg: o.On(), Ref: ref, Why: fmt.Sprintf("a SIM line cannot do %T", o)})
}

// dial opens a call: sound on, ATD. The OK of ATD says that the number is on its way, not that
// anybody answered.
func (a *actor) dial(o hal.Dial) {
	number, ok := module.DialString(o.To)
	refuse := func(cause hal.Cause, why string) { a.tell(hal.Gone{Leg: o.Leg, Cause: cause, Wire: why}) }
	switch {
	case a.call != nil && a.call.leg == o.Leg:
		a.log.Warn("dialled twice", "leg", o.Leg)
		return
	case !a.serving || a.wire == nil:
		refuse(hal.Congestion, "the line is out of service")
		return
	case a.call != nil:
		refuse(hal.Congestion, "the line is in use")
		return
	case !ok:
		refuse(hal.Unallocated, "not a number")
		return
	}
	if o.Private {
		number += "I" // CLIR for this call: TS 27.007 clause 6.2
	}
	c := &call{leg: o.Leg, begin: time.Now()}
	a.call = c
	if a.profile.SoundLate {
		a.sendDial(c, number)
		return
	}
	a.light(c, func() { a.sendDial(c, number) })
}

func (a *actor) sendDial(c *call, number string) {
	c.dialled, c.begin = true, time.Now()
	a.send(atmodem.Command{Text: "ATD" + number + ";", Dials: true, Limit: dialLimit, Class: atmodem.Control,
		Skip: func() bool { return a.call != c || c.ending },
		Done: func(r atmodem.Reply) {
			if a.call != c || c.ending || c.explains {
				return
			}
			switch {
			case r.Err == nil:
				c.tellBy = time.Now().Add(indexWait) // Opened
			case errors.Is(r.Err, atmodem.ErrTimeout):
				a.hangUp(c, hal.WireTrouble)
				return
			case strings.Contains(r.Final, "ERROR") || r.Final == "COMMAND NOT SUPPORT":
				a.gone(c, module.CauseOfRefusal(r.Code()), false, r.Final)
				return
			default: // BUSY, NO CARRIER …
				c.over, c.word = true, r.Final
			}
			a.poll()
		}})
}

// answer takes an incoming call. It is answered when AT+CLCC says so: the OK of ATA may come early.
func (a *actor) answer(c *call) {
	if !c.far || c.answered {
		a.tell(hal.Failed{Leg: c.leg, Why: "there is nothing to answer"})
		return
	}
	if c.taking || c.ending {
		return
	}
	c.taking = true
	a.send(atmodem.Command{Text: "ATA", Dials: true, Limit: answerLimit, Class: atmodem.Urgent,
		Skip: func() bool { return a.call != c || c.ending },
		Done: func(r atmodem.Reply) {
			if a.call != c {
				return
			}
			if r.Err != nil { // mostly a caller who gave up just now: the list will tell
				c.over, c.refused, c.word = true, true, r.Final
			}
			a.poll()
		}})
}

// digits sends keys to the party, one command each: chains are refused by some modules.
func (a *actor) digits(c *call, o hal.Digits) {
	waiting := len(o.Keys)
	for _, t := range c.tones {
		waiting += len(t.Keys)
	}
	keys := strings.ToUpper(o.Keys)
	o.Keys = keys
	switch {
	case !c.answered || c.ending || c.explains:
		a.tell(hal.Failed{Leg: c.leg, Ref: o.Ref, Why: "nobody has answered yet"})
	case keys == "" || strings.Trim(keys, "0123456789*#ABCD") != "":
		a.tell(hal.Failed{Leg: c.leg, Ref: o.Ref, Why: "keys are 0-9, *, # and A-D"})
	case waiting > maxKeys:
		a.tell(hal.Failed{Leg: c.leg, Ref: o.Ref, Why: "too many keys wait to be sent"})
	default:
		if c.tones = append(c.tones, o); len(c.tones) == 1 {
			a.sendTone(c)
		}
	}
}

func (a *actor) sendTone(c *call) {
	if len(c.tones) == 0 {
		return
	}
	text := "AT+VTS=" + c.tones[0].Keys[:1]
	if a.profile.Press != nil {
		text = a.profile.Press(c.index, c.tones[0].Keys[0])
	}
	a.send(atmodem.Command{Text: text, Class: atmodem.Tones,
		Skip: func() bool { return a.call != c || c.ending },
		Done: func(r atmodem.Reply) {
			if a.call != c || c.ending || c.explains || len(c.tones) == 0 {
				return
			}
			t := &c.tones[0]
			if r.Err != nil {
				a.tell(hal.Failed{Leg: c.leg, Ref: t.Ref, Why: r.Err.Error()})
				t.Keys = ""
			} else {
				t.Keys = t.Keys[min(1, len(t.Keys)):]
			}
			if t.Keys == "" {
				c.tones = c.tones[1:]
			}
			a.sendTone(c)
		}})
}

// stopTones drops the keys of ref that are not sent yet.
func (a *actor) stopTones(ref hal.Ref) {
	if a.call == nil {
		return
	}
	for i := range a.call.tones {
		if t := &a.call.tones[i]; t.Ref == ref && t.Keys != "" {
			t.Keys = t.Keys[:1] // it is on its way, or its turn only closes it
		}
	}
}
