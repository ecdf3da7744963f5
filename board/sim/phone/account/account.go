// Package account is who the simulated phone is to the box: its requests with digest credentials
// (RFC 3261 22, RFC 8760) and its registration (RFC 3261 10).
//
// It belongs to the goroutine that owns the transaction layer and has none of its own. It
// promises: each challenge is answered once per request, a refused password is not tried again in
// the same request, nonces are counted, the registration is refreshed at half of its time. Start
// reading at Account.Exchange.
package account

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"

	"github.com/icholy/digest"

	"branchline/board/sim/phone/message"
	"branchline/board/sim/phone/transact"
)

// Allowed is the methods that the phone understands.
const Allowed = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, NOTIFY, UPDATE"

// Account is set up before use; the methods run in the goroutine of Layer.
type Account struct {
	Server         netip.AddrPort // the box; credentials go to it alone
	Local          netip.AddrPort // where the phone is reached
	Transport      string         // "tcp", "tls": requests go by a connection; "", "udp"
	User, Password string
	Name           string // shown to others
	Algorithm      string // preferred: "MD5", "SHA-256", or ""
	Layer          *transact.Layer
	Log            *slog.Logger

	keys map[string]*credential // by the header they go into
	open int
}

// credential is a challenge that we can answer, as often as we like.
type credential struct {
	challenge *digest.Challenge
	count     int
}

// Open is how many exchanges wait for their final answer.
func (a *Account) Open() int { return a.open }

// NewTag makes a tag for From or To.
func NewTag() string { return rand.Text()[:10] }

// Via is the Via of a new request.
func (a *Account) Via() string {
	transport := strings.ToUpper(cmp.Or(a.Transport, "udp"))
	return "SIP/2.0/" + transport + " " + a.Local.String() + ";rport;branch=z9hG4bK" + rand.Text()
}

// Contact is the URI by which the phone is reached.
func (a *Account) Contact() string {
	params := ""
	if a.Transport == "tcp" || a.Transport == "tls" {
		params = ";transport=" + a.Transport
	}
	if a.User == "" {
		return "sip:" + a.Local.String() + params
	}
	return "sip:" + a.User + "@" + a.Local.String() + params
}

// From is the From of what the phone begins.
func (a *Account) From(tag string) string {
	host := a.Local
	if a.Server.IsValid() {
		host = a.Server
	}
	return message.Address{Name: a.Name, URI: URIAt(a.User, host), Params: ";tag=" + tag}.String()
}

// URIAt is user at the address; a port that everybody takes for granted is left out.
func URIAt(user string, at netip.AddrPort) string {
	host := at.Addr().String()
	if at.Addr().Is6() {
		host = "[" + host + "]"
	}
	if at.Port() != 5060 {
		host = fmt.Sprintf("%s:%d", host, at.Port())
	}
	if user == "" {
		return "sip:" + host
	}
	return "sip:" + user + "@" + host
}

// Exchange is one request until its final answer, over as many transactions as authentication
// takes.
type Exchange struct {
	a        *Account
	build    func() *message.Message
	to       netip.AddrPort
	on       func(*message.Message)
	tries    int
	proved   map[string]bool // headers in which a challenge was answered in this exchange
	client   *transact.Client
	over     bool
	givenUp  bool
	canceled bool
}

// Exchange sends what build makes (anew for each try: next CSeq, no Via) and tells on of every
// response: see transact.Layer.Request. Challenges are answered here; where that cannot be done,
// they reach on.
func (a *Account) Exchange(to netip.AddrPort, build func() *message.Message, on func(*message.Message)) *Exchange {
	x := &Exchange{a: a, build: build, to: to, on: on, proved: map[string]bool{}}
	a.open++
	x.attempt()
	return x
}

