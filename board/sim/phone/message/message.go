// Package message is the text of SIP (RFC 3261 clause 7) for the simulated phone: reading
// hostile datagrams and writing correct ones.
//
// It is written from the RFC and shares nothing with the box's own SIP stack, so that a mistake
// in one is seen by the other. It knows no sockets, timers or calls. Every size is bounded and
// nothing in it panics on any input. Start reading at Parse.
package message

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	maxSize   = 65535 // bytes of a datagram
	maxFields = 128   // header lines of a message
)

// ErrMalformed is what every reading error of this package wraps.
var ErrMalformed = errors.New("malformed SIP message")

// Field is one header line. Name is in its long form ("Via", never "v"), its case as it came.
type Field struct{ Name, Value string }

// Message is a request (Method is set) or a response (Code is set). The zero value is an
// empty message to be filled. It is owned by whoever holds it; Parse copies its input.
type Message struct {
	Method, URI string
	Code        int
	Reason      string
	Fields      []Field
	Body        []byte
}

// Parse reads one datagram. Folded lines are joined, lines may end in LF alone, and short header
// names become long ones. Bytes beyond Content-Length are dropped (RFC 3261 18.3); too few are an error.
// The result is well formed line by line; Check says whether it can be acted on.
func Parse(b []byte) (*Message, error) {
	if len(b) > maxSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrMalformed, len(b))
	}
	head, body := split(bytes.TrimLeft(b, "\r\n"))
	lines := strings.Split(string(head), "\n")
	m := &Message{}
	if err := m.startLine(strings.TrimSuffix(lines[0], "\r")); err != nil {
		return nil, err
	}
	for _, line := range lines[1:] {
		if err := m.headerLine(strings.TrimSuffix(line, "\r")); err != nil {
			return nil, err
		}
	}
	if v := m.Get("Content-Length"); v != "" {
		n, err := strconv.ParseUint(v, 10, 16)
		if err != nil || int(n) > len(body) {
			return nil, fmt.Errorf("%w: Content-Length %q of %d bytes", ErrMalformed, v, len(body))
		}
		body = body[:n]
	}
	m.Body = bytes.Clone(body)
	return m, nil
}

// split finds the empty line between header and body.
func split(b []byte) (head, body []byte) {
	for at := 0; at < len(b); {
		n := bytes.IndexByte(b[at:], '\n')
		if n < 0 {
			break
		}
		next := at + n + 1
		rest := b[next:]
		switch {
		case bytes.HasPrefix(rest, []byte("\r\n")):
			return b[:next-1], rest[2:]
		case bytes.HasPrefix(rest, []byte("\n")):
			return b[:next-1], rest[1:]
		}
		at = next
	}
	return bytes.TrimRight(b, "\r\n"), nil
}

func (m *Message) startLine(line string) error {
	first, rest, ok := strings.Cut(line, " ")
	if !ok || first == "" {
		return fmt.Errorf("%w: start line %.40q", ErrMalformed, line)
	}
	if strings.EqualFold(first, "SIP/2.0") {
		code, reason, _ := strings.Cut(rest, " ")
		n, err := strconv.Atoi(code)
		if err != nil || n < 100 || n > 699 {
			return fmt.Errorf("%w: status %.10q", ErrMalformed, code)
		}
		m.Code, m.Reason = n, reason
		return nil
	}
	uri, version, ok := strings.Cut(rest, " ")
	if !ok || !strings.EqualFold(version, "SIP/2.0") || uri == "" || !isToken(first) {
		return fmt.Errorf("%w: request line %.40q", ErrMalformed, line)
	}
	m.Method, m.URI = first, uri
	return nil
}

