package e2e

import (
	"testing"

	"branchline/board/sim/phone"
	"branchline/pbx/call"
	"branchline/pbx/view"
)

// talking waits until both sides of a call between phones hear each other's tone.
func (r *rig) talking(a, b *phone.Call, hzOfA, hzOfB float64) {
	r.t.Helper()
	for _, c := range []*phone.Call{a, b} {
		if err := c.WaitState(r.ctx(), phone.Talking); err != nil {
			r.t.Fatalf("%v\n%s", err, r.timeline())
		}
	}
	if err := a.WaitHears(r.ctx(), hzOfB); err != nil {
		r.t.Fatal(err)
	}
	if err := b.WaitHears(r.ctx(), hzOfA); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) says(user string, hz float64) *phone.Phone {
	return r.phone(user, func(o *phone.Options) { o.Tone = hz })
}

// A phone sees that another one rings, and takes its call: by its lamp key, with the names of the dialog
// that the lamp showed, and by the code with the extension. Either way the one who rang is let go, the
// caller talks with who took it, both hear each other, and that is one record of one talk.
func TestPhoneTakesWhatRingsAtAnotherAndBothHearEachOther(t *testing.T) {
	for _, way := range []string{"lamp key", "code"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			r := start(t)
			a, b, c := r.says("201", 440), r.says("202", 700), r.says("203", 1000)
			lamp, err := c.Watch(r.ctx(), "202")
			if err != nil {
				t.Fatal(err)
			}
			mine, err := a.Watch(r.ctx(), "203")
			if err != nil {
				t.Fatal(err)
			}
			out, err := a.Dial(r.ctx(), "202")
			if err != nil {
				t.Fatal(err)
			}
			rung, err := b.WaitCall(r.ctx())
			if err != nil {
				t.Fatal(err)
			}
			shown, err := lamp.WaitState(r.ctx(), "early")
			if err != nil {
				t.Fatal(err)
			}
			var taken *phone.Call
			if way == "code" {
				taken, err = c.Dial(r.ctx(), "*8202")
			} else {
				taken, err = c.Take(r.ctx(), "202", shown)
			}
			if err != nil {
				t.Fatal(err)
			}
			r.within("202 to stop ringing", rung.Gone())
			r.talking(out, taken, 440, 1000)
			for _, l := range []struct {
				lamp  *phone.Lamp
				state string
			}{{lamp, "terminated"}, {mine, "confirmed"}} {
				if _, err := l.lamp.WaitState(r.ctx(), l.state); err != nil {
					t.Error(err)
				}
			}
			if err := out.Hangup(); err != nil {
				t.Fatal(err)
			}
			r.within("the end of it", taken.Gone())
			if _, err := mine.WaitState(r.ctx(), "terminated"); err != nil {
				t.Error(err)
			}
			r.oneTalk("201", "203", call.ByPickup)
		})
	}
}

// oneTalk checks that the talk is in the record of from alone; that of who came into it says where it went on.
func (r *rig) oneTalk(from, with, why string) {
	r.t.Helper()
	rec, other := r.oneRecord(call.Internal, from), r.oneRecord(call.Internal, with)
	if rec.Talk <= 0 || len(rec.Turns) != 1 || rec.Turns[0].What != view.TurnJoin || rec.Turns[0].How != why {
		r.t.Errorf("the record of %s: talk %v, turns %+v", from, rec.Talk, rec.Turns)
	}
	if other.Talk != 0 || other.Into != rec.Call {
		r.t.Errorf("the record of %s: talk %v, into %q; want %s", with, other.Talk, other.Into, rec.Call)
	}
}

// What a phone was set to by a code is shown by a key of that code, and to others by the extension's name.
func TestLampsShowDoNotDisturbAndForwarding(t *testing.T) {
	t.Parallel()
	r := start(t)
	a, b := r.phone("201", nil), r.phone("202", nil)
	shows := func(l *phone.Lamp, state string) {
		t.Helper()
		if _, err := l.WaitState(r.ctx(), state); err != nil {
			t.Fatalf("%v\n%s", err, r.timeline())
		}
	}
	watch := func(p *phone.Phone, name string) *phone.Lamp {
		t.Helper()
		l, err := p.Watch(r.ctx(), name)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	own, dnd, sent, place := watch(a, "*78"), watch(b, "dnd-201"), watch(b, "forward-201"), watch(b, "*61")
	for _, l := range []*phone.Lamp{own, dnd, sent, place} {
		shows(l, "terminated")
	}
	r.desk(a, "*78", "")
	shows(own, "confirmed")
	shows(dnd, "confirmed")
	r.desk(a, "*78", "")
	shows(own, "terminated")
	r.desk(a, "*72203", "")
	shows(sent, "confirmed")
	r.desk(a, "*72", "")
	shows(sent, "terminated")
}
