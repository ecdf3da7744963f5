package gsm

import (
	"slices"
	"testing"
)

func TestRingMendsClocksThatDrift(t *testing.T) {
	for _, c := range []struct {
		name             string
		in               int // samples that come per 20 ms
		dropped, repeats bool
	}{{"equal", 160, false, false}, {"the wire is faster", 162, true, false}, {"the wire is slower", 158, false, true}} {
		t.Run(c.name, func(t *testing.T) {
			r := new(ring)
			pcm := make([]int16, frame)
			silent := 0
			for i := range 3000 {
				r.push(make([]int16, c.in))
				if r.pop(pcm) == 0 && i > 5 {
					silent++
				}
				if fill := r.in.Load() - r.out.Load(); fill > ringHigh+2*frame {
					t.Fatalf("%d samples wait: the sound is late", fill)
				}
			}
			if got := r.dropped.Load() > 0; got != c.dropped {
				t.Errorf("dropped %d samples", r.dropped.Load())
			}
			if got := r.repeated.Load() > 0; got != c.repeats {
				t.Errorf("repeated %d frames", r.repeated.Load())
			}
			if silent > 60 {
				t.Errorf("silent for %d of 3000 frames", silent)
			}
		})
	}
}

func TestRingGivesBackWhatWasPutIn(t *testing.T) {
	r := new(ring)
	var in, out []int16
	pcm := make([]int16, frame)
	for i := range 500 {
		f := make([]int16, frame)
		for j := range f {
			f[j] = int16(i*frame + j)
		}
		in = append(in, f...)
		r.push(f)
		out = append(out, pcm[:r.pop(pcm)]...)
	}
	if !slices.Equal(out, in[:len(out)]) || len(in)-len(out) > ringStart {
		t.Errorf("%d samples in, %d out, and not the same", len(in), len(out))
	}
}

func TestFullRingDropsAndCounts(t *testing.T) {
	r := new(ring)
	if n := r.push(make([]int16, ringSize+100)); n != ringSize || r.dropped.Load() != 100 {
		t.Errorf("took %d, dropped %d", n, r.dropped.Load())
	}
}

func TestSoundPathDoesNotAllocate(t *testing.T) {
	s := new(sound)
	pcm := make([]int16, frame)
	if n := testing.AllocsPerRun(1000, func() {
		s.fromWire.push(pcm)
		s.Read(pcm)
		s.Write(pcm)
		s.toWire.pop(pcm)
	}); n != 0 {
		t.Errorf("%v allocations per frame", n)
	}
}

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
