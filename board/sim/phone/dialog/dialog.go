// Package dialog is RFC 3261 clause 12: what two user agents know of each other during a call of
// the simulated phone, and the requests that follow from it. It is plain data: it sends nothing
// and waits for nothing. Start reading at Dialog.
package dialog

import (
	"fmt"
	"net/netip"
	"slices"

	"branchline/board/sim/phone/message"
)

// Dialog is one side's view. The zero value is filled by its maker: Calling or Called.
type Dialog struct {
	CallID              string
	LocalTag, RemoteTag string
	Local, Remote       string // From and To of our requests, tags included
	Target              string // the other side's Contact
	Routes              []string
	Flow                netip.AddrPort // where its messages come from
	Seq                 uint32         // of our latest request
	RemoteSeq           uint32         // of theirs; 0: none yet
	Established         bool           // by a 2xx
}

// Calling begins the dialog of a call to uri, from local (a From with its tag).
func Calling(callID, tag, local, uri string, to netip.AddrPort) Dialog {
	return Dialog{CallID: callID, LocalTag: tag, Local: local, Remote: "<" + uri + ">", Target: uri, Flow: to}
}

// Called begins the dialog of the INVITE m that came from src (12.1.1).
func Called(m *message.Message, tag string, src netip.AddrPort) Dialog {
	from, _ := message.ParseAddress(m.Get("From"))
	seq, _, _ := m.CSeq()
	d := Dialog{
		CallID: m.Get("Call-ID"), LocalTag: tag, RemoteTag: from.Tag(), Local: m.Get("To") + ";tag=" + tag,
		Remote: m.Get("From"), Routes: m.List("Record-Route"), Flow: src, RemoteSeq: seq, Target: from.URI,
	}
	d.Retarget(m)
	return d
}

// Learn takes target, route set and remote tag from a response to our INVITE (12.1.2).
func (d *Dialog) Learn(r *message.Message) {
	d.Remote = r.Get("To")
	if a, err := message.ParseAddress(d.Remote); err == nil {
		d.RemoteTag = a.Tag()
	}
	d.Routes = r.List("Record-Route")
	slices.Reverse(d.Routes)
	d.Retarget(r)
}

// Retarget takes the Contact of m, where it has one (12.2.1.2).
func (d *Dialog) Retarget(m *message.Message) {
	if all := m.List("Contact"); len(all) > 0 {
		if a, err := message.ParseAddress(all[0]); err == nil {
			d.Target = a.URI
		}
	}
}

// Fits says whether the request m of the other side belongs to the dialog (12.2.2).
func (d *Dialog) Fits(m *message.Message) bool {
	to, _ := message.ParseAddress(m.Get("To"))
	from, _ := message.ParseAddress(m.Get("From"))
	return d.CallID == m.Get("Call-ID") && d.LocalTag == to.Tag() && d.RemoteTag == from.Tag()
}

// Request begins a request inside the dialog, without Via; an ACK carries the number of its INVITE.
func (d *Dialog) Request(method string, seq uint32) *message.Message {
	m := &message.Message{Method: method, URI: d.Target}
	for _, r := range d.Routes {
		m.Add("Route", r)
	}
	m.Add("From", d.Local)
	m.Add("To", d.Remote)
	m.Add("Call-ID", d.CallID)
	m.Add("CSeq", fmt.Sprintf("%d %s", seq, method))
	return m
}

// Next is the CSeq of our next request.
func (d *Dialog) Next() uint32 {
	d.Seq++
	return d.Seq
}

// Hop is where requests of the dialog go: the first route, else the target; where they are names
// or say no address, whence the other side spoke.
func (d *Dialog) Hop() netip.AddrPort {
	next := d.Target
	if len(d.Routes) > 0 {
		if a, err := message.ParseAddress(d.Routes[0]); err == nil {
			next = a.URI
		}
	}
	if u, err := message.ParseURI(next); err == nil {
		if at, ok := u.AddrPort(); ok && !at.Addr().IsUnspecified() {
			return at
		}
	}
	return d.Flow
}
