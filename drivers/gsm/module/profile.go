// Package module is what differs between makes of GSM and LTE modules, and how what they write is
// read: their profiles, calls, numbers and causes. It is words in and values out; it has no state.
// Start reading at Profile.
package module

import (
	"strconv"
	"strings"

	"branchline/drivers/atmodem"
)

// Profile is all that is peculiar to one family of modules. The state machine asks it and never the
// name of a maker.
type Profile struct {
	Name   string   // what Options.Profile may say
	Maker  string   // beginning of the AT+CGMI answer
	Models []string // beginnings of the AT+CGMM answer

	Init  []string // set-up beyond 3GPP; what a firmware refuses is passed over
	News  []string // beginnings of its unsolicited lines
	Boots []string // lines that say: the module has started anew, all set-up is lost

	PINTries          string // query for the PIN tries left, "" if there is none
	SoundOn, SoundOff string // what opens and shuts the sound port
	Call              func(line string) (e Entry, voice, ok bool)
	Tone              func(line string) (key byte, ok bool)
}

// Profiles is all that are known.
func Profiles() []Profile {
	return []Profile{{
		Name:   "ec25",
		Maker:  "Quectel",
		Models: []string{"EC25", "EC20", "EC21", "EG25"},
		Init: []string{
			`AT+QURCCFG="urcport","usbat"`,
			"AT^DSCI=1", // and not QINDCFG "ccinfo" too: each call would be told twice
			`AT+QINDCFG="csq",1,0`, `AT+QINDCFG="act",1,0`,
			"AT+QTONEDET=1",
			`AT+QGPSCFG="outport","none"`, // the position would come on the sound port
			"AT+QAUDMOD=3",                // serial PCM; value from reports, not from the manual
			"AT+QPCMV=0",
		},
		News: []string{"^DSCI:", "+QIND:", "+QTONEDET:", "+QPCMV:", "+QUSIM:", "MISSED_CALL:", "MISSED_CALL",
			"RDY", "POWERED DOWN", "NORMAL POWER DOWN"},
		Boots:    []string{"RDY", "POWERED DOWN", "NORMAL POWER DOWN"},
		PINTries: "AT+QPINC?",
		SoundOn:  "AT+QPCMV=1,0",
		SoundOff: "AT+QPCMV=0",
		Call:     quectelCall,
		Tone:     quectelTone,
	}}
}

// Find finds the profile of a module, by name if one is given.
func Find(name, maker, model string) (Profile, bool) {
	for _, p := range Profiles() {
		if name != "" && p.Name == name {
			return p, true
		}
		if name != "" || !strings.HasPrefix(maker, p.Maker) {
			continue
		}
		for _, m := range p.Models {
			if strings.HasPrefix(model, m) {
				return p, true
			}
		}
	}
	return Profile{}, false
}

// quectelCall reads ^DSCI: id,dir,stat,type,number,ntype and +QIND: "ccinfo",idx,dir,state,mode,
// mpty,"num",ntype. DSCI has its own numbers for connected, alerting and ended; -1 is QIND's released.
func quectelCall(line string) (e Entry, voice, ok bool) {
	f := atmodem.Fields(line)
	own := strings.HasPrefix(line, "^DSCI:")
	at := 4 // where the number stands
	if !own {
		if len(f) < 6 || f[0] != "ccinfo" {
			return Entry{}, false, false
		}
		f, at = f[1:], 5
		if f[2] == "-1" {
			f[2] = strconv.Itoa(int(Ended))
		}
	}
	n, ok := Numbers(f, 4)
	if !ok || n[0] < 1 || n[1] > 1 {
		return Entry{}, false, false
	}
	e = Entry{Index: n[0], Far: n[1] == 1, Stat: Stat(n[2])}
	switch {
	case own && n[2] == 3:
		e.Stat = Active
	case own && n[2] == 7:
		e.Stat = Alerting
	case e.Stat > Ended:
		return Entry{}, false, false
	}
	if len(f) >= at+2 {
		e.Number = Number(f[at], f[at+1])
		e.Named = e.Number != ""
	}
	return e, n[3] == 0, true
}

// quectelTone reads +QTONEDET: n, n being the key's ASCII code.
func quectelTone(line string) (key byte, ok bool) {
	n, ok := Numbers(atmodem.Fields(line), 1)
	if !ok || n[0] > 'D' || !isKey(byte(n[0])) {
		return 0, false
	}
	return byte(n[0]), true
}

func isKey(k byte) bool { return strings.IndexByte("0123456789*#ABCD", k) >= 0 }
