package both

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

func TestWordsWithinWordsAreSaidInEachLanguage(t *testing.T) {
	got := Say("there is no %s %q, but %[3]d", "没有%[1]s %[2]q，但有 %[3]d", Say("queue", "队列"), "a", 3)
	if want := (Words{`there is no queue "a", but 3`, `没有队列 "a"，但有 3`}); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Say("100%", "百分之百"); got.EN != "100%" || got.String() != got.EN {
		t.Errorf("without arguments: %q", got)
	}
}

// Every call of Say in the whole house, whether a test comes there or not: both sentences are there, in the
// language that they should be in, and tell the same values. Words are made by Say alone.
func TestWhateverTheHouseSaysInBothLanguagesIsSaidInBoth(t *testing.T) {
	said := 0
	err := filepath.WalkDir("../../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{".git", "build", "node_modules"}, d.Name()):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") || d.Name() == "both.go":
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if isBoth(n.Fun, "Say") {
					said++
					judge(t, path, n)
				}
			case *ast.CompositeLit:
				if n.Type != nil && isBoth(n.Type, "Words") && len(n.Elts) > 0 {
					t.Errorf("%s: words are made by both.Say, which is looked after", path)
				}
			}
			return true
		})
		return nil
	})
	if err != nil || said < 50 {
		t.Errorf("%d sentences found, %v", said, err)
	}
}

func isBoth(e ast.Expr, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	pkg, ok := s.X.(*ast.Ident)
	return ok && pkg.Name == "both"
}

func judge(t *testing.T, path string, say *ast.CallExpr) {
	t.Helper()
	var texts [2]string
	for i := range texts {
		lit, ok := say.Args[i].(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			t.Errorf("%s: both.Say wants two texts; what differs between them goes into the arguments", path)
			return
		}
		texts[i], _ = strconv.Unquote(lit.Value)
	}
	en, zh := texts[0], texts[1]
	if en == "" || hasHan(en) {
		t.Errorf("%s: %q is no English", path, en)
	}
	if !hasHan(zh) {
		t.Errorf("%s: %q (%s) is no Chinese", path, zh, en)
	}
	if a, b := values(en), values(zh); !slices.Equal(a, b) || len(a) != len(say.Args)-2 {
		t.Errorf("%s: of %d values %q tells %v, and %q %v", path, len(say.Args)-2, en, a, zh, b)
	}
}

func hasHan(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// values is which arguments a format tells, each once.
func values(format string) (all []int) {
	next := 1
	for _, m := range regexp.MustCompile(`%(?:\[(\d+)\])?[+#0-9.]*([a-zA-Z%])`).FindAllStringSubmatch(format, -1) {
		if m[2] == "%" {
			continue
		}
		if m[1] != "" {
			next, _ = strconv.Atoi(m[1])
		}
		all = append(all, next)
		next++
	}
	slices.Sort(all)
	return slices.Compact(all)
}
