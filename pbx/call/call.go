// Package call holds the words of the call centre: ids, events that reach the floor, facts that
// come out of it, commands of people and tasks for the outside. They are plain data without
// behaviour: they print, compare, are stored and replayed.
//
// Start at Fact: the timeline is made of facts, and records, screens and statistics are folds
// over them. Its JSON form (Encode, Decode) is additive for ever.
package call

import (
	"fmt"
	"time"
)

// ID names one call: all legs of one voice contact. It is a 26-character ULID, unique over
// restarts and boxes, and sorts by the time of the call's begin.
type ID string

// NewID makes the n-th id of a boot: 48 bits of time, 24 of the box, 24 of the boot number and 32
// of the counter, in Crockford's base 32 (github.com/ulid/spec). Equal arguments give equal ids.
func NewID(now time.Time, box, boot uint32, n uint64) ID {
	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	hi := uint64(now.UnixMilli())<<16 | uint64(box>>8&0xffff)
	lo := uint64(box&0xff)<<56 | uint64(boot&0xffffff)<<32 | n&0xffffffff
	var out [26]byte
	for i := 25; i >= 0; i-- {
		out[i] = alphabet[lo&31]
		lo = lo>>5 | hi<<59
		hi >>= 5
	}
	return ID(out[:])
}

// Seq numbers the entries of the timeline from 1, without gaps.
type Seq uint64

// Entry is one fact with its place and time on the timeline.
type Entry struct {
	Seq  Seq
	At   time.Time // UTC
	Fact Fact
}

// Direction is where a call comes from and goes to.
type Direction string

const (
	Inbound  Direction = "inbound"
	Outbound Direction = "outbound"
	Internal Direction = "internal" // extension to extension, or a service code
)

// State is what an agent is doing; exactly one at a time (names: product glossary).
type State string

const (
	SignedOut   State = "signed_out"
	Ready       State = "ready"
	NotReady    State = "not_ready"
	Reserved    State = "reserved"
	Ringing     State = "ringing"
	Talking     State = "talking"
	Holding     State = "holding"
	WrapUp      State = "wrap_up"
	Dialing     State = "dialing"
	Unreachable State = "unreachable"
)

// Reasons of not ready and causes of a change of presence.
const (
	BySelf      = "self"
	ByRONA      = "rona"       // did not answer an offer
	ByReject    = "rejected"   // refused an offer on the phone
	ByForce     = "forced"     // a supervisor
	ByPhone     = "phone"      // the phone went away or came back
	ByElsewhere = "re_sign_in" // signed in at another phone
	ByCall      = "call"       // a call began, went on or ended
	ByDeadline  = "deadline"   // a time limit of the state passed
	ByRestart   = "restart"    // the box restarted
	ByConfig    = "config"     // the configuration changed
)

// Why a leg moved into another call, or an offer was withdrawn.
const (
	ByTransfer = "transfer"  // attended: two calls became one
	ByPickup   = "pickup"    // another phone took what rang
	ByTakeOver = "take_over" // another phone took the place of one that talked
	ByUnpark   = "unpark"    // another phone took what was parked
)

// TransferState is how far a transfer is.
type TransferState string

const (
	TransferAsked    TransferState = "asked"
	TransferRefused  TransferState = "refused"  // nothing has changed
	TransferDone     TransferState = "done"     // the other party talks with whom it was to
	TransferFailed   TransferState = "failed"   // whom it was to could not be had
	TransferConsult  TransferState = "consult"  // by keys: who asked talks with To first, the other party waits
	TransferGivenUp  TransferState = "given_up" // who asked goes back to the other party
	TransferReturned TransferState = "returned" // the other party talks with who asked again
)

// Exit is how a contact left a queue.
type Exit string

const (
	ExitAnswered  Exit = "answered"
	ExitAbandoned Exit = "abandoned"
	ExitTimeout   Exit = "timeout"
	ExitNoAgent   Exit = "no_agent"
	ExitRestarted Exit = "restarted"
	ExitSystem    Exit = "system" // the box ended the call: a person's command, or the queue was removed
)

// Party says who ended a call.
type Party string

const (
	ByCaller Party = "caller"
	ByCallee Party = "callee" // the agent, or whoever was called
	BySystem Party = "system"
)

// HiddenKey stands for a key typed into a secret field; it is shown as a dot.
const HiddenKey byte = '.'

func (e Entry) String() string {
	return fmt.Sprintf("%d %s %s%+v", e.Seq, e.At.UTC().Format(time.RFC3339Nano), e.Fact.Kind(), e.Fact)
}
