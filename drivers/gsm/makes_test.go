package gsm_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"branchline/board/sim/modem"
	"branchline/board/sim/network"
	"branchline/hal"
)

// dialOut dials the far end until it rings there.
func (s *simRig) dialOut(r *running) hal.LegID {
	r.Helper()
	leg := hal.LegID("gsm1#1-o1")
	r.do(hal.Dial{Leg: leg, To: farNumber})
	expect[hal.Opened](r)
	expect[hal.Progress](r)
	return leg
}

func TestEndOfACallSaysWhyOnEachMake(t *testing.T) {
	for _, model := range models() {
		for _, why := range []hal.Cause{hal.Busy, hal.Rejected, hal.Unallocated} {
			t.Run(model+" "+string(why), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s, r := onPipes(t, modem.Options{Model: model})
					leg := s.dialOut(r)
					s.far.is().Hangup(why)
					if g := expect[hal.Gone](r); g.Leg != leg || g.Cause != why || !g.Far {
						t.Errorf("told %+v, want %s", g, why)
					}
				})
			})
		}
	}
}

func TestKeysGoOutAndComeInOnEachMake(t *testing.T) {
	for _, model := range models() {
		t.Run(model, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, r := onPipes(t, modem.Options{Model: model})
				script, err := network.ParseScript("from=" + farNumber)
				if err != nil {
					t.Fatal(err)
				}
				call, err := s.net.Call(ourNumber, script)
				if err != nil {
					t.Fatal(err)
				}
				leg := expect[hal.Incoming](r).Leg
				r.do(hal.Answer{Leg: leg})
				expect[hal.Answered](r)
				call.Key("7#")
				for _, key := range []byte("7#") {
					if d := expect[hal.Digit](r); d.Key != key {
						t.Errorf("told %c, want %c", d.Key, key)
					}
				}
				r.do(hal.Digits{Leg: leg, Keys: "12"})
				r.quiet(2 * time.Second)
				keys := ""
				for _, ev := range call.Events() {
					if ev.By == network.ByCalled {
						keys += ev.Key
					}
				}
				if keys != "12" {
					t.Errorf("the caller heard keys %q, want 12", keys)
				}
			})
		})
	}
}

func TestHangUpRightAfterTheDialDoesNotKillAHuawei(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := onPipes(t, modem.Options{Model: "E173"})
		script, err := network.ParseScript("no answer")
		if err != nil {
			t.Fatal(err)
		}
		s.net.Person("030113", script) // the network takes 100 ms to reach somebody outside
		for range 3 {
			r.do(hal.Dial{Leg: "gsm1#1-o1", To: "030113"})
			expect[hal.Opened](r) // by ^ORIG, before ^CONF
			r.do(hal.Hangup{Leg: "gsm1#1-o1", Cause: hal.Normal})
			expect[hal.Gone](r)
			time.Sleep(5 * time.Second)
		}
		s.dialOut(r)
	})
}

func TestHuaweiWithLockedVoiceIsRefusedInWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, r := onPipesAnyway(t, modem.Options{Model: "E173", VoiceLocked: true})
		if o := expect[hal.OutOfService](r); !strings.Contains(o.Why, "locked by its seller") {
			t.Errorf("told %q", o.Why)
		}
		r.quiet(time.Minute) // it is asked again, and nothing is new
	})
}

func TestStuckSoundOfASIM7600IsMendedByAResetAfterTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := onPipes(t, modem.Options{Model: "SIM7600"})
		s.m.StickSound()
		script, err := network.ParseScript("from=" + farNumber)
		if err != nil {
			t.Fatal(err)
		}
		call, err := s.net.Call(ourNumber, script)
		if err != nil {
			t.Fatal(err)
		}
		r.do(hal.Answer{Leg: expect[hal.Incoming](r).Leg})
		expect[hal.Answered](r)
		r.quiet(5 * time.Second)
		call.Hangup()
		expect[hal.Gone](r)
		if o := expect[hal.OutOfService](r); !strings.Contains(o.Why, "sound was stuck") {
			t.Errorf("told %q", o.Why)
		}
		for !r.inService() {
			expect[hal.OutOfService](r)
		}
		call, err = s.net.Call(ourNumber, script)
		if err != nil {
			t.Fatal(err)
		}
		leg := expect[hal.Incoming](r).Leg
		r.do(hal.Answer{Leg: leg})
		expect[hal.Answered](r)
		call.Tone(1000)
		hears(t, "we", exchange(r.line.Audio(leg), 600, 2500*time.Millisecond), 1000)
		hears(t, "the caller", call.Heard(), 600)
	})
}

func TestModuleThatIsNotKnownSaysSoInWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		m.answers["AT+CGMI"], m.answers["AT+CGMM"] = "Fibocom\r\nOK", "L610\r\nOK"
		r := run(t, m, newLine(t, m))
		o := expect[hal.OutOfService](r)
		for _, want := range []string{`"Fibocom" "L610" is not known`, "SIM7600", "EC25", "E17"} {
			if !strings.Contains(o.Why, want) {
				t.Errorf("told %q, want %s in it", o.Why, want)
			}
		}
		r.quiet(time.Minute)
	})
}

func TestCalledPartyIsHeardOnEachMake(t *testing.T) {
	for _, model := range models() {
		t.Run(model, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, r := onPipes(t, modem.Options{Model: model})
				script, err := network.ParseScript("answer after 1s; tone 1000")
				if err != nil {
					t.Fatal(err)
				}
				s.net.Person("030111", script)
				leg := hal.LegID("gsm1#1-o1")
				r.do(hal.Dial{Leg: leg, To: "030111"})
				expect[hal.Opened](r)
				expect[hal.Progress](r)
				expect[hal.Answered](r)
				hears(t, "we", exchange(r.line.Audio(leg), 600, 2500*time.Millisecond), 1000)
				hears(t, "the called party", s.net.Calls()[0].Heard(), 600)
			})
		})
	}
}
