package cli

import (
	"bytes"
	"flag"
	"slices"
	"testing"
	"time"
)

func TestSpansAreShort(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s": -time.Second, "1s": 600 * time.Millisecond, "59s": 59 * time.Second, "1m05s": 65 * time.Second,
		"2h03m": 2*time.Hour + 3*time.Minute + 4*time.Second, "3d04h": 76 * time.Hour,
	} {
		if got := span(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestSizesAreShort(t *testing.T) {
	for want, n := range map[string]uint64{"0 KiB": 0, "9 KiB": 9 << 10, "512 MiB": 512 << 20, "1.5 GiB": 3 << 29} {
		if got := bytesOf(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}

func TestTableStandsStraightWithChineseNamesAndSteersNoTerminal(t *testing.T) {
	table := table{header: []string{"NAME", "STATE"}}
	table.add("李博", "ready")
	table.add("x\x1b[2J\u009b\n", "")
	var b bytes.Buffer
	if err := table.write(&b); err != nil {
		t.Fatal(err)
	}
	if want := "NAME     STATE\n李博     ready\nx?[2J??  -\n"; b.String() != want {
		t.Errorf("got\n%q\nwant\n%q", b.String(), want)
	}
}

func TestMomentsAreReadAsPeopleGiveThem(t *testing.T) {
	site := time.FixedZone("site", 8*3600)
	now := time.Date(2026, 1, 31, 15, 4, 5, 0, time.UTC)
	for text, want := range map[string]string{
		"90m": "2026-01-31T13:34:05Z", "24h": "2026-01-30T15:04:05Z", "7d": "2026-01-24T15:04:05Z", "2026-01-31": "2026-01-30T16:00:00Z",
		"2026-01-31 15:04": "2026-01-31T07:04:00Z", "2026-01-31T15:04:05Z": "2026-01-31T15:04:05Z", "2026-01-31T15:04:05.25+01:00": "2026-01-31T14:04:05.25Z",
	} {
		got, err := parseSince(text, now, site)
		if err != nil || got.UTC().Format(time.RFC3339Nano) != want {
			t.Errorf("%q is %v, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "soon", "-5m", "-3d", "99999999d", "2026-13-01"} {
		if got, err := parseSince(text, now, site); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func TestSlipsAreRecognised(t *testing.T) {
	names := []string{"status", "follow", "cdr", "calls"}
	for name, want := range map[string]string{"stats": "status", "folow": "follow", "f": "", "call": "calls", "cd": "cdr", "zzz": "", "": ""} {
		got := didYouMean(name, names)
		if want == "" && got != "" || want != "" && got != `, did you mean "`+want+`"?` {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestFlagsMayStandAnywhere(t *testing.T) {
	flags := flag.NewFlagSet("x", flag.ContinueOnError)
	data := flags.String("data", "", "")
	follow := flags.Bool("follow", false, "")
	rest, err := parse(flags, []string{"ready", "-data", "d", "12", "--follow"})
	if err != nil || !slices.Equal(rest, []string{"ready", "12"}) || *data != "d" || !*follow {
		t.Errorf("%v, %v, data %q, follow %v", rest, err, *data, *follow)
	}
}
