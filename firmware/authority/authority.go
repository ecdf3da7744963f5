// Package authority makes and keeps the certificates by which phones know the box: an authority of its own, made
// once when a folder is new, and a certificate of the box that it signs.
//
// It promises: the key of the authority leaves its file, which nobody else may read, for nothing but signing; a
// file is whole or not there; the certificate of the box names the address on which a phone meets it, and is made
// anew by itself before it ends, when an address is new, and when the authority is. Start reading at Open.
package authority

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	lifeOfAuthority = 10 * 365 * 24 * time.Hour
	lifeOfBox       = 825 * 24 * time.Hour // the longest that Apple's and others' devices take
	renewBefore     = 60 * 24 * time.Hour  // a box that is off over a summer comes back with a good one
	maxAddresses    = 64                   // named in one certificate
)

// Options are what an Authority needs for its whole life.
type Options struct {
	Dir   string           // where it keeps its files; made if need be
	Name  string           // of the box, to tell its authority from another's
	Hosts []string         // names by which phones may know the box
	Addrs []netip.Addr     // addresses on which they meet it; those on which they do are added
	Now   func() time.Time // nil: time.Now
	Log   *slog.Logger
}

// Authority is the one of this box. Open makes it; its methods may be called by anybody.
type Authority struct {
	o    Options
	cert *x509.Certificate
	key  *ecdsa.PrivateKey

	mu  sync.Mutex // guards what follows
	box *tls.Certificate
}

// Open reads the authority of a folder, or makes one where there is none. It waits for the disk. An error: there
// are files, but they are not what they should be; they are left as they are, for phones may trust them.
func Open(o Options) (*Authority, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("certificates: %w", err)
	}
	o.Hosts = slices.DeleteFunc(slices.Clone(o.Hosts), func(s string) bool { return !isName(s) })
	o.Addrs = slices.Clone(o.Addrs[:min(len(o.Addrs), maxAddresses/2)])
	a := &Authority{o: o}
	pair, err := read(a.file("authority.pem"))
	switch {
	case err == nil:
		key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
		if !ok || !pair.Leaf.IsCA {
			return nil, fmt.Errorf("certificates: %s is no authority of ours; put back the right one, or take it away: then phones must be given a new one", a.file("authority.pem"))
		}
		a.cert, a.key = pair.Leaf, key
	case errors.Is(err, fs.ErrNotExist):
		if err := a.found(); err != nil {
			return nil, fmt.Errorf("certificates: %w", err)
		}
		o.Log.Info("authority made by which phones know this box", "until", a.cert.NotAfter)
	default:
		return nil, fmt.Errorf("certificates: %w; put back the right file, or take it away: then phones must be given a new one", err)
	}
	if a.box, err = read(a.file("box.pem")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		o.Log.Warn("certificate of the box not read; it is made anew", "err", err)
	}
	return a, nil
}

func (a *Authority) file(name string) string { return filepath.Join(a.o.Dir, name) }

// found makes a new authority.
func (a *Authority) found() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	form := a.form(lifeOfAuthority)
	form.Subject = pkix.Name{Organization: []string{"Branchline"}, CommonName: "Branchline " + a.o.Name}
	form.IsCA, form.MaxPathLenZero = true, true
	form.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	pair, err := sign(form, form, key, key)
	if err != nil {
		return err
	}
	a.cert, a.key = pair.Leaf, key
	return write(a.file("authority.pem"), pair)
}

// begin is before any box was made: a box whose clock has not been set yet takes it for now, so that what it
// signs holds when the clock is right.
func begin() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// form is what all certificates have in common.
func (a *Authority) form(life time.Duration) *x509.Certificate {
	now := a.o.Now().UTC()
	if now.Before(begin()) {
		now = begin()
	}
	number, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		panic(fmt.Sprintf("authority: no chance: %v", err)) // crypto/rand never fails
	}
	// A phone's clock may be behind ours, by a time zone too.
	return &x509.Certificate{SerialNumber: number.Add(number, big.NewInt(1)), BasicConstraintsValid: true,
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.Add(life - 24*time.Hour)}
}

