package media

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"branchline/hal"
	"branchline/hal/dsp"
	"branchline/pbx/media/rtp"
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

func TestKeyIsPassedOnWithItsOwnTypeAndTimeAndToldOnce(t *testing.T) {
	d := wired(t, Options{})
	a, b := d.far("a", agreed(PCMU)), d.far("b", Session{Codec: PCMU, PayloadType: 0, DTMF: 96})
	tab := newTable(d, 0, a, b)
	d.order(join("a", "x"), join("b", "x"))
	tab.pass(200)
	tab.silent["a"] = true // a phone sends no sound beside a key
	n, began := len(b.heads), a.head.Timestamp
	shift := b.heads[n-1].Timestamp + frame - began
	for i := range 8 {
		end := byte(0)
		if i > 4 {
			end = 0x80
		}
		head := a.head
		a.head.Timestamp, a.head.SSRC = began, head.SSRC
		packet := a.event(5, end|10, 0, byte(160*min(i+1, 5)/8))
		a.head.Timestamp = head.Timestamp
		packet[1] |= byte(map[bool]int{true: 0x80}[i == 0])
		a.say(packet)
		tab.pass(20)
	}
	events := slices.Clone(b.heads[n:])
	if len(events) != 8 {
		t.Fatalf("%d packets of a key came, want 8", len(events))
	}
	for i, h := range events {
		if h.PayloadType != 96 || h.Timestamp != began+shift || h.Marker != (i == 0) {
			t.Errorf("packet %d: %+v, want type 96 at %d", i, h, began+shift)
		}
	}
	tab.silent["a"] = false
	tab.pass(200)
	b.numbers()
	if jumps, _ := b.jumps(a); len(jumps) != 0 {
		t.Errorf("after the key the sound is off by %v", jumps)
	}
	got := d.told()
	if len(got) != 1 || got[0].(hal.Digit).Key != '5' || !got[0].(hal.Digit).Passed {
		t.Errorf("told %+v, want one 5 that was passed on", got)
	}
}

func TestKeyIsPassedOnWhollyOrNotAtAll(t *testing.T) {
	d := wired(t, Options{})
	a, b := d.far("a", agreed(PCMU)), d.far("b", agreed(PCMU))
	tab := newTable(d, 0, a, b)
	d.order(join("a", "x"), join("b", "x"))
	tab.pass(200)
	a.say(a.event(7, 10, 0, 160)) // begins, and the passage ends before it does
	d.order(hal.Play{Bridge: "x", Ref: "p", Items: []hal.Item{{Tone: "dial"}}})
	tab.pass(100)
	var ends int
	for i, h := range b.heads {
		if h.PayloadType == 101 && b.bytes[i][1]&0x80 != 0 {
			ends++
		}
	}
	if ends != 3 {
		t.Errorf("the key was ended by %d packets, want 3", ends)
	}
	tab.pass(400)
	a.say(a.event(8, 10, 0, 160)) // begins in the mix
	d.order(hal.Stop{Ref: "p"})
	tab.pass(60)
	n := len(b.heads)
	a.head.Timestamp -= 3 * frame
	a.say(a.event(8, 0x80|10, 2, 0x80))
	a.head.Timestamp += 3 * frame
	tab.pass(300)
	for _, h := range b.heads[n:] {
		if h.PayloadType == 101 {
			t.Error("the end of a key was passed on, whose beginning was not")
		}
	}
	b.numbers()
	got := d.told()
	if len(got) != 3 || !got[0].(hal.Digit).Passed || got[2].(hal.Digit).Passed {
		t.Errorf("told %+v, want 7 passed on, the end of the tone, and 8 not passed on", got)
	}
}

