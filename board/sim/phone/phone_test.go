package phone

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"branchline/board/sim/phone/sound"
)

// recorder keeps what a phone tells.
type recorder struct {
	watch watched
	all   []string
}

func (r *recorder) on(e Event) {
	r.watch.update(func() { r.all = append(r.all, string(e.Kind)) })
}

// expect waits until exactly these kinds were told.
func (r *recorder) expect(t *testing.T, kinds ...string) {
	t.Helper()
	if err := r.watch.wait(soon(t), func() bool { return slices.Equal(r.all, kinds) }); err != nil {
		t.Errorf("told %v, want %v", r.all, kinds)
	}
}

func loopback() netip.AddrPort { return netip.MustParseAddrPort("127.0.0.1:0") }

// start runs a phone until the test ends.
func start(t *testing.T, o Options) *Phone {
	t.Helper()
	if !o.Listen.IsValid() {
		o.Listen = loopback()
	}
	o.goodbye = 100 * time.Millisecond // most peers are gone by then
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("phone %s: Run: %v", o.User, err)
		}
	})
	return p
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// talk has a call b and b answer.
func talk(t *testing.T, a, b *Phone) (out, in *Call) {
	t.Helper()
	ctx := soon(t)
	out, err := a.Dial(ctx, b.URI())
	must(t, err)
	in, err = b.WaitCall(ctx)
	must(t, err)
	must(t, out.WaitState(ctx, Alerting))
	must(t, in.Answer())
	must(t, out.WaitState(ctx, Talking))
	return out, in
}

func TestTwoPhonesHearEachOther(t *testing.T) {
	t.Parallel()
	for _, codec := range []string{"PCMU", "PCMA"} {
		t.Run(codec, func(t *testing.T) {
			var told recorder
			a := start(t, Options{User: "201", Name: "Ana", Tone: 440, Codecs: []string{codec}})
			b := start(t, Options{User: "202", Tone: 1000, OnEvent: told.on})
			out, in := talk(t, a, b)
			ctx := soon(t)
			must(t, out.WaitHears(ctx, 1000))
			must(t, in.WaitHears(ctx, 440))
			if out.Hears(440) || in.Hears(1000) {
				t.Error("a phone hears itself")
			}
			must(t, in.listen(ctx, "440 Hz alone at 0.24", func() bool {
				level := in.Level(440, 200*time.Millisecond)
				return in.Tone() >= 435 && in.Tone() <= 445 && level > 0.23 && level < 0.25
			}))
			if in.From() != "201" || in.Name() != "Ana" || in.ID() != out.ID() {
				t.Errorf("call from %q %q id %q, want 201 Ana %q", in.From(), in.Name(), in.ID(), out.ID())
			}
			if got := out.sound.Flow().Codec.Name; got != codec {
				t.Errorf("codec %s, want %s", got, codec)
			}
			must(t, out.Hangup())
			must(t, in.WaitState(ctx, Gone))
			if !in.Far() || in.Cause() != "normal" || in.Code() != 0 || out.Far() {
				t.Errorf("gone by far %v: %d %q; other side by far %v", in.Far(), in.Code(), in.Cause(), out.Far())
			}
			told.expect(t, "rings", "talks", "ended")
			if len(a.Calls())+len(b.Calls()) != 0 {
				t.Error("a call is left over")
			}
		})
	}
}

func TestCalledSideHangsUp(t *testing.T) {
	t.Parallel()
	a, b := start(t, Options{User: "201"}), start(t, Options{User: "202"})
	out, in := talk(t, a, b)
	must(t, in.Hangup())
	must(t, out.WaitState(soon(t), Gone))
	if !out.Far() || out.Cause() != "normal" {
		t.Errorf("gone by far %v, %q", out.Far(), out.Cause())
	}
}

func TestCallerWhoGivesUpWhileItRings(t *testing.T) {
	t.Parallel()
	a, b := start(t, Options{User: "201"}), start(t, Options{User: "202"})
	ctx := soon(t)
	out, err := a.Dial(ctx, b.URI())
	must(t, err)
	in, err := b.WaitCall(ctx)
	must(t, err)
	must(t, out.WaitState(ctx, Alerting))
	must(t, out.Cancel())
	must(t, in.WaitState(ctx, Gone))
	must(t, out.WaitState(ctx, Gone))
	if in.Code() != 487 || !in.Far() || out.Code() != 487 || out.Far() {
		t.Errorf("called side %d far %v, caller %d far %v; want 487 true, 487 false", in.Code(), in.Far(), out.Code(), out.Far())
	}
}

func TestCallerWhoGivesUpAtOnceStillEndsTheCall(t *testing.T) {
	t.Parallel()
	a, b := start(t, Options{User: "201"}), start(t, Options{User: "202", Auto: AnswerAfter(0)})
	ctx := soon(t)
	for range 20 { // CANCEL, 180 and 200 cross each other in any order
		out, err := a.Dial(ctx, b.URI())
		must(t, err)
		must(t, out.Hangup())
		must(t, out.WaitState(ctx, Gone))
		in, err := b.WaitCall(ctx)
		must(t, err)
		must(t, in.WaitState(ctx, Gone))
	}
}

