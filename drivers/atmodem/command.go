package atmodem

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Class is how urgent a command is; within a class the order of Send counts.
type Class uint8

// The classes, most urgent first.
const (
	Urgent  Class = iota // hang-up, answer
	Control              // other call control, set-up
	Tones                // DTMF
	Text                 // SMS and USSD
	Status               // polls
	classes
)

// Command is one AT command and what its answer looks like.
type Command struct {
	Text    string        // "AT+CLCC", without its CR
	Expect  []string      // prefixes of the information lines that belong to the answer: "+CLCC:"
	Plain   bool          // the answer has lines without a prefix (AT+CGMI)
	Dials   bool          // ATD, ATA: BUSY, NO CARRIER and their like are its result, not news about a call
	Payload string        // sent with a closing Ctrl-Z once the modem prompts "> "
	Limit   time.Duration // how long the answer may take; 0: 5 s
	Class   Class
	Skip    func() bool // asked right before sending: true drops the command (ErrSkipped)
	Done    func(Reply) // told once, by the goroutine that owns the Modem; nil: nobody cares
}

// Reply is what became of a command.
type Reply struct {
	Lines []string // the information lines; the second line of a two-line item follows a "\n"
	Final string   // the modem's last word: "OK", "ERROR", "+CME ERROR: 10", "BUSY"; "" if it gave none
	Err   error    // nil exactly when Final is "OK" or "CONNECT"
}

// Code is the number in +CME ERROR or +CMS ERROR, and -1 where there is none.
func (r Reply) Code() int {
	_, code, found := strings.Cut(r.Final, "ERROR:")
	n, err := strconv.Atoi(strings.TrimSpace(code))
	if !found || err != nil {
		return -1
	}
	return n
}

// Line is the first information line, "" if there is none.
func (r Reply) Line() string {
	if len(r.Lines) == 0 {
		return ""
	}
	return r.Lines[0]
}

var (
	// ErrTimeout says that a command got no final result in its time.
	ErrTimeout = errors.New("the modem did not answer")
	// ErrRefused says that the modem answered something else than OK; Reply.Final says what.
	ErrRefused = errors.New("the modem refused")
	// ErrSkipped says that the command was not wanted any more when its turn came.
	ErrSkipped = errors.New("not wanted any more")
	// ErrFull says that too many commands wait already.
	ErrFull = errors.New("too many commands wait for the modem")
	// ErrSilent says that the modem answers to nothing, not even after an escape: open its port anew.
	ErrSilent = errors.New("the modem is silent")
)
