package module

import "testing"

func TestCallListIsReadAsModulesWriteIt(t *testing.T) {
	for _, c := range []struct {
		line  string
		want  Entry
		voice bool
		ok    bool
	}{
		{`+CLCC: 1,0,0,1,0,"",128`, Entry{Index: 1}, false, true},
		{`+CLCC: 2,1,4,0,0,"0912",129`, Entry{Index: 2, Far: true, Stat: Incoming, Number: "0912", Named: true}, true, true},
		{`+CLCC: 2,1,4,0,0,"886912",145,"",0`, Entry{Index: 2, Far: true, Stat: Incoming, Number: "+886912", Named: true}, true, true},
		{`+CLCC: 1,0,3,0,0`, Entry{Index: 1, Stat: Alerting}, true, true},
		{`+CLCC: 1,0,6,0,0`, Entry{Index: 1, Stat: Ended}, true, true},
		{`+CLCC: 1,0,7,0,0`, Entry{}, false, false},
		{`+CLCC: 1,0,3`, Entry{}, false, false},
		{`+CLCC: x,0,3,0,0`, Entry{}, false, false},
	} {
		got, voice, ok := Listed(c.line)
		if got != c.want || voice != c.voice || ok != c.ok {
			t.Errorf("%s: %+v %v %v", c.line, got, voice, ok)
		}
	}
}

func TestReportsOfOneCallAreReadAsModulesWriteThem(t *testing.T) {
	for line, want := range map[string]Entry{
		`^DSCI: 2,1,4,0,0912,129`:                {Index: 2, Far: true, Stat: Incoming, Number: "0912", Named: true},
		`^DSCI: 2,0,7,0,0912,129`:                {Index: 2, Stat: Alerting, Number: "0912", Named: true},
		`^DSCI: 2,0,3,0,,129`:                    {Index: 2, Stat: Active},
		`^DSCI: 2,1,6,0,0912,129`:                {Index: 2, Far: true, Stat: Ended, Number: "0912", Named: true},
		`+QIND: "ccinfo",2,0,-1,0,0,"0912",129`:  {Index: 2, Stat: Ended, Number: "0912", Named: true},
		`+QIND: "ccinfo",3,1,4,0,0,"886912",145`: {Index: 3, Far: true, Stat: Incoming, Number: "+886912", Named: true},
	} {
		if got, voice, ok := quectelCall(line); got != want || !voice || !ok {
			t.Errorf("%s: %+v %v %v", line, got, voice, ok)
		}
	}
	for _, line := range []string{"^DSCI: ", `+QIND: "csq",20,99`, "^DSCI: 1,0,9,0,,129", `+QIND: "ccinfo",1`} {
		if got, _, ok := quectelCall(line); ok {
			t.Errorf("%s: taken as %+v", line, got)
		}
	}
}

func TestRegistrationIsToldApartByItsShape(t *testing.T) {
	for line, want := range map[string]int{
		"+CREG: 2,1":                 1,
		"+CREG: 3":                   3,
		`+CREG: 1,"00C3","1A2B",7`:   1,
		`+CREG: 2,5,"00C3","1A2B",7`: 5,
		"+CREG: 2,1,  0 5, 2715":     1,
		"+CREG: 2,,":                 2,
		"+CREG: 2,001":               2,
		`+CREG: 0,1,"05","2715"`:     1,
		"+CEREG: 5,00C3,00002715,7":  5,
		`+CREG: 1,"05","2715"`:       1,
	} {
		if got, ok := Registration(line); got != want || !ok {
			t.Errorf("%s: %d %v, want %d", line, got, ok, want)
		}
	}
	for _, line := range []string{"+CREG:", "+CREG: x", "+CREG: 99", "+CREG"} {
		if got, ok := Registration(line); ok {
			t.Errorf("%s: taken as %d", line, got)
		}
	}
}
