// Package header is the grammar of what stands in SIP headers: URIs, addresses, lists and
// parameters (RFC 3261 19.1, 20 and 25).
//
// It promises: what it takes is bounded, holds no control characters and names a host that can
// exist; what it writes reads back as the same. It is pure. Start reading at ParseAddress.
package header

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

const maxAddress = 1024 // octets of one name-addr or URI

// ErrAddress says that a text is no address, or none that can exist.
var ErrAddress = errors.New("not a SIP address")

// URI is a SIP, SIPS or TEL URI that was checked, or any other that was only kept.
type URI struct {
	Text   string // as written, without angle brackets
	Scheme string // lower case
	User   string // unescaped, without password and parameters; of a tel URI its number
	Host   string // lower case, an IPv6 address without brackets; "" in a tel URI
	Port   uint16 // 0: not said
	params string // from the first ";" after the host, that excluded
	asks   bool   // it has headers: what follows a "?" after the host
}

// MakeURI writes sip:user@host:port. A character that may not stand in a user part is escaped.
func MakeURI(user string, at netip.AddrPort) URI {
	host := at.Addr().Unmap().String()
	text := "sip:"
	if user != "" {
		text += escapeUser(user) + "@"
	}
	return URI{Text: text + at.String(), Scheme: "sip", User: user, Host: host, Port: at.Port()}
}

// NewURI writes sip:user@host:port for a host that may be a name; port 0 is left out. An error: that can be
// no address.
func NewURI(user, host string, port uint16) (URI, error) {
	if strings.Contains(host, ":") {
		host = "[" + strings.Trim(host, "[]") + "]"
	}
	text := "sip:"
	if user != "" {
		text += escapeUser(user) + "@"
	}
	text += host
	if port != 0 {
		text += ":" + strconv.Itoa(int(port))
	}
	return ParseURI(text)
}

// ParseURI reads one URI. Hosts must be names or addresses that can exist, ports 1 to 65535.
func ParseURI(s string) (URI, error) {
	if len(s) == 0 || len(s) > maxAddress || HasControl(s) || strings.ContainsAny(s, "<> \"") {
		return URI{}, ErrAddress
	}
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || !IsToken(scheme) {
		return URI{}, ErrAddress
	}
	u := URI{Text: s, Scheme: strings.ToLower(scheme)}
	switch u.Scheme {
	case "sip", "sips":
		return u.parseSIP(rest)
	case "tel":
		number, params, _ := strings.Cut(rest, ";")
		u.User, u.params = strings.NewReplacer("-", "", ".", "", "(", "", ")", "").Replace(number), params
		if u.User == "" {
			return URI{}, ErrAddress
		}
	}
	return u, nil
}

func (u URI) parseSIP(rest string) (URI, error) {
	if user, after, ok := strings.Cut(rest, "@"); ok {
		rest = after
		user, _, _ = strings.Cut(user, ":") // password
		user, _, _ = strings.Cut(user, ";") // telephone-subscriber parameters, RFC 3261 19.1.6
		if u.User, ok = unescape(user); !ok || u.User == "" {
			return URI{}, ErrAddress
		}
		if HasControl(u.User) { // sip:%00@host is legal: it stays escaped
			u.User = user
		}
	}
	if i := strings.IndexByte(rest, '?'); i >= 0 {
		rest, u.asks = rest[:i], true
	}
	rest, u.params, _ = strings.Cut(rest, ";")
	var ok bool
	u.Host, u.Port, ok = ParseHostPort(rest)
	if !ok {
		return URI{}, ErrAddress
	}
	return u, nil
}

// Param is the value of a URI parameter.
func (u URI) Param(name string) (string, bool) { return Param(u.params, name) }

// HasHeaders says whether the URI asks for headers in a request, by a "?".
func (u URI) HasHeaders() bool { return u.asks }

