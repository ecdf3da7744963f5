package trunk

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"branchline/board/sim/provider"
	"branchline/hal"
	"branchline/pbx/config"
	"branchline/pbx/sip/trunk/signin"
)

// showing is a provider by TLS who shows a certificate of that address until then, and its PEM.
func showing(t *testing.T, ip string, until time.Time) (provider.Options, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: until.Add(-48 * time.Hour), NotAfter: until, IsCA: true,
		BasicConstraintsValid: true, IPAddresses: []net.IP{net.ParseIP(ip)}}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return provider.Options{Secure: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}},
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestTrunkByTLSCarriesCallsBothWaysAndComesBack(t *testing.T) {
	t.Parallel()
	o, ca := showing(t, "127.83.1.1", time.Now().Add(time.Hour))
	p := serve(t, o)
	c := settings(p)
	c.Transport, c.CA = config.TransportTLS, ca
	r := ready(t, p, c, nil)
	if signed := p.Contacts(); len(signed) != 1 || !strings.Contains(signed[0], ";transport=tls") {
		t.Errorf("signed in are %v", signed)
	}
	leg, _ := r.talking()
	if via := p.Requests("REGISTER")[0].Get("Via"); !strings.Contains(via, "SIP/2.0/TLS") {
		t.Errorf("signed in with Via: %s", via)
	}
	n := len(p.Requests("REGISTER"))
	r.check(p.Hangup())
	r.wait("a new connection", func() bool { return len(p.Requests("REGISTER")) > n && len(p.Contacts()) > 0 })
	r.do(hal.Hangup{Leg: leg})
	until[hal.Gone](r, leg)

	leg, far := r.called(hal.Dial{})
	r.check(far.Answer(r.ctx()))
	until[hal.Answered](r, leg)
	r.check(far.Hangup(r.ctx()))
	until[hal.Gone](r, leg)
}

func TestCertificateThatDoesNotFitIsToldInWords(t *testing.T) {
	t.Parallel()
	soon, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	_, other := showing(t, "127.83.1.1", soon)
	for _, f := range []struct {
		why, ip string
		until   time.Time
		ca      string
	}{{signin.Misnamed, "127.83.1.9", soon, ""}, {signin.Outdated, "127.83.1.1", past, ""}, {signin.Unsigned, "127.83.1.1", soon, other}} {
		o, ca := showing(t, f.ip, f.until)
		if f.ca != "" {
			ca = f.ca
		}
		p := serve(t, o)
		c := settings(p)
		c.Transport, c.CA = config.TransportTLS, ca
		r := open(t, p, c, nil)
		if out := until[hal.OutOfService](r, ""); out.Why != f.why {
			t.Errorf("told %q, want %q", out.Why, f.why)
		}
		if n := len(p.Requests("")); n != 0 {
			t.Errorf("%s: %d requests all the same", f.why, n)
		}
		r.stop()
	}
}
