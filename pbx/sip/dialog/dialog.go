// Package dialog keeps what two SIP peers know of their call (RFC 3261 12) and what they agreed
// on for its sound (RFC 3264).
//
// It promises: our CSeq is our own and only rises; a request that leaves is complete, and goes out
// on the flow on which the dialog was made, whatever Contact and Record-Route say; an answer never
// contains a codec, a direction or a stream that was not offered. It is plain data without
// goroutines or clock. Start reading at Dialog, then Sound.
package dialog

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"branchline/pbx/sip/header"
	"branchline/pbx/sip/wire"
)

// Dialog is one side's knowledge of a dialog: ours.
type Dialog struct {
	CallID        string
	Local, Remote header.Address // with their tags
	Seq           uint32         // CSeq of our last request
	RemoteSeq     uint32         // CSeq of the peer's last request, 0: none yet
	Target        header.URI     // what our requests are addressed to: the peer's Contact
	Routes        []string       // values of Route, in order
	Flow          wire.Flow
	Contact       header.Address // ours
}

// Accept makes the dialog of an INVITE that came in; tag is ours.
func Accept(r *wire.Request, tag string) *Dialog {
	d := &Dialog{
		CallID:    r.CallID,
		Local:     header.MakeAddress(r.To.Name, r.To.URI, tag),
		Remote:    r.From,
		RemoteSeq: r.CSeq,
		Routes:    r.Route,
		Flow:      r.Flow,
		Contact:   r.Flow.Contact(),
		Target:    r.From.URI,
	}
	d.Refresh(r.Contact)
	return d
}

// Open makes the dialog of our own INVITE from a response with a To tag.
func Open(invite *wire.Request, res *wire.Response) *Dialog {
	d := &Dialog{
		CallID: invite.CallID,
		Local:  invite.From,
		Remote: res.To,
		Seq:    invite.CSeq,
		Target: invite.URI,
		Routes: slices.Clone(res.Route),
		Flow:   invite.Flow,
	}
	slices.Reverse(d.Routes) // RFC 3261 12.1.2
	if len(invite.Contact) > 0 {
		d.Contact = invite.Contact[0]
	}
	d.Refresh(res.Contact)
	return d
}

// Refresh takes the peer's new Contact (RFC 3261 12.2).
func (d *Dialog) Refresh(contact []header.Address) {
	if len(contact) == 1 {
		d.Target = contact[0].URI
	}
}

// Move takes another way to the peer, who has proved that it is he; contact is our own address there.
func (d *Dialog) Move(flow wire.Flow, contact header.Address) { d.Flow, d.Contact = flow, contact }

// Is says whether r belongs to this dialog, by its tags.
func (d *Dialog) Is(r *wire.Request) bool {
	return d.CallID == r.CallID && r.To.Tag() == d.Local.Tag() && r.From.Tag() == d.Remote.Tag()
}

// InOrder notes the CSeq of a request of the peer; false: it is an old one (RFC 3261 12.2.2).
func (d *Dialog) InOrder(r *wire.Request) bool {
	if r.CSeq <= d.RemoteSeq {
		return false
	}
	d.RemoteSeq = r.CSeq
	return true
}

// Request makes our next request in the dialog.
func (d *Dialog) Request(method string) *wire.Request { return d.make(method, d.Next()) }

// Next is the CSeq of our next request.
func (d *Dialog) Next() uint32 {
	d.Seq++
	return d.Seq
}

// Ack makes the ACK of a 2xx to our INVITE with that CSeq.
func (d *Dialog) Ack(seq uint32) *wire.Request { return d.make("ACK", seq) }

func (d *Dialog) make(method string, seq uint32) *wire.Request {
	r := &wire.Request{Method: method, URI: d.Target, Flow: d.Flow, From: d.Local, To: d.Remote,
		CallID: d.CallID, CSeq: seq, Route: d.Routes}
	if method != "BYE" && method != "ACK" {
		r.Contact = []header.Address{d.Contact}
	}
	return r
}

// ahead is how far the CSeq of a Release lies before that of the dialog, which may have gone on:
// a peer refuses a BYE whose CSeq it has seen.
const ahead = 1000

// release is what is kept of a dialog for a BYE after a crash, or of an INVITE for a CANCEL.
type release struct {
	CallID string   `json:"id"`
	Local  string   `json:"from"`
	Remote string   `json:"to"`
	Seq    uint32   `json:"cseq"`
	Target string   `json:"target"`
	Routes []string `json:"route,omitempty"`
	Net    string   `json:"net,omitempty"` // "": udp
	Our    string   `json:"our"`
	Peer   string   `json:"peer"`
	Branch string   `json:"branch,omitempty"` // of an INVITE
}

// Release is one line of text from which Endings can end the dialog after the box has died.
func (d *Dialog) Release() string {
	return release{CallID: d.CallID, Local: d.Local.Text, Remote: d.Remote.Text, Seq: d.Seq + ahead, Target: d.Target.Text,
		Routes: d.Routes}.text(d.Flow)
}

// Ringing is the like for an INVITE of ours, sent under branch, that has no final response.
func Ringing(invite *wire.Request, branch string) string {
	return release{CallID: invite.CallID, Local: invite.From.Text, Remote: invite.To.Text, Seq: invite.CSeq,
		Target: invite.URI.Text, Routes: invite.Route, Branch: branch}.text(invite.Flow)
}

func (r release) text(flow wire.Flow) string {
	r.Our, r.Peer = flow.Local.String(), flow.Remote.String()
	if flow.Network != "udp" {
		r.Net = flow.Network
	}
	b, err := json.Marshal(r)
	if err != nil {
		panic(fmt.Sprintf("dialog: release: %v", err)) // strings and numbers always marshal
	}
	return string(b)
}

// Releases makes one of several; "" of none.
func Releases(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return "[" + strings.Join(all, ",") + "]"
}

// Ending is what ends one thing of before a crash: a BYE, or an INVITE that is to be taken back.
type Ending struct {
	Request *wire.Request
	Branch  string // of the INVITE
}

// Endings reads a Release, or Releases. The flow of a request, where it is a connection, is no more:
// another one to the same peer must take its place.
func Endings(s string) (out []Ending, err error) {
	if !strings.HasPrefix(s, "[") {
		s = "[" + s + "]"
	}
	var list []release
	if err := json.Unmarshal([]byte(s), &list); err != nil {
		return nil, fmt.Errorf("release: %w", err)
	}
	if len(list) == 0 {
		return nil, errors.New("release: empty")
	}
	for _, v := range list {
		e, err := v.ending()
		if err != nil {
			return nil, fmt.Errorf("release: %w", err)
		}
		out = append(out, e)
	}
	return out, nil
}

func (r release) ending() (Ending, error) {
	from, err1 := header.ParseAddress(r.Local)
	to, err2 := header.ParseAddress(r.Remote)
	target, err3 := header.ParseURI(r.Target)
	our, err4 := netip.ParseAddrPort(r.Our)
	peer, err5 := netip.ParseAddrPort(r.Peer)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return Ending{}, err
	}
	method := "BYE"
	if r.Branch != "" {
		method = "INVITE"
	}
	return Ending{&wire.Request{Method: method, URI: target, Flow: wire.Flow{Network: cmp.Or(r.Net, "udp"), Local: our, Remote: peer},
		From: from, To: to, CallID: r.CallID, CSeq: r.Seq, Route: r.Routes}, r.Branch}, nil
}
