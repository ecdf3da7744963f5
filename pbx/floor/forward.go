package floor

import (
	"fmt"
	"slices"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/prompt"
	"branchline/pbx/route"
)

// ring lets an extension ring for the caller of c, or whoever its calls are forwarded to. No extension
// is tried twice for one wish, so that two who forward to each other end.
func (f *Floor) ring(c *contact, extension string) {
	if slices.Contains(c.passed, extension) {
		f.missing(c, hal.Unreachable, call.BySystem)
		return
	}
	c.passed = append(c.passed, extension)
	p, to := f.phone(extension), f.forwards(extension)
	switch {
	case c.caller.phone == p:
		f.missing(c, hal.Busy, call.BySystem)
	case to.Always != "":
		f.forward(c, extension, route.Always, to.Always)
	case to.DND:
		f.instead(c, extension, hal.Busy, call.BySystem)
	case p.contacts == 0 && to.Unreachable != "":
		f.forward(c, extension, route.Unreachable, to.Unreachable)
	default:
		wait := directRing
		if to.NoAnswer != "" && f.doc.Calls.NoAnswer > 0 {
			wait = f.doc.Calls.NoAnswer
		}
		f.dial(c, p, direct, f.before(c, wait))
	}
}

// instead sends the caller on where the extension wants it for cause, or tells him of the cause.
func (f *Floor) instead(c *contact, extension string, cause hal.Cause, by call.Party) {
	fw := f.forwards(extension)
	why, to := "", ""
	switch cause {
	case hal.Busy, hal.Rejected:
		why, to = route.OnBusy, fw.Busy
	case hal.NoAnswer:
		why, to = route.NoAnswer, fw.NoAnswer
	case hal.Unreachable:
		why, to = route.Unreachable, fw.Unreachable
	}
	late := !c.until.IsZero() && !f.now.Before(c.until) // a transfer comes back rather than going on
	if to == "" || late || c.transfer != nil && c.transfer.back {
		f.missing(c, cause, by)
		return
	}
	f.forward(c, extension, why, to)
}

// forward sends the caller of c on, on the account of the extension that wants it so.
func (f *Floor) forward(c *contact, extension, why, to string) {
	place := route.Dialed(f.doc, f.plan, hal.Number(to))
	shown := hal.Number(to)
	if place.Kind == route.Outside {
		shown = place.Number.Shown()
	}
	f.fact(call.Forwarded{Call: c.id, Extension: extension, To: shown, Why: why})
	c.diverted = extension
	f.lookFor(c, place, extension)
}

// forwards is where the calls of an extension go: as set at its phone, else as configured.
func (f *Floor) forwards(extension string) call.ForwardSet {
	if set, ok := f.state.forward(extension); ok {
		return set
	}
	set := call.ForwardSet{Extension: extension}
	if ext := f.extension(extension); ext != nil {
		set.Always, set.Busy = ext.Forward.Always, ext.Forward.Busy
		set.NoAnswer, set.Unreachable = ext.Forward.NoAnswer, ext.Forward.Unreachable
	}
	return set
}

// deskForward does what a code at a phone asks about its own calls, and says so.
func (f *Floor) deskForward(c *contact) {
	d, extension := c.desk, c.caller.phone.extension
	set, to := f.forwards(extension), d.agent
	said := prompt.SwitchedOn
	switch {
	case d.kind == route.DND:
		set.DND = !set.DND
		if !set.DND {
			said = prompt.SwitchedOff
		}
	case to == "":
		said = prompt.SwitchedOff
	default:
		place := route.Dialed(f.doc, f.plan, hal.Number(to))
		if place.Kind != route.Extension && place.Kind != route.Outside || to == extension || !f.may(extension, place) {
			f.say(c, saying, prompt.NotAllowed)
			return
		}
	}
	if d.kind == route.Forward {
		switch d.why {
		case route.Always:
			set.Always = to
		case route.OnBusy:
			set.Busy = to
		case route.NoAnswer:
			set.NoAnswer = to
		case route.Unreachable:
			set.Unreachable = to
		default:
			panic(fmt.Sprintf("floor: forward %q", d.why))
		}
	}
	set.Actor = extension
	f.fact(set)
	f.say(c, saying, said)
}
