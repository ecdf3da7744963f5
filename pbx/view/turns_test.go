package view_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/view"
	"branchline/pbx/view/words"
)

// Bo asks 203 in call B and joins it with his caller of call A: each call tells its own part.
func TestAttendedTransferIsToldInBothRecords(t *testing.T) {
	const asks, third hal.LegID = "phones#4-9", "phones#4-o44"
	facts := append(queueCall()[:16],
		call.Held{Call: "A", Leg: bos}, // 16 s
		call.Began{Call: "B", Leg: asks, Line: "phones", Direction: call.Internal, From: "202", To: "203", Extension: "202"}, // 17
		call.Dialed{Call: "B", Leg: third, Line: "phones", To: "203", Extension: "203"},                                      // 18
		call.Answered{Call: "B", Leg: third},                                      // 19
		call.Answered{Call: "B", Leg: asks},                                       // 20
		call.Connected{Call: "B", Leg: asks, Peer: third},                         // 21
		call.Parted{Call: "A", Leg: caller, Peer: bos},                            // 22
		call.Transfer{Call: "A", Leg: bos, To: "203", State: call.TransferAsked},  // 23
		call.Parted{Call: "B", Leg: asks, Peer: third},                            // 24
		call.Moved{Call: "A", From: "B", Leg: third, Why: call.ByTransfer},        // 25
		call.LegEnded{Call: "B", Leg: asks, Cause: hal.Normal},                    // 26
		call.Ended{Call: "B", Cause: hal.Normal, By: call.ByCaller},               // 27
		call.Connected{Call: "A", Leg: caller, Peer: third},                       // 28
		call.Transfer{Call: "A", Leg: bos, To: "203", State: call.TransferDone},   // 29
		call.LegEnded{Call: "A", Leg: bos, Cause: hal.Normal},                     // 30
		call.LegEnded{Call: "A", Leg: caller, Cause: hal.Normal, Far: true},       // 31
		call.LegEnded{Call: "A", Leg: third, Cause: hal.Normal},                   // 32
		call.Ended{Call: "A", Cause: hal.Normal, By: call.ByCaller, Actor: "Mia"}, // 33
	)
	rows := apply(view.NewRecords(), history(facts...))
	if len(rows) != 2 {
		t.Fatalf("%d records, want 2", len(rows))
	}
	var asked, whole view.Record
	for row, r := range map[int]*view.Record{0: &asked, 1: &whole} {
		if err := json.Unmarshal(rows[row], r); err != nil {
			t.Fatal(err)
		}
	}
	if asked.Call != "B" || asked.Into != "A" || asked.Outcome != view.OutcomeAnswered || asked.Talk != 3*time.Second || len(asked.Legs) != 2 || asked.Legs[1].Cause != hal.Elsewhere {
		t.Errorf("what was asked: %+v", asked)
	}
	if len(whole.Legs) != 4 || whole.Legs[3].Extension != "203" || !whole.Legs[3].Began.Equal(start().Add(18*time.Second)) || whole.Actor != "Mia" {
		t.Errorf("the legs of the caller's call: %+v", whole.Legs)
	}
	var turns []string
	for _, n := range whole.Turns {
		turns = append(turns, n.What+" "+n.How+" "+n.Extension)
	}
	if got, want := strings.Join(turns, ", "), "transfer asked 202, join transfer 203, transfer done 202"; got != want {
		t.Errorf("turns %s, want %s", got, want)
	}
	if whole.Hold != 6*time.Second { // from Held to Parted: nobody is on hold while he is handed over
		t.Errorf("on hold for %v, want 6s", whole.Hold)
	}
	story := strings.Join(words.Story(whole, "en"), "\n")
	for _, want := range []string{"202 transfers the call to 203", "203 comes into this call: an attended transfer", "the transfer to 203 is done"} {
		if !strings.Contains(story, want) {
			t.Errorf("the story lacks %q:\n%s", want, story)
		}
	}
}

func TestForwardsParksAndRefusalsAreTold(t *testing.T) {
	r := one(t,
		call.Began{Call: "A", Leg: "phones#4-1", Line: "phones", Direction: call.Internal, From: "201", To: "202", Extension: "201"},
		call.Forwarded{Call: "A", Extension: "202", To: "203", Why: "no_answer"},
		call.Transfer{Call: "A", Leg: "phones#4-1", To: "0900", State: call.TransferRefused, Cause: hal.Forbidden},
		call.Parked{Call: "A", Leg: "phones#4-1", Place: "7", Extension: "201"},
		call.Ended{Call: "A", Cause: hal.Normal, By: call.ByCaller},
	)
	for lang, want := range map[string][]string{
		"en": {"extension 202 forwards the call to 203: no answer", "201 may not transfer the call to 0900: not allowed", "201 parks the call at place 7"},
		"zh": {"分机 202 将来电转移到 203：无人接听", "201 转接到 0900 被拒：不允许", "201 将通话寄存到 7 号位"},
	} {
		story := strings.Join(words.Story(r, lang), "\n")
		for _, w := range want {
			if !strings.Contains(story, w) {
				t.Errorf("the story lacks %q:\n%s", w, story)
			}
		}
	}
}
