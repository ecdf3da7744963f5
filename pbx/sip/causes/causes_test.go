package causes

import (
	"testing"

	"branchline/hal"
)

func TestCauseIsWhatThePhoneMeans(t *testing.T) {
	for _, c := range []struct {
		code   int
		rang   bool
		reason string
		want   hal.Cause
	}{
		{486, true, "", hal.Busy}, {480, true, "", hal.NoAnswer}, {480, false, "", hal.Rejected}, {603, false, "", hal.Rejected},
		{404, false, "", hal.Unallocated}, {488, false, "", hal.Media}, {503, false, "", hal.Congestion}, {699, false, "", hal.WireTrouble},
		{480, true, "Q.850;cause=17", hal.Busy}, {500, false, `SIP;cause=200, q.850 ;text="x";Cause=21`, hal.Rejected},
		{486, false, "Q.850;cause=x", hal.Busy}, {486, false, "Q.850", hal.Busy},
	} {
		if got := Of(c.code, c.rang, c.reason); got != c.want {
			t.Errorf("%d, rang %v, %q: %s, want %s", c.code, c.rang, c.reason, got, c.want)
		}
	}
}

func TestRefusalsAndWhatTheyMeanAgree(t *testing.T) {
	for _, c := range []hal.Cause{hal.Busy, hal.Unallocated, hal.Forbidden, hal.Rejected, hal.Media, hal.Congestion} {
		if got := Of(Refusal(c), false, ""); got != c {
			t.Errorf("%s is told as %d, which means %s", c, Refusal(c), got)
		}
	}
	if !IsElsewhere(Elsewhere) || IsElsewhere("SIP;cause=486") || IsElsewhere("") {
		t.Error("elsewhere is not told apart")
	}
	if Weight(hal.Busy) <= Weight(hal.Unreachable) || Weight(hal.Rejected) <= Weight(hal.Busy) {
		t.Error("what tells most of the person does not count most")
	}
}
