package main

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// The rules, as they stand in a breach. Each has a house in testdata that breaks it.
const (
	ruleImport   = "import"    // who may import whom of ours
	ruleGuest    = "guest"     // a library behind its one door
	ruleStandard = "standard"  // hal stands on the standard library alone
	ruleTestOnly = "test-only" // packages for tests are imported by tests
	ruleHomeless = "homeless"  // a package lies in a part of the house that the table knows
	rulePure     = "pure"      // no waiting, file, log or chance in pure packages
	ruleClock    = "clock"     // time comes in
	ruleVar      = "var"       // no package-level variables
	ruleInit     = "init"      // no init functions
	ruleExit     = "exit"      // only main ends the program
	ruleSleep    = "sleep"     // nobody sleeps to wait for something
)

// breach is one place where a rule is broken.
type breach struct {
	file string // from the module's root
	line int
	rule string
	what string
}

func (b breach) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", b.file, b.line, b.rule, b.what)
}

// checker walks the files of one house.
type checker struct {
	module   string
	files    *token.FileSet
	breaches []breach
}

// check is every breach in the module that house holds, by file and line.
func check(house fs.FS) ([]breach, error) {
	module, err := moduleName(house)
	if err != nil {
		return nil, err
	}
	c := &checker{module: module, files: token.NewFileSet()}
	err = fs.WalkDir(house, ".", func(name string, d fs.DirEntry, err error) error {
		switch base := path.Base(name); {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (base == "testdata" || base == "build" || base == "vendor" || base == "node_modules" || base[0] == '.' || base[0] == '_'):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		return c.read(house, name)
	})
	slices.SortFunc(c.breaches, func(a, b breach) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line), cmp.Compare(a.what, b.what))
	})
	return c.breaches, err
}

func moduleName(house fs.FS) (string, error) {
	text, err := fs.ReadFile(house, "go.mod")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "module "); ok {
			return strings.TrimSpace(name), nil
		}
	}
	return "", errors.New("go.mod names no module")
}

// source is one file with what the rules ask about it.
type source struct {
	*ast.File
	pkg     string            // from the module's root: "pbx/floor"
	test    bool              // a _test.go file, or a package for tests alone
	imports map[string]string // name in the file → path
}

func (c *checker) read(house fs.FS, name string) error {
	text, err := fs.ReadFile(house, name)
	if err != nil {
		return err
	}
	f, err := parser.ParseFile(c.files, name, text, parser.ParseComments)
	if err != nil {
		return err
	}
	s := &source{File: f, pkg: path.Dir(name), imports: map[string]string{}}
	s.test = strings.HasSuffix(name, "_test.go") || forTests(s.pkg)
	if _, ok := roomOf(rooms(), s.pkg); !ok {
		c.add(f.Package, ruleHomeless, s.pkg+" lies in no part of the house that tools/archtest knows")
	}
	for _, spec := range f.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		as := path.Base(p)
		if spec.Name != nil {
			as = spec.Name.Name
		}
		s.imports[as] = p
		c.imported(s, spec, p)
	}
	if !s.test {
		c.syntax(s)
	}
	return nil
}

func (c *checker) add(at token.Pos, rule, what string) {
	p := c.files.Position(at)
	c.breaches = append(c.breaches, breach{p.Filename, p.Line, rule, what})
}

// imported holds one import against the tables.
func (c *checker) imported(s *source, spec *ast.ImportSpec, p string) {
	if ours, ok := strings.CutPrefix(p, c.module+"/"); ok {
		c.importedOurs(s, spec, ours)
		return
	}
	var host *guest
	for _, g := range guests() {
		if under(p, g.path) {
			host = &g
			break
		}
	}
	if host != nil && !under(s.pkg, host.hosts...) {
		c.add(spec.Pos(), ruleGuest, fmt.Sprintf("%s is imported in %s alone", host.path, strings.Join(host.hosts, " and ")))
		return
	}
	if s.test {
		return
	}
	pure := under(s.pkg, purePackages()...)
	switch first, _, _ := strings.Cut(p, "/"); {
	case strings.Contains(first, ".") && host == nil && (pure || under(s.pkg, "hal")):
		c.add(spec.Pos(), ruleStandard, fmt.Sprintf("%s stands on the standard library alone, not on %s", s.pkg, p))
	case pure && under(p, impure()...) && !pureAnyway(s.pkg, p):
		c.add(spec.Pos(), rulePure, fmt.Sprintf("%s is pure: it does without %s", s.pkg, p))
	case pure && spec.Name != nil && spec.Name.Name == ".":
		c.add(spec.Pos(), rulePure, fmt.Sprintf("%s is pure: it names what it takes from %s", s.pkg, p))
	}
}

func (c *checker) importedOurs(s *source, spec *ast.ImportSpec, p string) {
	r, _ := roomOf(rooms(), s.pkg)
	allowed := matches(r.may, s.pkg, p) && !matches(r.never, s.pkg, p)
	if s.test {
		t, _ := roomOf(testRooms(), s.pkg)
		allowed = allowed || matches(t.may, s.pkg, p)
		if p == s.pkg {
			allowed = true // an external test of the package itself
		}
	}
	switch {
	case !allowed:
		c.add(spec.Pos(), ruleImport, fmt.Sprintf("%s may not import %s", s.pkg, p))
	case forTests(p) && !s.test && !under(s.pkg, "tools"): // tools try the house, as tests do
		c.add(spec.Pos(), ruleTestOnly, fmt.Sprintf("%s is for tests alone", p))
	}
}
