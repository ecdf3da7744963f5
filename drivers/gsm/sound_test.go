package gsm_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"branchline/hal"
	"branchline/hal/dsp"
)

// exchange speaks hz into a for d and returns what is heard meanwhile, one frame every 20 ms.
func exchange(a hal.Audio, hz float64, d time.Duration) (heard []int16) {
	pcm := make([]int16, 160)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	at := 0
	for end := time.Now().Add(d); time.Now().Before(end); <-tick.C {
		heard = append(heard, pcm[:a.Read(pcm)]...)
		for i := range pcm {
			pcm[i] = int16(8000 * math.Sin(2*math.Pi*hz*float64(at)/8000))
			at++
		}
		a.Write(pcm)
	}
	return heard
}

func TestSoundGoesBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		r := start(t, m)
		leg := r.talk()
		m.set(func() { m.heard = nil })
		heard := exchange(r.line.Audio(leg), 600, 3*time.Second)
		var said []int16
		m.set(func() { said = m.heard })
		for _, c := range []struct {
			what string
			pcm  []int16
			hz   float64
		}{{"heard from the far end", heard, 1000}, {"said to the far end", said, 600}} {
			if n := len(c.pcm); n < 8000*28/10 || n > 8000*32/10 {
				t.Errorf("%s: %d samples in 3 s", c.what, n)
			}
			part := c.pcm[len(c.pcm)/4:]
			if in, all := dsp.Level(part, 8000, c.hz), dsp.RMS(part); all < 0.05 || in < 0.9*all*math.Sqrt2 {
				t.Errorf("%s: amplitude %.3f at %.0f Hz in sound of %.3f", c.what, in, c.hz, all)
			}
		}
	})
}

func TestSilenceIsWrittenWhereNothingIsSaidAndNothingOutsideCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModule()
		r := start(t, m)
		time.Sleep(3 * time.Second)
		written := func() (n int) { m.set(func() { n = len(m.heard) }); return n }
		if n := written(); n != 0 {
			t.Errorf("%d samples written before any call", n)
		}
		r.talk()
		before := written()
		time.Sleep(2 * time.Second)
		if n := written() - before; n < 8000*19/10 || n > 8000*21/10 {
			t.Errorf("%d samples written in 2 s of silence, want 16000", n)
		}
		m.end("NO CARRIER")
		expect[hal.Gone](r)
		time.Sleep(time.Second)
		before = written()
		time.Sleep(2 * time.Second)
		if n := written() - before; n != 0 {
			t.Errorf("%d samples written after the call", n)
		}
		if got := m.commands("AT+QPCMV"); len(got) != 3 || got[2] != "AT+QPCMV=0" { // and one at the start
			t.Errorf("the module's sound was switched by %q", got)
		}
	})
}
