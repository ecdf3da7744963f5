package floor

import (
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/prompt"
	"branchline/pbx/route"
)

type stage uint8

const (
	saying   stage = iota // the last word; the call ends after it
	askAgent              // the agent number is being typed
	askPIN                // the PIN is being typed; the floor sees only that keys come
	checking              // the PIN is being judged
)

// desk is a conversation between an agent and the box about his own state.
type desk struct {
	kind  route.Kind
	why   string // of route.Forward
	stage stage
	agent string // or what else followed the code
	keys  int    // of the field that is being typed
	typed []byte // what they were, where they are no secret
	tries int
	await time.Time
	task  hal.Ref
}

func (f *Floor) openDesk(c *contact, place route.Place) {
	c.desk = &desk{kind: place.Kind, why: place.Why, agent: string(place.To)}
	f.showAt(c.caller.phone, call.ByCall)
	f.answer(c.caller)
}

// deskAnswered begins when the agent hears us.
func (f *Floor) deskAnswered(c *contact) {
	p := c.caller.phone
	a := p.agent
	switch {
	case c.desk.kind == route.DND || c.desk.kind == route.Forward:
		f.deskForward(c)
	case c.desk.kind == route.Ready && a == nil:
		f.say(c, saying, prompt.NotHere)
	case c.desk.kind == route.Ready:
		f.toggleReady(c, a)
	case a != nil && c.desk.agent == a.number: // he says who he is: he wants to be in
		a.ready, a.reason, a.leaving, a.wrapUntil = true, "", false, time.Time{}
		f.show(a, a.number, call.BySelf)
		f.sayItems(c, saying, f.voice().SignedIn(a.number))
	case a != nil && c.desk.agent == "":
		a.leaving = true
		f.show(a, a.number, call.BySelf)
		f.say(c, saying, prompt.SignedOut)
	case c.desk.agent != "":
		f.say(c, askPIN, prompt.AskPIN)
	default:
		f.say(c, askAgent, prompt.AskAgent)
	}
}

func (f *Floor) toggleReady(c *contact, a *agent) {
	if a.ready && a.wrapUntil.IsZero() {
		a.ready, a.reason = false, call.BySelf
		f.show(a, a.number, call.BySelf)
		f.say(c, saying, prompt.NowBusy)
		return
	}
	a.ready, a.reason, a.wrapUntil = true, "", time.Time{}
	f.show(a, a.number, call.BySelf)
	f.say(c, saying, prompt.NowReady)
}

// say plays m and enters the stage that it opens.
func (f *Floor) say(c *contact, next stage, m prompt.Message) {
	f.sayItems(c, next, f.voice().Say(m))
}

// voice is the language of the site, in which the box speaks.
func (f *Floor) voice() prompt.Language { return prompt.In(f.doc.Site.Language) }

func (f *Floor) sayItems(c *contact, next stage, items []hal.Item) {
	c.desk.stage, c.desk.keys, c.desk.typed = next, 0, nil
	c.desk.await = time.Time{}
	f.hush(c)
	f.play(c, items, false)
}

// deskPlayed goes on when the box has finished speaking.
func (f *Floor) deskPlayed(c *contact) {
	switch c.desk.stage {
	case saying:
		f.end(c, hal.Normal, call.BySystem)
	case askAgent, askPIN:
		if c.desk.keys == 0 {
			c.desk.await = f.now.Add(firstKey)
		}
	case checking:
	}
}

// deskKey takes a key: # ends the field, * begins it anew.
func (f *Floor) deskKey(c *contact, k byte) {
	d := c.desk
	if d.stage != askAgent && d.stage != askPIN {
		return
	}
	f.hush(c)
	d.await = f.now.Add(keyPause)
	switch k {
	case '#':
		f.fieldDone(c)
	case '*':
		d.keys, d.typed = 0, nil
	default:
		if d.keys < 16 {
			d.keys++
			if d.stage == askAgent {
				d.typed = append(d.typed, k)
			}
		}
	}
}

// fieldDone takes what has been typed; an empty field ends the call.
func (f *Floor) fieldDone(c *contact) {
	d := c.desk
	d.await = time.Time{}
	switch {
	case d.keys == 0:
		f.say(c, saying, prompt.Goodbye)
	case d.stage == askAgent:
		d.agent = string(d.typed)
		f.say(c, askPIN, prompt.AskPIN)
	case d.stage == askPIN:
		d.stage, d.task = checking, f.ref("pin")
		d.await = f.now.Add(pinCheck)
		f.out.Tasks = append(f.out.Tasks, call.CheckPIN{Ref: d.task, Leg: c.caller.id, Agent: d.agent, Deadline: d.await})
	}
}

// done takes what came of a task.
func (f *Floor) done(e call.Done) {
	for _, c := range f.calls {
		if c.desk != nil && c.desk.task == e.Ref && c.desk.stage == checking && !c.ending {
			f.busy = c
			f.pinChecked(c, e.OK)
			return
		}
	}
}

func (f *Floor) pinChecked(c *contact, ok bool) {
	d := c.desk
	a := f.agent(d.agent)
	p := c.caller.phone
	why := ""
	switch {
	case a == nil || a.gone:
		why = "unknown agent"
	case f.now.Before(a.locked):
		why = "locked"
	case !ok:
		why = "wrong PIN"
		a.wrong++
		if a.wrong >= wrongPINs {
			a.wrong, a.locked = 0, f.now.Add(pinLock)
		}
	case a.phone != nil && a.phone != p && len(a.phone.legs) > 0:
		why = "in a call at extension " + a.phone.extension
	}
	if why == "" {
		f.signIn(a, p)
		f.sayItems(c, saying, f.voice().SignedIn(a.number))
		return
	}
	f.fact(call.SignInRefused{Agent: d.agent, Extension: p.extension, Why: why})
	d.tries++
	if d.tries >= 3 {
		f.say(c, saying, prompt.WrongLogin)
		return
	}
	d.agent = ""
	f.sayItems(c, askAgent, append(f.voice().Say(prompt.WrongLogin), f.voice().Say(prompt.AskAgent)...))
}

// deskLate goes on when nothing was typed for too long, or nobody judged the PIN.
func (f *Floor) deskLate(c *contact) {
	c.desk.await = time.Time{}
	if c.desk.stage == checking {
		f.pinChecked(c, false)
		return
	}
	f.fieldDone(c)
}
