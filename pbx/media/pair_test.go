package media

import (
	"fmt"
	"testing"

	"branchline/hal"
	"branchline/hal/dsp"
)

// TestNobodyHearsWhenPassingThroughBeginsAndEnds lets everything come and go that ends a passage,
// on nets that are calm and rough, and looks at each sample that arrives.
func TestNobodyHearsWhenPassingThroughBeginsAndEnds(t *testing.T) {
	long := shelf{"words": make([]int16, 4000)} // silent words, so that the voices stay recognisable
	visits := map[string]struct{ comes, goes func(d *desk, a, b *far) }{
		"a recording": {
			func(d *desk, a, b *far) {
				d.order(hal.Record{Bridge: "x", Ref: "r", File: "f", Left: []hal.LegID{"a"}, Right: []hal.LegID{"b"}})
			},
			func(d *desk, a, b *far) { d.order(hal.Stop{Ref: "r"}) }},
		"an announcement": {
			func(d *desk, a, b *far) {
				d.order(hal.Play{Bridge: "x", Ref: "p", Items: file("words"), Loop: true})
			},
			func(d *desk, a, b *far) { d.order(hal.Stop{Ref: "p"}) }},
		"music under one": {
			func(d *desk, a, b *far) {
				d.order(hal.Play{Leg: "b", Ref: "p", Items: file("words"), Loop: true, Under: true})
			},
			func(d *desk, a, b *far) { d.order(hal.Stop{Ref: "p"}) }},
		"a third party": {
			func(d *desk, a, b *far) { d.party("c", 0).mute = true; d.order(join("c", "x")) },
			func(d *desk, a, b *far) { d.Detach("c"); d.settle() }},
		"a listener and an announcement to a recorded call": {
			func(d *desk, a, b *far) {
				d.order(hal.Record{Bridge: "x", Ref: "r", File: "f", Left: []hal.LegID{"a"}, Right: []hal.LegID{"b"}})
				d.party("c", 0)
				d.order(hal.Join{Leg: "c", Bridge: "x"}, hal.Play{Bridge: "x", Ref: "p", Items: file("words"), Loop: true})
			},
			func(d *desk, a, b *far) {
				d.order(hal.Stop{Ref: "p"}, hal.Join{Leg: "c"})
				d.order(hal.Stop{Ref: "r"})
			}},
	}
	for name, v := range visits {
		for _, rough := range []int{0, 9} {
			t.Run(fmt.Sprintf("%s, %d ms", name, rough), func(t *testing.T) {
				d := wired(t, Options{Prompts: long, Recorder: &reel{t: t, files: map[string]*film{}}})
				a, b := d.far("a", agreed(PCMU)), d.far("b", agreed(PCMU))
				tab := newTable(d, rough, a, b)
				tab.pass(100)
				d.order(join("a", "x"), join("b", "x"))
				tab.pass(400)
				const times = 8
				for i := range times {
					v.comes(d, a, b)
					tab.pass(200 + 23*i)
					v.goes(d, a, b)
					tab.pass(200 + 31*i)
				}
				if s := a.port.Stats(); s.Relayed < 80 {
					t.Fatalf("little was passed through: %+v", s)
				}
				for _, f := range []*far{a, b} {
					from := a
					if f == a {
						from = b
					}
					f.numbers()
					jumps, late := f.jumps(from)
					if n := f.sum(jumps); n > 2*times*frame && rough > 0 || n > 0 && rough == 0 {
						t.Errorf("%s: %d samples lost or twice in %d changes: %v", f.id, n, 2*times, jumps)
					}
					for _, j := range jumps {
						if j > frame || j < -frame {
							t.Errorf("%s: a jump of %d samples", f.id, j)
						}
					}
					if limit := 20 + rough; late > limit { // what a phone gathers at the least
						t.Errorf("%s: packets are up to %d ms apart in time", f.id, late)
					}
				}
			})
		}
	}
}

