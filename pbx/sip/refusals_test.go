package sip

import (
	"testing"
	"time"

	"github.com/icholy/digest"

	"branchline/pbx/sip/header"
	"branchline/pbx/sip/registrar"
)

// refusals judges credentials with a wrong password of user, who may be unknown: both must take as long.
func refusals(b *testing.B, user string) {
	var a registrar.Authority
	a.SetAccounts("branchline", map[string]string{"201": "secret201", "202": "secret202"})
	uri, err := header.ParseURI("sip:box")
	if err != nil {
		b.Fatal(err)
	}
	now := time.Now()
	c, err := digest.ParseChallenge(a.Challenge(user, "10.0.0.1", "", false, now)[0].Value)
	if err != nil {
		b.Fatal(err)
	}
	proof, err := digest.Digest(c, digest.Options{Method: "REGISTER", URI: "sip:box", Username: user, Password: "guess", Count: 1})
	if err != nil {
		b.Fatal(err)
	}
	said := []string{proof.String()}
	for b.Loop() {
		if _, v := a.Check("REGISTER", uri, said, user, "10.0.0.1", now); v != registrar.Wrong {
			b.Fatal(v)
		}
	}
}
