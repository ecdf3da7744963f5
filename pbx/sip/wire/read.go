package wire

import (
	"slices"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"branchline/pbx/sip/header"
)

const (
	maxHeaders  = 128
	maxContacts = 10 // also Vias and routes
	// saidLength keeps the Content-Length that a message claims: sipgo's own is put right in silence.
	saidLength = "Content-Length-As-Said"
)

// single lists the headers that may stand once (RFC 3261 7.3.1).
func single(name string) bool {
	switch name {
	case "From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Type", "Expires", saidLength:
		return true
	}
	return false
}

// newParser makes a sipgo parser that keeps every header as text, under its full name. sipgo's
// own header parsers drop a message with one bad header unanswered and refuse legal ones
// (sipgo v1.7.2); here a bad header becomes a 400.
func newParser() *sip.Parser {
	names := map[string]string{
		"v": "Via", "via": "Via", "f": "From", "from": "From", "t": "To", "to": "To",
		"i": "Call-ID", "call-id": "Call-ID", "cseq": "CSeq", "m": "Contact", "contact": "Contact",
		"c": "Content-Type", "content-type": "Content-Type", "l": saidLength, "content-length": saidLength,
		"max-forwards": "Max-Forwards", "expires": "Expires", "k": "Supported", "s": "Subject",
		"e": "Content-Encoding", "o": "Event", "r": "Refer-To", "u": "Allow-Events", "b": "Referred-By",
	}
	parsers := make(map[string]sip.HeaderParser, len(names))
	for name, full := range names {
		parsers[name] = func(_ []byte, text string) (sip.Header, error) { return sip.NewHeader(full, text), nil }
	}
	return sip.NewParser(sip.WithHeadersParsers(parsers))
}

// fault is what is wrong with a message; code 0 means that it cannot or must not be answered.
type fault struct {
	code int
	why  string
}

func bad(why string) *fault { return &fault{400, "Bad Request: " + why} }

// readRequest checks a request and takes it apart. Even a faulty one carries what its answer needs.
func (w *Wire) readRequest(m *sip.Request, flow Flow) (*Request, *fault) {
	r := &Request{Method: string(m.Method), Flow: flow, wire: w, raw: m, Body: m.Body()}
	var cseqMethod string
	f := r.readHeaders(&cseqMethod)
	switch {
	case len(r.via) == 0 || !r.readVia(), r.Method == "ACK" && f != nil:
		return r, &fault{}
	case f != nil:
		return r, f
	case m.SipVersion != "SIP/2.0":
		return r, &fault{505, ""}
	case r.From.Text == "", r.To.Text == "", r.CallID == "", cseqMethod == "":
		return r, bad("From, To, Call-ID and CSeq are mandatory")
	case cseqMethod != r.Method:
		return r, bad("CSeq names another method")
	case !header.IsToken(r.Method):
		return r, bad("method")
	}
	return r, r.readRest()
}

func (r *Request) readHeaders(cseqMethod *string) (f *fault) {
	hs := r.raw.Headers()
	if len(hs) > maxHeaders {
		f = bad("too many headers")
		hs = hs[:maxHeaders]
	}
	blame := func(err error, name string) {
		if err != nil && f == nil {
			f = bad(name)
		}
	}
	for i, h := range hs {
		name, value := h.Name(), h.Value()
		var err error
		switch name {
		case "Via":
			r.via = append(r.via, header.List(value)...)
		case "From":
			r.From, err = header.ParseAddress(value)
			r.From.Text = value // goes back as it came, even when it is bad
		case "To":
			r.To, err = header.ParseAddress(value)
			r.To.Text = value
		case "Call-ID":
			r.CallID = value
			if len(value) > 256 || strings.ContainsAny(value, " \t") || header.HasControl(value) {
				err = header.ErrAddress
			}
		case "CSeq":
			r.CSeq, *cseqMethod, err = parseCSeq(value)
		case "Content-Type":
			r.Type = mediaType(value)
		}
		blame(err, name)
		if single(name) && slices.ContainsFunc(hs[:i], func(o sip.Header) bool { return o.Name() == name }) {
			blame(header.ErrAddress, name+" stands twice")
		}
	}
	return f
}

// readRest reads what a request needs beyond the headers that its answer copies.
func (r *Request) readRest() *fault {
	var err error
	// sipgo reads a port below 0 and writes it out as none.
	if r.URI, err = header.ParseURI(r.raw.Recipient.String()); err != nil || r.raw.Recipient.Port < 0 {
		return bad("Request-URI")
	}
	if s := r.URI.Scheme; s != "sip" && s != "sips" && s != "tel" {
		return &fault{416, ""}
	}
	if said := r.Header(saidLength); said != "" {
		n, err := strconv.ParseUint(said, 10, 32)
		if err != nil || int(n) > len(r.Body) {
			return bad("Content-Length")
		}
		r.Body = r.Body[:n] // what follows is no part of it: RFC 3261 18.3
	}
	if v := r.Header("Max-Forwards"); v != "" {
		if _, err := strconv.ParseUint(v, 10, 16); err != nil {
			return bad("Max-Forwards")
		}
	}
	r.Route = r.Values("Record-Route")
	for _, v := range r.Route {
		if _, err := header.ParseAddress(v); err != nil || len(r.Route) > maxContacts {
			return bad("Record-Route")
		}
	}
	return r.readContact()
}

