// Package route says where a number that a desk phone dialled leads to: a service code, an
// extension, or outside lines with the number in the form that they want; and whether who dials it may.
//
// It is pure; start at Dialed. What numbers are says pbx/number.
package route

import (
	"cmp"
	"slices"
	"strings"

	"branchline/hal"
	"branchline/pbx/config"
	"branchline/pbx/number"
)

// Kind says what a dialled number is.
type Kind uint8

const (
	Nowhere   Kind = iota // no such number
	Extension             // To is one of ours
	Outside               // To goes out on one of Lines
	SignIn                // the sign-in code; To is what followed it
	Ready                 // the ready code
	Pickup                // takes the call that rings at To; "" in the group
	Park                  // parks at the place To, or takes the call there back
	DND                   // do not disturb, or no more
	Forward               // Why is when; To where, "" nowhere any more
)

// When calls are forwarded: Place.Why of Forward.
const (
	Always      = "always"
	OnBusy      = "busy"
	NoAnswer    = "no_answer"
	Unreachable = "unreachable"
)

// Place is where a dialled number leads to.
type Place struct {
	Kind   Kind
	To     hal.Number
	Why    string
	Number number.Number // of Outside: what the number is; of an Extension its To alone
	Route  *config.Route // of Outside; nil for an emergency call that no route is for
	Lines  []string
}

// Dialed resolves n as dialled at one of our extensions. Emergency numbers come first, then codes (of
// several that fit the longest), extensions, and the outbound routes in order: the first whose prefix
// matches. A number with "+" that no route is for goes where the same number dialled here would go.
func Dialed(doc *config.Doc, plan number.Plan, n hal.Number) Place {
	if place, ok := emergency(doc, plan, n); ok {
		return place
	}
	if place, ok := code(doc.Codes, string(n)); ok {
		return place
	}
	for i := range doc.Extensions {
		if doc.Extensions[i].Number == string(n) {
			return Place{Kind: Extension, To: n, Number: number.Number{Dialled: n, To: config.ToInternal}}
		}
	}
	for i := range doc.Outbound {
		if to, ok := through(&doc.Outbound[i], string(n)); ok {
			return outside(&doc.Outbound[i], plan.Read(hal.Number(to)))
		}
	}
	if strings.HasPrefix(string(n), "+") {
		return world(doc, plan, plan.Read(n))
	}
	return Place{}
}

// through is what route r makes of the dialled number n.
func through(r *config.Route, n string) (string, bool) {
	if !strings.HasPrefix(n, r.Prefix) || len(n) <= r.Strip {
		return "", false
	}
	return r.Add + n[r.Strip:], true
}

func outside(r *config.Route, n number.Number) Place {
	return Place{Kind: Outside, To: n.Shown(), Number: n, Route: r, Lines: r.Lines}
}

// world finds the route that takes n when it is dialled as people here do.
func world(doc *config.Doc, plan number.Plan, n number.Number) Place {
	if n.World == "" {
		return Place{}
	}
	local := string(plan.Local(n.World))
	for i := range doc.Outbound {
		r := &doc.Outbound[i]
		for _, dialled := range [...]string{local, r.Prefix + local} {
			if to, ok := through(r, dialled); ok && plan.Read(hal.Number(to)).World == n.World {
				return outside(r, plan.Read(hal.Number(to)))
			}
		}
	}
	return Place{}
}

// emergency finds that an emergency number was dialled, with the prefix of a route or without. It goes
// over the lines of that route, then over all others that any route has.
func emergency(doc *config.Doc, plan number.Plan, n hal.Number) (Place, bool) {
	read := plan.Read(n)
	var by *config.Route
	for i := range doc.Outbound {
		if to, ok := through(&doc.Outbound[i], string(n)); ok && by == nil {
			by = &doc.Outbound[i]
			if by.Prefix != "" && plan.Read(hal.Number(to)).To == config.ToEmergency {
				read = plan.Read(hal.Number(to))
			}
		}
	}
	if read.To != config.ToEmergency || len(doc.Outbound) == 0 {
		return Place{}, false
	}
	place := Place{Kind: Outside, To: read.Dialled, Number: read, Route: by}
	if by != nil {
		place.Lines = append(place.Lines, by.Lines...)
	}
	for _, r := range doc.Outbound {
		for _, l := range r.Lines {
			if !slices.Contains(place.Lines, l) {
				place.Lines = append(place.Lines, l)
			}
		}
	}
	return place, true
}

// code finds which service code n begins with.
func code(c config.Codes, n string) (best Place, ok bool) {
	longest := 0
	for _, x := range [...]struct {
		code  string
		place Place
		more  bool // a number may follow
	}{
		{c.SignIn, Place{Kind: SignIn}, true},
		{c.Ready, Place{Kind: Ready}, false},
		{c.Pickup, Place{Kind: Pickup}, true},
		{c.Park, Place{Kind: Park}, true},
		{c.DND, Place{Kind: DND}, false},
		{c.ForwardAlways, Place{Kind: Forward, Why: Always}, true},
		{c.ForwardBusy, Place{Kind: Forward, Why: OnBusy}, true},
		{c.ForwardNoAnswer, Place{Kind: Forward, Why: NoAnswer}, true},
		{c.ForwardUnreachable, Place{Kind: Forward, Why: Unreachable}, true},
	} {
		rest, fits := strings.CutPrefix(n, x.code)
		if x.code == "" || !fits || len(x.code) <= longest || rest != "" && !x.more {
			continue
		}
		best, ok, longest = x.place, true, len(x.code)
		best.To = hal.Number(rest)
	}
	return best, ok
}

// Allowed tells whether class c may reach n. Emergency numbers pass in any case.
func Allowed(c config.Class, n number.Number) bool {
	if n.To == config.ToEmergency {
		return true
	}
	return !matches(c.Deny, n) && matches(c.Allow, n)
}

func matches(words []string, n number.Number) bool {
	for _, w := range words {
		if w == n.To || strings.HasPrefix(w, "+") && strings.HasPrefix(string(n.World), w) {
			return true
		}
	}
	return false
}

// Shown is the number that a call through r on line l shows; "" where the line has none to show.
func Shown(r *config.Route, l *config.Line) hal.Number {
	show := cmp.Or(l.Show, l.Number)
	if r != nil {
		show = cmp.Or(r.Show, show)
	}
	return hal.Number(show)
}
