package proof

import (
	"crypto/md5"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func challenge(nonce, more string) []string {
	return []string{fmt.Sprintf(`Digest realm="acme", nonce="%s"%s`, nonce, more)}
}

func TestNonceIsUsedWithRisingCounts(t *testing.T) {
	w := Wallet{User: "u", Password: "p"}
	if h := w.Headers("REGISTER", "sip:acme"); h != nil {
		t.Errorf("credentials before anybody asked: %v", h)
	}
	if err := w.Challenged(false, challenge("n1", `, qop="auth-int, auth"`), nil); err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		h := w.Headers("REGISTER", "sip:acme")
		if len(h) != 1 || h[0].Name != "Authorization" || !strings.Contains(h[0].Value, fmt.Sprintf("nc=%08x", n+1)) {
			t.Fatalf("headers %v", h)
		}
	}
}

func TestResponseWithoutQopIsThatOfTheRFC(t *testing.T) { // RFC 2617 3.2.2.1
	w := Wallet{User: "bob", Password: "zanzibar"}
	if err := w.Challenged(false, []string{`Digest realm="biloxi.com", nonce="dcd98b71", algorithm=MD5`}, nil); err != nil {
		t.Fatal(err)
	}
	sum := func(s string) string { return fmt.Sprintf("%x", md5.Sum([]byte(s))) }
	want := sum(sum("bob:biloxi.com:zanzibar") + ":dcd98b71:" + sum("REGISTER:sip:biloxi.com"))
	h := w.Headers("REGISTER", "sip:biloxi.com")
	if len(h) != 1 || strings.Contains(h[0].Value, "cnonce") || !strings.Contains(h[0].Value, `response="`+want+`"`) {
		t.Errorf("headers %v, want the response %s", h, want)
	}
}

func TestWrongPasswordIsNotTriedTwice(t *testing.T) {
	w := Wallet{User: "u", Password: "wrong"}
	_ = w.Challenged(false, challenge("n1", ""), nil)
	h := w.Headers("REGISTER", "sip:acme")
	if err := w.Challenged(false, challenge("n2", ""), []string{h[0].Value}); !errors.Is(err, ErrRefused) {
		t.Errorf("a second challenge to a new nonce: %v, want refused", err)
	}
	if err := w.Challenged(false, challenge("n3", ""), nil); err != nil {
		t.Errorf("later it may be tried anew, got %v", err)
	}
}

func TestStaleNonceIsReplaced(t *testing.T) {
	w := Wallet{User: "u", Password: "p"}
	_ = w.Challenged(false, challenge("n1", ""), nil)
	h := w.Headers("REGISTER", "sip:acme")
	if err := w.Challenged(false, challenge("n2", ", stale=true"), []string{h[0].Value}); err != nil {
		t.Fatal(err)
	}
	w.Headers("REGISTER", "sip:acme")
	w.Accepted()
	h = w.Headers("REGISTER", "sip:acme") // the second use of n2
	if err := w.Challenged(false, challenge("n3", ""), []string{h[0].Value}); err != nil {
		t.Errorf("a server that changes its nonce without a word: %v", err)
	}
}

func TestServerThatNeverIsContentIsGivenUp(t *testing.T) {
	for _, changing := range []bool{false, true} {
		w, realm := Wallet{User: "u", Password: "p"}, "acme"
		var sent []string
		for n := range 20 {
			if changing {
				realm = fmt.Sprint("realm", n)
			}
			err := w.Challenged(true, []string{fmt.Sprintf(`Digest realm="%s", nonce="n%d", stale=true`, realm, n)}, sent)
			if err != nil {
				break
			}
			sent = nil
			for _, h := range w.Headers("INVITE", "sip:1@acme") {
				sent = append(sent, h.Value)
			}
			if n == 19 {
				t.Errorf("asked 20 times, and no end; changing realm: %v", changing)
			}
		}
	}
}

func TestStrongestChallengeIsAnswered(t *testing.T) {
	w := Wallet{User: "u", Password: "p"}
	both := []string{`Digest realm="acme", nonce="1", algorithm=MD5`, `Digest realm="acme", nonce="2", algorithm=SHA-256, qop="auth"`,
		`Digest realm="acme", nonce="3", algorithm=SHA-512-256`, `Basic realm="acme"`}
	if err := w.Challenged(true, both, nil); err != nil {
		t.Fatal(err)
	}
	h := w.Headers("INVITE", "sip:1@acme")
	if len(h) != 1 || h[0].Name != "Proxy-Authorization" || !strings.Contains(h[0].Value, "SHA-256") {
		t.Errorf("headers %v", h)
	}
	if err := w.Challenged(true, []string{`Basic realm="x"`}, nil); !errors.Is(err, ErrUnknown) {
		t.Errorf("Basic: %v", err)
	}
}

func FuzzChallenge(f *testing.F) {
	f.Add(`Digest realm="acme", nonce="n", qop="auth"`)
	f.Fuzz(func(t *testing.T, s string) {
		w := Wallet{User: "u", Password: "p"}
		if w.Challenged(false, []string{s}, nil) == nil {
			for _, h := range w.Headers("REGISTER", "sip:acme") {
				if strings.ContainsAny(h.Value, "\r\n") && !strings.ContainsAny(s, "\r\n") {
					t.Errorf("%q makes %q", s, h.Value)
				}
			}
		}
	})
}
