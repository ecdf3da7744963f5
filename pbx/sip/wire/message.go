package wire

import (
	"cmp"
	"net/netip"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"branchline/pbx/sip/header"
)

// Flow is the way between one of our own addresses and one peer. Whatever is sent to a phone is
// sent on its flow, never where a Contact or a Record-Route points.
type Flow struct {
	Network string // "udp", "tcp", "tls"
	Local   netip.AddrPort
	Remote  netip.AddrPort
	Conn    uint64 // of a connection: which one; one that comes later from the same port is another
}

// Connected says that the flow is a connection, which ends one day: TCP or TLS.
func (f Flow) Connected() bool { return f.Network == "tcp" || f.Network == "tls" }

// Contact is our own address on the flow, as we tell it to the peer.
func (f Flow) Contact() header.Address {
	uri := header.MakeURI("", f.Local)
	if f.Connected() {
		uri, _ = header.ParseURI(uri.Text + ";transport=" + f.Network) // what MakeURI makes is sound
	}
	return header.MakeAddress("", uri, "")
}

// Header is one header field that this package does not set by itself.
type Header struct{ Name, Value string }

// Request is one request: come in, and then checked (no field that the RFC asks for is missing),
// or to be sent. It belongs to the goroutine of Run.
type Request struct {
	Method   string
	URI      header.URI
	Flow     Flow // where it came from, or where it goes
	From, To header.Address
	CallID   string
	CSeq     uint32
	Contact  []header.Address
	Star     bool     // REGISTER with "Contact: *"
	Route    []string // come in: Record-Route; to be sent: Route. In the order of the message
	Headers  []Header // to be sent: further headers
	Type     string   // Content-Type in lower case, without parameters
	Body     []byte

	wire     *Wire
	fields   []Header // of one that came in
	known    bool     // it came from somebody who is no stranger
	via      []string // Via values as written
	branch   string
	sentBy   string // of ours in the Via of one to be sent; "": the flow's own address
	sentHost string // of the topmost Via
	sentPort uint16 // 0: not said
	rport    bool
	remember bool
	server   *sip.ServerTx // once kept
	final    int           // code of the final response that was sent, 0: none
	client   *client       // once sent
}

// Response is one response: come in, or to be sent.
type Response struct {
	Code    int
	Reason  string // "" takes the RFC's words
	Tag     string // to be sent: the tag of To; "" takes one that is the same for the same request
	Contact []header.Address
	Route   []string // come in: Record-Route
	Headers []Header // to be sent; a twin of the wire makes one that came in with them
	Type    string
	Body    []byte

	// Of a response that came in:
	To    header.Address
	Via   string // of ours, as it came back
	Flow  Flow
	Local bool // no answer came: the transaction timed out (408) or its transport broke (503)

	fields []Header
	method string
	branch string
}

// Header is the first value of a header of a request that came in; "" when there is none.
func (r *Request) Header(name string) string { return first(r.fields, name) }

// Values are all values of a header of a request that came in, lists taken apart.
func (r *Request) Values(name string) []string { return all(r.fields, name) }

// Lines are the values of a header line by line, for headers whose commas are their own.
func (r *Request) Lines(name string) []string { return lines(r.fields, name) }

// Header is the first value of a header of a response that came in.
func (r *Response) Header(name string) string {
	return first(r.said(), name)
}

// Values are all values of a header of a response that came in, lists taken apart.
func (r *Response) Values(name string) []string { return all(r.said(), name) }

func (r *Response) said() []Header {
	if r.fields == nil {
		return r.Headers
	}
	return r.fields
}

// Lines are the values of a header of a response that came in, line by line.
func (r *Response) Lines(name string) []string {
	return lines(r.fields, name)
}

// InDialog says whether the request belongs to a dialog, by its To tag.
func (r *Request) InDialog() bool { return r.To.Tag() != "" }

