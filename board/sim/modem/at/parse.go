package at

import (
	"errors"
	"strconv"
	"strings"
)

// Form is how a command is given.
type Form int

// The forms.
const (
	Exec Form = iota // AT+X
	Read             // AT+X?
	Test             // AT+X=?
	Set              // AT+X=args; for a basic command, its number if there is one
)

// Command is one command of a command line.
type Command struct {
	Name string // upper case: "+CLIP", "D", "&F"
	Form Form
	Args string
}

// ErrSyntax is the ERROR of V.250.
var ErrSyntax = errors.New("no AT command")

// ParseLine splits a command line without its AT into commands (V.250 5.2: basic commands follow
// each other directly, extended ones are ended by a semicolon).
func ParseLine(s string) (all []Command, err error) {
	for {
		s = strings.TrimLeft(s, " ;")
		if s == "" {
			return all, nil
		}
		var c Command
		switch first := upper(s[0]); {
		case strings.IndexByte("+^$*%#", first) >= 0:
			c, s = parseExtended(s)
		case first == 'D':
			c, s = parseDial(s[1:])
		case first == '&' && len(s) > 1 && isLetter(s[1]):
			c, s = parseBasic(s, 2)
		case isLetter(first):
			c, s = parseBasic(s, 1)
		}
		if c.Name == "" {
			return nil, ErrSyntax
		}
		all = append(all, c)
	}
}

func parseExtended(s string) (Command, string) {
	end := endOf(s)
	body, rest := s[:end], s[end:]
	n := 1
	for n < len(body) && (isLetter(body[n]) || isDigit(body[n]) || strings.IndexByte("_-:!%./", body[n]) >= 0) {
		n++
	}
	c := Command{Name: strings.ToUpper(body[:n])}
	switch tail := strings.TrimSpace(body[n:]); {
	case n == 1:
		return Command{}, ""
	case tail == "":
	case tail == "?":
		c.Form = Read
	case tail == "=?":
		c.Form = Test
	case tail[0] == '=':
		c.Form, c.Args = Set, strings.TrimSpace(tail[1:])
	default:
		return Command{}, ""
	}
	return c, rest
}

// parseDial takes everything up to and with the semicolon that makes it a voice call.
func parseDial(s string) (Command, string) {
	end := min(endOf(s)+1, len(s))
	return Command{Name: "D", Form: Set, Args: strings.ReplaceAll(s[:end], " ", "")}, s[end:]
}

// parseBasic takes a name of n characters and the number behind it; S takes =value or ?.
func parseBasic(s string, n int) (Command, string) {
	c := Command{Name: strings.ToUpper(s[:n])}
	digits := func() string {
		start := n
		for n < len(s) && isDigit(s[n]) {
			n++
		}
		return s[start:n]
	}
	c.Args = digits()
	if c.Args != "" {
		c.Form = Set
	}
	if c.Name != "S" {
		return c, s[n:]
	}
	c.Name, c.Form, c.Args = "S"+c.Args, Exec, ""
	switch {
	case n < len(s) && s[n] == '?':
		n++
		c.Form = Read
	case n < len(s) && s[n] == '=':
		n++
		c.Form, c.Args = Set, digits()
	}
	return c, s[n:]
}

// endOf is where the first semicolon outside quotes is, or the length.
func endOf(s string) int {
	quoted := false
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ';' && !quoted:
			return i
		}
	}
	return len(s)
}

// Fields splits arguments at the commas outside quotes and takes the quotes off.
func Fields(args string) (all []string) {
	quoted, start := false, 0
	for i := range len(args) {
		switch {
		case args[i] == '"':
			quoted = !quoted
		case args[i] == ',' && !quoted:
			all = append(all, unquote(args[start:i]))
			start = i + 1
		}
	}
	return append(all, unquote(args[start:]))
}

func unquote(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

// Accepts says whether args fit the value lists of a test answer such as (0-2),(0,1),("SM","ME").
// An argument may be left out or empty.
func Accepts(lists, args string) bool {
	var groups []string
	for _, g := range strings.Split(lists, "(")[1:] {
		g, _, _ = strings.Cut(g, ")")
		groups = append(groups, g)
	}
	given := Fields(args)
	if len(given) > len(groups) || given[0] == "" {
		return false
	}
	for i, arg := range given {
		if arg != "" && !inList(groups[i], arg) {
			return false
		}
	}
	return true
}

func inList(list, arg string) bool {
	for _, item := range strings.Split(list, ",") {
		if unquote(item) == arg {
			return true
		}
		low, high, isRange := strings.Cut(item, "-")
		a, err1 := strconv.Atoi(low)
		b, err2 := strconv.Atoi(high)
		v, err3 := strconv.Atoi(arg)
		if isRange && err1 == nil && err2 == nil && err3 == nil && a <= v && v <= b {
			return true
		}
	}
	return false
}

func isLetter(b byte) bool { return 'A' <= upper(b) && upper(b) <= 'Z' }
func isDigit(b byte) bool  { return '0' <= b && b <= '9' }

func upper(b byte) byte {
	if 'a' <= b && b <= 'z' {
		return b - 'a' + 'A'
	}
	return b
}
