package prompt

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"branchline/hal"
)

var update = flag.Bool("update", false, "rewrite testdata/*.golden with what is said now")

// words is what each recording of a language says, as images/prompts has it.
func words(t *testing.T, tag string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile("../../images/prompts/" + tag + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for i, line := range strings.Split(string(raw), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		fields := strings.Split(line, "\t")
		if len(fields) < 2 || fields[0] == "" || fields[1] == "" || out[fields[0]] != "" {
			t.Fatalf("%s.txt:%d: %q is no name with its words, or is there twice", tag, i+1, line)
		}
		out[fields[0]] = fields[1]
	}
	return out
}

func TestEveryRecordingThatTheBoxNeedsIsInTheListsThatTheFoldersAreMadeOf(t *testing.T) {
	en, zh := words(t, "en"), words(t, "zh-CN")
	for _, name := range English.Recordings() {
		if en[name] == "" {
			t.Errorf("images/prompts/en.txt does not have %s", name)
		}
	}
	if n := len(English.Recordings()); len(en) != n {
		t.Errorf("images/prompts/en.txt has %d recordings, the box needs %d", len(en), n)
	}
	for _, name := range Chinese.Recordings() {
		if zh[name] == "" {
			t.Errorf("images/prompts/zh-CN.txt does not have %s", name)
		}
	}
}

// speech is items in the words of l, to be read by a person.
func speech(t *testing.T, l Language, said map[string]string, items []hal.Item) string {
	t.Helper()
	var parts []string
	for _, item := range items {
		w := said[item.File]
		if w == "" {
			t.Errorf("%q has no words", item.File)
		}
		parts = append(parts, strings.TrimRight(w, "。"))
	}
	if l == Chinese {
		return strings.Join(parts, "")
	}
	return strings.Join(parts, " ")
}

func TestWhatIsSaidIsWhatPeopleSay(t *testing.T) {
	day := func(s string) time.Time {
		at, err := time.Parse("2006-01-02 15:04", s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, l := range []Language{English, Chinese} {
		tag := [...]string{"en", "zh-CN"}[l]
		said := words(t, tag)
		var out strings.Builder
		line := func(what string, about any, items []hal.Item) {
			fmt.Fprintf(&out, "%-9s %-16v %s\n", what, about, speech(t, l, said, items))
		}
		for _, n := range []int64{
			0, 1, 2, 9, 10, 11, 12, 19, 20, 21, 22, 100, 101, 102, 110, 111, 112, 200, 202, 210, 222, 1000, 1001, 1010, 1100,
			2000, 2002, 2020, 2200, 2222, 10000, 10001, 10010, 10100, 11000, 12000, 20000, 20002, 22222, 100000, 100015,
			105000, 110000, 120000, 200000, 1000000, 2000000, 10000000, 20020000, 20000500, 20010500, 100000000,
			100000001, 100010000, 100020000, 100100000, 200000000, 1200000000, 20_0202_0202, 999999999999, 1000000000000,
			-1, -20, -1000000000000, math.MinInt64,
		} {
			line("number", n, l.Number(n))
		}
		for _, n := range []int64{0, 1, 2, 3, 10, 12, 20, 21, 30, 42, 100, 101, 120, 1000, 2000, 20000, 1000000} {
			line("ordinal", n, l.Ordinal(n))
		}
		line("digits", "1001", l.Digits("1001"))
		line("digits", "*22#", l.Digits("*22#"))
		line("telephone", "+861012345678", l.Telephone("+861012345678"))
		for _, s := range []string{"00:00", "00:30", "02:02", "06:10", "09:00", "09:05", "11:59", "12:00", "12:30", "14:02", "14:30", "18:20", "22:22", "23:59"} {
			line("time", s, l.Time(day("2026-11-22 "+s)))
		}
		for _, s := range []string{"1900-01-01", "1905-02-02", "1999-12-31", "2000-02-29", "2006-10-10", "2010-03-20", "2026-11-22"} {
			line("date", s, l.Date(day(s+" 00:00")))
		}
		for _, d := range []time.Duration{-time.Second, 0, time.Second, 2 * time.Second, 1500 * time.Millisecond, 22 * time.Second, time.Minute,
			62 * time.Second, 2 * time.Minute, 12 * time.Minute, time.Hour, time.Hour + 5*time.Second, 90 * time.Minute, 2 * time.Hour,
			2*time.Hour + 2*time.Minute + 2*time.Second, 48 * time.Hour} {
			line("duration", d, l.Duration(d))
		}
		for m := range NumMessages {
			line("message", m, l.Say(m))
		}
		line("signed in", "1001", l.SignedIn("1001"))
		compare(t, "testdata/"+tag+".golden", out.String())
	}
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	have, wanted := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(have), len(wanted)) {
		a, b := "", ""
		if i < len(have) {
			a = have[i]
		}
		if i < len(wanted) {
			b = wanted[i]
		}
		if a != b {
			t.Errorf("%s:%d:\n got %s\nwant %s", file, i+1, a, b)
		}
	}
}

// Everything that can be said is said in recordings that are listed, and every one that is listed is
// said by something.
func TestNothingIsSaidWithoutARecordingAndNoRecordingIsListedInVain(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	for _, l := range []Language{English, Chinese} {
		listed, used := map[string]bool{}, map[string]bool{}
		for _, name := range l.Recordings() {
			listed[name] = true
		}
		check := func(what any, items []hal.Item) {
			if len(items) == 0 {
				t.Fatalf("language %d: nothing is said for %v", l, what)
			}
			for _, item := range items {
				if !listed[item.File] {
					t.Fatalf("language %d: %v is said with %q, which is not listed", l, what, item.File)
				}
				used[item.File] = true
			}
		}
		number := func(n int64) {
			check(n, l.Number(n))
			check(-n, l.Number(-n))
			check(n, l.Ordinal(n))
		}
		for n := range int64(11_000) {
			number(n)
		}
		for range 50_000 {
			number(chance.Int64N(100_000_001))
		}
		for n := int64(1); n < maxNumber; n *= 10 {
			number(n)
		}
		for range 10_000 {
			number(chance.Int64N(1 << uint(1+chance.IntN(62))))
		}
		for m := range 48 * 60 {
			at := time.Date(2026, 1, 1, 0, m, 0, 0, time.UTC)
			check(at, l.Time(at))
		}
		for d := range 366 * 20 {
			at := time.Date(1898, 1, 1+5*d, 0, 0, 0, 0, time.UTC)
			check(at, l.Date(at))
		}
		for s := range 8_000 {
			check(s, l.Duration(time.Duration(s)*time.Second))
		}
		check("ever", l.Duration(math.MaxInt64))
		for m := range NumMessages {
			check(m, l.Say(m))
		}
		check("signed in", l.SignedIn("1234567890"))
		check("telephone", l.Telephone("+*#1234567890"))
		for name := range listed {
			if !used[name] {
				t.Errorf("language %d: %s is listed, and nothing says it", l, name)
			}
		}
	}
}

// A number that is heard is understood as that number: read back by a reader of its own.
func TestNumbersAreReadBackAsTheyWere(t *testing.T) {
	chance := rand.New(rand.NewPCG(3, 4))
	for range 30_000 {
		n := chance.Int64N(1 << uint(1+chance.IntN(39)))
		n %= maxNumber
		if got := readBack(English.Number(n), 1000); got != n {
			t.Fatalf("English: %d is said as %d: %v", n, got, English.Number(n))
		}
		if got := readBack(Chinese.Number(n), 10000); got != n {
			t.Fatalf("Chinese: %d is said as %d: %v", n, got, Chinese.Number(n))
		}
	}
}

// readBack is the number that items say. A word of group or above multiplies all that stands before
// it since the last such word; a smaller one the digit before it.
func readBack(items []hal.Item, group int64) (total int64) {
	value := map[string]int64{
		"digits/hundred": 100, "digits/thousand": 1000, "digits/million": 1e6, "digits/billion": 1e9,
		"digits/wan": 1e4, "digits/yi": 1e8,
	}
	if group == 10000 {
		value["digits/10"] = 10
	}
	var below, digit int64
	for _, item := range items {
		size := value[item.File]
		var d int64
		switch {
		case item.File == "digits/liang":
			digit += 2
		case size == 0:
			fmt.Sscanf(item.File, "digits/%d", &d)
			digit += d
		case size >= group:
			total += (below + digit) * size
			below, digit = 0, 0
		default:
			below += max(digit, 1) * size
			digit = 0
		}
	}
	return total + below + digit
}

func TestALanguageThatIsNotSpokenIsEnglish(t *testing.T) {
	for tag, want := range map[string]Language{"en": English, "zh-CN": Chinese, "": English, "de": English} {
		if got := In(tag); got != want {
			t.Errorf("%q is language %d, want %d", tag, got, want)
		}
	}
}
