package e2e

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"branchline/board/sim/phone"
	"branchline/hal"
	"branchline/pbx/call"
)

// A tty goes while its SIM has a call, another SIM with a call beside it: the one call ends with a
// cause, the other does not notice, and the line comes back by itself.
func TestATTYThatVanishesInACallCostsThatCallAlone(t *testing.T) {
	t.Parallel()
	r := start(t, "number: \"+4930901820\", flow: main }", secondLine)
	ana := r.anaAnswers()
	bo := r.phone("202", func(o *phone.Options) { o.Tone, o.Auto = 900, phone.AnswerAfter(0) })
	r.signIn(bo, "1002", "4712")
	r.lineUp("gsm1")
	r.lineUp("gsm2")
	unlucky, anas := r.talk(ana, "+4930821", "+4930901820", 1000)
	other, bos := r.talk(bo, "+4930822", "+4930901821", 900)

	began := time.Now()
	module := r.box.World().Modem("slot1")
	module.Vanish()
	r.within("the agent's phone to be hung up", anas.Gone())
	rec := r.record("+4930821")
	if rec.Cause != hal.WireTrouble || rec.By != call.BySystem {
		t.Errorf("record: cause %s, ended by %s", rec.Cause, rec.By)
	}
	r.waitAgent("1001", call.WrapUp)
	if down := waitFact(r, func(f call.LineDown) bool { return f.Line == "gsm1" }); down.Why == "" {
		t.Error("nothing says why the line is down")
	}
	if err := module.Return(); err != nil {
		t.Fatal(err)
	}
	r.eventually("the line to come back", func() bool {
		return count(r, func(f call.LineUp) bool { return f.Line == "gsm1" }) == 2
	})
	r.within("the call that was left on the wire to be ended", unlucky.Done())
	r.waitAgent("1001", call.Ready)
	r.heardThroughout("the other SIM's tty vanishes", other, bos, 900, time.Since(began))
	again, _ := r.talk(ana, "+4930823", "+4930901820", 1000)
	again.Hangup()
	other.Hangup()
}

// Noise on the AT port, also in the middle of lines, loses no call, invents none, and the next one
// is taken.
func TestGarbageOnTheATPortCostsNothing(t *testing.T) {
	t.Parallel()
	r := start(t, "wrap_up: 2s", "wrap_up: 0s")
	ana := r.anaAnswers()
	r.lineUp("gsm1")
	module := r.box.World().Modem("slot1")
	noise := rand.New(rand.NewPCG(1, 2))
	garbage := func() {
		b := make([]byte, 1+noise.IntN(300))
		for i := range b {
			b[i] = byte(noise.UintN(256))
		}
		module.Garbage(b)
		module.Garbage([]byte("\r\n+CLCC: 1,1,4\r\nRIN\r\n> +CME ERROR: \r\n+CLC"))
	}
	garbage()
	module.HalfLine() // the first RING
	caller, desk := r.talk(ana, "+4930831", "+4930901820", 1000)
	began := time.Now()
	for range 20 {
		garbage()
		module.HalfLine()
		<-time.After(50 * time.Millisecond)
	}
	r.goesOn("garbage", caller, desk, 1000, 1500*time.Millisecond) // so that the truth is asked for again
	r.heardThroughout("garbage", caller, desk, 1000, time.Since(began))
	garbage()
	caller.Hangup()
	if rec := r.record("+4930831"); rec.By != call.ByCaller || rec.Cause != hal.Normal {
		t.Errorf("record: ended by %s, cause %s", rec.By, rec.Cause)
	}
	again, _ := r.talk(ana, "+4930832", "+4930901820", 1000)
	again.Hangup()
	r.record("+4930832")
	if n := len(r.recordsFromOutside()); n != 2 {
		t.Errorf("%d records of 2 calls", n)
	}
	if n := count[call.LineDown](r, nil); n != 0 {
		t.Errorf("the line was down %d times", n)
	}
}

// Of the line that tells the caller's number only a half comes: the number is asked for, not guessed.
func TestHalfANumberIsNotTakenForTheCallers(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.lineUp("gsm1")
	module := r.box.World().Modem("slot1")
	module.LoseNextURC("RING")
	module.HalfLine() // +CLIP: "+49308
	caller := r.outside("from=+493083300; hangup")
	r.within("the call's end", caller.Done())
	if began := waitFact[call.Began](r, nil); began.From != "+493083300" {
		t.Errorf("the call began from %q", began.From)
	}
}

// The module does not say that the caller has gone: that it lists no call any more must do.
func TestAnEndThatTheModuleDoesNotTellIsFound(t *testing.T) {
	t.Parallel()
	r := start(t)
	ana := r.anaAnswers()
	r.lineUp("gsm1")
	caller, desk := r.talk(ana, "+4930841", "+4930901820", 1000)
	module := r.box.World().Modem("slot1")
	module.LoseNextURC("NO CARRIER")
	module.LoseNextURC("^DSCI") // this make says it twice
	caller.Hangup()
	r.within("the agent's phone to be hung up", desk.Gone())
	rec := r.record("+4930841")
	if rec.By != call.ByCaller || rec.Cause != hal.Normal {
		t.Errorf("record: ended by %s, cause %s", rec.By, rec.Cause)
	}
	if late := rec.Ended.Sub(caller.State().Ended); late > 5*time.Second {
		t.Errorf("the end was found after %v", late)
	}
	if wire := rec.Legs[0].WireCause; wire != "" {
		t.Errorf("the module has told the end, %q; this test shows nothing", wire)
	}
}

// Recordings cannot be written: the calls go on, the record says so, and once the disk takes them
// again they are made.
func TestCallsGoOnWhereNothingCanBeRecorded(t *testing.T) {
	t.Parallel()
	r := start(t, "wrap_up: 2s", "wrap_up: 0s")
	ana := r.anaAnswers()
	r.lineUp("gsm1")
	year := filepath.Join(r.dir, "recordings", time.Now().UTC().Format("2006"))
	if err := os.WriteFile(year, []byte("a file where a folder should be"), 0o600); err != nil { // stops root too
		t.Fatal(err)
	}
	caller, desk := r.talk(ana, "+4930861", "+4930901820", 1000)
	r.goesOn("no recording", caller, desk, 1000, 500*time.Millisecond)
	caller.Hangup()
	r.record("+4930861")
	saved := waitFact[call.RecordingSaved](r, nil)
	if !strings.Contains(saved.Err, "the disk refuses") || saved.Call != callOf(r, "+4930861") {
		t.Errorf("the recording that failed: %+v", saved)
	}
	if err := os.Remove(year); err != nil {
		t.Fatal(err)
	}
	caller, _ = r.talk(ana, "+4930862", "+4930901820", 1000)
	caller.Hangup()
	good := waitFact(r, func(f call.RecordingSaved) bool { return f.Call == callOf(r, "+4930862") })
	if good.Err != "" {
		t.Errorf("the recording after it: %+v", good)
	}
	readWAV(t, filepath.Join(r.dir, "recordings", good.File+".wav"))
}
