package e2e

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"branchline/board/sim/phone"
	"branchline/hal"
	"branchline/pbx/call"
)

// sipp runs a scenario of testdata/sipp, or one that is built in, as extension 201 at an address of
// its own, and returns what waits for its verdict.
func (r *rig) sipp(scenario, called string, args ...string) (verdict func()) {
	r.t.Helper()
	path := peer(r.t, "sipp", "sip-tester")
	file, err := filepath.Abs(filepath.Join("testdata", "sipp", scenario+".xml"))
	if err != nil {
		r.t.Fatal(err)
	}
	args = append([]string{
		r.ip.String() + ":5060", "-sf", file, "-s", called, "-i", boxes.next().String(),
		"-au", "201", "-ap", "plum-cake-201", "-m", "1", "-nostdin", "-timeout", "20s", "-timeout_error",
	}, args...)
	return r.program(path, args...)
}

// program runs one of another maker and returns what waits for its end, which must be a good one.
func (r *rig) program(path string, args ...string) (verdict func()) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = r.t.TempDir()
	type result struct {
		out []byte
		err error
	}
	ended := make(chan result, 1)
	go func() {
		out, err := cmd.CombinedOutput()
		ended <- result{out, err}
	}()
	r.t.Cleanup(func() {
		cancel()
		if res, ok := <-ended; ok && res.err != nil && !errors.Is(ctx.Err(), context.Canceled) {
			r.t.Log(res.err)
		}
	})
	return func() {
		r.t.Helper()
		res := <-ended
		close(ended)
		if res.err != nil {
			r.t.Fatalf("%s %v: %v\n%s", filepath.Base(path), args, res.err, res.out)
		}
	}
}

// sipp calls a phone of ours through the box: digest, hold by re-INVITE, BYE by the caller. The
// called one is heard by nobody (sipp says nothing and listens to nothing), but hears the music.
func TestSippCallsHoldsResumesAndHangsUp(t *testing.T) {
	t.Parallel()
	r := start(t)
	b := r.phone("202", func(o *phone.Options) { o.Auto = phone.AnswerAfter(200 * time.Millisecond) })
	verdict := r.sipp("call", "202")
	in, err := b.WaitCall(r.ctx())
	if err != nil {
		t.Fatal(err)
	}
	waitFact[call.Held](r, nil)
	r.eventually("music on hold", func() bool { return loud(in.HeardFor(200 * time.Millisecond)) })
	verdict()
	r.within("the called phone to be hung up", in.Gone())
	rec := r.record("201")
	if rec.Outcome != "answered" || rec.By != call.ByCaller || rec.Cause != hal.Normal {
		t.Errorf("record: %s, ended by %s, cause %s", rec.Outcome, rec.By, rec.Cause)
	}
	if n := count[call.Resumed](r, nil); n != 1 {
		t.Errorf("resumed %d times", n)
	}
}

// The caller gives a sign of life, has the called one connected with a third by REFER, is told how far that
// is, and leaves: the two hear each other.
func TestSippTransfersTheCalledPhoneToAThird(t *testing.T) {
	t.Parallel()
	r := start(t)
	b := r.phone("202", func(o *phone.Options) { o.Tone, o.Auto = 700, phone.AnswerAfter(0) })
	c := r.phone("203", func(o *phone.Options) { o.Tone, o.Auto = 1100, phone.AnswerAfter(500*time.Millisecond) })
	verdict := r.sipp("transfer", "202")
	in, err := b.WaitCall(r.ctx())
	if err != nil {
		t.Fatal(err)
	}
	third, err := c.WaitCall(r.ctx())
	if err != nil {
		t.Fatal(err)
	}
	verdict()
	if err := in.WaitHears(r.ctx(), 1100); err != nil {
		t.Error(err)
	}
	if err := third.WaitHears(r.ctx(), 700); err != nil {
		t.Error(err)
	}
	if err := in.Hangup(); err != nil {
		t.Fatal(err)
	}
	r.within("the third phone to be hung up", third.Gone())
}

