package gsm

import (
	"strconv"
	"strings"

	"branchline/drivers/atmodem"
)

// profile is all that is peculiar to one family of modules. The state machine asks it and never the
// name of a maker.
type profile struct {
	name   string   // what Options.Profile may say
	maker  string   // beginning of the AT+CGMI answer
	models []string // beginnings of the AT+CGMM answer

	init  []string // set-up beyond 3GPP; what a firmware refuses is passed over
	news  []string // beginnings of its unsolicited lines
	boots []string // lines that say: the module has started anew, all set-up is lost

	pinTries          string // query for the PIN tries left, "" if there is none
	soundOn, soundOff string // what opens and shuts the sound port
	call              func(line string) (e entry, voice, ok bool)
	tone              func(line string) (key byte, ok bool)
}

func profiles() []profile {
	return []profile{{
		name:   "ec25",
		maker:  "Quectel",
		models: []string{"EC25", "EC20", "EC21", "EG25"},
		init: []string{
			`AT+QURCCFG="urcport","usbat"`,
			"AT^DSCI=1", // and not QINDCFG "ccinfo" too: each call would be told twice
			`AT+QINDCFG="csq",1,0`, `AT+QINDCFG="act",1,0`,
			"AT+QTONEDET=1",
			`AT+QGPSCFG="outport","none"`, // the position would come on the sound port
			"AT+QAUDMOD=3",                // serial PCM; value from reports, not from the manual
			"AT+QPCMV=0",
		},
		news: []string{"^DSCI:", "+QIND:", "+QTONEDET:", "+QPCMV:", "+QUSIM:", "MISSED_CALL:", "MISSED_CALL",
			"RDY", "POWERED DOWN", "NORMAL POWER DOWN"},
		boots:    []string{"RDY", "POWERED DOWN", "NORMAL POWER DOWN"},
		pinTries: "AT+QPINC?",
		soundOn:  "AT+QPCMV=1,0",
		soundOff: "AT+QPCMV=0",
		call:     quectelCall,
		tone:     quectelTone,
	}}
}

// profileOf finds the profile of a module, by name if one is given.
func profileOf(name, maker, model string) (profile, bool) {
	for _, p := range profiles() {
		if name != "" && p.name == name {
			return p, true
		}
		if name != "" || !strings.HasPrefix(maker, p.maker) {
			continue
		}
		for _, m := range p.models {
			if strings.HasPrefix(model, m) {
				return p, true
			}
		}
	}
	return profile{}, false
}

// quectelCall reads ^DSCI: id,dir,stat,type,number,ntype and +QIND: "ccinfo",idx,dir,state,mode,
// mpty,"num",ntype. DSCI has its own numbers for connected, alerting and ended; -1 is QIND's released.
func quectelCall(line string) (e entry, voice, ok bool) {
	f := atmodem.Fields(line)
	own := strings.HasPrefix(line, "^DSCI:")
	at := 4 // where the number stands
	if !own {
		if len(f) < 6 || f[0] != "ccinfo" {
			return entry{}, false, false
		}
		f, at = f[1:], 5
		if f[2] == "-1" {
			f[2] = strconv.Itoa(int(ended))
		}
	}
	n, ok := numbers(f, 4)
	if !ok || n[0] < 1 || n[1] > 1 {
		return entry{}, false, false
	}
	e = entry{index: n[0], far: n[1] == 1, stat: stat(n[2])}
	switch {
	case own && n[2] == 3:
		e.stat = active
	case own && n[2] == 7:
		e.stat = alerting
	case e.stat > ended:
		return entry{}, false, false
	}
	if len(f) >= at+2 {
		e.number = number(f[at], f[at+1])
		e.named = e.number != ""
	}
	return e, n[3] == 0, true
}

// quectelTone reads +QTONEDET: n, n being the key's ASCII code.
func quectelTone(line string) (key byte, ok bool) {
	n, ok := numbers(atmodem.Fields(line), 1)
	if !ok || n[0] > 'D' || !isKey(byte(n[0])) {
		return 0, false
	}
	return byte(n[0]), true
}

func isKey(k byte) bool { return strings.IndexByte("0123456789*#ABCD", k) >= 0 }
