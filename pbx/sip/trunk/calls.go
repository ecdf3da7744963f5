package trunk

import (
	"net/netip"
	"time"

	"branchline/hal"
	"branchline/pbx/config"
	"branchline/pbx/sip/dialog"
	"branchline/pbx/sip/guard"
	"branchline/pbx/sip/header"
	"branchline/pbx/sip/leg"
	"branchline/pbx/sip/trunk/nat"
	"branchline/pbx/sip/trunk/signin"
	"branchline/pbx/sip/wire"
)

var _ leg.Peers = (*session)(nil)

// dial calls somebody through the provider.
func (s *session) dial(o hal.Dial) {
	_, known := s.view.Address(s.flow.Remote.Addr())
	target, err := header.NewURI(string(o.To), s.domain, 0)
	switch {
	case !s.machine.In() || s.flow.Network == "":
		why := s.machine.Why()
		if why == "" {
			why = signin.Silent
		}
		s.legs.Fail(o.Leg, hal.Unreachable, why)
		return
	case !known:
		s.legs.Fail(o.Leg, hal.Unreachable, "the server does not tell our public address; set public in the configuration of the trunk")
		return
	case s.full():
		s.legs.Fail(o.Leg, hal.Congestion, "all channels of the trunk are in use")
		return
	case err != nil || o.To == "":
		s.legs.Fail(o.Leg, hal.Unallocated, "no number")
		return
	}
	from, headers := s.caller(o)
	s.legs.Dial(o.Leg, s.terms(), []leg.Way{{Name: s.flow.Remote.String(), Flow: s.flow, URI: target, Routes: s.routes,
		From: from, To: header.MakeAddress("", target, ""), Headers: headers, Patience: s.pace.patience}})
}

// terms are those of every call.
func (s *session) terms() leg.Terms {
	return leg.Terms{Peer: s.trunk.o.Name, Sound: dialog.Sound{Codecs: s.c.Codecs, Security: dialog.SecurityOf(s.c.SRTP)}}
}

// full says that no more calls may be at a time.
func (s *session) full() bool {
	return s.trunk.o.Channels > 0 && len(s.legs.Legs()) >= s.trunk.o.Channels
}

// Request handles a new request. What does not come from the servers is not answered: nobody else needs to
// know that there is a trunk.
func (s *session) Request(r *wire.Request) {
	if !s.isPeer(r.Flow) {
		s.trunk.door.Note(r.Flow.Remote, guard.Outside)
		return
	}
	if r.Method == "ACK" {
		s.legs.Ack(r)
		return
	}
	if !s.legs.Understands(r) {
		return
	}
	if r.InDialog() {
		s.legs.Within(r)
		return
	}
	switch r.Method {
	case "INVITE":
		s.invite(r)
	case "OPTIONS":
		s.legs.Reply(r, wire.Response{Code: 200, Headers: []wire.Header{{Name: "Accept", Value: leg.Accepted}}})
	case "SUBSCRIBE", "NOTIFY", "PUBLISH":
		s.legs.Reply(r, wire.Response{Code: 489})
	case "BYE", "INFO", "UPDATE", "PRACK":
		s.legs.Reply(r, wire.Response{Code: 481})
	case "MESSAGE", "REFER", "REGISTER":
		s.legs.Reply(r, wire.Response{Code: 405})
	default:
		s.legs.Reply(r, wire.Response{Code: 501})
	}
}

// invite handles a call from the provider.
func (s *session) invite(r *wire.Request) {
	if nat.TargetAltered(r.URI, s.contact(r.Flow), s.trunk.private) {
		s.meddle("the address of a call")
	}
	if s.closing {
		s.legs.Reply(r, wire.Response{Code: 503})
		return
	}
	if s.full() {
		s.legs.Reply(r, wire.Response{Code: 486})
		return
	}
	in := s.who(r)
	in.To = s.called(r)
	s.legs.Ring(r, s.terms(), in)
}

// called is the number that was dialled. Where the server sent the call to the Contact that we signed in with,
// it stands in To.
func (s *session) called(r *wire.Request) hal.Number {
	_, ours := r.URI.Param("line")
	uri, to := hal.Number(r.URI.User), hal.Number(r.To.URI.User)
	switch {
	case to != "" && (s.c.Called == config.CalledTo || ours || uri == ""):
		return to
	case uri != "":
		return uri
	}
	return s.trunk.o.Number
}

// Cancelled handles a CANCEL.
func (s *session) Cancelled(invite *wire.Request, why string) { s.legs.Cancelled(invite, why) }

// Broken ends the call whose handling panicked.
func (s *session) Broken(callID string) { s.legs.Broken(callID) }

// Proves says that a request in a dialog is the peer's: what came from elsewhere than the servers was dropped.
func (s *session) Proves(string, *wire.Request) bool { return true }

// Heard is noticed otherwise.
func (s *session) Heard(wire.Flow) {}

// Silent says that a request in a call had no answer: it is looked whether the server is there at all.
func (s *session) Silent(flow wire.Flow) {
	if flow == s.flow {
		s.machine.Moved(time.Now())
	}
}

// Contact is our own address, as the server is to know it.
func (s *session) Contact(flow wire.Flow) header.Address {
	return header.MakeAddress("", s.contact(flow), "")
}

// Listens is where the server shall send sound.
func (s *session) Listens(flow wire.Flow, bound netip.AddrPort) netip.AddrPort {
	a, ok := s.view.Address(flow.Remote.Addr())
	if !ok {
		a = s.view.Local
	}
	return netip.AddrPortFrom(a.Addr(), bound.Port())
}
