package module

import (
	"strings"
	"testing"

	"branchline/drivers/atmodem"
	"branchline/hal"
)

func TestModuleIsKnownByWhatItSaysOfItself(t *testing.T) {
	for _, c := range []struct{ maker, model, want string }{
		{"Quectel", "EC25", "ec25"}, {"Quectel", "EG25-G", "ec25"},
		{"SIMCOM INCORPORATED", "SIMCOM_SIM7600E-H", "sim7600"}, {"SIMCOM INCORPORATED", "SIM7600SA", "sim7600"},
		{"huawei", "E173", "e17x"}, {"Huawei", "E1550", "e17x"}, {"huawei", "K3715", "e17x"},
	} {
		if p, err := Find("", c.maker, c.model); err != nil || p.Name != c.want {
			t.Errorf("%s %s: %q, %v", c.maker, c.model, p.Name, err)
		}
	}
	if p, err := Find("e17x", "", ""); err != nil || p.Name != "e17x" {
		t.Errorf("by name: %q, %v", p.Name, err)
	}
}

func TestModuleThatCannotBeUsedIsRefusedInWords(t *testing.T) {
	for _, c := range []struct{ maker, model, want string }{
		{"Fibocom", "L610", `the module "Fibocom" "L610" is not known; the box drives Quectel EC25`},
		{"Quectel", "BG96", "is not known"}, {"", "", "does not say what it is"},
		{"SIMCOM INCORPORATED", "SIMCOM_SIM7070G", "carries no voice calls"},
		{"SIMCOM INCORPORATED", "A7670E-FASE", "analogue"}, {"SIMCOM INCORPORATED", "SIM7670G", "no voice"},
	} {
		_, err := Find("", c.maker, c.model)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v, want %s", c.maker, c.model, err, c.want)
		}
	}
	if _, err := Find("nonesuch", "Quectel", "EC25"); err == nil {
		t.Error("a name that is none is taken")
	}
}

func TestLinesOfSIMComAreRead(t *testing.T) {
	for line, want := range map[string]Heard{
		"VOICE CALL: BEGIN":       {What: Changed},
		"VOICE CALL: END: 000041": {What: Over}, "VOICE CALL: END": {What: Over},
		"+RXDTMF: 8": {What: Tone, Key: '8'}, "+RXDTMF: x": {}, "+RXDTMF:": {}, "+CNSMOD: 8": {},
		`+CLCC: 1,1,4,0,0,"+8613",145`:    {What: Call, Entry: Entry{Index: 1, Far: true, Stat: Incoming, Number: "+8613", Named: true}},
		`+CLCC: 1,0,6,0,0,"112",129,"",0`: {What: Over, Entry: Entry{Index: 1, Stat: Ended, Number: "112", Named: true}},
		`+CLCC: 1,0,0,1,0,"",128`:         {}, // a data bearer
	} {
		if got := simcomNews(line); got != want {
			t.Errorf("%s: %+v, want %+v", line, got, want)
		}
	}
}

func TestLinesOfHuaweiAreRead(t *testing.T) {
	for line, want := range map[string]Heard{
		"^ORIG:1,0": {What: Changed}, "^CONF:1": {What: Changed}, "^CONN:1,0": {What: Changed},
		"^CEND:1,0,104,17": {What: Over, Entry: Entry{Index: 1}, Cause: hal.Busy, Wire: "Q.850 17"},
		"^CEND:1,12,29,16": {What: Over, Entry: Entry{Index: 1}, Cause: hal.Normal, Wire: "Q.850 16"},
		"^CEND:2,0,21":     {What: Over, Entry: Entry{Index: 2}, Cause: hal.Congestion, Wire: "CEND 21"},
		"^CEND:1,0,104":    {What: Over, Entry: Entry{Index: 1}, Wire: "CEND 104"},
		"^CEND:":           {}, "^CEND:1": {}, "^RSSI:18": {}, "^MODE:5,4": {},
		"^DDTMF:5": {What: Tone, Key: '5'}, "^DDTMF: #": {What: Tone, Key: '#'}, "^DDTMF:": {},
	} {
		if got := huaweiNews(line); got != want {
			t.Errorf("%s: %+v, want %+v", line, got, want)
		}
	}
}

func TestTriesOfThePINAreReadAsEachMakeTellsThem(t *testing.T) {
	for line, want := range map[string]int{
		`+QPINC: "SC",2,10`: 2, "+SPIC: 1,10,3,10": 1, "^CPIN: SIM PIN,3,10,2,10,3": 2, "^CPIN: SIM PIN,,10,2,10,3": 2,
		"+QPINC:": -1, "+SPIC: x": -1, "^CPIN: SIM PIN": -1,
	} {
		for _, p := range Profiles() {
			if strings.HasPrefix(line, p.PIN.Expect) {
				if got := p.PIN.Left(atmodem.Fields(line)); got != want {
					t.Errorf("%s: %d, want %d", line, got, want)
				}
			}
		}
	}
}

func TestFirmwareWithAFaultIsWarnedOf(t *testing.T) {
	if w := sim7600().Warning("LE20B06SIM7600M22"); !strings.Contains(w, "hear nothing") {
		t.Errorf("LE20B06: %q", w)
	}
	if w := sim7600().Warning("LE20B05SIM7600M22"); w != "" {
		t.Errorf("LE20B05: %q", w)
	}
}
