package module

import (
	"strings"
	"time"
)

// Wish is what a SIM wants before it is of use.
type Wish int

// The wishes.
const (
	Wait Wish = iota
	NoWish
	WantsPIN
)

// SIM reads the answer of AT+CPIN?: what it said, or the number of its +CME ERROR. Where it is to be
// waited for, why tells a person why, and again after which time to ask once more. Error numbers: 3GPP
// TS 27.007 clause 9.2; 515 is the makers' "please wait".
func SIM(says string, code int) (w Wish, why string, again time.Duration) {
	switch {
	case code < 0 && says == "READY":
		return NoWish, "", 0
	case says == "SIM PIN" || code == 11:
		return WantsPIN, "", 0
	case strings.HasPrefix(says, "SIM PUK") || code == 12:
		return Wait, "the SIM is locked and wants its PUK: put it into a telephone and unlock it there", 30 * time.Second
	case says == "NOT INSERTED" || code == 10:
		return Wait, "there is no SIM in the slot", 5 * time.Second
	case code == 13 || code == 15:
		return Wait, "the SIM does not work: is it the right way round?", 10 * time.Second
	case says != "" && says != "NOT READY":
		return Wait, "the SIM wants something that the box does not know: " + says, 30 * time.Second
	default: // 14 busy, 515, no answer
		return Wait, "the SIM is not ready yet", time.Second
	}
}

// IsPIN tells whether pin can be one; another would only spend a try.
func IsPIN(pin string) bool {
	return len(pin) >= 4 && len(pin) <= 8 && strings.Trim(pin, "0123456789") == ""
}

// HasNetwork tells whether a network carries our calls, from what +CREG and +CEREG said last; where
// none does, why tells a person why: 3GPP TS 27.007 clause 7.2.
func HasNetwork(said map[string]int) (has bool, why string) {
	why = "searching for a network: is the antenna plugged in?"
	for _, name := range []string{"+CEREG", "+CREG"} {
		switch said[name] {
		case 1, 5: // home, roaming
			has = true
		case 3:
			why = "the network refuses this SIM"
		case 6, 7:
			why = "the network carries only texts for this SIM"
		case 8, 11:
			why = "the network allows emergency calls only"
		}
	}
	return has, why
}

// Bare is an answer without the prefix that some modules put before it: "+CGMI: ".
func Bare(line string) string {
	if strings.HasPrefix(line, "+") {
		_, line, _ = strings.Cut(line, ":")
	}
	return strings.Trim(line, ` "`)
}
