package floor

import (
	"testing"

	"branchline/hal"
	"branchline/pbx/call"
)

// What was set at a phone holds after a restart, and over what is configured.
func TestForwardsAreKeptOverARestart(t *testing.T) {
	s := State{Box: 1, Boot: 4}
	s.Fold(began, call.ForwardSet{Extension: "202", Always: "203", Actor: "202"})
	s.Fold(began, call.ForwardSet{Extension: "201", DND: true, Actor: "201"})
	f := New(changed([]string{"forward=201"}), s.Clone())
	leg := hal.IncomingLeg("phones", 4, 1)
	out, err := f.Step(began, call.Heard{Signal: hal.Incoming{Leg: leg, From: "201", Endpoint: "201", To: "202"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range out.Orders {
		if d, ok := o.(hal.Dial); ok && d.To == "203" && d.Diverted == "202" {
			return
		}
	}
	t.Errorf("ordered %+v, want that 203 rings for 202", out.Orders)
}

// Whoever asked for a transfer is told why it failed, in the codes of SIP.
func TestWhyATransferFailedIsToldInACode(t *testing.T) {
	for cause, code := range map[hal.Cause]int{
		hal.Busy: 486, hal.Rejected: 603, hal.Unallocated: 404, hal.Forbidden: 403, hal.Congestion: 503,
		hal.WireTrouble: 503, hal.NoAnswer: 480, hal.Unreachable: 480, hal.Normal: 480,
	} {
		if got := codeOf(cause); got != code {
			t.Errorf("%s is told as %d, want %d", cause, got, code)
		}
	}
}
