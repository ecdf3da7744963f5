package e2e

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"branchline/board/sim/phone"
	"branchline/hal"
	"branchline/hal/dsp"
	"branchline/pbx/call"
)

// The whole walk: ring, menu, key, music, the agent's phone, both hear each other, hang-up, record
// and recording.
func TestACallFromRingToRecord(t *testing.T) {
	t.Parallel()
	r := start(t)
	ana := r.phone("201", func(o *phone.Options) { o.Tone = 1000 })
	r.signIn(ana, "1001", "4711")

	caller := r.outside("from=+493012345; tone 440")
	waitFact(r, func(f call.FlowEntered) bool { return f.Flow == "main" })
	<-caller.Answered()
	caller.Key("1")
	waitFact(r, func(f call.Keyed) bool { return f.Key == "1" && f.Step == "choose" })
	ring, err := ana.WaitCall(r.ctx())
	if err != nil {
		t.Fatal(err)
	}
	if ring.From() != "+493012345" {
		t.Errorf("the desk phone shows %q as the caller", ring.From())
	}
	r.eventually("the caller to hear music while the phone rings", func() bool { return loud(caller.Heard()) })
	if err := ring.Answer(); err != nil {
		t.Fatal(err)
	}
	r.hears(caller, 1000)
	if err := ring.WaitHears(r.ctx(), 440); err != nil {
		t.Fatalf("the agent does not hear the caller: %v", err)
	}
	if !silent(caller.Heard(), 440) {
		t.Error("the caller hears himself")
	}
	r.waitAgent("1001", call.Talking)
	<-time.After(1500 * time.Millisecond) // of conversation, for the recording
	if err := ring.Hangup(); err != nil {
		t.Fatal(err)
	}
	r.within("the caller to be hung up", caller.Done())
	r.waitAgent("1001", call.WrapUp)
	r.waitAgent("1001", call.Ready)

	rec := r.record("+493012345")
	if rec.Outcome != "answered" || rec.By != call.ByCallee || rec.Cause != hal.Normal {
		t.Errorf("record: outcome %s, ended by %s, cause %s", rec.Outcome, rec.By, rec.Cause)
	}
	if len(rec.Keys) != 1 || rec.Keys[0].Key != "1" {
		t.Errorf("record: keys %+v", rec.Keys)
	}
	if len(rec.Visits) != 1 || rec.Visits[0].Queue != "sales" || rec.Visits[0].Exit != call.ExitAnswered {
		t.Errorf("record: visits %+v", rec.Visits)
	}
	if i := slices.IndexFunc(rec.Legs, func(l leg) bool { return l.Line == "phones" && l.Wire == ring.ID() }); i < 0 {
		t.Errorf("record: no leg has the Call-ID %s that the phone saw: %+v", ring.ID(), rec.Legs)
	}
	if i := slices.IndexFunc(rec.Legs, func(l leg) bool { return l.Line == "gsm1" && l.Wire == "CLCC 2" }); i < 0 {
		t.Errorf("record: the SIM's leg does not have the index that the modem gave it: %+v", rec.Legs)
	}
	saved := waitFact[call.RecordingSaved](r, nil)
	left, right := readWAV(t, filepath.Join(r.dir, "recordings", saved.File+".wav"))
	middle := len(left) / 2
	if l := dsp.Level(left[middle:middle+1600], 8000, 440); l < 0.1 {
		t.Errorf("recording, left: the caller's tone has level %.3f", l)
	}
	if l := dsp.Level(right[middle:middle+1600], 8000, 1000); l < 0.1 {
		t.Errorf("recording, right: the agent's tone has level %.3f", l)
	}
	if l := dsp.Level(left[middle:middle+1600], 8000, 1000); l > 0.01 {
		t.Errorf("recording, left: the agent is in the caller's channel, %.3f", l)
	}
}

