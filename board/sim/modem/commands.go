package modem

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"branchline/board/sim/modem/at"
	"branchline/board/sim/modem/radio"
)

// table is all commands that the modem knows: those of the engine and those of its make.
func (m *Modem) table() {
	for _, part := range []map[string]at.Verb{
		m.basicCommands(), m.identityCommands(), m.simCommands(), m.networkCommands(), m.powerCommands(),
		m.textCommands(), m.callCommands(), m.settings(),
	} {
		m.term.Know(part)
	}
	for _, name := range m.make.lacks {
		delete(m.term.Verbs, name)
	}
	m.term.Know(m.make.commands(m))
	m.term.Verbs["+CLAC"] = at.Verb{Exec: func() at.Answer { return at.Say(slices.Sorted(maps.Keys(m.term.Verbs))...) }}
}

// setting is a value that is only stored, checked against what its test answer lists; first is its value
// after a reset.
type setting struct{ name, test, first string }

// knownSettings are those of the engine and of the make.
func (m *Modem) knownSettings() []setting {
	all := []setting{
		{"+CMEE", "(0-2)", "1"}, {"+CLIP", "(0,1)", "0"}, {"+CRC", "(0,1)", "0"}, {"+CVHU", "(0,1)", "1"},
		{"+COLP", "(0,1)", "0"}, {"+CLIR", "(0-2)", "0"}, {"+CSSN", "(0,1),(0,1)", "0,0"}, {"+CR", "(0,1)", "0"},
		{"+CMUT", "(0,1)", "0"}, {"+CLVL", "(0-5)", "3"}, {"+VTD", "(0-255),(0-255)", "3,0"}, {"+CSTA", "(129,145)", "129"},
		{"+CTZU", "(0,1,3)", "0"}, {"+CTZR", "(0-2)", "0"},
		{"+CMGF", "(0,1)", "0"}, {"+CNMI", "(0-2),(0-3),(0,2),(0-2),(0,1)", "2,1,0,0,0"}, {"+CMMS", "(0-2)", "0"},
		{"+CSCS", `("GSM","IRA","UCS2")`, `"GSM"`}, {"+CSDH", "(0,1)", "0"}, {"+CGEREP", "(0-2),(0,1)", "0,0"},
		{"+IPR", "(0,9600,115200,921600)", "115200"}, {"+IFC", "(0,2),(0,2)", "0,0"}, {"+ICF", "(3),(3)", "3,3"},
	}
	return append(all, m.make.settings...)
}

// extra is what the answer to AT+X? has behind the value.
func extra(name string) string {
	switch name {
	case "+CLIP", "+COLP", "+CLIR":
		return ",1" // provisioned by the network
	default:
		return ""
	}
}

func (m *Modem) settings() map[string]at.Verb {
	t := map[string]at.Verb{}
	for _, s := range m.knownSettings() {
		t[s.name] = m.term.Keep(s.name, s.test, extra(s.name))
	}
	return t
}

func (m *Modem) defaults() {
	m.term.Echo = true
	m.term.Values = map[string]string{"S0": "000", "cops": "0", "pcm": "0", "ccwa": "0", "ccwa on": "0", "+CPMS": `"ME","ME","ME"`}
	for _, name := range m.make.registers {
		m.term.Values[name] = "0"
	}
	for _, s := range m.knownSettings() {
		m.term.Values[s.name] = s.first
	}
	m.inds = map[string]bool{"all": true, "csq": false, "smsfull": false, "ring": true, "smsincoming": true, "act": false, "ccinfo": false}
}

// basicCommands are those of V.250.
func (m *Modem) basicCommands() map[string]at.Verb {
	nothing := at.Verb{Exec: at.OK, Set: func(string) at.Answer { return at.OK() }}
	only := func(wanted string) at.Verb {
		return at.Verb{Exec: at.OK, Set: func(n string) at.Answer {
			if n != wanted {
				return at.Fail(at.ErrSyntax) // the simulator does not do the other
			}
			return at.OK()
		}}
	}
	reset := func() at.Answer {
		m.defaults()
		return at.OK()
	}
	t := map[string]at.Verb{
		"E": {Exec: func() at.Answer { m.term.Echo = false; return at.OK() }, Set: func(n string) at.Answer {
			m.term.Echo = n != "0"
			return at.OK()
		}},
		"V": only("1"), "Q": only("0"), "X": nothing, "L": nothing, "M": nothing, "P": nothing, "T": nothing,
		"&C": nothing, "&D": nothing, "&W": nothing, "&S": nothing, "&K": nothing,
		"Z": {Exec: reset, Set: func(string) at.Answer { return reset() }}, "&F": {Exec: reset, Set: func(string) at.Answer { return reset() }},
		"I": {Exec: m.info, Set: func(string) at.Answer { return m.info() }},
		"S0": {Read: func() at.Answer { return at.Say(m.term.Values["S0"]) }, Set: func(n string) at.Answer {
			if !at.Accepts("(0-255)", n) {
				return at.Fail(at.BadParameter)
			}
			m.term.Values["S0"] = fmt.Sprintf("%03s", n)
			return at.OK()
		}},
	}
	for _, s := range []string{"S3", "S4", "S5", "S6", "S7", "S8", "S10"} {
		t[s] = at.Verb{Read: func() at.Answer { return at.Say("000") }, Set: func(string) at.Answer { return at.OK() }}
	}
	return t
}

