package at

import "fmt"

// Basic is the commands of V.250. defaults is what ATZ and AT&F do beyond the echo.
func (t *Terminal) Basic(defaults func()) map[string]Verb {
	nothing := Taken()
	only := func(wanted string) Verb {
		return Verb{Exec: OK, Set: func(n string) Answer {
			if n != wanted {
				return Fail(ErrSyntax) // the simulator does not do the other
			}
			return OK()
		}}
	}
	again := func() Answer {
		t.Echo = true
		defaults()
		return OK()
	}
	reset := Verb{Exec: again, Set: func(string) Answer { return again() }}
	verbs := map[string]Verb{
		"E": {Exec: func() Answer { t.Echo = false; return OK() }, Set: func(n string) Answer {
			t.Echo = n != "0"
			return OK()
		}},
		"V": only("1"), "Q": only("0"), "X": nothing, "L": nothing, "M": nothing, "P": nothing, "T": nothing,
		"&C": nothing, "&D": nothing, "&W": nothing, "&S": nothing, "&K": nothing, "Z": reset, "&F": reset,
		"S0": {Read: func() Answer { return Say(t.Values["S0"]) }, Set: func(n string) Answer {
			if !Accepts("(0-255)", n) {
				return Fail(BadParameter)
			}
			t.Values["S0"] = fmt.Sprintf("%03s", n)
			return OK()
		}},
	}
	for _, s := range []string{"S3", "S4", "S5", "S6", "S7", "S8", "S10"} {
		verbs[s] = Verb{Read: func() Answer { return Say("000") }, Set: func(string) Answer { return OK() }}
	}
	return verbs
}
