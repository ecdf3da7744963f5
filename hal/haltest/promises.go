package haltest

import (
	"slices"
	"strings"
	"time"

	"branchline/hal"
)

func nameIsStable(b *bench) {
	name := b.Line.Name()
	if name == "" || strings.ContainsAny(name, "#/ ") {
		b.Errorf("Name() = %q: it must be there and go into a leg id", name)
	}
	b.run()
	b.stop()
	if got := b.Line.Name(); got != name {
		b.Errorf("Name() = %q after Run, was %q", got, name)
	}
}

func runEnds(b *bench) {
	b.run()
	b.stop()
}

func runEndsInACall(b *bench) {
	b.run()
	b.answered()
	b.stop()
}

func ordersNeedRun(b *bench) {
	order := hal.Hangup{Leg: hal.IncomingLeg(b.Line.Name(), 1, 99)}
	if err := b.Line.Do(order); err == nil {
		b.Errorf("Do before Run returned nil, but nothing will come of the order")
	}
	b.run()
	b.stop()
	if err := b.Line.Do(order); err == nil {
		b.Errorf("Do after Run returned nil, but nothing will come of the order")
	}
}

func serviceOnChange(b *bench) {
	b.run()
	b.Vanish()
	b.until("OutOfService", isOutOfService)
	b.until("Census", isCensus)
	b.Return()
	b.until("InService", func(s hal.Signal) bool { _, ok := s.(hal.InService); return ok })
	b.settle()
	if n := count[hal.InService](b, ""); n != 2 {
		b.Errorf("InService told %d times, want 2", n)
	}
}

func isOutOfService(s hal.Signal) bool { _, ok := s.(hal.OutOfService); return ok }

func vanishInCall(b *bench) {
	b.run()
	leg := b.answered()
	b.Vanish()
	if g := expect[hal.Gone](b, leg); g.Cause != hal.WireTrouble {
		b.Errorf("cause %q of a wire that broke, want %q", g.Cause, hal.WireTrouble)
	}
	b.until("OutOfService", isOutOfService)
	b.Return()
	b.until("InService", func(s hal.Signal) bool { _, ok := s.(hal.InService); return ok })
	b.answered() // the line is as good as new
}

func incomingOnce(b *bench) {
	traits := b.run()
	leg := b.call()
	for range 3 {
		b.RingAgain()
	}
	if c := b.settle(); !slices.Contains(c.Legs, leg) {
		b.Errorf("the census %v does not list %s, which rings", c.Legs, leg)
	}
	n := 0
	for _, s := range b.history() {
		in, ok := s.(hal.Incoming)
		if !ok {
			continue
		}
		n++
		if traits.CallerID && in.From != b.From {
			b.Errorf("the caller is %q, want %q", in.From, b.From)
		}
		if in.Leg.Line() != b.Line.Name() {
			b.Errorf("leg id %q does not name its line", in.Leg)
		}
	}
	if n != 1 {
		b.Errorf("Incoming told %d times for one call", n)
	}
}

func answerGivesSound(b *bench) {
	b.run()
	leg := b.answered()
	audio := b.Line.Audio(leg)
	if audio == nil {
		b.Fatal("no Audio after Answered")
	}
	if r := audio.Rate(); r != 8000 && r != 16000 {
		b.Errorf("rate %d Hz, want 8000 or 16000", r)
	}
	pcm := make([]int16, audio.Rate()/50)
	for range 50 {
		began := time.Now()
		if n := audio.Read(pcm); n < 0 || n > len(pcm) {
			b.Errorf("Read of %d samples returned %d", len(pcm), n)
		}
		if n := audio.Write(pcm); n < 0 || n > len(pcm) {
			b.Errorf("Write of %d samples returned %d", len(pcm), n)
		}
		if took := time.Since(began); took > 500*time.Millisecond {
			b.Fatalf("Read and Write of sound took %v: they must not wait", took)
		}
	}
	b.settle()
	if b.Line.Audio(leg) == nil {
		b.Errorf("no Audio any more while the leg lives")
	}
	b.HangUp()
	if g := expect[hal.Gone](b, leg); !g.Far {
		b.Errorf("the far end hung up, and %+v does not say so", g)
	}
	if b.Line.Audio(leg) != nil {
		b.Errorf("Audio of a leg that is gone")
	}
	audio.Read(pcm) // media and line cannot order Gone between them: late use must do no harm
	audio.Write(pcm)
	b.settle()
}

func keysAreTold(b *bench) {
	b.run()
	leg := b.answered()
	for _, key := range []byte("1#5") {
		b.Press(key)
		if d := expect[hal.Digit](b, leg); d.Key != key {
			b.Errorf("key %q told as %q", key, d.Key)
		}
	}
	b.settle()
	if n := count[hal.Digit](b, leg); n != 3 {
		b.Errorf("3 keys told as %d", n)
	}
}

func callerGivesUp(b *bench) {
	b.run()
	leg := b.call()
	b.HangUp()
	if g := expect[hal.Gone](b, leg); !g.Far || g.Cause != hal.NoAnswer {
		b.Errorf("a caller who gave up is %+v, want %q by the far side", g, hal.NoAnswer)
	}
	b.settle()
}

