// Package proof answers the challenges of a server (RFC 3261 22, RFC 7616, RFC 8760): MD5 and SHA-256, with
// and without qop.
//
// It promises: a nonce is used again with the next count, never with the same; a challenge that answers
// credentials made for that very nonce, and does not call them stale, says that the password is wrong and is
// not answered; of several challenges the strongest is. It has no goroutine or clock. Start reading at Wallet.
package proof

import (
	"errors"
	"slices"
	"strings"

	"github.com/icholy/digest"
)

// ErrRefused says that the server does not take our credentials; ErrUnknown, that it asks for what we do not have.
var (
	ErrRefused = errors.New("the server refused user and password")
	ErrUnknown = errors.New("the server asks for a proof that the box does not know")
)

const (
	maxRealms    = 4 // that may ask in one request
	maxAgain     = 3 // times in a row that a server may want another nonce
	maxChallenge = 2048
)

// Wallet holds a user's password and what servers asked for it. It is used by one goroutine.
type Wallet struct {
	User, Password string

	realms []*realm // the newest last
}

// realm is the latest challenge of one realm.
type realm struct {
	proxy bool // Proxy-Authenticate: 407
	ch    *digest.Challenge
	count int // uses of the nonce
	again int // challenges in a row to credentials that were made for it
}

// Challenged takes the challenges of a 401, or with proxy of a 407, to a request that carried the credentials
// sent: the values of its Authorization or Proxy-Authorization, none at first. nil: Headers will answer them.
func (w *Wallet) Challenged(proxy bool, challenges, sent []string) error {
	ch := choose(challenges)
	if ch == nil {
		return ErrUnknown
	}
	tried, known := sentFor(ch.Realm, sent), w.find(proxy, ch.Realm)
	if known == nil {
		known = &realm{proxy: proxy, ch: ch}
		w.realms = append(w.realms, known)
	}
	if tried != nil && !ch.Stale && known.count == 1 && tried.Nonce == known.ch.Nonce { // made for a nonce that was new
		known.again = maxAgain
	}
	if tried != nil {
		known.again++
	}
	if w.Password == "" || known.again > maxAgain || tried == nil && len(sent) >= maxRealms {
		w.realms = slices.DeleteFunc(w.realms, func(r *realm) bool { return r == known })
		return ErrRefused
	}
	known.ch, known.count = ch, 0
	return nil
}

// Accepted says that credentials were taken: the nonces are good.
func (w *Wallet) Accepted() {
	for _, r := range w.realms {
		r.again = 0
	}
}

// Header is one header field.
type Header struct{ Name, Value string }

// Headers are the credentials for a request, one for each realm that asked; none before.
func (w *Wallet) Headers(method, uri string) []Header {
	var out []Header
	for _, r := range w.realms {
		r.count++
		c, err := digest.Digest(r.ch, digest.Options{Method: method, URI: uri, Username: w.User, Password: w.Password, Count: r.count})
		if err != nil {
			continue
		}
		name := "Authorization"
		if r.proxy {
			name = "Proxy-Authorization"
		}
		out = append(out, Header{name, c.String()})
	}
	return out
}

func (w *Wallet) find(proxy bool, name string) *realm {
	for _, r := range w.realms {
		if r.proxy == proxy && r.ch.Realm == name {
			return r
		}
	}
	return nil
}

// sentFor is which of the credentials of a request were for that realm.
func sentFor(name string, sent []string) *digest.Credentials {
	for _, s := range sent {
		if c, err := digest.ParseCredentials(s); err == nil && c.Realm == name {
			return c
		}
	}
	return nil
}

// choose is the strongest challenge that we can answer.
func choose(challenges []string) (best *digest.Challenge) {
	for _, s := range challenges {
		if len(s) > maxChallenge {
			continue
		}
		c, err := digest.ParseChallenge(s)
		if err != nil {
			continue
		}
		for i, q := range c.QOP {
			c.QOP[i] = strings.TrimSpace(q)
		}
		if len(c.QOP) > 0 && !c.SupportsQOP("auth") {
			continue
		}
		switch strings.ToUpper(c.Algorithm) {
		case "SHA-256":
			if best == nil || !strings.EqualFold(best.Algorithm, "SHA-256") {
				best = c
			}
		case "", "MD5":
			if best == nil {
				best = c
			}
		}
	}
	return best
}
