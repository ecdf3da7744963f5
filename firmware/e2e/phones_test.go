package e2e

import (
	"testing"
	"time"

	"branchline/board/sim/phone"
	"branchline/hal"
	"branchline/pbx/call"
)

// between has a call another phone until both hear each other.
func (r *rig) between(a *phone.Phone, to string, b *phone.Phone, hzA, hzB float64) (out, in *phone.Call) {
	r.t.Helper()
	out, err := a.Dial(r.ctx(), to)
	if err != nil {
		r.t.Fatal(err)
	}
	if in, err = b.WaitCall(r.ctx()); err != nil {
		r.t.Fatal(err)
	}
	r.hearEachOther(out, hzB, in, hzA)
	return out, in
}

func (r *rig) hearEachOther(a *phone.Call, hearsA float64, b *phone.Call, hearsB float64) {
	r.t.Helper()
	if err := a.WaitHears(r.ctx(), hearsA); err != nil {
		r.t.Fatalf("%v; timeline:\n%s", err, r.timeline())
	}
	if err := b.WaitHears(r.ctx(), hearsB); err != nil {
		r.t.Fatalf("%v; timeline:\n%s", err, r.timeline())
	}
}

func saying(hz float64, auto phone.Auto) func(*phone.Options) {
	return func(o *phone.Options) { o.Tone, o.Auto = hz, auto }
}

const workshop = `  - { number: "203", name: Workshop, password: plum-cake-203 }`

func TestPhoneTransfersByReferAndEachHearsTheOther(t *testing.T) {
	t.Parallel()
	r := start(t)
	a := r.phone("201", saying(700, phone.LetRing()))
	b := r.phone("202", saying(1100, phone.AnswerAfter(0)))
	c := r.phone("203", saying(1500, phone.AnswerAfter(0)))

	// blind
	out, in := r.between(a, "202", b, 700, 1100)
	third := r.transferred(out, "203", c)
	r.within("who transferred to leave", out.Gone())
	r.hearEachOther(in, 1500, third, 1100)
	if err := in.Hangup(); err != nil {
		t.Fatal(err)
	}
	r.within("the third to be hung up", third.Gone())

	// to where it may not call: 403, and the call goes on
	out, in = r.between(a, "202", b, 700, 1100)
	if err := out.Transfer("009001234567"); err != nil {
		t.Fatal(err)
	}
	if code, err := out.WaitTransfer(r.ctx()); err != nil || code != 403 {
		t.Fatalf("a dear number: %d, %v", code, err)
	}
	r.hearEachOther(out, 1100, in, 700)

	// attended: the first waits, the second is asked, then they talk
	if err := out.Hold(); err != nil {
		t.Fatal(err)
	}
	if err := out.WaitState(r.ctx(), phone.Holding); err != nil {
		t.Fatal(err)
	}
	asked, third := r.between(a, "203", c, 700, 1500)
	if err := out.TransferTo(asked); err != nil {
		t.Fatal(err)
	}
	if code, err := out.WaitTransfer(r.ctx()); err != nil || code != 200 {
		t.Fatalf("attended: %d, %v; timeline:\n%s", code, err, r.timeline())
	}
	r.within("the consultation to end", asked.Gone())
	r.hearEachOther(in, 1500, third, 1100)
}

// transferred passes a call on blind and gives what came of it at the phone there.
func (r *rig) transferred(c *phone.Call, to string, at *phone.Phone) *phone.Call {
	r.t.Helper()
	if err := c.Transfer(to); err != nil {
		r.t.Fatal(err)
	}
	third, err := at.WaitCall(r.ctx())
	if err != nil {
		r.t.Fatal(err)
	}
	if code, err := c.WaitTransfer(r.ctx()); err != nil || code != 200 {
		r.t.Fatalf("transfer to %s: %d, %v", to, code, err)
	}
	return third
}

