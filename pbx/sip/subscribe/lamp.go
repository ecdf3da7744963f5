package subscribe

import (
	"slices"

	"branchline/hal"
)

// Lamp is the state of one resource, as it is told to phones. Nobody changes one that was shown.
type Lamp struct {
	Name  string // of the resource: "201", "queue-sales", "agent-12"
	Up    bool   // it can take a call (presence)
	Talks []Talk // empty: idle
	Note  string // in words, for a display; "" where there is nothing to say
	Mail  Mail   // messages that wait for an extension
}

// Mail is how many messages there are.
type Mail struct{ New, Old int }

// Stage is how far a talk is: RFC 4235 3.7.1.
type Stage string

const (
	Trying     Stage = "trying"
	Proceeding Stage = "proceeding"
	Early      Stage = "early"
	Confirmed  Stage = "confirmed"
)

// Talk is one dialog of a resource.
type Talk struct {
	ID       string
	Leg      hal.LegID // "" where there is none: a queue has no dialog of its own
	Incoming bool
	Stage    Stage
	Held     bool       // it has put the other side on hold
	Other    hal.Number // "": withheld, or nobody
	Name     string
}

// maxTalks is how many dialogs of a resource are told; a document must fit a datagram.
const maxTalks = 8

func sameTalks(a, b Lamp) bool {
	return a.Up == b.Up && a.Note == b.Note && slices.Equal(a.Talks, b.Talks)
}
