package floor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/config"
)

// agent is a person who takes contacts. What he is doing is never stored: stateOf derives it from
// where he sits, the legs there and these fields, so that it cannot lie.
type agent struct {
	number    string
	phone     *phone // nil: signed out
	ready     bool
	reason    string // of not ready
	leaving   bool   // signs out when his call ends
	gone      bool   // no longer in the configuration
	wrapUntil time.Time
	idle      time.Time
	shown     call.Presence

	wrong  int // PINs in a row
	locked time.Time
}

// stateOf derives what a is doing.
func (f *Floor) stateOf(a *agent) call.Presence {
	p := call.Presence{Agent: a.number, State: call.SignedOut}
	if a.phone == nil {
		return p
	}
	p.Extension = a.phone.extension
	p.State, p.Call = busiest(a.phone)
	switch {
	case p.State != "":
	case !a.wrapUntil.IsZero():
		p.State, p.Until = call.WrapUp, a.wrapUntil
	case a.phone.contacts == 0:
		p.State = call.Unreachable
	case a.ready:
		p.State = call.Ready
	default:
		p.State = call.NotReady
	}
	if !a.ready {
		p.Reason = a.reason
	}
	if p.State != call.Ready && p.State != call.NotReady {
		switch {
		case a.leaving:
			p.After = call.SignedOut
		case !a.ready:
			p.After = call.NotReady
		}
	}
	return p
}

// busiest is the state that the legs of p make, "" where none counts.
func busiest(p *phone) (state call.State, of call.ID) {
	best := 0
	for _, l := range p.legs {
		if l.ending {
			continue
		}
		s, rank := l.state()
		if rank > best {
			best, state, of = rank, s, l.of.id
		}
	}
	return state, of
}

func (l *leg) state() (call.State, int) {
	switch {
	case l.leaving:
		return "", 0
	case l.of.desk != nil: // he talks with the box about himself: that is no call
		return "", 0
	case l.held && l.of.connected:
		return call.Holding, 4
	case l.answered, l.kind == joined:
		return call.Talking, 5
	case l.kind == caller:
		return call.Dialing, 3
	case l.alerting || l.kind == direct || l.kind == together:
		return call.Ringing, 2
	}
	return call.Reserved, 1
}

// show states a's presence where it has changed, and lets the matcher know whether he is free. An
// empty actor means the agent himself where the cause is call.BySelf, else the system.
func (f *Floor) show(a *agent, actor, cause string) {
	if a == nil {
		return
	}
	if a.leaving {
		f.signOutIfIdle(a)
	}
	p := f.stateOf(a)
	if p != a.shown {
		if idleFrom(a.shown.State, p.State) {
			a.idle = f.now
		}
		a.shown = p
		p.Actor, p.Cause = actor, cause
		if p.State == call.Unreachable {
			p.Cause = call.ByPhone
		}
		if p.Actor == "" {
			p.Actor = "system"
			if cause == call.BySelf {
				p.Actor = a.number
			}
		}
		f.fact(p)
	}
	f.offerable(a)
}

// idleFrom tells whether an agent is idle anew when his state changes so: who has not taken an offer keeps
// his place, and who signs in while his phone rings has one from then.
func idleFrom(was, is call.State) bool {
	return was == "" || was == call.SignedOut || is == call.Ready && was != call.Reserved && was != call.Ringing
}

// offerable lets the matcher know whether a can be offered a contact.
func (f *Floor) offerable(a *agent) {
	if a.shown.State == call.Ready && len(a.phone.legs) == 0 {
		f.acd.Free(a.number, a.idle)
		return
	}
	f.acd.Taken(a.number)
}

func (f *Floor) showAt(p *phone, cause string) {
	if p != nil {
		f.show(p.agent, "", cause)
	}
}

func (f *Floor) signOutIfIdle(a *agent) {
	if a.phone == nil {
		a.leaving = false
		return
	}
	if slices.ContainsFunc(a.phone.legs, func(l *leg) bool { return !l.ending && l.of.desk == nil }) {
		return // in a call; talking to the box about signing out is none
	}
	a.phone.agent = nil
	a.phone, a.leaving, a.wrapUntil = nil, false, time.Time{}
	a.ready, a.reason = false, ""
}

// wrapUp begins, once, the wrap-up of the agent on l, if he talked with a queue's contact.
func (f *Floor) wrapUp(l *leg) {
	if l.served == "" {
		return
	}
	q := f.queue(l.served)
	l.served = ""
	if q != nil && q.WrapUp > 0 && l.phone.agent != nil {
		l.phone.agent.wrapUntil = f.now.Add(q.WrapUp)
	}
}

