// Package tree reads YAML that may be hostile into plain values: null, scalars, lists and blocks of
// keys, each with its place in the text. Whatever the text, it ends soon, does not panic, and answers
// with a tree of at most 32 levels or with one Fault. Aliases, anchors, tags and several documents in
// one text are refused.
//
// Start at Parse. It is the only importer of the YAML library.
package tree

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"branchline/pbx/config/both"
)

// MaxBytes is the longest text that is read. A branch of a thousand desk phones needs a tenth of it.
const MaxBytes = 1 << 20

const (
	maxTokens = 500_000
	maxDepth  = 32  // the document nests six deep
	maxIndent = 256 // columns in which a line may begin
	maxKeys   = 256 // in one block of keys: the parser's time grows with the square of it
)

// Fault is why a text is not read, and what a person can do about it. It never quotes a value of the
// text, which could be a password.
type Fault struct {
	What, Cure   both.Words
	Line, Column int // from 1; 0: the text as a whole
}

// Node is a value as it stands in the text, before anybody knows what it means.
type Node struct {
	Kind         Kind
	Text         string  // of a Scalar, as written, so that 0049 stays 0049
	Items        []*Node // of a List
	Entries      []Entry // of a Mapping, each key once, in the order of the text
	Line, Column int     // from 1
}

// Entry is one key of a Mapping with its value, which is never nil.
type Entry struct {
	Key          string
	Value        *Node
	Line, Column int // of the key
}

// Kind is what a Node is.
type Kind uint8

// The kinds. Null is a value that is left out, or written as null or ~.
const (
	Null Kind = iota
	Scalar
	List
	Mapping
)

// Get is the value of key in a Mapping, nil where there is none.
func (n *Node) Get(key string) *Node {
	for _, e := range n.Entries {
		if e.Key == key {
			return e.Value
		}
	}
	return nil
}

// Parse reads text as one YAML document of plain values. Whatever the text, it ends soon and does
// not panic.
func Parse(text []byte) (root *Node, wrong *Fault) {
	if len(text) > MaxBytes {
		return nil, &Fault{What: both.Say("the document has %d bytes", "文档有 %d 字节", len(text)), Cure: both.Say("at most %d are read", "最多读取 %d", MaxBytes)}
	}
	if p := checkBytes(text); p != nil {
		return nil, p
	}
	// The library is not ours and the text is hostile: what it trips over is a fault of the text.
	defer func() {
		if r := recover(); r != nil {
			root, wrong = nil, &Fault{What: unreadable(), Cure: both.Say("look for a bracket or a quote that is not closed", "请查找未闭合的括号或引号")}
		}
	}()
	tokens := lexer.Tokenize(string(text))
	if p := checkTokens(tokens); p != nil {
		return nil, p
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey()) // duplicates are found in build, in linear time
	if err != nil {
		return nil, syntaxProblem(err)
	}
	bodies := make([]ast.Node, 0, 1)
	for _, d := range file.Docs {
		if d.Body != nil {
			bodies = append(bodies, d.Body)
		}
	}
	if len(bodies) != 1 {
		return nil, &Fault{What: both.Say("the text holds %d documents", "文本含有 %d 个文档", len(bodies)), Cure: both.Say("one is wanted, which begins with \"version: 1\"", "应为一个，以 \"version: 1\" 开头")}
	}
	if root, wrong = build(bodies[0], 0); wrong != nil {
		return nil, wrong
	}
	return root, nil
}

// checkBytes refuses what YAML 1.2.2 clause 5.1 does not count as printable.
func checkBytes(text []byte) *Fault {
	line, column := 1, 1
	for rest := text; len(rest) > 0; column++ {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == '\n':
			line, column = line+1, 0
		case r == utf8.RuneError && size == 1:
			return &Fault{What: both.Say("the text is not UTF-8 here", "此处不是 UTF-8"), Cure: both.Say("save it as UTF-8", "请存为 UTF-8"), Line: line, Column: column}
		case r < ' ' && r != '\t' && r != '\r', r >= 0x7f && r < 0xa0 && r != 0x85:
			return &Fault{What: both.Say("the control character U+%04X", "控制字符 U+%04X", r), Cure: both.Say("take it out", "请删去"), Line: line, Column: column}
		}
		rest = rest[size:]
	}
	return nil
}

