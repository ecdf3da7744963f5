package modem

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"branchline/hal"
)

// callCommands are about calls.
func (m *Modem) callCommands() map[string]verb {
	hangup := func() answer { return m.hangupAll(hal.Rejected) }
	ath := func() answer {
		if m.values["+CVHU"] != "0" {
			return ok() // ignored, but OK
		}
		return hangup()
	}
	return map[string]verb{
		"D": {set: m.dial, sim: true},
		"A": {exec: m.answerCall, set: func(string) answer { return m.answerCall() }},
		"H": {exec: ath, set: func(n string) answer {
			if n != "0" {
				return fail(errSyntax)
			}
			return ath()
		}},
		"+CHUP": {exec: hangup},
		"+CHLD": {test: "(0,1,1x,2,2x,3)", set: m.chld},
		"+QHUP": {set: m.qhup},
		"+CLCC": {exec: func() answer { return say(m.listCalls()...) }},
		"+CEER": {exec: func() answer { return say("+CEER: " + causeText(m.lastEnd)) }},
		"+VTS":  {test: `(0-9,*,#,A-D),(0-255)`, set: m.sendKeys},
		"+QVTS": {set: m.sendKeys},
		"+CCWA": {test: "(0,1)", read: func() answer { return say("+CCWA: " + m.values["ccwa"]) }, set: m.callWaiting, sim: true},
		"+CMOD": {test: "(0)", read: func() answer { return say("+CMOD: 0") }, set: func(string) answer { return ok() }},
	}
}

// soundCommands are about the sound port.
func (m *Modem) soundCommands() map[string]verb {
	return map[string]verb{
		"+QPCMV": {
			test: "(0,1),(0-2)",
			read: func() answer { return say("+QPCMV: " + m.values["pcm"]) },
			set: func(args string) answer {
				now := m.values["pcm"]
				switch args {
				case "0":
				case "1,0", "1,2":
					if now != "0" && now != args {
						return fail(errSyntax) // from one way to the other only over 0
					}
				default:
					return fail(badParameter)
				}
				m.values["pcm"] = args
				m.uplink.open(m.ticking && args == "1,0")
				return ok()
			},
		},
		"+QGPSCFG": {set: func(string) answer { return ok() }},
	}
}

// quectelCommands are the maker's own.
func (m *Modem) quectelCommands() map[string]verb {
	return map[string]verb{
		"+QINDCFG": {test: `"all","csq","smsfull","ring","smsincoming","act","ccinfo",(0,1),(0,1)`, set: func(args string) answer {
			f := fields(args)
			on, known := m.inds[f[0]]
			switch {
			case !known:
				return fail(errSyntax)
			case len(f) == 1:
				return say(fmt.Sprintf("+QINDCFG: %q,%d", f[0], map[bool]int{true: 1}[on]))
			case f[1] != "0" && f[1] != "1":
				return fail(badParameter)
			}
			m.inds[f[0]] = f[1] == "1"
			return ok()
		}},
		"+QURCCFG": {test: `"urcport",("usbat","usbmodem","uart1")`, set: func(args string) answer {
			f := fields(args)
			switch {
			case f[0] != "urcport":
				return fail(errSyntax)
			case len(f) == 1:
				return say(`+QURCCFG: "urcport","usbat"`)
			case !slices.Contains([]string{"usbat", "usbmodem", "uart1", "all"}, f[1]):
				return fail(badParameter)
			}
			return ok()
		}},
		"+QCFG": {set: func(args string) answer {
			f := fields(args)
			known := map[string]string{
				"ims": "1,1", "usbcfg": "0x2C7C,0x0125,1,1,1,1,1,0,0", "urc/ri/ring": `"pulse",120,1000,5000,"off",1`, "nwscanmode": "0", "servicedomain": "2",
			}
			value, is := known[strings.ToLower(f[0])]
			if !is {
				return fail(errSyntax)
			}
			if len(f) == 1 {
				return say(fmt.Sprintf("+QCFG: %q,%s", f[0], value))
			}
			return ok()
		}},
		"+QMBNCFG": {set: func(string) answer { return ok() }},
	}
}