// TestToneKeepsItsPhaseAndLevelWhilePassingComesAndGoes is the same for the ear.
func TestToneKeepsItsPhaseAndLevelWhilePassingComesAndGoes(t *testing.T) {
	d := wired(t, Options{Prompts: shelf{"words": make([]int16, 4000)}})
	a, b := d.far("a", agreed(PCMA)), d.far("b", agreed(PCMA))
	voice, pcm := dsp.NewGenerator(sine(400), rate), make([]int16, longest) // 400 Hz: a period is 20 samples
	voice.Fill(pcm)
	dsp.EncodeALaw(a.sound, pcm)
	tab := newTable(d, 0, a, b)
	d.order(join("a", "x"), join("b", "x"))
	tab.pass(300)
	for range 5 {
		d.order(hal.Play{Bridge: "x", Ref: "p", Items: file("words"), Loop: true})
		tab.pass(230)
		d.order(hal.Stop{Ref: "p"})
		tab.pass(270)
	}
	b.numbers()
	begin := b.heads[0].Timestamp
	heard := make([]int16, b.heads[len(b.heads)-1].Timestamp-begin+frame)
	for i, h := range b.heads {
		dsp.DecodeALaw(heard[h.Timestamp-begin:][:len(b.bytes[i])], b.bytes[i])
	}
	if len(heard) < 20000 {
		t.Fatalf("%d samples heard", len(heard))
	}
	for i := 20; i < len(heard); i++ {
		if off := int(heard[i]) - int(heard[i-20]); off > 300 || off < -300 { // of 8192; G.711 is as coarse as that
			t.Fatalf("sample %d is %d, a period before it was %d", i, heard[i], heard[i-20])
		}
	}
	if level := dsp.Level(heard, rate, 400); level < 0.24 || level > 0.26 {
		t.Errorf("the tone arrives at %.3f", level)
	}
}

func TestHoldEndsThePassageAndItGoesOnAfterwards(t *testing.T) {
	d := wired(t, Options{})
	a, b := d.far("a", agreed(PCMU)), d.far("b", agreed(PCMU))
	tab := newTable(d, 0, a, b)
	d.order(join("a", "x"), join("b", "x"))
	tab.pass(300)
	held := a.session
	held.Send, held.Recv = false, false
	a.port.Negotiated(held)
	d.settle()
	n, m := len(a.heads), len(b.heads)
	tab.silent["a"] = true
	tab.pass(600)
	if len(a.heads) != n {
		t.Errorf("%d packets went to a phone on hold", len(a.heads)-n)
	}
	if got := len(b.heads) - m; got < 28 || got > 31 {
		t.Errorf("the other was sent %d packets of silence in 600 ms", got)
	}
	a.port.Negotiated(a.session)
	tab.silent["a"] = false
	d.settle()
	relayed := a.port.Stats().Relayed
	tab.pass(400)
	if got := a.port.Stats().Relayed - relayed; got < 18 {
		t.Errorf("%d packets passed in 400 ms after the hold", got)
	}
	a.numbers()
	b.numbers()
	for _, f := range [][2]*far{{a, b}, {b, a}} {
		jumps, _ := f[0].jumps(f[1])
		for _, j := range jumps {
			if j > frame || j < -frame {
				t.Errorf("%s: jumps of %v samples", f[0].id, jumps)
			}
		}
	}
}

func TestTapeOfAPassageHoldsBothSidesInStepWithTheTick(t *testing.T) {
	r := &reel{t: t, files: map[string]*film{}}
	d := wired(t, Options{Recorder: r, Prompts: shelf{"words": make([]int16, 800)}})
	a, b := d.far("a", agreed(PCMU)), d.far("b", agreed(PCMU))
	tab := newTable(d, 0, a, b)
	d.order(join("a", "x"), join("b", "x"))
	tab.pass(300)
	d.order(hal.Record{Bridge: "x", Ref: "r", File: "f", Left: []hal.LegID{"a"}, Right: []hal.LegID{"b"}})
	relayed := a.port.Stats().Relayed
	tab.pass(1000)
	if got := a.port.Stats().Relayed - relayed; got != 50 {
		t.Errorf("%d packets passed in a second of recording, want 50", got)
	}
	d.order(hal.Play{Bridge: "x", Ref: "p", Items: file("words")})
	tab.pass(1000)
	d.order(hal.Stop{Ref: "r"})
	pcm := r.files["f"].pcm
	if len(pcm) != 2*2*rate {
		t.Fatalf("%d samples on the tape, want two seconds in step with the tick", len(pcm)/2)
	}
	for c, f := range []*far{a, b} {
		one, said := make([]int16, len(pcm)/2), make([]int16, longest)
		for i := range one {
			one[i] = pcm[2*i+c]
		}
		dsp.DecodeULaw(said, f.sound)
		begin := 0
		for i := range longest / 8 {
			if said[i] == one[1600] && said[i+1] == one[1601] && said[i+2] == one[1602] {
				begin = i - 1600
				break
			}
		}
		missing := 0
		for i := 2 * frame; i < len(one); i++ {
			if i+begin < 0 || one[i] != said[i+begin] {
				missing++
			}
		}
		if missing > 4*frame { // it may wait for the other side where the mix begins
			t.Errorf("channel %d: %d samples are not what was said", c, missing)
		}
	}
}

