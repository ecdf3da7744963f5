// Package card is the SIM of a simulated modem: its numbers, its PIN, the texts that lie on it and in
// the modem's own store, and USSD, with the AT commands about them (3GPP TS 27.007, TS 27.005). It speaks
// PDU mode only. One goroutine owns a Card. Start at New.
package card

import (
	"fmt"
	"time"

	"github.com/warthog618/sms"

	"branchline/board/sim/modem/at"
)

// State is what AT+CPIN? tells.
type State string

// The states.
const (
	Ready  State = "READY"
	PIN    State = "SIM PIN"
	PUK    State = "SIM PUK"
	Absent State = "NOT INSERTED"
)

// Options are what is written on a card.
type Options struct {
	Number, ICCID, IMSI string
	PIN                 string // "": it wants none
	Absent              bool
}

// Card is a SIM in a modem. The fields are set before it is used.
type Card struct {
	Term     *at.Terminal
	News     func(line string)                 // writes an unsolicited line
	Unlocked func()                            // told when the right PIN was given
	Send     func(to, body string) (sent bool) // takes a text, whole, to the network
	Pending  func() bool                       // whether there is no network now

	o      Options
	state  State
	tries  int
	stores map[string][]text
	parts  *sms.Collector
	refs   sms.Counter
	mr     byte
	steps  []string // of the USSD session
}

// New makes a card that has just got power.
func New(o Options) *Card {
	c := &Card{o: o, stores: map[string][]text{}, parts: sms.NewCollector()}
	c.Power()
	return c
}

// Power is what a reset does to a card: it wants its PIN again. Texts stay.
func (c *Card) Power() {
	c.tries, c.state, c.steps = 3, Ready, nil
	switch {
	case c.o.Absent:
		c.state = Absent
	case c.o.PIN != "":
		c.state = PIN
	}
}

// State is what AT+CPIN? tells.
func (c *Card) State() State { return c.state }

// Tries is how often a PIN may still be tried.
func (c *Card) Tries() int { return c.tries }

// Locked is why a command that needs the SIM does not go; nil: it does.
func (c *Card) Locked() error {
	switch c.state {
	case Ready:
		return nil
	case Absent:
		return at.NoSIM
	case PUK:
		return at.NeedPUK
	default:
		return at.NeedPIN
	}
}

// Verbs are the commands about the card and its texts.
func (c *Card) Verbs() map[string]at.Verb {
	kind := 129
	if c.o.Number != "" && c.o.Number[0] == '+' {
		kind = 145
	}
	return map[string]at.Verb{
		"+CPIN": {Read: c.pin, Set: c.enterPIN},
		"+CIMI": {Exec: func() at.Answer { return at.Say(c.o.IMSI) }, SIM: true},
		"+CCID": c.ID("+CCID: "), "+ICCID": c.ID("+ICCID: "),
		"+CNUM": {Exec: func() at.Answer { return at.Say(fmt.Sprintf("+CNUM: ,%q,%d", c.o.Number, kind)) }, SIM: true},
		"+CLCK": {Test: `("SC","FD")`, Set: func(string) at.Answer { return at.Say("+CLCK: 0") }, SIM: true},

		"+CMGF": {Test: "(0)", Read: func() at.Answer { return at.Say("+CMGF: 0") }, Set: only("0")},
		"+CPMS": {Test: stores, Read: c.usedBy, Set: c.choose, SIM: true},
		"+CSMS": {Test: "(0,1)", Read: func() at.Answer { return at.Say("+CSMS: " + c.Term.Values["csms"] + ",1,1,1") }, Set: c.service},
		"+CSCA": {Read: func() at.Answer { return at.Say(`+CSCA: "+4917999000",145`) }, Set: func(string) at.Answer { return at.OK() }, SIM: true},
		"+CMGL": {Test: "(0-4)", Exec: func() at.Answer { return c.list("0") }, Set: c.list, SIM: true},
		"+CMGR": {Set: c.read, SIM: true},
		"+CMGD": {Test: "(1-50),(0-4)", Set: c.remove, SIM: true},
		"+CMGS": {Set: c.submit, SIM: true},
		"+CUSD": {Test: "(0-2)", Read: func() at.Answer { return at.Say("+CUSD: 0") }, Set: c.ussd, SIM: true},
		"+CNMA": {Test: "(0-2)", Exec: at.OK, Set: func(string) at.Answer { return at.OK() }},
	}
}

func only(wanted string) func(string) at.Answer {
	return func(args string) at.Answer {
		if args != wanted {
			return at.Fail(at.BadParameter)
		}
		return at.OK()
	}
}

// ID is the verb that says the number of the card behind prefix.
func (c *Card) ID(prefix string) at.Verb {
	return at.Verb{Exec: func() at.Answer {
		if c.state == Absent {
			return at.Fail(at.NoSIM)
		}
		return at.Say(prefix + c.o.ICCID)
	}}
}

func (c *Card) pin() at.Answer {
	if c.state == Absent {
		return at.Fail(at.NoSIM)
	}
	return at.Say("+CPIN: " + string(c.state))
}

func (c *Card) enterPIN(args string) at.Answer {
	given := at.Fields(args)
	switch {
	case c.state == Absent:
		return at.Fail(at.NoSIM)
	case c.state == PUK:
		return at.Fail(at.NeedPUK)
	case c.state == Ready || len(given) != 1:
		return at.Fail(at.NotAllowed)
	case given[0] != c.o.PIN:
		if c.tries--; c.tries == 0 {
			c.state = PUK
			return at.Fail(at.NeedPUK)
		}
		return at.Fail(at.WrongPIN)
	}
	c.state, c.tries = Ready, 3
	return at.Answer{After: c.Unlocked}
}

// now is the time that the network stamps on a text: it has a zone of quarter hours.
func now() time.Time { return time.Now().UTC().Truncate(time.Second) }
