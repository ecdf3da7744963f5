package config

import (
	"fmt"
	"strings"

	"branchline/pbx/config/both"
)

// Problem is one thing that is wrong with a document: where, what, and what a person can do about
// it. It never holds a secret.
type Problem struct {
	Path   string     // "queues[0].agents"; "" for the document as a whole
	What   both.Words // "the queue has no agents"
	Cure   both.Words // "name at least one agent's number"; zero: none is known
	Line   int
	Column int // both from 1; 0: not known, as the Doc was not read from text

	Warning bool // the document can be applied all the same
}

// Wrong is those of problems for which a document cannot be applied: all but warnings.
func Wrong(problems []Problem) (wrong []Problem) {
	for _, p := range problems {
		if !p.Warning {
			wrong = append(wrong, p)
		}
	}
	return wrong
}

// String is the problem in English, as one line for a person:
//
//	line 12, column 5: queues[0].agents: the queue has no agents; name at least one agent's number
func (p Problem) String() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "line %d, column %d: ", p.Line, p.Column)
	}
	if p.Warning {
		b.WriteString("warning: ")
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.What.EN)
	if p.Cure.EN != "" {
		b.WriteString("; " + p.Cure.EN)
	}
	return b.String()
}

// LoadError is why a text is no document: all that was found, in the order of the text. Load
// returns it, so that whoever shows the problems one by one finds them by errors.As.
type LoadError struct{ Problems []Problem }

// Error lists the problems, one per line.
func (e *LoadError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// maxProblems bounds a list of problems: nobody reads more, and a hostile text could hold a
// hundred thousand.
const maxProblems = 200

// problems collects up to maxProblems and counts the rest.
type problems struct {
	list []Problem
	rest int
}

func (ps *problems) add(p Problem) {
	if len(ps.list) >= maxProblems {
		ps.rest++
		return
	}
	ps.list = append(ps.list, p)
}

// all is the list, closed by a line about what it leaves out; nil where nothing is wrong.
func (ps *problems) all() []Problem {
	if ps.rest == 0 {
		return ps.list
	}
	return append(ps.list, Problem{
		What: both.Say("%d more problems are not listed", "还有 %d 个问题未列出", ps.rest), Cure: both.Say("mend those above first", "请先改正以上各项"),
	})
}
