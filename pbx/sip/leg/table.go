package leg

import (
	crand "crypto/rand"
	"iter"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"branchline/hal"
	"branchline/pbx/media"
	"branchline/pbx/sip/causes"
	"branchline/pbx/sip/dialog"
	"branchline/pbx/sip/header"
	"branchline/pbx/sip/outbox"
	"branchline/pbx/sip/session"
	"branchline/pbx/sip/trace"
	"branchline/pbx/sip/wire"
)

// Wire is what a Table needs of a wire.Wire, whose methods keep the contracts.
type Wire interface {
	Send(r *wire.Request, on func(*wire.Response)) error
	Tell(r *wire.Request) error
	After(d time.Duration, callID string, f func()) (stop func())
	Branch(r *wire.Request) string
	Revoke(invite *wire.Request, branch, why string)
}

// sockets is a Wire with addresses of its own, which a restart may change.
type sockets interface {
	Listening() []netip.AddrPort
	Toward(to netip.Addr) netip.AddrPort
}

var (
	_ Wire    = (*wire.Wire)(nil)
	_ sockets = (*wire.Wire)(nil)
)

// Peers is what a Table asks its line about those whom the legs talk with. All calls come on the
// goroutine of the wire.
type Peers interface {
	// Proves says whether r, a request in the dialog with peer that came another way than the dialog's, is
	// peer's all the same. Where it is not, r has been answered.
	Proves(peer string, r *wire.Request) bool
	// Heard says that the peer at flow answered a request of ours.
	Heard(flow wire.Flow)
	// Silent says that a request of ours to the peer at flow had no answer.
	Silent(flow wire.Flow)
	// Contact is our own address, as the peer at flow is to know it.
	Contact(flow wire.Flow) header.Address
	// Listens is where the peer at flow shall send its sound, for a port that is bound to bound.
	Listens(flow wire.Flow, bound netip.AddrPort) netip.AddrPort
	// Credentials answers the challenge res (401, 407) to r: the headers with which r is sent once more,
	// nil where there is nothing (more) to say.
	Credentials(r *wire.Request, res *wire.Response) []wire.Header
}

// Introducer is Peers who are told who is at the other side now.
type Introducer interface {
	// Identity are the headers by which the peer at flow is told that.
	Identity(flow wire.Flow, o hal.Show) []wire.Header
}

// Direct is what is said of peers who see our own addresses and ask for no password. To be embedded.
type Direct struct{}

// Silent is noticed otherwise.
func (Direct) Silent(wire.Flow) {}

// Contact is our end of the flow.
func (Direct) Contact(flow wire.Flow) header.Address { return flow.Contact() }

// Listens is our address on the peer's side of the house. A port that is bound to one address stays
// there even if the peer moves to another.
func (Direct) Listens(flow wire.Flow, bound netip.AddrPort) netip.AddrPort {
	if bound.Addr().IsUnspecified() {
		return netip.AddrPortFrom(flow.Local.Addr(), bound.Port())
	}
	return bound
}

// Credentials are none.
func (Direct) Credentials(*wire.Request, *wire.Response) []wire.Header { return nil }

// Options are what a Table is made of.
type Options struct {
	Name  string  // of the line
	Boot  uint32  // part of leg ids
	Count *uint64 // incoming legs since boot; the line keeps it over Tables
	Log   *slog.Logger
	Media *media.Worker
	Wire  Wire
	Trace *trace.Trace // is told which Call-ID is whose; nil: there is none
	Out   *outbox.Outbox
	Ports *Ports
	Peers Peers
	Allow string // methods that the line takes

	Remote  bool          // its phones may be asked to answer, hold and talk on by themselves
	Session session.Wants // how long a call stands without a sign of life
}

// Accepted are the bodies that legs understand, for an Accept header.
const Accepted = "application/sdp, application/dtmf-relay, application/dtmf"

const agent = "Branchline"

// supported are the extensions that we understand.
const supported = "timer, replaces, 100rel, norefersub"

// tellsAbilities says whether a message of that method tells what we can do (RFC 3261 20.5, 20.37).
func tellsAbilities(method string) bool {
	return method == "INVITE" || method == "UPDATE" || method == "OPTIONS"
}

func (t *Table) allows(method string) bool {
	return slices.Contains(strings.Split(t.Allow, ", "), method)
}

// Understands says whether we know all that r requires. Where we do not, r is answered.
func (t *Table) Understands(r *wire.Request) bool {
	var unknown []string
	for _, v := range r.Values("Require") {
		if !slices.Contains(strings.Split(supported, ", "), strings.ToLower(v)) {
			unknown = append(unknown, v)
		}
	}
	if unknown == nil {
		return true
	}
	t.Reply(r, wire.Response{Code: 420, Headers: []wire.Header{{Name: "Unsupported", Value: strings.Join(unknown, ", ")}}})
	return false
}