// certificate is the one of the box for a phone that has come to local, made anew where that is due.
func (a *Authority) certificate(local netip.Addr) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.box != nil && a.holds(a.box.Leaf, local) {
		return a.box, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	form := a.form(lifeOfBox)
	if form.NotAfter.After(a.cert.NotAfter) {
		form.NotAfter = a.cert.NotAfter
	}
	form.Subject = pkix.Name{Organization: []string{"Branchline"}, CommonName: local.String()}
	form.KeyUsage, form.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	form.DNSNames = a.o.Hosts
	form.IPAddresses = a.addresses(local)
	box, err := sign(form, a.cert, key, a.key)
	if err != nil {
		return nil, err
	}
	a.box = box
	if err := write(a.file("box.pem"), box); err != nil {
		a.o.Log.Warn("certificate of the box not kept; the next start makes another", "err", err)
	}
	a.o.Log.Info("certificate of the box made", "address", local, "until", box.Leaf.NotAfter)
	return box, nil
}

// holds says whether a certificate of the box is still good for who comes to local.
func (a *Authority) holds(box *x509.Certificate, local netip.Addr) bool {
	now := a.o.Now()
	due := box.NotAfter.Add(-renewBefore)
	if box.NotAfter.Equal(a.cert.NotAfter) {
		due = box.NotAfter // there is no longer one to be had
	}
	if !now.Before(due) || box.CheckSignatureFrom(a.cert) != nil || !slices.Equal(box.DNSNames, a.o.Hosts) {
		return false
	}
	names := func(ip netip.Addr) bool {
		return slices.ContainsFunc(box.IPAddresses, func(known net.IP) bool { return known.Equal(ip.AsSlice()) })
	}
	return names(local) && !slices.ContainsFunc(a.o.Addrs, func(ip netip.Addr) bool { return !ip.IsUnspecified() && !names(ip) })
}

// addresses are those that a new certificate names: where it was met, where it is heard, and what the last one
// named, as far as there is room.
func (a *Authority) addresses(local netip.Addr) (out []net.IP) {
	all := append([]netip.Addr{local}, a.o.Addrs...)
	if a.box != nil {
		for _, ip := range a.box.Leaf.IPAddresses {
			if known, ok := netip.AddrFromSlice(ip); ok {
				all = append(all, known)
			}
		}
	}
	seen := map[netip.Addr]bool{}
	for _, ip := range all {
		if ip = ip.Unmap().WithZone(""); ip.IsValid() && !ip.IsUnspecified() && !seen[ip] && len(out) < maxAddresses {
			seen[ip] = true
			out = append(out, ip.AsSlice())
		}
	}
	return out
}

func isName(s string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."
	return s != "" && len(s) <= 253 && strings.Trim(s, allowed) == "" && !strings.HasPrefix(s, ".") && !strings.HasSuffix(s, ".")
}

// TLS is how the box shows itself to phones: TLS 1.2 and up, with ciphers that keep what was said secret even
// from who gets the key later (RFC 9325 4.2).
func (a *Authority) TLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			local, err := netip.ParseAddrPort(hello.Conn.LocalAddr().String())
			if err != nil {
				return nil, err
			}
			return a.certificate(local.Addr().Unmap().WithZone(""))
		},
	}
}

// PEM is the certificate of the authority, which phones are given. There is nothing secret in it.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// Fingerprint is the SHA-256 of that certificate, as phones and browsers show it.
func (a *Authority) Fingerprint() string {
	sum := sha256.Sum256(a.cert.Raw)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
}

// Name is what the authority calls itself, Until how long it is good.
func (a *Authority) Name() string { return a.cert.Subject.CommonName }

// Until is when the authority ends.
func (a *Authority) Until() time.Time { return a.cert.NotAfter }

func sign(form, parent *x509.Certificate, key, by *ecdsa.PrivateKey) (*tls.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, form, parent, key.Public(), by)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

func read(file string) (*tls.Certificate, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return &pair, nil
}

// write puts key and certificate into one file, whole and safe before it has its name.
func write(file string, pair *tls.Certificate) error {
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	for _, b := range []pem.Block{{Type: "PRIVATE KEY", Bytes: key}, {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}} {
		if err := pem.Encode(&text, &b); err != nil {
			return err
		}
	}
	out, err := os.CreateTemp(filepath.Dir(file), ".new-*") // 0600
	if err != nil {
		return err
	}
	_, err = out.Write(text.Bytes())
	err = errors.Join(err, out.Sync(), out.Close())
	if err == nil {
		err = os.Rename(out.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(out.Name()))
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