// hangUpLeg orders Hangup and checks that exactly one Gone comes of it.
func hangUpLeg(b *bench, leg hal.LegID) {
	b.Helper()
	b.do(hal.Hangup{Leg: leg, Cause: hal.Normal})
	if g := expect[hal.Gone](b, leg); g.Far {
		b.Errorf("we hung up, and %+v says that the far side did", g)
	}
	if b.Line.Audio(leg) != nil {
		b.Errorf("Audio of a leg that is gone")
	}
	if c := b.settle(); slices.Contains(c.Legs, leg) {
		b.Errorf("the census %v still lists %s", c.Legs, leg)
	}
}

func hangupRinging(b *bench) {
	b.run()
	hangUpLeg(b, b.call())
}

func hangupAnswering(b *bench) {
	b.run()
	leg := b.call()
	b.do(hal.Answer{Leg: leg})
	hangUpLeg(b, leg)
}

func hangupTalking(b *bench) {
	b.run()
	hangUpLeg(b, b.answered())
	hangUpLeg(b, b.answered()) // and the wire is free again
}

func hangupDialling(b *bench) {
	b.run()
	hangUpLeg(b, b.dial())
}

func hangupAlerting(b *bench) {
	b.run()
	leg := b.dial()
	alerting(b, leg)
	hangUpLeg(b, leg)
}

// alerting waits until the far end rings, as far as the wire tells.
func alerting(b *bench, leg hal.LegID) {
	b.Helper()
	expect[hal.Opened](b, leg)
	if slices.Contains(b.Lacks, "Progress") {
		b.settle()
		return
	}
	for !expect[hal.Progress](b, leg).Alerting {
	}
}

func hangupPicked(b *bench) {
	b.run()
	leg := b.dial()
	alerting(b, leg)
	b.Pick()
	expect[hal.Answered](b, leg)
	hangUpLeg(b, leg)
}

func hangupTwice(b *bench) {
	b.run()
	leg := b.answered()
	b.do(hal.Hangup{Leg: leg})
	b.do(hal.Hangup{Leg: leg})
	expect[hal.Gone](b, leg)
	b.do(hal.Hangup{Leg: leg})
	b.settle()
}

func dialAnswered(b *bench) {
	b.run()
	leg := b.dial()
	alerting(b, leg)
	if b.Line.Audio(leg) != nil && count[hal.Answered](b, leg) == 0 && !soundBefore(b, leg) {
		b.Errorf("Audio before Answered, and no Progress told of sound")
	}
	b.Pick()
	expect[hal.Answered](b, leg)
	if b.Line.Audio(leg) == nil {
		b.Errorf("no Audio after Answered")
	}
	b.settle()
	b.HangUp()
	if g := expect[hal.Gone](b, leg); !g.Far || g.Cause != hal.Normal {
		b.Errorf("the far end hung up: %+v, want %q by the far side", g, hal.Normal)
	}
	b.settle()
}

func soundBefore(b *bench, leg hal.LegID) bool {
	return slices.ContainsFunc(b.history(), func(s hal.Signal) bool {
		p, ok := s.(hal.Progress)
		return ok && p.Sound && p.Leg == leg
	})
}

func dialRefused(b *bench) {
	b.run()
	leg := b.dial()
	alerting(b, leg)
	b.Refuse()
	if g := expect[hal.Gone](b, leg); g.Cause != hal.Busy || !g.Far {
		b.Errorf("a busy far end: %+v, want %q by the far side", g, hal.Busy)
	}
	b.settle()
}

func unknownOrder(b *bench) {
	b.run()
	leg := b.answered()
	b.do(hal.Join{Leg: leg, Bridge: "none", Role: hal.Talk}) // an order for media, never for a line
	expect[hal.Failed](b, leg)
	if c := b.settle(); !slices.Contains(c.Legs, leg) {
		b.Errorf("the census %v does not list %s, which lives", c.Legs, leg)
	}
	hangUpLeg(b, leg)
}

func ordersForNobody(b *bench) {
	b.run()
	leg := b.answered()
	hangUpLeg(b, leg)
	never := hal.OutgoingLeg(b.Line.Name(), 1, 4711)
	for _, l := range []hal.LegID{leg, never} {
		b.do(hal.Hangup{Leg: l})
	}
	b.do(hal.Answer{Leg: leg})
	b.do(hal.Digits{Leg: leg, Ref: "d1", Keys: "1"})
	b.settle()
	if n := count[hal.Gone](b, never); n != 0 {
		b.Errorf("Gone told of a leg that never was")
	}
}

func ordersDoNotWait(b *bench) {
	b.run()
	open := b.block()
	began := time.Now()
	leg := hal.IncomingLeg(b.Line.Name(), 1, 4711)
	for i := range 10_000 {
		var o hal.Order = hal.Hangup{Leg: leg}
		if i%2 == 1 {
			o = hal.SendUSSD{Name: b.Line.Name(), Ref: "u", Text: "*100#"}
		}
		_ = b.Line.Do(o) // a full queue is a fair answer
	}
	if took := time.Since(began); took > time.Second {
		b.Errorf("10,000 orders took %v while up was blocked", took)
	}
	open()
	b.settle() // the line lives on
}

func censusComes(b *bench) {
	b.run()
	b.until("Census", isCensus)
	began := time.Now()
	for range 2 {
		b.until("Census", isCensus)
	}
	if took := time.Since(began); took < time.Second || took > 3500*time.Millisecond {
		b.Errorf("2 censuses took %v, want 2 s", took)
	}
	leg := b.answered()
	if c := b.settle(); !slices.Equal(c.Legs, []hal.LegID{leg}) {
		b.Errorf("the census lists %v, want %s alone", c.Legs, leg)
	}
}

func isCensus(s hal.Signal) bool { _, ok := s.(hal.Census); return ok }