func TestRefusedCallsTellWhy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		auto Auto
		code int
	}{
		"busy":    {Busy(), 486},
		"reject":  {Reject(603), 603},
		"decline": {Decline(50 * time.Millisecond), 480},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := start(t, Options{User: "201"}), start(t, Options{User: "202", Auto: c.auto})
			ctx := soon(t)
			out, err := a.Dial(ctx, b.URI())
			must(t, err)
			must(t, out.WaitState(ctx, Gone))
			if out.Code() != c.code || !out.Far() {
				t.Errorf("code %d by far %v, want %d true", out.Code(), out.Far(), c.code)
			}
			if err := out.WaitState(ctx, Talking); err == nil {
				t.Error("waiting for a gone call to talk succeeded")
			}
		})
	}
}

func TestPhoneWithOneLineIsBusyInACall(t *testing.T) {
	t.Parallel()
	a, b, c := start(t, Options{User: "201"}), start(t, Options{User: "202", Lines: 1}), start(t, Options{User: "203"})
	talk(t, a, b)
	ctx := soon(t)
	out, err := c.Dial(ctx, b.URI())
	must(t, err)
	must(t, out.WaitState(ctx, Gone))
	if out.Code() != 486 {
		t.Errorf("code %d, want 486", out.Code())
	}
}

func TestAnotherNumberIsNotFound(t *testing.T) {
	t.Parallel()
	a, b := start(t, Options{User: "201"}), start(t, Options{User: "202"})
	ctx := soon(t)
	out, err := a.Dial(ctx, strings.Replace(b.URI(), "202", "299", 1))
	must(t, err)
	must(t, out.WaitState(ctx, Gone))
	if out.Code() != 404 {
		t.Errorf("code %d, want 404", out.Code())
	}
}

func TestHoldSilencesAndResumeBringsBack(t *testing.T) {
	t.Parallel()
	a, b := start(t, Options{User: "201", Tone: 440}), start(t, Options{User: "202", Tone: 1000})
	out, in := talk(t, a, b)
	ctx := soon(t)
	must(t, in.WaitHears(ctx, 440))
	for _, holder := range []struct{ who, other *Call }{{out, in}, {in, out}} {
		must(t, holder.who.Hold())
		must(t, holder.who.WaitState(ctx, Holding))
		must(t, holder.other.WaitState(ctx, Held))
		if got := holder.other.sound.Flow(); got.Sends {
			t.Error("the held side still sends")
		}
		must(t, holder.other.WaitSilent(ctx))
		must(t, holder.who.Resume())
		must(t, holder.who.WaitState(ctx, Talking))
		must(t, holder.other.WaitState(ctx, Talking))
	}
	must(t, in.WaitHears(ctx, 440))
	must(t, out.WaitHears(ctx, 1000))
}

func TestBothSidesHoldEachOther(t *testing.T) {
	t.Parallel()
	a, b := start(t, Options{User: "201"}), start(t, Options{User: "202"})
	out, in := talk(t, a, b)
	ctx := soon(t)
	must(t, out.Hold())
	must(t, in.WaitState(ctx, Held))
	must(t, in.Hold())
	must(t, in.WaitState(ctx, Holding))
	must(t, in.Resume())
	must(t, in.WaitState(ctx, Held))
	must(t, out.WaitState(ctx, Holding))
	must(t, out.Resume())
	must(t, out.WaitState(ctx, Talking))
	must(t, in.WaitState(ctx, Talking))
}

func TestHoldsThatCrossAreSettled(t *testing.T) {
	t.Parallel()
	a, b := start(t, Options{User: "201"}), start(t, Options{User: "202"})
	out, in := talk(t, a, b)
	must(t, out.Hold())
	must(t, in.Hold())
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	must(t, out.WaitState(ctx, Holding))
	must(t, in.WaitState(ctx, Holding))
}

func TestKeysArriveOnceAndInOrder(t *testing.T) {
	t.Parallel()
	a, b := start(t, Options{User: "201", Tone: 440}), start(t, Options{User: "202"})
	out, in := talk(t, a, b)
	ctx := soon(t)
	must(t, out.SendKeys("*22#"))
	must(t, in.WaitKeys(ctx, "*22#"))
	must(t, in.SendInfo("90D"))
	must(t, out.WaitKeys(ctx, "90D"))
	if err := out.SendKeys("1x"); err == nil {
		t.Error("key x was taken")
	}
	must(t, in.WaitHears(ctx, 440)) // the tone goes on after keys
	if got := in.KeysHeard(); got != "*22#" {
		t.Errorf("keys %q, want *22#", got)
	}
}

