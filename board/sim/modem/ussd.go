package modem

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
func (m *Modem) ussd(args string) at.Answer {
	f := at.Fields(args)
	switch {
	case !at.Accepts("(0-2)", f[0]) || len(f) > 3:
		return at.Fail(at.BadParameter)
	case f[0] == "2":
		m.steps = nil
		return at.OK()
	case len(f) < 2:
		return at.OK()
	case !m.regd:
		return at.Fail(at.NoNetwork)
	}
	step, ok := m.fromHost(f[1])
	if !ok || len(m.steps) > 8 {
		return at.Fail(at.BadParameter)
	}
	m.steps = append(m.steps, step)
	return at.Answer{After: func() { m.agenda.In(ussdTime, m.ussdAnswer) }}
}

func (m *Modem) ussdAnswer() {
	if m.steps == nil || !m.regd {
		return
	}
	text, more, known := network.Service(m.steps)
	if !more {
		m.steps = nil
	}
	if !known {
		m.urc("+CUSD: 4")
		return
	}
	dcs := 15
	if strings.Contains(m.term.Values["+CSCS"], "UCS2") {
		dcs = 72
	}
	m.urc(fmt.Sprintf(`+CUSD: %d,"%s",%d`, one(more), m.toHost(text), dcs))
}

// fromHost is a text that the host gave in the character set of +CSCS.
func (m *Modem) fromHost(s string) (text string, ok bool) {
	if !strings.Contains(m.term.Values["+CSCS"], "UCS2") {
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

func (m *Modem) toHost(text string) string {
	if !strings.Contains(m.term.Values["+CSCS"], "UCS2") {
		return text
	}
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(text)) {
		fmt.Fprintf(&b, "%04X", u)
	}
	return b.String()
}
