package config

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with a document: where, what, and what a person can do about
// it. It never holds a secret.
type Problem struct {
	Path   string `json:"path"` // "queues[0].agents"; "" for the document as a whole
	What   string `json:"what"` // "the queue has no agents"
	Cure   string `json:"cure"` // "name at least one agent's number"
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"` // both from 1; 0: not known, as the Doc was not read from text

	Warning bool `json:"warning,omitempty"` // the document can be applied all the same
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

// String is the problem as one line for a person:
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
	b.WriteString(p.What)
	if p.Cure != "" {
		b.WriteString("; " + p.Cure)
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
	return append(ps.list, Problem{What: fmt.Sprintf("%d more problems are not listed", ps.rest), Cure: "mend those above first"})
}