func TestOwnKeysEndThePassageForAsLongAsTheySound(t *testing.T) {
	d := wired(t, Options{})
	a, b := d.far("a", agreed(PCMU)), d.far("b", agreed(PCMU))
	tab := newTable(d, 0, a, b)
	d.order(join("a", "x"), join("b", "x"))
	tab.pass(200)
	b.port.SendKeys("k", "42")
	d.settle()
	tab.pass(600)
	keys, in := "", rtp.KeysIn{}
	for i, h := range b.heads {
		if h.PayloadType == 101 {
			in.Put(h.Timestamp, b.bytes[i], false)
			if press, ok := in.Tick(); ok {
				keys += string(press.Key)
			}
		}
	}
	relayed := a.port.Stats().Relayed
	tab.pass(200)
	if got := a.port.Stats().Relayed - relayed; keys != "42" || got != 10 {
		t.Errorf("keys %q came, and then %d packets passed in 200 ms", keys, got)
	}
	b.numbers()
}

func TestCodecThatWeCannotDecodePassesBetweenLegsThatShareIt(t *testing.T) {
	d := wired(t, Options{})
	opus := Session{Codec: Raw, Format: "opus/48000/2", ClockHz: 48000, PayloadType: 111}
	a := d.far("a", opus)
	opus.PayloadType = 98
	b := d.far("b", opus)
	opus.Format = "G729/8000"
	c := d.far("c", opus)
	d.order(join("a", "x"), join("b", "x"))
	d.ticks(1)
	for i := range 50 {
		head := rtp.Packet{PayloadType: 111, Seq: uint16(i), Timestamp: uint32(i * 960), SSRC: 5}
		p := make([]byte, rtp.HeaderLen)
		head.PutHeader(p)
		a.say(append(p, fmt.Sprint("packet ", i)...))
		d.tick()
	}
	b.listen(0)
	if len(b.heads) != 50 || !bytes.Equal(b.bytes[49], []byte("packet 49")) || b.heads[49].PayloadType != 98 ||
		b.heads[49].Timestamp-b.heads[0].Timestamp != 49*960 {
		t.Errorf("%d packets came, the last is %q", len(b.heads), b.bytes[len(b.bytes)-1])
	}
	d.order(hal.Play{Leg: "b", Ref: "p", Items: []hal.Item{{Tone: "dial"}}}, join("c", "y"), join("a", "y"))
	d.ticks(20)
	a.say(a.packet(frame))
	b.listen(0)
	c.listen(0)
	if len(b.heads) != 50 || len(c.heads) != 0 {
		t.Errorf("sent %d packets that cannot be made, and %d of another codec", len(b.heads)-50, len(c.heads))
	}
}

func TestAnotherCodecThatTheSenderMayUseIsConverted(t *testing.T) {
	d := wired(t, Options{})
	a, b := d.far("a", agreed(PCMA)), d.far("b", agreed(PCMA))
	tab := newTable(d, 0, a, b)
	d.order(join("a", "x"), join("b", "x"))
	tab.pass(100)
	packet := a.packet(frame)
	packet[1] = 0 // it says PCMU
	n := len(b.heads)
	a.say(packet)
	b.listen(0)
	if len(b.heads) != n+1 || b.heads[n].PayloadType != 8 {
		t.Fatalf("%d packets came", len(b.heads)-n)
	}
	want, pcm := make([]byte, frame), make([]int16, frame)
	dsp.DecodeULaw(pcm, packet[rtp.HeaderLen:])
	dsp.EncodeALaw(want, pcm)
	if !bytes.Equal(b.bytes[n], want) {
		t.Error("it came as other sound")
	}
}