func (x *Exchange) attempt() {
	x.tries++
	m := x.build()
	m.Fields = append([]message.Field{{Name: "Via", Value: x.a.Via()}}, m.Fields...)
	m.Add("Max-Forwards", "70")
	m.Add("User-Agent", "Branchline test phone")
	if x.to == x.a.Server {
		x.a.prove(m)
	}
	client, err := x.a.Layer.Request(m, x.to, x.receive)
	if err != nil {
		x.a.Log.Warn("request not sent", "phone", x.a.User, "method", m.Method, "err", err)
		x.receive(nil)
		return
	}
	x.client = client
}

func (x *Exchange) receive(r *message.Message) {
	if r == nil || r.Code >= 200 {
		if r != nil && (r.Code == 401 || r.Code == 407) && !x.over && !x.givenUp && x.again(r) {
			return
		}
		x.end()
	}
	x.on(r)
}

func (x *Exchange) end() {
	if !x.over {
		x.over = true
		x.a.open--
	}
}

// Over says that the final answer has come, or none will.
func (x *Exchange) Over() bool { return x.over }

// GiveUp says that nobody wants the answer of this INVITE any more: it is not tried again with
// credentials, and cancelled if it may be by now (RFC 3261 9.1). It tells whether it is; else call again when a 1xx comes.
func (x *Exchange) GiveUp() (canceled bool) {
	x.givenUp = true
	if x.canceled || x.client == nil || !x.client.Answered() || x.client.Done() {
		return x.canceled
	}
	x.canceled = true
	cancel := transact.CancelOf(x.client.Request)
	if _, err := x.a.Layer.Request(cancel, x.to, func(*message.Message) {}); err != nil {
		x.a.Log.Warn("CANCEL not sent", "phone", x.a.User, "err", err)
	}
	return true
}

// Abandon ends the exchange; on hears no more.
func (x *Exchange) Abandon() {
	if x.client != nil {
		x.client.Abandon()
	}
	x.end()
}

// again sends the request with an answer to the challenge in r. It does not where the same
// password has just been refused (RFC 3261 22.2), but a stale nonce is no refusal.
func (x *Exchange) again(r *message.Message) bool {
	if x.tries >= 4 || x.a.Password == "" {
		return false
	}
	challenge, header := x.a.choose(r)
	if challenge == nil || x.proved[header] && !challenge.Stale {
		return false
	}
	x.proved[header] = true
	if x.a.keys == nil {
		x.a.keys = map[string]*credential{}
	}
	x.a.keys[header] = &credential{challenge: challenge}
	x.attempt()
	return true
}

// choose picks the challenge to answer: the preferred algorithm, else the first that we know
// (RFC 8760 2.4). It also tells in which header the answer goes.
func (a *Account) choose(r *message.Message) (best *digest.Challenge, header string) {
	from, header := "WWW-Authenticate", "Authorization"
	if r.Code == 407 {
		from, header = "Proxy-Authenticate", "Proxy-Authorization"
	}
	for _, line := range r.Lines(from) {
		c, err := digest.ParseChallenge(line)
		if err != nil {
			continue
		}
		for i := range c.QOP {
			c.QOP[i] = strings.TrimSpace(c.QOP[i])
		}
		if len(c.QOP) > 0 && !c.SupportsQOP("auth") || !digest.CanDigest(c) {
			continue
		}
		algorithm := c.Algorithm
		if algorithm == "" {
			algorithm = "MD5"
		}
		if best == nil || strings.EqualFold(algorithm, a.Algorithm) {
			best = c
		}
	}
	return best, header
}

// prove adds credentials for every challenge that the box has set us, counting their use.
func (a *Account) prove(m *message.Message) {
	for header, k := range a.keys {
		k.count++
		answer, err := digest.Digest(k.challenge, digest.Options{
			Method: m.Method, URI: m.URI, Count: k.count, Username: a.User, Password: a.Password,
		})
		if err != nil {
			a.Log.Warn("challenge not answered", "phone", a.User, "err", err)
			continue
		}
		m.Add(header, answer.String())
	}
}
