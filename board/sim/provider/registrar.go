package provider

import (
	"crypto/rand"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/icholy/digest"

	"branchline/board/sim/phone/message"
	"branchline/board/sim/phone/transact"
)

const realm = "provider.example"

// binding is one who is signed in.
type binding struct {
	uri     string
	network string
	from    netip.AddrPort // where he is spoken to, whatever his Contact says
	timer   *transact.Timer
}

// onRequest handles a new request.
func (p *Provider) onRequest(network string, s *transact.Server) {
	m, h := s.Request, p.Habits()
	p.lie(m, h)
	to, _ := message.ParseAddress(m.Get("To"))
	if c := p.calls[m.Get("Call-ID")]; c != nil && (to.Tag() != "" || m.Method == "CANCEL") {
		c.onRequest(s, h)
		return
	}
	switch {
	case to.Tag() != "":
		s.Respond(m.Response(481, ""))
	case m.Method == "REGISTER":
		p.register(network, s, h)
	case m.Method == "OPTIONS":
		s.Respond(m.Response(200, tag()))
	case m.Method == "INVITE":
		p.invited(network, s, h)
	default:
		s.Respond(m.Response(405, tag()))
	}
}

// lie has the answer name another source than the true one, or another sender than the box wrote.
func (p *Provider) lie(m *message.Message, h Habits) {
	via, err := m.Via()
	if err != nil {
		return
	}
	if h.Alter {
		via.Host, via.Port = "10.99.0.1", 5060
	}
	if h.Seen.IsValid() {
		via.Params = fmt.Sprintf(";branch=%s;received=%s;rport=%d", via.Branch(), h.Seen.Addr(), h.Seen.Port())
	}
	m.SetVia(via)
}

func tag() string { return rand.Text()[:10] }

func (p *Provider) refuse(s *transact.Server, code int, h Habits) {
	r := s.Request.Response(code, tag())
	if h.RetryAfter > 0 {
		r.Add("Retry-After", strconv.Itoa(h.RetryAfter))
	}
	s.Respond(r)
}

// proved says whether the sender of a request knows the password; else it is answered.
func (p *Provider) proved(s *transact.Server, code int, h Habits) bool {
	if p.o.Password == "" {
		return true
	}
	m, says, asks := s.Request, "Authorization", "WWW-Authenticate"
	if code == 407 {
		says, asks = "Proxy-Authorization", "Proxy-Authenticate"
	}
	stale := false
	for _, line := range m.Lines(says) {
		c, err := digest.ParseCredentials(line)
		if err != nil || c.Realm != realm || c.URI != m.URI {
			continue
		}
		want, err := digest.Digest(p.challenge(c.Nonce), digest.Options{Method: m.Method, URI: c.URI, Username: p.o.User, Password: p.o.Password,
			Cnonce: c.Cnonce, Count: c.Nc})
		if err != nil || want.Response != c.Response || c.Username != p.o.User {
			continue
		}
		uses, known := p.nonces[c.Nonce]
		if known && c.Nc > uses && !(h.OneUse && uses > 0) {
			p.nonces[c.Nonce] = c.Nc
			return true
		}
		stale = true
	}
	nonce := rand.Text()
	p.nonces[nonce] = 0
	ch := p.challenge(nonce)
	ch.Stale = stale
	r := m.Response(code, tag())
	r.Add(asks, ch.String())
	s.Respond(r)
	return false
}

func (p *Provider) challenge(nonce string) *digest.Challenge {
	return &digest.Challenge{Realm: realm, Nonce: nonce, Algorithm: p.o.Algorithm, QOP: []string{"auth"}}
}

// register signs somebody in or out (RFC 3261 10.3).
func (p *Provider) register(network string, s *transact.Server, h Habits) {
	m := s.Request
	to, _ := message.ParseAddress(m.Get("To"))
	switch uri, err := message.ParseURI(to.URI); {
	case h.Register != 0:
		p.refuse(s, h.Register, h)
		return
	case !p.proved(s, 401, h):
		return
	case err != nil || uri.User != p.o.User:
		s.Respond(m.Response(404, tag()))
		return
	}
	for _, text := range m.List("Contact") {
		if !p.bind(network, s, text, h) {
			r := m.Response(423, tag())
			r.Add("Min-Expires", strconv.Itoa(h.MinExpires))
			s.Respond(r)
			return
		}
	}
	r := m.Response(200, tag())
	for _, text := range p.list() {
		if h.Alter {
			a, _ := message.ParseAddress(text)
			u, _ := message.ParseURI(a.URI)
			text = strings.Replace(text, u.Host, "10.99.0.1", 1)
		}
		r.Add("Contact", text)
	}
	if h.ServiceRoute != "" {
		r.Add("Service-Route", h.ServiceRoute)
	}
	s.Respond(r)
}

// bind takes one Contact; false: it wants to stay too shortly.
func (p *Provider) bind(network string, s *transact.Server, text string, h Habits) bool {
	a, err := message.ParseAddress(text)
	if err != nil {
		return true
	}
	asked := message.Param(a.Params, "expires")
	if asked == "" {
		asked = s.Request.Get("Expires")
	}
	n, err := strconv.Atoi(asked)
	if err != nil {
		n = 3600
	}
	if n != 0 && n < h.MinExpires {
		return false
	}
	if n != 0 && h.Expires != 0 {
		n = h.Expires
	}
	old := p.bindings[a.URI]
	old.timer.Stop()
	delete(p.bindings, a.URI)
	if n > 0 {
		p.bindings[a.URI] = binding{a.URI, network, s.Source, p.clock.After(seconds(n), func() {
			delete(p.bindings, a.URI)
			p.show()
		})}
	}
	p.show()
	return true
}

// list is the Contacts with how long they stay.
func (p *Provider) list() (out []string) {
	h := p.Habits()
	for uri := range p.bindings {
		n := h.Expires
		if n == 0 {
			n = 600
		}
		out = append(out, fmt.Sprintf("<%s>;expires=%d", uri, n))
	}
	slices.Sort(out)
	return out
}

func (p *Provider) show() {
	var all []string
	for uri := range p.bindings {
		all = append(all, uri)
	}
	slices.Sort(all)
	p.update(func() { p.contacts = all })
}