func TestSippIsHungUpByTheCalledPhone(t *testing.T) {
	t.Parallel()
	r := start(t)
	b := r.phone("202", func(o *phone.Options) { o.Auto = phone.AnswerAfter(0) })
	verdict := r.sipp("hungup", "202")
	in, err := b.WaitCall(r.ctx())
	if err != nil {
		t.Fatal(err)
	}
	waitFact[call.Connected](r, nil)
	if err := in.Hangup(); err != nil {
		t.Fatal(err)
	}
	verdict()
	if rec := r.record("201"); rec.By != call.ByCallee || rec.Outcome != "answered" {
		t.Errorf("record: %s, ended by %s", rec.Outcome, rec.By)
	}
}

func TestSippGivesUpWhileItRings(t *testing.T) {
	t.Parallel()
	r := start(t)
	b := r.phone("202", nil)
	verdict := r.sipp("cancel", "202")
	in, err := b.WaitCall(r.ctx())
	if err != nil {
		t.Fatal(err)
	}
	verdict()
	r.within("the called phone to stop ringing", in.Gone())
	if !in.Far() || in.Code() != 487 {
		t.Errorf("the called phone: far %v, code %d", in.Far(), in.Code())
	}
	if rec := r.record("201"); rec.By != call.ByCaller || rec.Outcome == "answered" || rec.Cause != hal.NoAnswer {
		t.Errorf("record: %s, ended by %s, cause %s", rec.Outcome, rec.By, rec.Cause)
	}
}

// Twenty calls a second for five seconds between two of sipp, one signed in by digest: none fails,
// each has its record, nothing is left.
func TestSippCallsTwentyTimesASecond(t *testing.T) {
	t.Parallel()
	r := start(t)
	called := boxes.next().String()
	r.sipp("register", "202", "-i", called, "-p", "5066", "-au", "202", "-ap", "plum-cake-202")()
	waitFact(r, func(f call.PhoneUp) bool { return f.Extension == "202" })
	const calls = 100
	uas := r.program(peer(t, "sipp", "sip-tester"), "-sn", "uas", "-i", called, "-p", "5066", "-nostdin", "-m", "100", "-timeout", "25s", "-timeout_error")
	r.sipp("brief", "202", "-m", "100", "-r", "20", "-l", "100")()
	uas()
	r.eventually("a record for each call", func() bool { return len(r.records()) == calls })
	for _, rec := range r.records() {
		if rec.Outcome != "answered" || rec.By != call.ByCaller || rec.Cause != hal.Normal || len(rec.Legs) != 2 {
			t.Errorf("record: %+v", rec)
		}
	}
	var up []struct{ ID string }
	if r.get("calls", &up); len(up) != 0 {
		t.Errorf("calls that are left: %v", up)
	}
}

// The caller leaves the offer to us, holds by inactive and by 0.0.0.0, offers pictures beside the sound, presses a key by INFO and gives a sign of life by UPDATE.
func TestSippHoldsInEachWayAndOffersMoreThanSound(t *testing.T) {
	t.Parallel()
	r := start(t)
	b := r.phone("202", func(o *phone.Options) { o.Auto = phone.AnswerAfter(200 * time.Millisecond) })
	verdict := r.sipp("forms", "202")
	in, err := b.WaitCall(r.ctx())
	if err != nil {
		t.Fatal(err)
	}
	verdict()
	r.within("the called phone to be hung up", in.Gone())
	if held, resumed := count[call.Held](r, nil), count[call.Resumed](r, nil); held != 2 || resumed != 2 {
		t.Errorf("held %d times, resumed %d times", held, resumed)
	}
	if keys := in.KeysHeard(); keys != "5" {
		t.Errorf("the called phone was told the keys %q", keys)
	}
}
