package config

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"branchline/pbx/config/both"
	"branchline/pbx/config/tree"
)

// update is a function, so that tests have no package-level variable either.
func update() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

func TestMain(m *testing.M) {
	flag.Bool("update", false, "rewrite the golden files")
	flag.Parse()
	os.Exit(m.Run())
}

func read1(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/v1.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func sample(t testing.TB) *Doc {
	t.Helper()
	doc, err := Load(read1(t))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// Each testdata/vN.yaml is read for ever; its .want is the same document as this version writes it.
func TestDocumentsOfEveryVersionAreReadForEver(t *testing.T) {
	for n := 1; n <= Version; n++ {
		path := fmt.Sprintf("testdata/v%d.yaml", n)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		doc, wrong := Check(text)
		if len(wrong) > 0 {
			t.Fatalf("%s: %v", path, wrong)
		}
		golden(t, strings.TrimSuffix(path, ".yaml")+".want", Marshal(doc))
	}
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if update() {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; run with -update and look at the difference:\n%s", path, got)
	}
}

func TestThereIsASampleAndAMigrationForEachVersion(t *testing.T) {
	if got := len(migrations()); got != Version-1 {
		t.Errorf("%d migrations, want %d", got, Version-1)
	}
	files, _ := filepath.Glob("testdata/v*.yaml")
	if len(files) != Version {
		t.Errorf("%d samples, want %d: %v", len(files), Version, files)
	}
}

func TestSampleIsReadAsItIsWritten(t *testing.T) {
	doc := sample(t)
	listen := []netip.AddrPort{netip.MustParseAddrPort("192.168.1.10:5060"), netip.MustParseAddrPort("[fd00::10]:5060")}
	if !reflect.DeepEqual(doc.Network.SIP.Listen, listen) {
		t.Errorf("listen %v", doc.Network.SIP.Listen)
	}
	if got, want := doc.Agents[1], (Agent{Number: "1002", Name: "Bo", PIN: "0042"}); got != want {
		t.Errorf("agent %+v, want %+v: zeros in front count", got, want)
	}
	if got := doc.Lines[0].Number; got != "+4930901820" {
		t.Errorf("number %q", got)
	}
	if got := doc.Extensions[2].Password; got != `quiet "old" harbour` {
		t.Errorf("password %q", got)
	}
	support := Queue{Name: "support", Agents: []string{"1002", "1003"}, Strategy: LongestIdle, RingTimeout: 20 * time.Second, Music: []string{"silence/5", "queue-thankyou"}}
	if got := doc.Queues[1]; !reflect.DeepEqual(got, support) {
		t.Errorf("queue %+v, want %+v: wrap_up 0s is none, not the default", got, support)
	}
	menu := &Menu{Prompt: []string{"vm-press", "digits/1", "vm-press", "digits/2"}, Keys: map[string]string{"1": "sales", "2": "support", "#": "welcome"}, Wait: 5 * time.Second, Tries: 3, Invalid: []string{"invalid"}, Otherwise: "support"}
	if got := doc.Flows[0].Steps[1].Menu; !reflect.DeepEqual(got, menu) {
		t.Errorf("menu %+v, want %+v", got, menu)
	}
}

func TestWhatIsLeftOutHasItsDefault(t *testing.T) {
	doc, err := Load([]byte("version: 1\nlines:\n  - name: gsm1\nqueues:\n  - name: sales\nflows:\n  - name: main\n    steps:\n      - menu: {tries: 1}\nnetwork:\n  rtp:\n    last: 10099\ncodes:\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := &Doc{
		Version: 1,
		Site:    Site{Timezone: "UTC", Country: "US", Language: "en"},
		Network: Network{SIP: SIP{Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:5060")}, TCP: true, TLSPort: 5061, Realm: "branchline", Trace: 8, Guard: Guard{LANOnly: true, Limits: true, Bans: true, Scanners: true}}, RTP: RTP{10000, 10099}, Page: Page{Listen: netip.MustParseAddrPort("127.0.0.1:8088")}},
		Lines:   []Line{{Name: "gsm1", Kind: "sim", Form: FormDialled}},
		Queues:  []Queue{{Name: "sales", Strategy: "longest-idle", RingTimeout: 15 * time.Second, WrapUp: 10 * time.Second}},
		Flows:   []Flow{{Name: "main", Steps: []Step{{Menu: &Menu{Wait: 5 * time.Second, Tries: 1}}}}},
		Calls:   Calls{Recall: 30 * time.Second, NoAnswer: 20 * time.Second, Park: 3 * time.Minute},
		Codes: Codes{
			SignIn: "*22", Ready: "*23", Pickup: "*8", Park: "*6", DND: "*78",
			ForwardAlways: "*72", ForwardBusy: "*90", ForwardNoAnswer: "*92", ForwardUnreachable: "*94",
			Transfer: "##", Consult: "*2",
		},
		Storage: Storage{FactsDays: 400, RecordsDays: 1100, RecordingsDays: 180},
	}
	if !reflect.DeepEqual(doc, want) {
		t.Errorf("got  %+v\nwant %+v", doc, want)
	}
}

func TestWrongTextIsRefusedWithPlaceAndCure(t *testing.T) {
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", `the text holds 0 documents; one is wanted, which begins with "version: 1"`},
		{"two documents", "version: 1\n---\nversion: 1\n", `the text holds 2 documents; one is wanted, which begins with "version: 1"`},
		{"no version", "site:\n  name: x\n", `version: the version of the format is missing; begin the document with "version: 1"`},
		{"a list", "- a\n", `line 1, column 1: the document is not a block of keys; begin the document with "version: 1"`},
		{"newer", "version: 2\n", "line 1, column 10: version: the document is of format 2; this box reads up to 1: update the box, or write the document for 1"},
		{"version in words", "version: one\n", "line 1, column 10: version: the version is not a number from 1; write 1"},
		{"unknown key", "version: 1\nqueues:\n  - name: sales\n    ring_timout: 5s\n", `line 4, column 5: queues[0].ring_timout: there is no key "ring_timout" here; did you mean "ring_timeout"?`},
		{"unknown key far from all", "version: 1\ncodes:\n  conference: '*1'\n", `line 3, column 3: codes.conference: there is no key "conference" here; there are consult, dnd, forward_always, forward_busy, forward_no_answer, forward_unreachable, park, pickup, ready, sign_in, transfer`},
		{"capitals", "version: 1\nSite: {}\n", `line 2, column 1: Site: there is no key "Site" here; did you mean "site"?`},
		{"twice", "version: 1\nsite: {name: a, name: b}\n", `line 2, column 17: the key "name" is here a second time; leave one; the first is in line 2`},
		{"one for a list", "version: 1\nqueues:\n  - agents: 1001\n", "line 3, column 13: queues[0].agents: a list is wanted; write it as [one, two], or one per line behind a dash"},
		{"list for one", "version: 1\nsite:\n  name: [a]\n", "line 3, column 9: site.name: one value is wanted; write it behind the colon"},
		{"value for keys", "version: 1\nsite: Berlin\n", `line 2, column 7: site: keys with values are wanted; write one "key: value" per line, indented under it`},
		{"no unit", "version: 1\nqueues:\n  - wrap_up: 15\n", `line 3, column 14: queues[0].wrap_up: "15" is no length of time; write it with its unit, as in 15s or 2m30s`},
		{"no port", "version: 1\nnetwork:\n  sip:\n    listen: [10.0.0.1]\n", `line 4, column 14: network.sip.listen[0]: "10.0.0.1" is no address with a port; write it as in 192.168.1.10:5060 or "[fd00::10]:5060"`},
		{"port too high", "version: 1\nnetwork:\n  rtp:\n    last: 70000\n", `line 4, column 11: network.rtp.last: "70000" is not a whole number that fits; write one from 0 to 65535`},
		{"yes", "version: 1\nqueues:\n  - record: yes\n", `line 3, column 13: queues[0].record: "yes" is neither true nor false; write true or false`},
		{"star without quotes", "version: 1\ncodes:\n  sign_in: *22\n", `line 3, column 12: "*" has a meaning of its own in YAML that is not used here; put a text that begins with it in quotes, as in "*22"; write a repeated value out`},
		{"deep", "version: 1\nsite: " + deep + "\n", "line 2, column 39: the values are nested too deeply; at most 32"},
		{"control", "version: 1\nsite: {name: \"a\x00b\"}\n", "line 2, column 16: the control character U+0000; take it out"},
		{"not UTF-8", "version: 1\n# \xff\n", "line 2, column 3: the text is not UTF-8 here; save it as UTF-8"},
		{"too long", strings.Repeat("#", tree.MaxBytes+1), "the document has 1048577 bytes; at most 1048576 are read"},
		{"far right", "a:\n" + strings.Repeat(" ", 300) + "b: c\n", "line 2, column 301: the line begins too far to the right; at most column 256"},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc, err := Load([]byte(c.text))
			var le *LoadError
			if !errors.As(err, &le) || doc != nil {
				t.Fatalf("Load: %v, %v; want a LoadError", doc, err)
			}
			if err.Error() != c.want {
				t.Errorf("got  %s\nwant %s", err, c.want)
			}
		})
	}
}

func TestLoadNamesEveryProblemAtOnce(t *testing.T) {
	_, err := Load([]byte("version: 1\nsite:\n  nam: x\nqueues:\n  - wrap_up: soon\n    recrod: true\n"))
	if n := strings.Count(err.Error(), "\n") + 1; n != 3 {
		t.Errorf("%d problems, want 3:\n%v", n, err)
	}
}

func TestSyntaxErrorsNeverShowThePassword(t *testing.T) {
	for _, text := range []string{
		"version: 1\nextensions:\n  - password: \"hunter22\n",
		"version: 1\nextensions:\n  - password: hunter22: x\n",
		"version: 1\nextensions:\n  - password: [hunter22\n",
		"version: 1\nextensions:\n  - {password: hunter22\n",
		"version: 1\nextensions:\n  - password: {hunter22: 1}\n",
		"version: 1\nextensions:\n  - password: \"\\hunter22\"\n",
		"version: 1\nextensions:\n  - password: 'hunter22' x\n",
		"version: 1\nextensions:\n - password: |x hunter22\n",
		"version: 1\nextensions:\n - password: &hunter22 x\n",
	} {
		_, err := Load([]byte(text))
		if err == nil {
			t.Errorf("%q was read", text)
		} else if strings.Contains(err.Error(), "hunter22") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestAliasBombIsRefusedBeforeItUnfolds(t *testing.T) {
	var b strings.Builder
	b.WriteString("version: 1\na0: &a0 [x, x]\n")
	for i := 1; i < 60; i++ {
		n, m := string(rune('A'+i%26)), string(rune('A'+(i+1)%26))
		b.WriteString(n + ": &" + n + " [*" + m + ", *" + m + "]\n")
	}
	if _, err := Load([]byte(b.String())); err == nil {
		t.Error("the bomb was read")
	}
}

func TestHostileTextIsReadInBoundedTime(t *testing.T) {
	const size = tree.MaxBytes / 4
	lines := func(begin, line string) string { return begin + strings.Repeat(line, size/len(line)) }
	for name, c := range map[string]struct{ text, want string }{
		"many keys":     {lines("version: 1\n", "k: v\n"), "too many keys in one block"},
		"brackets":      {lines("", "["), "nested too deeply"},
		"dashes":        {lines("", "- "), "nested too deeply"},
		"questions":     {lines("", "? "), "a meaning of its own"},
		"unknown keys":  {lines("version: 1\nqueues:\n", "  - nam: 1\n"), "more problems are not listed"},
		"equal names":   {lines("version: 1\nagents:\n", "  - number: 1\n"), "more problems are not listed"},
		"flow keys":     {lines("version: 1\na: {", "b: 1, ") + "}", "here a second time"},
		"documents":     {lines("", "---\n"), "0 documents"},
		"one long word": {lines("version: 1\nsite: {name: ", "x") + "}", "too long"},
	} {
		start := time.Now()
		_, wrong := Check([]byte(c.text))
		if took := time.Since(start); took > 10*time.Second { // a tenth of a second, and much air for a busy machine
			t.Errorf("%s: %v", name, took)
		}
		if len(wrong) == 0 || !strings.Contains((&LoadError{wrong}).Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, wrong, c.want)
		}
	}
}

func TestOldDocumentsPassThroughTheTableOfMigrations(t *testing.T) {
	rename := func(root *tree.Node) *Problem {
		for i := range root.Entries {
			if root.Entries[i].Key == "place" {
				root.Entries[i].Key = "site"
			}
		}
		return nil
	}
	refuse := func(root *tree.Node) *Problem {
		return &Problem{Path: "place", What: both.Say("cannot be turned", "无法转换")}
	}
	parsed := func(text string) *tree.Node {
		root, wrong := tree.Parse([]byte(text))
		if wrong != nil {
			t.Fatal(wrong)
		}
		return root
	}
	root := parsed("version: 1\nplace: {name: x}\n")
	if p := upgrade(root, []migration{rename}); p != nil {
		t.Fatal(p)
	}
	if root.Get("site") == nil || root.Get("version").Text != "2" {
		t.Error("version 1 was not brought to 2")
	}
	root = parsed("version: 2\nplace: {name: x}\n")
	if p := upgrade(root, []migration{rename}); p != nil || root.Get("place") == nil {
		t.Errorf("version 2 needs no step: %v", p)
	}
	if p := upgrade(parsed("version: 1\n"), []migration{refuse}); p == nil || p.Path != "place" {
		t.Errorf("got %v, want the step's problem", p)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(read1(f))
	for _, s := range []string{"", "version: 1", "version: 1\nqueues: [{name: a, agents: [1]}]", "version: 1\nsite: {name: \"\\u0000\\x7f\"}", "version: 1\nflows:\n- name: |\n    x\n  steps: [{menu: {keys: {1: a, \"*\": b}}}]", "a: *b", "? a", "version: 1\nsite:\n  name: >-\n    folded\n    text\n", "version: 1\ncodes: {sign_in: '*2', ready: ~}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		doc, wrong := Check(text)
		if doc == nil {
			if len(wrong) == 0 {
				t.Fatal("neither a document nor a problem")
			}
			return
		}
		for _, p := range wrong {
			if p.What.EN == "" || p.What.ZH == "" || strings.ContainsAny(p.String(), "\n\x00") {
				t.Errorf("problem %q", p.String())
			}
		}
		again, err := Load(Marshal(doc))
		if err != nil {
			t.Fatalf("%v in what we wrote:\n%s", err, Marshal(doc))
		}
		if !reflect.DeepEqual(doc, again) {
			t.Fatalf("wrote\n%s\nread %+v, was %+v", Marshal(doc), again, doc)
		}
		if c := Diff(doc, again); c != nil {
			t.Fatalf("no difference, but %v", c)
		}
	})
}
