package phone

import "fmt"

// Kind says what an Event tells.
type Kind string

// All kinds of events.
const (
	SignedIn  Kind = "signed-in"  // the box has accepted the registration; once, not at each refresh
	SignedOut Kind = "signed-out" // the registration failed, was refused or is given up: Code, Cause
	Rings     Kind = "rings"      // a call has come: From, Name
	Dials     Kind = "dials"      // the phone calls somebody: From is who is called
	Alerts    Kind = "alerts"     // it rings there
	Talks     Kind = "talks"      // answered, by whichever side
	Holds     Kind = "holds"      // the phone has put the other side on hold
	IsHeld    Kind = "is-held"    // the other side has put the phone on hold
	Resumes   Kind = "resumes"    // the talk goes on
	KeyHeard  Kind = "key"        // the other side pressed Key
	Ended     Kind = "ended"      // the call is gone: Far, Code, Cause
)

// Event is one thing that happened. Call is nil for those about the registration.
type Event struct {
	Kind  Kind
	Phone string // the phone's User
	Call  *Call
	From  string // the other side's number
	Name  string // and its name
	Key   byte
	Far   bool   // the other side ended it
	Code  int    // SIP status, where one tells why; 0: a BYE
	Cause string // in words
}

// String tells the event in a sentence: "201: rings, from +4930123456 (sales)".
func (e Event) String() string {
	return e.Phone + ": " + e.words()
}

func (e Event) words() string {
	switch e.Kind {
	case SignedIn:
		return "signed in"
	case SignedOut:
		return "not signed in: " + e.Cause
	case Rings:
		return "rings, from " + e.who()
	case Dials:
		return "calls " + e.who()
	case Alerts:
		return "hears it ring at " + e.who()
	case Talks:
		return "talks with " + e.who()
	case Holds:
		return "holds " + e.who()
	case IsHeld:
		return "is held by " + e.who()
	case Resumes:
		return "talks again with " + e.who()
	case KeyHeard:
		return fmt.Sprintf("hears key %c", e.Key)
	case Ended:
		by := "the phone"
		if e.Far {
			by = "the box"
		}
		if e.Code != 0 && e.Far {
			return fmt.Sprintf("refused by the box: %d %s", e.Code, e.Cause)
		}
		return "hung up by " + by + ": " + e.Cause
	}
	panic(fmt.Sprintf("phone: event of kind %q", e.Kind))
}

func (e Event) who() string {
	from := e.From
	if from == "" {
		from = "unknown"
	}
	if e.Name == "" || e.Name == e.From {
		return from
	}
	return from + " (" + e.Name + ")"
}
