package modem

import (
	"fmt"
	"strings"
	"time"

	"branchline/board/sim/modem/at"
	"branchline/board/sim/modem/radio"
	"branchline/hal"
)

// simcom is a SIM7600 with PCM over USB, by SIMCom's SIM7500_SIM7600 Series AT Command Manual.
func simcom() maker {
	return maker{
		name: "SIMCOM INCORPORATED", model: "SIMCOM_SIM7600E-H", firmware: "LE20B05SIM7600M22", revision: "+CGMR: ",
		newsEnd: "\r\r\n",
		boot: boot{
			power: []string{"RDY"}, sim: true, texts: []string{"SMS DONE"}, book: []string{"PB DONE"},
		},
		registers: []string{"+CREG", "+CGREG", "+CEREG"}, access: "7", missedCall: true, endFirst: true,
		settings: []setting{
			{"+DDET", "(0,1)", "0"}, {"+CPCMFRM", "(0,1)", "0"}, {"+CNSMOD", "(0,1)", "0"}, {"+CSDVC", "(1,3)", "1"},
			{"+CMICGAIN", "(0-8)", "3"}, {"+COUTGAIN", "(0-8)", "4"},
		},
		lacks:    []string{"+CCID", "+ICCID"},
		commands: (*Modem).simcomCommands,
		changed:  (*Modem).simcomState,
		ended:    (*Modem).simcomEnd,
		tone: func(m *Modem, key byte) []string {
			if m.term.Values["+DDET"] != "1" {
				return nil
			}
			return []string{fmt.Sprintf("+RXDTMF: %c", key)}
		},
		sounds: func(m *Modem) bool { return m.term.Values["pcm"] == "1" && m.term.Values["+CPCMFRM"] == "0" },
	}
}

func (m *Modem) simcomCommands() map[string]at.Verb {
	return map[string]at.Verb{
		"I": {Exec: func() at.Answer {
			return at.Say("Manufacturer: SIMCOM INCORPORATED", "Model: SIMCOM_SIM7600E-H", "Revision: "+m.o.Firmware, "IMEI: "+m.o.IMEI, "+GCAP: +CGSM")
		}},
		"+CICCID": m.card.ID("+ICCID: "),
		"+SPIC":   {Exec: func() at.Answer { return at.Say(fmt.Sprintf("+SPIC: %d,10,3,10", m.card.Tries())) }},
		"+CLCC": {Test: "(0-1)", Exec: func() at.Answer { return at.Say(m.listCalls()...) },
			Read: func() at.Answer { return at.Say("+CLCC: " + m.term.Values["clcc"]) },
			Set: func(args string) at.Answer {
				if args != "0" && args != "1" {
					return at.Fail(at.BadParameter)
				}
				m.term.Values["clcc"] = args
				return at.OK()
			}},
		"+CPCMREG": {Test: "(0-1)", Read: func() at.Answer { return at.Say("+CPCMREG: " + m.pcmreg()) }, Set: m.setPCMREG},
		"+CPSI": {Read: func() at.Answer {
			if m.regd {
				return at.Say("+CPSI: LTE,Online,262-99,0x1A2B,27447269,257,EUTRAN-BAND3,1300,5,5,-97,-970,-670,11")
			}
			return at.Say("+CPSI: NO SERVICE,Online")
		}},
		"+CRESET": {Exec: func() at.Answer { return at.Answer{After: m.restart} }},
		"+CPOF":   {Exec: func() at.Answer { return m.powerDown("NORMAL POWER DOWN") }},
	}
}

func (m *Modem) pcmreg() string {
	if m.term.Values["pcm"] == "1" {
		return "1"
	}
	return "0"
}

// setPCMREG opens the sound port, in a call alone.
func (m *Modem) setPCMREG(args string) at.Answer {
	switch {
	case args != "0" && args != "1":
		return at.Fail(at.BadParameter)
	case args == "1" && (m.calls.In(radio.Active, radio.Held) == nil || m.stuckSound):
		return at.Fail(at.ErrSyntax)
	}
	m.term.Values["pcm"] = args
	m.uplink.Open(m.ticking && m.make.sounds(m))
	return at.OK()
}

func (m *Modem) simcomState(v *radio.Call) (lines []string) {
	if v.Stat == radio.Active && v.Began.IsZero() {
		v.Began = time.Now()
		lines = append(lines, "VOICE CALL: BEGIN")
	}
	return append(lines, m.simcomCLCC(v)...)
}

// simcomCLCC is the call as AT+CLCC=1 tells it; 6 is over.
func (m *Modem) simcomCLCC(v *radio.Call) []string {
	if m.term.Values["clcc"] != "1" {
		return nil
	}
	return []string{strings.Replace(clcc(v), fmt.Sprintf(",%d,0,", radio.Ended), ",6,0,", 1)}
}

func (m *Modem) simcomEnd(v *radio.Call, _ hal.Cause, _ bool) []string {
	m.term.Values["pcm"] = "0"
	end := "VOICE CALL: END"
	if v.Answered {
		end = fmt.Sprintf("VOICE CALL: END: %06d", int(time.Since(v.Began).Seconds()))
	}
	return append([]string{end}, m.simcomCLCC(v)...)
}
