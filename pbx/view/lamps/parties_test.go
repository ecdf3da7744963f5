package lamps_test

import (
	"reflect"
	"testing"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/view/lamps"
)

// board is what all lamps show.
type board struct {
	*testing.T
	fold  *lamps.Fold
	lamps map[string]lamps.Lamp
}

func newBoard(t *testing.T) *board { return &board{t, begun(), map[string]lamps.Lamp{}} }

func (b *board) say(facts ...call.Fact) {
	for _, l := range say(b.fold, facts...) {
		b.lamps[string(l.Kind)+l.Name] = l
	}
}

// shows checks the talks of a lamp but for their call.
func (b *board) shows(when, name string, want ...lamps.Talk) {
	b.Helper()
	var got []lamps.Talk
	for _, t := range b.lamps[name].Talks {
		t.Call = ""
		got = append(got, t)
	}
	if !reflect.DeepEqual(got, want) {
		b.Errorf("%s, %s shows\n%+v, want\n%+v", when, name, got, want)
	}
}

const bos hal.LegID = "phones#4-18"

// outside lets a caller from outside talk with 201.
func (b *board) outside() {
	b.say(call.Began{Call: "A", Leg: "gsm1#4-1", Line: "gsm1", From: "0935", Name: "Carl", To: "4711"}, call.Answered{Call: "A", Leg: "gsm1#4-1"},
		call.Dialed{Call: "A", Leg: anas, Line: "phones", To: "201", Extension: "201"}, call.Answered{Call: "A", Leg: anas},
		call.Connected{Call: "A", Leg: "gsm1#4-1", Peer: anas})
}

func TestWhoPicksACallUpIsShownInItWhenItsOwnIsOver(t *testing.T) {
	b := newBoard(t)
	b.say(call.Began{Call: "A", Leg: "gsm1#4-1", Line: "gsm1", From: "0935", Name: "Carl", To: "4711"},
		call.Dialed{Call: "A", Leg: anas, Line: "phones", To: "201", Extension: "201"}, call.Alerting{Call: "A", Leg: anas},
		call.Began{Call: "B", Leg: bos, Line: "phones", From: "202", To: "*8201", Extension: "202"})
	b.shows("before", "phone202", lamps.Talk{Leg: bos, Stage: lamps.Proceeding, Other: "*8201"})
	b.say(call.Moved{Call: "A", From: "B", Leg: bos, Why: call.ByPickup}, call.Ended{Call: "B"}, call.LegEnded{Call: "A", Leg: anas},
		call.Answered{Call: "A", Leg: bos}, call.Connected{Call: "A", Leg: "gsm1#4-1", Peer: bos})
	b.shows("picked up", "phone202", lamps.Talk{Leg: bos, Stage: lamps.Confirmed, Other: "0935", Name: "Carl"})
	b.shows("picked up", "phone201")
	b.say(call.LegEnded{Call: "A", Leg: bos}, call.Ended{Call: "A"})
	b.shows("after it", "phone202")
}

func TestPlaceIsLitFromParkingUntilSomebodyTalksOrItComesBack(t *testing.T) {
	b := newBoard(t)
	b.outside()
	parked := lamps.Talk{Incoming: true, Stage: lamps.Confirmed, Other: "0935", Name: "Carl"}
	b.say(call.Parted{Call: "A", Leg: "gsm1#4-1", Peer: anas}, call.Parked{Call: "A", Leg: anas, Place: "1", Extension: "201"}, call.LegEnded{Call: "A", Leg: anas})
	b.shows("parked", "park1", parked)
	b.say(call.Began{Call: "B", Leg: bos, Line: "phones", From: "202", To: "*61", Extension: "202"},
		call.Moved{Call: "A", From: "B", Leg: bos, Why: call.ByUnpark}, call.Ended{Call: "B"})
	b.shows("on the way back", "park1", parked)
	b.say(call.Answered{Call: "A", Leg: bos}, call.Connected{Call: "A", Leg: "gsm1#4-1", Peer: bos})
	b.shows("taken back", "park1")
	b.say(call.Parted{Call: "A", Leg: "gsm1#4-1", Peer: bos}, call.Parked{Call: "A", Leg: bos, Place: "12", Extension: "202"})
	b.shows("parked again", "park12", parked)
	b.say(call.Dialed{Call: "A", Leg: "phones#4-o50", Line: "phones", To: "202", Extension: "202"})
	b.shows("come back", "park12")
	b.say(call.Parked{Call: "A", Leg: bos, Place: "2"}, call.Ended{Call: "A"})
	b.shows("hung up", "park2")
	b.say(call.Began{Call: "C", Leg: caller}, call.Parked{Call: "C", Leg: caller, Place: "3"}, call.Booted{Boot: 5})
	b.shows("restarted", "park3")
}

