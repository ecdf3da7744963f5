package modem

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"branchline/board/sim/modem/at"
	"branchline/board/sim/modem/card"
	"branchline/board/sim/modem/radio"
	"branchline/hal"
)

// quectel is an EC25 in serial-PCM mode, by Quectel's EC2x&EG9x AT Commands Manual.
func quectel() maker {
	return maker{
		name: "Quectel", model: "EC25", firmware: "EC25EFAR06A03M4G",
		boot: boot{
			power: []string{"RDY"}, radio: []string{"+CFUN: 1"}, sim: true, card: []string{"+QUSIM: 1"},
			texts: []string{"+QIND: SMS DONE"}, book: []string{"+QIND: PB DONE"},
		},
		registers: []string{"+CREG", "+CGREG", "+CEREG"}, access: "7", bearer: true,
		settings: []setting{
			{"^DSCI", "(0,1)", "0"}, {"+QTONEDET", "(0,1)", "0"}, {"+QAUDMOD", "(0-5)", "0"}, {"+QAUDLOOP", "(0,1)", "0"},
			{"+QMIC", "(0-65535),(0-65535)", "20577,8192"}, {"+QRXGAIN", "(0-65535)", "20577"}, {"+QSIDET", "(0-65535)", "0"},
			{"+QDAI", "(1-6),(0,1),(0,1),(0-5),(0-2),(0,1),(1),(1-16)", "1,1,0,4,0,0,1,1"}, {"+QSCLK", "(0,1)", "0"},
		},
		commands: (*Modem).quectelCommands,
		changed:  (*Modem).quectelState,
		ended:    func(m *Modem, v *radio.Call, _ hal.Cause, _ bool) []string { return m.quectelState(v) },
		tone: func(m *Modem, key byte) []string {
			if m.term.Values["+QTONEDET"] != "1" {
				return nil
			}
			return []string{fmt.Sprintf("+QTONEDET: %d", key)}
		},
		sounds: func(m *Modem) bool { return m.term.Values["pcm"] == "1,0" },
	}
}

func (m *Modem) quectelState(v *radio.Call) (lines []string) {
	if m.term.Values["^DSCI"] == "1" {
		stat := map[int]int{radio.Active: 3, radio.Held: 1, radio.Dialling: 2, radio.Alerting: 7, radio.Incoming: 4, radio.Waiting: 5, radio.Ended: 6}[v.Stat]
		lines = append(lines, fmt.Sprintf("^DSCI: %d,%d,%d,0,%s,%d,0", v.ID, v.Dir(), stat, v.Number, v.Type()))
	}
	if m.inds["ccinfo"] {
		lines = append(lines, fmt.Sprintf(`+QIND: "ccinfo",%d,%d,%d,0,%d,%q,%d`, v.ID, v.Dir(), v.Stat, one(v.Mpty), v.Number, v.Type()))
	}
	return lines
}

func (m *Modem) quectelCommands() map[string]at.Verb {
	pinTries := func() at.Answer {
		return at.Say(fmt.Sprintf(`+QPINC: "SC",%d,10`, m.card.Tries()), `+QPINC: "P2",3,10`)
	}
	choose := func(is bool, yes, no string) at.Answer { return at.Say(map[bool]string{true: yes, false: no}[is]) }
	return map[string]at.Verb{
		"+QGMR":     at.Fixed(m.o.Firmware + "_01.001.01.001"),
		"+QPINC":    {Test: `("SC","P2")`, Read: pinTries, Set: func(string) at.Answer { return pinTries() }},
		"+QCCID":    m.card.ID("+QCCID: "),
		"+QINISTAT": {Exec: func() at.Answer { return choose(m.card.State() == card.Ready, "+QINISTAT: 7", "+QINISTAT: 0") }},
		"+QSIMSTAT": {Read: func() at.Answer { return choose(m.card.State() == card.Absent, "+QSIMSTAT: 0,0", "+QSIMSTAT: 0,1") }},
		"+QCSQ":     {Exec: func() at.Answer { return choose(m.regd, `+QCSQ: "LTE",67,-97,146,-10`, `+QCSQ: "NOSERVICE"`) }},
		"+QNWINFO": {Exec: func() at.Answer {
			return choose(m.regd, `+QNWINFO: "FDD LTE","26299","LTE BAND 3",1300`, "+QNWINFO: No Service")
		}},
		"+QLTS": {Exec: func() at.Answer {
			return at.Say(`+QLTS: "` + time.Now().UTC().Format("2006/01/02,15:04:05") + `+00,0"`)
		}},
		"+QHUP":    {Set: m.qhup},
		"+QVTS":    {Set: m.sendKeys},
		"+QPCMV":   {Test: "(0,1),(0-2)", Read: func() at.Answer { return at.Say("+QPCMV: " + m.term.Values["pcm"]) }, Set: m.qpcmv},
		"+QPOWD":   {Test: "(0,1)", Exec: m.qpowd, Set: func(string) at.Answer { return m.qpowd() }},
		"+QINDCFG": {Test: `"all","csq","smsfull","ring","smsincoming","act","ccinfo",(0,1),(0,1)`, Set: m.qindcfg},
		"+QURCCFG": {Test: `"urcport",("usbat","usbmodem","uart1")`, Set: qurccfg},
		"+QCFG":    {Set: qcfg}, "+QMBNCFG": at.Taken(), "+QGPSCFG": at.Taken(),
	}
}

