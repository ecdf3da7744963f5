package call

import (
	"time"

	"branchline/hal"
	"branchline/pbx/config"
)

// Event is what reaches the floor. The set is closed.
type Event interface{ event() }

type (
	// Heard is a signal of a line or of media.
	Heard struct{ Signal hal.Signal }
	// Asked is a command of a person.
	Asked struct{ Command Command }
	// Tick says only that time has passed: Wake is due.
	Tick struct{}
	// Configured says that Doc is in force from here on. The floor keeps Doc and nobody changes it.
	Configured struct{ Doc *config.Doc }
	// Done is what came of a Task.
	Done struct {
		Ref hal.Ref
		OK  bool
		Err string // what went wrong, in words; "" with OK false is a plain no
	}
)

func (Heard) event()      {}
func (Asked) event()      {}
func (Tick) event()       {}
func (Configured) event() {}
func (Done) event()       {}
func (ClockSet) event()   {} // the fact is the event: from it on, now is by the new clock

// Command is what a person asks of the floor. Actor says who: an agent's number or a person's name.
type Command interface{ command() }

type (
	// SignOut ends an agent's availability; during a call it waits for the call's end.
	SignOut struct{ Agent, Actor string }
	// SetReady makes a signed-in agent ready; it also ends wrap-up.
	SetReady struct{ Agent, Actor string }
	// SetNotReady keeps calls away from a signed-in agent; during a call it takes effect after it.
	SetNotReady struct{ Agent, Reason, Actor string }
	// EndAll hangs up everybody: the box is being stopped.
	EndAll struct{ Actor string }
	// EndCall hangs up all legs of a call.
	EndCall struct {
		Call  ID
		Actor string
	}
)

func (SignOut) command()     {}
func (SetReady) command()    {}
func (SetNotReady) command() {}
func (EndCall) command()     {}
func (EndAll) command()      {}

// Task is work for the outside of the floor. A bounded worker runs it until Deadline; it comes
// back as Done with its Ref, always.
type Task interface{ task() hal.Ref }

type (
	// CheckPIN asks whether the keys hidden on Leg are Agent's PIN. The floor never sees them.
	CheckPIN struct {
		Ref      hal.Ref
		Leg      hal.LegID
		Agent    string
		Deadline time.Time
	}
)

func (t CheckPIN) task() hal.Ref { return t.Ref }

// RefOf is the Ref under which t comes back.
func RefOf(t Task) hal.Ref { return t.task() }
