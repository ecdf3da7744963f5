// Package view makes of the timeline what people read: the record of each call, its recordings, and
// the log of each agent. Its neighbours view/board and view/words make the live board and plain
// sentences.
//
// It promises: equal histories give equal rows; every call that began and ended gives exactly one
// record; nothing a caller does makes a record grow without bound. The package is pure: time comes
// with the entries.
//
// Start at Record, the row of the fold Records.
package view

import (
	"time"

	"branchline/hal"
	"branchline/pbx/call"
)

// Outcome says in one word what became of a call.
type Outcome string

const (
	OutcomeAnswered    Outcome = "answered"    // two parties heard each other
	OutcomeAbandoned   Outcome = "abandoned"   // the caller left before anybody answered
	OutcomeNoAnswer    Outcome = "no_answer"   // nobody answered in time
	OutcomeBusy        Outcome = "busy"        // the party was busy or said no
	OutcomeUnreachable Outcome = "unreachable" // the party's phone has lost the box, or is switched off
	OutcomeFailed      Outcome = "failed"      // it could not be carried
	OutcomeService     Outcome = "service"     // only the box was spoken to: a menu, a code
	OutcomeRestarted   Outcome = "restarted"   // the box restarted under it
)

// Record is the story of one call, complete when the call has ended. Times are UTC; durations are
// nanoseconds, as their names say. A member that is missing means: it never came to that.
type Record struct {
	Call      call.ID        `json:"call"`
	Direction call.Direction `json:"direction"`
	Line      string         `json:"line"` // that the call came in on
	From      hal.Number     `json:"from"` // "" withheld
	To        hal.Number     `json:"to"`   // as dialled, where the wire said it
	Name      string         `json:"name,omitempty"`
	Extension string         `json:"extension,omitempty"` // who called, where it is one of ours
	Agent     string         `json:"agent,omitempty"`     // who called, where he is signed in; else who spoke with the caller last

	Began     time.Time `json:"began"`
	Answered  time.Time `json:"answered,omitzero"`  // the caller's leg was answered, be it by a menu
	Connected time.Time `json:"connected,omitzero"` // two parties heard each other, for the first time
	Ended     time.Time `json:"ended,omitzero"`     // zero: it still runs

	Outcome Outcome    `json:"outcome,omitempty"`
	Cause   hal.Cause  `json:"cause,omitempty"`
	By      call.Party `json:"ended_by,omitempty"`
	Actor   string     `json:"ended_by_command_of,omitempty"` // who ended it by a command
	Into    call.ID    `json:"into,omitempty"`                // the call that its parties went on in

	Total time.Duration `json:"total_ns"` // Began to Ended
	Wait  time.Duration `json:"wait_ns"`  // in queues, ringing included
	Talk  time.Duration `json:"talk_ns"`  // parties heard each other; without Hold
	Hold  time.Duration `json:"hold_ns"`  // one of them had the other on hold

	Flows      []string    `json:"flows,omitempty"`
	Keys       []Key       `json:"keys,omitempty"`
	Visits     []Visit     `json:"visits,omitempty"`
	Legs       []Leg       `json:"legs"`
	Recordings []Recording `json:"recordings,omitempty"`
	Turns      []Turn      `json:"turns,omitempty"`
	Troubles   []string    `json:"troubles,omitempty"`
	Cut        int         `json:"cut,omitempty"` // details beyond the bound, not kept

	First call.Seq `json:"first_seq"` // Began on the timeline
	Last  call.Seq `json:"last_seq"`  // Ended on the timeline
}

// Key is a key that counted.
type Key struct {
	At   time.Time `json:"at"`
	Leg  hal.LegID `json:"leg"`
	Key  string    `json:"key"`
	Step string    `json:"step,omitempty"` // of the flow
}

// Turn is something that changed who talks with whom. What says which: transfer (How is its state),
// forward (How is when), park (How is the place) and join (a leg came from the call From; How is why).
type Turn struct {
	At        time.Time  `json:"at"`
	What      string     `json:"what"`
	How       string     `json:"how"`
	Leg       hal.LegID  `json:"leg,omitempty"`       // who asked, or who came
	Extension string     `json:"extension,omitempty"` // whose phone that is
	To        hal.Number `json:"to,omitempty"`
	From      call.ID    `json:"from,omitempty"`
	Cause     hal.Cause  `json:"cause,omitempty"`
}

// What of a Turn.
const (
	TurnTransfer = "transfer"
	TurnForward  = "forward"
	TurnPark     = "park"
	TurnJoin     = "join"
)

// Visit is one stay in a queue.
type Visit struct {
	Queue   string        `json:"queue"`
	Entered time.Time     `json:"entered"`
	Left    time.Time     `json:"left,omitzero"`
	Exit    call.Exit     `json:"exit,omitempty"`
	Agent   string        `json:"agent,omitempty"` // who answered
	Wait    time.Duration `json:"wait_ns"`
	Offers  []Offer       `json:"offers,omitempty"`
}

// Offer is one attempt to give the call to an agent.
type Offer struct {
	Agent     string    `json:"agent"`
	Extension string    `json:"extension"`
	Leg       hal.LegID `json:"leg"`
	At        time.Time `json:"at"`
	Why       string    `json:"why"` // why this agent
	Closed    time.Time `json:"closed,omitzero"`
	Result    string    `json:"result,omitempty"` // answered, missed, withdrawn
	Reason    string    `json:"reason,omitempty"` // of missed and withdrawn
}

// Results of an Offer.
const (
	OfferAnswered  = "answered"
	OfferMissed    = "missed"
	OfferWithdrawn = "withdrawn"
)

// Leg is one side between the box and one party.
type Leg struct {
	Leg       hal.LegID  `json:"leg"`
	Line      string     `json:"line"`
	Outgoing  bool       `json:"outgoing"` // the box dialled it
	Number    hal.Number `json:"number"`   // of the party
	Extension string     `json:"extension,omitempty"`
	Agent     string     `json:"agent,omitempty"`
	Wire      string     `json:"wire,omitempty"` // the wire's own id: a SIP leg's Call-ID
	Contact   string     `json:"contact,omitempty"`
	Began     time.Time  `json:"began"`
	Alerting  time.Time  `json:"alerting,omitzero"`
	Answered  time.Time  `json:"answered,omitzero"`
	Ended     time.Time  `json:"ended,omitzero"`
	Cause     hal.Cause  `json:"cause,omitempty"`
	Far       bool       `json:"far"`                  // the far side ended it
	WireCause string     `json:"wire_cause,omitempty"` // in the wire's own words: "SIP 486"
}

// Recording is one file that was recorded of a call. In a Record, For and Err are what was known
// when the call ended; the fold Recordings gives a row when the file is safe.
type Recording struct {
	Call    call.ID       `json:"call"`
	File    string        `json:"file"` // relative to the recordings folder
	Started time.Time     `json:"started"`
	Left    []hal.LegID   `json:"left"`  // who is heard in the left channel
	Right   []hal.LegID   `json:"right"` // and in the right one
	For     time.Duration `json:"for_ns,omitempty"`
	Err     string        `json:"err,omitempty"`
	Saved   bool          `json:"saved"`
}
