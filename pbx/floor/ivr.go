package floor

import (
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/flow"
	"branchline/pbx/prompt"
)

// ivr is a caller's place in the IVR flow.
type ivr struct {
	run   flow.Run
	await time.Time // a key must come by then; zero: none is awaited
}

// act does what the flow wants next.
func (f *Floor) act(c *contact, a flow.Act) {
	if a.Kind != flow.None {
		c.ivr.await = time.Time{}
	}
	switch a.Kind {
	case flow.Play:
		f.play(c, prompt.Files(a.Prompts...), false)
	case flow.Await:
		c.ivr.await = f.now.Add(a.Wait)
	case flow.Queue:
		f.enqueue(c, a.Queue)
	case flow.Hangup:
		f.end(c, hal.Normal, call.BySystem)
	case flow.None:
	}
}

// play gives the caller something to hear; a caller who has not been answered is answered first.
func (f *Floor) play(c *contact, items []hal.Item, loop bool) {
	p := hal.Play{Leg: c.caller.id, Ref: f.ref("play"), Items: items, Loop: loop}
	c.play = p.Ref
	if c.caller.answered {
		f.order(p)
		return
	}
	c.pending = &p
	f.answer(c.caller)
}

// hush ends what the caller hears.
func (f *Floor) hush(c *contact) {
	if c.play == "" {
		return
	}
	if c.pending == nil {
		f.order(hal.Stop{Ref: c.play})
	}
	c.play, c.pending = "", nil
}

// answer takes a call that came in, once; a leg that we dialled is answered by its far end.
func (f *Floor) answer(l *leg) {
	if l.answering || l.kind != caller && l.kind != joined {
		return
	}
	l.answering = true
	f.order(hal.Answer{Leg: l.id})
}

// inFlow tells whether the caller is where his flow asks and listens.
func (c *contact) inFlow() bool {
	return c.visit == nil && c.peer == nil && c.transfer == nil && c.parked == nil && c.ivr.run.Name() != ""
}

// played goes on when what the caller hears has ended by itself.
func (f *Floor) played(l *leg, ref hal.Ref) {
	c := l.of
	if ref == "" || c.play != ref || c.ending {
		return
	}
	c.play = ""
	switch {
	case c.desk != nil:
		f.deskPlayed(c)
	case c.inFlow():
		run, act := c.ivr.run.Played()
		c.ivr.run = run
		f.act(c, act)
	}
}

// key takes a key that the party of l pressed.
func (f *Floor) key(l *leg, k byte, passed bool) {
	c := l.of
	switch {
	case c.ending || l.ending:
	case c.desk != nil && l == c.caller:
		f.deskKey(c, k)
	case c.asks(l):
		f.askKey(c, l, k, passed)
	case c.connected && c.other(l) != nil:
		f.talkKey(c, l, k, passed)
	case l == c.caller && c.inFlow():
		run, act := c.ivr.run.Key(k)
		if act.Kind == flow.None {
			return
		}
		c.ivr.run = run
		f.fact(call.Keyed{Call: c.id, Leg: l.id, Key: string(k), Step: act.Menu})
		f.hush(c)
		f.act(c, act)
	}
}

// relayKey passes a key on in a conversation. Only keys of our own phones need it: theirs come
// beside the sound (RFC 4733), those of other lines are in the sound.
func (f *Floor) relayKey(c *contact, from *leg, k byte) {
	to := c.other(from)
	if from.phone != nil && to != nil && !to.ending {
		f.order(hal.Digits{Leg: to.id, Ref: f.ref("keys"), Keys: string(k)})
	}
}

// keyLate goes on when no key came in time.
func (f *Floor) keyLate(c *contact) {
	c.ivr.await = time.Time{}
	run, act := c.ivr.run.TimedOut()
	c.ivr.run = run
	f.act(c, act)
}
