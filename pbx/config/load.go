package config

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"branchline/pbx/config/both"
	"branchline/pbx/config/tree"
)

// Version is the format that this box writes. It reads this one and all before it.
const Version = 1

// migration turns a document of one version into the next, in the text's own shape. What it cannot
// turn it reports.
type migration func(root *tree.Node) *Problem

// migrations is the table of them: entry i reads version i+1. Each has a testdata/vN.yaml that is
// read for ever.
func migrations() []migration { return nil }

// Load reads a document: strictly (an unknown key is an error that names the nearest known one), in
// bounded time whatever the text, old formats too, defaults filled. The error is a *LoadError with
// all that is wrong. Load judges the form alone: whether the parts fit together says Validate.
func Load(yaml []byte) (*Doc, error) {
	doc, _, wrong := read(yaml)
	if len(wrong) > 0 {
		return nil, &LoadError{wrong}
	}
	return doc, nil
}

// Check is Load and Validate in one, for a person with the text before him: the problems bear line
// and column. The Doc is nil where the text could not be read. A judge knows what the document cannot
// know, as which prompts the box has; what it says is placed and sorted with the rest.
func Check(yaml []byte, judges ...func(*Doc) []Problem) (*Doc, []Problem) {
	doc, places, wrong := read(yaml)
	if len(wrong) > 0 {
		return nil, wrong
	}
	wrong = Validate(doc)
	for _, judge := range judges {
		wrong = append(wrong, judge(doc)...)
	}
	for i, p := range wrong {
		at := places.of(p.Path)
		wrong[i].Line, wrong[i].Column = at.line, at.column
	}
	slices.SortStableFunc(wrong, func(a, b Problem) int { return a.Line - b.Line })
	return doc, wrong
}

func read(yaml []byte) (*Doc, places, []Problem) {
	root, fault := tree.Parse(yaml)
	if fault != nil {
		return nil, nil, []Problem{{What: fault.What, Cure: fault.Cure, Line: fault.Line, Column: fault.Column}}
	}
	if wrong := upgrade(root, migrations()); wrong != nil {
		return nil, nil, []Problem{*wrong}
	}
	d := decoder{places: places{}}
	doc := &Doc{}
	d.decode(reflect.ValueOf(doc).Elem(), root, "")
	return doc, d.places, d.wrong.all()
}

// upgrade brings root to the newest version by the steps of table.
func upgrade(root *tree.Node, table []migration) *Problem {
	newest := len(table) + 1
	begin := both.Say("begin the document with \"version: %d\"", "请以 \"version: %d\" 开头", newest)
	if root.Kind != tree.Mapping {
		return &Problem{What: both.Say("the document is not a block of keys", "文档不是由键组成"), Cure: begin, Line: root.Line, Column: root.Column}
	}
	v := root.Get("version")
	if v == nil || v.Kind != tree.Scalar {
		return &Problem{Path: "version", What: both.Say("the version of the format is missing", "缺少格式版本"), Cure: begin}
	}
	at := Problem{Path: "version", Line: v.Line, Column: v.Column}
	from, err := strconv.Atoi(v.Text)
	switch {
	case err != nil || from < 1:
		at.What, at.Cure = both.Say("the version is not a number from 1", "版本不是 1 起的数字"), both.Say("write %d", "请写 %d", newest)
		return &at
	case from > newest:
		at.What = both.Say("the document is of format %d", "文档的格式为 %d", from)
		at.Cure = both.Say("this box reads up to %[1]d: update the box, or write the document for %[1]d", "本设备最高支持 %[1]d：请升级设备，或按 %[1]d 编写", newest)
		return &at
	}
	for _, step := range table[from-1:] {
		if p := step(root); p != nil {
			return p
		}
	}
	v.Text = strconv.Itoa(newest)
	return nil
}

// places is where in the text each path stands.
type places map[string]place

type place struct{ line, column int }

// of is the place of path, or of what holds it where it is not in the text itself.
func (p places) of(path string) place {
	for {
		if at, ok := p[path]; ok || path == "" {
			return at
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
}