func (m *Modem) qpowd() at.Answer { return m.powerDown("POWERED DOWN") }

func (m *Modem) qpcmv(args string) at.Answer {
	now := m.term.Values["pcm"]
	switch args {
	case "0":
	case "1,0", "1,2":
		if now != "0" && now != args {
			return at.Fail(at.ErrSyntax) // from one way to the other only over 0
		}
	default:
		return at.Fail(at.BadParameter)
	}
	m.term.Values["pcm"] = args
	m.uplink.Open(m.ticking && args == "1,0")
	return at.OK()
}

func (m *Modem) qindcfg(args string) at.Answer {
	f := at.Fields(args)
	on, known := m.inds[f[0]]
	switch {
	case !known:
		return at.Fail(at.ErrSyntax)
	case len(f) == 1:
		return at.Say(fmt.Sprintf("+QINDCFG: %q,%d", f[0], one(on)))
	case f[1] != "0" && f[1] != "1":
		return at.Fail(at.BadParameter)
	}
	m.inds[f[0]] = f[1] == "1"
	return at.OK()
}

func qurccfg(args string) at.Answer {
	f := at.Fields(args)
	switch {
	case f[0] != "urcport":
		return at.Fail(at.ErrSyntax)
	case len(f) == 1:
		return at.Say(`+QURCCFG: "urcport","usbat"`)
	case !slices.Contains([]string{"usbat", "usbmodem", "uart1", "all"}, f[1]):
		return at.Fail(at.BadParameter)
	}
	return at.OK()
}

func qcfg(args string) at.Answer {
	f := at.Fields(args)
	known := map[string]string{
		"ims": "1,1", "usbcfg": "0x2C7C,0x0125,1,1,1,1,1,0,0", "urc/ri/ring": `"pulse",120,1000,5000,"off",1`, "nwscanmode": "0", "servicedomain": "2",
	}
	value, is := known[strings.ToLower(f[0])]
	if !is {
		return at.Fail(at.ErrSyntax)
	}
	if len(f) == 1 {
		return at.Say(fmt.Sprintf("+QCFG: %q,%s", f[0], value))
	}
	return at.OK()
}

// qhup is AT+QHUP=<cause>[,<idx>].
func (m *Modem) qhup(args string) at.Answer {
	f := at.Fields(args)
	why, known := radio.CauseOf(f[0])
	if !known || len(f) > 2 {
		return at.Fail(at.BadParameter)
	}
	var over []*radio.Call
	for _, v := range m.calls.All() {
		if len(f) == 1 || f[1] == "0" || f[1] == strconv.Itoa(v.ID) {
			over = append(over, v)
			m.calls.End(v, why)
			m.lastEnd = why
		}
	}
	if len(f) == 2 && f[1] != "0" && len(over) == 0 {
		return at.Fail(at.NotAllowed)
	}
	return at.Answer{After: func() {
		for _, v := range over {
			m.stateOf(v)
		}
	}}
}
