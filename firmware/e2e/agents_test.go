package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"branchline/board/sim/phone"
	"branchline/pbx/call"
)

// refusedPIN dials the sign-in code of an agent at p and types a PIN; the phone hangs up when the box
// has refused it for the n-th time.
func (r *rig) refusedPIN(p *phone.Phone, agent, pin string, n int) (last call.SignInRefused) {
	r.t.Helper()
	c, err := p.Dial(r.ctx(), "*22"+agent)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := c.WaitState(r.ctx(), phone.Talking); err != nil {
		r.t.Fatal(err)
	}
	if err := c.SendInfo(pin + "#"); err != nil {
		r.t.Fatal(err)
	}
	r.eventually(fmt.Sprintf("refusal %d", n), func() bool { return count[call.SignInRefused](r, nil) == n })
	for _, e := range r.facts() {
		if f, ok := e.Fact.(call.SignInRefused); ok {
			last = f
		}
	}
	if err := c.Hangup(); err != nil {
		r.t.Fatal(err)
	}
	r.within("the phone's call to end", c.Gone())
	return last
}

func TestPINGuessesAreLockedAfterFive(t *testing.T) {
	t.Parallel()
	const pin, guess = "90817263", "70605040"
	r := start(t, `"4711"`, `"`+pin+`"`)
	p := r.phone("203", nil)
	for n, keys := range []string{guess, pin[:7], "0000", "1111", pin + "0"} {
		if f := r.refusedPIN(p, "1001", keys, n+1); f.Why != "wrong PIN" || f.Agent != "1001" || f.Extension != "203" {
			t.Errorf("guess %d: %+v", n+1, f)
		}
	}
	if f := r.refusedPIN(p, "1001", pin, 6); f.Why != "locked" {
		t.Errorf("the right PIN after five wrong ones: %+v", f)
	}
	if f := r.refusedPIN(p, "1009", pin, 7); f.Why != "unknown agent" {
		t.Errorf("an agent whom nobody knows: %+v", f)
	}
	if state := r.agentNow("1001"); state == call.Ready {
		t.Error("the agent is signed in")
	}
	r.signIn(r.phone("202", nil), "1002", "4712") // the lock is that of one agent
	for _, secret := range []string{pin[:7], guess} {
		if strings.Contains(r.timeline(), secret) || strings.Contains(r.log.said(), secret) {
			t.Errorf("%s, which was typed as a PIN, is on the timeline or in the log", secret)
		}
	}
}

func TestAgentWhoSignsInAtAnotherPhoneMovesThere(t *testing.T) {
	t.Parallel()
	r := start(t)
	old := r.phone("201", nil)
	r.signIn(old, "1001", "4711")
	desk := r.phone("203", func(o *phone.Options) { o.Tone, o.Auto = 800, phone.AnswerAfter(0) })
	r.desk(desk, "*221001", "4711#")
	r.eventually("ana to be ready at 203", func() bool {
		p, _ := r.lastPresence("1001")
		return p.State == call.Ready && p.Extension == "203"
	})
	r.lineUp("gsm1")
	caller, _ := r.talk(desk, "+4930851", "+4930901820", 800)
	if n := len(old.Calls()); n != 0 {
		t.Errorf("the phone that she left has %d calls", n)
	}
	caller.Hangup()
	if rec := r.record("+4930851"); rec.Visits[0].Offers[0].Extension != "203" {
		t.Errorf("offered at %+v", rec.Visits[0].Offers)
	}
}

// A phone whose cable is pulled says nothing: the caller who was offered to it goes to the next agent
// within seconds.
func TestAPhoneThatIsSilentCostsTheCallerSeconds(t *testing.T) {
	t.Parallel()
	r := start(t)
	ana := r.anaAnswers()
	bo := r.phone("202", func(o *phone.Options) { o.Tone, o.Auto = 900, phone.AnswerAfter(0) })
	r.signIn(bo, "1002", "4712")
	r.lineUp("gsm1")
	ana.Vanish()
	caller, _ := r.talk(bo, "+4930852", "+4930901820", 900)
	rec := r.recordAfter(caller.Hangup, "+4930852")
	offers := rec.Visits[0].Offers
	if len(offers) != 2 || offers[0].Agent != "1001" || offers[0].Reason != "unreachable" || offers[1].Agent != "1002" {
		t.Errorf("offers: %+v", offers)
	}
	if rec.Visits[0].Wait > 5*time.Second {
		t.Errorf("the caller waited %v", rec.Visits[0].Wait)
	}
	if p, _ := r.lastPresence("1001"); p.State != call.NotReady || p.Reason != "unreachable" {
		t.Errorf("the agent at the silent phone: %+v", p)
	}
}

// A phone that is switched off makes its agent unreachable; when it is back the agent is ready and
// gets who waits.
func TestAPhoneThatIsSwitchedOffAndOnAgain(t *testing.T) {
	t.Parallel()
	r := start(t)
	ana, off := r.plug("201", nil)
	r.signIn(ana, "1001", "4711")
	off()
	waitFact(r, func(f call.PhoneDown) bool { return f.Extension == "201" })
	r.waitAgent("1001", call.Unreachable)
	caller := r.outside("from=+4930853; tone 440; key 1")
	waitFact[call.Queued](r, nil)
	r.eventually("music", func() bool { return loud(caller.Heard()) })
	if n := count[call.Offered](r, nil); n != 0 {
		t.Errorf("offered %d times to a phone that is off", n)
	}
	r.phone("201", func(o *phone.Options) { o.Tone, o.Auto = 1000, phone.AnswerAfter(0) })
	r.hears(caller, 1000)
	caller.Hangup()
}

// A supervisor takes an agent out while she talks: the call goes on, and it holds after its wrap-up.
func TestNotReadyDuringACallHoldsAfterIt(t *testing.T) {
	t.Parallel()
	r := start(t)
	ana := r.anaAnswers()
	r.lineUp("gsm1")
	caller, desk := r.talk(ana, "+4930854", "+4930901820", 1000)
	r.mustCommand("agents", "not-ready", "1001", "-reason", "lunch")
	if p, _ := r.lastPresence("1001"); p.State != call.Talking || p.After != call.NotReady || p.Reason != "lunch" {
		t.Errorf("during the call: %+v", p)
	}
	if said := r.mustCommand("agents"); !strings.Contains(said, "lunch") {
		t.Errorf("the list of agents does not tell the reason:\n%s", said)
	}
	r.goesOn("not ready", caller, desk, 1000, 300*time.Millisecond)
	caller.Hangup()
	r.waitAgent("1001", call.NotReady)
	if p, _ := r.lastPresence("1001"); p.Reason != "lunch" {
		t.Errorf("after the call: %+v", p)
	}
	ended := r.at(waitFact(r, func(f call.Ended) bool { return f.Call == callOf(r, "+4930854") }))
	for _, e := range r.facts() {
		if p, ok := e.Fact.(call.Presence); ok && p.Agent == "1001" && p.State == call.Ready && e.At.After(ended) {
			t.Error("she was ready for a moment")
		}
	}
	r.mustCommand("agents", "ready", "1001")
	r.waitAgent("1001", call.Ready)
	if code, said := r.command("agents", "not-ready", "1003"); code == 0 || !strings.Contains(said, "signed out") {
		t.Errorf("an agent who is signed out is set not ready: %d %q", code, said)
	}
}
