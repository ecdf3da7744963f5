package account

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"time"

	"branchline/board/sim/phone/message"
	"branchline/board/sim/phone/transact"
)

// Status is what became of an attempt to register.
type Status struct {
	SignedIn bool
	Code     int    // SIP status; 408 also where no answer came
	Cause    string // in words, where not signed in
	Final    bool   // the box said no: another attempt will hardly help
}

// Registration keeps the phone signed in. Make it by NewRegistration.
type Registration struct {
	a       *Account
	expires time.Duration
	retry   time.Duration // until a failed attempt is repeated
	told    func(Status)
	callID  string // one for the phone's life, CSeq counted on: RFC 3261 10.2
	tag     string
	seq     uint32
	timer   *transact.Timer
}

// NewRegistration makes one that asks for expires and tells of the end of every attempt.
func NewRegistration(a *Account, expires, retry time.Duration, told func(Status)) *Registration {
	return &Registration{a: a, expires: expires, retry: retry, told: told, callID: rand.Text(), tag: NewTag()}
}

// Register signs in, and again whenever it is time.
func (r *Registration) Register() {
	r.a.Exchange(r.a.Server, func() *message.Message { return r.request(r.expires) }, r.answered)
}

// Unregister signs out and refreshes no more.
func (r *Registration) Unregister() {
	r.timer.Stop()
	r.a.Exchange(r.a.Server, func() *message.Message { return r.request(0) }, func(*message.Message) {
		r.told(Status{Cause: "switched off"})
	})
}

func (r *Registration) request(expires time.Duration) *message.Message {
	r.seq++
	seconds := strconv.Itoa(int(expires / time.Second))
	m := &message.Message{Method: "REGISTER", URI: URIAt("", r.a.Server)}
	m.Add("From", r.a.From(r.tag))
	m.Add("To", message.Address{URI: URIAt(r.a.User, r.a.Server)}.String())
	m.Add("Call-ID", r.callID)
	m.Add("CSeq", fmt.Sprintf("%d REGISTER", r.seq))
	m.Add("Contact", "<"+r.a.Contact()+">;expires="+seconds)
	m.Add("Expires", seconds)
	m.Add("Allow", Allowed)
	return m
}

func (r *Registration) answered(m *message.Message) {
	switch {
	case m == nil:
		r.told(Status{Code: 408, Cause: "the box does not answer"})
		r.after(r.retry)
	case m.Code < 200:
	case m.Code < 300:
		r.after(r.granted(m) / 2)
		r.told(Status{SignedIn: true, Code: m.Code})
	case m.Code == 423 && r.lengthen(m):
		r.Register()
	default:
		final := m.Code/100 == 4 && m.Code != 408 && m.Code != 480
		r.told(Status{Code: m.Code, Cause: fmt.Sprintf("%d %s", m.Code, m.Reason), Final: final})
		r.after(r.retry)
	}
}

// lengthen takes over what the box wants at least (RFC 3261 10.2.8).
func (r *Registration) lengthen(m *message.Message) bool {
	seconds, err := strconv.ParseUint(m.Get("Min-Expires"), 10, 31)
	least := time.Duration(seconds) * time.Second
	if err != nil || least <= r.expires {
		return false
	}
	r.expires = least
	return true
}

// granted is how long the box keeps us: our own contact's expires, else the header's (10.2.4).
func (r *Registration) granted(m *message.Message) time.Duration {
	text := m.Get("Expires")
	for _, contact := range m.List("Contact") {
		a, err := message.ParseAddress(contact)
		if err != nil || !strings.EqualFold(a.URI, r.a.Contact()) {
			continue
		}
		if v := message.Param(a.Params, "expires"); v != "" {
			text = v
		}
	}
	seconds, err := strconv.ParseUint(text, 10, 31)
	if err != nil || seconds == 0 {
		return r.expires
	}
	return time.Duration(seconds) * time.Second
}

func (r *Registration) after(d time.Duration) {
	r.timer.Stop()
	r.timer = r.a.Layer.Clock.After(d, r.Register)
}