func (m *Message) headerLine(line string) error {
	if line == "" {
		return nil
	}
	if line[0] == ' ' || line[0] == '\t' { // a folded line: RFC 3261 7.3.1
		if len(m.Fields) == 0 {
			return fmt.Errorf("%w: folded first line", ErrMalformed)
		}
		f := &m.Fields[len(m.Fields)-1]
		f.Value = strings.TrimSpace(f.Value + " " + strings.TrimSpace(line))
		return nil
	}
	name, value, ok := strings.Cut(line, ":")
	name = strings.TrimRight(name, " \t")
	if !ok || !isToken(name) || len(m.Fields) == maxFields {
		return fmt.Errorf("%w: header line %.40q", ErrMalformed, line)
	}
	m.Fields = append(m.Fields, Field{longName(name), strings.TrimSpace(value)})
	return nil
}

// isToken is RFC 3261 25.1.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// longName undoes the short forms of RFC 3261 7.3.3 and RFC 3265.
func longName(name string) string {
	switch strings.ToLower(name) {
	case "v":
		return "Via"
	case "f":
		return "From"
	case "t":
		return "To"
	case "i":
		return "Call-ID"
	case "m":
		return "Contact"
	case "l":
		return "Content-Length"
	case "c":
		return "Content-Type"
	case "e":
		return "Content-Encoding"
	case "k":
		return "Supported"
	case "s":
		return "Subject"
	case "o":
		return "Event"
	case "u":
		return "Allow-Events"
	}
	return name
}

// Check says whether m can be acted on: what is mandatory is there once and CSeq fits the method
// (RFC 3261 8.1.1). A request that fails it earns a 400, a response is dropped.
func (m *Message) Check() error {
	for _, name := range []string{"From", "To", "Call-ID", "CSeq"} {
		if n := m.count(name); n != 1 {
			return fmt.Errorf("%w: %d times %s", ErrMalformed, n, name)
		}
	}
	if _, err := m.Via(); err != nil {
		return err
	}
	for _, name := range []string{"From", "To"} {
		if _, err := ParseAddress(m.Get(name)); err != nil {
			return err
		}
	}
	_, method, err := m.CSeq()
	if err != nil {
		return err
	}
	if m.Method != "" && method != m.Method {
		return fmt.Errorf("%w: CSeq of %s in %s", ErrMalformed, method, m.Method)
	}
	return nil
}

func (m *Message) count(name string) int {
	n := 0
	for _, f := range m.Fields {
		if strings.EqualFold(f.Name, name) {
			n++
		}
	}
	return n
}

