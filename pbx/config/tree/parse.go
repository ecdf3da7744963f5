// Package tree reads YAML that may be hostile into plain values: null, scalars, lists and blocks of
// keys, each with its place in the text. Whatever the text, it ends soon, does not panic, and answers
// with a tree of at most 32 levels or with one Fault. Aliases, anchors, tags and several documents in
// one text are refused.
//
// Start at Parse. It is the only importer of the YAML library.
package tree

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
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
	What, Cure   string
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
		return nil, &Fault{What: fmt.Sprintf("the document has %d bytes", len(text)), Cure: fmt.Sprintf("at most %d are read", MaxBytes)}
	}
	if p := checkBytes(text); p != nil {
		return nil, p
	}
	// The library is not ours and the text is hostile: what it trips over is a fault of the text.
	defer func() {
		if r := recover(); r != nil {
			root, wrong = nil, &Fault{What: "the text is not YAML that can be read", Cure: "look for a bracket or a quote that is not closed"}
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
		return nil, &Fault{What: fmt.Sprintf("the text holds %d documents", len(bodies)), Cure: "one is wanted, which begins with \"version: 1\""}
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
			return &Fault{What: "the text is not UTF-8 here", Cure: "save it as UTF-8", Line: line, Column: column}
		case r < ' ' && r != '\t' && r != '\r', r >= 0x7f && r < 0xa0 && r != 0x85:
			return &Fault{What: fmt.Sprintf("the control character U+%04X", r), Cure: "take it out", Line: line, Column: column}
		}
		rest = rest[size:]
	}
	return nil
}

// checkTokens refuses what could make reading long or deep (aliases above all), and what a
// document of plain values has no use for.
func checkTokens(tokens token.Tokens) *Fault {
	if len(tokens) > maxTokens {
		return &Fault{What: "the document has too many values", Cure: fmt.Sprintf("at most %d are read", maxTokens)}
	}
	keys := make(map[int]int) // column of a block of keys → how many
	var open, dashes, line int
	for i, t := range tokens {
		at := func(what, cure string) *Fault {
			return &Fault{What: what, Cure: cure, Line: t.Position.Line, Column: t.Position.Column}
		}
		if t.Position.Line != line {
			line, dashes = t.Position.Line, 0
			if t.Position.Column > maxIndent {
				return at("the line begins too far to the right", fmt.Sprintf("at most column %d", maxIndent))
			}
			for c := range keys {
				if c > t.Position.Column {
					delete(keys, c)
				}
			}
		}
		switch t.Type {
		case token.AliasType, token.AnchorType, token.TagType, token.MergeKeyType, token.DirectiveType, token.MappingKeyType:
			return at(fmt.Sprintf("%q has a meaning of its own in YAML that is not used here", t.Value), "put a text that begins with it in quotes, as in \"*22\"; write a repeated value out")
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
				return at("too many keys in one block", fmt.Sprintf("at most %d", maxKeys))
			}
		}
		if open > maxDepth || dashes > maxDepth {
			return at("the values are nested too deeply", fmt.Sprintf("at most %d", maxDepth))
		}
	}
	return nil
}

// syntaxProblem takes the place and the message out of the library's error, and leaves its excerpt
// of the text behind: that could show a password.
func syntaxProblem(err error) *Fault {
	p := &Fault{What: "the text is not YAML that can be read", Cure: "check indentation, colons, brackets and quotes"}
	var e interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if !errors.As(err, &e) {
		return p
	}
	if m := e.GetMessage(); m != "" && !strings.ContainsAny(m, "\"'`") { // a quoted word could be one
		p.What = "this is not YAML: " + m
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
		return nil, &Fault{What: "the values are nested too deeply", Cure: fmt.Sprintf("at most %d", maxDepth), Line: n.Line, Column: n.Column}
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
		return nil, &Fault{What: "this form of YAML is not used here", Cure: "write plain values, lists and keys", Line: n.Line, Column: n.Column}
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
			return &Fault{What: "a key is not a plain word", Cure: "put it in quotes", Line: key.Line, Column: key.Column}
		}
		if first, twice := seen[key.Text]; twice {
			return &Fault{What: fmt.Sprintf("the key %s is here a second time", quote(key.Text)), Cure: fmt.Sprintf("leave one; the first is in line %d", first), Line: key.Line, Column: key.Column}
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

// quote is a key for a message, short enough for a line.
func quote(key string) string {
	if len(key) > 64 {
		key = key[:64] + "…"
	}
	return strconv.Quote(key)
}