func TestFloodAndGarbageOnOneLegAreBoundedAndDoNotTearTheOthersNumbers(t *testing.T) {
	for name, next := range map[string]func(a *far, i int) []byte{
		"a thousand packets a second": func(a *far, i int) []byte { return a.packet(8) },
		"a new SSRC each time":        func(a *far, i int) []byte { a.head.SSRC++; return a.packet(8) },
		"numbers that mean nothing": func(a *far, i int) []byte {
			b := a.packet(8)
			binary.BigEndian.PutUint16(b[2:], uint16(i*7919))
			binary.BigEndian.PutUint32(b[4:], uint32(i*2654435761))
			return b
		},
		"keys that mean nothing": func(a *far, i int) []byte { a.head.Timestamp += 800; return a.event(byte(i%16), 10, 1, 0) },
		"no RTP":                 func(a *far, i int) []byte { return a.sound[i : i+40] },
	} {
		t.Run(name, func(t *testing.T) {
			d := wired(t, Options{})
			a, b := d.far("a", agreed(PCMU)), d.far("b", agreed(PCMU))
			d.order(join("a", "x"), join("b", "x"))
			d.ticks(2)
			for i := range 1000 {
				a.say(next(a, i))
				if i%20 == 0 {
					d.tick()
				}
				b.listen(0)
			}
			if n := len(b.heads); n > burst+perTick*51 {
				t.Errorf("%d of 1,000 packets came", n)
			}
			for i := 1; i < len(b.heads); i++ {
				p, q := b.heads[i-1], b.heads[i]
				if gap := int16(q.Seq - p.Seq); q.SSRC != p.SSRC || gap > 100 || gap < -100 {
					t.Fatalf("packet %d: %+v after %+v", i, q, p)
				}
			}
			s := a.port.Stats()
			if int(s.Relayed) != len(b.heads) || s.Relayed+s.Excess+s.Invalid == 0 {
				t.Errorf("counted %+v, %d came", s, len(b.heads))
			}
			n := len(b.heads)
			d.ticks(10)
			newTable(d, 0, b, a).pass(400) // both speak as they should
			if got := len(b.heads) - n; got < 18 {
				t.Errorf("after it %d packets came in 400 ms", got)
			}
		})
	}
}

func TestStrangersAreNotPassedOn(t *testing.T) {
	d := wired(t, Options{})
	a, b := d.far("a", agreed(PCMU)), d.far("b", agreed(PCMU))
	tab := newTable(d, 0, a, b)
	d.order(join("a", "x"), join("b", "x"))
	tab.pass(100)
	n, thief := len(b.heads), newSender(77, 1300)
	for range 20 {
		a.port.take(thief.packet(PCMU), remote(9))
	}
	b.listen(0)
	if got := len(b.heads) - n; got != 0 || a.port.Stats().Foreign != 20 {
		t.Errorf("%d packets of a stranger came", got)
	}
}

func TestSourcesChangeAndTheNumbersGoOn(t *testing.T) {
	d := wired(t, Options{Prompts: shelf{"words": make([]int16, 800)}})
	a, b, c := d.far("a", agreed(PCMU)), d.far("b", agreed(PCMU)), d.far("c", agreed(PCMU))
	tab := newTable(d, 0, a, b, c)
	d.order(join("a", "x"), join("b", "x"))
	tab.pass(300)
	b.head.SSRC, b.head.Seq, b.head.Timestamp = 99, 5, 5 // another machine behind the same address
	tab.pass(300)
	d.order(hal.Join{Leg: "b"}, hal.Play{Leg: "a", Ref: "p", Items: file("words")}, hal.Play{Leg: "b", Ref: "q", Items: file("words")})
	tab.pass(300)
	d.order(join("c", "x")) // transferred
	tab.pass(300)
	d.Detach("c")
	tab.pass(100)
	d.order(join("b", "y"), join("a", "y"))
	tab.pass(300)
	for _, f := range tab.fars {
		f.numbers()
	}
	if got := a.port.Stats().Relayed; got < 50 {
		t.Errorf("%d packets passed", got)
	}
	for _, l := range d.legs {
		if p := l.port; p.pass.to != nil && p.pass.to.link == nil {
			t.Errorf("%s passes on to a port that is gone", l.id)
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
	if b.port.pass.to != nil || d.byID["b"].bridge.pair.a != nil {
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
		b.port.keysOut.Add("1")
		for range 20 {
			a.say(s.again())
			d.tick()
		}
	}); n != 0 {
		t.Errorf("to and fro: %v allocations", n)
	}
}
