package modem

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"branchline/board/sim/modem/at"
	"branchline/board/sim/modem/radio"
	"branchline/hal"
)

// callCommands are about calls.
func (m *Modem) callCommands() map[string]at.Verb {
	hangup := func() at.Answer { return m.hangupAll(hal.Rejected) }
	ath := func() at.Answer {
		if m.term.Values["+CVHU"] != "0" {
			return at.OK() // ignored, but OK
		}
		return hangup()
	}
	return map[string]at.Verb{
		"D": {Set: m.dial, SIM: true},
		"A": {Exec: m.answerCall, Set: func(string) at.Answer { return m.answerCall() }},
		"H": {Exec: ath, Set: func(n string) at.Answer {
			if n != "0" {
				return at.Fail(at.ErrSyntax)
			}
			return ath()
		}},
		"+CHUP": {Exec: hangup},
		"+CHLD": {Test: "(0,1,1x,2,2x,3)", Set: m.chld},
		"+CLCC": {Exec: func() at.Answer { return at.Say(m.listCalls()...) }},
		"+CEER": {Exec: func() at.Answer { return at.Say("+CEER: " + radio.CauseText(m.lastEnd)) }},
		"+VTS":  {Test: `(0-9,*,#,A-D),(0-255)`, Set: m.sendKeys},
		"+CCWA": {Test: "(0,1)", Read: func() at.Answer { return at.Say("+CCWA: " + m.term.Values["ccwa"]) }, Set: m.callWaiting, SIM: true},
		"+CMOD": {Test: "(0)", Read: func() at.Answer { return at.Say("+CMOD: 0") }, Set: func(string) at.Answer { return at.OK() }},
	}
}

// powerCommands switch the modem or its radio.
func (m *Modem) powerCommands() map[string]at.Verb {
	return map[string]at.Verb{
		"+CFUN": {
			Test: "(0,1,4),(0,1)",
			Read: func() at.Answer { return at.Say("+CFUN: " + map[bool]string{true: "1", false: "0"}[m.on]) },
			Set:  m.cfun,
		},
	}
}

func (m *Modem) cfun(args string) at.Answer {
	switch args {
	case "1,1":
		return at.Answer{After: m.restart}
	case "1", "1,0":
		m.on = true
		return at.Answer{After: func() { m.agenda.In(m.o.Boot/4, m.register) }}
	case "0", "4", "0,0", "4,0":
		m.on = false
		m.register()
		return at.OK()
	default:
		return at.Fail(at.BadParameter)
	}
}

// powerDown goes off with word as the last.
func (m *Modem) powerDown(word string) at.Answer {
	return at.Answer{After: func() {
		m.agenda.In(m.o.Boot, func() {
			m.urc(word)
			m.agenda.In(m.o.Boot/10, func() {
				m.reset()
				m.plug.Pull()
			})
		})
	}}
}

// dial is ATD: OK at once, what comes of it follows.
func (m *Modem) dial(args string) at.Answer {
	number, voice := strings.CutSuffix(args, ";")
	number = strings.Map(func(r rune) rune {
		if strings.ContainsRune(",TtPp!Ww@-", r) {
			return -1 // V.250 modifiers that the EC25 ignores
		}
		return r
	}, number)
	withhold := m.term.Values["+CLIR"] == "1"
	for number != "" && strings.ContainsRune("IiGg", rune(number[len(number)-1])) {
		switch number[len(number)-1] {
		case 'I':
			withhold = true
		case 'i':
			withhold = false
		}
		number = number[:len(number)-1]
	}
	digits := strings.TrimPrefix(number, "+")
	switch {
	case digits == "" || len(digits) > 40 || strings.Trim(digits, "0123456789*#ABC") != "":
		return at.Fail(at.ErrSyntax)
	case !voice || !m.regd:
		return at.Answer{Final: "NO CARRIER"}
	case m.calls.Len() >= 2 || m.calls.In(radio.Dialling, radio.Alerting, radio.Incoming, radio.Waiting) != nil:
		return at.Fail(at.NotAllowed)
	}
	m.calls.Hold(m.calls.All(radio.Active))
	leg, err := m.access.Dial(number, withhold)
	if err != nil {
		m.log.Warn("simulated modem", "number", m.o.Number, "err", err)
		return at.Answer{Final: "NO CARRIER"}
	}
	v := m.calls.Add(leg, true, radio.Dialling, m.firstID())
	return at.Answer{After: func() { m.agenda.In(m.term.Gap(), func() { m.stateOf(v) }) }}
}

