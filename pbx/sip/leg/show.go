package leg

import (
	"branchline/hal"
	"branchline/pbx/sip/wire"
)

// show carries out a Show: at once in a call that stands; with our next response to a caller; when the
// phone that we call has answered.
func (l *Leg) show(o hal.Show) {
	to, ok := l.table.Peers.(Introducer)
	if !ok {
		return
	}
	headers := to.Identity(l.way(), o)
	if l.invite != nil && !l.answered {
		l.shown = headers
		return
	}
	l.wish.show = headers
	l.renew()
}

// way is the way to the peer, or the first of those by which it is called.
func (l *Leg) way() wire.Flow {
	if l.dialog != nil {
		return l.dialog.Flow
	}
	if len(l.forks) > 0 {
		return l.forks[0].way.Flow
	}
	return wire.Flow{}
}

// press asks the phone to press a key of its own: talk answers and resumes, hold holds. Phones name this
// in Allow-Events; who does not know it says so, and the order has failed.
func (l *Leg) press(o hal.Order, key string) {
	d := l.dialog
	if d == nil {
		for _, f := range l.forks {
			if len(f.early) > 0 && !f.done {
				d = f.early[0].dialog
				break
			}
		}
	}
	if d == nil || !l.table.Remote {
		l.failed(o, "no phone rings that could be asked")
		return
	}
	r := d.Request("NOTIFY")
	r.Headers = []wire.Header{{Name: "Event", Value: key}, {Name: "Subscription-State", Value: "active"}}
	l.sayIn(d, r, func(res *wire.Response) {
		if res.Code >= 300 && !l.over {
			l.failed(o, "the phone does not let itself be told to "+key)
		}
	})
}

func (l *Leg) pressInCall(o hal.Order, key string) {
	if !l.answered {
		l.failed(o, "the leg does not talk yet")
		return
	}
	l.press(o, key)
}