func TestPhonesShowWithWhomTheyTalkAfterATransfer(t *testing.T) {
	b := newBoard(t)
	b.say(call.Began{Call: "A", Leg: caller, Line: "phones", From: "202", Name: "Bo", To: "201", Extension: "202"},
		call.Dialed{Call: "A", Leg: anas, Line: "phones", To: "201", Extension: "201"}, call.Answered{Call: "A", Leg: anas},
		call.Answered{Call: "A", Leg: caller}, call.Connected{Call: "A", Leg: caller, Peer: anas},
		call.Parted{Call: "A", Leg: caller, Peer: anas}, call.Transfer{Call: "A", Leg: caller, To: "203", State: call.TransferAsked})
	b.shows("asked", "phone201", lamps.Talk{Leg: anas, Incoming: true, Stage: lamps.Confirmed, Other: "203"})
	b.shows("asked", "phone202", lamps.Talk{Leg: caller, Stage: lamps.Confirmed})
	const cys hal.LegID = "phones#4-o50"
	b.say(call.Dialed{Call: "A", Leg: cys, Line: "phones", To: "203", Extension: "203"}, call.Alerting{Call: "A", Leg: cys})
	b.shows("ringing", "phone203", lamps.Talk{Leg: cys, Incoming: true, Stage: lamps.Early, Other: "201"})
	b.say(call.Answered{Call: "A", Leg: cys}, call.Connected{Call: "A", Leg: anas, Peer: cys},
		call.Transfer{Call: "A", Leg: caller, To: "203", State: call.TransferDone}, call.LegEnded{Call: "A", Leg: caller})
	b.shows("done", "phone203", lamps.Talk{Leg: cys, Incoming: true, Stage: lamps.Confirmed, Other: "201"})
	b.shows("done", "phone201", lamps.Talk{Leg: anas, Incoming: true, Stage: lamps.Confirmed, Other: "203"})
	b.shows("done", "phone202")
}

func TestWishesOfAPhoneAreShownAndOutliveARestart(t *testing.T) {
	f := begun()
	want := []lamps.Lamp{{Kind: lamps.Phone, Name: "201", Up: true, DND: true}, {Kind: lamps.Set, Name: "201", DND: true, Forward: "202"}}
	if got := say(f, call.ForwardSet{Extension: "201", Always: "202", DND: true}); !reflect.DeepEqual(got, want) {
		t.Errorf("changed: %+v, want %+v", got, want)
	}
	say(f, call.Booted{Boot: 5}, call.PhoneUp{Extension: "201"})
	again := lamps.New()
	if err := again.Restore(f.Save()); err != nil {
		t.Fatal(err)
	}
	for _, l := range again.Changes() {
		if l.Name == "201" && (!l.DND || l.Kind == lamps.Set && l.Forward != "202") {
			t.Errorf("after a restart: %+v", l)
		}
	}
}

func TestCheckpointOfAProgramThatKnewLessIsRefused(t *testing.T) {
	if err := lamps.New().Restore([]byte(`{"up":{"201":true}}`)); err == nil {
		t.Error("restored")
	}
}
