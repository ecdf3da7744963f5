package gsm

import "testing"

func TestCallListIsReadAsModulesWriteIt(t *testing.T) {
	for _, c := range []struct {
		line  string
		want  entry
		voice bool
		ok    bool
	}{
		{`+CLCC: 1,0,0,1,0,"",128`, entry{index: 1}, false, true},
		{`+CLCC: 2,1,4,0,0,"0912",129`, entry{index: 2, far: true, stat: incoming, number: "0912", named: true}, true, true},
		{`+CLCC: 2,1,4,0,0,"886912",145,"",0`, entry{index: 2, far: true, stat: incoming, number: "+886912", named: true}, true, true},
		{`+CLCC: 1,0,3,0,0`, entry{index: 1, stat: alerting}, true, true},
		{`+CLCC: 1,0,6,0,0`, entry{}, false, false},
		{`+CLCC: 1,0,3`, entry{}, false, false},
		{`+CLCC: x,0,3,0,0`, entry{}, false, false},
	} {
		got, voice, ok := listed(c.line)
		if got != c.want || voice != c.voice || ok != c.ok {
			t.Errorf("%s: %+v %v %v", c.line, got, voice, ok)
		}
	}
}

func TestReportsOfOneCallAreReadAsModulesWriteThem(t *testing.T) {
	for line, want := range map[string]entry{
		`^DSCI: 2,1,4,0,0912,129`:                {index: 2, far: true, stat: incoming, number: "0912", named: true},
		`^DSCI: 2,0,7,0,0912,129`:                {index: 2, stat: alerting, number: "0912", named: true},
		`^DSCI: 2,0,3,0,,129`:                    {index: 2, stat: active},
		`^DSCI: 2,1,6,0,0912,129`:                {index: 2, far: true, stat: ended, number: "0912", named: true},
		`+QIND: "ccinfo",2,0,-1,0,0,"0912",129`:  {index: 2, stat: ended, number: "0912", named: true},
		`+QIND: "ccinfo",3,1,4,0,0,"886912",145`: {index: 3, far: true, stat: incoming, number: "+886912", named: true},
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
		if got, ok := registration(line); got != want || !ok {
			t.Errorf("%s: %d %v, want %d", line, got, ok, want)
		}
	}
	for _, line := range []string{"+CREG:", "+CREG: x", "+CREG: 99", "+CREG"} {
		if got, ok := registration(line); ok {
			t.Errorf("%s: taken as %d", line, got)
		}
	}
}