// Get is the first line called name, or "".
func (m *Message) Get(name string) string {
	for _, f := range m.Fields {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// List is all values of name in order: of each line, and of each element between commas. It is
// for the headers that the RFC defines as lists (Via, Route, Record-Route, Contact, Require …).
func (m *Message) List(name string) []string {
	var all []string
	for _, f := range m.Fields {
		if strings.EqualFold(f.Name, name) {
			all = append(all, splitList(f.Value, ',')...)
		}
	}
	return all
}

// Lines is the values of name line by line, for headers that are not comma lists (WWW-Authenticate).
func (m *Message) Lines(name string) []string {
	var all []string
	for _, f := range m.Fields {
		if strings.EqualFold(f.Name, name) {
			all = append(all, f.Value)
		}
	}
	return all
}

// Add appends a line. Line ends inside value become spaces, so that nobody's name can forge a header.
func (m *Message) Add(name, value string) {
	m.Fields = append(m.Fields, Field{name, oneLine(value)})
}

// Set replaces the first line called name, or adds one, and drops its repetitions.
func (m *Message) Set(name, value string) {
	kept, done := m.Fields[:0], false
	for _, f := range m.Fields {
		switch {
		case !strings.EqualFold(f.Name, name):
			kept = append(kept, f)
		case !done:
			kept, done = append(kept, Field{f.Name, oneLine(value)}), true
		}
	}
	m.Fields = kept
	if !done {
		m.Add(name, value)
	}
}

func oneLine(s string) string {
	if !strings.ContainsAny(s, "\r\n") {
		return s
	}
	return strings.NewReplacer("\r", " ", "\n", " ").Replace(s)
}

// CSeq is the number and the method of the CSeq header.
func (m *Message) CSeq() (uint32, string, error) {
	number, method, _ := strings.Cut(m.Get("CSeq"), " ")
	n, err := strconv.ParseUint(number, 10, 31) // below 2^31: RFC 3261 8.1.1.5
	method = strings.TrimSpace(method)
	if err != nil || !isToken(method) {
		return 0, "", fmt.Errorf("%w: CSeq %.40q", ErrMalformed, m.Get("CSeq"))
	}
	return uint32(n), method, nil
}

// Via is the topmost Via.
func (m *Message) Via() (Via, error) {
	all := m.List("Via")
	if len(all) == 0 {
		return Via{}, fmt.Errorf("%w: no Via", ErrMalformed)
	}
	return ParseVia(all[0])
}

// SetVia replaces the topmost Via and keeps those below it.
func (m *Message) SetVia(v Via) {
	all := m.List("Via")
	if len(all) == 0 {
		m.Fields = append([]Field{{"Via", v.String()}}, m.Fields...)
		return
	}
	all[0] = v.String()
	m.Set("Via", strings.Join(all, ", "))
}

// Bytes writes m with its Content-Length.
func (m *Message) Bytes() []byte {
	var b bytes.Buffer
	if m.Method != "" {
		fmt.Fprintf(&b, "%s %s SIP/2.0\r\n", m.Method, m.URI)
	} else {
		fmt.Fprintf(&b, "SIP/2.0 %d %s\r\n", m.Code, oneLine(m.Reason))
	}
	for _, f := range m.Fields {
		if !strings.EqualFold(f.Name, "Content-Length") {
			fmt.Fprintf(&b, "%s: %s\r\n", f.Name, f.Value)
		}
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", len(m.Body))
	b.Write(m.Body)
	return b.Bytes()
}

// Clone is a deep copy.
func (m *Message) Clone() *Message {
	c := *m
	c.Fields = append([]Field(nil), m.Fields...)
	c.Body = bytes.Clone(m.Body)
	return &c
}

// Response begins the answer to a request: Via, From, To, Call-ID and CSeq are taken over
// (RFC 3261 8.2.6). tag goes into To where it has none; "" leaves it as it is.
func (m *Message) Response(code int, tag string) *Message {
	r := &Message{Code: code, Reason: ReasonOf(code)}
	for _, f := range m.Fields {
		switch strings.ToLower(f.Name) {
		case "via", "record-route":
			r.Fields = append(r.Fields, f)
		case "from", "call-id", "cseq": // once, also where a bad request has them twice
			if r.Get(f.Name) == "" {
				r.Fields = append(r.Fields, f)
			}
		case "to":
			if a, err := ParseAddress(f.Value); err == nil && a.Tag() == "" && tag != "" {
				f.Value += ";tag=" + tag
			}
			if r.Get(f.Name) == "" {
				r.Fields = append(r.Fields, f)
			}
		}
	}
	return r
}

// ReasonOf is the usual text of a status code.
func ReasonOf(code int) string {
	switch code {
	case 100:
		return "Trying"
	case 180:
		return "Ringing"
	case 183:
		return "Session Progress"
	case 200:
		return "OK"
	case 400:
		return "Bad Request"
	case 401:
		return "Unauthorized"
	case 403:
		return "Forbidden"
	case 404:
		return "Not Found"
	case 405:
		return "Method Not Allowed"
	case 408:
		return "Request Timeout"
	case 415:
		return "Unsupported Media Type"
	case 420:
		return "Bad Extension"
	case 423:
		return "Interval Too Brief"
	case 480:
		return "Temporarily Unavailable"
	case 481:
		return "Call/Transaction Does Not Exist"
	case 482:
		return "Loop Detected"
	case 486:
		return "Busy Here"
	case 487:
		return "Request Terminated"
	case 488:
		return "Not Acceptable Here"
	case 489:
		return "Bad Event"
	case 491:
		return "Request Pending"
	case 500:
		return "Server Internal Error"
	case 503:
		return "Service Unavailable"
	case 600:
		return "Busy Everywhere"
	case 603:
		return "Decline"
	}
	return "Status " + strconv.Itoa(code)
}