// Same says whether two URIs name the same thing, as far as RFC 3261 19.1.4 matters for contacts.
func (u URI) Same(v URI) bool {
	a, _ := u.Param("transport")
	b, _ := v.Param("transport")
	return u.Scheme == v.Scheme && u.User == v.User && u.Host == v.Host && u.Port == v.Port && strings.EqualFold(a, b)
}

// Address is a name-addr with its header parameters.
type Address struct {
	Name   string // display name, unquoted
	URI    URI
	Text   string // as written
	params string
}

// ParseAddress reads one name-addr or addr-spec (RFC 3261 20.10).
func ParseAddress(s string) (Address, error) {
	s = strings.TrimSpace(s)
	if len(s) == 0 || len(s) > maxAddress {
		return Address{}, ErrAddress
	}
	a := Address{Text: s}
	rest := s
	if rest[0] == '"' {
		end := closingQuote(rest)
		if end < 0 {
			return Address{}, ErrAddress
		}
		a.Name, rest = withoutControl(unquote(rest[:end+1])), strings.TrimSpace(rest[end+1:])
		if rest == "" || rest[0] != '<' {
			return Address{}, ErrAddress
		}
	}
	if HasControl(rest) { // within quotes it may be escaped: RFC 3261 25.1
		return Address{}, ErrAddress
	}
	uri := ""
	if open := strings.IndexByte(rest, '<'); open >= 0 {
		if a.Name == "" {
			a.Name = strings.TrimSpace(rest[:open])
		}
		end := strings.IndexByte(rest[open:], '>')
		if end < 0 {
			return Address{}, ErrAddress
		}
		uri, rest = rest[open+1:open+end], strings.TrimSpace(rest[open+end+1:])
		if rest != "" && rest[0] != ';' {
			return Address{}, ErrAddress
		}
		a.params = strings.TrimPrefix(rest, ";")
	} else {
		uri, a.params, _ = strings.Cut(rest, ";") // without brackets all parameters are the header's
	}
	var err error
	a.URI, err = ParseURI(strings.TrimSpace(uri))
	if err == nil && (a.URI.asks && !strings.Contains(s, "<") || !SoundParams(a.params)) { // RFC 3261 20.10
		err = ErrAddress
	}
	return a, err
}

// Param is the value of a header parameter, unquoted.
func (a Address) Param(name string) (string, bool) { return Param(a.params, name) }

// Tag is the tag parameter.
func (a Address) Tag() string {
	t, _ := a.Param("tag")
	return t
}

// MakeAddress writes a name-addr.
func MakeAddress(name string, uri URI, tag string) Address {
	var b strings.Builder
	if name != "" {
		b.WriteString(quote(name))
		b.WriteByte(' ')
	}
	b.WriteString("<" + uri.Text + ">")
	params := ""
	if tag != "" {
		params = "tag=" + tag
		b.WriteString(";" + params)
	}
	return Address{Name: name, URI: uri, Text: b.String(), params: params}
}

// List cuts a header value at its commas, but not within quotes or angle brackets.
func List(s string) []string {
	if strings.IndexByte(s, ',') < 0 {
		return []string{strings.TrimSpace(s)}
	}
	var out []string
	start, quoted, angle := 0, false, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"' && !angle:
			quoted = !quoted
		case quoted:
		case c == '<':
			angle = true
		case c == '>':
			angle = false
		case c == ',' && !angle:
			out = append(out, strings.TrimSpace(s[start:i]))
			start = i + 1
		}
	}
	return append(out, strings.TrimSpace(s[start:]))
}

// Param finds name in "a=1;b;c="x"", without regard to case.
func Param(s, name string) (string, bool) {
	for s != "" {
		end := paramEnd(s)
		key, value, _ := strings.Cut(s[:end], "=")
		if strings.EqualFold(strings.TrimSpace(key), name) {
			value = strings.TrimSpace(value)
			if len(value) > 1 && value[0] == '"' {
				value = unquote(value)
			}
			return value, true
		}
		s = strings.TrimPrefix(s[end:], ";")
	}
	return "", false
}

