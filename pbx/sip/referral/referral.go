// Package referral reads what a peer asks for by REFER (RFC 3515) and Replaces (RFC 3891), and writes what
// it is told of that. All of it comes from the wire and is checked; the package is pure. Start reading at
// Read.
package referral

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"branchline/pbx/sip/header"
)

// Target is whom a peer wants its call connected with.
type Target struct {
	Number   string // as dialled; may be "" where there is a Dialog
	Host     string // where the number is at home, lower case; "" in a tel URI
	Replaces Dialog // the call that shall be taken over; zero: a number shall be dialled
}

// Dialog names one by its Call-ID and tags.
type Dialog struct {
	CallID    string
	To, From  string // tags
	EarlyOnly bool   // only while it rings
}

const (
	longest = 64  // of a number
	maxTag  = 128 // of a tag
)

// Read reads a Refer-To. code is the refusal where it is none that we know: 400, or 416 for another scheme
// than sip, sips and tel.
func Read(value string) (t Target, code int) {
	a, err := header.ParseAddress(value)
	if err != nil {
		return Target{}, 400
	}
	u := a.URI
	if u.Scheme != "sip" && u.Scheme != "sips" && u.Scheme != "tel" {
		return Target{}, 416
	}
	if m, ok := u.Param("method"); ok && !strings.EqualFold(m, "INVITE") {
		return Target{}, 400
	}
	t = Target{Number: u.User, Host: u.Host}
	if len(t.Number) > longest || strings.ContainsAny(t.Number, " %?;@<>\"\\") || !printable(t.Number) {
		return Target{}, 400
	}
	_, fields, _ := strings.Cut(u.Text, "?")
	for f := range strings.SplitSeq(fields, "&") {
		name, v, _ := strings.Cut(f, "=")
		if !strings.EqualFold(name, "Replaces") {
			continue // what else shall stand in the INVITE is ours to say
		}
		text, err := url.PathUnescape(v)
		ok := err == nil && t.Replaces.CallID == ""
		if ok {
			t.Replaces, ok = ReadReplaces(text)
		}
		if !ok {
			return Target{}, 400
		}
	}
	if t.Number == "" && t.Replaces.CallID == "" {
		return Target{}, 400
	}
	return t, 0
}

// ReadReplaces reads the value of a Replaces header.
func ReadReplaces(value string) (d Dialog, ok bool) {
	if len(value) > 1024 || header.HasControl(value) {
		return Dialog{}, false
	}
	id, params, _ := strings.Cut(value, ";")
	d.CallID = strings.TrimSpace(id)
	if d.CallID == "" || len(d.CallID) > 256 || strings.ContainsAny(d.CallID, " \t,") {
		return Dialog{}, false
	}
	d.To, _ = header.Param(params, "to-tag")
	d.From, _ = header.Param(params, "from-tag")
	for p := range strings.SplitSeq(params, ";") {
		d.EarlyOnly = d.EarlyOnly || strings.EqualFold(strings.TrimSpace(p), "early-only")
	}
	if len(d.To) > maxTag || len(d.From) > maxTag || !header.IsToken(d.To) || !header.IsToken(d.From) {
		return Dialog{}, false
	}
	return d, true
}

// Is says whether d is the dialog with these tags. Which of the two is whose is said both ways by phones
// that pick up a call that a lamp told them of.
func (d Dialog) Is(ours, theirs string) bool {
	return d.To == ours && d.From == theirs || d.To == theirs && d.From == ours
}

// Status is the body that tells how far a transfer is: message/sipfrag.
func Status(code int) []byte {
	reason := map[int]string{100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 403: "Forbidden", 404: "Not Found",
		480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 486: "Busy Here", 487: "Request Terminated",
		501: "Not Implemented", 503: "Service Unavailable", 603: "Decline"}[code]
	if reason == "" {
		reason = "Unknown"
	}
	return fmt.Appendf(nil, "SIP/2.0 %d %s\r\n", code, reason)
}

func printable(s string) bool {
	return !slices.ContainsFunc([]byte(s), func(c byte) bool { return c <= ' ' || c == 0x7f })
}