// powerCommands switch the modem or its radio.
func (m *Modem) powerCommands() map[string]verb {
	return map[string]verb{
		"+CFUN": {
			test: "(0,1,4),(0,1)",
			read: func() answer { return say("+CFUN: " + map[bool]string{true: "1", false: "0"}[m.on]) },
			set:  m.cfun,
		},
		"+QPOWD": {test: "(0,1)", exec: m.powerDown, set: func(string) answer { return m.powerDown() }},
	}
}

func (m *Modem) cfun(args string) answer {
	switch args {
	case "1,1":
		return answer{after: m.restart}
	case "1", "1,0":
		m.on = true
		return answer{after: func() { m.agenda.in(m.o.Boot/4, m.register) }}
	case "0", "4", "0,0", "4,0":
		m.on = false
		m.register()
		return ok()
	default:
		return fail(badParameter)
	}
}

func (m *Modem) powerDown() answer {
	return answer{after: func() {
		m.agenda.in(m.o.Boot, func() {
			m.urc("POWERED DOWN")
			m.agenda.in(m.o.Boot/10, func() {
				m.reset()
				m.plug.Pull()
			})
		})
	}}
}

// dial is ATD: OK at once, what comes of it follows.
func (m *Modem) dial(args string) answer {
	number, voice := strings.CutSuffix(args, ";")
	number = strings.Map(func(r rune) rune {
		if strings.ContainsRune(",TtPp!Ww@-", r) {
			return -1 // V.250 modifiers that the EC25 ignores
		}
		return r
	}, number)
	withhold := m.values["+CLIR"] == "1"
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
		return fail(errSyntax)
	case !voice || !m.regd:
		return answer{final: "NO CARRIER"}
	case len(m.calls) >= 2 || m.in(dialling, alerting, incoming, waiting) != nil:
		return fail(notAllowed)
	}
	m.hold(m.all(active))
	leg, err := m.access.Dial(number, withhold)
	if err != nil {
		m.log.Warn("simulated modem", "number", m.o.Number, "err", err)
		return answer{final: "NO CARRIER"}
	}
	v := m.addCall(leg, true, dialling)
	return answer{after: func() { m.agenda.in(m.gap(), func() { m.stateOf(v) }) }}
}

// answerCall is ATA: OK before the call is up.
func (m *Modem) answerCall() answer {
	v := m.in(incoming)
	if v == nil {
		v = m.in(waiting)
	}
	if v == nil || v.answering {
		return answer{final: "NO CARRIER"}
	}
	v.answering = true
	return answer{after: func() { m.agenda.in(m.o.Settle, func() { m.take(v) }) }}
}

// hangupAll ends every call; refusal is what somebody who still rings is told.
func (m *Modem) hangupAll(refusal hal.Cause) answer {
	ended := slices.Clone(m.calls)
	for _, v := range ended {
		m.release(v, m.byeCause(v, refusal))
	}
	return answer{after: func() { m.sayEnded(ended) }}
}

func (m *Modem) byeCause(v *voice, refusal hal.Cause) hal.Cause {
	if v.stat == incoming || v.stat == waiting {
		return refusal
	}
	return hal.Normal
}

// qhup is AT+QHUP=<cause>[,<idx>].
func (m *Modem) qhup(args string) answer {
	f := fields(args)
	why, known := causeOf(f[0])
	if !known || len(f) > 2 {
		return fail(badParameter)
	}
	var ended []*voice
	for _, v := range slices.Clone(m.calls) {
		if len(f) == 1 || f[1] == "0" || f[1] == strconv.Itoa(v.id) {
			ended = append(ended, v)
			m.release(v, why)
		}
	}
	if len(f) == 2 && f[1] != "0" && len(ended) == 0 {
		return fail(notAllowed)
	}
	return answer{after: func() { m.sayEnded(ended) }}
}

// chld is AT+CHLD=<n>[x] (3GPP TS 22.030 6.5.5).
func (m *Modem) chld(args string) answer {
	if !slices.Contains([]string{"0", "1", "2", "3"}, args) {
		return m.chldOne(args)
	}
	if len(m.calls) == 0 {
		return fail(notAllowed)
	}
	var ended []*voice
	switch args {
	case "0":
		ended = m.all(waiting, incoming)
		if len(ended) == 0 {
			ended = m.all(held)
		}
		m.releaseAll(ended, hal.Busy)
	case "1":
		ended = m.all(active)
		m.releaseAll(ended, hal.Normal)
		m.takeOther()
	case "2":
		m.swap()
	case "3":
		if m.in(held) == nil || m.in(active) == nil {
			return fail(notAllowed)
		}
		for _, v := range m.all(active, held) {
			m.resume(v)
			v.mpty = true
		}
	}
	return answer{after: func() { m.sayEnded(ended) }}
}