// answerCall is ATA: OK before the call is up.
func (m *Modem) answerCall() at.Answer {
	v := m.calls.In(radio.Incoming)
	if v == nil {
		v = m.calls.In(radio.Waiting)
	}
	if v == nil || v.Answering {
		return at.Answer{Final: "NO CARRIER"}
	}
	v.Answering = true
	return at.Answer{After: func() { m.agenda.In(m.o.Settle, func() { m.take(v) }) }}
}

// hangupAll ends every call; refusal is what somebody who still rings is told.
func (m *Modem) hangupAll(refusal hal.Cause) at.Answer {
	return at.Answer{After: m.release(m.calls.All(), refusal)}
}

// chld is AT+CHLD=<n>[x] (3GPP TS 22.030 6.5.5).
func (m *Modem) chld(args string) at.Answer {
	if !slices.Contains([]string{"0", "1", "2", "3"}, args) {
		return m.chldOne(args)
	}
	if m.calls.Len() == 0 {
		return at.Fail(at.NotAllowed)
	}
	switch args {
	case "0":
		over := m.calls.All(radio.Waiting, radio.Incoming)
		if len(over) == 0 {
			over = m.calls.All(radio.Held)
		}
		return at.Answer{After: m.release(over, hal.Busy)}
	case "1":
		say := m.release(m.calls.All(radio.Active), hal.Normal)
		m.take(m.calls.Other())
		return at.Answer{After: say}
	case "2":
		m.take(m.calls.Swap())
	case "3":
		if !m.calls.Join() {
			return at.Fail(at.NotAllowed)
		}
	}
	return at.OK()
}

// chldOne is CHLD=1x (end call x) and 2x (hold all but x).
func (m *Modem) chldOne(args string) at.Answer {
	if len(args) != 2 || (args[0] != '1' && args[0] != '2') {
		return at.Fail(at.BadParameter)
	}
	v := m.calls.ByID(int(args[1] - '0'))
	switch {
	case v == nil:
		return at.Fail(at.NotAllowed)
	case args[0] == '1':
		return at.Answer{After: m.release([]*radio.Call{v}, hal.Rejected)}
	case v.Stat != radio.Active && v.Stat != radio.Held:
		return at.Fail(at.NotAllowed)
	}
	m.calls.Only(v)
	return at.OK()
}

// sendKeys is AT+VTS: the keys sound one after the other, then comes OK.
func (m *Modem) sendKeys(args string) at.Answer {
	f := at.Fields(args)
	d, gap := 3, 0
	fmt.Sscanf(m.term.Values["+VTD"], "%d,%d", &d, &gap)
	keys := strings.ToUpper(f[0])
	switch {
	case keys == "" || len(keys) > 31 || strings.Trim(keys, "0123456789*#ABCD") != "" || len(f) > 2:
		return at.Fail(at.BadParameter)
	case len(f) == 2 && !at.Accepts("(0-255)", f[1]):
		return at.Fail(at.BadParameter)
	case m.calls.In(radio.Active) == nil:
		return at.Fail(at.NotAllowed)
	case len(f) == 2:
		d, _ = strconv.Atoi(f[1])
	}
	long := max(time.Duration(d)*100*time.Millisecond, 80*time.Millisecond) // no network sends shorter ones
	for _, v := range m.calls.All(radio.Active) {
		for i := range len(keys) {
			v.Leg.Key(keys[i], long)
		}
	}
	return at.Answer{Wait: time.Duration(len(keys)) * (long + time.Duration(gap)*100*time.Millisecond)}
}

// callWaiting is AT+CCWA=<n>[,<mode>[,<class>]]: n shows them, mode 1 asks the network for them.
func (m *Modem) callWaiting(args string) at.Answer {
	f := at.Fields(args)
	if !at.Accepts("(0,1),(0-2),(1-255)", args) {
		return at.Fail(at.BadParameter)
	}
	if len(f) > 1 && f[1] == "2" {
		return at.Say("+CCWA: " + m.term.Values["ccwa on"] + ",1")
	}
	m.term.Values["ccwa"] = f[0]
	if len(f) > 1 {
		m.term.Values["ccwa on"] = f[1]
	}
	return at.OK()
}

// activity is AT+CPAS: 0 ready, 3 rings, 4 in a call.
func (m *Modem) activity() at.Answer {
	switch {
	case m.calls.In(radio.Incoming) != nil:
		return at.Say("+CPAS: 3")
	case m.calls.Len() > 0:
		return at.Say("+CPAS: 4")
	default:
		return at.Say("+CPAS: 0")
	}
}
