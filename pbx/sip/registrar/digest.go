package registrar

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"io"
	"strconv"
	"strings"
	"time"

	"branchline/pbx/sip/header"
)

// Verdict is what a request's credentials are worth.
type Verdict uint8

const (
	Missing Verdict = iota // none for our realm: challenge
	Stale                  // right, but their nonce is old or was used: challenge with stale=true
	Wrong                  // unknown user or wrong password, which nobody can tell apart
	Right                  // user is who he says
)

const (
	// nonceLife is how long a nonce may be used. A phone that comes later is told stale=true and
	// asks once more, without troubling anybody.
	nonceLife = 10 * time.Minute
	maxNonces = 1 << 16 // of which we remember the counts
	maxHeader = 2048
)

// Authority judges digest credentials (RFC 7616, RFC 8760): MD5 and SHA-256, qop=auth. Nonces are
// ours by their signature and cost no memory before somebody has proved to know a password. The
// zero value knows nobody; it is used by one goroutine.
type Authority struct {
	realm  string
	users  map[string]secrets
	key    [32]byte
	nobody secrets   // what an unknown user is compared with, so that he takes as long
	start  time.Time // what nonces count from: the wall clock may be set, this does not jump
	issued uint64

	// Counts of nonces that were used, in two generations. A nonce from before floor is stale,
	// for its count is forgotten.
	young, old    map[string]*count
	turned, floor time.Time

	readers readers
}

// secrets are H(user:realm:password), in hexadecimal.
type secrets struct{ md5, sha256 string }

// count remembers which nonce counts were seen: the highest, and 64 before it.
type count struct {
	high uint32
	seen uint64
}

// SetAccounts replaces realm and passwords; nonces live on.
func (a *Authority) SetAccounts(realm string, passwords map[string]string) {
	if a.users == nil {
		rand.Read(a.key[:])
		a.start = time.Now()
		a.young, a.old = map[string]*count{}, map[string]*count{}
		a.nobody = digestUser("", "", rand.Text())
	}
	a.realm = realm
	a.users = make(map[string]secrets, len(passwords))
	for user, password := range passwords {
		a.users[user] = digestUser(user, realm, password)
	}
}

func digestUser(user, realm, password string) secrets {
	s := user + ":" + realm + ":" + password
	return secrets{sum(md5.New(), s), sum(sha256.New(), s)}
}

// Check judges the Authorization headers of a request; from and source are as for Challenge. user is
// the name that was claimed; it is proved only by Right.
func (a *Authority) Check(method string, uri header.URI, authorization []string, from, source string, now time.Time) (user string, v Verdict) {
	for _, h := range authorization {
		if c, ok := parseCredentials(h); ok && c.realm == a.realm {
			a.readers.understood(from + " " + source)
			return c.user, a.judge(c, method, uri, source, now)
		}
	}
	return "", Missing
}

func (a *Authority) judge(c credentials, method string, uri header.URI, source string, now time.Time) Verdict {
	signed, fresh := a.verify(c.nonce, source, now)
	said, err := header.ParseURI(c.uri)
	if !signed || err != nil || !sameTarget(said, uri) || c.qop != "" && c.qop != "auth" {
		return Missing // not for this request, or for another box: begin anew
	}
	s, known := a.users[c.user]
	if !known {
		s = a.nobody
	}
	var h func() hash.Hash
	var ha1 string
	switch {
	case c.algorithm == "" || strings.EqualFold(c.algorithm, "MD5"):
		h, ha1 = md5.New, s.md5
	case strings.EqualFold(c.algorithm, "SHA-256"):
		h, ha1 = sha256.New, s.sha256
	default:
		return Missing
	}
	middle := c.nonce
	if c.qop != "" {
		middle += ":" + c.nc + ":" + c.cnonce + ":" + c.qop
	}
	want := sum(h(), ha1+":"+middle+":"+sum(h(), method+":"+c.uri))
	if subtle.ConstantTimeCompare([]byte(want), []byte(strings.ToLower(c.response))) != 1 || !known {
		return Wrong
	}
	if !fresh || !a.use(c, now) {
		return Stale
	}
	return Right
}

// sameTarget compares the URI that was digested with that of the request. Some phones leave out
// parameters or, with sipp, the user; who could change those on the way could change all else, and
// the count of the nonce keeps the request from being used twice.
func sameTarget(digested, asked header.URI) bool {
	port := func(u header.URI) uint16 {
		if u.Port == 0 && u.Scheme == "sip" {
			return 5060
		}
		return u.Port
	}
	return digested.Scheme == asked.Scheme && (digested.User == asked.User || digested.User == "") &&
		digested.Host == asked.Host && port(digested) == port(asked)
}