// Table is the legs of one line. It belongs to the goroutine of the wire; NewTable makes it.
type Table struct {
	Options
	legs  map[hal.LegID]*Leg
	calls map[string]*Leg // by Call-ID; also of legs that are told Gone but whose dialog is not at rest
	owed  []dialog.Ending // of calls of before the restart, for peers whose connection that was the end of

	strays map[string]int // 2xx to nothing: how often each came
}

// NewTable makes an empty table.
func NewTable(o Options) *Table {
	return &Table{Options: o, legs: map[hal.LegID]*Leg{}, calls: map[string]*Leg{}, strays: map[string]int{}}
}

// Legs are all that are not gone, sorted, for a Census.
func (t *Table) Legs() []hal.LegID { return slices.Sorted(maps.Keys(t.legs)) }

// All are the legs whose dialog is not at rest, in no order.
func (t *Table) All() iter.Seq[*Leg] { return maps.Values(t.calls) }

// contact is our own address in a dialog that is asked for by target: who asks for sips is answered by it (RFC
// 3261 8.1.1.8, 12.1.1).
func (t *Table) contact(flow wire.Flow, target header.URI) header.Address {
	c := t.Peers.Contact(flow)
	if target.Scheme == "sips" {
		return c.Secured()
	}
	return c
}

// Send sends r under our name. on hears what wire.Wire.Send promises; when r could not be sent it is
// called at once, with a response of our own.
func (t *Table) Send(r *wire.Request, on func(*wire.Response)) {
	r.Headers = append(r.Headers, wire.Header{Name: "User-Agent", Value: agent})
	if tellsAbilities(r.Method) {
		r.Headers = append(r.Headers, wire.Header{Name: "Allow", Value: t.Allow}, wire.Header{Name: "Supported", Value: supported})
	}
	t.send(r, on)
}

func (t *Table) send(r *wire.Request, on func(*wire.Response)) {
	answered := func(res *wire.Response) {
		if res.Local {
			t.Peers.Silent(r.Flow)
		} else {
			t.Peers.Heard(r.Flow)
		}
		on(res)
	}
	if err := t.Wire.Send(r, answered); err != nil {
		t.Log.Warn("request not sent", "method", r.Method, "call", r.CallID, "err", err)
		on(&wire.Response{Code: 503, Reason: "not sent", Local: true})
	}
}

// again makes r anew with credentials for the challenge res; nil where res is none, or cannot be
// answered. seq is its CSeq.
func (t *Table) again(r *wire.Request, res *wire.Response, seq func() uint32) *wire.Request {
	if res.Code != 401 && res.Code != 407 || res.Local {
		return nil
	}
	headers := t.Peers.Credentials(r, res)
	if headers == nil {
		return nil
	}
	next := *r // a late repetition of the challenge is still acknowledged as the first
	next.CSeq = seq()
	next.Headers = slices.DeleteFunc(slices.Clone(r.Headers), func(h wire.Header) bool {
		return slices.ContainsFunc(headers, func(n wire.Header) bool { return n.Name == h.Name })
	})
	next.Headers = append(next.Headers, headers...)
	return &next
}

// Reply answers r with what every response of ours says.
func (t *Table) Reply(r *wire.Request, res wire.Response) {
	res.Headers = append(res.Headers, wire.Header{Name: "Allow", Value: t.Allow}, wire.Header{Name: "Server", Value: agent})
	if res.Code/100 == 2 && tellsAbilities(r.Method) {
		res.Headers = append(res.Headers, wire.Header{Name: "Supported", Value: supported})
	}
	if err := r.Reply(res); err != nil {
		t.Log.Warn("response not sent", "method", r.Method, "code", res.Code, "call", r.CallID, "err", err)
	}
}

// Ack handles an ACK; one that fits nothing is ignored (sipgo v1.7.2).
func (t *Table) Ack(r *wire.Request) {
	if l := t.calls[r.CallID]; l != nil {
		l.ack(r)
	}
}

// Cancelled handles a CANCEL. It ends a leg that rings; a re-INVITE is answered at once, so that
// there is nothing to take back.
func (t *Table) Cancelled(invite *wire.Request, why string) {
	l := t.calls[invite.CallID]
	if l == nil || l.invite != invite || l.over {
		return
	}
	t.Reply(invite, wire.Response{Code: 487, Tag: l.tag})
	cause := hal.NoAnswer
	if causes.IsElsewhere(why) {
		cause = hal.Elsewhere
	}
	l.gone(cause, true, "SIP CANCEL")
	l.forget()
}

