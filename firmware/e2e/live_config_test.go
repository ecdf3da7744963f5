package e2e

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"branchline/board/sim/phone"
	"branchline/pbx/call"
)

const (
	frontDesk = "  - { number: \"201\", name: Front desk, password: plum-cake-201 }\n"
	anaBorn   = "  - { number: \"1001\", name: Ana, pin: \"4711\" }\n"
	salesStep = "{ name: sales, queue: sales, then: goodbye }"
	salesRow  = "  - { name: sales, agents: [\"1001\", \"1002\"], strategy: longest-idle, ring_timeout: 4s, wrap_up: 2s, record: true }\n"
	oneLine   = "number: \"+4930901820\", flow: main }"
)

// apply puts the branch's document with replacements in force.
func (r *rig) apply(replace ...string) {
	r.t.Helper()
	r.mustCommand("config", "apply", r.branchWith(replace...))
}

// refused has a phone sign in with a password that the box must not take.
func (r *rig) refused(user, password string) {
	r.t.Helper()
	p, err := phone.New(phone.Options{
		Server: netip.AddrPortFrom(r.ip, 5060), Listen: netip.AddrPortFrom(r.ip, 0),
		User: user, Password: password, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	err = p.Registered(r.ctx())
	cancel()
	if end := <-done; end != nil {
		r.t.Error(end)
	}
	if err == nil || !strings.Contains(err.Error(), "403") {
		r.t.Errorf("a phone signs in as %s with %s: %v, want 403", user, password, err)
	}
}

// mayNotDial: a phone whose credentials count no more calls nobody.
func (r *rig) mayNotDial(p *phone.Phone, number string) {
	r.t.Helper()
	c, err := p.Dial(r.ctx(), number)
	if err != nil {
		r.t.Fatal(err)
	}
	r.within("the box to refuse the call", c.Gone())
	if c.Code() != 403 {
		r.t.Errorf("a call by credentials that count no more ends with %d %s, want 403", c.Code(), c.Cause())
	}
}

// holdAndBack puts a call on hold at the desk and takes it back: what a phone does in a call is still taken.
func (r *rig) holdAndBack(desk *phone.Call) {
	r.t.Helper()
	if err := desk.Hold(); err != nil {
		r.t.Fatal(err)
	}
	waitFact[call.Held](r, nil)
	if err := desk.Resume(); err != nil {
		r.t.Fatal(err)
	}
	waitFact[call.Resumed](r, nil)
	if err := desk.WaitHears(r.ctx(), 440); err != nil {
		r.t.Error(err)
	}
}

// queuedIn waits until the call from a number is in a queue.
func (r *rig) queuedIn(from, queue string) {
	r.t.Helper()
	id := callOf(r, from)
	waitFact(r, func(f call.Queued) bool { return f.Call == id && f.Queue == queue })
}

// applied is how many documents were in force before a fact.
func (r *rig) applied(before call.Fact) (n int) {
	for _, e := range r.facts() {
		if e.Fact == before {
			break
		}
		if _, ok := e.Fact.(call.ConfigApplied); ok {
			n++
		}
	}
	return n
}

func TestAPhoneThatIsRemovedInACallTalksToItsEndAndIsAStrangerThen(t *testing.T) {
	t.Parallel()
	r := start(t)
	ana := r.anaAnswers()
	r.lineUp("gsm1")
	caller, desk := r.talk(ana, "+4930901", "+4930901820", 1000)
	began := time.Now()
	r.apply(frontDesk, "")
	if f := waitFact(r, func(f call.PhoneDown) bool { return f.Extension == "201" }); f.Why != "the extension was removed" {
		t.Errorf("the timeline says %q", f.Why)
	}
	r.goesOn("its phone is removed", caller, desk, 1000, 300*time.Millisecond)
	r.heardThroughout("its phone is removed", caller, desk, 1000, time.Since(began))
	r.holdAndBack(desk)
	r.mayNotDial(ana, "202")
	r.refused("201", "plum-cake-201")
	if err := desk.Hangup(); err != nil {
		t.Fatal(err)
	}
	if rec := r.record("+4930901"); rec.Outcome != "answered" || rec.By != call.ByCallee {
		t.Errorf("record: %s, ended by %s", rec.Outcome, rec.By)
	}
	r.waitAgent("1001", call.Unreachable)
}

// Who knows the old password only is nobody from now on, also where he had signed in by it: a password is
// changed because somebody had it who must not.
func TestAPhoneWhosePasswordIsChangedInACallMustSignInAnew(t *testing.T) {
	t.Parallel()
	r := start(t)
	old := r.anaAnswers()
	r.lineUp("gsm1")
	caller, desk := r.talk(old, "+4930902", "+4930901820", 1000)
	began := time.Now()
	r.apply("plum-cake-201", "pear-tart-201")
	if f := waitFact(r, func(f call.PhoneDown) bool { return f.Extension == "201" }); f.Why != "its password was changed" {
		t.Errorf("the timeline says %q", f.Why)
	}
	r.goesOn("its password is changed", caller, desk, 1000, 300*time.Millisecond)
	r.heardThroughout("its password is changed", caller, desk, 1000, time.Since(began))
	r.holdAndBack(desk)
	r.mayNotDial(old, "202")
	r.refused("201", "plum-cake-201")
	mended := r.phone("201", func(o *phone.Options) {
		o.Password, o.Tone, o.Auto = "pear-tart-201", 1200, phone.AnswerAfter(0)
	})
	if n := count(r, func(f call.PhoneDown) bool { return f.Extension != "201" }); n != 0 {
		t.Errorf("%d phones whose password is as it was have gone", n)
	}
	caller.Hangup()
	r.waitAgent("1001", call.Ready)
	again, _ := r.talk(mended, "+4930903", "+4930901820", 1200)
	if n := len(old.Calls()); n != 0 {
		t.Errorf("the phone with the old password has %d calls", n)
	}
	again.Hangup()
}

func TestAnAgentWhoIsRemovedWhileTalkingFinishesAndIsSignedOut(t *testing.T) {
	t.Parallel()
	r := start(t)
	ana := r.anaAnswers()
	r.lineUp("gsm1")
	caller, desk := r.talk(ana, "+4930904", "+4930901820", 1000)
	began := time.Now()
	r.apply(anaBorn, "", `agents: ["1001", "1002"]`, `agents: ["1002"]`)
	if p, _ := r.lastPresence("1001"); p.State != call.Talking || p.After != call.SignedOut || p.Cause != call.ByConfig {
		t.Errorf("during the call: %+v", p)
	}
	r.goesOn("its agent is removed", caller, desk, 1000, 300*time.Millisecond)
	r.heardThroughout("its agent is removed", caller, desk, 1000, time.Since(began))
	caller.Hangup()
	r.waitAgent("1001", call.SignedOut)
	if rec := r.record("+4930904"); rec.Outcome != "answered" || rec.Agent != "1001" {
		t.Errorf("record: %s by agent %q", rec.Outcome, rec.Agent)
	}
	if f := r.refusedPIN(r.phone("203", nil), "1001", "4711", 1); f.Why != "unknown agent" {
		t.Errorf("an agent who was removed: %+v", f)
	}
	r.apply()
	r.signIn(ana, "1001", "4711")
}

func TestAnAgentWhoJoinsAQueueIsOfferedWhoWaitsThereAtOnce(t *testing.T) {
	t.Parallel()
	r := start(t)
	cy := r.phone("203", func(o *phone.Options) { o.Tone, o.Auto = 1100, phone.AnswerAfter(0) })
	r.signIn(cy, "1003", "4713")
	caller := r.outside("from=+4930905; tone 440; key 1")
	r.queuedIn("+4930905", "sales")
	r.eventually("music", func() bool { return loud(caller.Heard()) })
	if n := count[call.Offered](r, nil); n != 0 {
		t.Fatalf("offered %d times to an agent of another queue", n)
	}
	r.apply(`agents: ["1001", "1002"]`, `agents: ["1001", "1003"]`)
	offer := waitFact[call.Offered](r, nil)
	if offer.Agent != "1003" || offer.Queue != "sales" {
		t.Errorf("offered %+v", offer)
	}
	if n := r.applied(offer); n != 1 {
		t.Errorf("offered after %d documents were told to be in force, want by the second itself", n)
	}
	r.hears(caller, 1100)
	desk := cy.Calls()[0]
	began := time.Now()
	r.apply() // and out of it again
	r.goesOn("its agent leaves the queue", caller, desk, 1100, 300*time.Millisecond)
	r.heardThroughout("its agent leaves the queue", caller, desk, 1100, time.Since(began))
	caller.Hangup()
	r.waitAgent("1003", call.Ready)
	next := r.outside("from=+4930906; tone 440; key 1")
	r.queuedIn("+4930906", "sales")
	r.eventually("music", func() bool { return loud(next.Heard()) })
	if n := count[call.Offered](r, nil); n != 1 {
		t.Errorf("%d offers, want that of the first caller alone", n)
	}
	next.Hangup()
}

// A queue is added and the flow leads there: the next caller takes it, who is in the old flow goes where
// the old flow leads.
func TestANewQueueTakesTheNextCallerAndWhoIsInTheOldFlowStays(t *testing.T) {
	t.Parallel()
	r := start(t, oneLine, secondLine)
	ana := r.anaAnswers()
	cy := r.phone("203", func(o *phone.Options) { o.Tone, o.Auto = 1100, phone.AnswerAfter(0) })
	r.signIn(cy, "1003", "4713")
	r.lineUp("gsm2")
	first := r.outside("from=+4930907; tone 440")
	r.eventually("the menu", func() bool { return loud(first.Heard()) })
	r.apply(oneLine, secondLine, `keys: { "1": sales,`, `keys: { "1": best,`,
		"      - "+salesStep, "      - { name: best, queue: best }\n      - "+salesStep,
		salesRow, salesRow+"  - { name: best, agents: [\"1003\"] }\n")
	second := r.outsideTo("+4930901821", "from=+4930908; tone 440; key 1")
	r.hears(second, 1100)
	r.queuedIn("+4930908", "best")
	first.Key("1")
	r.hears(first, 1000)
	r.queuedIn("+4930907", "sales")
	if rec := r.recordAfter(first.Hangup, "+4930907"); rec.Agent != "1001" || len(ana.Calls()) > 1 {
		t.Errorf("the first caller got agent %s", rec.Agent)
	}
	if rec := r.recordAfter(second.Hangup, "+4930908"); rec.Agent != "1003" {
		t.Errorf("the second caller got agent %s", rec.Agent)
	}
}

// A queue is removed while one caller rings at an agent, one waits and one is in the menu that leads
// there: the phone stops ringing, and the flow goes on for all three.
func TestAQueueThatIsRemovedLeavesItsCallersToTheFlow(t *testing.T) {
	t.Parallel()
	three := secondLine + "\n  - { name: gsm3, kind: sim, slot: slot3, number: \"+4930901822\", flow: main }"
	thenSupport := []string{oneLine, three, salesStep, "{ name: sales, queue: sales, then: support }"}
	r := start(t, thenSupport...)
	ana := r.phone("201", func(o *phone.Options) { o.Tone = 1000 }) // rings
	r.signIn(ana, "1001", "4711")
	r.lineUp("gsm2")
	r.lineUp("gsm3")
	rings := r.outside("from=+4930910; tone 440; key 1")
	desk, err := ana.WaitCall(r.ctx())
	if err != nil {
		t.Fatal(err)
	}
	waitFact[call.Alerting](r, nil)
	waits := r.outsideTo("+4930901821", "from=+4930911; tone 440; key 1")
	r.queuedIn("+4930911", "sales")
	chooses := r.outsideTo("+4930901822", "from=+4930912; tone 440")
	r.eventually("the menu", func() bool { return loud(chooses.Heard()) })
	r.apply(oneLine, three, salesStep, "{ name: sales, queue: support, then: goodbye }", salesRow, "")
	r.within("the phone to stop ringing", desk.Gone())
	if f := waitFact[call.Withdrawn](r, nil); f.Agent != "1001" || f.Queue != "sales" {
		t.Errorf("withdrawn: %+v", f)
	}
	r.waitAgent("1001", call.Ready)
	r.queuedIn("+4930910", "support")
	r.queuedIn("+4930911", "support")
	chooses.Key("1")
	r.queuedIn("+4930912", "support")
	bo := r.phone("202", func(o *phone.Options) { o.Tone, o.Auto = 900, phone.AnswerAfter(0) })
	r.desk(bo, "*22", "1002#4712#") // and is rung at once
	r.hears(rings, 900)
	rec := r.recordAfter(rings.Hangup, "+4930910")
	if len(rec.Visits) != 2 || rec.Visits[0].Exit != call.ExitSystem || rec.Visits[1].Exit != call.ExitAnswered {
		t.Errorf("visits: %+v", rec.Visits)
	}
	for _, c := range []string{"+4930911", "+4930912"} {
		if n := count(r, func(f call.Ended) bool { return f.Call == callOf(r, c) }); n != 0 {
			t.Errorf("the call from %s has ended", c)
		}
	}
	waits.Hangup()
	chooses.Hangup()
}

// What has begun ends as it began: the ring and the wrap-up that run keep their length, the next ones
// take that of the new document.
func TestRingAndWrapUpThatHaveBegunKeepTheirLength(t *testing.T) {
	t.Parallel()
	r := start(t, "ring_timeout: 4s", "ring_timeout: 3s")
	ana := r.phone("201", func(o *phone.Options) { o.Tone = 1000 })
	r.signIn(ana, "1001", "4711")
	caller := r.outside("from=+4930913; tone 440; key 1")
	waitFact[call.Alerting](r, nil)
	r.apply("ring_timeout: 4s", "ring_timeout: 1m")
	missed := waitFact[call.Missed](r, nil)
	offered := r.at(waitFact[call.Offered](r, nil))
	if rang := r.at(missed).Sub(offered); missed.Why != call.ByRONA || rang < 3*time.Second || rang > 4*time.Second {
		t.Errorf("missed for %s after %v, want after the 3s that it began with", missed.Why, rang)
	}
	desk := ana.Calls()
	r.eventually("the phone to stop ringing", func() bool { return len(ana.Calls()) == 0 })
	r.mustCommand("agents", "ready", "1001")
	r.eventually("the phone to ring again", func() bool { return len(ana.Calls()) == 1 && (len(desk) == 0 || ana.Calls()[0] != desk[0]) })
	again := ana.Calls()[0]
	<-time.After(3500 * time.Millisecond) // longer than the old document lets it ring
	if err := again.Answer(); err != nil {
		t.Fatalf("after 3.5s of ringing: %v; timeline:\n%s", err, r.timeline())
	}
	r.hears(caller, 1000)
	caller.Hangup()
	r.waitAgent("1001", call.WrapUp)
	p, at := r.lastPresence("1001")
	r.apply("wrap_up: 2s", "wrap_up: 1h")
	r.waitAgent("1001", call.Ready)
	if _, ready := r.lastPresence("1001"); p.Until.Sub(at) != 2*time.Second || ready.Before(p.Until) || ready.After(p.Until.Add(time.Second)) {
		t.Errorf("wrap-up from %v until %v ended at %v", at, p.Until, ready)
	}
}

// A SIM line gets another flow, and the flow that its caller is in is removed: he stays in it, whoever
// calls next enters the new one.
func TestALineWhoseFlowIsChangedKeepsItsCallerWhereHeIs(t *testing.T) {
	t.Parallel()
	r := start(t)
	first := r.outside("from=+4930915; tone 440")
	r.eventually("the menu", func() bool { return loud(first.Heard()) })
	r.apply("flow: main }", "flow: night }", "- name: main", "- name: night", `"1": sales`, `"1": support`)
	first.Key("1")
	r.queuedIn("+4930915", "sales")
	ana := r.phone("201", func(o *phone.Options) { o.Tone, o.Auto = 1000, phone.AnswerAfter(0) })
	r.desk(ana, "*22", "1001#4711#") // and is rung at once
	r.hears(first, 1000)
	desk := ana.Calls()[0]
	r.goesOn("its flow is removed", first, desk, 1000, 300*time.Millisecond)
	if rec := r.recordAfter(first.Hangup, "+4930915"); len(rec.Flows) != 1 || rec.Flows[0] != "main" {
		t.Errorf("flows of the first caller: %v", rec.Flows)
	}
	next := r.outside("from=+4930916; tone 440; key 1")
	r.queuedIn("+4930916", "support")
	if n := count(r, func(f call.LineDown) bool { return f.Line == "gsm1" }); n != 0 {
		t.Errorf("the line went down %d times", n)
	}
	if rec := r.recordAfter(next.Hangup, "+4930916"); len(rec.Flows) != 1 || rec.Flows[0] != "night" {
		t.Errorf("flows of the next caller: %v", rec.Flows)
	}
}
