package modem

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"branchline/board/sim/modem/at"
	"branchline/board/sim/modem/card"
)

// table is all commands that the modem knows: those of the engine and those of its make.
func (m *Modem) table() {
	for _, part := range []map[string]at.Verb{
		m.term.Basic(m.defaults), m.identityCommands(), m.card.Verbs(), m.networkCommands(), m.powerCommands(),
		m.callCommands(), m.settings(),
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
		{"+CNMI", "(0-2),(0-3),(0,2),(0-2),(0,1)", "2,1,0,0,0"}, {"+CMMS", "(0-2)", "0"},
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
	m.term.Values = map[string]string{"S0": "000", "cops": "0", "pcm": "0", "ccwa": "0", "ccwa on": "0", "+CPMS": `"ME","ME","ME"`, "csms": "0", "clcc": "0"}
	for _, name := range m.make.registers {
		m.term.Values[name] = "0"
	}
	for _, s := range m.knownSettings() {
		m.term.Values[s.name] = s.first
	}
	m.inds = map[string]bool{"all": true, "csq": false, "smsfull": false, "ring": true, "smsincoming": true, "act": false, "ccinfo": false}
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
		"I":     {Exec: m.info, Set: func(string) at.Answer { return m.info() }},
		"+GCAP": at.Fixed("+GCAP: +CGSM,+FCLASS,+DS"),
	}
}

// networkCommands are about registration.
func (m *Modem) networkCommands() map[string]at.Verb {
	t := map[string]at.Verb{
		"+CSQ":     {Test: "(0-31,99),(0-7,99)", Exec: func() at.Answer { return at.Say("+CSQ: " + m.quality()) }},
		"+COPS":    {Read: m.operator, Set: m.chooseOperator, Test: m.operatorList(), SIM: true},
		"+CGATT":   {Test: "(0,1)", Read: func() at.Answer { return at.Say(map[bool]string{true: "+CGATT: 1", false: "+CGATT: 0"}[m.regd]) }, Set: func(string) at.Answer { return at.OK() }},
		"+CCLK":    {Read: func() at.Answer { return at.Say(`+CCLK: "` + time.Now().UTC().Format("06/01/02,15:04:05") + `+00"`) }},
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
	case !m.regd && m.on && m.card.State() == card.Ready:
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
