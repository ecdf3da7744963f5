// Package hal is the language of wires: what the call centre and the hardware say to each other.
//
// Three kinds of plain data cross here. Signals come up from a wire, orders go down to it, and
// Audio carries its sound. Everything with a wire is a Line: a SIM, an analogue socket, a SIP
// trunk, all the desk phones together. Start reading at Line; hal/haltest holds every
// implementation to its contract. The package knows nothing of calls and imports only the
// standard library.
package hal

import (
	"context"
	"fmt"
	"strings"
)

// Line is a place where calls enter and leave the box. Every implementation passes haltest.TestLine.
type Line interface {
	// Name is unique on the box and stable across restarts: "gsm1", "fxo2", "phones", "trunk-acme".
	Name() string

	// Run keeps the line in service until ctx ends and then returns nil. It calls up with every
	// signal, in order, one at a time; up may block. An error means that the line gave up; the
	// supervisor starts it again.
	Run(ctx context.Context, up func(Signal)) error

	// Do accepts o and never waits, not even while up blocks: what comes of it is a Signal. An
	// error means that the order could not be queued (line not running, queue full) and that
	// nothing will come of it. An order that the line does not know is answered by Failed.
	Do(o Order) error

	// Audio is the sound of leg, or nil while there is none. It is fetched once, at the first
	// Progress{Sound: true} or Answered, and then used by the media worker alone until Gone.
	Audio(leg LegID) Audio
}

// Audio is the sound of one leg as frames of 16-bit mono samples. Neither method waits, locks
// or allocates; they may be called from one goroutine other than the line's own.
type Audio interface {
	// Rate is 8000 or 16000 Hz and does not change.
	Rate() int
	// Read fills pcm with what has come from the wire; a short count means: not there yet.
	Read(pcm []int16) int
	// Write takes pcm for the wire; what does not fit is dropped and counted by the line.
	Write(pcm []int16) int
}

// LegID names one leg: one side between the box and one party. It is made of the line's name,
// the boot number and a counter: "gsm1#4-17" came in, "phones#4-o42" was dialled by the box.
// The boot number keeps it unique over restarts. The zero value means: no leg.
type LegID string

// IncomingLeg makes the id of the n-th leg that came in on line since boot.
func IncomingLeg(line string, boot uint32, n uint64) LegID {
	return LegID(fmt.Sprintf("%s#%d-%d", line, boot, n))
}

// OutgoingLeg makes the id of the n-th leg that the box dialled on line since boot.
func OutgoingLeg(line string, boot uint32, n uint64) LegID {
	return LegID(fmt.Sprintf("%s#%d-o%d", line, boot, n))
}

// Line is the name of the line that carries the leg.
func (l LegID) Line() string {
	name, _, _ := strings.Cut(string(l), "#")
	return name
}

// Number is a telephone number as a wire says it: E.164 with "+", national digits, an
// extension, or "" for withheld.
type Number string

// BridgeID names a bridge of the media worker. A leg is in one bridge at most.
type BridgeID string

// Ref ties an order to the signal that tells what came of it. The orderer makes it unique.
type Ref string

// Cause says why a leg ended, as finely as routing must tell apart.
type Cause string

const (
	Normal      Cause = "normal"       // somebody hung up
	Busy        Cause = "busy"         // Q.850 17
	NoAnswer    Cause = "no-answer"    // Q.850 19, ring time-out, or a caller who gave up
	Rejected    Cause = "rejected"     // Q.850 21: the party said no
	Elsewhere   Cause = "elsewhere"    // answered by another leg; SIP "Call completed elsewhere"
	Unallocated Cause = "unallocated"  // Q.850 1: no such number
	Unreachable Cause = "unreachable"  // phone not registered, mobile switched off
	Congestion  Cause = "congestion"   // Q.850 34, 42: no channel
	Media       Cause = "media"        // no common codec, or sound that ceased
	Forbidden   Cause = "forbidden"    // not allowed by class of service or by the far side
	WireTrouble Cause = "wire-trouble" // the wire itself broke: Q.850 38
	Restarted   Cause = "restarted"    // the box restarted under the call
)

// Traits are what a line can do. They come with InService, because a modem knows them only
// after it has been probed. Decisions ask traits, never the kind of line.
type Traits struct {
	Legs        int  // how many legs at a time; 0: no limit of its own
	Sounds      int  // how many of them have sound at a time; 0: all
	CallerID    bool // Incoming carries the caller's number
	Supervised  bool // Answered is told by the wire, not guessed
	AnswerAfter int  // rings to wait before Answer (analogue caller id needs two); 0: at once
	Inside      bool // its far ends are our own extensions; a Dial to it tells no stranger anything
	EarlySound  bool // it can carry sound before Answered
	Hold        bool // the wire can hold by itself
	Text        bool // it carries SMS
}