func (m *Modem) info() at.Answer {
	return at.Say(m.make.name, m.make.model, "Revision: "+m.o.Firmware)
}

// identityCommands say which module it is.
func (m *Modem) identityCommands() map[string]at.Verb {
	return map[string]at.Verb{
		"+CGMI": at.Fixed(m.make.name), "+GMI": at.Fixed(m.make.name),
		"+CGMM": at.Fixed(m.make.model), "+GMM": at.Fixed(m.make.model),
		"+CGMR": at.Fixed(m.make.revision + m.o.Firmware), "+GMR": at.Fixed(m.make.revision + m.o.Firmware),
		"+CGSN": at.Fixed(m.o.IMEI), "+GSN": at.Fixed(m.o.IMEI),
		"+GCAP": at.Fixed("+GCAP: +CGSM,+FCLASS,+DS"),
	}
}

// simCommands are about the card.
func (m *Modem) simCommands() map[string]at.Verb {
	return map[string]at.Verb{
		"+CPIN":  {Read: m.pinState, Set: m.enterPIN},
		"+CIMI":  {Exec: func() at.Answer { return at.Say(m.o.IMSI) }, SIM: true},
		"+CCID":  {Exec: m.card("+CCID: ")},
		"+ICCID": {Exec: m.card("+ICCID: ")},
		"+CNUM": {Exec: func() at.Answer {
			return at.Say(fmt.Sprintf("+CNUM: ,%q,%d", m.o.Number, radio.NumberType(m.o.Number)))
		}, SIM: true},
		"+CLCK": {Test: `("SC","FD")`, Set: func(string) at.Answer { return at.Say("+CLCK: 0") }, SIM: true},
	}
}

func (m *Modem) pinState() at.Answer {
	if m.sim == simAbsent {
		return at.Fail(at.NoSIM)
	}
	return at.Say("+CPIN: " + string(m.sim))
}

// card says the number of the card behind prefix.
func (m *Modem) card(prefix string) func() at.Answer {
	return func() at.Answer {
		if m.sim == simAbsent {
			return at.Fail(at.NoSIM)
		}
		return at.Say(prefix + m.o.ICCID)
	}
}

// simError is why a command that needs the SIM does not go; nil: it does.
func (m *Modem) simError() error {
	switch m.sim {
	case simReady:
		return nil
	case simAbsent:
		return at.NoSIM
	case simPUK:
		return at.NeedPUK
	default:
		return at.NeedPIN
	}
}

func (m *Modem) enterPIN(args string) at.Answer {
	given := at.Fields(args)
	switch {
	case m.sim == simAbsent:
		return at.Fail(at.NoSIM)
	case m.sim == simPUK:
		return at.Fail(at.NeedPUK)
	case m.sim == simReady || len(given) != 1:
		return at.Fail(at.NotAllowed)
	case given[0] != m.o.PIN:
		if m.tries--; m.tries == 0 {
			m.sim = simPUK
			return at.Fail(at.NeedPUK)
		}
		return at.Fail(at.WrongPIN)
	}
	m.sim, m.tries = simReady, 3
	return at.Answer{After: func() {
		m.urc("+CPIN: READY")
		m.agenda.In(m.o.Boot/4, m.register)
	}}
}

