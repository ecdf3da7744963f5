package message

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Address is a name-addr or addr-spec with its header parameters: From, To, Contact, Route.
type Address struct {
	Name   string // without quotes
	URI    string
	Params string // raw: ";tag=abc;expires=60", or ""
}

// ParseAddress reads one address. A bare URI's parameters belong to the header (RFC 3261 20.10).
func ParseAddress(s string) (Address, error) {
	s = strings.TrimSpace(s)
	var a Address
	if strings.HasPrefix(s, `"`) {
		name, rest, ok := unquote(s)
		if !ok {
			return a, fmt.Errorf("%w: name %.40q", ErrMalformed, s)
		}
		a.Name, s = name, strings.TrimSpace(rest)
		if !strings.HasPrefix(s, "<") {
			return a, fmt.Errorf("%w: address %.40q", ErrMalformed, s)
		}
	}
	before, after, angled := strings.Cut(s, "<")
	if angled {
		if a.Name == "" {
			a.Name = strings.TrimSpace(before)
		}
		uri, rest, ok := strings.Cut(after, ">")
		if !ok {
			return a, fmt.Errorf("%w: address %.40q", ErrMalformed, s)
		}
		a.URI, a.Params = strings.TrimSpace(uri), strings.TrimSpace(rest)
	} else if i := strings.IndexByte(s, ';'); i >= 0 {
		a.URI, a.Params = strings.TrimSpace(s[:i]), s[i:]
	} else {
		a.URI = s
	}
	if a.URI == "" || strings.ContainsAny(a.URI, " \t\"<>") || a.Params != "" && a.Params[0] != ';' {
		return a, fmt.Errorf("%w: address %.40q", ErrMalformed, s)
	}
	return a, nil
}

// Tag is the tag parameter, or "".
func (a Address) Tag() string { return Param(a.Params, "tag") }

func (a Address) String() string {
	if a.Name == "" {
		return "<" + a.URI + ">" + a.Params
	}
	name := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(a.Name)
	return `"` + name + `" <` + a.URI + ">" + a.Params
}

// unquote takes a quoted string off the front of s.
func unquote(s string) (text, rest string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == '"':
			return b.String(), s[i+1:], true
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}

// Param is the value of parameter name in a raw list ";a=b;c", unquoted; "" where it is absent
// or has no value. Names are compared without case.
func Param(params, name string) string {
	value, _ := FindParam(params, name)
	return value
}

// FindParam is Param that also tells whether the parameter is there.
func FindParam(params, name string) (value string, found bool) {
	for _, p := range splitList(params, ';') {
		key, v, _ := strings.Cut(p, "=")
		if !strings.EqualFold(strings.TrimSpace(key), name) {
			continue
		}
		v = strings.TrimSpace(v)
		if strings.HasPrefix(v, `"`) {
			v, _, _ = unquote(v)
		}
		return v, true
	}
	return "", false
}

// splitList cuts at sep outside quotes and angle brackets; empty elements are left out.
func splitList(s string, sep byte) []string {
	var all []string
	quoted, angled, from := false, false, 0
	take := func(to int) {
		if e := strings.TrimSpace(s[from:to]); e != "" {
			all = append(all, e)
		}
		from = to + 1
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<':
			angled = true
		case c == '>':
			angled = false
		case c == sep && !angled:
			take(i)
		}
	}
	if from <= len(s) {
		take(len(s))
	}
	return all
}

// URI is a sip: or sips: URI.
type URI struct {
	Scheme, User, Host string // User may be ""; Host without brackets
	Port               uint16 // 0: not said
	Params, Headers    string // raw: ";lr", "Replaces=…"
}

// ParseURI reads a sip: or sips: URI; others are an error. A password is dropped.
func ParseURI(s string) (URI, error) {
	var u URI
	scheme, rest, ok := strings.Cut(s, ":")
	u.Scheme = strings.ToLower(scheme)
	if !ok || u.Scheme != "sip" && u.Scheme != "sips" {
		return u, fmt.Errorf("%w: URI %.40q", ErrMalformed, s)
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		u.User, _, _ = strings.Cut(rest[:i], ":")
		rest = rest[i+1:]
	}
	rest, u.Headers, _ = strings.Cut(rest, "?")
	if i := strings.IndexByte(rest, ';'); i >= 0 {
		rest, u.Params = rest[:i], rest[i:]
	}
	host, port, err := hostPort(rest)
	if err != nil {
		return u, err
	}
	u.Host, u.Port = host, port
	return u, nil
}

