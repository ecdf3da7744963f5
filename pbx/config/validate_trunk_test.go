package config

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"reflect"
	"strings"
	"testing"
)

const withTrunk = `version: 1
lines:
  - name: acme
    kind: trunk
    number: "+4930901820"
    flow: main
    trunk:
      servers: [sip.acme.example, "198.51.100.5:5070", "[2001:db8::5]:5060"]
      user: "4930901820"
      password: seven-blue-kites
      listen: 192.168.1.10:5070
      public: 203.0.113.7
      trusted: true
      identity: pai
      codecs: [PCMA]
flows:
  - name: main
    steps: [{hangup: true}]
`

func TestTrunkIsReadWithItsDefaultsAndWrittenBack(t *testing.T) {
	d, wrong := Check([]byte(withTrunk))
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	tr := d.Lines[0].Trunk
	if tr == nil || !tr.Register || tr.Transport != TransportUDP || tr.KeepAlive != KeepAliveOptions || tr.Called != CalledURI || tr.Expires.Minutes() != 10 {
		t.Fatalf("read %+v", tr)
	}
	back, err := Load(Marshal(d))
	if err != nil || !reflect.DeepEqual(back, d) {
		t.Errorf("written and read again: %+v, %v", back, err)
	}
	old, _ := Load([]byte(strings.Replace(withTrunk, "seven-blue-kites", "six-red-kites", 1)))
	for _, c := range Diff(old, d) {
		if strings.Contains(c.String(), "kites") {
			t.Errorf("the password is shown: %s", c)
		}
	}
}

func TestWrongTrunksAreNamedWithTheirCure(t *testing.T) {
	for _, c := range []struct{ from, to, path string }{
		{"sip.acme.example", "sip:acme", "trunk.servers[0]"},
		{"198.51.100.5:5070", "198.51.100.5:0", "trunk.servers[1]"},
		{"198.51.100.5:5070", "300.51.100.5", "trunk.servers[1]"},
		{"user: \"4930901820\"", "user: \"\"", "trunk.user"},
		{"user: \"4930901820\"", "user: \"a@b\"", "trunk.user"},
		{"user: ", "transport: carrier-pigeon\n      user: ", "trunk.transport"},
		{"trusted: true", "trusted: false", "trunk.identity"},
		{"public: 203.0.113.7", "public: home.example", "trunk.public"},
		{"192.168.1.10:5070", "0.0.0.0:5070", "trunk.listen"},
		{"192.168.1.10:5070", "192.168.1.10:10400", "trunk.listen"},
		{"[PCMA]", "[G729]", "trunk.codecs[0]"},
		{"user: ", "expires: 5s\n      user: ", "trunk.expires"},
		{"user: ", "channels: -1\n      user: ", "trunk.channels"},
		{"kind: trunk", "kind: trunk\n    slot: slot1", "slot"},
		{"kind: trunk", "kind: sim\n    slot: slot1", "trunk"},
		{"kind: trunk", "kind: isdn", "kind"},
		{"user: ", "transport: tls\n      ca: nonsense\n      user: ", "trunk.ca"},
		{"user: ", "ca: nonsense\n      user: ", "trunk.ca"},
	} {
		_, wrong := Check([]byte(strings.Replace(withTrunk, c.from, c.to, 1)))
		found := false
		for _, p := range wrong {
			found = found || p.Path == "lines[0]."+c.path
		}
		if !found {
			t.Errorf("%s for %s: want a problem at %s, got %v", c.to, c.from, c.path, wrong)
		}
	}
}

func TestCertificatesOfATrunkAreReadAsTheyStandInTheirFileAndWrittenBack(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	file += file // a chain
	block := "transport: tls\n      ca: |\n        " + strings.ReplaceAll(strings.TrimSuffix(file, "\n"), "\n", "\n        ") + "\n      user: "
	d, wrong := Check([]byte(strings.Replace(withTrunk, "user: ", block, 1)))
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	if d.Lines[0].Trunk.CA != file {
		t.Errorf("read %q", d.Lines[0].Trunk.CA)
	}
	back, err := Load(Marshal(d))
	if err != nil || !reflect.DeepEqual(back, d) {
		t.Errorf("written and read again: %v", err)
	}
	broken := strings.Replace(block, "-----BEGIN CERTIFICATE-----\n        M", "-----BEGIN CERTIFICATE-----\n        ", 1)
	if _, wrong := Check([]byte(strings.Replace(withTrunk, "user: ", broken, 1))); len(wrong) != 1 || wrong[0].Path != "lines[0].trunk.ca" {
		t.Errorf("a broken one: %v", wrong)
	}
}
