package at

import "testing"

// FuzzParseLine: a line that parses is made of commands with names, and nothing is lost twice.
func FuzzParseLine(f *testing.F) {
	for _, seed := range []string{"", "E0V1", "+CLIP=1;D123;", "D\"a;b\";+X", "S0?S1=2", "^DSCI=1", "+X=\"a;b\",2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		all, err := ParseLine(line)
		if err != nil {
			return
		}
		n := 0
		for _, c := range all {
			if c.Name == "" {
				t.Errorf("%q: a command without a name in %v", line, all)
			}
			n += len(c.Args)
		}
		if n > len(line) {
			t.Errorf("%q: %d characters of arguments", line, n)
		}
	})
}