// AddrPort is where requests for the URI go when its host is an address; names are not looked up.
func (u URI) AddrPort() (netip.AddrPort, bool) {
	addr, err := netip.ParseAddr(u.Host)
	if err != nil {
		return netip.AddrPort{}, false
	}
	port := u.Port
	if port == 0 {
		port = 5060
	}
	return netip.AddrPortFrom(addr, port), true
}

func hostPort(s string) (string, uint16, error) {
	host, port := s, ""
	if strings.HasPrefix(s, "[") {
		inner, rest, ok := strings.Cut(s[1:], "]")
		if !ok {
			return "", 0, fmt.Errorf("%w: host %.40q", ErrMalformed, s)
		}
		host, port = inner, rest
	} else if i := strings.IndexByte(s, ':'); i >= 0 {
		host, port = s[:i], s[i:]
	}
	host = strings.TrimSpace(host)
	if host == "" || strings.ContainsAny(host, " \t\"<>@,;[]") {
		return "", 0, fmt.Errorf("%w: host %.40q", ErrMalformed, s)
	}
	if port == "" {
		return host, 0, nil
	}
	n, err := strconv.ParseUint(strings.TrimSpace(strings.TrimPrefix(port, ":")), 10, 16)
	if err != nil || n == 0 {
		return "", 0, fmt.Errorf("%w: port %.10q", ErrMalformed, port)
	}
	return host, uint16(n), nil
}

// Via is one hop of the way back.
type Via struct {
	Transport string // "UDP"
	Host      string
	Port      uint16 // 0: not said, that is 5060
	Params    string // raw: ";branch=z9hG4bK…;rport"
}

// ParseVia reads one Via value.
func ParseVia(s string) (Via, error) {
	var v Via
	params := ""
	if i := strings.IndexByte(s, ';'); i >= 0 {
		s, params = s[:i], s[i:]
	}
	protocol, sentBy, ok := strings.Cut(strings.TrimSpace(s), " ")
	parts := strings.Split(protocol, "/")
	if !ok || len(parts) != 3 || !strings.EqualFold(parts[0], "SIP") || parts[1] != "2.0" || parts[2] == "" {
		return v, fmt.Errorf("%w: Via %.40q", ErrMalformed, s)
	}
	host, port, err := hostPort(strings.TrimSpace(sentBy))
	if err != nil {
		return v, err
	}
	return Via{strings.ToUpper(parts[2]), host, port, params}, nil
}

// Branch names the transaction.
func (v Via) Branch() string { return Param(v.Params, "branch") }

// SentBy is host and port as the sender wrote them.
func (v Via) SentBy() string {
	host := v.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if v.Port == 0 {
		return host
	}
	return host + ":" + strconv.Itoa(int(v.Port))
}

func (v Via) String() string { return "SIP/2.0/" + v.Transport + " " + v.SentBy() + v.Params }

// Received notes where the request really came from (RFC 3261 18.2.1, RFC 3581 4), and says where
// its answers go.
func (v Via) Received(src netip.AddrPort) (Via, netip.AddrPort) {
	src = netip.AddrPortFrom(src.Addr().Unmap(), src.Port())
	port := v.Port
	if port == 0 {
		port = 5060
	}
	var kept strings.Builder
	rport := false
	for _, p := range splitList(v.Params, ';') {
		key, _, _ := strings.Cut(p, "=")
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "rport":
			rport = true
		case "received": // nobody but us may say so
		default:
			kept.WriteString(";" + p)
		}
	}
	if rport {
		port = src.Port()
		fmt.Fprintf(&kept, ";rport=%d", port)
	}
	if rport || v.Host != src.Addr().String() {
		fmt.Fprintf(&kept, ";received=%s", src.Addr())
	}
	v.Params = kept.String()
	return v, netip.AddrPortFrom(src.Addr(), port)
}