// networkCommands are about registration.
func (m *Modem) networkCommands() map[string]at.Verb {
	t := map[string]at.Verb{
		"+CSQ":     {Test: "(0-31,99),(0-7,99)", Exec: func() at.Answer { return at.Say("+CSQ: " + m.quality()) }},
		"+COPS":    {Read: m.operator, Set: m.chooseOperator, Test: m.operatorList(), SIM: true},
		"+CGATT":   {Test: "(0,1)", Read: func() at.Answer { return at.Say(map[bool]string{true: "+CGATT: 1", false: "+CGATT: 0"}[m.regd]) }, Set: func(string) at.Answer { return at.OK() }},
		"+CCLK":    {Read: func() at.Answer { return at.Say(`+CCLK: "` + time.Now().UTC().Format("06/01/02,15:04:05") + `+00"`) }},
		"+CUSD":    {Test: "(0-2)", Read: func() at.Answer { return at.Say("+CUSD: 0") }, Set: m.ussd, SIM: true},
		"+CPAS":    {Exec: m.activity},
		"+CGPADDR": {Exec: func() at.Answer { return at.Say(`+CGPADDR: 1,"10.64.0.2"`) }, SIM: true},
	}
	for _, name := range m.make.registers {
		t[name] = at.Verb{
			Test: "(0-2)", Set: m.term.Store(name, "(0-2)"),
			Read: func() at.Answer {
				n := m.term.Values[name]
				return at.Say(name + ": " + n + "," + m.registration(n))
			},
		}
	}
	return t
}

// registration is stat and, with n 2, the cell.
func (m *Modem) registration(n string) string {
	switch {
	case !m.regd && m.on && m.sim == simReady:
		return "2"
	case !m.regd:
		return "0"
	case n == "2":
		return `1,"1A2B","1C3D4E5",` + m.make.access
	default:
		return "1"
	}
}

func (m *Modem) quality() string {
	if !m.on || !m.signal {
		return "99,99"
	}
	return "23,99"
}

func (m *Modem) operator() at.Answer {
	format := m.term.Values["cops"]
	switch {
	case !m.regd:
		return at.Say("+COPS: 0")
	case format == "2":
		return at.Say(`+COPS: 0,2,"26299",` + m.make.access)
	default:
		return at.Say(fmt.Sprintf(`+COPS: 0,%s,%q,%s`, format, m.o.Operator, m.make.access))
	}
}

func (m *Modem) operatorList() string {
	return fmt.Sprintf(`(2,%q,%q,"26299",%s),,(0-4),(0-2)`, m.o.Operator, m.o.Operator, m.make.access)
}

func (m *Modem) chooseOperator(args string) at.Answer {
	f := at.Fields(args)
	switch {
	case f[0] == "3" && len(f) == 2 && at.Accepts("(0-2)", f[1]):
		m.term.Values["cops"] = f[1]
	case f[0] != "0" && f[0] != "1" && f[0] != "4":
		return at.Fail(at.BadParameter)
	}
	return at.OK()
}

// ussd is not in this network.
func (m *Modem) ussd(args string) at.Answer {
	if !strings.HasPrefix(args, "1,") {
		return at.OK()
	}
	return at.Answer{After: func() { m.agenda.In(time.Second, func() { m.urc("+CUSD: 4") }) }}
}

// stores are where texts can lie.
const stores = `("SM","ME","MT"),("SM","ME","MT"),("SM","ME","MT")`

// textCommands are as much of SMS as a driver's start needs: the store is empty and stays so.
func (m *Modem) textCommands() map[string]at.Verb {
	return map[string]at.Verb{
		"+CPMS": {
			Test: stores,
			Read: func() at.Answer {
				parts := at.Fields(m.term.Values["+CPMS"])
				return at.Say(fmt.Sprintf(`+CPMS: %q,0,50,%q,0,50,%q,0,50`, parts[0], parts[min(1, len(parts)-1)], parts[len(parts)-1]))
			},
			Set: func(args string) at.Answer {
				if a := m.term.Store("+CPMS", stores)(args); a.Err != nil {
					return a
				}
				return at.Say("+CPMS: 0,50,0,50,0,50")
			},
			SIM: true,
		},
		"+CSMS": {Test: "(0,1)", Read: func() at.Answer { return at.Say("+CSMS: 0,1,1,1") }, Set: func(string) at.Answer { return at.Say("+CSMS: 1,1,1") }},
		"+CSCA": {Read: func() at.Answer { return at.Say(`+CSCA: "+4917999000",145`) }, Set: func(string) at.Answer { return at.OK() }, SIM: true},
		"+CMGL": {Test: "(0-4)", Set: func(string) at.Answer { return at.OK() }, SIM: true},
		"+CMGD": {Test: "(),(0-4)", Set: func(string) at.Answer { return at.OK() }, SIM: true},
		"+CMGR": {Set: func(string) at.Answer { return at.Answer{Final: "+CMS ERROR: 321"} }, SIM: true},
		"+CMGS": {Set: func(string) at.Answer { return at.Answer{Final: "+CMS ERROR: 302"} }, SIM: true},
		"+CNMA": {Exec: at.OK, Set: func(string) at.Answer { return at.OK() }},
	}
}