func TestPlayedSamplesComeBeforeTheTone(t *testing.T) {
	t.Parallel()
	a, b := start(t, Options{User: "201"}), start(t, Options{User: "202"})
	out, in := talk(t, a, b)
	ctx := soon(t)
	var v []int16
	for i := range 4000 {
		v = append(v, int16(10000*(i/4%2*2-1))) // 1000 Hz square
	}
	out.SetTone(440)
	out.Play(v)
	must(t, in.WaitHears(ctx, 1000))
	must(t, in.WaitHears(ctx, 440))
	if !sound.Contains(in.Heard(), 1000) {
		t.Error("what was heard first is forgotten")
	}
}

func TestVanishedPhoneSaysNothingAndReturns(t *testing.T) {
	t.Parallel()
	a := start(t, Options{User: "201", T1: 10 * time.Millisecond})
	b := start(t, Options{User: "202", Tone: 1000})
	out, in := talk(t, a, b)
	ctx := soon(t)
	must(t, out.WaitHears(ctx, 1000))
	b.Vanish()
	must(t, out.WaitSilent(ctx))
	lost, err := a.Dial(ctx, b.URI())
	must(t, err)
	must(t, lost.WaitState(ctx, Gone))
	if lost.Code() != 408 {
		t.Errorf("code %d, want 408", lost.Code())
	}
	b.Return()
	must(t, out.WaitHears(ctx, 1000))
	must(t, out.Hangup())
	must(t, in.WaitState(ctx, Gone))
}

func TestAnswerWithoutACKIsTakenBack(t *testing.T) {
	t.Parallel()
	a := start(t, Options{User: "201", NoACK: true})
	b := start(t, Options{User: "202", Auto: AnswerAfter(0), T1: 10 * time.Millisecond})
	ctx := soon(t)
	out, err := a.Dial(ctx, b.URI())
	must(t, err)
	in, err := b.WaitCall(ctx)
	must(t, err)
	must(t, in.WaitState(ctx, Gone))
	must(t, out.WaitState(ctx, Gone))
	if in.Cause() != "no ACK from the box" {
		t.Errorf("cause %q", in.Cause())
	}
}

func TestForgedBYEComesFromElsewhere(t *testing.T) {
	t.Parallel()
	a, b := start(t, Options{User: "201"}), start(t, Options{User: "202"})
	out, in := talk(t, a, b)
	must(t, out.ForgeBYE(loopback()))
	must(t, in.WaitState(soon(t), Gone)) // a phone believes it; the box must not
	if out.State() != Talking {
		t.Errorf("the real call is %s, want talking", out.State())
	}
}

func TestMovedSoundIsHeard(t *testing.T) {
	t.Parallel()
	a, b := start(t, Options{User: "201", Tone: 440}), start(t, Options{User: "202"})
	out, in := talk(t, a, b)
	ctx := soon(t)
	must(t, in.WaitHears(ctx, 440))
	before := out.sound.Port()
	at, err := out.MoveSound()
	must(t, err)
	if at.Port() == before {
		t.Error("the port is the same")
	}
	out.SetTone(1000)
	must(t, in.WaitHears(ctx, 1000))
}

func TestSwitchedOffPhoneHangsUp(t *testing.T) {
	t.Parallel()
	b := start(t, Options{User: "202"})
	a, err := New(Options{User: "201", Listen: loopback()})
	must(t, err)
	ctx, off := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	_, in := talk(t, a, b)
	off()
	must(t, in.WaitState(soon(t), Gone))
	must(t, <-ended)
	if _, err := a.Dial(soon(t), b.URI()); err == nil {
		t.Error("a phone that is off dialled")
	}
}

func TestLostSoundIsSilenceNotShorterSound(t *testing.T) {
	t.Parallel()
	a, b := start(t, Options{User: "201", Tone: 440, LoseRTP: 0.3}), start(t, Options{User: "202"})
	_, in := talk(t, a, b)
	must(t, in.WaitHears(soon(t), 440))
	if got := in.Level(440, 200*time.Millisecond); got > 0.23 {
		t.Errorf("level %v with a third lost, want less than 0.23", got)
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"nowhere":   {User: "201"},
		"codec":     {Listen: loopback(), Codecs: []string{"G729"}},
		"algorithm": {Listen: loopback(), Algorithm: "ROT13"},
		"code":      {Listen: loopback(), Auto: Reject(200)},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestEveryEventHasWords(t *testing.T) {
	t.Parallel()
	for _, k := range []Kind{SignedIn, SignedOut, Rings, Dials, Alerts, Talks, Holds, IsHeld, Resumes, KeyHeard, Ended} {
		if got := (Event{Kind: k, Phone: "201", Key: '1'}).String(); !strings.HasPrefix(got, "201: ") {
			t.Errorf("%s: %q", k, got)
		}
	}
	e := Event{Kind: Rings, Phone: "201", From: "+4930123456", Name: "sales"}
	if got, want := e.String(), "201: rings, from +4930123456 (sales)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
