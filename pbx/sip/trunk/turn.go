package trunk

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"branchline/pbx/config"
	"branchline/pbx/sip/header"
	"branchline/pbx/sip/trunk/nat"
	"branchline/pbx/sip/trunk/proof"
	"branchline/pbx/sip/trunk/signin"
	"branchline/pbx/sip/wire"
)

// idle is how long a connection to a server may be silent: longer than any sign-in.
const idle = 25 * time.Hour

const agent = "Branchline"

// turn goes to the server that is due, when one is.
func (s *session) turn() {
	if s.asking || s.closing || !s.machine.Due(time.Now()) {
		return
	}
	server := s.machine.Server()
	if s.flow.Network != "" && s.flow.Remote == server {
		s.ask()
		return
	}
	if s.c.Transport != config.TransportUDP {
		s.connect(server)
		return
	}
	s.reach(wire.Flow{Network: "udp", Local: s.wire.Toward(server.Addr()), Remote: server})
	s.ask()
}

// connect opens the connection to server and goes on there.
func (s *session) connect(server netip.AddrPort) {
	s.asking = true
	s.wire.Hangup(s.flow)
	s.dialServer(server, func(f wire.Flow, err error) {
		s.asking = false
		if s.closing {
			return
		}
		if err != nil {
			s.log.Info("server not reached", "server", server, "err", err)
			s.heard(signin.Answer{Why: unmet(err)})
			return
		}
		s.reach(f)
		s.legs.Back(f)
		for l := range s.legs.All() {
			if old, ok := l.Flow(); ok && old.Connected() && old.Remote.Addr() == f.Remote.Addr() {
				l.Resettle(f)
			}
		}
		s.ask()
	})
}

// dialServer opens a connection to server, as the document asks for.
func (s *session) dialServer(server netip.AddrPort, done func(wire.Flow, error)) {
	if s.c.Transport == config.TransportTLS {
		s.wire.DialTLS(s.c.Listen.Addr(), server, s.secure(server), idle, done)
		return
	}
	s.wire.Dial(s.c.Listen.Addr(), server, idle, done)
}

// reach takes the way to a server into use.
func (s *session) reach(f wire.Flow) {
	s.flow, s.answers, s.kept = f, false, time.Now()
	s.welcome()
	s.view.Local = f.Local
	if f.Local.Addr().IsUnspecified() {
		if ip, err := s.trunk.route(f.Remote); err == nil {
			s.view.Local = netip.AddrPortFrom(ip, f.Local.Port())
		}
	}
	s.advertise()
}

// welcome has the door let the server in before all others, for a while.
func (s *session) welcome() { s.trunk.door.Welcome(s.flow.Remote, time.Now().Add(10*s.pace.keepAlive)) }

func (s *session) ask() {
	s.asking = true
	if s.c.Register {
		s.register(nil)
		return
	}
	s.question(func(a signin.Answer) { s.asking = false; s.heard(a) })
}

// heard takes what came of turning to a server.
func (s *session) heard(a signin.Answer) {
	now := time.Now()
	s.machine.Heard(a, now)
	if !s.machine.In() {
		if now.Sub(s.meddled) < 10*time.Minute {
			s.machine.Blame()
		}
		select {
		case s.again <- struct{}{}: // DNS may know better
		default:
		}
	}
	s.tellState()
}

// contact is our own address as the server is to know it, with what tells it from those of others.
func (s *session) contact(flow wire.Flow) header.URI {
	host, port := s.nowhere(), uint16(0)
	if a, ok := s.view.Address(flow.Remote.Addr()); ok {
		host, port = a.Addr().String(), a.Port()
	}
	u, err := header.NewURI(s.c.User, host, port)
	if err != nil {
		panic(fmt.Sprintf("trunk: own address: %v", err)) // the user was judged with the document
	}
	u, _ = header.ParseURI(u.Text + ";line=" + s.line + transportParam(flow.Network)) // what NewURI makes is sound
	return u
}

// ours is our address at the provider.
func (s *session) ours(user string) header.URI {
	u, err := header.NewURI(user, s.domain, 0)
	if err != nil {
		u, _ = header.NewURI("", s.domain, 0)
	}
	return u
}

// request makes one outside of a dialog, to the provider itself.
func (s *session) request(method string, to header.URI) *wire.Request {
	s.seq++
	target, _ := header.NewURI("", s.domain, 0)
	return &wire.Request{Method: method, URI: target, Flow: s.flow, CallID: s.callID, CSeq: s.seq,
		From: header.MakeAddress("", s.ours(s.c.User), s.tag), To: header.MakeAddress("", to, ""), Route: s.proxyRoute(),
		Headers: []wire.Header{{Name: "User-Agent", Value: agent}}}
}