func (r *Request) readContact() *fault {
	values := r.Values("Contact")
	if slices.Contains(values, "*") {
		if r.Method != "REGISTER" || len(values) != 1 || r.Header("Expires") != "0" {
			return bad("Contact: *")
		}
		r.Star = true
		return nil
	}
	var f *fault
	if r.Contact, f = contacts(values); f != nil {
		return f
	}
	if r.Method == "INVITE" && len(r.Contact) != 1 {
		return bad("an INVITE has one Contact")
	}
	return nil
}

func contacts(values []string) ([]header.Address, *fault) {
	if len(values) > maxContacts {
		return nil, bad("too many Contacts")
	}
	var out []header.Address
	for _, v := range values {
		a, err := header.ParseAddress(v)
		var u sip.Uri
		if err != nil || (a.URI.Scheme != "sip" && a.URI.Scheme != "sips") || sip.ParseUri(a.URI.Text, &u) != nil {
			return nil, bad("Contact")
		}
		out = append(out, a)
	}
	return out, nil
}

// readResponse takes a response apart; nil: it cannot be one of ours.
func readResponse(m *sip.Response, flow Flow) *Response {
	r := &Response{Code: m.StatusCode, Reason: m.Reason, Flow: flow, Body: m.Body(), raw: m}
	var via string
	var seen int
	for _, h := range m.Headers() {
		switch h.Name() {
		case "Via":
			via = header.List(h.Value())[0]
			seen++
		case "To":
			r.To, _ = header.ParseAddress(h.Value())
			r.To.Text = h.Value()
		case "CSeq":
			_, r.method, _ = parseCSeq(h.Value())
		case "Content-Type":
			r.Type = mediaType(h.Value())
		}
	}
	r.Via = via
	r.branch, _ = header.Param(after(via, ';'), "branch")
	if seen != 1 || r.branch == "" || r.method == "" || r.To.Text == "" || r.Code < 100 || r.Code > 699 {
		return nil
	}
	if said := r.Header(saidLength); said != "" {
		n, err := strconv.ParseUint(said, 10, 32)
		if err != nil || int(n) > len(r.Body) {
			return nil
		}
		r.Body = r.Body[:n]
	}
	r.Route = all(m.Headers(), "Record-Route")
	if len(r.Route) > maxContacts {
		return nil
	}
	r.Contact, _ = contacts(all(m.Headers(), "Contact"))
	return r
}

// readVia reads the topmost Via: "SIP/2.0/UDP host:port;branch=...;rport".
func (r *Request) readVia() bool {
	v := r.via[0]
	if len(r.via) > maxContacts || header.HasControl(v) {
		return false
	}
	sent, params, _ := strings.Cut(v, ";")
	fields := strings.Fields(sent)
	if len(fields) != 2 || !strings.HasPrefix(strings.ToUpper(fields[0]), "SIP/2.0/") {
		return false
	}
	var ok bool
	if r.sentHost, r.sentPort, ok = header.ParseHostPort(fields[1]); !ok {
		return false
	}
	r.branch, _ = header.Param(params, "branch")
	value, has := header.Param(params, "rport")
	r.rport = has && value == ""
	return true
}

// key names the server transaction of a request (RFC 3261 17.2.3). The source is part of it: what
// somebody else replays is not taken for a retransmission.
func (r *Request) key(method string) string {
	if method == "ACK" {
		method = "INVITE"
	}
	id := r.branch
	if !strings.HasPrefix(id, sip.RFC3261BranchMagicCookie) { // RFC 2543
		id = r.CallID + " " + r.From.Tag() + " " + strconv.FormatUint(uint64(r.CSeq), 10)
	}
	return method + " " + r.Flow.Network + " " + r.Flow.Remote.String() + " " + id
}

func parseCSeq(s string) (uint32, string, error) {
	num, method, ok := strings.Cut(strings.ReplaceAll(s, "\t", " "), " ")
	n, err := strconv.ParseUint(num, 10, 31) // below 2**31: RFC 3261 8.1.1.5
	method = strings.TrimSpace(method)
	if !ok || err != nil || !header.IsToken(method) {
		return 0, "", header.ErrAddress
	}
	return uint32(n), method, nil
}

func mediaType(s string) string {
	kind, _, _ := strings.Cut(s, ";")
	return strings.ToLower(strings.TrimSpace(kind))
}

func after(s string, c byte) string {
	if i := strings.IndexByte(s, c); i >= 0 {
		return s[i+1:]
	}
	return ""
}