// SoundParams says whether parameters have names; one semicolon too many at the end is forgiven.
func SoundParams(s string) bool {
	for s != "" {
		end := paramEnd(s)
		if name, _, _ := strings.Cut(s[:end], "="); !IsToken(strings.TrimSpace(name)) {
			return false
		}
		s = strings.TrimSpace(strings.TrimPrefix(s[end:], ";"))
	}
	return true
}

// paramEnd is where the first parameter of s ends.
func paramEnd(s string) int {
	end := 0
	for quoted := false; end < len(s) && (quoted || s[end] != ';'); end++ {
		if quoted && s[end] == '\\' {
			end++
		} else if s[end] == '"' {
			quoted = !quoted
		}
	}
	return min(end, len(s))
}

// ParseHostPort reads "host", "host:port" or "[v6]:port"; port 0: not said. An IPv6 host comes
// without its brackets.
func ParseHostPort(s string) (host string, port uint16, ok bool) {
	host = strings.TrimSpace(s)
	rest := ""
	if strings.HasPrefix(host, "[") {
		end := strings.IndexByte(host, ']')
		if end < 0 {
			return "", 0, false
		}
		host, rest = host[1:end], host[end+1:]
		a, err := netip.ParseAddr(strings.Replace(host, ":::", "::", 1)) // as RFC 3261's grammar has it: RFC 5118 4.10
		if err != nil || !a.Is6() {
			return "", 0, false
		}
	} else {
		if i := strings.IndexByte(host, ':'); i >= 0 {
			host, rest = host[:i], host[i:]
		}
		if !isHost(host) {
			return "", 0, false
		}
	}
	if rest == "" {
		return strings.ToLower(host), 0, true
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(rest, ":"), 10, 16)
	return strings.ToLower(host), uint16(n), err == nil && n > 0 && rest[0] == ':'
}

// isHost: a domain name or an IPv4 address; four numbers with dots must be an address.
func isHost(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	numeric := true
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c == '.':
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '_':
			numeric = false
		default:
			return false
		}
	}
	if numeric {
		_, err := netip.ParseAddr(s)
		return err == nil
	}
	return true
}

// IsToken says whether s may stand as a token, such as a method or a scheme.
func IsToken(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte("()<>@,;:\\\"/[]?={}", c) >= 0 {
			return false
		}
	}
	return s != ""
}

// HasControl says whether s holds control characters other than tabs.
func HasControl(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			return true
		}
	}
	return false
}

func withoutControl(s string) string {
	if !HasControl(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
}

func closingQuote(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// unquote takes the quotes and backslashes off a quoted-string.
func unquote(s string) string {
	s = strings.TrimSuffix(strings.TrimPrefix(s, `"`), `"`)
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// quote writes a quoted-string; what cannot stand in one is left out.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range strings.ToValidUTF8(s, "") {
		if r == '"' || r == '\\' {
			b.WriteByte('\\')
		}
		if r >= ' ' && r != 0x7f {
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func unescape(s string) (string, bool) {
	if strings.IndexByte(s, '%') < 0 {
		return s, true
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b = append(b, s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", false
		}
		n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
		if err != nil {
			return "", false
		}
		b = append(b, byte(n))
		i += 2
	}
	return string(b), true
}

func escapeUser(s string) string {
	const free = "-_.!~*'()&=+$,/" // unreserved marks and user-unreserved of RFC 3261 25.1, without ";" and "?"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte(free, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteString("%" + strings.ToUpper(strconv.FormatUint(uint64(c)|0x100, 16)[1:]))
	}
	return b.String()
}

// Plain leaves of a display name what can be shown, at most 64 characters.
func Plain(s string) string {
	rs := []rune(strings.ToValidUTF8(s, ""))
	rs = slices.DeleteFunc(rs, func(r rune) bool { return !unicode.IsPrint(r) })
	return strings.TrimSpace(string(rs[:min(len(rs), 64)]))
}
