package main

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestTheHouseKeepsItsRules(t *testing.T) {
	root, err := moduleRoot(".")
	if err != nil {
		t.Fatal(err)
	}
	breaks, err := check(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range breaks {
		t.Error(b)
	}
}

// house reads testdata/name: lines of what is wanted behind "> ", then files behind "-- path --".
func house(t *testing.T, name string) (fs.FS, []string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{"go.mod": {Data: []byte("module house\n\ngo 1.26\n")}}
	var want []string
	var file *fstest.MapFile
	for line := range strings.Lines(string(text)) {
		path, begins := strings.CutPrefix(line, "-- ")
		switch {
		case begins:
			file = &fstest.MapFile{}
			files[strings.TrimSuffix(path, " --\n")] = file
		case file != nil:
			file.Data = append(file.Data, line...)
		case strings.HasPrefix(line, "> "):
			want = append(want, strings.TrimSpace(line[2:]))
		}
	}
	return files, want
}

func houses(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(names) < 2 {
		t.Fatalf("%v, %v", names, err)
	}
	return names
}

func TestEachBreachIsFoundAndNothingElse(t *testing.T) {
	for _, name := range houses(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			files, want := house(t, name)
			breaks, err := check(files)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]string, len(breaks))
			for i, b := range breaks {
				got[i] = b.String()
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

func TestEachRuleCanFail(t *testing.T) {
	broken := map[string]bool{}
	for _, name := range houses(t) {
		files, _ := house(t, name)
		breaks, err := check(files)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range breaks {
			broken[b.rule] = true
		}
	}
	want := []string{ruleImport, ruleGuest, ruleStandard, ruleTestOnly, ruleHomeless, rulePure, ruleClock, ruleVar, ruleInit, ruleExit, ruleSleep}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(broken)); !slices.Equal(got, want) {
		t.Errorf("broken in testdata: %v, want %v", got, want)
	}
}

// Each pure package has a room of its own in the table: else it would have that of pbx.
func TestEachPurePackageHasItsOwnRoom(t *testing.T) {
	for _, p := range purePackages() {
		if r, ok := roomOf(rooms(), p); !ok || r.from != p {
			t.Errorf("%s is in the room of %q", p, r.from)
		}
	}
}

func TestThingsThatCannotBeReadAreSaid(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{
		"no go.mod":   {},
		"no name":     {"go.mod": {Data: []byte("go 1.26\n")}},
		"broken file": {"go.mod": {Data: []byte("module house\n")}, "hal/a.go": {Data: []byte("package")}},
	} {
		if _, err := check(files); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestExitCodesAreForScripts(t *testing.T) {
	var out, errOut strings.Builder
	if code := run([]string{"a", "b"}, &out, &errOut); code != 2 || !strings.Contains(errOut.String(), "usage") {
		t.Errorf("two folders: %d, %s", code, errOut.String())
	}
	dir := t.TempDir()
	if code := run([]string{dir}, &out, &errOut); code != 2 {
		t.Errorf("no module: %d", code)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module house\n")
	if code := run([]string{dir}, &out, &errOut); code != 0 {
		t.Errorf("an empty house: %d, %s%s", code, out.String(), errOut.String())
	}
	write("a.go", "package a\n")
	out.Reset()
	if code := run([]string{dir}, &out, &errOut); code != 1 || !strings.Contains(out.String(), "a.go:1: homeless") {
		t.Errorf("a homeless file: %d, %s", code, out.String())
	}
}