// send sends r and gives up on it after a while. on hears the final response, once.
func (s *session) send(r *wire.Request, on func(*wire.Response)) {
	sentBy, done := s.sentBy(), false
	final := func(res *wire.Response) {
		if res.Code < 200 || done {
			return
		}
		done = true
		if !res.Local {
			s.learn(r, res, sentBy)
		}
		on(res)
	}
	if err := s.wire.Send(r, final); err != nil {
		s.log.Info("not sent", "method", r.Method, "server", r.Flow.Remote, "err", err)
		final(&wire.Response{Code: 503, Local: true})
		return
	}
	s.wire.After(s.pace.patience, r.CallID, r.GiveUp)
}

// learn takes from an answer how the world sees us, and whether somebody meddled.
func (s *session) learn(r *wire.Request, res *wire.Response, sentBy string) {
	if nat.ViaAltered(res.Via, sentBy) {
		s.meddle("Via")
	}
	from, _ := header.ParseAddress(res.Header("From"))
	if res.Header("Call-ID") != r.CallID || from.Tag() != r.From.Tag() {
		s.meddle("Call-ID or From")
	}
	if r.Flow != s.flow {
		return
	}
	if s.view.Learn(res.Via, r.Flow.Remote.Addr()) {
		s.advertise()
		seen, _ := s.view.Address(r.Flow.Remote.Addr())
		s.log.Info("the world sees us by another address", "address", seen)
		s.resettle()
		s.machine.Moved(time.Now())
	}
}

// resettle tells the other ends of calls that we are to be found by another address.
func (s *session) resettle() {
	for l := range s.legs.All() {
		if at, ok := l.Flow(); ok && at == s.flow {
			l.Resettle(at)
		}
	}
}

// register signs in at the server, with credentials where there are some. While we do not know by which
// address the server is to know us, it is asked who is signed in (RFC 3261 10.2.3): any answer tells it.
func (s *session) register(proofs []wire.Header) {
	r := s.request("REGISTER", s.ours(s.c.User))
	_, known := s.view.Address(s.flow.Remote.Addr())
	ours := s.contact(s.flow)
	query := !known && proofs == nil
	if !query {
		r.Contact = s.contacts(ours, s.machine.Expires())
		r.Headers = append(r.Headers, wire.Header{Name: "Expires", Value: seconds(s.machine.Expires())})
	}
	r.Headers = append(r.Headers, wire.Header{Name: "Supported", Value: "path"}, wire.Header{Name: "Allow", Value: allow})
	if proofs == nil {
		proofs = s.proofs(r)
	}
	r.Headers = append(r.Headers, proofs...)
	s.send(r, func(res *wire.Response) {
		if s.closing {
			return
		}
		if next := s.Credentials(r, res); next != nil {
			s.register(next)
			return
		}
		if query && res.Code/100 == 2 {
			s.register([]wire.Header{}) // now with a Contact
			return
		}
		s.asking = false
		s.registered(res, ours)
	})
}

// contacts are ours, and the one that it replaces.
func (s *session) contacts(ours header.URI, expires time.Duration) []header.Address {
	out := []header.Address{{Text: "<" + ours.Text + ">;expires=" + seconds(expires)}}
	if s.bound.Text != "" && s.bound.Text != ours.Text {
		out = append(out, header.Address{Text: "<" + s.bound.Text + ">;expires=0"})
	}
	return out
}

// registered takes the final answer to a sign-in with ours.
func (s *session) registered(res *wire.Response, ours header.URI) {
	a := signin.Answer{Code: res.Code, Proof: res.Code == 401 || res.Code == 407,
		MinExpires: read(res.Header("Min-Expires")), RetryAfter: read(res.Header("Retry-After"))}
	if res.Local {
		a.Code = 0
	}
	if a.Code/100 == 2 {
		s.wallet.Accepted()
		s.bound = ours
		s.routes = s.proxyRoute()
		if through := s.serviceRoute(res); len(through) > 0 {
			s.routes = through
		}
		if nat.ContactAltered(ours, res.Contact, s.view.Seen()) {
			s.meddle("Contact")
		}
		a.Granted = granted(res, ours)
	} else if a.Code != 0 {
		s.log.Warn("sign-in refused", "server", s.flow.Remote, "code", res.Code, "reason", res.Reason)
	}
	if a.Code/100 == 2 && s.contact(s.flow).Text != ours.Text {
		s.machine.Heard(a, time.Now())
		s.machine.Moved(time.Now()) // what was signed in was wrong already
		s.tellState()
		return
	}
	s.heard(a)
}

