package card

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"

	"branchline/board/sim/modem/at"
	"branchline/board/sim/network"
)

const ussdTime = time.Second // that the network takes to answer

// ussd is AT+CUSD=<n>[,<text>[,<dcs>]]: OK at once, the network's answer follows (TS 27.007 7.15). With
// +CSCS="UCS2" texts are hex both ways.
func (c *Card) ussd(args string) at.Answer {
	f := at.Fields(args)
	switch {
	case !at.Accepts("(0-2)", f[0]) || len(f) > 3:
		return at.Fail(at.BadParameter)
	case f[0] == "2":
		c.steps = nil
		return at.OK()
	case len(f) < 2:
		return at.OK()
	case c.Pending():
		return at.Fail(at.NoNetwork)
	}
	step, ok := c.fromHost(f[1])
	if !ok || len(c.steps) > 8 {
		return at.Fail(at.BadParameter)
	}
	c.steps = append(c.steps, step)
	return at.Answer{After: func() { c.Term.Agenda.In(ussdTime, c.ussdAnswer) }}
}

func (c *Card) ussdAnswer() {
	if c.steps == nil || c.Pending() {
		return
	}
	text, more, known := network.Service(c.steps)
	if !more {
		c.steps = nil
	}
	if !known {
		c.News("+CUSD: 4")
		return
	}
	session := 0 // it is over
	if more {
		session = 1
	}
	dcs := 15
	if strings.Contains(c.Term.Values["+CSCS"], "UCS2") {
		dcs = 72
	}
	c.News(fmt.Sprintf(`+CUSD: %d,"%s",%d`, session, c.toHost(text), dcs))
}

// fromHost is a text that the host gave in the character set of +CSCS.
func (c *Card) fromHost(s string) (text string, ok bool) {
	if !strings.Contains(c.Term.Values["+CSCS"], "UCS2") {
		return s, true
	}
	b, err := hex.DecodeString(s)
	if err != nil || len(b)%2 != 0 {
		return "", false
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
	}
	return string(utf16.Decode(units)), true
}

func (c *Card) toHost(text string) string {
	if !strings.Contains(c.Term.Values["+CSCS"], "UCS2") {
		return text
	}
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(text)) {
		fmt.Fprintf(&b, "%04X", u)
	}
	return b.String()
}