func first(hs []Header, name string) string {
	for _, h := range hs {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

func lines(hs []Header, name string) (out []string) {
	for _, h := range hs {
		if strings.EqualFold(h.Name, name) {
			out = append(out, h.Value)
		}
	}
	return out
}

func all(hs []Header, name string) (out []string) {
	for _, h := range hs {
		if strings.EqualFold(h.Name, name) {
			out = append(out, header.List(h.Value)...)
		}
	}
	return out
}

// response makes the message that answers r.
func (r *Request) response(res *Response) *sip.Response {
	if res.Reason == "" {
		res.Reason = reason(res.Code)
	}
	m := sip.NewResponse(res.Code, res.Reason)
	add := func(name, value string) { m.AppendHeader(sip.NewHeader(name, value)) }
	for i, v := range r.via {
		if i == 0 {
			v = r.viaWithSource(v)
		}
		add("Via", v)
	}
	if r.Method == "INVITE" && res.Code > 100 && res.Code < 300 {
		for _, v := range r.Route {
			add("Record-Route", v)
		}
	}
	add("From", r.From.Text)
	to := r.To.Text
	if res.Code > 100 && r.To.Tag() == "" {
		if res.Tag == "" {
			res.Tag = r.wire.tag(r)
		}
		to += ";tag=" + res.Tag
	}
	add("To", to)
	add("Call-ID", r.CallID)
	m.AppendHeader(&sip.CSeqHeader{SeqNo: r.CSeq, MethodName: sip.RequestMethod(r.Method)})
	finish(m, res.Contact, res.Headers, res.Type, res.Body)
	return m
}

// request makes the message that carries r.
func (r *Request) request() (*sip.Request, error) {
	var uri sip.Uri
	if err := sip.ParseUri(r.URI.Text, &uri); err != nil {
		return nil, err
	}
	m := sip.NewRequest(sip.RequestMethod(r.Method), uri)
	transport := strings.ToUpper(r.Flow.Network)
	m.SetTransport(transport) // whether sipgo repeats it
	add := func(name, value string) { m.AppendHeader(sip.NewHeader(name, value)) }
	add("Via", "SIP/2.0/"+transport+" "+cmp.Or(r.sentBy, r.Flow.Local.String())+";rport;branch="+r.branch)
	for _, v := range r.Route {
		add("Route", v)
	}
	add("Max-Forwards", "70")
	add("From", r.From.Text)
	add("To", r.To.Text)
	add("Call-ID", r.CallID)
	m.AppendHeader(&sip.CSeqHeader{SeqNo: r.CSeq, MethodName: sip.RequestMethod(r.Method)})
	finish(m, r.Contact, r.Headers, r.Type, r.Body)
	return m, nil
}

func finish(m sip.Message, contact []header.Address, headers []Header, kind string, body []byte) {
	for _, c := range contact {
		m.AppendHeader(sip.NewHeader("Contact", c.Text))
	}
	for _, h := range headers {
		m.AppendHeader(sip.NewHeader(h.Name, h.Value))
	}
	if len(body) > 0 {
		m.AppendHeader(sip.NewHeader("Content-Type", kind))
	}
	m.SetBody(body)
}

// viaWithSource notes in the topmost Via where the request came from (RFC 3261 18.2.1, RFC 3581 4).
func (r *Request) viaWithSource(v string) string {
	ip := r.Flow.Remote.Addr().String()
	head, params, _ := strings.Cut(v, ";")
	var b strings.Builder
	b.WriteString(head)
	for p := range strings.SplitSeq(params, ";") {
		name, _, _ := strings.Cut(p, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		switch {
		case name == "" || name == "received":
			continue
		case name == "rport":
			p = "rport=" + strconv.Itoa(int(r.Flow.Remote.Port()))
		}
		b.WriteString(";" + strings.TrimSpace(p))
	}
	if r.rport || r.sentHost != ip {
		b.WriteString(";received=" + ip)
	}
	return b.String()
}

// back is where responses go: to the source, and to its port where rport asks for it (RFC 3581
// 4), else to the port that the Via names (RFC 3261 18.2.2).
func (r *Request) back() Flow {
	f := r.Flow
	if r.rport || f.Connected() { // on the connection it came on: RFC 3261 18.2.2
		return f
	}
	port := r.sentPort
	if port == 0 {
		port = 5060
	}
	f.Remote = netip.AddrPortFrom(f.Remote.Addr(), port)
	return f
}

// reasons are the RFC's words for the codes that we send.
const reasons = `100 Trying;180 Ringing;183 Session Progress;200 OK;202 Accepted;400 Bad Request;401 Unauthorized;403 Forbidden;` +
	`404 Not Found;405 Method Not Allowed;415 Unsupported Media Type;416 Unsupported URI Scheme;420 Bad Extension;` +
	`422 Session Interval Too Small;423 Interval Too Brief;480 Temporarily Unavailable;481 Call/Transaction Does Not Exist;482 Loop Detected;` +
	`484 Address Incomplete;486 Busy Here;487 Request Terminated;488 Not Acceptable Here;489 Bad Event;` +
	`491 Request Pending;500 Server Internal Error;501 Not Implemented;503 Service Unavailable;504 Server Time-out;` +
	`505 Version Not Supported;603 Decline;`

func reason(code int) string {
	_, rest, ok := strings.Cut(reasons, strconv.Itoa(code)+" ")
	if !ok {
		return "Unknown"
	}
	words, _, _ := strings.Cut(rest, ";")
	return words
}
