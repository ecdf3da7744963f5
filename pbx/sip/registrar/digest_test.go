package registrar

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/icholy/digest"

	"branchline/pbx/sip/header"
	"branchline/pbx/sip/wire"
)

var epoch = time.Now()

func authority() *Authority {
	a := &Authority{}
	a.SetAccounts("house", map[string]string{"201": "secret"})
	return a
}

func uri(t testing.TB) header.URI {
	t.Helper()
	u, err := header.ParseURI("sip:10.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// answer makes credentials as a phone would, by another's code.
func answer(t testing.TB, challenge wire.Header, o digest.Options) string {
	t.Helper()
	c, err := digest.ParseChallenge(challenge.Value)
	if err != nil {
		t.Fatal(err)
	}
	if o.Username == "" {
		o.Username = "201"
	}
	if o.Password == "" {
		o.Password = "secret"
	}
	if o.URI == "" {
		o.URI = "sip:10.0.0.1"
	}
	o.Method = "REGISTER"
	cred, err := digest.Digest(c, o)
	if err != nil {
		t.Fatal(err)
	}
	return cred.String()
}

func check(t testing.TB, a *Authority, now time.Time, credentials string) Verdict {
	t.Helper()
	_, v := a.Check("REGISTER", uri(t), []string{credentials}, "", "", now)
	return v
}

func TestEachAlgorithmOfTheChallengeIsRight(t *testing.T) {
	for i := range 2 {
		a := authority()
		h := a.Challenge("", "", "", false, epoch)[i]
		if v := check(t, a, epoch, answer(t, h, digest.Options{Count: 1})); v != Right {
			t.Errorf("%s: verdict %d", h.Value, v)
		}
		if v := check(t, authority(), epoch, answer(t, h, digest.Options{Count: 1})); v != Missing {
			t.Errorf("a nonce of before the restart: verdict %d", v)
		}
	}
}

func TestPhoneThatCannotReadTwoChallengesIsGivenOne(t *testing.T) {
	a := authority()
	const at = "10.0.0.9"
	offered := func(user, agent string) int { return len(a.Challenge(user, at, agent, false, epoch)) }
	old, other := "201", "202"
	if offered(old, "x") != 2 || offered(old, "x") != 1 || offered(old, "x") != 1 || offered(other, "x") != 2 {
		t.Error("it did not answer the first, and is not given MD5 alone")
	}
	h := a.Challenge(other, at, "", false, epoch)[0] // asks again, and answers
	a.Check("REGISTER", uri(t), []string{answer(t, h, digest.Options{Count: 1})}, other, at, epoch)
	a.Check("REGISTER", uri(t), []string{answer(t, h, digest.Options{Count: 2})}, old, at, epoch)
	if offered(other, "x") != 1 || offered(old, "x") != 1 {
		t.Error("what a phone needs was forgotten")
	}
	const fine = "203"
	for i := range 3 { // answers each
		cs := a.Challenge(fine, at, "", false, epoch)
		if len(cs) != 2 {
			t.Fatalf("challenge %d: %d offered to a phone that reads both", i, len(cs))
		}
		a.Check("REGISTER", uri(t), []string{answer(t, cs[1], digest.Options{Count: 1})}, fine, at, epoch)
	}
	if n := offered("204", "baresip v1.0.0 (x86_64/linux)"); n != 1 {
		t.Errorf("%d offered to an old baresip", n)
	}
}

func TestNonceCountServesOnceInAnyOrder(t *testing.T) {
	a := authority()
	h := a.Challenge("", "", "", false, epoch)[0]
	for _, c := range []struct {
		count int
		want  Verdict
	}{{1, Right}, {1, Stale}, {5, Right}, {3, Right}, {3, Stale}, {5, Stale}, {4, Right}, {200, Right}, {100, Stale}, {199, Right}, {199, Stale}} {
		if v := check(t, a, epoch, answer(t, h, digest.Options{Count: c.count})); v != c.want {
			t.Errorf("count %d: verdict %d, want %d", c.count, v, c.want)
		}
	}
}

func TestOldNonceIsStaleAndAWrongPasswordIsWrongAtAnyAge(t *testing.T) {
	a := authority()
	h := a.Challenge("", "", "", false, epoch)[0]
	late := epoch.Add(nonceLife)
	if v := check(t, a, late, answer(t, h, digest.Options{Count: 1})); v != Stale {
		t.Errorf("verdict %d", v)
	}
	for _, now := range []time.Time{epoch, late} {
		for _, o := range []digest.Options{{Count: 1, Password: "x"}, {Count: 1, Username: "999"}} {
			if v := check(t, a, now, answer(t, h, o)); v != Wrong {
				t.Errorf("%+v: verdict %d", o, v)
			}
		}
	}
}

func TestForgottenCountsMakeTheirNoncesStale(t *testing.T) {
	a := authority()
	h := a.Challenge("", "", "", false, epoch)[0]
	credentials := answer(t, h, digest.Options{Count: 1})
	if v := check(t, a, epoch, credentials); v != Right {
		t.Fatalf("verdict %d", v)
	}
	now := epoch
	for range 3 { // a flood of sign-ins turns the table before its time
		now = now.Add(time.Second)
		for i := range maxNonces {
			a.young[fmt.Sprint(now, i)] = &count{}
		}
		fresh := a.Challenge("", "", "", false, now)[0]
		if v := check(t, a, now, answer(t, fresh, digest.Options{Count: 1})); v != Right && v != Stale {
			t.Errorf("verdict %d", v)
		}
		if v := check(t, a, now, credentials); v != Stale {
			t.Fatalf("a replay was taken after %v: verdict %d", now.Sub(epoch), v)
		}
	}
}

func TestCredentialsAreReadStrictly(t *testing.T) {
	good := `Digest username="a", realm="r", nonce="n", uri="sip:h", response="x", qop=auth, nc=00000001, cnonce="c"`
	for s, want := range map[string]bool{
		good: true,
		strings.Replace(good, "Digest", "digest", 1):          true,
		strings.ReplaceAll(good, ", ", ","):                   true,
		good + `, opaque="a,b=\"c\""`:                         true,
		good + `, nc=00000002`:                                false, // twice
		strings.Replace(good, `, nc=00000001`, "", 1):         false,
		strings.Replace(good, `"n"`, `"n`, 1):                 false,
		strings.Replace(good, "Digest", "Basic", 1):           false,
		good + strings.Repeat(" ", maxHeader):                 false,
		good + `, x="` + strings.Repeat("y", maxHeader) + `"`: false,
		"Digest":  false,
		"Digest ": false,
	} {
		if _, ok := parseCredentials(s); ok != want {
			t.Errorf("%.120q: %v, want %v", s, ok, want)
		}
	}
}

func TestNonceIsGoodAtItsAddressAlone(t *testing.T) {
	a := authority()
	h := a.Challenge("201", "10.0.0.9", "", false, epoch)[0]
	for source, want := range map[string]Verdict{"10.0.0.8": Missing, "": Missing, "10.0.0.9": Right} {
		if _, v := a.Check("REGISTER", uri(t), []string{answer(t, h, digest.Options{Count: 1})}, "201", source, epoch); v != want {
			t.Errorf("from %q: verdict %d, want %d", source, v, want)
		}
	}
}

func FuzzCredentials(f *testing.F) {
	f.Add(`Digest username="a\"b", realm="r", nonce="n", uri="sip:h", response="x", qop=auth, nc=00000001, cnonce="c"`)
	f.Add(`Digest a=,b="`)
	a := authority()
	h := a.Challenge("", "", "", false, epoch)[0]
	f.Add(answer(f, h, digest.Options{Count: 1, Password: "wrong"}))
	f.Fuzz(func(t *testing.T, s string) {
		if v := check(t, a, epoch, s); v == Right || v == Stale {
			t.Errorf("%q proved a password", s)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	a := authority()
	h := a.Challenge("", "", "", false, epoch)[0]
	u := uri(b)
	credentials := []string{answer(b, h, digest.Options{Count: 1})}
	b.ReportAllocs()
	for b.Loop() {
		a.Check("REGISTER", u, credentials, "", "", epoch)
	}
}
