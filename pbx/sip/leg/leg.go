// Package leg is the calls of a SIP line: desk phones and trunks have the same.
//
// A Table holds the legs of one line, by id for the floor and by Call-ID for the wire, and carries out
// orders on them. It promises: orders and messages of a leg reach that leg alone; of several ways to the
// same party the first to answer wins, the others are taken back; a 2xx is repeated until its ACK, one
// that comes too late is acknowledged and ended; a panic costs one leg; whatever crosses on the wire,
// both ends come to rest. What phones and trunks differ in (who is it, by which address are we known,
// what answers a challenge) it asks of Peers, and takes as Terms.
//
// Start reading at Table, then Leg. ring.go is calls to us, fork.go calls of ours, within.go what the peer
// says in a call, refer.go transfers, reliable.go ringing that is
// acknowledged, renew.go and show.go what we say by ourselves.
package leg

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"slices"

	"branchline/hal"
	"branchline/pbx/media"
	"branchline/pbx/sip/causes"
	"branchline/pbx/sip/dialog"
	"branchline/pbx/sip/header"
	"branchline/pbx/sip/session"
	"branchline/pbx/sip/trace"
	"branchline/pbx/sip/wire"
)

// Terms are what a leg is made with.
type Terms struct {
	Peer  string       // who is at the far end: an extension, a trunk
	Sound dialog.Sound // what we offer; an ID of 0 takes a random one
}

// Leg is one call between the box and one peer. It belongs to the goroutine of the wire.
type Leg struct {
	table  *Table
	id     hal.LegID
	callID string
	peer   string

	invite *wire.Request // theirs; nil: we called
	tag    string        // ours, of the dialog
	forks  []*fork       // ours, one for each way
	winner *fork
	dialog *dialog.Dialog // of an incoming leg from its beginning, of ours once it is answered
	offer  *dialog.Offer  // theirs, not answered yet; nil where the INVITE left it to us

	answered bool
	over     bool // Gone is told; the wire may not be at rest yet
	alerting bool
	sounding bool
	held     bool

	port    *media.Port
	sound   dialog.Sound
	pending *acceptance

	their  abilities
	wants  session.Wants
	timer  session.Timer
	clock  func()        // stops the time of the session
	wish   wish          // what we shall ask for next in the dialog
	asking *wire.Request // ours, for a wish; not answered yet
	later  func()        // stops the wait before the next

	shown []wire.Header // who it is that an incoming leg reaches, for our responses

	rseq    uint32     // of our last reliable response; 0: none yet
	assured *assurance // that waits for its PRACK
	settled bool       // what we agreed on came before the answer, reliably: the 2xx says nothing of it

	transfer *transfer // that the peer has asked for; nil: none, or it is over
}

// abilities are what a peer says that it can do.
type abilities struct{ update, timer bool }

// learn takes what the peer says in its INVITE, or in the 2xx to ours.
func (l *Leg) learn(m session.Message) {
	l.their = abilities{update: session.Named(m, "Allow", "UPDATE"), timer: session.Knows(m)}
}

func (t *Table) newLeg(id hal.LegID, callID string, terms Terms) *Leg {
	l := &Leg{table: t, id: id, callID: callID, peer: terms.Peer, tag: newTag(), sound: terms.Sound, wants: t.Session}
	l.sound.ID = cmp.Or(l.sound.ID, uint64(rand.Uint32()))
	t.legs[id] = l
	t.calls[callID] = l
	if t.Trace != nil {
		t.Trace.Belongs(trace.Leg{ID: id, CallID: callID, Peer: terms.Peer})
	}
	return l
}

// Peer is who is at the far end.
func (l *Leg) Peer() string { return l.peer }

// Flow is the way on which the peer is spoken to; false while there is no dialog.
func (l *Leg) Flow() (wire.Flow, bool) {
	if l.dialog == nil {
		return wire.Flow{}, false
	}
	return l.dialog.Flow, true
}

// Move takes another way to the peer, who has proved that it is he. Its sound moves when its sound comes
// from elsewhere.
func (l *Leg) Move(flow wire.Flow) { l.dialog.Move(flow, l.table.Peers.Contact(flow)) }

// gone tells that the leg is over, once.
func (l *Leg) gone(cause hal.Cause, far bool, wire string) {
	if l.over {
		return
	}
	l.over = true
	l.unwatch()
	l.unassure()
	if l.later != nil {
		l.later()
	}
	l.closePort()
	delete(l.table.legs, l.id)
	l.table.Out.Put(hal.Gone{Leg: l.id, Cause: cause, Far: far, Wire: wire})
}

// forget says that nothing more is expected in the dialog.
func (l *Leg) forget() {
	l.settle()
	if l.table.calls[l.callID] == l {
		delete(l.table.calls, l.callID)
	}
}

// release ends the leg on the wire as far as it can be ended now, and tells nobody.
func (l *Leg) release(cause hal.Cause) {
	switch {
	case l.answered:
		l.bye()
	case l.invite != nil:
		l.table.Reply(l.invite, wire.Response{Code: causes.Refusal(cause), Tag: l.tag})
	default:
		l.cancelForks(nil, cause)
	}
	l.settle()
}

// hangup carries out a Hangup in any state.
func (l *Leg) hangup(cause hal.Cause) {
	if cause == "" {
		cause = hal.Normal
	}
	if p := l.pending; l.answered && p != nil && p.request == l.invite {
		l.gone(cause, false, "") // no BYE before the ACK: RFC 3261 15
		return
	}
	l.release(cause)
	l.gone(cause, false, "")
	l.forget()
}

func (l *Leg) bye() { l.table.end(l.dialog.Request("BYE")) }

// response is what of a response of ours belongs to the dialog.
func (l *Leg) response(code int) wire.Response {
	return wire.Response{Code: code, Tag: l.tag, Contact: []header.Address{l.dialog.Contact}, Headers: slices.Clone(l.shown)}
}

// openPort opens the leg's RTP port on ip, once.
func (l *Leg) openPort(ip netip.Addr) error {
	if l.port != nil {
		return nil
	}
	p, err := l.table.Media.OpenRTP(l.id, ip)
	if err != nil {
		return err
	}
	l.port = p
	return nil
}

func (l *Leg) closePort() {
	if l.port == nil {
		return
	}
	l.table.Ports.set(l.id, nil)
	l.port.Close()
	l.port = nil
}

// at is where the peer at flow shall send its sound.
func (l *Leg) at(flow wire.Flow) netip.AddrPort { return l.table.Peers.Listens(flow, l.port.Local()) }

// agree puts what was negotiated into force.
func (l *Leg) agree(o *dialog.Offer) {
	l.port.Negotiated(o.Session)
	l.table.Ports.set(l.id, l.port)
}

// tellHold tells whether the peer has put us on hold, when that is news.
func (l *Leg) tellHold(o *dialog.Offer) {
	if o == nil || o.Held == l.held {
		return
	}
	l.held = o.Held
	if o.Held {
		l.table.Out.Put(hal.Held{Leg: l.id})
		return
	}
	l.table.Out.Put(hal.Resumed{Leg: l.id})
}

// talk tells that the leg is answered.
func (l *Leg) talk(contact string) {
	l.answered = true
	l.table.Out.Put(hal.Answered{Leg: l.id, Contact: contact, Release: l.dialog.Release()})
}
