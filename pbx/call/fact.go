package call

import (
	"time"

	"branchline/hal"
)

// Fact is something that has come true and that somebody may want to read in a year. Kind is its
// stable name on the timeline; About is the call that it belongs to, "" where none.
type Fact interface {
	Kind() string
	About() ID
}

type (
	// Booted opens a run of the program. Clean: the run before it was stopped in peace.
	Booted struct {
		Boot    uint32 `json:"boot"`
		Program string `json:"program"`
		Clean   bool   `json:"clean"`
	}
	// Stopped closes a run in peace.
	Stopped struct {
		Boot uint32 `json:"boot"`
	}
	// LineUp and LineDown say whether a line can carry calls.
	LineUp struct {
		Line   string     `json:"line"`
		Traits hal.Traits `json:"traits"`
	}
	LineDown struct {
		Line string `json:"line"`
		Why  string `json:"why"`
	}
	// PhoneUp and PhoneDown say whether an extension has a phone that can ring.
	PhoneUp struct {
		Extension string `json:"extension"`
	}
	PhoneDown struct {
		Extension string `json:"extension"`
		Why       string `json:"why,omitempty"`
	}
	// Guarded counts what a line has kept away of one source, an address or a network, since it was told
	// last; "" is many sources together. For: how long the source is kept away from here on.
	Guarded struct {
		Line   string         `json:"line"`
		Source string         `json:"source,omitempty"`
		Counts map[string]int `json:"counts,omitempty"` // by cause: flood, scan, rubbish, wrong, outside, crowd, knocks
		For    time.Duration  `json:"for_ns,omitempty"`
		ByHand bool           `json:"by_hand,omitempty"` // a person keeps it away
	}
	// ConfigApplied says which configuration is in force from here on.
	ConfigApplied struct {
		Version uint64 `json:"version"`
		Who     string `json:"who"`
	}
	// Unsynced says that the disk did not confirm in time and calls went on without it.
	Unsynced struct {
		For time.Duration `json:"for_ns"`
	}
	// Synced ends Unsynced: the disk confirms again, For after it should have. After a restart it is
	// not told; Booted says as much.
	Synced struct {
		For time.Duration `json:"for_ns"`
	}
	// ClockSet says that the clock of the box was set, By forward or, below zero, back. Its entry and those
	// after it are by the new clock; who keeps times of before must shift them by By.
	ClockSet struct {
		By time.Duration `json:"by_ns"`
	}
	// Began opens a call.
	Began struct {
		Call      ID         `json:"call"`
		Leg       hal.LegID  `json:"leg"`
		Line      string     `json:"line"`
		Direction Direction  `json:"direction"`
		From      hal.Number `json:"from"`
		To        hal.Number `json:"to"`
		Name      string     `json:"name,omitempty"`
		Dialled   hal.Number `json:"dialled,omitempty"`   // as typed, where To is what it means
		Extension string     `json:"extension,omitempty"` // who calls, where it is one of ours
		Agent     string     `json:"agent,omitempty"`     // signed in there
		Wire      string     `json:"wire"`

		Release string `json:"release,omitempty"` // as in Answered, where the line knows it already
	}
	// FlowEntered says that the call's IVR flow began.
	FlowEntered struct {
		Call ID     `json:"call"`
		Flow string `json:"flow"`
	}
	// Keyed is a key that counted, and where. A secret field's keys are not told.
	Keyed struct {
		Call ID        `json:"call"`
		Leg  hal.LegID `json:"leg"`
		Key  string    `json:"key"`
		Step string    `json:"step,omitempty"`
	}
	// Queued opens a queue visit, Dequeued closes it.
	Queued struct {
		Call  ID     `json:"call"`
		Queue string `json:"queue"`
	}
	Dequeued struct {
		Call   ID            `json:"call"`
		Queue  string        `json:"queue"`
		Exit   Exit          `json:"exit"`
		Agent  string        `json:"agent,omitempty"`
		Waited time.Duration `json:"waited_ns"`
	}
	// Offered opens an offer: the contact is given to one agent. It is closed by Connected of that
	// agent, Missed or Withdrawn.
	Offered struct {
		Call      ID        `json:"call"`
		Queue     string    `json:"queue"`
		Agent     string    `json:"agent"`
		Extension string    `json:"extension"`
		Leg       hal.LegID `json:"leg"`
		Why       string    `json:"why"` // why this agent: "longest idle, 19s"
	}
	// Missed closes an offer that the agent did not take: rona, rejected, busy, unreachable, trouble.
	Missed struct {
		Call  ID        `json:"call"`
		Queue string    `json:"queue"`
		Agent string    `json:"agent"`
		Leg   hal.LegID `json:"leg"`
		Why   string    `json:"why"`
	}
	// Withdrawn closes an offer for no fault of the agent: the caller left, the call ended, or somebody
	// else picked it up.
	Withdrawn struct {
		Call  ID        `json:"call"`
		Queue string    `json:"queue"`
		Agent string    `json:"agent"`
		Leg   hal.LegID `json:"leg"`
		Why   string    `json:"why"`
	}
	// Dialed opens a leg that the box dials.
	Dialed struct {
		Call  ID         `json:"call"`
		Leg   hal.LegID  `json:"leg"`
		Line  string     `json:"line"`
		To    hal.Number `json:"to"`
		Agent string     `json:"agent,omitempty"`

		Extension string `json:"extension,omitempty"` // whose phone it is, where it is one of ours
	}
	// Opened gives the wire's own id of a dialled leg.
	Opened struct {
		Call ID        `json:"call"`
		Leg  hal.LegID `json:"leg"`
		Wire string    `json:"wire"`

		Release string `json:"release,omitempty"` // as in Answered, for what rings
	}
	// Alerting says that a dialled leg rings.
	Alerting struct {
		Call ID        `json:"call"`
		Leg  hal.LegID `json:"leg"`

		Release string `json:"release,omitempty"` // as in Opened
	}
	// Answered says that a leg talks. Release ends it after a crash of the box.
	Answered struct {
		Call    ID        `json:"call"`
		Leg     hal.LegID `json:"leg"`
		Contact string    `json:"contact,omitempty"`
		Release string    `json:"release,omitempty"`
	}
	// Connected says that two legs hear each other; Queue where the caller had waited in one.
	Connected struct {
		Call  ID        `json:"call"`
		Leg   hal.LegID `json:"leg"`  // the caller's
		Peer  hal.LegID `json:"peer"` // the callee's
		Agent string    `json:"agent,omitempty"`
		Queue string    `json:"queue,omitempty"`
	}
	// Parted says that the two of a Connected do not hear each other any more, and the call goes on.
	Parted struct {
		Call ID        `json:"call"`
		Leg  hal.LegID `json:"leg"`
		Peer hal.LegID `json:"peer"`
	}
	// Transfer says how far the wish of the party on Leg is that the other one talks with To instead. After
	// asked comes exactly one of done, failed, given_up and returned, or the end of the call; a failed one that was
	// hung up on may still return.
	Transfer struct {
		Call  ID            `json:"call"`
		Leg   hal.LegID     `json:"leg"`
		To    hal.Number    `json:"to"`
		State TransferState `json:"state"`
		Cause hal.Cause     `json:"cause,omitempty"` // of refused and failed
	}
	// DoorOpened says that the party on By has pressed the keys that open the door whose station is on Leg.
	DoorOpened struct {
		Call      ID         `json:"call"`
		Leg       hal.LegID  `json:"leg"`
		Extension string     `json:"extension"` // the door's
		By        hal.LegID  `json:"by"`
		Number    hal.Number `json:"number,omitempty"` // of who did it
	}
	// Moved takes a leg out of call From into Call, where it stays. Why is one of the By… constants.
	Moved struct {
		Call ID        `json:"call"`
		From ID        `json:"from"`
		Leg  hal.LegID `json:"leg"`
		Why  string    `json:"why"`
	}
	// Parked says that the other party waits at a place until a phone takes it back. Leg parked it.
	Parked struct {
		Call      ID        `json:"call"`
		Leg       hal.LegID `json:"leg"`
		Place     string    `json:"place"`
		Extension string    `json:"extension"`
	}
	// Forwarded says that the call goes on to To, as Extension wants it; Why: always, busy, no_answer,
	// unreachable.
	Forwarded struct {
		Call      ID         `json:"call"`
		Extension string     `json:"extension"`
		To        hal.Number `json:"to"`
		Why       string     `json:"why"`
	}
	// ForwardSet is all that was set at the phone of an extension about its calls, as from now on.
	ForwardSet struct {
		Extension   string `json:"extension"`
		Always      string `json:"always,omitempty"`
		Busy        string `json:"busy,omitempty"`
		NoAnswer    string `json:"no_answer,omitempty"`
		Unreachable string `json:"unreachable,omitempty"`
		DND         bool   `json:"dnd,omitempty"`
		Actor       string `json:"actor"` // an extension
	}
	// Held and Resumed say what a party did with its end.
	Held struct {
		Call ID        `json:"call"`
		Leg  hal.LegID `json:"leg"`
	}
	Resumed struct {
		Call ID        `json:"call"`
		Leg  hal.LegID `json:"leg"`
	}
	// RecordingStarted and RecordingSaved: File is relative to the recordings folder.
	RecordingStarted struct {
		Call  ID          `json:"call"`
		File  string      `json:"file"`
		Left  []hal.LegID `json:"left"`
		Right []hal.LegID `json:"right"`
	}
	RecordingSaved struct {
		Call ID            `json:"call"`
		File string        `json:"file"`
		For  time.Duration `json:"for_ns"`
		Err  string        `json:"err,omitempty"`
	}
	// LegEnded closes a leg.
	LegEnded struct {
		Call  ID        `json:"call"`
		Leg   hal.LegID `json:"leg"`
		Cause hal.Cause `json:"cause"`
		Far   bool      `json:"far"`
		Wire  string    `json:"wire,omitempty"`
	}
	// Ended closes a call: its record is complete but for a RecordingSaved that may follow.
	Ended struct {
		Call  ID        `json:"call"`
		Cause hal.Cause `json:"cause"`
		By    Party     `json:"by"`
		Actor string    `json:"actor,omitempty"` // who ended it by a command
	}
	// Presence is an agent's new state; Reason is that of not ready, now or After. Actor is who did it: the agent's number, "system", or a
	// person's name; Cause is one of the By… constants.
	Presence struct {
		Agent     string    `json:"agent"`
		State     State     `json:"state"`
		After     State     `json:"after,omitempty"` // what follows a state that ends by itself, where it is not ready
		Reason    string    `json:"reason,omitempty"`
		Extension string    `json:"extension,omitempty"`
		Call      ID        `json:"call,omitempty"`
		Actor     string    `json:"actor"`
		Cause     string    `json:"cause"`
		Until     time.Time `json:"until,omitzero"` // the deadline of a state that has one
	}
	// SignInRefused counts a sign-in that failed; Why: "unknown agent", "wrong PIN", "locked".
	SignInRefused struct {
		Agent     string `json:"agent"`
		Extension string `json:"extension"`
		Why       string `json:"why"`
	}
	// Trouble is something that a person should know about a call: an order that failed, a panic.
	Trouble struct {
		Call ID        `json:"call,omitempty"`
		Leg  hal.LegID `json:"leg,omitempty"`
		What string    `json:"what"`
	}
	// Unknown is a fact of a kind that this program does not know: it is skipped and counted.
	Unknown struct {
		Name string
		Raw  []byte
	}
)

