// Package prompt turns what the box wants to say into items to play.
//
// It is pure. A Message is a thing that the box itself says, as opposed to a flow's prompts, which
// the owner names; each is made of recorded parts. Start at Say.
package prompt

import (
	"fmt"

	"branchline/hal"
)

// Message is something that the box itself says to a person at a desk phone.
type Message uint8

const (
	AskAgent   Message = iota // enter your agent number, then #
	AskPIN                    // enter your PIN, then #
	SignedIn                  // you are signed in
	SignedOut                 // you are signed out
	NowReady                  // you are ready: calls will come
	NowBusy                   // you are not ready: no calls will come
	WrongLogin                // agent number or PIN is wrong
	NotHere                   // nobody is signed in at this phone
	Goodbye
	NumMessages
)

// Say gives the items of m in the recordings of Debian's asterisk-core-sounds. A language without
// recordings of its own speaks English.
func Say(m Message) []hal.Item {
	switch m {
	case AskAgent:
		return Files("agent-user")
	case AskPIN:
		return Files("agent-pass")
	case SignedIn:
		return Files("agent-loginok")
	case SignedOut:
		return Files("agent-loggedoff")
	case NowReady:
		return Files("activated")
	case NowBusy:
		return Files("de-activated")
	case WrongLogin:
		return Files("agent-incorrect")
	case NotHere:
		return Files("pbx-invalid")
	case Goodbye:
		return Files("vm-goodbye")
	}
	panic(fmt.Sprintf("prompt: message %d has no words", m))
}

// Files gives an item for each recording named.
func Files(names ...string) []hal.Item {
	items := make([]hal.Item, len(names))
	for i, n := range names {
		items[i] = hal.Item{File: n}
	}
	return items
}

// Music gives what is played to who waits: the recordings named, or the built-in tune.
func Music(names []string) []hal.Item {
	if len(names) == 0 {
		return []hal.Item{{Tone: "music"}}
	}
	return Files(names...)
}
