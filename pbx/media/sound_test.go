package media

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"branchline/hal"
	"branchline/hal/dsp"
)

const ms = time.Millisecond

func join(leg hal.LegID, bridge hal.BridgeID) hal.Join {
	return hal.Join{Leg: leg, Bridge: bridge, Role: hal.Talk}
}

func file(names ...string) (items []hal.Item) {
	for _, n := range names {
		items = append(items, hal.Item{File: n})
	}
	return items
}

func TestTwoPartiesHearEachOtherAndNotThemselves(t *testing.T) {
	d := newDesk(t, Options{})
	a, b := d.party("a", 500), d.party("b", 900)
	d.order(join("a", "x"), join("b", "x"))
	d.ticks(50)
	a.hears(t, "a", map[float64]float64{500: 0, 900: 0.25})
	b.hears(t, "b", map[float64]float64{500: 0.25, 900: 0})
	d.order(hal.Join{Leg: "a"})
	d.ticks(50)
	a.hears(t, "a outside", map[float64]float64{500: 0, 900: 0})
	b.hears(t, "b alone", map[float64]float64{500: 0, 900: 0})
	d.expect()
}

func TestWidebandPartyTalksWithANarrowbandOne(t *testing.T) {
	d := newDesk(t, Options{})
	a, b := d.partyAt("a", 500, 16000), d.party("b", 900)
	d.order(join("a", "x"), join("b", "x"))
	d.ticks(50)
	a.hears(t, "a", map[float64]float64{500: 0, 900: 0.25})
	b.hears(t, "b", map[float64]float64{500: 0.25, 900: 0})
}

func TestRolesDecideWhoHearsWhom(t *testing.T) {
	d := newDesk(t, Options{})
	customer, agent, boss, spy := d.party("c", 500), d.party("a", 700), d.party("b", 900), d.party("s", 1100)
	d.order(join("c", "x"), join("a", "x"),
		hal.Join{Leg: "b", Bridge: "x", Role: hal.Whisper, To: "a"},
		hal.Join{Leg: "s", Bridge: "x", Role: hal.Listen})
	d.ticks(50)
	customer.hears(t, "customer", map[float64]float64{500: 0, 700: 0.25, 900: 0, 1100: 0})
	agent.hears(t, "agent", map[float64]float64{500: 0.25, 700: 0, 900: 0.25, 1100: 0})
	boss.hears(t, "boss", map[float64]float64{500: 0.25, 700: 0.25, 900: 0, 1100: 0})
	spy.hears(t, "listener", map[float64]float64{500: 0.25, 700: 0.25, 900: 0, 1100: 0})
	d.order(join("b", "x")) // barges in: same bridge, other role
	d.ticks(50)
	customer.hears(t, "customer", map[float64]float64{700: 0.25, 900: 0.25, 1100: 0})
}

func TestLoudPartiesTogetherSaturateAndDoNotWrap(t *testing.T) {
	d := newDesk(t, Options{})
	for _, id := range []hal.LegID{"a", "b", "c"} {
		p := d.party(id, 400)
		p.says = dsp.NewGenerator(dsp.Cadence{{Hz: [4]float64{400}, Gain: 0.9}}, rate)
		d.order(join(id, "x"))
	}
	ear := d.party("ear", 0)
	d.order(hal.Join{Leg: "ear", Bridge: "x"})
	d.ticks(30)
	jump := 0
	for i := 1; i < len(ear.heard); i++ {
		jump = max(jump, int(ear.heard[i])-int(ear.heard[i-1]))
	}
	if slices.Max(ear.heard) != 32767 || jump > 32767 {
		t.Errorf("highest sample %d, greatest jump %d", slices.Max(ear.heard), jump)
	}
}

func TestWaitingLegsHearTheirMusicAndNotEachOther(t *testing.T) {
	d := newDesk(t, Options{Prompts: shelf{"one": tone(600, 400*ms), "two": tone(800, 400*ms)}})
	a, b := d.party("a", 500), d.party("b", 900)
	d.order(hal.Play{Leg: "a", Ref: "1", Items: file("one"), Loop: true},
		hal.Play{Leg: "b", Ref: "2", Items: file("two"), Loop: true})
	d.ticks(200)
	a.hears(t, "a", map[float64]float64{600: 0.25, 500: 0, 800: 0, 900: 0})
	b.hears(t, "b", map[float64]float64{800: 0.25, 500: 0, 600: 0, 900: 0})
	d.expect()
	d.order(hal.Stop{Ref: "1"}, hal.Stop{Ref: "1"})
	d.expect(hal.Played{Leg: "a", Ref: "1", Cut: true})
	d.ticks(50)
	a.hears(t, "a", map[float64]float64{600: 0})
}

