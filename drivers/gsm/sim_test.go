package gsm_test

import (
	"context"
	"io"
	"log/slog"
	"math"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"branchline/board/sim/modem"
	"branchline/board/sim/network"
	"branchline/drivers/gsm"
	"branchline/drivers/uart"
	"branchline/hal"
	"branchline/hal/dsp"
	"branchline/hal/haltest"
)

const (
	ourNumber = "+886911000111"
	farNumber = "+886935123456"
)

// farEnd is a telephone on the toy network that does what its owner says.
type farEnd struct {
	mu  sync.Mutex
	leg *network.Leg
}

func (f *farEnd) Ring(l *network.Leg) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.leg = l
	l.Ringing()
}
func (f *farEnd) Alerting(*network.Leg)                      {}
func (f *farEnd) Answered(*network.Leg)                      {}
func (f *farEnd) Ended(*network.Leg, hal.Cause)              {}
func (f *farEnd) KeyHeard(*network.Leg, byte, time.Duration) {}
func (f *farEnd) is() *network.Leg                           { f.mu.Lock(); defer f.mu.Unlock(); return f.leg }

// simRig is a line on the simulated modem of board/sim. open opens its ports.
type simRig struct {
	m    *modem.Modem
	net  *network.Network
	far  *farEnd
	call *network.Call
}

func newSim(t *testing.T, o modem.Options) *simRig {
	net := network.New(slog.New(slog.DiscardHandler))
	o.Number, o.Boot = ourNumber, 100*time.Millisecond
	m, err := modem.New(o, net)
	if err != nil {
		t.Fatal(err)
	}
	s := &simRig{m: m, net: net, far: new(farEnd)}
	if _, err := net.Attach(farNumber, s.far); err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs the modem until the end of the test.
func (s *simRig) run(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the modem: %v", err)
		}
		s.net.Close()
	})
}

func (s *simRig) rig(t *testing.T, o gsm.Options) haltest.Rig {
	o.Name, o.Boot = "gsm1", 1
	o.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	script, err := network.ParseScript("from=" + farNumber)
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	return haltest.Rig{
		Line: gsm.New(o), Number: farNumber, From: farNumber,
		Call: func() {
			call, err := s.net.Call(ourNumber, script)
			must(err)
			s.call = call
		},
		RingAgain: func() {
			s.m.Unsolicited("RING")
			s.m.Unsolicited(`+CLIP: "` + farNumber + `",145,"",0,"",0`)
		},
		Pick:   func() { must(s.far.is().Answer()) },
		Refuse: func() { s.far.is().Hangup(hal.Busy) },
		HangUp: func() {
			if s.call != nil {
				s.call.Hangup()
				return
			}
			s.far.is().Hangup(hal.Normal)
		},
		Press:  func(key byte) { s.call.Key(string(key)) },
		Vanish: s.m.PowerCut,
		Return: func() { must(s.m.Return()) },
	}
}

// onPTYs is a line that reaches the modem through real ttys.
func onPTYs(t *testing.T, o modem.Options) (*simRig, haltest.Rig) {
	s := newSim(t, o)
	at, pcm, err := s.m.OpenPTYs(filepath.Join(t.TempDir(), "tty"))
	if err != nil {
		t.Fatal(err)
	}
	s.run(t)
	open := func(path string) func() (io.ReadWriteCloser, error) {
		return func() (io.ReadWriteCloser, error) { return uart.Open(path, 115200) }
	}
	return s, s.rig(t, gsm.Options{OpenAT: open(at), OpenPCM: open(pcm)})
}

// models are those that the simulator has.
func models() []string { return []string{"EC25", "SIM7600", "E173"} }

func TestLineOnTheSimulatedModemKeepsTheContractThroughRealTTYs(t *testing.T) {
	t.Parallel()
	for _, model := range models() {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			haltest.TestLine(t, func(t *testing.T) haltest.Rig {
				_, rig := onPTYs(t, modem.Options{Model: model})
				return rig
			})
		})
	}
}

// hears checks that pcm, the end of it, is a tone of hz and nothing else.
func hears(t *testing.T, who string, pcm []int16, hz float64) {
	t.Helper()
	pcm = pcm[max(0, len(pcm)-8000):]
	if in, all := dsp.Level(pcm, 8000, hz), dsp.RMS(pcm); len(pcm) < 8000 || all < 0.05 || in < 0.8*all*math.Sqrt2 {
		t.Errorf("%s: %.0f Hz has amplitude %.3f in the last %d samples, of effective value %.3f", who, hz, in, len(pcm), all)
	}
}

