package authority

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func open(t *testing.T, dir string, now time.Time, addrs ...netip.Addr) *Authority {
	t.Helper()
	a, err := Open(Options{Dir: dir, Name: "a1b2c3", Hosts: []string{"box.branch.test", "not a name"}, Addrs: addrs,
		Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *Authority) at(t *testing.T, ip string) *x509.Certificate {
	t.Helper()
	c, err := a.certificate(netip.MustParseAddr(ip))
	if err != nil {
		t.Fatal(err)
	}
	return c.Leaf
}

func (a *Authority) verify(c *x509.Certificate, name string, now time.Time) error {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.PEM())
	_, err := c.Verify(x509.VerifyOptions{DNSName: name, Roots: roots, CurrentTime: now})
	return err
}

func TestPhoneWithTheAuthorityTrustsEachAddressAndName(t *testing.T) {
	now := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	a := open(t, t.TempDir(), now, netip.MustParseAddr("192.0.2.1"))
	c := a.at(t, "2001:db8::7")
	for _, name := range []string{"192.0.2.1", "2001:db8::7", "box.branch.test"} {
		if err := a.verify(c, name, now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := a.verify(c, "192.0.2.2", now); err == nil {
		t.Error("a strange address is trusted")
	}
	if life := c.NotAfter.Sub(c.NotBefore); life > 825*24*time.Hour {
		t.Errorf("it lives %v", life)
	}
	if c.IsCA || slices.Contains(c.DNSNames, "not a name") {
		t.Errorf("%+v", c)
	}
}

func TestAuthorityAndCertificateOutliveARestart(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	a := open(t, dir, now)
	before := a.at(t, "192.0.2.1")
	b := open(t, dir, now.AddDate(0, 1, 0))
	if b.Fingerprint() != a.Fingerprint() || !b.at(t, "192.0.2.1").Equal(before) {
		t.Error("a restart made new ones")
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Fatalf("files %v, %v", files, err)
	}
	for _, f := range files {
		if i, err := f.Info(); err != nil || i.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f.Name(), i.Mode(), err)
		}
	}
}

func TestCertificateIsRenewedBeforeItEndsAndWhereAnAddressIsNew(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	a := open(t, dir, now)
	first := a.at(t, "192.0.2.1")
	second := a.at(t, "192.0.2.9") // DHCP gave another address
	if first.Equal(second) || a.verify(second, "192.0.2.9", now) != nil || a.verify(second, "192.0.2.1", now) != nil {
		t.Error("the certificate does not name both")
	}
	if a.at(t, "192.0.2.1") != second {
		t.Error("the old address had a certificate of its own made")
	}
	if c := open(t, dir, now, netip.MustParseAddr("192.0.2.77")).at(t, "192.0.2.1"); a.verify(c, "192.0.2.77", now) != nil {
		t.Error("an address of the configuration is not named")
	}
	for day := range 4000 {
		at := now.AddDate(0, 0, day)
		a.o.Now = func() time.Time { return at }
		if at.After(a.Until()) {
			break
		}
		if err := a.verify(a.at(t, "192.0.2.1"), "192.0.2.1", at); err != nil {
			t.Fatalf("day %d: %v", day, err)
		}
	}
}

func TestBoxWhoseClockIsNotSetMakesWhatHoldsLater(t *testing.T) {
	a := open(t, t.TempDir(), time.Unix(0, 0))
	now := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	if err := a.verify(a.at(t, "192.0.2.1"), "192.0.2.1", now); err != nil {
		t.Error(err)
	}
}

func TestBrokenAuthorityIsLeftAndABrokenCertificateReplaced(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	a := open(t, dir, now)
	a.at(t, "192.0.2.1")
	if err := os.WriteFile(filepath.Join(dir, "box.pem"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := a.verify(open(t, dir, now).at(t, "192.0.2.1"), "192.0.2.1", now); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "authority.pem"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Dir: dir, Log: slog.New(slog.DiscardHandler)}); err == nil {
		t.Error("a broken authority was taken")
	}
	if text, err := os.ReadFile(filepath.Join(dir, "authority.pem")); err != nil || string(text) != "half" {
		t.Errorf("the broken file became %q, %v", text, err)
	}
}

func TestHandShakeShowsTheAddressThatWasMet(t *testing.T) {
	a := open(t, t.TempDir(), time.Now())
	l, err := tls.Listen("tcp", "127.0.0.1:0", a.TLS())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.(*tls.Conn).Handshake()
			c.Close()
		}
	}()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.PEM())
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		c, err := tls.DialWithDialer(&net.Dialer{Timeout: 3 * time.Second}, "tcp", l.Addr().String(), &tls.Config{RootCAs: roots, MaxVersion: version})
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	if c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS11}); err == nil {
		c.Close()
		t.Error("TLS 1.1 was spoken")
	}
}