// checkTokens refuses what could make reading long or deep (aliases above all), and what a
// document of plain values has no use for.
func checkTokens(tokens token.Tokens) *Fault {
	if len(tokens) > maxTokens {
		return &Fault{What: both.Say("the document has too many values", "文档中的值太多"), Cure: both.Say("at most %d are read", "最多读取 %d", maxTokens)}
	}
	keys := make(map[int]int) // column of a block of keys → how many
	var open, dashes, line int
	for i, t := range tokens {
		at := func(what, cure both.Words) *Fault {
			return &Fault{What: what, Cure: cure, Line: t.Position.Line, Column: t.Position.Column}
		}
		if t.Position.Line != line {
			line, dashes = t.Position.Line, 0
			if t.Position.Column > maxIndent {
				return at(both.Say("the line begins too far to the right", "这一行缩进太多"), both.Say("at most column %d", "最多到第 %d 列", maxIndent))
			}
			for c := range keys {
				if c > t.Position.Column {
					delete(keys, c)
				}
			}
		}
		switch t.Type {
		case token.AliasType, token.AnchorType, token.TagType, token.MergeKeyType, token.DirectiveType, token.MappingKeyType:
			return at(both.Say("%q has a meaning of its own in YAML that is not used here", "%q 在 YAML 中有特殊含义，此处不用", t.Value),
				both.Say("put a text that begins with it in quotes, as in \"*22\"; write a repeated value out", "以它开头的文本请加引号，如 \"*22\"；重复的值请逐个写出"))
		case token.SequenceStartType, token.MappingStartType:
			open++
		case token.SequenceEndType, token.MappingEndType:
			open--
		case token.SequenceEntryType:
			dashes++
		case token.MappingValueType:
			if open > 0 || i == 0 {
				break
			}
			if keys[tokens[i-1].Position.Column]++; keys[tokens[i-1].Position.Column] > maxKeys {
				return at(both.Say("too many keys in one block", "一个块中的键太多"), both.Say("at most %d", "最多 %d", maxKeys))
			}
		}
		if open > maxDepth || dashes > maxDepth {
			return at(tooDeep())
		}
	}
	return nil
}

// syntaxProblem takes the place and the message out of the library's error, and leaves its excerpt
// of the text behind: that could show a password.
func syntaxProblem(err error) *Fault {
	p := &Fault{What: unreadable(), Cure: both.Say("check indentation, colons, brackets and quotes", "请检查缩进、冒号、括号和引号")}
	var e interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if !errors.As(err, &e) {
		return p
	}
	if m := e.GetMessage(); m != "" && !strings.ContainsAny(m, "\"'`") { // a quoted word could be one
		p.What = both.Say("this is not YAML: %s", "这不是 YAML：%s", m)
	}
	if t := e.GetToken(); t != nil && t.Position != nil {
		p.Line, p.Column = t.Position.Line, t.Position.Column
	}
	return p
}

// build makes our Node of the library's.
func build(from ast.Node, depth int) (*Node, *Fault) {
	n := &Node{}
	if from == nil {
		return n, nil
	}
	if t := from.GetToken(); t != nil && t.Position != nil {
		n.Line, n.Column = t.Position.Line, t.Position.Column
	}
	if depth > maxDepth {
		what, cure := tooDeep()
		return nil, &Fault{What: what, Cure: cure, Line: n.Line, Column: n.Column}
	}
	switch from := from.(type) {
	case *ast.NullNode:
		return n, nil
	case *ast.LiteralNode:
		n.Kind, n.Text = Scalar, from.Value.Value
	case *ast.StringNode:
		n.Kind, n.Text = Scalar, from.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		n.Kind, n.Text = Scalar, from.GetToken().Value
	case *ast.SequenceNode:
		n.Kind = List
		for _, v := range from.Values {
			item, p := build(v, depth+1)
			if p != nil {
				return nil, p
			}
			n.Items = append(n.Items, item)
		}
	case *ast.MappingNode:
		n.Kind = Mapping
		return n, n.fill(from.Values, depth)
	case *ast.MappingValueNode:
		n.Kind = Mapping
		return n, n.fill([]*ast.MappingValueNode{from}, depth)
	default:
		return nil, &Fault{What: both.Say("this form of YAML is not used here", "此处不用这种 YAML 写法"), Cure: both.Say("write plain values, lists and keys", "请写普通的值、列表和键"), Line: n.Line, Column: n.Column}
	}
	return n, nil
}

// fill puts the entries of a block of keys into n.
func (n *Node) fill(values []*ast.MappingValueNode, depth int) *Fault {
	seen := make(map[string]int, len(values))
	for _, v := range values {
		key, p := build(v.Key, depth+1)
		if p != nil {
			return p
		}
		if key.Kind != Scalar {
			return &Fault{What: both.Say("a key is not a plain word", "键不是普通的词"), Cure: both.Say("put it in quotes", "请加引号"), Line: key.Line, Column: key.Column}
		}
		if first, twice := seen[key.Text]; twice {
			return &Fault{
				What: both.Say("the key %s is here a second time", "键 %s 在此重复出现", quote(key.Text)),
				Cure: both.Say("leave one; the first is in line %d", "请只留一个；第一个在第 %d 行", first),
				Line: key.Line, Column: key.Column,
			}
		}
		seen[key.Text] = key.Line
		value, p := build(v.Value, depth+1)
		if p != nil {
			return p
		}
		n.Entries = append(n.Entries, Entry{key.Text, value, key.Line, key.Column})
	}
	return nil
}

func unreadable() both.Words {
	return both.Say("the text is not YAML that can be read", "文本不是可读的 YAML")
}

func tooDeep() (what, cure both.Words) {
	return both.Say("the values are nested too deeply", "值嵌套太深"), both.Say("at most %d", "最多 %d", maxDepth)
}

// quote is a key for a message, short enough for a line.
func quote(key string) string {
	if len(key) > 64 {
		key = key[:64] + "…"
	}
	return strconv.Quote(key)
}