func TestCallerHangsUpInTheConversation(t *testing.T) {
	t.Parallel()
	r := start(t)
	ana := r.phone("201", func(o *phone.Options) { o.Tone = 1000; o.Auto = phone.AnswerAfter(0) })
	r.signIn(ana, "1001", "4711")
	caller := r.outside("from=+4930501; tone 440; key 1")
	r.hears(caller, 1000)
	caller.Hangup()
	waitFact(r, func(f call.Ended) bool { return f.By == call.ByCaller })
	if rec := r.record("+4930501"); rec.By != call.ByCaller || rec.Outcome != "answered" {
		t.Errorf("record: %s, ended by %s", rec.Outcome, rec.By)
	}
	for _, c := range ana.Calls() {
		r.within("the agent's phone to be hung up", c.Gone())
	}
}

func TestAgentWhoDoesNotAnswerIsSetAwayAndTheNextIsTried(t *testing.T) {
	t.Parallel()
	r := start(t)
	ana := r.phone("201", nil)
	bo := r.phone("202", func(o *phone.Options) { o.Tone = 900; o.Auto = phone.AnswerAfter(300 * time.Millisecond) })
	r.signIn(ana, "1001", "4711")
	r.signIn(bo, "1002", "4712")
	caller := r.outside("from=+4930502; tone 440; key 1")
	first := waitFact[call.Offered](r, nil)
	if first.Agent != "1001" {
		t.Fatalf("offered to %s first, who has been idle shorter", first.Agent)
	}
	r.hears(caller, 900)
	r.waitAgent("1001", call.NotReady)
	rec := r.recordAfter(caller.Hangup, "+4930502")
	offers := rec.Visits[0].Offers
	if len(offers) != 2 || offers[0].Agent != "1001" || offers[0].Why == "" || offers[1].Agent != "1002" {
		t.Errorf("offers: %+v", offers)
	}
	// and back again by the code at the phone
	r.desk(ana, "*23", "")
	r.waitAgent("1001", call.Ready)
}

func TestCallerWhoLeavesWhileThePhoneRings(t *testing.T) {
	t.Parallel()
	r := start(t)
	ana := r.phone("201", nil)
	r.signIn(ana, "1001", "4711")
	caller := r.outside("from=+4930503; key 1")
	ring, err := ana.WaitCall(r.ctx())
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.WaitState(r.ctx(), phone.Ringing); err != nil {
		t.Fatal(err)
	}
	rec := r.recordAfter(caller.Hangup, "+4930503")
	r.within("the phone to stop ringing", ring.Gone())
	r.waitAgent("1001", call.Ready)
	if rec.Outcome != "abandoned" || rec.Visits[0].Exit != call.ExitAbandoned {
		t.Errorf("record: %s, visit %+v", rec.Outcome, rec.Visits[0])
	}
}

// Caller gone, answer and ring time-out within the same 20 ms, many times with the moment moved:
// one record each, nobody left in silence.
func TestEverythingAtTheSameMoment(t *testing.T) {
	t.Parallel()
	r := start(t, "ring_timeout: 4s", "ring_timeout: 3s", "wrap_up: 2s", "wrap_up: 0s")
	ana := r.phone("201", nil)
	r.signIn(ana, "1001", "4711")
	for i := range 6 {
		r.waitAgent("1001", call.Ready)
		from := "+493060" + string(rune('0'+i))
		caller := r.outside("from=" + from + "; key 1")
		ring, err := ana.WaitCall(r.ctx())
		if err != nil {
			t.Fatal(err)
		}
		offered := waitFact(r, func(f call.Offered) bool { return f.Call == callOf(r, from) })
		at := r.at(offered).Add(3*time.Second + time.Duration(i-3)*7*time.Millisecond)
		<-time.After(time.Until(at))
		caller.Hangup()
		if err := ring.Answer(); err != nil {
			t.Logf("answer: %v", err)
		}
		r.within("the caller's end", caller.Done())
		r.within("the phone's end", ring.Gone())
		r.record(from)
		if n := count(r, func(f call.Ended) bool { return f.Call == offered.Call }); n != 1 {
			t.Errorf("%d ends of one call", n)
		}
		if state := r.agentNow("1001"); state == call.NotReady {
			r.desk(ana, "*23", "")
		}
	}
	if n := len(r.recordsFromOutside()); n != 6 {
		t.Errorf("%d records of 6 calls", n)
	}
}

