package phone

import (
	"context"
	"fmt"
	"time"

	"branchline/board/sim/phone/account"
	"branchline/board/sim/phone/dialog"
	"branchline/board/sim/phone/message"
	"branchline/board/sim/phone/sound"
	"branchline/board/sim/phone/transact"
)

// State is where a call stands.
type State string

// All states. Talking, Holding and Held may follow each other; Gone is the last.
const (
	Dialling State = "dialling" // ours, nothing heard yet
	Alerting State = "alerting" // ours, it rings there
	Ringing  State = "ringing"  // it rings here
	Talking  State = "talking"
	Holding  State = "holding" // we have put the other side on hold
	Held     State = "held"    // the other side has put us on hold
	Gone     State = "gone"
)

// Call is one call of a phone, in or out. Its methods may be called from any goroutine; those that
// do something return when the order is given, not when the wire has answered: WaitState does that.
type Call struct {
	p          *Phone
	id         string
	from, name string // the other side
	incoming   bool
	gone       chan struct{}
	sound      *sound.Session // set before the call is shown
	stopSound  func()

	// Owned by the phone's loop.
	dialog            dialog.Dialog
	replaces          string             // the header of our INVITE; ""
	invite            *transact.Server   // incoming: the INVITE, then the latest re-INVITE
	offered           *sound.Description // in that INVITE; nil: the offer is ours, its answer comes with the ACK
	ours              *sound.Description // what we described last
	out               *account.Exchange  // outgoing: the INVITE; later a re-INVITE under way
	acked             uint32             // CSeq of our latest INVITE whose 2xx has come
	patience          *transact.Timer
	leaving           bool            // CANCEL is due or sent, or a BYE waits for an ACK
	holds             bool            // we hold
	wish              bool            // we want to hold
	again             *transact.Timer // tries to make it so
	isHeld            bool            // they hold
	infos             []byte
	sdpID, sdpVersion uint64
	dropped           []string // tags of other forks that were ended

	watch watched
	moved transfer
	state State
	far   bool
	code  int
	cause string
}

// ID is the call's Call-ID.
func (c *Call) ID() string { return c.id }

// From is the other side's number: the caller's, or whom we have dialled.
func (c *Call) From() string { return c.from }

// Name is the other side's name as shown, or "".
func (c *Call) Name() string { return c.name }

// Incoming says that the other side has called.
func (c *Call) Incoming() bool { return c.incoming }

// Gone is closed when the call is over.
func (c *Call) Gone() <-chan struct{} { return c.gone }

// State is where the call stands now.
func (c *Call) State() (s State) {
	c.watch.look(func() { s = c.state })
	return s
}

// Cause is why the call is gone, in words: "normal", "Busy Here"; "" while it lives.
func (c *Call) Cause() (cause string) {
	c.watch.look(func() { cause = c.cause })
	return cause
}

// Code is the SIP status that ended the call; 0: a BYE, or it lives.
func (c *Call) Code() (code int) {
	c.watch.look(func() { code = c.code })
	return code
}

// Far says that the other side has ended the call.
func (c *Call) Far() (far bool) {
	c.watch.look(func() { far = c.far })
	return far
}

// WaitState waits until the call is in one of the states. It fails when the call is gone and Gone
// is none of them: it will not come there any more.
func (c *Call) WaitState(ctx context.Context, states ...State) error {
	found := false
	var last State
	err := c.watch.wait(ctx, func() bool {
		last = c.state
		for _, s := range states {
			found = found || c.state == s
		}
		return found || c.state == Gone
	})
	switch {
	case err != nil:
		return fmt.Errorf("call with %s is %s, not %v: %w", c.from, last, states, err)
	case !found:
		return fmt.Errorf("call with %s is gone (%d %s), not %v", c.from, c.Code(), c.Cause(), states)
	}
	return nil
}

// Answer takes an incoming call that rings.
func (c *Call) Answer() error { return c.ask(c.answer) }

// Reject refuses an incoming call that rings, with a status of 400 to 699.
func (c *Call) Reject(code int) error {
	return c.ask(func() error { return c.reject(code) })
}

// Hangup ends the call whatever its state: BYE, CANCEL, or 480 while it rings here.
func (c *Call) Hangup() error {
	return c.ask(func() error {
		c.hangup()
		return nil
	})
}

// Cancel gives up a call of ours that is not answered yet.
func (c *Call) Cancel() error {
	return c.ask(func() error {
		if c.incoming || c.dialog.Established {
			return c.wrong("cancelled")
		}
		c.cancel()
		return nil
	})
}

// Hold puts the other side on hold (re-INVITE, sendonly): it hears nothing of us.
func (c *Call) Hold() error { return c.ask(func() error { return c.want(true) }) }

// Resume takes it back.
func (c *Call) Resume() error { return c.ask(func() error { return c.want(false) }) }

// WaitTransfer waits for the last word on a Transfer: its SIP status.
func (c *Call) WaitTransfer(ctx context.Context) (code int, err error) {
	err = c.watch.wait(ctx, func() bool {
		code = c.moved.code
		return c.moved.done
	})
	return code, err
}

// SendKeys presses 0-9 * # A-D as telephone events (RFC 4733), 180 ms each, one after the other.
func (c *Call) SendKeys(keys string) error { return c.sound.Press(keys) }