func tone(hz float64, d time.Duration) []int16 {
	pcm := make([]int16, dsp.Samples(d, rate))
	g := dsp.NewGenerator(sine(hz), rate)
	g.Fill(pcm)
	return pcm
}

func TestItemsPlayWithoutAGapToTheSample(t *testing.T) {
	count := func(from, n int) (pcm []int16) {
		for i := range n {
			pcm = append(pcm, int16(from+i))
		}
		return pcm
	}
	files := shelf{"a": count(1, 333), "b": count(1000, 1), "c": count(2000, 160), "d": count(3000, 7)}
	d := newDesk(t, Options{Prompts: files})
	a := d.party("a", 0)
	d.order(hal.Play{Leg: "a", Ref: "1", Items: []hal.Item{{File: "a"}, {File: "b"}, {File: "missing"},
		{Silence: 3 * ms}, {File: "c"}, {Tone: "dial", For: 5 * ms}, {File: "d"}, {}, {File: "panics"}}})
	d.ticks(3)
	d.expect()
	d.ticks(1)
	d.expect(hal.Played{Leg: "a", Ref: "1"})
	d.ticks(1)
	var want []int16
	dial, _ := dsp.Tone("DE", "dial")
	g, ring := dsp.NewGenerator(dial, rate), make([]int16, 40)
	g.Fill(ring)
	for _, part := range [][]int16{files["a"], files["b"], make([]int16, 24), files["c"], ring, files["d"]} {
		want = append(want, part...)
	}
	if !slices.Equal(a.heard[:len(want)], want) {
		t.Error("what was played is not what was ordered")
	}
	if rest := a.heard[len(want):]; dsp.RMS(rest) != 0 {
		t.Errorf("something sounds after the end: %v", rest)
	}
}

func TestLoopPlaysRoundAndRoundWithoutAGap(t *testing.T) {
	d := newDesk(t, Options{Prompts: shelf{"a": {1, 2, 3}, "b": {4, 5}}})
	a := d.party("a", 0)
	d.order(hal.Play{Leg: "a", Ref: "1", Items: file("a", "b"), Loop: true})
	d.ticks(20)
	for i, s := range a.heard {
		if int(s) != i%5+1 {
			t.Fatalf("sample %d is %d", i, s)
		}
	}
}

func TestEveryPlayEndsInOnePlayed(t *testing.T) {
	beep := []hal.Item{{Tone: "beep"}}
	long := []hal.Item{{Tone: "ringback"}}
	d := newDesk(t, Options{})
	d.party("a", 0)
	d.order(hal.Play{Leg: "a", Ref: "beep", Items: beep})
	d.ticks(10)
	d.expect(hal.Played{Leg: "a", Ref: "beep"}) // a beep ends by itself: 200 ms
	d.order(hal.Play{Leg: "a", Ref: "1", Items: long}, hal.Play{Leg: "a", Ref: "2", Items: long})
	d.expect(hal.Played{Leg: "a", Ref: "1", Cut: true})
	d.order(hal.Play{Leg: "a", Ref: "empty"})
	d.expect(hal.Played{Leg: "a", Ref: "2", Cut: true}, hal.Played{Leg: "a", Ref: "empty"})
	d.order(hal.Play{Leg: "a", Ref: "3", Items: file("missing")})
	d.expect(hal.Played{Leg: "a", Ref: "3"})
	d.order(join("a", "x"), hal.Play{Bridge: "x", Ref: "4", Items: long}, hal.Play{Leg: "a", Ref: "5", Items: long})
	d.order(hal.Play{Leg: "a", Ref: "4", Items: long})
	d.expect(hal.Failed{Leg: "a", Ref: "4"}) // a Ref that plays already
	d.Detach("a")
	d.settle()
	d.expect(hal.Played{Ref: "4", Cut: true}, hal.Played{Leg: "a", Ref: "5", Cut: true})
	d.ticks(5)
	d.Detach("a")
	d.settle()
	d.expect()
	if len(d.plays)+len(d.legs)+len(d.bridges)+len(d.byID)+len(d.byName) != 0 {
		t.Error("something is left behind")
	}
}