func TestTwoWaitingCallersDoNotHearEachOther(t *testing.T) {
	t.Parallel()
	r := start(t, "number: \"+4930901820\", flow: main }",
		"number: \"+4930901820\", flow: main }\n  - { name: gsm2, kind: sim, slot: slot2, number: \"+4930901821\", flow: main }")
	r.lineUp("gsm2")
	one := r.outside("from=+4930701; key 1; wait 1s; tone 440")
	two := r.outsideTo("+4930901821", "from=+4930702; key 1; wait 1s; tone 620")
	r.eventually("both to wait", func() bool { return count[call.Queued](r, nil) == 2 })
	r.eventually("both to hear music", func() bool { return loud(one.Heard()) && loud(two.Heard()) })
	<-time.After(2500 * time.Millisecond)
	if l := level(one.Heard(), 620); l > 0.02 {
		t.Errorf("one hears the other at %.3f", l)
	}
	if l := level(two.Heard(), 440); l > 0.02 {
		t.Errorf("two hears the other at %.3f", l)
	}
}

func TestExtensionCallsExtension(t *testing.T) {
	t.Parallel()
	r := start(t)
	a := r.phone("201", func(o *phone.Options) { o.Tone = 700 })
	b := r.phone("202", func(o *phone.Options) { o.Tone = 1100 })
	out, err := a.Dial(r.ctx(), "202")
	if err != nil {
		t.Fatal(err)
	}
	in, err := b.WaitCall(r.ctx())
	if err != nil {
		t.Fatal(err)
	}
	if err := out.WaitState(r.ctx(), phone.Alerting); err != nil {
		t.Fatalf("the caller hears no ringing: %v", err)
	}
	if in.Name() != "Front desk" || in.From() != "201" {
		t.Errorf("the display shows %q %q", in.Name(), in.From())
	}
	if err := in.Answer(); err != nil {
		t.Fatal(err)
	}
	if err := out.WaitHears(r.ctx(), 1100); err != nil {
		t.Fatal(err)
	}
	if err := in.WaitHears(r.ctx(), 700); err != nil {
		t.Fatal(err)
	}
	// hold: the other side hears our music, not silence, and then each other again
	if err := in.Hold(); err != nil {
		t.Fatal(err)
	}
	waitFact[call.Held](r, nil)
	r.eventually("music on hold", func() bool { return loud(out.HeardFor(200*time.Millisecond)) && !out.Hears(1100) })
	if err := in.Resume(); err != nil {
		t.Fatal(err)
	}
	if err := out.WaitHears(r.ctx(), 1100); err != nil {
		t.Fatal(err)
	}
	if err := out.SendKeys("42#"); err != nil {
		t.Fatal(err)
	}
	if err := in.WaitKeys(r.ctx(), "42#"); err != nil {
		t.Errorf("keys: heard %q: %v", in.KeysHeard(), err)
	}
	if err := out.Hangup(); err != nil {
		t.Fatal(err)
	}
	r.within("the called phone to be hung up", in.Gone())
	if rec := r.record("201"); rec.Direction != call.Internal || rec.Outcome != "answered" || rec.By != call.ByCaller {
		t.Errorf("record: %+v", rec)
	}
}

func TestDeskPhoneCallsOutThroughTheSIM(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.lineUp("gsm1")
	a := r.phone("201", func(o *phone.Options) { o.Tone = 800 })
	out, err := a.Dial(r.ctx(), "0030111")
	if err != nil {
		t.Fatal(err)
	}
	if err := out.WaitHears(r.ctx(), 700); err != nil {
		t.Fatalf("the person outside is not heard: %v", err)
	}
	person := r.box.World().Network.Calls()[0]
	r.hears(person, 800)
	if err := out.Hangup(); err != nil {
		t.Fatal(err)
	}
	r.within("the person outside to be hung up", person.Done())
	if rec := r.record("201"); rec.Direction != call.Outbound || rec.Outcome != "answered" {
		t.Errorf("record: %+v", rec)
	}
	for number, code := range map[string]int{"0030112": 486, "0030999": 404} {
		busy, err := a.Dial(r.ctx(), number)
		if err != nil {
			t.Fatal(err)
		}
		r.within("the end of the call to "+number, busy.Gone())
		if busy.Code() != code {
			t.Errorf("%s: the phone was told %d, want %d", number, busy.Code(), code)
		}
	}
}