// use notes the nonce count; false: it was seen, and the request may be a replay.
func (a *Authority) use(c credentials, now time.Time) bool {
	a.turn(now)
	nc := uint64(1) // RFC 2069 has no count: its nonces serve once
	if c.qop != "" {
		var err error
		if nc, err = strconv.ParseUint(c.nc, 16, 32); err != nil || nc == 0 || len(c.nc) != 8 {
			return false
		}
	}
	u := a.young[c.nonce]
	if u == nil {
		u = a.old[c.nonce]
	}
	if u == nil {
		u = &count{}
		a.young[strings.Clone(c.nonce)] = u
	}
	n := uint32(nc)
	switch {
	case n > u.high:
		shift := n - u.high
		u.seen = u.seen<<shift | 1
		u.high = n
		return true
	case u.high-n >= 64 || u.seen>>(u.high-n)&1 == 1:
		return false
	}
	u.seen |= 1 << (u.high - n)
	return true
}

// turn forgets counts that are too old to matter, or too many.
func (a *Authority) turn(now time.Time) {
	if a.turned.IsZero() {
		a.turned = now
	}
	if now.Sub(a.turned) < nonceLife && len(a.young) < maxNonces {
		return
	}
	a.old, a.young = a.young, map[string]*count{}
	// What is in old was first used after the last turn, but may have been issued before it; what
	// is forgotten now was issued before it too.
	if f := a.turned; f.After(a.floor) && now.Sub(a.turned) < nonceLife {
		a.floor = f
	}
	a.turned = now
}

// nonce is 32 octets: when (ns since start), a number, and our signature over both and the address of who
// may use it.
func (a *Authority) nonce(source string, now time.Time) string {
	var b [32]byte
	a.issued++
	binary.BigEndian.PutUint64(b[:8], uint64(now.Sub(a.start)))
	binary.BigEndian.PutUint64(b[8:16], a.issued)
	copy(b[16:], a.sign(b[:16], source))
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func (a *Authority) verify(nonce, source string, now time.Time) (signed, fresh bool) {
	var b [32]byte
	if n, err := base64.RawURLEncoding.Strict().Decode(b[:], []byte(nonce[:min(len(nonce), 43)])); err != nil || n != 32 || len(nonce) != 43 {
		return false, false
	}
	signed = subtle.ConstantTimeCompare(b[16:], a.sign(b[:16], source)) == 1
	at := a.start.Add(time.Duration(binary.BigEndian.Uint64(b[:8])))
	return signed, now.Sub(at) < nonceLife && at.After(a.floor)
}

func (a *Authority) sign(b []byte, source string) []byte {
	h := hmac.New(sha256.New, a.key[:])
	h.Write(b)
	io.WriteString(h, source)
	return h.Sum(nil)[:16]
}

func sum(h hash.Hash, s string) string {
	h.Write([]byte(s))
	var b [sha256.Size]byte
	return hex.EncodeToString(h.Sum(b[:0]))
}

// credentials are the fields of an Authorization header that we ask for.
type credentials struct {
	user, realm, nonce, uri, response, algorithm, cnonce, qop, nc string
}

// parseCredentials reads one Authorization header; false: it is no digest, or no sound one.
func parseCredentials(s string) (c credentials, ok bool) {
	scheme, rest, ok := strings.Cut(strings.TrimSpace(s), " ")
	if !ok || !strings.EqualFold(scheme, "Digest") || len(s) > maxHeader {
		return c, false
	}
	for rest = strings.TrimSpace(rest); rest != ""; {
		var key, value string
		if key, rest, ok = strings.Cut(rest, "="); !ok {
			return c, false
		}
		if value, rest, ok = parseValue(strings.TrimLeft(rest, " \t")); !ok {
			return c, false
		}
		field := c.field(strings.ToLower(strings.TrimSpace(key)))
		if field == nil {
			continue
		}
		if *field != "" {
			return c, false // twice: two readers could read two things
		}
		*field = value
	}
	return c, c.user != "" && c.nonce != "" && c.uri != "" && c.response != "" && (c.qop == "" || c.nc != "" && c.cnonce != "")
}

func (c *credentials) field(key string) *string {
	switch key {
	case "username":
		return &c.user
	case "realm":
		return &c.realm
	case "nonce":
		return &c.nonce
	case "uri":
		return &c.uri
	case "response":
		return &c.response
	case "algorithm":
		return &c.algorithm
	case "cnonce":
		return &c.cnonce
	case "qop":
		return &c.qop
	case "nc":
		return &c.nc
	}
	return nil
}

// parseValue reads a token or a quoted string up to the next comma.
func parseValue(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		value, rest, _ = strings.Cut(s, ",")
		return strings.TrimSpace(value), strings.TrimLeft(rest, " \t,"), true
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if i++; i < len(s) {
				b.WriteByte(s[i])
			}
		case '"':
			rest = strings.TrimLeft(s[i+1:], " \t")
			if rest != "" && rest[0] != ',' {
				return "", "", false
			}
			return b.String(), strings.TrimLeft(rest, " \t,"), true
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}
