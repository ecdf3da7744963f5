package module

import (
	"strconv"
	"strings"

	"branchline/drivers/atmodem"
)

// ec25 is Quectel's EC2x family with serial PCM.
func ec25() Profile {
	return Profile{
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
		PIN:      PIN{Query: "AT+QPINC?", Expect: "+QPINC:", At: 1},
		SoundOn:  "AT+QPCMV=1,0",
		SoundOff: "AT+QPCMV=0",
		Read:     quectelNews,
	}
}

func quectelNews(line string) Heard {
	if strings.HasPrefix(line, "+QTONEDET:") { // n, the key's ASCII code
		n, ok := Numbers(atmodem.Fields(line), 1)
		if !ok || n[0] > 'D' || !isKey(byte(n[0])) {
			return Heard{}
		}
		return Heard{What: Tone, Key: byte(n[0])}
	}
	e, voice, ok := quectelCall(line)
	return heardCall(e, voice, ok)
}

// heardCall is the report of one call; one about a data bearer is of no use.
func heardCall(e Entry, voice, ok bool) Heard {
	switch {
	case !ok || !voice:
		return Heard{}
	case e.Stat == Ended:
		return Heard{What: Over, Entry: e}
	default:
		return Heard{What: Call, Entry: e}
	}
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