// signIn seats a at p, ready. Who sat there is signed out; where a sat before is left.
func (f *Floor) signIn(a *agent, p *phone) {
	cause := call.BySelf
	if other := p.agent; other != nil && other != a {
		other.leaving = true
		p.agent = nil
		other.phone, other.leaving, other.ready, other.reason, other.wrapUntil = nil, false, false, "", time.Time{}
		f.show(other, "system", call.ByElsewhere)
	}
	if a.phone != nil && a.phone != p {
		a.phone.agent = nil
		cause = call.ByElsewhere
	}
	a.phone, p.agent = p, a
	a.ready, a.reason, a.leaving, a.wrapUntil, a.wrong = true, "", false, time.Time{}, 0
	f.show(a, a.number, cause)
}

// reachable takes that phones of an extension came or went.
func (f *Floor) reachable(s hal.Reachable) {
	p := f.phone(s.Endpoint)
	had := p.contacts
	p.contacts = s.Contacts
	switch {
	case had == 0 && s.Contacts > 0:
		f.fact(call.PhoneUp{Extension: s.Endpoint})
	case had > 0 && s.Contacts == 0:
		f.fact(call.PhoneDown{Extension: s.Endpoint, Why: s.Why})
	}
	f.showAt(p, call.ByPhone)
}

func (f *Floor) agent(number string) *agent {
	i, ok := slices.BinarySearchFunc(f.agents, number, func(a *agent, n string) int { return strings.Compare(a.number, n) })
	if !ok {
		return nil
	}
	return f.agents[i]
}

// signedIn finds an agent whom a command is about.
func (f *Floor) signedIn(number string) (*agent, error) {
	a := f.agent(number)
	switch {
	case a == nil:
		return nil, fmt.Errorf("there is no agent %s; `branchline agents` lists them", number)
	case a.phone == nil:
		return nil, fmt.Errorf("agent %s is signed out; dial %s at a desk phone to sign in", number, f.doc.Codes.SignIn)
	}
	return a, nil
}

func causeOf(a *agent, actor string) string {
	if actor == a.number {
		return call.BySelf
	}
	return call.ByForce
}

func (f *Floor) askSignOut(c call.SignOut) error {
	a, err := f.signedIn(c.Agent)
	if err != nil {
		return err
	}
	a.leaving = true
	f.show(a, c.Actor, causeOf(a, c.Actor))
	return nil
}

func (f *Floor) askReady(c call.SetReady) error {
	a, err := f.signedIn(c.Agent)
	if err != nil {
		return err
	}
	a.ready, a.reason, a.leaving, a.wrapUntil = true, "", false, time.Time{}
	f.show(a, c.Actor, causeOf(a, c.Actor))
	return nil
}

func (f *Floor) askNotReady(c call.SetNotReady) error {
	a, err := f.signedIn(c.Agent)
	if err != nil {
		return err
	}
	a.ready, a.reason = false, c.Reason
	if a.reason == "" {
		a.reason = causeOf(a, c.Actor)
	}
	f.show(a, c.Actor, causeOf(a, c.Actor))
	return nil
}

// restoreAgents seats everybody as the state of the run before says.
func (f *Floor) restoreAgents() {
	for _, d := range f.doc.Agents {
		f.addAgent(d)
	}
	for _, s := range f.state.Agents {
		a := f.agent(s.Number)
		if a == nil {
			a = f.addAgent(config.Agent{Number: s.Number})
			a.gone, a.leaving = true, true
		}
		a.shown = call.Presence{
			Agent: s.Number, State: s.State, After: s.After, Reason: s.Reason,
			Extension: s.Extension, Call: s.Call, Until: s.Until,
		}
		if s.State == call.SignedOut || s.Extension == "" {
			continue
		}
		a.phone = f.phone(s.Extension)
		a.phone.agent = a
		a.ready = s.State != call.NotReady && s.After != call.NotReady
		a.leaving = a.leaving || s.After == call.SignedOut
		a.reason, a.idle, a.wrapUntil = s.Reason, s.Idle, s.Until
	}
}

func (f *Floor) addAgent(d config.Agent) *agent {
	a := &agent{number: d.Number, shown: call.Presence{Agent: d.Number, State: call.SignedOut}}
	i, _ := slices.BinarySearchFunc(f.agents, d.Number, func(a *agent, n string) int { return strings.Compare(a.number, n) })
	f.agents = slices.Insert(f.agents, i, a)
	return a
}
