// Package flow is the IVR interpreter: it walks a caller through the steps of a config.Flow.
//
// It is pure. A Run is a caller's place; each of its methods takes what happened and gives the next
// Act: what the floor shall do for this caller. Start at Begin.
package flow

import (
	"time"

	"branchline/pbx/config"
)

// Kind says what an Act asks for.
type Kind uint8

const (
	Hangup Kind = iota // the flow is at its end
	Play               // play Prompts, then tell Played
	Await              // wait for a key for Wait, then tell TimedOut
	Queue              // put the caller into Queue; tell QueueLeft when it goes on without an agent
	None               // go on as you are
)

// Act is what shall be done next for a caller.
type Act struct {
	Kind    Kind
	Prompts []string
	Queue   string
	Wait    time.Duration
	Step    string // the name of the step, for the timeline
	Menu    string // the menu whose key led here
}

// Run is one caller's place in a flow. The zero value is no flow; make one by Begin.
type Run struct {
	flow    *config.Flow
	step    int
	tries   int  // of the menu, used up
	invalid bool // the menu's word for a wrong key plays
}

// Begin enters f at its first step. The caller stays in this f even if the configuration changes.
func Begin(f *config.Flow) (Run, Act) {
	r := Run{flow: f, step: -1}
	return r.goOn()
}

// Name is the flow's name; "" for the zero Run.
func (r Run) Name() string {
	if r.flow == nil {
		return ""
	}
	return r.flow.Name
}

// Played says that the prompts of the last Act have been heard, or could not be played.
func (r Run) Played() (Run, Act) {
	s := r.at()
	switch {
	case s == nil:
		return r, Act{}
	case s.Menu == nil:
		return r.goOn()
	case r.invalid:
		r.invalid = false
		return r, r.ask()
	}
	return r, Act{Kind: Await, Wait: s.Menu.Wait, Step: s.Name}
}

// Key says that the caller pressed k. Who knows the menu need not hear out the words before it: a
// key of the menu counts there already. Other keys outside a menu mean nothing.
func (r Run) Key(k byte) (Run, Act) {
	s := r.at()
	if s != nil && s.Menu == nil && s.Queue == "" {
		r, s = r.ahead(k)
	}
	if s == nil || s.Menu == nil {
		return r, Act{Kind: None}
	}
	if next, ok := s.Menu.Keys[string(k)]; ok {
		r, act := r.jump(next)
		act.Menu = s.Name
		return r, act
	}
	return r.again(s.Menu.Invalid)
}

// ahead finds the menu that follows what plays now, where k is one of its keys.
func (r Run) ahead(k byte) (Run, *config.Step) {
	next, _ := r.goOn()
	s := next.at()
	if s == nil || s.Menu == nil {
		return r, nil
	}
	if _, ok := s.Menu.Keys[string(k)]; !ok {
		return r, nil
	}
	return next, s
}

// TimedOut says that no key came while an Await lasted.
func (r Run) TimedOut() (Run, Act) {
	s := r.at()
	if s == nil || s.Menu == nil {
		return r, Act{Kind: None}
	}
	return r.again(nil)
}

// QueueLeft says that the caller left the queue without an agent: the flow goes on.
func (r Run) QueueLeft() (Run, Act) {
	if s := r.at(); s == nil || s.Queue == "" {
		return r, Act{Kind: None}
	}
	return r.goOn()
}

// Step is the name of the step where the caller is.
func (r Run) Step() string {
	if s := r.at(); s != nil {
		return s.Name
	}
	return ""
}

func (r Run) at() *config.Step {
	if r.flow == nil || r.step < 0 || r.step >= len(r.flow.Steps) {
		return nil
	}
	return &r.flow.Steps[r.step]
}

// again uses up one try of the menu.
func (r Run) again(word []string) (Run, Act) {
	m := r.at().Menu
	r.tries++
	if r.tries >= m.Tries {
		if m.Otherwise != "" {
			return r.jump(m.Otherwise)
		}
		return r.goOn()
	}
	if len(word) > 0 {
		r.invalid = true
		return r, Act{Kind: Play, Prompts: word, Step: r.at().Name}
	}
	return r, r.ask()
}

func (r Run) ask() Act {
	s := r.at()
	return Act{Kind: Play, Prompts: s.Menu.Prompt, Step: s.Name}
}

func (r Run) goOn() (Run, Act) {
	if s := r.at(); s != nil && s.Then != "" {
		return r.jump(s.Then)
	}
	r.step++
	return r.enter()
}

// jump goes to the step named; a name that is not there ends the flow (Validate refuses it before).
func (r Run) jump(name string) (Run, Act) {
	r.step = len(r.flow.Steps)
	for i := range r.flow.Steps {
		if r.flow.Steps[i].Name == name {
			r.step = i
			break
		}
	}
	return r.enter()
}

func (r Run) enter() (Run, Act) {
	r.tries, r.invalid = 0, false
	s := r.at()
	switch {
	case s == nil || s.Hangup:
		return r, Act{Kind: Hangup}
	case s.Menu != nil:
		return r, r.ask()
	case s.Queue != "":
		return r, Act{Kind: Queue, Queue: s.Queue, Step: s.Name}
	}
	return r, Act{Kind: Play, Prompts: s.Play, Step: s.Name}
}