func TestChangesInTheMiddleOfAChangeAreNotHeardEither(t *testing.T) {
	d := wired(t, Options{Prompts: shelf{"words": make([]int16, 4000)}, Recorder: &reel{t: t, files: map[string]*film{}}})
	a, b := d.far("a", agreed(PCMU)), d.far("b", agreed(PCMU))
	tab := newTable(d, 5, a, b)
	d.order(join("a", "x"), join("b", "x"))
	tab.pass(300)
	for i := range 150 {
		switch ref := hal.Ref(fmt.Sprint(i)); i % 4 {
		case 0:
			d.order(hal.Play{Bridge: "x", Ref: "p" + ref, Items: file("words"), Loop: true})
		case 1:
			d.order(hal.Record{Bridge: "x", Ref: "r", File: "f", Left: []hal.LegID{"a"}})
		case 2:
			d.order(hal.Stop{Ref: hal.Ref(fmt.Sprint("p", i-2))})
		default:
			d.order(hal.Stop{Ref: "r"})
		}
		tab.pass(tab.chance.IntN(90))
	}
	tab.pass(200)
	for _, f := range [][2]*far{{a, b}, {b, a}} {
		f[0].numbers()
		jumps, late := f[0].jumps(f[1])
		if f[0].sum(jumps) > 10*frame || late > 80 {
			t.Errorf("%s: jumps of %v samples, %d ms apart", f[0].id, jumps, late)
		}
		for _, j := range jumps {
			if j > frame || j < -frame {
				t.Errorf("%s: a jump of %d samples", f[0].id, j)
			}
		}
	}
}

func TestPanicWhilePassingCostsOneLeg(t *testing.T) {
	d := wired(t, Options{})
	a, b := d.far("a", agreed(PCMU)), d.far("b", agreed(PCMU))
	tab := newTable(d, 0, a, b)
	d.order(join("a", "x"), join("b", "x"))
	tab.pass(100)
	in := d.in
	d.in = nil // so that receiving breaks
	d.receive(a.port.fd)
	d.in = in
	d.ticks(3)
	if d.byID["a"] != nil || d.byID["b"] == nil {
		t.Errorf("legs left: %v", d.byID)
	}
	d.expect(hal.Failed{Leg: "a"})
	if b.port.end.Joined() || d.byID["b"].bridge.pair.a != nil {
		t.Error("the other is still passed through")
	}
	b.listen(0)
	n := len(b.heads)
	d.ticks(10)
	b.listen(0)
	b.numbers()
	if got := len(b.heads) - n; got != 10 {
		t.Errorf("the other was sent %d packets in 200 ms", got)
	}
}

func TestPassingOnAllocatesNothing(t *testing.T) {
	d := wired(t, Options{})
	d.opt.Recorder = deaf{}
	a, b := d.far("a", agreed(PCMU)), d.far("b", agreed(PCMU))
	d.order(join("a", "x"), join("b", "x"))
	s, r := newSender(1, 400), newSender(2, 500)
	run := func(what string) {
		d.ticks(3)
		before := a.port.Stats().Relayed
		if n := testing.AllocsPerRun(200, func() {
			a.say(s.again())
			b.say(r.again())
			d.tick()
		}); n != 0 {
			t.Errorf("%s: %v allocations", what, n)
		}
		if got := a.port.Stats().Relayed - before; got < 200 {
			t.Errorf("%s: %d packets passed", what, got)
		}
	}
	run("passing")
	d.order(hal.Record{Bridge: "x", Ref: "r", File: "f", Left: []hal.LegID{"a"}, Right: []hal.LegID{"b"}})
	run("with a tape")
	if n := testing.AllocsPerRun(50, func() { // to and fro
		b.port.end.SendKeys("1")
		for range 20 {
			a.say(s.again())
			d.tick()
		}
	}); n != 0 {
		t.Errorf("to and fro: %v allocations", n)
	}
}
