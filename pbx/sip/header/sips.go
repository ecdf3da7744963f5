package header

import "strings"

// Secured is our own address a as one that is reached by TLS alone: sips, whose transport needs no saying
// (RFC 3261 26.2.2).
func (a Address) Secured() Address {
	rest, ok := strings.CutPrefix(a.URI.Text, "sip:")
	if !ok {
		return a
	}
	rest, _, _ = strings.Cut(rest, ";")
	uri, err := ParseURI("sips:" + rest)
	if err != nil {
		return a
	}
	return MakeAddress(a.Name, uri, a.Tag())
}
