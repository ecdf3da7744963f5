package gsm_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"branchline/hal"
)

func TestRingIsToldAtOnceWhenTheNumberFollowsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		r := start(t, m)
		began := time.Now()
		m.call("0912345678")
		in := expect[hal.Incoming](r)
		if took := time.Since(began); took > 150*time.Millisecond {
			t.Errorf("told %v after the ring, want 150 ms at most", took)
		}
		if in.From != "0912345678" {
			t.Errorf("from %q", in.From)
		}
		r.quiet(12 * time.Second) // it rings twice more
	})
}

func TestRingIsToldWithoutANumberAfterTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		m.clip = -1
		r := start(t, m)
		began := time.Now()
		m.call("")
		in := expect[hal.Incoming](r)
		if took := time.Since(began); in.From != "" || took < time.Second || took > 2100*time.Millisecond {
			t.Errorf("told from %q after %v, want a withheld number after 2 s", in.From, took)
		}
	})
}

func TestWithheldNumberIsToldAsSoonAsTheNetworkSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		r := start(t, m)
		began := time.Now()
		m.call("")
		if in := expect[hal.Incoming](r); in.From != "" || time.Since(began) > 150*time.Millisecond {
			t.Errorf("told %+v after %v", in, time.Since(began))
		}
	})
}

func TestCallerWhoHangsUpBeforeTheNumberCameHasARecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		m.clip = -1
		r := start(t, m)
		m.call("")
		time.Sleep(700 * time.Millisecond)
		m.end("NO CARRIER")
		leg := expect[hal.Incoming](r).Leg
		if g := expect[hal.Gone](r); g.Leg != leg || g.Cause != hal.NoAnswer || !g.Far {
			t.Errorf("told %+v", g)
		}
	})
}

func TestRingAfterTheEndIsNoNewCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		r := start(t, m)
		m.call("0912345678")
		leg := expect[hal.Incoming](r).Leg
		r.do(hal.Hangup{Leg: leg, Cause: hal.Rejected})
		if g := expect[hal.Gone](r); g.Cause != hal.Rejected || g.Far {
			t.Errorf("told %+v, want the cause of the order", g)
		}
		m.saying("RING")
		m.saying(`+CLIP: "0912345678",129`)
		r.quiet(5 * time.Second)
		m.call("0977") // and the next one is
		expect[hal.Incoming](r)
	})
}

func TestNothingIsTypedWhileTheModemAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		r := start(t, m)
		m.call("0912345678")
		leg := expect[hal.Incoming](r).Leg
		m.set(func() { m.answers["ATA"] = "-" })
		r.do(hal.Answer{Leg: leg})
		time.Sleep(100 * time.Millisecond)
		before := len(m.commands(""))
		r.do(hal.Hangup{Leg: leg})
		time.Sleep(5 * time.Second)
		if sent := m.commands("")[before:]; len(sent) != 0 {
			t.Errorf("sent %q while ATA was pending: a byte aborts the call", sent)
		}
		m.saying("OK")
		expect[hal.Gone](r)
	})
}

func TestAnswerToACallerWhoJustLeftIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		m.mute = true
		r := start(t, m)
		m.call("0912345678")
		leg := expect[hal.Incoming](r).Leg
		m.end("")
		r.do(hal.Answer{Leg: leg})
		if g := expect[hal.Gone](r); g.Cause != hal.NoAnswer || !g.Far {
			t.Errorf("told %+v", g)
		}
	})
}

func TestAnswerThatTheModemRefusesIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		r := start(t, m)
		m.call("0912345678")
		leg := expect[hal.Incoming](r).Leg
		m.set(func() { m.answers["ATA"] = "ERROR" })
		r.do(hal.Answer{Leg: leg})
		if g := expect[hal.Gone](r); g.Cause != hal.WireTrouble || g.Far {
			t.Errorf("told %+v", g)
		}
		if len(m.commands("AT+CHUP")) != 2 { // one at the start
			t.Errorf("the caller was left ringing")
		}
	})
}

func TestSecondCallerIsCountedAndNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		r := start(t, m)
		leg := r.talk()
		m.saying(`+CCWA: "0977",129,1`)
		m.set(func() { m.list = append(m.list, &listedCall{index: 3, dir: 1, stat: 5, number: "0977"}) })
		r.quiet(5 * time.Second)
		m.set(func() { m.list = m.list[1:]; m.list[0].stat = 4 }) // the first leaves: now it rings here
		if g := expect[hal.Gone](r); g.Leg != leg {
			t.Errorf("told %+v", g)
		}
		if in := expect[hal.Incoming](r); in.From != "0977" {
			t.Errorf("told %+v", in)
		}
	})
}

func TestDataBearerAndUnknownCallsAreNotOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		r := start(t, m)
		before := len(m.commands("AT+CHUP"))
		m.set(func() { m.list = append(m.list, &listedCall{index: 4, dir: 0, stat: 0, number: "0977"}) })
		r.quiet(40 * time.Second)
		if got := len(m.commands("AT+CHUP")); got == before {
			t.Errorf("a call that nobody knows of, billed, was not hung up")
		}
	})
}

func TestNumbersAreDialledAsDigitsAlone(t *testing.T) {
	for _, c := range []struct {
		to      hal.Number
		private bool
		want    string // "": refused
	}{
		{"0935 12-34", false, "ATD09351234;"},
		{"+886935", true, "ATD+886935I;"},
		{"*100#", false, "ATD*100#;"},
		{"1;+CFUN=0", false, ""},
		{"1\rAT+CFUN=0", false, ""},
		{"1+2", false, ""},
		{"", false, ""},
		{"+", false, ""},
		{hal.Number(strings.Repeat("1", 41)), false, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := newModule()
			r := start(t, m)
			r.do(hal.Dial{Leg: "gsm1#1-o1", To: c.to, Private: c.private})
			if c.want == "" {
				if g := expect[hal.Gone](r); g.Cause != hal.Unallocated {
					t.Errorf("%q: %+v", c.to, g)
				}
			} else {
				expect[hal.Opened](r)
			}
			time.Sleep(time.Second)
			got := m.commands("ATD")
			if want := []string{c.want}; c.want == "" && len(got) > 0 || c.want != "" && !slices.Equal(got, want) {
				t.Errorf("%q dialled as %q, want %q", c.to, got, c.want)
			}
		})
	}
}

func TestOwnCallThatFailsSaysWhy(t *testing.T) {
	for _, c := range []struct {
		word, ceer string
		cause      hal.Cause
		wire       string
	}{
		{"BUSY", "", hal.Busy, "BUSY"},
		{"NO ANSWER", "", hal.NoAnswer, "NO ANSWER"},
		{"NO CARRIER", "+CEER: 5,17", hal.Busy, "Q.850 17"},
		{"NO CARRIER", "+CEER: Unassigned number", hal.Unallocated, "Q.850 1"},
		{"NO CARRIER", "+CEER: Call rejected", hal.Rejected, "Q.850 21"},
		{"NO CARRIER", "ERROR", hal.Normal, "NO CARRIER"},
		{"", "-", hal.Normal, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := newModule()
			r := start(t, m)
			if c.ceer != "" {
				m.set(func() { m.answers["AT+CEER"] = c.ceer })
			}
			if strings.HasPrefix(c.ceer, "+") {
				m.set(func() { m.answers["AT+CEER"] += "\r\nOK" })
			}
			r.do(hal.Dial{Leg: "gsm1#1-o1", To: "0935"})
			expect[hal.Opened](r)
			expect[hal.Progress](r)
			m.end(c.word)
			g := expect[hal.Gone](r)
			if g.Cause != c.cause || g.Wire != c.wire || !g.Far {
				t.Errorf("%q with %q: told %+v, want %q %q", c.word, c.ceer, g, c.cause, c.wire)
			}
			r.quiet(5 * time.Second)
		})
	}
}

func TestDialWithoutAFreeLineIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		r := start(t, m)
		r.talk()
		r.do(hal.Dial{Leg: "gsm1#1-o1", To: "0935"})
		if g := expect[hal.Gone](r); g.Leg != "gsm1#1-o1" || g.Cause != hal.Congestion {
			t.Errorf("told %+v", g)
		}
		m.unplug()
		expect[hal.Gone](r)
		expect[hal.OutOfService](r)
		r.do(hal.Dial{Leg: "gsm1#1-o2", To: "0935"})
		if g := expect[hal.Gone](r); g.Leg != "gsm1#1-o2" || g.Cause != hal.Congestion {
			t.Errorf("told %+v", g)
		}
	})
}

func TestHangupTriesATHWhereCHUPIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		r := start(t, m)
		leg := r.talk()
		m.set(func() { m.answers["AT+CHUP"] = "ERROR" })
		r.do(hal.Hangup{Leg: leg})
		if g := expect[hal.Gone](r); g.Cause != hal.Normal || g.Far {
			t.Errorf("told %+v", g)
		}
		if len(m.commands("ATH")) != 2 { // one at the start
			t.Errorf("no ATH was sent")
		}
	})
}

func TestModuleThatDoesNotHangUpIsOpenedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		r := start(t, m)
		leg := r.talk()
		m.set(func() { m.answers["AT+CHUP"], m.answers["ATH"] = "ERROR", "ERROR" })
		r.do(hal.Hangup{Leg: leg})
		if g := expect[hal.Gone](r); g.Cause != hal.WireTrouble {
			t.Errorf("told %+v", g)
		}
		expect[hal.OutOfService](r)
		time.Sleep(20 * time.Second)
		m.set(func() { clear(m.answers) })
		for r.inService() == false {
			expect[hal.OutOfService](r)
		}
	})
}

func TestKeysAreSentOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		r := start(t, m)
		leg := r.talk()
		r.do(hal.Digits{Leg: leg, Ref: "d1", Keys: "12#"})
		r.do(hal.Digits{Leg: leg, Ref: "d2", Keys: "*a"})
		time.Sleep(time.Second)
		want := []string{"AT+VTS=1", "AT+VTS=2", "AT+VTS=#", "AT+VTS=*", "AT+VTS=A"}
		if got := m.commands("AT+VTS"); !slices.Equal(got, want) {
			t.Errorf("sent %q, want %q", got, want)
		}
		m.set(func() { m.answers["AT+VTS=B"] = "ERROR" })
		r.do(hal.Digits{Leg: leg, Ref: "d3", Keys: "B123"})
		if f := expect[hal.Failed](r); f.Ref != "d3" {
			t.Errorf("told %+v", f)
		}
		r.do(hal.Digits{Leg: leg, Ref: "d4", Keys: "1;+CFUN=0"})
		if f := expect[hal.Failed](r); f.Ref != "d4" {
			t.Errorf("told %+v", f)
		}
		r.quiet(2 * time.Second)
		if got := m.commands("AT+VTS"); len(got) != len(want)+1 {
			t.Errorf("sent %q after a key was refused", got)
		}
	})
}

func TestStopDropsTheKeysThatAreLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		r := start(t, m)
		leg := r.talk()
		r.do(hal.Digits{Leg: leg, Ref: "d1", Keys: "111111"})
		r.do(hal.Stop{Ref: "d1"})
		time.Sleep(time.Second)
		if got := m.commands("AT+VTS"); len(got) > 1 {
			t.Errorf("sent %q after Stop", got)
		}
		r.do(hal.Digits{Leg: leg, Ref: "d2", Keys: "2"})
		time.Sleep(time.Second)
		if got := m.commands("AT+VTS=2"); len(got) != 1 {
			t.Errorf("keys after a Stop are not sent")
		}
	})
}
