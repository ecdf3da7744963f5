// Package number reads telephone numbers as people and wires of one place write them: what a number
// is (local, mobile, premium …), what it is in the world (E.164), and how a line wants to have it.
//
// It is pure. A Plan is a country's rules with what the site says of its own; nothing in it tells
// whether a number exists. What it does not understand it leaves as it is, and never calls cheap what
// could be dear. Start at Of and Plan.Read; the countries are in countries.go.
package number

import (
	"slices"
	"strings"

	"branchline/hal"
	"branchline/pbx/config"
)

// Number is a number that a Plan has read.
type Number struct {
	World   hal.Number // E.164 with "+"; "" where it has none: a short code, a number of unknown form
	Dialled hal.Number // as it was, without blanks and brackets
	To      string     // what it leads to: one of config.Destinations; "" for a withheld number
}

// Shown is n as facts, records and displays have it: E.164 where there is one.
func (n Number) Shown() hal.Number {
	if n.World != "" {
		return n.World
	}
	return n.Dialled
}

// Plan is the rules of one place. The zero value reads numbers with "+" alone.
type Plan struct {
	profile
	area string
}

// Of is the plan of the site of doc: its country's, with doc.Numbers put over it.
func Of(doc *config.Doc) Plan {
	p := Plan{profile: country(doc.Site.Country), area: doc.Numbers.Area}
	put := func(field *string, s string) {
		switch s {
		case "":
		case config.None:
			*field = ""
		default:
			*field = s
		}
	}
	put(&p.code, doc.Numbers.Country)
	put(&p.trunk, doc.Numbers.Trunk)
	put(&p.intl, doc.Numbers.International)
	if len(doc.Numbers.Emergency) > 0 {
		p.emergency = strings.Join(doc.Numbers.Emergency, " ")
	}
	p.premium += " " + strings.Join(doc.Numbers.Premium, " ")
	return p
}

// Lengths of E.164 numbers, country code included. Shorter ones exist, but are told apart from short
// codes by nobody.
const minWorld, maxWorld = 7, 15

// Read tells what raw is, as somebody here dials it or a line here names its caller.
func (p Plan) Read(raw hal.Number) Number {
	s := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -./()", r) {
			return -1
		}
		return r
	}, string(raw))
	n := Number{Dialled: hal.Number(s)}
	digits := strings.TrimPrefix(s, "+")
	switch {
	case s == "":
	case strings.Trim(digits, "0123456789") != "" || digits == "":
		n.To = config.ToPremium // a code of the network, or no number at all: nobody knows what it costs
	case slices.Contains(strings.Fields(p.emergency), s):
		n.To = config.ToEmergency
	case digits != s:
		p.world(&n, digits)
	case p.intl != "" && strings.HasPrefix(s, p.intl):
		p.world(&n, s[len(p.intl):])
		if p.code == "" {
			n.World = "" // the prefix was a guess too
		}
	case p.trunk != "" && strings.HasPrefix(s, p.trunk):
		p.national(&n, s[len(p.trunk):])
	default:
		p.bare(&n, s)
	}
	return n
}

// world reads a number that begins with a country code.
func (p Plan) world(n *Number, digits string) {
	own, ours := strings.CutPrefix(digits, p.code)
	if ours && p.code != "" {
		if p.trunk == "0" { // as in +44 (0)20
			own = strings.TrimPrefix(own, "0")
		}
		p.national(n, own)
		return
	}
	n.To = config.ToInternational
	switch {
	case begins(digits, satellites):
		n.To = config.ToPremium
	case begins(digits, "800"): // universal free-phone, ITU-T E.169.1
		n.To = config.ToTollFree
	}
	n.World = fit(digits)
}

// Networks that are no country's: satellites and aircraft (870, 881), global networks (882, 883) and
// international premium rate (979). ITU-T E.164 list of assigned codes.
const satellites = "870 878 881 882 883 979"

// national reads a national significant number: one without the trunk prefix.
func (p Plan) national(n *Number, own string) {
	n.To = p.kind(own)
	if p.code != "" && len(own) >= p.least {
		n.World = fit(p.code + own)
	}
}

func fit(digits string) hal.Number {
	if len(digits) < minWorld || len(digits) > maxWorld || digits[0] == '0' {
		return ""
	}
	return hal.Number("+" + digits)
}

// bare reads a number without any prefix: a short code, a whole number where the country dials so, or
// one of the own area.
func (p Plan) bare(n *Number, s string) {
	switch {
	case begins(s, p.shortPremium):
		n.To = config.ToPremium
	case begins(s, p.shortFree):
		n.To = config.ToTollFree
	case p.whole(s):
		p.national(n, s)
	case p.area != "" && len(s) > 3:
		p.national(n, p.area+s)
	default:
		n.To = config.ToLocal
	}
}

// whole tells whether s is dialled so from everywhere in the country.
func (p Plan) whole(s string) bool {
	for _, w := range strings.Fields(p.closed) {
		prefix, size, _ := strings.Cut(w, ":")
		if strings.HasPrefix(s, prefix) && len(s) == atoi(size) {
			return true
		}
	}
	return false
}

// atoi reads a number of our own table.
func atoi(s string) (n int) {
	for _, c := range []byte(s) {
		n = 10*n + int(c-'0')
	}
	return n
}

// kind tells what a national significant number leads to: of the rules that fit, the longest.
func (p Plan) kind(own string) string {
	to, best := config.ToNational, 0
	if p.area != "" && strings.HasPrefix(own, p.area) {
		to = config.ToLocal
	}
	for _, rule := range [...][2]string{
		{p.premium, config.ToPremium}, {p.abroad, config.ToInternational},
		{p.free, config.ToTollFree}, {p.mobile, config.ToMobile},
	} {
		for _, prefix := range strings.Fields(rule[0]) {
			if len(prefix) > best && strings.HasPrefix(own, prefix) {
				to, best = rule[1], len(prefix)
			}
		}
	}
	return to
}

func begins(s, prefixes string) bool {
	for _, p := range strings.Fields(prefixes) {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// As is n in the form that a line wants: one of config.Forms. What has no number in the world stays as
// it was dialled.
func (p Plan) As(n Number, form string) hal.Number {
	switch {
	case n.World == "" || form == config.FormDialled || form == "":
		return n.Dialled
	case form == config.FormNational:
		return p.Local(n.World)
	}
	return n.World
}

// Local is an E.164 number as it is dialled here: trunk prefix and national number, or the
// international prefix. Where the country has none for it, it stays as it is.
func (p Plan) Local(world hal.Number) hal.Number {
	digits := strings.TrimPrefix(string(world), "+")
	own, ours := strings.CutPrefix(digits, p.code)
	switch {
	case p.code == "" || !ours && p.intl == "":
		return world
	case !ours:
		return hal.Number(p.intl + digits)
	case p.trunk != "" && p.trunk != "1" && p.whole(own):
		return hal.Number(own)
	}
	return hal.Number(p.trunk + own)
}