// Broken ends the call whose handling panicked.
func (t *Table) Broken(callID string) {
	l := t.calls[callID]
	if l == nil {
		return
	}
	delete(t.calls, callID)
	defer l.gone(hal.WireTrouble, false, "handling broke")
	l.release(hal.WireTrouble)
}

// Lost says that flow, a connection, is no more. A call that stands goes on, for its sound does not run
// there, and the peer may come back; one that rings here cannot be answered. stranded are those that stand.
func (t *Table) Lost(flow wire.Flow) (stranded []*Leg) {
	for _, l := range t.calls {
		switch {
		case l.over:
		case l.invite != nil && l.invite.Flow == flow && !l.answered:
			l.hangup(hal.WireTrouble)
		case l.dialog != nil && l.dialog.Flow == flow:
			stranded = append(stranded, l)
		}
	}
	return stranded
}

// End puts the wire at rest after a restart: what each Release (hal.Answered, Opened, …) of legs that
// were there says. What was on a connection, lost with the restart, waits for Back.
func (t *Table) End(releases []string) {
	for _, r := range releases {
		endings, err := dialog.Endings(r)
		if err != nil {
			t.Log.Warn("leg of before the restart not ended", "err", err)
			continue
		}
		for _, e := range endings {
			if e.Request.Flow.Network != "udp" {
				t.owed = append(t.owed, e)
				continue
			}
			t.settle(e)
		}
	}
}

// Back says that a peer is there by a new connection.
func (t *Table) Back(flow wire.Flow) {
	t.owed = slices.DeleteFunc(t.owed, func(e dialog.Ending) bool {
		was := e.Request.Flow
		if flow.Network != was.Network || was.Remote.Addr() != flow.Remote.Addr() {
			return false
		}
		e.Request.Flow = flow
		t.settle(e)
		return true
	})
}

func (t *Table) settle(e dialog.Ending) {
	if w, ok := t.Wire.(sockets); ok {
		was := &e.Request.Flow
		if at := w.Toward(was.Remote.Addr()); was.Network == "udp" && !slices.Contains(w.Listening(), was.Local) && at.IsValid() {
			was.Local = at // the socket of before the restart is no more
		}
	}
	if e.Branch != "" {
		t.Wire.Revoke(e.Request, e.Branch, "")
		return
	}
	t.end(e.Request)
}

// maxStrays is how many calls that nobody knows are ended in half a minute.
const maxStrays = 256

// Stray ends a call that the peer believes to have answered, but we know nothing of: the box died before
// its answer was known. Who sends it is one of ours; the line has seen to that.
func (t *Table) Stray(res *wire.Response) {
	from, err := header.ParseAddress(res.Header("From"))
	id := res.Header("Call-ID")
	seq, _, _ := strings.Cut(res.Header("CSeq"), " ")
	n, err2 := strconv.ParseUint(seq, 10, 31)
	key := id + " " + res.To.Tag()
	switch {
	case err != nil, err2 != nil, len(from.Tag()) != tagSize, res.To.Tag() == "", len(res.Contact) != 1, t.calls[id] != nil:
		return
	case t.strays[key] >= 12 || t.strays[key] == 0 && len(t.strays) >= maxStrays:
		return
	}
	t.strays[key]++
	invite := &wire.Request{CallID: id, From: from, To: res.To, CSeq: uint32(n), Flow: res.Flow}
	d := dialog.Open(invite, res)
	if err := t.Wire.Tell(d.Ack(invite.CSeq)); err != nil {
		t.Log.Warn("ACK not sent", "call", id, "err", err)
	}
	if t.strays[key] == 1 {
		t.Wire.After(64*wire.T1(), "", func() { delete(t.strays, key) })
		t.Log.Info("call of before the restart ended", "call", id)
		t.end(d.Request("BYE"))
	}
}

// end sends a BYE that is the last of its dialog.
func (t *Table) end(bye *wire.Request) {
	t.Send(bye, func(res *wire.Response) {
		if again := t.again(bye, res, func() uint32 { return bye.CSeq + 1 }); again != nil {
			t.send(again, func(*wire.Response) {})
		}
	})
}

// Farewell ends all calls on the wire, before we go.
func (t *Table) Farewell() {
	for _, id := range t.Legs() {
		if l := t.legs[id]; l != nil {
			l.release(hal.Restarted)
			l.closePort()
		}
	}
}

// Drop tells up that all legs are gone, because the wire broke and nobody works on the Table any more.
func (t *Table) Drop(up func(hal.Signal)) {
	for _, id := range t.Legs() {
		t.legs[id].closePort()
		up(hal.Gone{Leg: id, Cause: hal.WireTrouble, Wire: "socket lost"})
	}
}

// tagSize is how long our tags are.
const tagSize = 12

func newTag() string { return crand.Text()[:tagSize] }
