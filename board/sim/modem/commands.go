package modem

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// verb is what the modem does for one command name. A form whose function is nil is an ERROR.
type verb struct {
	test string // what AT+X=? lists; "": OK alone
	read func() answer
	set  func(args string) answer
	exec func() answer
	sim  bool // needs a SIM that is unlocked
}

func say(lines ...string) answer { return answer{lines: lines} }

func fail(err error) answer { return answer{err: err} }

func ok() answer { return answer{} }

// table is all commands that the modem knows.
func (m *Modem) table() map[string]verb {
	t := map[string]verb{}
	for _, part := range []map[string]verb{
		m.basicCommands(), m.identityCommands(), m.simCommands(), m.networkCommands(), m.powerCommands(),
		m.textCommands(), m.callCommands(), m.soundCommands(), m.quectelCommands(), m.settings(),
	} {
		maps.Copy(t, part)
	}
	t["+CLAC"] = verb{exec: func() answer { return say(slices.Sorted(maps.Keys(t))...) }}
	return t
}

// setting is a value that is only stored, checked against what its test answer lists.
type setting struct{ name, test, first string }

// knownSettings are the commands that store a value; first is the value after a reset.
func knownSettings() []setting {
	return []setting{
		{"+CMEE", "(0-2)", "1"}, {"+CLIP", "(0,1)", "0"}, {"+CRC", "(0,1)", "0"}, {"+CVHU", "(0,1)", "1"},
		{"+CREG", "(0-2)", "0"}, {"+CGREG", "(0-2)", "0"}, {"+CEREG", "(0-2)", "0"},
		{"+COLP", "(0,1)", "0"}, {"+CLIR", "(0-2)", "0"}, {"+CSSN", "(0,1),(0,1)", "0,0"}, {"+CR", "(0,1)", "0"},
		{"+CMUT", "(0,1)", "0"}, {"+CLVL", "(0-5)", "3"}, {"+VTD", "(0-255),(0-255)", "3,0"}, {"+CSTA", "(129,145)", "129"},
		{"+CTZU", "(0,1,3)", "0"}, {"+CTZR", "(0-2)", "0"},
		{"+CMGF", "(0,1)", "0"}, {"+CNMI", "(0-2),(0-3),(0,2),(0-2),(0,1)", "2,1,0,0,0"}, {"+CMMS", "(0-2)", "0"},
		{"+CSCS", `("GSM","IRA","UCS2")`, `"GSM"`}, {"+CSDH", "(0,1)", "0"}, {"+CGEREP", "(0-2),(0,1)", "0,0"},
		{"^DSCI", "(0,1)", "0"}, {"+QTONEDET", "(0,1)", "0"}, {"+QAUDMOD", "(0-5)", "0"}, {"+QAUDLOOP", "(0,1)", "0"},
		{"+QMIC", "(0-65535),(0-65535)", "20577,8192"}, {"+QRXGAIN", "(0-65535)", "20577"}, {"+QSIDET", "(0-65535)", "0"},
		{"+QDAI", "(1-6),(0,1),(0,1),(0-5),(0-2),(0,1),(1),(1-16)", "1,1,0,4,0,0,1,1"}, {"+QSCLK", "(0,1)", "0"},
		{"+IPR", "(0,9600,115200,921600)", "115200"}, {"+IFC", "(0,2),(0,2)", "0,0"}, {"+ICF", "(3),(3)", "3,3"},
		{"+CPMS", `("SM","ME","MT"),("SM","ME","MT"),("SM","ME","MT")`, `"ME","ME","ME"`},
	}
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

func (m *Modem) settings() map[string]verb {
	t := map[string]verb{}
	for _, s := range knownSettings() {
		if s.name == "+CREG" || s.name == "+CGREG" || s.name == "+CEREG" || s.name == "+CPMS" {
			continue // their answers are not the value alone: networkCommands, textCommands
		}
		t[s.name] = verb{
			test: s.test,
			read: func() answer { return say(s.name + ": " + m.values[s.name] + extra(s.name)) },
			set:  m.store(s.name, s.test),
		}
	}
	return t
}

// store makes the set form of a setting.
func (m *Modem) store(name, lists string) func(string) answer {
	return func(args string) answer {
		if !accepts(lists, args) {
			return fail(badParameter)
		}
		m.values[name] = args
		return ok()
	}
}

func (m *Modem) defaults() {
	m.echo = true
	m.values = map[string]string{"S0": "000", "cops": "0", "pcm": "0", "ccwa": "0", "ccwa on": "0"}
	for _, s := range knownSettings() {
		m.values[s.name] = s.first
	}
	m.inds = map[string]bool{"all": true, "csq": false, "smsfull": false, "ring": true, "smsincoming": true, "act": false, "ccinfo": false}
}

// basicCommands are those of V.250.
func (m *Modem) basicCommands() map[string]verb {
	nothing := verb{exec: ok, set: func(string) answer { return ok() }}
	only := func(wanted string) verb {
		return verb{exec: ok, set: func(n string) answer {
			if n != wanted {
				return fail(errSyntax) // the simulator does not do the other
			}
			return ok()
		}}
	}
	reset := func() answer {
		m.defaults()
		return ok()
	}
	t := map[string]verb{
		"E": {exec: func() answer { m.echo = false; return ok() }, set: func(n string) answer {
			m.echo = n != "0"
			return ok()
		}},
		"V": only("1"), "Q": only("0"), "X": nothing, "L": nothing, "M": nothing, "P": nothing, "T": nothing,
		"&C": nothing, "&D": nothing, "&W": nothing, "&S": nothing, "&K": nothing,
		"Z": {exec: reset, set: func(string) answer { return reset() }}, "&F": {exec: reset, set: func(string) answer { return reset() }},
		"I": {exec: func() answer { return say("Quectel", "EC25", "Revision: "+firmware) }, set: func(string) answer {
			return say("Quectel", "EC25", "Revision: "+firmware)
		}},
		"S0": {read: func() answer { return say(m.values["S0"]) }, set: func(n string) answer {
			if !accepts("(0-255)", n) {
				return fail(badParameter)
			}
			m.values["S0"] = fmt.Sprintf("%03s", n)
			return ok()
		}},
	}
	for _, s := range []string{"S3", "S4", "S5", "S6", "S7", "S8", "S10"} {
		t[s] = verb{read: func() answer { return say("000") }, set: func(string) answer { return ok() }}
	}
	return t
}

const firmware = "EC25EFAR06A03M4G"

// identityCommands say which module it is.
func (m *Modem) identityCommands() map[string]verb {
	always := func(line string) verb { return verb{exec: func() answer { return say(line) }} }
	return map[string]verb{
		"+CGMI": always("Quectel"), "+GMI": always("Quectel"),
		"+CGMM": always("EC25"), "+GMM": always("EC25"),
		"+CGMR": always(firmware), "+GMR": always(firmware), "+QGMR": always(firmware + "_01.001.01.001"),
		"+CGSN": always(m.o.IMEI), "+GSN": always(m.o.IMEI),
		"+GCAP": always("+GCAP: +CGSM,+FCLASS,+DS"),
	}
}

// simCommands are about the card.
func (m *Modem) simCommands() map[string]verb {
	needsCard := func(line string) func() answer {
		return func() answer {
			if m.sim == simAbsent {
				return fail(noSIM)
			}
			return say(line)
		}
	}
	return map[string]verb{
		"+CPIN":  {read: m.pinState, set: m.enterPIN},
		"+QPINC": {test: `("SC","P2")`, read: m.pinTries, set: func(string) answer { return m.pinTries() }},
		"+CIMI":  {exec: func() answer { return say(m.o.IMSI) }, sim: true},
		"+QCCID": {exec: needsCard("+QCCID: " + m.o.ICCID)},
		"+CCID":  {exec: needsCard("+CCID: " + m.o.ICCID)},
		"+ICCID": {exec: needsCard("+ICCID: " + m.o.ICCID)},
		"+CNUM":  {exec: func() answer { return say(fmt.Sprintf("+CNUM: ,%q,%d", m.o.Number, numberType(m.o.Number))) }, sim: true},
		"+CLCK":  {test: `("SC","FD")`, set: func(string) answer { return say("+CLCK: 0") }, sim: true},
		"+QINISTAT": {exec: func() answer {
			if m.sim == simReady {
				return say("+QINISTAT: 7")
			}
			return say("+QINISTAT: 0")
		}},
		"+QSIMSTAT": {read: func() answer {
			if m.sim == simAbsent {
				return say("+QSIMSTAT: 0,0")
			}
			return say("+QSIMSTAT: 0,1")
		}},
	}
}

func (m *Modem) pinState() answer {
	if m.sim == simAbsent {
		return fail(noSIM)
	}
	return say("+CPIN: " + string(m.sim))
}

func (m *Modem) pinTries() answer {
	tries := m.tries
	return say(fmt.Sprintf(`+QPINC: "SC",%d,10`, tries), `+QPINC: "P2",3,10`)
}

func (m *Modem) enterPIN(args string) answer {
	given := fields(args)
	switch {
	case m.sim == simAbsent:
		return fail(noSIM)
	case m.sim == simPUK:
		return fail(needPUK)
	case m.sim == simReady || len(given) != 1:
		return fail(notAllowed)
	case given[0] != m.o.PIN:
		if m.tries--; m.tries == 0 {
			m.sim = simPUK
			return fail(needPUK)
		}
		return fail(wrongPIN)
	}
	m.sim, m.tries = simReady, 3
	return answer{after: func() {
		m.urc("+CPIN: READY")
		m.agenda.in(m.o.Boot/4, m.register)
	}}
}

// networkCommands are about registration.
func (m *Modem) networkCommands() map[string]verb {
	t := map[string]verb{
		"+CSQ": {test: "(0-31,99),(0-7,99)", exec: func() answer { return say("+CSQ: " + m.quality()) }},
		"+QCSQ": {exec: func() answer {
			return say(map[bool]string{true: `+QCSQ: "LTE",67,-97,146,-10`, false: `+QCSQ: "NOSERVICE"`}[m.regd])
		}},
		"+QNWINFO": {exec: func() answer {
			return say(map[bool]string{true: `+QNWINFO: "FDD LTE","26299","LTE BAND 3",1300`, false: "+QNWINFO: No Service"}[m.regd])
		}},
		"+COPS":    {read: m.operator, set: m.chooseOperator, test: m.operatorList(), sim: true},
		"+CGATT":   {test: "(0,1)", read: func() answer { return say(map[bool]string{true: "+CGATT: 1", false: "+CGATT: 0"}[m.regd]) }, set: func(string) answer { return ok() }},
		"+CCLK":    {read: func() answer { return say(`+CCLK: "` + time.Now().UTC().Format("06/01/02,15:04:05") + `+00"`) }},
		"+QLTS":    {exec: func() answer { return say(`+QLTS: "` + time.Now().UTC().Format("2006/01/02,15:04:05") + `+00,0"`) }},
		"+CUSD":    {test: "(0-2)", read: func() answer { return say("+CUSD: 0") }, set: m.ussd, sim: true},
		"+CPAS":    {exec: m.activity},
		"+CGPADDR": {exec: func() answer { return say(`+CGPADDR: 1,"10.64.0.2"`) }, sim: true},
	}
	for _, name := range []string{"+CREG", "+CGREG", "+CEREG"} {
		t[name] = verb{
			test: "(0-2)", set: m.store(name, "(0-2)"),
			read: func() answer {
				n := m.values[name]
				return say(name + ": " + n + "," + m.registration(n))
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
		return `1,"1A2B","1C3D4E5",7`
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

func (m *Modem) operator() answer {
	format := m.values["cops"]
	switch {
	case !m.regd:
		return say("+COPS: 0")
	case format == "2":
		return say(`+COPS: 0,2,"26299",7`)
	default:
		return say(fmt.Sprintf(`+COPS: 0,%s,%q,7`, format, m.o.Operator))
	}
}

func (m *Modem) operatorList() string {
	return fmt.Sprintf(`(2,%q,%q,"26299",7),,(0-4),(0-2)`, m.o.Operator, m.o.Operator)
}

func (m *Modem) chooseOperator(args string) answer {
	f := fields(args)
	switch {
	case f[0] == "3" && len(f) == 2 && accepts("(0-2)", f[1]):
		m.values["cops"] = f[1]
	case f[0] != "0" && f[0] != "1" && f[0] != "4":
		return fail(badParameter)
	}
	return ok()
}

// ussd is not in this network.
func (m *Modem) ussd(args string) answer {
	if !strings.HasPrefix(args, "1,") {
		return ok()
	}
	return answer{after: func() { m.agenda.in(time.Second, func() { m.urc("+CUSD: 4") }) }}
}

// textCommands are as much of SMS as a driver's start needs: the store is empty and stays so.
func (m *Modem) textCommands() map[string]verb {
	return map[string]verb{
		"+CPMS": {
			test: knownTest("+CPMS"),
			read: func() answer {
				parts := fields(m.values["+CPMS"])
				return say(fmt.Sprintf(`+CPMS: %q,0,50,%q,0,50,%q,0,50`, parts[0], parts[min(1, len(parts)-1)], parts[len(parts)-1]))
			},
			set: func(args string) answer {
				if a := m.store("+CPMS", knownTest("+CPMS"))(args); a.err != nil {
					return a
				}
				return say("+CPMS: 0,50,0,50,0,50")
			},
			sim: true,
		},
		"+CSMS": {test: "(0,1)", read: func() answer { return say("+CSMS: 0,1,1,1") }, set: func(string) answer { return say("+CSMS: 1,1,1") }},
		"+CSCA": {read: func() answer { return say(`+CSCA: "+4917999000",145`) }, set: func(string) answer { return ok() }, sim: true},
		"+CMGL": {test: "(0-4)", set: func(string) answer { return ok() }, sim: true},
		"+CMGD": {test: "(),(0-4)", set: func(string) answer { return ok() }, sim: true},
		"+CMGR": {set: func(string) answer { return answer{final: "+CMS ERROR: 321"} }, sim: true},
		"+CMGS": {set: func(string) answer { return answer{final: "+CMS ERROR: 302"} }, sim: true},
		"+CNMA": {exec: ok, set: func(string) answer { return ok() }},
	}
}

func knownTest(name string) string {
	for _, s := range knownSettings() {
		if s.name == name {
			return s.test
		}
	}
	return ""
}
