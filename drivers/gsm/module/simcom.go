package module

import (
	"strings"

	"branchline/drivers/atmodem"
)

// sim7600 is SIMCom's SIM7500 and SIM7600 with PCM on a USB port.
func sim7600() Profile {
	return Profile{
		Name:   "sim7600",
		Maker:  "SIMCOM",
		Models: []string{"SIM7600", "SIM7500"},
		Init: []string{
			"AT+CLCC=1", // each change of a call comes as a +CLCC line too
			"AT+DDET=1", "AT+CNSMOD=1",
			"AT+CPCMFRM=0", // 8 kHz
			"AT+CPCMREG=0",
		},
		Warns: map[string]string{"LE20B06": "this firmware is known not to take the sound that we send: callers may hear nothing; LE20B05 does"},
		News: []string{"VOICE CALL:", "+RXDTMF:", "MISSED_CALL:", "MISSED_CALL", "+CNSMOD:", "+CPCMREG:", "SMS DONE", "PB DONE",
			"+SIMCARD:", "RDY", "POWER DOWN", "NORMAL POWER DOWN"},
		Boots:     []string{"RDY", "POWER DOWN", "NORMAL POWER DOWN"},
		PIN:       PIN{Query: "AT+SPIC", Expect: "+SPIC:"},
		SoundOn:   "AT+CPCMREG=1",
		SoundOff:  "AT+CPCMREG=0",
		SoundLate: true,        // before VOICE CALL: BEGIN it is an error
		SoundCure: "AT+CRESET", // after a call CPCMREG=1 may stay an error until then: callpilot issue 121
		Read:      simcomNews,
	}
}

func simcomNews(line string) Heard {
	prefix, rest, _ := strings.Cut(line, ":")
	switch prefix {
	case "+CLCC":
		return heardCall(Listed(line))
	case "VOICE CALL": // BEGIN, or END: and its seconds
		if strings.HasPrefix(strings.TrimSpace(rest), "END") {
			return Heard{What: Over}
		}
		return Heard{What: Changed}
	case "+RXDTMF":
		if f := atmodem.Fields(line); len(f) > 0 && len(f[0]) == 1 && isKey(f[0][0]) {
			return Heard{What: Tone, Key: f[0][0]}
		}
	}
	return Heard{}
}