// SendInfo presses keys, or ! for a tap on the hook, as SIP INFO (application/dtmf-relay), each when the last
// was answered.
func (c *Call) SendInfo(keys string) error {
	return c.ask(func() error { return c.sendInfo(keys) })
}

// KeysHeard is every key that the other side has pressed, by RFC 4733 or INFO.
func (c *Call) KeysHeard() string { return c.sound.Keys() }

// SetTone says hz from now on; 0 is silence.
func (c *Call) SetTone(hz float64) { c.sound.SetTone(hz) }

// Play says pcm (8 kHz) once, then the tone again.
func (c *Call) Play(pcm []int16) { c.sound.Play(pcm) }

// Heard is all that was heard in the last 10 s, 8 kHz, oldest first, pauses as silence.
func (c *Call) Heard() []int16 { return c.sound.Heard(10 * time.Second) }

// HeardFor is Heard for the last d alone.
func (c *Call) HeardFor(d time.Duration) []int16 { return c.sound.Heard(d) }

// Hears says whether hz has at least a fifth of the power of the last 200 ms: alone, with a few
// others, or begun a moment ago.
func (c *Call) Hears(hz float64) bool { return c.sound.Hears(hz) }

// Level is the amplitude of hz in the last d; 1 is full scale, another phone's tone has 0.24.
func (c *Call) Level(hz float64, d time.Duration) float64 { return c.sound.Level(hz, d) }

// Tone is the frequency that is heard now, to 5 Hz; 0: silence, or no single tone.
func (c *Call) Tone() float64 { return c.sound.Tone() }

// Silent says whether nothing was heard for the last 200 ms.
func (c *Call) Silent() bool { return c.sound.Silent() }

// Packets is how many RTP packets have come in.
func (c *Call) Packets() int { return c.sound.Packets() }

// WaitHears waits until hz is heard.
func (c *Call) WaitHears(ctx context.Context, hz float64) error {
	return c.listen(ctx, fmt.Sprintf("%g Hz", hz), func() bool { return c.Hears(hz) })
}

// WaitSilent waits until nothing is heard.
func (c *Call) WaitSilent(ctx context.Context) error { return c.listen(ctx, "silence", c.Silent) }

// WaitKeys waits until the other side has pressed exactly these keys in all.
func (c *Call) WaitKeys(ctx context.Context, keys string) error {
	return c.listen(ctx, "keys "+keys, func() bool { return c.KeysHeard() == keys })
}

func (c *Call) listen(ctx context.Context, what string, ok func() bool) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-c.gone:
			return fmt.Errorf("call with %s is gone (%d %s) before it heard %s", c.from, c.Code(), c.Cause(), what)
		case <-ctx.Done():
			return fmt.Errorf("call with %s did not hear %s but %g Hz, keys %q, %d packets: %w",
				c.from, what, c.Tone(), c.KeysHeard(), c.Packets(), ctx.Err())
		}
	}
	return nil
}

func (c *Call) ask(f func() error) error { return c.p.ask(context.Background(), f) }

func (c *Call) wrong(what string) error {
	return fmt.Errorf("call with %s cannot be %s: it is %s", c.from, what, c.State())
}

// enter changes the state and tells it.
func (c *Call) enter(s State, kind Kind) {
	changed := false
	c.watch.update(func() {
		changed = c.state != s && c.state != Gone
		if changed {
			c.state = s
		}
	})
	if changed {
		c.p.note(c.event(kind))
	}
}

func (c *Call) event(kind Kind) Event {
	return Event{Kind: kind, Call: c, From: c.from, Name: c.name}
}

// newCall makes a call with its sound running and shows it. id and the other side are set by then.
func (p *Phone) newCall(c *Call, state State) (*Call, error) {
	c.p, c.gone, c.state = p, make(chan struct{}), state
	session, err := sound.New(p.local.Addr(), func(key byte) { c.keyHeard(key) })
	if err != nil {
		return nil, err
	}
	c.sound = session
	session.SetTone(p.opt.Tone)
	session.Lose(p.opt.LoseRTP)
	ctx, stop := context.WithCancel(p.ctx)
	c.stopSound = stop
	p.workers.Go(func() { session.Run(ctx) })
	p.calls = append(p.calls, c)
	p.watch.update(func() { p.shown = append(p.shown, c) })
	return c, nil
}

func (c *Call) keyHeard(key byte) {
	e := c.event(KeyHeard)
	e.Key = key
	c.p.note(e)
}

// end closes the call; nothing follows on it. Only the first end counts.
func (c *Call) end(far bool, code int, cause string) {
	select {
	case <-c.gone:
		return
	default:
	}
	c.patience.Stop()
	c.again.Stop()
	c.stopSound()
	c.p.calls = without(c.p.calls, c)
	c.p.watch.update(func() { c.p.shown = without(c.p.shown, c) })
	c.watch.update(func() { c.state, c.far, c.code, c.cause = Gone, far, code, cause })
	close(c.gone)
	e := c.event(Ended)
	e.Far, e.Code, e.Cause = far, code, cause
	c.p.note(e)
}

func without(calls []*Call, c *Call) []*Call {
	var kept []*Call
	for _, k := range calls {
		if k != c {
			kept = append(kept, k)
		}
	}
	return kept
}

// causeOf is the Reason header in words (RFC 3326), or otherwise.
func causeOf(m *message.Message, otherwise string) string {
	for _, reason := range m.List("Reason") {
		if text := message.Param(reason, "text"); text != "" {
			return text
		}
	}
	return otherwise
}
