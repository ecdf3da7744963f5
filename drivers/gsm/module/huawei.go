package module

import (
	"fmt"
	"strings"

	"branchline/drivers/atmodem"
	"branchline/hal"
)

// e17x is Huawei's 2G and 3G USB sticks with a voice port.
func e17x() Profile {
	return Profile{
		Name:   "e17x",
		Maker:  "huawei",
		Models: []string{"E17", "E15", "E16", "K37", "K35"},
		Init: []string{
			"AT^CURC=1",    // 0 silences the reports of calls too, on some
			"AT^U2DIAG=0",  // no CD-ROM; it stays so
			"AT^PORTSEL=1", // reports come on this port
			"AT^DDTMFCFG=0,1",
		},
		Must: []Must{{"AT^CVOICE?", "^CVOICE:0,", "the module's voice is locked by its seller: it carries data only until it is unlocked"}},
		News: []string{"^ORIG:", "^CONF:", "^CONN:", "^CEND:", "^DDTMF:",
			"^RSSI:", "^MODE:", "^SRVST:", "^SIMST:", "^BOOT:", "^SMMEMFULL:", "^RFSWITCH:", "^STIN:", "^DSFLOWRPT:", "^CSNR:"},
		PIN:       PIN{Query: "AT^CPIN?", Expect: "^CPIN:", At: 3},
		SoundOn:   "AT^DDSETEX=2",
		SoundLate: true, // before ^CONN there is no sound, though it says OK
		Read:      huaweiNews,
		Press:     func(index int, key byte) string { return fmt.Sprintf("AT^DTMF=%d,%c", index, key) },
	}
}

// huaweiNews: the reports of calls do not tell who called whom, so they only say that AT+CLCC has
// news; ^CEND:<id>,<seconds>,<end status>[,<Q.850 cause>] says why, as AT+CEER of these does not.
func huaweiNews(line string) Heard {
	f := atmodem.Fields(line)
	prefix, _, _ := strings.Cut(line, ":")
	switch prefix {
	case "^ORIG", "^CONF", "^CONN":
		return Heard{What: Changed}
	case "^DDTMF":
		if len(f) > 0 && len(f[0]) == 1 && isKey(f[0][0]) {
			return Heard{What: Tone, Key: f[0][0]}
		}
	case "^CEND":
		n, ok := Numbers(f, 3)
		if !ok {
			return Heard{}
		}
		h := Heard{What: Over, Entry: Entry{Index: n[0]}, Cause: causeOfStatus(n[2]), Wire: fmt.Sprintf("CEND %d", n[2])}
		if q, ok := Numbers(f[3:], 1); ok {
			h.Cause, h.Wire = CauseOfNumber(q[0]), fmt.Sprintf("Q.850 %d", q[0])
		}
		return h
	}
	return Heard{}
}

// causeOfStatus reads the end status of ^CEND where no cause of the network follows it.
func causeOfStatus(status int) hal.Cause {
	switch status {
	case 0, 21, 24: // offline, no service, reorder
		return hal.Congestion
	case 22: // fade
		return hal.Unreachable
	}
	return ""
}
