// Package haltest holds every hal.Line to its contract.
//
// Who makes a line makes a Rig of it: the line itself, and hooks that make its far end act. TestLine
// then goes through what a line promises, each promise in a test of its own with a fresh rig. What
// a kind of line cannot do, the rig names in Lacks; a hook that is missing without that is a
// failure, so nothing goes untested by oversight. Start reading at Rig.
package haltest

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"branchline/hal"
)

// Rig is one line with its far end, in the state before Run. Hooks return when the far end has
// begun to act; they may wait for it but not for the line.
type Rig struct {
	Line   hal.Line
	Number hal.Number // what Dial reaches the far end by; it rings there until Pick, Refuse or HangUp
	From   hal.Number // who Call calls from, as Incoming.From must say it

	Call      func()         // somebody calls in and lets it ring
	RingAgain func()         // that call rings, and names its caller, once more
	Pick      func()         // the far end, which our Dial made ring, answers
	Refuse    func()         // the far end, which our Dial made ring, is busy
	HangUp    func()         // the far end ends the call, ringing or talking
	Press     func(key byte) // the far end, talking, presses a key
	Vanish    func()         // the wire is torn out
	Return    func()         // the wire is back

	// Lacks names what this kind of line cannot have: hooks by their field names, and "Progress"
	// where the wire does not tell that it rings.
	Lacks []string
}

// patience is how long a line may take to do what it must. What must be quick is checked for that.
const patience = 10 * time.Second

// TestLine checks line after line that build makes against the contract of hal.Line. Each promise
// gets a rig of its own, and they are checked at the same time: rigs must not disturb each other.
func TestLine(t *testing.T, build func(t *testing.T) Rig) {
	var wg sync.WaitGroup
	for _, p := range promises() {
		// Not t.Parallel: they wait for wires, not for processors, of which it allows one test each.
		wg.Go(func() { t.Run(p.name, func(t *testing.T) { p.check(t, build) }) })
	}
	wg.Wait()
}

// TestLineInBubble is TestLine in the time of testing/synctest: for rigs without sockets or devices.
func TestLineInBubble(t *testing.T, build func(t *testing.T) Rig) {
	for _, p := range promises() {
		t.Run(p.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { p.check(t, build) })
		})
	}
}

type promise struct {
	name  string
	needs []string // hooks
	keeps func(*bench)
}

func promises() []promise {
	return []promise{
		{"NameIsStable", nil, nameIsStable},
		{"RunEndsWithItsContext", nil, runEnds},
		{"RunEndsInACall", []string{"Call"}, runEndsInACall},
		{"OrdersNeedARunningLine", nil, ordersNeedRun},
		{"ServiceIsToldOnChangeOnly", []string{"Vanish", "Return"}, serviceOnChange},
		{"VanishedWireEndsTheCall", []string{"Call", "Vanish", "Return"}, vanishInCall},
		{"IncomingIsToldOnce", []string{"Call", "RingAgain"}, incomingOnce},
		{"AnswerGivesSoundUntilGone", []string{"Call", "HangUp"}, answerGivesSound},
		{"KeysOfTheFarEndAreTold", []string{"Call", "Press"}, keysAreTold},
		{"CallerWhoGivesUpIsGone", []string{"Call", "HangUp"}, callerGivesUp},
		{"HangupWhileRinging", []string{"Call"}, hangupRinging},
		{"HangupRightAfterAnswer", []string{"Call"}, hangupAnswering},
		{"HangupWhileTalking", []string{"Call"}, hangupTalking},
		{"HangupRightAfterDial", nil, hangupDialling},
		{"HangupWhileAlerting", nil, hangupAlerting},
		{"HangupAfterPick", []string{"Pick"}, hangupPicked},
		{"HangupTwice", []string{"Call"}, hangupTwice},
		{"DialIsAnswered", []string{"Pick", "HangUp"}, dialAnswered},
		{"DialIsRefused", []string{"Refuse"}, dialRefused},
		{"UnknownOrderFailsAndTheLegLives", []string{"Call"}, unknownOrder},
		{"OrdersForLegsThatAreNotThereAreIgnored", []string{"Call"}, ordersForNobody},
		{"OrdersDoNotWaitForUp", nil, ordersDoNotWait},
		{"CensusComesEverySecond", []string{"Call"}, censusComes},
	}
}

// check runs one promise on a rig of its own.
func (p promise) check(t *testing.T, build func(t *testing.T) Rig) {
	rig := build(t)
	for _, hook := range p.needs {
		if slices.Contains(rig.Lacks, hook) {
			t.Logf("this kind of line has no %s: nothing to keep here", hook)
			return
		}
		if !rig.has(hook) {
			t.Fatalf("the rig has no hook %s; name it in Lacks if this kind of line cannot have one", hook)
		}
	}
	b := newBench(t, rig)
	defer b.end()
	p.keeps(b)
}

func (r Rig) has(hook string) bool {
	switch hook {
	case "Call":
		return r.Call != nil
	case "RingAgain":
		return r.RingAgain != nil
	case "Pick":
		return r.Pick != nil
	case "Refuse":
		return r.Refuse != nil
	case "HangUp":
		return r.HangUp != nil
	case "Press":
		return r.Press != nil
	case "Vanish":
		return r.Vanish != nil
	case "Return":
		return r.Return != nil
	}
	panic("haltest: no hook " + hook)
}
