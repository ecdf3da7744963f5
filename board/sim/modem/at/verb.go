package at

import (
	"time"
)

// Answer is what a command comes to.
type Answer struct {
	Lines  []string
	Wait   time.Duration // before the final result
	Final  string        // a final result that ends the whole line, such as NO CARRIER; "": by Err
	Err    error         // nil: OK
	After  func()        // done once the final result of the line is written
	Prompt func(text string) Answer
	// Prompt asks for a text behind "> ", which Ctrl-Z ends; what it gives is the answer, and Err and
	// Final of this one do not count. ESC ends it too: nothing is done, and the answer is OK (27.005 3.5.1).
}

// Say is an answer of lines and OK.
func Say(lines ...string) Answer { return Answer{Lines: lines} }

// Fail is an answer that is an error: a CME, or ERROR.
func Fail(err error) Answer { return Answer{Err: err} }

// OK is the plain answer.
func OK() Answer { return Answer{} }

// Verb is what the modem does for one command name. A form whose function is nil is an ERROR.
type Verb struct {
	Test string // what AT+X=? lists; "": OK alone
	Read func() Answer
	Set  func(args string) Answer
	Exec func() Answer
	SIM  bool // needs a SIM that is unlocked
}

// Fixed is a verb that always says the same.
func Fixed(lines ...string) Verb { return Verb{Exec: func() Answer { return Say(lines...) }} }

// Taken is a verb whose settings are taken and forgotten.
func Taken() Verb { return Verb{Exec: OK, Set: func(string) Answer { return OK() }} }

// CME is an error of 3GPP TS 27.007 9.2.
type CME int

// The errors.
const (
	NotAllowed   CME = 3
	NotSupported CME = 4
	NoSIM        CME = 10
	NeedPIN      CME = 11
	NeedPUK      CME = 12
	WrongPIN     CME = 16
	NoNetwork    CME = 30
	BadParameter CME = 50
)

func (e CME) Error() string {
	switch e {
	case NotAllowed:
		return "operation not allowed"
	case NotSupported:
		return "operation not supported"
	case NoSIM:
		return "SIM not inserted"
	case NeedPIN:
		return "SIM PIN required"
	case NeedPUK:
		return "SIM PUK required"
	case WrongPIN:
		return "incorrect password"
	case NoNetwork:
		return "no network service"
	case BadParameter:
		return "incorrect parameters"
	default:
		return "unknown error"
	}
}
