package leg

import (
	"math/rand/v2"
	"slices"
	"time"

	"branchline/hal"
	"branchline/pbx/sip/dialog"
	"branchline/pbx/sip/session"
	"branchline/pbx/sip/wire"
)

// wish is what our next request in the dialog shall bring about. At most one is on its way; what is
// wished meanwhile comes after it.
type wish struct {
	alive bool          // a sign of life (RFC 4028)
	place bool          // the peer knows where we and our sound are now
	show  []wire.Header // who is at the other side now; nil: as it was
}

func (w wish) none() bool { return !w.alive && !w.place && w.show == nil }

// and adds what was wished before w and has not come about.
func (w wish) and(before wish) wish {
	w.alive, w.place = w.alive || before.alive, w.place || before.place
	if w.show == nil {
		w.show = before.show
	}
	return w
}

// Resettle is Move where the peer cannot know by itself that our own address is another one: it is told by a
// re-INVITE where it shall speak to us and send sound to.
func (l *Leg) Resettle(flow wire.Flow) {
	l.Move(flow)
	l.wish.place = true
	l.renew()
}

// renew sends what is wished as soon as that may be: by UPDATE, which leaves the sound alone, where the
// peer takes it, else by a re-INVITE with all that was agreed.
func (l *Leg) renew() {
	if l.over || !l.answered || l.asking != nil || l.pending != nil || l.later != nil || l.wish.none() {
		return
	}
	w := l.wish
	l.wish = wish{}
	method := "INVITE"
	if l.their.update && !w.place {
		method = "UPDATE"
	}
	r := l.dialog.Request(method)
	if method == "INVITE" {
		r.Type, r.Body = "application/sdp", l.sound.Offer(l.at(l.dialog.Flow))
	}
	r.Headers = slices.Clone(w.show)
	if l.timer.Expires > 0 {
		r.Headers = append(r.Headers, l.wants.Offer(l.timer)...)
	}
	l.ask(r, w, l.table.Send)
}

func (l *Leg) ask(r *wire.Request, w wish, send func(*wire.Request, func(*wire.Response))) {
	l.asking = r
	send(r, func(res *wire.Response) { l.renewed(r, w, res) })
}

// renewed handles each response to a request of renew.
func (l *Leg) renewed(r *wire.Request, w wish, res *wire.Response) {
	if r.Method == "INVITE" && res.Code/100 == 2 { // also a repeated one
		if err := l.table.Wire.Tell(l.dialog.Ack(r.CSeq)); err != nil {
			l.table.Log.Warn("ACK not sent", "call", l.callID, "err", err)
		}
	}
	if res.Code < 200 || l.asking != r {
		return
	}
	l.asking = nil
	if l.over {
		return
	}
	switch {
	case res.Code/100 == 2:
		l.renewedWell(r, res)
	case l.askedAgain(r, w, res):
		return
	case res.Code == 481 || res.Code == 408: // the peer has lost the call, or itself: RFC 3261 12.2.1.2
		l.end(hal.WireTrouble, "SIP "+l.dialogLost(res))
		return
	case res.Code == 491: // both at once: RFC 3261 14.1
		l.wish = l.wish.and(w)
		l.postpone(l.glare())
	case r.Method == "UPDATE" && (res.Code == 405 || res.Code == 501 || res.Code == 500):
		l.their.update = false
		l.wish = l.wish.and(w)
	case w.alive:
		l.wish.alive = true
		l.postpone(max(l.timer.Expires/8, time.Second))
	}
	l.renew()
}

func (l *Leg) dialogLost(res *wire.Response) string {
	if res.Local {
		return "no answer to a request in the call"
	}
	return "481"
}

// renewedWell takes what a 2xx says.
func (l *Leg) renewedWell(r *wire.Request, res *wire.Response) {
	l.dialog.Refresh(res.Contact)
	if l.timer.Expires > 0 {
		l.watch(session.Agreed(res))
	}
	if r.Method != "INVITE" {
		return
	}
	if o, err := l.sound.Answered(res.Flow, res.Body); err == nil { // else all stays as it was
		l.agree(o)
		l.tellHold(o)
	}
}

// askedAgain repeats r where the peer wants it otherwise: with a password, or a longer session.
func (l *Leg) askedAgain(r *wire.Request, w wish, res *wire.Response) bool {
	again := l.table.again(r, res, l.dialog.Next)
	if again == nil {
		wants, ok := l.wants.Raise(res)
		if res.Code != 422 || !ok {
			return false
		}
		l.wants = wants
		again = longer(r, l.wants.Offer(l.timer), l.dialog.Next())
	}
	l.ask(again, w, l.table.send)
	return true
}

// say sends a request of the dialog, with a password where the peer asks for one; on hears the final
// response alone.
func (l *Leg) say(r *wire.Request, on func(*wire.Response)) { l.sayIn(l.dialog, r, on) }

func (l *Leg) sayIn(d *dialog.Dialog, r *wire.Request, on func(*wire.Response)) {
	var heard func(r *wire.Request) func(*wire.Response)
	heard = func(r *wire.Request) func(*wire.Response) {
		return func(res *wire.Response) {
			if res.Code < 200 {
				return
			}
			if again := l.table.again(r, res, d.Next); again != nil {
				l.table.send(again, heard(again))
				return
			}
			on(res)
		}
	}
	l.table.Send(r, heard(r))
}

// longer is r with other session headers.
func longer(r *wire.Request, headers []wire.Header, seq uint32) *wire.Request {
	next := *r
	next.CSeq = seq
	next.Headers = slices.DeleteFunc(slices.Clone(r.Headers), func(h wire.Header) bool {
		return h.Name == "Session-Expires" || h.Name == "Min-SE"
	})
	next.Headers = append(next.Headers, headers...)
	return &next
}

// glare is how long we wait after both sides asked at once: who made the Call-ID waits longer.
func (l *Leg) glare() time.Duration {
	if l.invite == nil {
		return 2100*time.Millisecond + time.Duration(rand.N(190))*10*time.Millisecond
	}
	return time.Duration(rand.N(200)) * 10 * time.Millisecond
}

func (l *Leg) postpone(d time.Duration) {
	l.later = l.table.Wire.After(d, l.callID, func() {
		l.later = nil
		l.renew()
	})
}

// watch begins the time of the session anew (RFC 4028 10).
func (l *Leg) watch(t session.Timer) {
	l.unwatch()
	l.timer = t
	if t.Expires == 0 || l.over {
		return
	}
	end := l.table.Wire.After(t.End(), l.callID, func() { l.end(hal.WireTrouble, "no sign of life of the peer") })
	refresh := func() {}
	if t.Ours {
		refresh = l.table.Wire.After(t.Refresh(), l.callID, func() {
			l.wish.alive = true
			l.renew()
		})
	}
	l.clock = func() { end(); refresh() }
}

func (l *Leg) unwatch() {
	if l.clock != nil {
		l.clock()
		l.clock = nil
	}
}

// end ends a call that stands, because the peer does not.
func (l *Leg) end(cause hal.Cause, why string) {
	l.settle()
	l.bye()
	l.gone(cause, false, why)
	l.forget()
}
