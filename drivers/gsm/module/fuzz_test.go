package module

import (
	"slices"
	"strings"
	"testing"

	"branchline/hal"
)

func FuzzNumbers(f *testing.F) {
	for _, seed := range []string{"+886 935-123", "1;+CFUN=0", "*100#", "+CEER: 5,17", "+CEER: Call rejected", "+CREG: 2,1", "٣"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		dialled, ok := DialString(hal.Number(s))
		if ok && strings.Trim(strings.TrimPrefix(dialled, "+"), "0123456789*#") != "" {
			t.Errorf("%q would be dialled as %q", s, dialled)
		}
		if n := Number(s, "145"); strings.Trim(strings.TrimPrefix(string(n), "+"), "0123456789*#") != "" {
			t.Errorf("%q is told as %q", s, n)
		}
		cause, _ := CauseOfReport(s)
		known := []hal.Cause{"", hal.Normal, hal.Busy, hal.NoAnswer, hal.Rejected, hal.Unallocated, hal.Unreachable, hal.Congestion, hal.Forbidden, hal.WireTrouble}
		if !slices.Contains(known, cause) {
			t.Errorf("%q is cause %q", s, cause)
		}
		Registration(s)
		Listed(s)
		for _, p := range Profiles() {
			for _, begin := range append(p.News, "+CLCC:") {
				if h := p.Read(begin + s); h.What == Tone && !isKey(h.Key) {
					t.Errorf("%s: key %q of %q", p.Name, h.Key, begin+s)
				}
			}
			p.PIN.Left(strings.Split(s, ","))
			p.Warning(s)
		}
		Find("", s, s)
	})
}
