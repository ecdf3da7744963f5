package modem

import (
	"errors"
	"strconv"
	"strings"
)

// form is how a command is given.
type form int

const (
	exec form = iota // AT+X
	read             // AT+X?
	test             // AT+X=?
	set              // AT+X=args; for a basic command, its number if there is one
)

// command is one command of a command line.
type command struct {
	name string // upper case: "+CLIP", "D", "&F"
	form form
	args string
}

var errSyntax = errors.New("no AT command")

// parseLine splits a command line without its AT into commands (V.250 5.2: basic commands follow
// each other directly, extended ones are ended by a semicolon).
func parseLine(s string) (all []command, err error) {
	for {
		s = strings.TrimLeft(s, " ;")
		if s == "" {
			return all, nil
		}
		var c command
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
		if c.name == "" {
			return nil, errSyntax
		}
		all = append(all, c)
	}
}

func parseExtended(s string) (command, string) {
	end := endOf(s)
	body, rest := s[:end], s[end:]
	n := 1
	for n < len(body) && (isLetter(body[n]) || isDigit(body[n]) || strings.IndexByte("_-:!%./", body[n]) >= 0) {
		n++
	}
	c := command{name: strings.ToUpper(body[:n])}
	switch tail := strings.TrimSpace(body[n:]); {
	case n == 1:
		return command{}, ""
	case tail == "":
	case tail == "?":
		c.form = read
	case tail == "=?":
		c.form = test
	case tail[0] == '=':
		c.form, c.args = set, strings.TrimSpace(tail[1:])
	default:
		return command{}, ""
	}
	return c, rest
}

// parseDial takes everything up to and with the semicolon that makes it a voice call.
func parseDial(s string) (command, string) {
	end := min(endOf(s)+1, len(s))
	return command{name: "D", form: set, args: strings.ReplaceAll(s[:end], " ", "")}, s[end:]
}

// parseBasic takes a name of n characters and the number behind it; S takes =value or ?.
func parseBasic(s string, n int) (command, string) {
	c := command{name: strings.ToUpper(s[:n])}
	digits := func() string {
		start := n
		for n < len(s) && isDigit(s[n]) {
			n++
		}
		return s[start:n]
	}
	c.args = digits()
	if c.args != "" {
		c.form = set
	}
	if c.name != "S" {
		return c, s[n:]
	}
	c.name, c.form, c.args = "S"+c.args, exec, ""
	switch {
	case n < len(s) && s[n] == '?':
		n++
		c.form = read
	case n < len(s) && s[n] == '=':
		n++
		c.form, c.args = set, digits()
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

// fields splits arguments at the commas outside quotes and takes the quotes off.
func fields(args string) (all []string) {
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

// accepts says whether args fit the value lists of a test answer such as (0-2),(0,1),("SM","ME").
// An argument may be left out or empty.
func accepts(lists, args string) bool {
	var groups []string
	for _, g := range strings.Split(lists, "(")[1:] {
		g, _, _ = strings.Cut(g, ")")
		groups = append(groups, g)
	}
	given := fields(args)
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
