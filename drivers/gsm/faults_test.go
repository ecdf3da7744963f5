package gsm_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"branchline/drivers/gsm"
	"branchline/hal"
)

// inService waits for the next word about the line's service, and says whether it is in service.
func (r *running) inService() bool {
	r.Helper()
	r.mu.Lock()
	read := r.read
	r.mu.Unlock()
	select {
	case <-r.came:
		r.came <- struct{}{}
	case <-time.After(2 * time.Minute):
		r.Fatal("nothing told within 2 minutes")
	}
	r.mu.Lock()
	_, ok := r.log[read].(hal.InService)
	r.mu.Unlock()
	if ok {
		expect[hal.InService](r)
	}
	return ok
}

func TestPortThatCannotBeOpenedIsTriedAgainLaterAndLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tries []time.Duration
		began := time.Now()
		m := newModule()
		line := newLine(t, m, func(o *gsm.Options) {
			o.OpenAT = func() (io.ReadWriteCloser, error) {
				tries = append(tries, time.Since(began))
				return nil, errors.New("no such device")
			}
		})
		r := run(t, m, line)
		if o := expect[hal.OutOfService](r); !strings.Contains(o.Why, "no such device") {
			t.Errorf("why: %q", o.Why)
		}
		r.quiet(100 * time.Second) // the reason has not changed
		r.stop()
		want := []time.Duration{0, 1, 3, 8, 18, 48, 78}
		for i := range want {
			want[i] *= time.Second
		}
		if !slices.Equal(tries, want) {
			t.Errorf("tried at %v, want %v", tries, want)
		}
	})
}

func TestSoundPortThatCannotBeOpenedIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		line := newLine(t, m, func(o *gsm.Options) {
			o.OpenPCM = func() (io.ReadWriteCloser, error) { return nil, errors.New("used by another program") }
		})
		r := run(t, m, line)
		if o := expect[hal.OutOfService](r); !strings.Contains(o.Why, "sound port: used by another program") {
			t.Errorf("why: %q", o.Why)
		}
	})
}

func TestGarbageOnTheCommandPortDoesNotEndACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		r := start(t, m)
		leg := r.talk()
		chance := rand.New(rand.NewPCG(1, 2))
		for range 200 {
			noise := make([]byte, 200)
			for i := range noise {
				noise[i] = byte(chance.IntN(256))
			}
			m.set(func() { m.raw(string(noise)) })
			time.Sleep(10 * time.Millisecond)
		}
		for _, half := range []string{"+CLC", "^DSCI: ", "+CLIP: \"", "\r\nRIN", "+QTONEDET: 99999999999999999999", "+CREG: ,,,"} {
			m.set(func() { m.raw(half + "\r\n") })
		}
		r.quiet(5 * time.Second)
		m.press('7')
		if d := expect[hal.Digit](r); d.Leg != leg || d.Key != '7' {
			t.Errorf("told %+v", d)
		}
	})
}

func TestBrokenListDoesNotEndACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		r := start(t, m)
		r.talk()
		m.set(func() { m.answers["AT+CLCC"] = "+CLCC: 2,1,\r\nOK" })
		r.quiet(10 * time.Second)
		m.set(func() { m.answers["AT+CLCC"] = "OK" })
		expect[hal.Gone](r)
	})
}

func TestSoundPortThatVanishesInACallEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		r := start(t, m)
		r.talk()
		m.set(func() { m.pcm.Close(); m.pcm = nil })
		if g := expect[hal.Gone](r); g.Cause != hal.WireTrouble {
			t.Errorf("told %+v", g)
		}
		expect[hal.OutOfService](r)
		before := len(m.commands("AT+CHUP"))
		expect[hal.InService](r)
		if len(m.commands("AT+CHUP")) == before {
			t.Errorf("the call was left on the wire")
		}
	})
}

func TestModuleThatStartsAnewInACallIsSetUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		r := start(t, m)
		r.talk()
		m.set(func() { m.list, m.sound, m.echo = nil, false, true })
		m.saying("RDY")
		if g := expect[hal.Gone](r); g.Cause != hal.WireTrouble {
			t.Errorf("told %+v", g)
		}
		expect[hal.OutOfService](r)
		expect[hal.InService](r)
		if n := len(m.commands("AT+CLIP=1")); n != 2 {
			t.Errorf("AT+CLIP=1 sent %d times, want once per start", n)
		}
		r.talk()
	})
}

func TestModuleThatFallsSilentIsOpenedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		r := start(t, m)
		r.talk()
		m.set(func() { m.silent = true })
		if g := expect[hal.Gone](r); g.Cause != hal.WireTrouble {
			t.Errorf("told %+v", g)
		}
		if o := expect[hal.OutOfService](r); !strings.Contains(o.Why, "silent") {
			t.Errorf("why: %q", o.Why)
		}
		m.set(func() { m.silent, m.list = false, nil })
		expect[hal.InService](r)
	})
}

func TestShortLossOfTheNetworkIsNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		r := start(t, m)
		m.set(func() { m.creg = 2 })
		m.saying("+CREG: 2")
		r.quiet(3 * time.Second)
		m.set(func() { m.creg = 5 })
		m.saying(`+CREG: 5,"00C3","1A2B",7`)
		r.quiet(60 * time.Second)
		m.set(func() { m.creg = 3 })
		m.saying("+CREG: 3")
		if o := expect[hal.OutOfService](r); !strings.Contains(o.Why, "refuses") {
			t.Errorf("why: %q", o.Why)
		}
		m.set(func() { m.creg = 1 }) // and no news of it
		expect[hal.InService](r)
	})
}

func TestUnknownModuleIsRefusedUnlessAProfileIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		m.answers["AT+CGMM"] = "X1000\r\nOK"
		r := run(t, m, newLine(t, m))
		if o := expect[hal.OutOfService](r); !strings.Contains(o.Why, "X1000") {
			t.Errorf("why: %q", o.Why)
		}
		r.stop()
		named := newLine(t, m, func(o *gsm.Options) { o.Profile = "ec25" })
		expect[hal.InService](run(t, m, named))
	})
}

func TestPINIsEnteredOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		m.pin = "1234"
		line := newLine(t, m, func(o *gsm.Options) { o.PIN = "1234" })
		r := run(t, m, line)
		expect[hal.InService](r)
		r.stop()
		if n := len(m.commands("AT+CPIN=")); n != 1 {
			t.Errorf("the PIN was entered %d times", n)
		}
	})
}

func TestWrongPINIsNeverTriedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		m.pin = "1234"
		line := newLine(t, m, func(o *gsm.Options) { o.PIN = "9999" })
		r := run(t, m, line)
		if o := expect[hal.OutOfService](r); !strings.Contains(o.Why, "refused") {
			t.Errorf("why: %q", o.Why)
		}
		r.quiet(5 * time.Minute)
		m.unplug()
		expect[hal.OutOfService](r)
		m.plug()
		expect[hal.OutOfService](r)
		r.quiet(5 * time.Minute)
		r.stop()
		if got := m.commands("AT+CPIN="); len(got) != 1 {
			t.Errorf("sent %q", got)
		}
	})
}

func TestLastPINTryAndThePUKAreLeftToAPerson(t *testing.T) {
	for _, says := range []string{"+CPIN: SIM PUK\r\nOK", "+CME ERROR: 12", "+CPIN: SIM PIN\r\nOK", "+CME ERROR: 10"} {
		synctest.Test(t, func(t *testing.T) {
			m := newModule()
			m.pin, m.pinTries = "1234", 1
			m.answers["AT+CPIN?"] = says
			line := newLine(t, m, func(o *gsm.Options) { o.PIN = "1234" })
			r := run(t, m, line)
			expect[hal.OutOfService](r)
			r.quiet(5 * time.Minute)
			r.stop()
			if got := m.commands("AT+CPIN="); len(got) != 0 {
				t.Errorf("%q: sent %q", says, got)
			}
		})
	}
}

func TestSIMThatIsPutInLaterIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		m.answers["AT+CPIN?"] = "+CME ERROR: 10"
		r := run(t, m, newLine(t, m))
		if o := expect[hal.OutOfService](r); !strings.Contains(o.Why, "no SIM") {
			t.Errorf("why: %q", o.Why)
		}
		m.set(func() { delete(m.answers, "AT+CPIN?") })
		m.saying("+CPIN: READY")
		expect[hal.InService](r)
		m.saying("+CPIN: NOT READY")
		expect[hal.OutOfService](r)
		expect[hal.InService](r)
	})
}

func TestStopInACallHangsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		r := start(t, m)
		r.talk()
		before := len(m.commands("AT+CHUP"))
		r.stop()
		if len(m.commands("AT+CHUP")) != before+1 {
			t.Errorf("the call stays up, billed")
		}
	})
}
