package trunk

import (
	"strings"

	"branchline/hal"
	"branchline/pbx/config"
	"branchline/pbx/sip/header"
	"branchline/pbx/sip/wire"
)

// maxHistory bounds how much of History-Info is read.
const maxHistory = 20

// caller is who calls in a call of ours: From, and what a trusted provider is told beside it (RFC 3325, RFC
// 3323, draft-ietf-sip-privacy-04).
func (s *session) caller(o hal.Dial) (header.Address, []wire.Header) {
	number, name := string(o.Show), header.Plain(o.Name)
	if number == "" {
		number = s.c.User
	}
	shown := header.MakeAddress(name, s.ours(number), "")
	var headers []wire.Header
	switch s.c.Identity {
	case config.IdentityPAI:
		headers = append(headers, wire.Header{Name: "P-Asserted-Identity", Value: shown.Text})
	case config.IdentityRPID:
		privacy := "off"
		if o.Private {
			privacy = "full"
		}
		headers = append(headers, wire.Header{Name: "Remote-Party-ID", Value: shown.Text + ";party=calling;screen=yes;privacy=" + privacy})
	}
	if o.Diverted != "" && s.c.Trusted && !o.Private {
		headers = append(headers, s.diverted(o)...)
	}
	if !o.Private {
		return shown, headers
	}
	if !s.c.Trusted {
		headers = nil
	}
	anonymous, _ := header.ParseURI("sip:anonymous@anonymous.invalid") // RFC 3323 4.1.1.3
	return header.MakeAddress("Anonymous", anonymous, ""), append(headers, wire.Header{Name: "Privacy", Value: "id"})
}

// diverted says for whom the call was meant that is handed on: in the way of RFC 5806, and of RFC 7044.
func (s *session) diverted(o hal.Dial) []wire.Header {
	by, to := s.ours(string(o.Diverted)).Text, s.ours(string(o.To)).Text
	return []wire.Header{{Name: "Diversion", Value: "<" + by + ">;reason=unknown;counter=1"},
		{Name: "History-Info", Value: "<" + by + ">;index=1, <" + to + ">;index=1.1;mp=1"}}
}

// Identity are the headers by which a trusted provider is told in a call who is at the other side now.
func (s *session) Identity(_ wire.Flow, o hal.Show) []wire.Header {
	if s.c.Identity == config.IdentityFrom || o.Number == "" {
		return nil
	}
	_, headers := s.caller(hal.Dial{Show: o.Number, Name: o.Name, Private: o.Private})
	return headers
}

// who is the caller of a call to us: From, or what a trusted provider says beside it.
func (s *session) who(r *wire.Request) hal.Incoming {
	from := r.From
	withheld := isAnonymous(from)
	in := hal.Incoming{}
	if s.c.Trusted {
		if a, ok := asserted(r); ok {
			from, withheld = a, false
		}
		for _, p := range strings.FieldsFunc(strings.ToLower(strings.Join(r.Values("Privacy"), ";")), func(c rune) bool { return c == ';' || c == ' ' }) {
			withheld = withheld || p == "id" || p == "user"
		}
		in.Diverted = divertedBy(r)
	}
	if withheld {
		return in
	}
	in.From, in.Name = hal.Number(from.URI.User), header.Plain(from.Name)
	if in.Name == string(in.From) {
		in.Name = ""
	}
	return in
}

// divertedBy is who handed a call on to us, the latest of several: in Diversion, which is the plainer of the two
// ways (RFC 7544 says that both tell the same), or in History-Info.
func divertedBy(r *wire.Request) hal.Number {
	for _, v := range r.Values("Diversion") { // RFC 5806: the latest stands first
		if a, err := header.ParseAddress(v); err == nil && a.URI.User != "" {
			return hal.Number(a.URI.User)
		}
	}
	by := map[string]hal.Number{}
	latest := hal.Number("")
	for _, v := range r.Values("History-Info") { // RFC 7044 5: the latest stands last; mp names whose target it replaced
		a, err := header.ParseAddress(v)
		if err != nil || len(by) == maxHistory {
			break
		}
		index, _ := a.Param("index")
		by[index] = hal.Number(a.URI.User)
		from, replaced := a.Param("mp")
		if _, old := a.URI.Param("cause"); !replaced && old && strings.Contains(index, ".") { // RFC 4458 with RFC 4244
			from, replaced = index[:strings.LastIndexByte(index, '.')], true
		}
		if n := by[from]; replaced && n != "" {
			latest = n
		}
	}
	return latest
}

// asserted is whom a trusted provider says the caller to be: the first of P-Asserted-Identity that has a number
// (there may be a sip and a tel one), or Remote-Party-ID.
func asserted(r *wire.Request) (header.Address, bool) {
	for _, v := range r.Values("P-Asserted-Identity") {
		if a, err := header.ParseAddress(v); err == nil && a.URI.User != "" && !isAnonymous(a) {
			return a, true
		}
	}
	for _, v := range r.Values("Remote-Party-ID") {
		a, err := header.ParseAddress(v)
		party, _ := a.Param("party")
		privacy, _ := a.Param("privacy")
		if err == nil && a.URI.User != "" && party != "called" && (privacy == "" || privacy == "off") {
			return a, true
		}
	}
	return header.Address{}, false
}

func isAnonymous(a header.Address) bool {
	user := strings.ToLower(a.URI.User)
	return user == "" || user == "anonymous" || user == "unavailable" || a.URI.Host == "anonymous.invalid"
}
