package sip

import (
	"fmt"

	"branchline/hal"
)

// carryOut does what the floor orders. A panic in it costs the leg that is meant.
func (d *desk) carryOut(o hal.Order) {
	if dial, ok := o.(hal.Dial); ok {
		defer d.breaksLeg(o.On())
		d.dial(dial)
		return
	}
	if o.On() == "" {
		d.out.Put(hal.Failed{Ref: refOf(o), Why: fmt.Sprintf("phones know no %T", o)})
		return
	}
	l := d.legs[o.On()]
	if l == nil {
		return // it is gone, and that was told
	}
	defer d.breaksLeg(o.On())
	rings := l.invite != nil && !l.answered
	switch o := o.(type) {
	case hal.Hangup:
		l.hangup(o.Cause)
	case hal.Alert:
		if rings {
			l.alert(o)
			return
		}
		l.failed(o, "the leg does not ring here")
	case hal.Answer:
		if rings {
			l.answer()
			return
		}
		l.failed(o, "the leg does not ring here")
	case hal.Digits:
		if l.answered && l.port != nil {
			l.port.SendKeys(o.Ref, o.Keys)
			return
		}
		l.failed(o, "the leg does not talk yet")
	default:
		l.failed(o, fmt.Sprintf("phones know no %T", o))
	}
}

func (l *leg) failed(o hal.Order, why string) {
	l.desk.out.Put(hal.Failed{Leg: l.id, Ref: refOf(o), Why: why})
}

// breaksLeg is deferred: it ends the leg of an order that panicked, and lets the wire log it.
func (d *desk) breaksLeg(id hal.LegID) {
	v := recover()
	if v == nil {
		return
	}
	if l := d.legs[id]; l != nil {
		d.calls[l.callID] = l
		d.Broken(l.callID)
	}
	panic(v)
}

func refOf(o hal.Order) hal.Ref {
	switch o := o.(type) {
	case hal.Digits:
		return o.Ref
	case hal.TransferStatus:
		return o.Ref
	case hal.Play:
		return o.Ref
	case hal.Stop:
		return o.Ref
	case hal.Record:
		return o.Ref
	case hal.PauseRecord:
		return o.Ref
	case hal.SendText:
		return o.Ref
	case hal.TextStored:
		return o.Ref
	case hal.SendUSSD:
		return o.Ref
	}
	return ""
}