// serviceRoute is the way that the provider wants our requests to take (RFC 3608).
func (s *session) serviceRoute(res *wire.Response) (out []string) {
	for _, l := range res.Lines("Service-Route") {
		for _, v := range header.List(l) {
			if _, err := header.ParseAddress(v); err == nil && len(out) < 10 {
				out = append(out, v)
			}
		}
	}
	return out
}

// granted is how long the server keeps our Contact: it says so at the Contact, or in Expires (RFC 3261 10.2.4).
func granted(res *wire.Response, ours header.URI) time.Duration {
	line, _ := ours.Param("line")
	for _, c := range res.Contact {
		theirs, _ := c.URI.Param("line")
		if theirs == line || c.URI.Same(ours) || len(res.Contact) == 1 {
			if text, ok := c.Param("expires"); ok {
				return read(text)
			}
		}
	}
	return read(res.Header("Expires"))
}

// signOut takes our Contact back; end is called when that is answered.
func (s *session) signOut(end func()) {
	try := 0
	var out func(proofs []wire.Header)
	out = func(proofs []wire.Header) {
		r := s.request("REGISTER", s.ours(s.c.User))
		r.Contact = []header.Address{{Text: "<" + s.bound.Text + ">;expires=0"}}
		r.Headers = append(r.Headers, wire.Header{Name: "Expires", Value: "0"})
		if proofs == nil {
			proofs = s.proofs(r)
		}
		r.Headers = append(r.Headers, proofs...)
		s.send(r, func(res *wire.Response) {
			if next := s.Credentials(r, res); next != nil && try < 2 {
				try++
				out(next)
				return
			}
			end()
		})
	}
	out(nil)
}

// question asks the server whether it is there.
func (s *session) question(then func(signin.Answer)) {
	r := s.request("OPTIONS", s.ours(""))
	r.CallID = s.callID + "-o"
	r.Headers = append(r.Headers, wire.Header{Name: "Accept", Value: "application/sdp"})
	s.send(r, func(res *wire.Response) {
		a := signin.Answer{Code: res.Code, RetryAfter: read(res.Header("Retry-After"))}
		if res.Local {
			a.Code = 0
		}
		if !s.closing {
			then(a)
		}
	})
}

// keepAlive keeps the way to the server open, and finds out whether it still is.
func (s *session) keepAlive(now time.Time) {
	if s.flow.Network == "" || s.closing || now.Sub(s.kept) < s.pace.keepAlive {
		return
	}
	s.kept = now
	s.welcome()
	if !s.c.Register { // it is asked anyway
		return
	}
	if s.c.KeepAlive == config.KeepAliveCRLF || !s.answers {
		if err := s.wire.Ping(s.flow); err != nil {
			s.log.Debug("not pinged", "server", s.flow.Remote, "err", err)
		}
	}
	if s.c.KeepAlive == config.KeepAliveCRLF || !s.machine.In() {
		return
	}
	flow := s.flow
	s.question(func(a signin.Answer) {
		switch {
		case flow != s.flow:
		case a.Code != 0:
			s.answers = true
		case s.answers: // one that never answers is not dead for it
			s.machine.Lost(time.Now())
			s.tellState()
		}
	})
}

// Lost hears that a connection is no more.
func (s *session) Lost(flow wire.Flow) {
	s.legs.Lost(flow)
	if flow != s.flow {
		return
	}
	s.flow = wire.Flow{}
	s.machine.Moved(time.Now())
}

// Credentials answers a challenge.
func (s *session) Credentials(r *wire.Request, res *wire.Response) []wire.Header {
	if res.Local || res.Code != 401 && res.Code != 407 {
		return nil
	}
	proxy, asks, says := false, "WWW-Authenticate", "Authorization"
	if res.Code == 407 {
		proxy, asks, says = true, "Proxy-Authenticate", "Proxy-Authorization"
	}
	var sent []string
	for _, h := range r.Headers {
		if h.Name == says {
			sent = append(sent, h.Value)
		}
	}
	if err := s.wallet.Challenged(proxy, res.Lines(asks), sent); err != nil {
		if errors.Is(err, proof.ErrUnknown) {
			s.log.Warn("the server asks for a proof that the box does not know", "method", r.Method)
		}
		return nil
	}
	return s.proofs(r)
}

// proofs are the credentials for r, never nil.
func (s *session) proofs(r *wire.Request) []wire.Header {
	out := []wire.Header{}
	for _, h := range s.wallet.Headers(r.Method, r.URI.Text) {
		out = append(out, wire.Header{Name: h.Name, Value: h.Value})
	}
	return out
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

// read reads a number of seconds, with what may stand behind it (Retry-After: 18 (in a meeting)).
func read(s string) time.Duration {
	s, _, _ = strings.Cut(s, ";")
	s, _, _ = strings.Cut(s, "(")
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}
