package wire

import (
	"strings"

	"branchline/pbx/sip/header"
)

const maxHeaders = 128

// text is a message cut into its parts. Nothing of it is judged yet but fault.
type text struct {
	method, uri, version string // of a request
	code                 string // of a response; "" in a request
	reason               string
	headers              []Header // names in full and as the RFC writes them, folded lines in one
	body                 []byte
	fault                string // what is wrong with its form, "" where nothing is
}

// cutMessage takes a message apart (RFC 3261 7): lines may end in LF alone, be folded, and names be short
// and in any case. What has no first line of SIP is none (false); whatever else is wrong is a fault, for
// sipgo's parser drops without an answer what the RFC wants answered (sipgo v1.7.2).
func cutMessage(data []byte) (t text, ok bool) {
	s := strings.TrimLeft(string(data), "\r\n")
	line, rest, more := cutLine(s)
	if strings.IndexByte(line, 0) >= 0 || !t.readFirst(line) {
		return text{}, false
	}
	for {
		if !more {
			t.blame("it ends within its headers")
			return t, true
		}
		line, rest, more = cutLine(rest)
		if line == "" {
			break
		}
		t.readHeader(line)
	}
	t.body = []byte(rest)
	return t, true
}

// cutLine gives the first line of s without its end; more: it has one.
func cutLine(s string) (line, rest string, more bool) {
	line, rest, more = strings.Cut(s, "\n")
	if line = strings.TrimSuffix(line, "\r"); strings.IndexByte(line, '\r') >= 0 {
		line = strings.ReplaceAll(line, "\r", " ") // it must not come back as the end of a line
	}
	return line, rest, more
}

// readFirst reads the request or status line; false: it is neither.
func (t *text) readFirst(line string) bool {
	if rest, ok := strings.CutPrefix(line, "SIP/2.0 "); ok {
		t.code, t.reason, _ = strings.Cut(rest, " ")
		return t.code != ""
	}
	if strings.HasPrefix(line, "SIP/") || !strings.Contains(line, "SIP/") {
		return false
	}
	first, last := strings.IndexByte(line, ' '), strings.LastIndex(line, " SIP/")
	if first <= 0 || last <= first {
		return false
	}
	t.method, t.uri, t.version = line[:first], line[first+1:last], line[last+1:]
	if version := strings.TrimRight(t.version, " \t"); version != t.version {
		t.version = version
		t.blame("white space at the end of the request line")
	}
	return true
}

func (t *text) readHeader(line string) {
	switch {
	case line[0] == ' ' || line[0] == '\t': // folded: RFC 3261 7.3.1
		if len(t.headers) == 0 {
			t.blame("a header begins with white space")
			return
		}
		h := &t.headers[len(t.headers)-1]
		h.Value = strings.TrimLeft(h.Value+" "+strings.Trim(line, " \t"), " ")
		return
	case len(t.headers) == maxHeaders:
		t.blame("too many headers")
		return
	}
	name, value, ok := strings.Cut(line, ":")
	if name = strings.TrimRight(name, " \t"); !ok || !header.IsToken(name) {
		t.blame("a line is no header")
		return
	}
	t.headers = append(t.headers, Header{fullName(name), strings.Trim(value, " \t")})
}

func (t *text) blame(why string) {
	if t.fault == "" {
		t.fault = why
	}
}

// fullName is the name of a header as this package looks for it.
func fullName(name string) string {
	switch strings.ToLower(name) {
	case "v", "via":
		return "Via"
	case "f", "from":
		return "From"
	case "t", "to":
		return "To"
	case "i", "call-id":
		return "Call-ID"
	case "cseq":
		return "CSeq"
	case "m", "contact":
		return "Contact"
	case "c", "content-type":
		return "Content-Type"
	case "l", "content-length":
		return "Content-Length"
	case "max-forwards":
		return "Max-Forwards"
	case "expires":
		return "Expires"
	case "k":
		return "Supported"
	case "s":
		return "Subject"
	case "e":
		return "Content-Encoding"
	case "o":
		return "Event"
	case "r":
		return "Refer-To"
	case "u":
		return "Allow-Events"
	case "b":
		return "Referred-By"
	}
	return name
}