func (Booted) Kind() string           { return "booted" }
func (Stopped) Kind() string          { return "stopped" }
func (LineUp) Kind() string           { return "line_up" }
func (LineDown) Kind() string         { return "line_down" }
func (PhoneUp) Kind() string          { return "phone_up" }
func (PhoneDown) Kind() string        { return "phone_down" }
func (Guarded) Kind() string          { return "guarded" }
func (ConfigApplied) Kind() string    { return "config_applied" }
func (Unsynced) Kind() string         { return "unsynced" }
func (Synced) Kind() string           { return "synced" }
func (ClockSet) Kind() string         { return "clock_set" }
func (Began) Kind() string            { return "began" }
func (FlowEntered) Kind() string      { return "flow_entered" }
func (Keyed) Kind() string            { return "keyed" }
func (Queued) Kind() string           { return "queued" }
func (Dequeued) Kind() string         { return "dequeued" }
func (Offered) Kind() string          { return "offered" }
func (Missed) Kind() string           { return "missed" }
func (Withdrawn) Kind() string        { return "withdrawn" }
func (Dialed) Kind() string           { return "dialed" }
func (Opened) Kind() string           { return "opened" }
func (Alerting) Kind() string         { return "alerting" }
func (Answered) Kind() string         { return "answered" }
func (Connected) Kind() string        { return "connected" }
func (Parted) Kind() string           { return "parted" }
func (Transfer) Kind() string         { return "transfer" }
func (DoorOpened) Kind() string       { return "door_opened" }
func (Moved) Kind() string            { return "moved" }
func (Parked) Kind() string           { return "parked" }
func (Forwarded) Kind() string        { return "forwarded" }
func (ForwardSet) Kind() string       { return "forward_set" }
func (Held) Kind() string             { return "held" }
func (Resumed) Kind() string          { return "resumed" }
func (RecordingStarted) Kind() string { return "recording_started" }
func (RecordingSaved) Kind() string   { return "recording_saved" }
func (LegEnded) Kind() string         { return "leg_ended" }
func (Ended) Kind() string            { return "ended" }
func (Presence) Kind() string         { return "presence" }
func (SignInRefused) Kind() string    { return "sign_in_refused" }
func (Trouble) Kind() string          { return "trouble" }
func (f Unknown) Kind() string        { return f.Name }

