package registrar

import (
	"strings"
	"time"

	"branchline/pbx/sip/wire"
)

// Challenge is what a 401 carries to a phone, which is told apart by what it calls itself and the address
// it comes from, at which alone the nonce is good, and says agent as its User-Agent: one header for each algorithm. MD5 stands first, against
// the order of RFC 8760 2.4: phones (and sipp) that know no other look at the first header alone
// and would not sign in at all. One that knows better is free to take the second.
func (a *Authority) Challenge(user, source, agent string, stale bool, now time.Time) []wire.Header {
	head := `Digest realm="` + a.realm + `", nonce="` + a.nonce(source, now) + `", qop="auth"`
	if stale {
		head += ", stale=true"
	}
	out := []wire.Header{{Name: "WWW-Authenticate", Value: head + ", algorithm=MD5"}}
	if !a.readers.simple(user+" "+source, agent) {
		out = append(out, wire.Header{Name: "WWW-Authenticate", Value: head + ", algorithm=SHA-256"})
	}
	return out
}

// readers remembers which phones cannot read two challenges at once: they are offered MD5 alone.
// Such a phone shows itself by asking again without credentials. baresip before 2.0 is known to
// give up on SHA-256 even where MD5 is offered, and to ask again after half a minute only.
type readers struct {
	young, old map[string]reader
}

type reader uint8

const (
	asked  reader = iota + 1 // was challenged and has not answered yet
	simple                   // wants one challenge
)

const maxReaders = 1 << 10 // in each of two generations

func (r *readers) simple(who, agent string) bool {
	if strings.HasPrefix(agent, "baresip v0.") || strings.HasPrefix(agent, "baresip v1.") {
		return true
	}
	known := r.get(who)
	if known != 0 {
		r.set(who, simple)
		return true
	}
	r.set(who, asked)
	return false
}

func (r *readers) understood(who string) {
	if r.get(who) == asked {
		delete(r.young, who)
		delete(r.old, who)
	}
}

func (r *readers) get(who string) reader {
	if v, ok := r.young[who]; ok {
		return v
	}
	return r.old[who]
}

func (r *readers) set(who string, v reader) {
	if r.young == nil || len(r.young) >= maxReaders {
		r.old, r.young = r.young, map[string]reader{}
	}
	r.young[who] = v
}