// chldOne is CHLD=1x (end call x) and 2x (hold all but x).
func (m *Modem) chldOne(args string) answer {
	if len(args) != 2 || (args[0] != '1' && args[0] != '2') {
		return fail(badParameter)
	}
	v := m.byID(args[1:])
	switch {
	case v == nil:
		return fail(notAllowed)
	case args[0] == '1':
		m.release(v, m.byeCause(v, hal.Rejected))
		return answer{after: func() { m.sayEnded([]*voice{v}) }}
	case v.stat != active && v.stat != held:
		return fail(notAllowed)
	}
	for _, other := range m.all(active) {
		if other != v {
			m.hold([]*voice{other})
		}
	}
	m.resume(v)
	return ok()
}

// sendKeys is AT+VTS: the keys sound one after the other, then comes OK.
func (m *Modem) sendKeys(args string) answer {
	f := fields(args)
	d, gap := 3, 0
	fmt.Sscanf(m.values["+VTD"], "%d,%d", &d, &gap)
	keys := strings.ToUpper(f[0])
	switch {
	case keys == "" || len(keys) > 31 || strings.Trim(keys, "0123456789*#ABCD") != "" || len(f) > 2:
		return fail(badParameter)
	case len(f) == 2 && !accepts("(0-255)", f[1]):
		return fail(badParameter)
	case m.in(active) == nil:
		return fail(notAllowed)
	case len(f) == 2:
		d, _ = strconv.Atoi(f[1])
	}
	long := max(time.Duration(d)*100*time.Millisecond, 80*time.Millisecond) // no network sends shorter ones
	for _, v := range m.all(active) {
		for i := range len(keys) {
			v.leg.Key(keys[i], long)
		}
	}
	return answer{wait: time.Duration(len(keys)) * (long + time.Duration(gap)*100*time.Millisecond)}
}

// callWaiting is AT+CCWA=<n>[,<mode>[,<class>]]: n shows them, mode 1 asks the network for them.
func (m *Modem) callWaiting(args string) answer {
	f := fields(args)
	if !accepts("(0,1),(0-2),(1-255)", args) {
		return fail(badParameter)
	}
	if len(f) > 1 && f[1] == "2" {
		return say("+CCWA: " + m.values["ccwa on"] + ",1")
	}
	m.values["ccwa"] = f[0]
	if len(f) > 1 {
		m.values["ccwa on"] = f[1]
	}
	return ok()
}

// causes are the release causes of 3GPP TS 24.008 that QHUP takes and CEER tells.
func causes() map[string]hal.Cause {
	return map[string]hal.Cause{
		"1": hal.Unallocated, "16": hal.Normal, "17": hal.Busy, "18": hal.NoAnswer, "19": hal.NoAnswer, "21": hal.Rejected,
		"27": hal.Unreachable, "31": hal.Normal, "34": hal.Congestion, "88": hal.Media,
	}
}

func causeOf(number string) (hal.Cause, bool) {
	c, known := causes()[number]
	return c, known
}

func causeText(c hal.Cause) string {
	texts := map[hal.Cause]string{
		hal.Normal: "Normal call clearing", hal.Busy: "User busy", hal.NoAnswer: "No answer from user", hal.Rejected: "Call rejected",
		hal.Unallocated: "Unassigned (unallocated) number", hal.Unreachable: "Destination out of order",
		hal.Congestion: "No circuit/channel available", hal.WireTrouble: "Network out of order", hal.Media: "Incompatible destination",
	}
	if text, known := texts[c]; known {
		return text
	}
	return "No cause information available"
}

// activity is AT+CPAS: 0 ready, 3 rings, 4 in a call.
func (m *Modem) activity() answer {
	switch {
	case m.in(incoming) != nil:
		return say("+CPAS: 3")
	case len(m.calls) > 0:
		return say("+CPAS: 4")
	default:
		return say("+CPAS: 0")
	}
}