func (Booted) About() ID             { return "" }
func (Stopped) About() ID            { return "" }
func (LineUp) About() ID             { return "" }
func (LineDown) About() ID           { return "" }
func (PhoneUp) About() ID            { return "" }
func (PhoneDown) About() ID          { return "" }
func (Guarded) About() ID            { return "" }
func (ConfigApplied) About() ID      { return "" }
func (Unsynced) About() ID           { return "" }
func (Synced) About() ID             { return "" }
func (ClockSet) About() ID           { return "" }
func (f Began) About() ID            { return f.Call }
func (f FlowEntered) About() ID      { return f.Call }
func (f Keyed) About() ID            { return f.Call }
func (f Queued) About() ID           { return f.Call }
func (f Dequeued) About() ID         { return f.Call }
func (f Offered) About() ID          { return f.Call }
func (f Missed) About() ID           { return f.Call }
func (f Withdrawn) About() ID        { return f.Call }
func (f Dialed) About() ID           { return f.Call }
func (f Opened) About() ID           { return f.Call }
func (f Alerting) About() ID         { return f.Call }
func (f Answered) About() ID         { return f.Call }
func (f Connected) About() ID        { return f.Call }
func (f Parted) About() ID           { return f.Call }
func (f Transfer) About() ID         { return f.Call }
func (f DoorOpened) About() ID       { return f.Call }
func (f Moved) About() ID            { return f.Call }
func (f Parked) About() ID           { return f.Call }
func (f Forwarded) About() ID        { return f.Call }
func (ForwardSet) About() ID         { return "" }
func (f Held) About() ID             { return f.Call }
func (f Resumed) About() ID          { return f.Call }
func (f RecordingStarted) About() ID { return f.Call }
func (f RecordingSaved) About() ID   { return f.Call }
func (f LegEnded) About() ID         { return f.Call }
func (f Ended) About() ID            { return f.Call }
func (f Presence) About() ID         { return f.Call }
func (SignInRefused) About() ID      { return "" }
func (f Trouble) About() ID          { return f.Call }
func (Unknown) About() ID            { return "" }
