// Package route says where a number that a desk phone dialled leads to: a service code, an
// extension, or outside lines with the number in the form that they want.
//
// It is pure; start at Dialed.
package route

import (
	"strings"

	"branchline/hal"
	"branchline/pbx/config"
)

// Kind says what a dialled number is.
type Kind uint8

const (
	Nowhere   Kind = iota // no such number
	Extension             // To is one of ours
	Outside               // To goes out on one of Lines, tried in order
	SignIn                // the sign-in code; To is what followed it
	Ready                 // the ready code
)

// Place is where a dialled number leads to.
type Place struct {
	Kind  Kind
	To    hal.Number
	Lines []string
}

// Dialed resolves number as dialled at one of our extensions. Codes are tried first, then
// extensions, then the outbound routes in order: the first whose prefix matches.
func Dialed(doc *config.Doc, number hal.Number) Place {
	n := string(number)
	if rest, ok := strings.CutPrefix(n, doc.Codes.SignIn); ok && doc.Codes.SignIn != "" {
		return Place{Kind: SignIn, To: hal.Number(rest)}
	}
	if n == doc.Codes.Ready && n != "" {
		return Place{Kind: Ready}
	}
	for i := range doc.Extensions {
		if doc.Extensions[i].Number == n {
			return Place{Kind: Extension, To: number}
		}
	}
	for _, r := range doc.Outbound {
		if !strings.HasPrefix(n, r.Prefix) || len(n) <= r.Strip {
			continue
		}
		return Place{Kind: Outside, To: hal.Number(r.Add + n[r.Strip:]), Lines: r.Lines}
	}
	return Place{}
}
