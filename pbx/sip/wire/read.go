package wire

import (
	"slices"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"branchline/pbx/sip/header"
)

const (
	maxContacts = 10 // also routes
	maxVias     = 70 // as many as Max-Forwards lets a request come through
)

// single lists the headers that may stand once (RFC 3261 7.3.1).
func single(name string) bool {
	switch name {
	case "From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Type", "Content-Length", "Expires":
		return true
	}
	return false
}

// fault is what is wrong with a message; code 0 means that it cannot or must not be answered.
type fault struct {
	code int
	why  string
}

func bad(why string) *fault { return &fault{400, "Bad Request: " + why} }

// readRequest checks a request and takes it apart. Even a faulty one carries what its answer needs.
func (w *Wire) readRequest(t *text, flow Flow) (*Request, *fault) {
	r := &Request{Method: t.method, Flow: flow, wire: w, fields: t.headers, Body: t.body}
	var cseqMethod string
	f := r.readHeaders(&cseqMethod)
	if t.fault != "" {
		f = bad(t.fault)
	}
	if len(r.via) == 0 {
		return r, &fault{}
	}
	answerable, sound := r.readVia()
	switch {
	case !answerable:
		return r, &fault{}
	case !sound && f == nil:
		f = bad("Via")
	}
	switch {
	case r.Method == "ACK" && f != nil:
		return r, &fault{}
	case t.version != "SIP/2.0":
		return r, &fault{505, ""}
	case f != nil:
		return r, f
	case r.From.Text == "", r.To.Text == "", r.CallID == "", cseqMethod == "":
		return r, bad("From, To, Call-ID and CSeq are mandatory")
	case cseqMethod != r.Method:
		return r, bad("CSeq names another method")
	case !header.IsToken(r.Method):
		return r, bad("method")
	}
	return r, r.readRest(t.uri)
}

func (r *Request) readHeaders(cseqMethod *string) (f *fault) {
	blame := func(err error, name string) {
		if err != nil && f == nil {
			f = bad(name)
		}
	}
	for i, h := range r.fields {
		name, value := h.Name, h.Value
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
		if single(name) && slices.ContainsFunc(r.fields[:i], func(o Header) bool { return o.Name == name }) {
			blame(header.ErrAddress, name+" stands twice")
		}
	}
	return f
}

// readRest reads what a request needs beyond the headers that its answer copies.
func (r *Request) readRest(uri string) *fault {
	var err error
	if r.URI, err = header.ParseURI(uri); err != nil || r.URI.HasHeaders() { // the latter: RFC 3261 19.1.1
		return bad("Request-URI")
	}
	if s := r.URI.Scheme; s != "sip" && s != "sips" && s != "tel" {
		return &fault{416, ""}
	}
	if said := r.Header("Content-Length"); said != "" {
		n, err := strconv.ParseUint(said, 10, 32)
		if err != nil || int(n) > len(r.Body) {
			return bad("Content-Length")
		}
		r.Body = r.Body[:n] // what follows is no part of it: RFC 3261 18.3
	}
	if v := r.Header("Max-Forwards"); v != "" {
		if _, err := strconv.ParseUint(v, 10, 8); err != nil { // 0 to 255: RFC 3261 20.22
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
	// RFC 2543 asked for none.
	if n := len(r.Contact); r.Method == "INVITE" && n != 1 && (n != 0 || r.modern()) {
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
func readResponse(t *text, flow Flow) *Response {
	code, err := strconv.Atoi(t.code)
	if err != nil || len(t.code) != 3 || t.fault != "" {
		return nil
	}
	r := &Response{Code: code, Reason: t.reason, Flow: flow, Body: t.body, fields: t.headers}
	var via string
	var seen int
	for _, h := range t.headers {
		switch h.Name {
		case "Via":
			via = header.List(h.Value)[0]
			seen++
		case "To":
			r.To, _ = header.ParseAddress(h.Value)
			r.To.Text = h.Value
		case "CSeq":
			_, r.method, _ = parseCSeq(h.Value)
		case "Content-Type":
			r.Type = mediaType(h.Value)
		}
	}
	r.Via = via
	r.branch, _ = header.Param(after(via, ';'), "branch")
	if seen != 1 || r.branch == "" || r.method == "" || r.To.Text == "" || r.Code < 100 || r.Code > 699 {
		return nil
	}
	if said := r.Header("Content-Length"); said != "" {
		n, err := strconv.ParseUint(said, 10, 32)
		if err != nil || int(n) > len(r.Body) {
			return nil
		}
		r.Body = r.Body[:n]
	}
	r.Route = all(t.headers, "Record-Route")
	if len(r.Route) > maxContacts {
		return nil
	}
	r.Contact, _ = contacts(all(t.headers, "Contact"))
	return r
}

// readVia reads the topmost Via: "SIP/2.0/UDP host:port;branch=...;rport", with white space wherever the
// RFC allows it. Where what follows it is broken, an answer goes to the topmost alone.
func (r *Request) readVia() (answerable, sound bool) {
	v := r.via[0]
	if header.HasControl(v) {
		return false, false
	}
	sent, params, _ := strings.Cut(v, ";")
	name, sent, ok1 := strings.Cut(sent, "/")
	version, sent, ok2 := strings.Cut(sent, "/")
	fields := strings.Fields(sent)
	if !ok1 || !ok2 || len(fields) < 2 || !strings.EqualFold(strings.TrimSpace(name), "SIP") || !header.IsToken(strings.TrimSpace(version)) {
		return false, false
	}
	var ok bool
	if r.sentHost, r.sentPort, ok = header.ParseHostPort(strings.Join(fields[1:], "")); !ok {
		return false, false
	}
	r.branch, _ = header.Param(params, "branch")
	value, has := header.Param(params, "rport")
	r.rport = has && value == ""
	sound = header.SoundParams(params) && len(r.via) <= maxVias && !slices.Contains(r.via, "")
	if !sound {
		r.via = r.via[:1]
	}
	return true, sound
}

// modern says whether r follows RFC 3261 and names its transaction by its branch (17.2.3).
func (r *Request) modern() bool {
	return strings.HasPrefix(r.branch, magic) && len(r.branch) > len(magic)
}

// magic begins a branch that is unique (RFC 3261 8.1.1.7).
const magic = sip.RFC3261BranchMagicCookie

// key names the server transaction of a request (RFC 3261 17.2.3). The source is part of it: what
// somebody else replays is not taken for a retransmission.
func (r *Request) key(method string) string {
	if method == "ACK" {
		method = "INVITE"
	}
	id := r.branch
	if !r.modern() {
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
