package tree

import (
	"strings"
	"testing"
	"time"
)

// show writes a tree in short form.
func show(n *Node) string {
	parts := make([]string, 0, len(n.Items)+len(n.Entries))
	switch n.Kind {
	case Null:
		return "-"
	case Scalar:
		return n.Text
	case List:
		for _, i := range n.Items {
			parts = append(parts, show(i))
		}
		return "[" + strings.Join(parts, " ") + "]"
	}
	for _, e := range n.Entries {
		parts = append(parts, e.Key+":"+show(e.Value))
	}
	return "{" + strings.Join(parts, " ") + "}"
}

func TestScalarsStayAsTheyAreWritten(t *testing.T) {
	for text, want := range map[string]string{
		"a: 0049":                               "{a:0049}",
		"a: +4930":                              "{a:+4930}",
		"a: 1.50":                               "{a:1.50}",
		"a: 1_000":                              "{a:1_000}",
		"a: yes":                                "{a:yes}",
		"a: 2026-01-01":                         "{a:2026-01-01}",
		"a: .inf":                               "{a:.inf}",
		"a: \"x\\ty\\u00e9\"":                   "{a:x\tyé}",
		"a: 'it''s'":                            "{a:it's}",
		"a: ~\nb:\nc: null\nd: ''":              "{a:- b:- c:- d:}",
		"a: [1, [2, 3], {b: 4}]":                "{a:[1 [2 3] {b:4}]}",
		"a:\n- b: 1\n  c: 2\n- d\n":             "{a:[{b:1 c:2} d]}",
		"a: |\n  one\n  two\nb: >-\n  x\n  y\n": "{a:one\ntwo\n b:x y}",
		"0x10: a\n\"*\": b\n":                   "{0x10:a *:b}",
		"# c\na: 1 # d\n":                       "{a:1}",
		"--- \na: 1\n...\n":                     "{a:1}",
		"plain":                                 "plain",
	} {
		root, fault := Parse([]byte(text))
		if fault != nil {
			t.Errorf("%q: %v", text, *fault)
		} else if got := show(root); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestWhatPlainValuesDoNotNeedIsRefused(t *testing.T) {
	for _, text := range []string{"", "a: &x 1", "a: *x", "a: !!str 1", "<<: {a: 1}", "%YAML 1.2\n---\na: 1", "? a\n: b", "? [a]\n: b", "a: 1\n---\nb: 2", "[a]: b", "{a: 1, a: 2}"} {
		if root, fault := Parse([]byte(text)); fault == nil || root != nil {
			t.Errorf("%q: read as %s", text, show(root))
		} else if fault.What.ZH == "" || fault.Cure.ZH == "" {
			t.Errorf("%q: %+v", text, *fault)
		}
	}
}

func TestPlacesAreThoseOfTheText(t *testing.T) {
	root, fault := Parse([]byte("a: 1\nb:\n  - c: 2\n"))
	if fault != nil {
		t.Fatal(*fault)
	}
	c := root.Get("b").Items[0].Entries[0]
	if c.Line != 3 || c.Column != 5 || c.Value.Line != 3 || c.Value.Column != 8 {
		t.Errorf("%+v, its value %+v", c, *c.Value)
	}
	if root.Get("d") != nil {
		t.Error("there is no d")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a: 1", "- a\n- [b, {c: d}]", "a: |\n  b", "a: \"\\x00\"", "a:\n b:\n  c", "'", "[", "{a: b", ":", "-", "a: >\n\n\n x"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		start := time.Now()
		root, fault := Parse(text)
		if (root == nil) == (fault == nil) {
			t.Fatalf("%v, %v: one of them is wanted", root, fault)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
	})
}
