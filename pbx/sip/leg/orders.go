package leg

import (
	"fmt"

	"branchline/hal"
)

// Do carries out what the floor orders; dial opens the leg of a Dial, by Dial or Fail. A panic in it
// costs the leg that is meant.
func (t *Table) Do(o hal.Order, dial func(hal.Dial)) {
	if o, ok := o.(hal.Dial); ok {
		defer t.breaksLeg(o.Leg)
		dial(o)
		return
	}
	if o.On() == "" {
		t.Out.Put(hal.Failed{Ref: refOf(o), Why: fmt.Sprintf("%s knows no %T", t.Name, o)})
		return
	}
	l := t.legs[o.On()]
	if l == nil {
		return // it is gone, and that was told
	}
	defer t.breaksLeg(o.On())
	rings := l.invite != nil && !l.answered
	switch o := o.(type) {
	case hal.Hangup:
		l.hangup(o.Cause)
	case hal.Alert:
		if rings {
			l.whenAssured(func() { l.alert(o) })
			return
		}
		l.failed(o, "the leg does not ring here")
	case hal.Answer:
		if rings {
			l.whenAssured(l.answer)
			return
		}
		if l.invite == nil && !l.answered {
			l.press(o, "talk")
			return
		}
		l.failed(o, "the leg does not ring here")
	case hal.Hold:
		l.pressInCall(o, "hold")
	case hal.Resume:
		l.pressInCall(o, "talk")
	case hal.Show:
		l.show(o)
	case hal.TransferStatus:
		l.transferStatus(o)
	case hal.Digits:
		if l.answered && l.port != nil {
			l.port.SendKeys(o.Ref, o.Keys)
			return
		}
		l.failed(o, "the leg does not talk yet")
	default:
		l.failed(o, fmt.Sprintf("%s knows no %T", l.table.Name, o))
	}
}

func (l *Leg) failed(o hal.Order, why string) {
	l.table.Out.Put(hal.Failed{Leg: l.id, Ref: refOf(o), Why: why})
}

// breaksLeg is deferred: it ends the leg of an order that panicked, and lets the wire log it.
func (t *Table) breaksLeg(id hal.LegID) {
	v := recover()
	if v == nil {
		return
	}
	if l := t.legs[id]; l != nil {
		t.calls[l.callID] = l
		t.Broken(l.callID)
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
