package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

func one(t *testing.T, text string) *pkg {
	t.Helper()
	packages, err := measure(fstest.MapFS{"hal/line.go": file(text)})
	if err != nil || len(packages) != 1 {
		t.Fatal(packages, err)
	}
	return packages[0]
}

func TestAGoodPackageIsPastNoLimit(t *testing.T) {
	p := one(t, `// Package hal is good.
package hal

import "errors"

// ErrGone is a sentinel.
var ErrGone = errors.New("gone")

var _ Line = (*line)(nil)

// Line is a place.
type Line interface{ Name() string }

type line struct{}

func (line) Name() string { return "" }
func (line) Odd()         {}

// Phone is a line.
type Phone struct{}

func (Phone) Name() string   { return "" }
func (Phone) String() string { return "" }

//go:embed page.html
var page string

// The kinds.
const (
	A = iota
	B
)

const C = 1 // at the end of the line
`)
	if past := p.past(); past != nil {
		t.Error(past)
	}
	if p.exported != 7 || p.types != 2 {
		t.Errorf("%d exported, %d types", p.exported, p.types)
	}
}

func TestEachLimitIsSeen(t *testing.T) {
	lines := func(n int, line string) string { return strings.Repeat(line+"\n", n) }
	for _, c := range []struct{ name, text, want string }{
		{"package comment", "package hal\n", "hal: no package comment"},
		{"long function", "// Package hal.\npackage hal\n\nfunc f() {\n" + lines(59, "\tf()") + "}\n", "hal/line.go:4: f, 61 lines: function too long"},
		{"big file", "// Package hal.\npackage hal\n" + lines(499, "//"), "hal/line.go: 501 lines: file too long"},
		{"variable", "// Package hal.\npackage hal\n\nvar x = 1\n", "hal/line.go:4: x: package-level variable"},
		{"init", "// Package hal.\npackage hal\n\nfunc init() {}\n", "hal/line.go:4: init: init function"},
		{"bare function", "// Package hal.\npackage hal\n\nfunc F() {}\n", "hal/line.go:4: F: exported without a doc comment"},
		{"bare method", "// Package hal.\npackage hal\n\n// T is.\ntype T[P any] struct{}\n\nfunc (*T[P]) M() {}\n", "hal/line.go:7: M: exported without a doc comment"},
		{"bare type", "// Package hal.\npackage hal\n\ntype T int\n", "hal/line.go:4: T: exported without a doc comment"},
		{"many types", "// Package hal.\npackage hal\n\n// The types.\ntype (\nA int\nB int\nC int\nD int\nE int\nF int\nG int\nH int\nI int\n)\n", "hal: 9 exported types, at most 8"},
	} {
		if got := one(t, c.text).past(); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestPackageIsCountedWholeWithoutItsTests(t *testing.T) {
	body := strings.Repeat("//\n", 400)
	files := fstest.MapFS{"hal/haltest/a.go": file("package haltest\n"), "hal/a_test.go": file("package hal\n"), "build/a.go": file("package x\n"), "hal/testdata/a.go": file("package x\n")}
	for _, n := range []string{"a", "b", "c", "d"} {
		files["hal/"+n+".go"] = file("// Package hal.\npackage hal\n\nfunc " + n + "() { go " + n + "(); var wg x; wg.Go(" + n + ") }\n" + body)
	}
	packages, err := measure(files)
	if err != nil || len(packages) != 1 {
		t.Fatal(packages, err)
	}
	if got := packages[0].past(); !slices.Equal(got, []string{"hal: 1616 lines, at most 1500"}) {
		t.Error(got)
	}
	if packages[0].spawns != 8 {
		t.Errorf("%d goroutines, want 8", packages[0].spawns)
	}
}

func TestReportEndsWithZeroAndStrictDoesNot(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.go"), []byte("package a\n\nfunc F() {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{dir}, 0, "1 packages"},
		{[]string{"-v", dir}, 0, "no package comment"},
		{[]string{"-strict", dir}, 1, "2 past the limits"},
		{[]string{"-x"}, 2, "flag provided"},
		{[]string{dir, dir}, 2, "usage"},
		{[]string{filepath.Join(dir, "none")}, 2, "measure:"},
	} {
		var out strings.Builder
		if code := run(c.args, &out, &out); code != c.code || !strings.Contains(out.String(), c.want) {
			t.Errorf("%v: %d, want %d with %q: %s", c.args, code, c.code, c.want, out.String())
		}
	}
}