func TestPlayThatIsStoppedWhileItsFilesAreReadIsTold(t *testing.T) {
	d := newDesk(t, Options{Prompts: shelf{"a": {1, 2, 3}}})
	a := d.party("a", 0)
	if err := d.Do(hal.Play{Leg: "a", Ref: "1", Items: file("a")}); err != nil {
		t.Fatal(err)
	}
	d.obey(d.mail.Take())
	d.ticks(2)
	d.order(hal.Stop{Ref: "1"})
	d.ticks(2)
	d.expect(hal.Played{Leg: "a", Ref: "1", Cut: true})
	if dsp.RMS(a.heard) != 0 {
		t.Error("it sounded")
	}
}

func TestOrdersForWhatIsNotThereAreAnsweredByFailed(t *testing.T) {
	d := newDesk(t, Options{})
	d.order(join("a", "x"))
	d.expect(hal.Failed{Leg: "a"})
	d.order(hal.Play{Leg: "a", Ref: "1", Items: file("a")})
	d.expect(hal.Failed{Leg: "a", Ref: "1"})
	d.order(hal.Play{Bridge: "x", Ref: "2", Items: file("a")})
	d.expect(hal.Failed{Ref: "2"})
	d.order(hal.Record{Bridge: "x", Ref: "3", File: "f"})
	d.expect(hal.Failed{Ref: "3"})
	d.order(hal.Join{Leg: "a"}, hal.Stop{Ref: "1"}, hal.PauseRecord{Ref: "3", Paused: true})
	d.expect()
	if err := d.Do(hal.Hangup{Leg: "a"}); err == nil {
		t.Error("a Hangup was accepted")
	}
}

func TestMissingMusicBecomesATuneAndAMissingPromptAStep(t *testing.T) {
	d := newDesk(t, Options{})
	a := d.party("a", 0)
	d.order(hal.Play{Leg: "a", Ref: "1", Items: file("moh/1", "moh/2"), Loop: true})
	d.ticks(200)
	if dsp.RMS(a.heard) < 0.01 {
		t.Error("whoever waits waits in silence")
	}
	d.expect()
}

func TestPlayToALegInABridgeReplacesOrLiesBelow(t *testing.T) {
	d := newDesk(t, Options{Prompts: shelf{"p": tone(600, time.Second)}})
	a, b := d.party("a", 500), d.party("b", 900)
	d.order(join("a", "x"), join("b", "x"), hal.Play{Leg: "a", Ref: "1", Items: file("p"), Loop: true})
	d.ticks(50)
	a.hears(t, "a", map[float64]float64{600: 0.25, 900: 0})
	b.hears(t, "b", map[float64]float64{600: 0, 500: 0.25})
	d.order(hal.Play{Leg: "a", Ref: "2", Items: file("p"), Loop: true, Under: true})
	d.ticks(50)
	a.hears(t, "a", map[float64]float64{600: 0.0625, 900: 0.25})
	b.hears(t, "b", map[float64]float64{600: 0, 500: 0.25})
	d.order(hal.Stop{Ref: "2"}, hal.Play{Bridge: "x", Ref: "3", Items: file("p"), Loop: true})
	d.ticks(50)
	a.hears(t, "a", map[float64]float64{600: 0.25, 900: 0.25})
	b.hears(t, "b", map[float64]float64{600: 0.25, 500: 0.25})
	d.order(hal.Stop{Ref: "3"}, hal.Join{Leg: "a"}, hal.Play{Leg: "a", Ref: "4", Items: file("p"), Loop: true, Under: true})
	d.ticks(50)
	a.hears(t, "a alone, nothing to lie below", map[float64]float64{600: 0.25})
}

func TestRecordingHoldsEachSideInItsChannel(t *testing.T) {
	r := &reel{t: t, files: map[string]*film{}}
	d := newDesk(t, Options{Recorder: r})
	d.party("a", 500)
	d.party("b", 900)
	d.order(join("a", "x"), join("b", "x"),
		hal.Record{Bridge: "x", Ref: "r", File: "2026/one", Left: []hal.LegID{"a"}, Right: []hal.LegID{"b", "later"}})
	d.ticks(50)
	d.order(hal.PauseRecord{Ref: "r", Paused: true})
	d.ticks(50)
	d.order(hal.PauseRecord{Ref: "r"}, hal.Join{Leg: "b"})
	d.party("later", 1300)
	d.order(join("later", "x"))
	d.ticks(50)
	d.expect()
	d.order(hal.Stop{Ref: "r"}, hal.Stop{Ref: "r"})
	d.settle()
	d.ticks(5)
	d.expect(hal.Recorded{Ref: "r", File: "2026/one", For: 3 * time.Second})
	pcm := r.files["2026/one"].pcm
	if len(pcm) != 2*3*rate {
		t.Fatalf("%d samples, want three seconds in step with the tick", len(pcm))
	}
	levels := func(second, channel int) string {
		var one []int16
		for i := second * rate; i < (second+1)*rate; i++ {
			one = append(one, pcm[2*i+channel])
		}
		return fmt.Sprintf("%.2f %.2f %.2f", dsp.Level(one, rate, 500), dsp.Level(one, rate, 900), dsp.Level(one, rate, 1300))
	}
	for i, want := range []string{"0.25 0.00 0.00", "0.00 0.25 0.00", "0.00 0.00 0.00", "0.00 0.00 0.00", "0.25 0.00 0.00", "0.00 0.00 0.25"} {
		if got := levels(i/2, i%2); got != want {
			t.Errorf("second %d, channel %d: %s, want %s", i/2, i%2, got, want)
		}
	}
}

