package modem

import (
	"fmt"
	"strconv"
	"time"

	"branchline/board/sim/modem/at"
	"branchline/board/sim/modem/radio"
	"branchline/hal"
)

// huawei is an E173 with its voice unlocked: 2G and 3G alone. Its commands are those of Huawei's UMTS
// Datacard AT Command Interface Specification and of chan_dongle, its faults those of chan_dongle's BUGS.
func huawei() maker {
	return maker{
		name: "huawei", model: "E173", firmware: "11.126.85.00.209",
		unknown:   "COMMAND NOT SUPPORT",
		registers: []string{"+CREG", "+CGREG"}, access: "2",
		settings: []setting{
			{"^CURC", "(0,1)", "1"}, {"^U2DIAG", "(0,1)", "0"}, {"^PORTSEL", "(0,1)", "1"}, {"^DDTMFCFG", "(0,1),(0,1)", "0,0"},
		},
		lacks:    []string{"+CVHU", "+CCID", "+ICCID", "+VTS", "+VTD", "+CMOD", "+CTZU", "+CTZR", "+CGEREP"},
		commands: (*Modem).huaweiCommands,
		changed:  (*Modem).huaweiState,
		ended:    (*Modem).huaweiEnd,
		tone: func(m *Modem, key byte) []string {
			if m.term.Values["^DDTMFCFG"] != "0,1" {
				return nil
			}
			return m.reports(fmt.Sprintf("^DDTMF:%c", key))
		},
		sounds:     func(m *Modem) bool { return m.term.Values["pcm"] == "2" },
		noiseEvery: 10 * time.Second,
		noise: func(m *Modem) []string {
			return m.reports("^RSSI:18", "^MODE:5,4", "^BOOT:17832914,0,0,0,75")
		},
	}
}

// reports is lines, or nothing where ^CURC=0 has silenced them all.
func (m *Modem) reports(lines ...string) []string {
	if m.term.Values["^CURC"] == "0" {
		return nil
	}
	return lines
}

func (m *Modem) huaweiCommands() map[string]at.Verb {
	return map[string]at.Verb{
		"I": {Exec: func() at.Answer {
			return at.Say("Manufacturer: huawei", "Model: E173", "Revision: "+m.o.Firmware, "IMEI: "+m.o.IMEI, "+GCAP: +CGSM,+DS,+ES")
		}},
		"H":      {Exec: func() at.Answer { return m.hangupAll(hal.Rejected) }},
		"^ICCID": {Read: m.card.ID("^ICCID: ").Exec},
		"^CPIN": {Read: func() at.Answer {
			return at.Say(fmt.Sprintf("^CPIN: %s,%d,10,%d,10,3", m.card.State(), m.card.Tries(), m.card.Tries()))
		}},
		"^CVOICE":  {Test: "(0,1)", Read: m.cvoice, Set: func(string) at.Answer { return m.cvoice() }},
		"^DDSETEX": {Test: "(2)", Set: m.ddsetex},
		"^DTMF":    {Set: m.hisKeys},
		"^SYSINFO": at.Fixed("^SYSINFO:2,3,0,5,1,,4"),
		"+CHLD":    {Test: "(0,1,1x,2,2x,3)", Set: m.fatalCHLD},
	}
}

// cvoice tells the sound's form where voice is allowed.
func (m *Modem) cvoice() at.Answer {
	if m.o.VoiceLocked {
		return at.Fail(at.ErrSyntax)
	}
	return at.Say("^CVOICE:0,8000,16,20")
}

// ddsetex starts the sound of the call that is up. Before that it says OK, and nothing comes of it.
func (m *Modem) ddsetex(args string) at.Answer {
	if args != "2" {
		return at.Fail(at.BadParameter)
	}
	if m.calls.In(radio.Active) != nil {
		m.term.Values["pcm"] = "2"
		m.uplink.Open(m.ticking)
	}
	return at.OK()
}

// hisKeys is AT^DTMF=<call>,<key>.
func (m *Modem) hisKeys(args string) at.Answer {
	f := at.Fields(args)
	id, err := strconv.Atoi(f[0])
	switch {
	case err != nil || len(f) != 2 || len(f[1]) != 1:
		return at.Fail(at.BadParameter)
	case m.calls.ByID(id) == nil || m.calls.ByID(id).Stat != radio.Active:
		return at.Fail(at.NotAllowed)
	}
	return m.sendKeys(f[1])
}

// fatalCHLD is CHLD with its fault: to end one call before the network has confirmed it is the end of
// the firmware, which says nothing more until it loses power.
func (m *Modem) fatalCHLD(args string) at.Answer {
	if len(args) == 2 && args[0] == '1' {
		if v := m.calls.ByID(int(args[1] - '0')); v != nil && v.Stat == radio.Dialling {
			m.term.Mute = true
			return at.OK()
		}
	}
	return m.chld(args)
}

func (m *Modem) huaweiState(v *radio.Call) []string {
	switch v.Stat {
	case radio.Dialling:
		return m.reports(fmt.Sprintf("^ORIG:%d,0", v.ID))
	case radio.Alerting:
		return m.reports(fmt.Sprintf("^CONF:%d", v.ID))
	case radio.Active:
		if v.Began.IsZero() {
			v.Began = time.Now()
			return m.reports(fmt.Sprintf("^CONN:%d,0", v.ID))
		}
	}
	return nil
}

// huaweiEnd is ^CEND:<id>,<seconds>,<end status>,<cause>: status 29 is the client's own end, 104 the
// network's, for which the cause of ITU-T Q.850 says why.
func (m *Modem) huaweiEnd(v *radio.Call, why hal.Cause, far bool) []string {
	m.term.Values["pcm"] = "0"
	status, seconds := 29, 0
	if far {
		status = 104
	}
	if v.Answered {
		seconds = int(time.Since(v.Began).Seconds())
	}
	return m.reports(fmt.Sprintf("^CEND:%d,%d,%d,%d", v.ID, seconds, status, radio.Number(why)))
}