func TestTonesArriveAtBothEndsThroughRealTTYs(t *testing.T) {
	t.Parallel()
	for _, model := range models() {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			s, rig := onPTYs(t, modem.Options{Model: model})
			tonesBothWays(t, s, rig)
		})
	}
}

func tonesBothWays(t *testing.T, s *simRig, rig haltest.Rig) {
	r := run(t, nil, rig.Line.(*gsm.Line))
	expect[hal.InService](r)
	rig.Call()
	leg := expect[hal.Incoming](r).Leg
	r.do(hal.Answer{Leg: leg})
	expect[hal.Answered](r)
	s.call.Tone(1000)
	heard := exchange(rig.Line.Audio(leg), 600, 2500*time.Millisecond)
	hears(t, "we", heard, 1000)
	hears(t, "the caller", s.call.Heard(), 600)
	s.call.Hangup()
	if g := expect[hal.Gone](r); !g.Far || g.Cause != hal.Normal {
		t.Errorf("told %+v", g)
	}
}

func TestTTYThatVanishesInACallDoesNotTouchTheOtherLine(t *testing.T) {
	t.Parallel()
	s1, rig1 := onPTYs(t, modem.Options{})
	_, rig2 := onPTYs(t, modem.Options{})
	r1, r2 := run(t, nil, rig1.Line.(*gsm.Line)), run(t, nil, rig2.Line.(*gsm.Line))
	for _, r := range []*running{r1, r2} {
		expect[hal.InService](r)
	}
	for i, r := range []*running{r1, r2} {
		[]haltest.Rig{rig1, rig2}[i].Call()
		r.do(hal.Answer{Leg: expect[hal.Incoming](r).Leg})
		expect[hal.Answered](r)
	}
	s1.m.Vanish() // the call itself lives on in the module
	if g := expect[hal.Gone](r1); g.Cause != hal.WireTrouble {
		t.Errorf("told %+v", g)
	}
	expect[hal.OutOfService](r1)
	if err := s1.m.Return(); err != nil {
		t.Fatal(err)
	}
	for !r1.inService() {
		expect[hal.OutOfService](r1)
	}
	if st := s1.call.State(); st.Phase != network.Ended {
		t.Errorf("the call of before is %s: it was left on the wire, billed", st.Phase)
	}
	r2.quiet(100 * time.Millisecond)
}

// onPipes is a line on the simulated modem inside a bubble.
func onPipes(t *testing.T, o modem.Options) (*simRig, *running) {
	s, r := onPipesAnyway(t, o)
	expect[hal.InService](r)
	return s, r
}

// onPipesAnyway does not wait for the service.
func onPipesAnyway(t *testing.T, o modem.Options) (*simRig, *running) {
	s := newSim(t, o)
	s.run(t)
	var mu sync.Mutex
	var sound io.ReadWriteCloser
	rig := s.rig(t, gsm.Options{
		OpenAT: func() (at io.ReadWriteCloser, err error) {
			mu.Lock()
			defer mu.Unlock()
			at, sound = s.m.OpenPipes()
			return at, nil
		},
		OpenPCM: func() (io.ReadWriteCloser, error) {
			mu.Lock()
			defer mu.Unlock()
			return sound, nil
		},
	})
	return s, run(t, nil, rig.Line.(*gsm.Line))
}

func TestLostAndBrokenLinesDoNotLeaveACallBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := onPipes(t, modem.Options{})
		script, err := network.ParseScript("from=" + farNumber + "; wait 10s; hangup")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 40 {
			switch i % 4 {
			case 0:
				s.m.LoseNextURC("RING")
				s.m.LoseNextURC("^DSCI")
			case 1:
				s.m.HalfLine()
			case 2:
				s.m.Garbage([]byte("\xff\x00\r\n+CLCC: 1,\r\nNO CARR"))
			}
			call, err := s.net.Call(ourNumber, script)
			if err != nil {
				t.Fatal(err)
			}
			leg := expect[hal.Incoming](r).Leg
			r.do(hal.Answer{Leg: leg})
			expect[hal.Answered](r)
			s.m.LoseNextURC("NO CARRIER")
			if i%2 == 0 {
				s.m.HalfLine()
			}
			<-call.Done()
			if g := expect[hal.Gone](r); g.Leg != leg || g.Cause != hal.Normal {
				t.Errorf("call %d: told %+v", i, g)
			}
			time.Sleep(5 * time.Second)
		}
	})
}