func TestRecordingEndsWithItsBridge(t *testing.T) {
	r := &reel{t: t, files: map[string]*film{}}
	d := newDesk(t, Options{Recorder: r})
	d.party("a", 500)
	d.order(join("a", "x"), hal.Record{Bridge: "x", Ref: "r", File: "one", Left: []hal.LegID{"a"}})
	d.ticks(10)
	d.order(join("a", "y")) // moves away
	d.settle()
	d.expect(hal.Recorded{Ref: "r", File: "one", For: 200 * ms})
	r.refuse = errors.New("the disk is full")
	d.order(hal.Record{Bridge: "y", Ref: "r", File: "one"})
	d.expect(hal.Recorded{Ref: "r", File: "one", Err: "the disk is full"})
}

func TestKeysAreHeardInSoundWhereTheWireSaysSo(t *testing.T) {
	d := newDesk(t, Options{})
	five, _ := dsp.KeyTone('5')
	for _, id := range []hal.LegID{"deaf", "ear"} {
		p := &party{rate: rate, keys: id == "ear", says: dsp.NewGenerator(dsp.Cadence{{Hz: five[0].Hz, Gain: 0.2, For: 102 * ms}, {}}, rate)}
		d.Attach(id, p)
	}
	d.settle()
	d.ticks(20)
	got := d.told()
	if len(got) != 1 {
		t.Fatalf("told %v, want one key of one leg", got)
	}
	if k := got[0].(hal.Digit); k.Leg != "ear" || k.Key != '5' || k.For < 75*ms || k.For > 125*ms {
		t.Errorf("told %+v", k)
	}
}

func TestPanicOfOneLegCostsThatLegOnly(t *testing.T) {
	d := newDesk(t, Options{})
	a, b, c := d.party("a", 500), d.party("b", 900), d.party("c", 1300)
	d.order(join("a", "x"), join("b", "x"), join("c", "x"), hal.Play{Leg: "c", Ref: "1", Items: []hal.Item{{Tone: "dial"}}})
	c.crash = true
	d.ticks(50)
	d.expect(hal.Played{Leg: "c", Ref: "1", Cut: true}, hal.Failed{Leg: "c"})
	a.hears(t, "a", map[float64]float64{900: 0.25, 1300: 0})
	b.hears(t, "b", map[float64]float64{500: 0.25, 1300: 0})
	if len(d.legs) != 2 {
		t.Errorf("%d legs, want 2", len(d.legs))
	}
}

func TestEngineThatStandsStillLosesNoPlayed(t *testing.T) {
	d := newDesk(t, Options{})
	d.party("a", 0)
	const plays = 1500 // more than wait in the outbox
	for i := range plays {
		d.order(hal.Play{Leg: "a", Ref: hal.Ref(fmt.Sprint(i)), Items: []hal.Item{{Tone: "dial"}}})
	}
	d.Detach("a")
	d.settle()
	seen := 0
	for range 5 {
		for _, s := range d.told() {
			if s.(hal.Played).Ref != hal.Ref(fmt.Sprint(seen)) {
				t.Fatalf("told %v after %d", s, seen)
			}
			seen++
		}
		d.tick()
	}
	if seen != plays {
		t.Errorf("%d of %d plays were told", seen, plays)
	}
}

func TestAttachedAgainALegStaysWhereItIs(t *testing.T) {
	d := newDesk(t, Options{})
	a, b := d.party("a", 500), d.party("b", 900)
	d.order(join("a", "x"), join("b", "x"))
	d.Attach("a", a)
	again := d.party("a", 700) // other sound
	d.Attach("b", nil)
	d.settle()
	d.ticks(50)
	b.hears(t, "b", map[float64]float64{500: 0, 700: 0.25})
	again.hears(t, "a", map[float64]float64{900: 0.25})
	if len(a.heard) != 0 {
		t.Error("the old sound is still written to")
	}
}
