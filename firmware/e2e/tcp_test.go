package e2e

import (
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"branchline/board/sim/phone"
	"branchline/pbx/call"
)

func byTCP(o *phone.Options) { o.Transport = "tcp" }

// The agent's phone speaks TCP: it signs its agent in, takes a call of the queue while 200 idle
// connections lie about, loses its connection in the call, which goes on, and hangs up by a new one.
func TestAgentsPhoneByTCPTakesACallOfTheQueueAndLosesItsConnection(t *testing.T) {
	t.Parallel()
	r := start(t)
	ana := r.phone("201", func(o *phone.Options) { byTCP(o); o.Tone, o.Auto = 1000, phone.AnswerAfter(0) })
	r.signIn(ana, "1001", "4711")
	for range 200 {
		c, err := net.Dial("tcp", netip.AddrPortFrom(r.ip, 5060).String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	r.lineUp("gsm1")
	caller, desk := r.talk(ana, "+4930811", "+4930901820", 1000)
	if err := ana.DropConnection(r.ctx()); err != nil {
		t.Fatal(err)
	}
	waitFact(r, func(f call.PhoneDown) bool { return f.Extension == "201" })
	r.eventually("the phone to be back", func() bool { return count(r, func(f call.PhoneUp) bool { return f.Extension == "201" }) == 2 })
	r.goesOn("after the connection was lost", caller, desk, 1000, 500*time.Millisecond)
	if err := desk.Hangup(); err != nil {
		t.Fatal(err)
	}
	r.within("the caller to be hung up", caller.Done())
	if rec := r.record("+4930811"); rec.Outcome != "answered" || rec.By != call.ByCallee {
		t.Errorf("record: %s, ended by %s", rec.Outcome, rec.By)
	}
}

// The box is restarted. The phone that speaks UDP notices nothing, does not sign in again, and gets the
// next call of the queue; the one that speaks TCP comes back by itself.
func TestPhonesAreReachedAfterARestartOfTheBox(t *testing.T) {
	t.Parallel()
	r := start(t)
	var signedIn atomic.Int32
	ana := r.phone("201", func(o *phone.Options) {
		o.Tone, o.Auto = 1000, phone.AnswerAfter(0)
		o.OnEvent = func(e phone.Event) {
			if e.Kind == phone.SignedIn {
				signedIn.Add(1)
			}
		}
	})
	r.phone("202", byTCP)
	r.lineUp("gsm1")
	r.signIn(ana, "1001", "4711")
	r.stop()
	r.boot("")
	r.eventually("the line to be up again", func() bool { return count(r, func(f call.LineUp) bool { return f.Line == "gsm1" }) == 2 })
	caller, desk := r.talk(ana, "+4930812", "+4930901820", 1000)
	if err := desk.Hangup(); err != nil {
		t.Fatal(err)
	}
	r.within("the caller to be hung up", caller.Done())
	if n := signedIn.Load(); n != 1 {
		t.Errorf("the phone signed in %d times", n)
	}
	r.eventually("the phone by TCP to be back", func() bool {
		return count(r, func(f call.PhoneUp) bool { return f.Extension == "202" }) == 2
	})
}

// Two boxes on one machine have phones with one number; each call rings at home.
func TestTwoBoxesOnOneMachineKeepTheirPhonesApart(t *testing.T) {
	t.Parallel()
	a, b := start(t), start(t)
	for _, r := range []*rig{a, b} {
		caller := r.phone("202", byTCP)
		called, other := r.phone("201", nil), a
		if r == a {
			other = b
		}
		began := count[call.Began](other, nil)
		c, err := caller.Dial(r.ctx(), "201")
		if err != nil {
			t.Fatal(err)
		}
		in, err := called.WaitCall(r.ctx())
		if err != nil {
			t.Fatal(err)
		}
		if err := in.Answer(); err != nil {
			t.Fatal(err)
		}
		if err := c.WaitState(r.ctx(), phone.Talking); err != nil {
			t.Fatal(err)
		}
		if n := count[call.Began](other, nil); n != began {
			t.Errorf("the other box has %d calls, had %d", n, began)
		}
		if err := c.Hangup(); err != nil {
			t.Fatal(err)
		}
		r.within("the called phone to be hung up", in.Gone())
	}
}

// One box listens on two addresses, as on two networks: phones of both, by either transport, hear each other.
func TestPhonesOnTwoAddressesOfOneBoxHearEachOther(t *testing.T) {
	t.Parallel()
	one, two := boxes.next(), boxes.next()
	r := startAt(t, one, `["`+one.String()+`:5060"]`, `["`+one.String()+`:5060", "`+two.String()+`:5060"]`)
	at := func(o *phone.Options) {
		o.Server, o.Listen = netip.AddrPortFrom(two, 5060), netip.AddrPortFrom(two, 0)
	}
	a := r.phone("201", func(o *phone.Options) { o.Tone = 440 })
	for to, b := range map[string]*phone.Phone{
		"202": r.phone("202", func(o *phone.Options) { at(o); o.Tone = 1000 }),
		"203": r.phone("203", func(o *phone.Options) { at(o); byTCP(o); o.Tone = 1000 }),
	} {
		c, err := a.Dial(r.ctx(), to)
		if err != nil {
			t.Fatal(err)
		}
		in, err := b.WaitCall(r.ctx())
		if err != nil {
			t.Fatal(err)
		}
		if err := in.Answer(); err != nil {
			t.Fatal(err)
		}
		if err := c.WaitHears(r.ctx(), 1000); err != nil {
			t.Error(err)
		}
		if err := in.WaitHears(r.ctx(), 440); err != nil {
			t.Error(err)
		}
		if err := c.Hangup(); err != nil {
			t.Fatal(err)
		}
		r.within("the called phone to be hung up", in.Gone())
	}
}

// sipp by TCP: digest, hold, resume, BYE, all on one connection.
func TestSippByTCPCallsHoldsResumesAndHangsUp(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.phone("202", func(o *phone.Options) { o.Auto = phone.AnswerAfter(200 * time.Millisecond) })
	r.sipp("call", "202", "-t", "t1")()
	if rec := r.record("201"); rec.Outcome != "answered" || rec.By != call.ByCaller {
		t.Errorf("record: %s, ended by %s", rec.Outcome, rec.By)
	}
	if n := count[call.Resumed](r, nil); n != 1 {
		t.Errorf("resumed %d times", n)
	}
}