func TestTransferThatNobodyAnswersComesBack(t *testing.T) {
	t.Parallel()
	r := start(t, "outbound:", "calls: { recall: 5s }\noutbound:")
	a := r.phone("201", saying(700, phone.AnswerAfter(0)))
	b := r.phone("202", saying(1100, phone.AnswerAfter(0)))
	c := r.phone("203", nil)
	out, in := r.between(a, "202", b, 700, 1100)
	if err := out.Transfer("203"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.WaitCall(r.ctx()); err != nil {
		t.Fatal(err)
	}
	if err := out.Hangup(); err != nil {
		t.Fatal(err)
	}
	back, err := a.WaitCall(r.ctx())
	if err != nil {
		t.Fatalf("%v; timeline:\n%s", err, r.timeline())
	}
	if back.Name() != "came back from 203" {
		t.Errorf("the display shows %q", back.Name())
	}
	r.hearEachOther(back, 1100, in, 700)
}

func TestPersonPassesACallOnByKeys(t *testing.T) {
	t.Parallel()
	r := start(t)
	a := r.phone("201", saying(700, phone.LetRing()))
	b := r.phone("202", saying(1100, phone.AnswerAfter(0)))
	c := r.phone("203", saying(1500, phone.AnswerAfter(0)))

	// asking first: who waits hears neither of them
	out, in := r.between(a, "202", b, 700, 1100)
	if err := in.SendKeys("*2203"); err != nil {
		t.Fatal(err)
	}
	third, err := c.WaitCall(r.ctx())
	if err != nil {
		t.Fatal(err)
	}
	r.hearEachOther(in, 1500, third, 1100)
	if out.Hears(1100) || out.Hears(1500) {
		t.Error("who waits hears the two others")
	}
	if err := in.Hangup(); err != nil {
		t.Fatal(err)
	}
	r.hearEachOther(out, 1500, third, 700)
	if err := out.Hangup(); err != nil {
		t.Fatal(err)
	}
	r.within("the third to be hung up", third.Gone())

	// at once: the phone is hung up
	out, in = r.between(a, "202", b, 700, 1100)
	if err := in.SendKeys("##203"); err != nil {
		t.Fatal(err)
	}
	r.within("the phone to be hung up", in.Gone())
	if third, err = c.WaitCall(r.ctx()); err != nil {
		t.Fatal(err)
	}
	r.hearEachOther(out, 1500, third, 700)
}

func TestAnalogueTelephoneAsksByItsHookAndPassesTheCallOn(t *testing.T) {
	t.Parallel()
	r := start(t, workshop, workshop+`
  - { number: "204", name: Hall, password: plum-cake-204, kind: adapter }`)
	hall := r.phone("204", saying(700, phone.LetRing()))
	b := r.phone("202", saying(1100, phone.AnswerAfter(0)))
	c := r.phone("203", saying(1500, phone.AnswerAfter(0)))
	out, in := r.between(hall, "202", b, 700, 1100)
	tap := func(n int) {
		if err := out.SendInfo("!"); err != nil {
			t.Fatal(err)
		}
		r.eventually("the tap to be heard", func() bool { return count[call.Parted](r, nil) == n })
	}
	tap(1)
	r.eventually("dial tone", func() bool { return loud(out.HeardFor(200*time.Millisecond)) && !out.Hears(1100) })
	tap(1) // and back
	r.hearEachOther(out, 1100, in, 700)
	tap(2)
	if err := out.SendKeys("203"); err != nil {
		t.Fatal(err)
	}
	third, err := c.WaitCall(r.ctx())
	if err != nil {
		t.Fatal(err)
	}
	r.hearEachOther(out, 1500, third, 700)
	if err := out.Hangup(); err != nil {
		t.Fatal(err)
	}
	r.hearEachOther(in, 1500, third, 1100)
}

func TestDoorRingsAtItsTargetsAndIsOpened(t *testing.T) {
	t.Parallel()
	r := start(t, workshop, workshop+`
  - { number: "210", name: Gate, password: plum-cake-210, kind: door, target: ["201", "203"], open: "#1" }`)
	gate := r.phone("210", saying(700, phone.LetRing()))
	a := r.phone("201", nil)
	c := r.phone("203", saying(1500, phone.AnswerAfter(500*time.Millisecond)))
	out, err := gate.Dial(r.ctx(), "00301234567") // whatever it dials
	if err != nil {
		t.Fatal(err)
	}
	rings, err := a.WaitCall(r.ctx())
	if err != nil {
		t.Fatal(err)
	}
	in, err := c.WaitCall(r.ctx())
	if err != nil {
		t.Fatal(err)
	}
	if in.Name() != "Gate" || in.From() != "210" {
		t.Errorf("the display shows %q %q", in.Name(), in.From())
	}
	r.hearEachOther(out, 1500, in, 700)
	r.within("the other phone to stop ringing", rings.Gone())
	if err := in.SendKeys("#1"); err != nil {
		t.Fatal(err)
	}
	if err := out.WaitKeys(r.ctx(), "#1"); err != nil {
		t.Error(err)
	}
	opened := waitFact[call.DoorOpened](r, nil)
	if opened.Extension != "210" || opened.Number != "203" {
		t.Errorf("opened: %+v", opened)
	}
	if err := in.Hangup(); err != nil {
		t.Fatal(err)
	}
	r.within("the door to be hung up", out.Gone())

	// called, it answers by itself
	if out, err = c.Dial(r.ctx(), "210"); err != nil {
		t.Fatal(err)
	}
	if in, err = gate.WaitCall(r.ctx()); err != nil {
		t.Fatal(err)
	}
	r.hearEachOther(out, 700, in, 1500)
}

// A phone that loses its power in a call says nothing: the other side is let go within a minute. One that
// had put the other side on hold is waited for.
func TestPhoneThatLosesPowerInACallIsEndedUnlessItHolds(t *testing.T) {
	t.Parallel()
	r := start(t, workshop, workshop+`
  - { number: "204", name: Yard, password: plum-cake-204 }`)
	a := r.phone("201", saying(700, phone.LetRing()))
	b := r.phone("202", saying(1100, phone.AnswerAfter(0)))
	c := r.phone("203", saying(1500, phone.LetRing()))
	d := r.phone("204", saying(1900, phone.AnswerAfter(0)))
	lost, _ := r.between(a, "202", b, 700, 1100)
	kept, held := r.between(c, "204", d, 1500, 1900)
	if err := held.Hold(); err != nil {
		t.Fatal(err)
	}
	if err := held.WaitState(r.ctx(), phone.Holding); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	b.Vanish()
	d.Vanish()
	select {
	case <-lost.Gone():
	case <-time.After(time.Minute):
		t.Fatalf("a minute after its phone lost power the call is still up; timeline:\n%s", r.timeline())
	}
	if took := time.Since(began); took < 40*time.Second {
		t.Errorf("ended after %v: too soon to know", took)
	}
	waitFact(r, func(f call.Ended) bool { return f.Cause == hal.Media })
	select {
	case <-kept.Gone():
		t.Errorf("a call on hold was ended; timeline:\n%s", r.timeline())
	case <-time.After(3 * time.Second):
	}
}
