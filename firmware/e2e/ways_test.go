package e2e

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"branchline/board/sim/phone"
	"branchline/pbx/call"
	"branchline/ui/api"
)

// withTLS is what turns it on in the document of a test.
func withTLS() []string { return []string{"realm: branchline", "realm: branchline\n    tls: true"} }

// certificate is the file that the box gives to phones.
func (r *rig) certificate() []byte {
	r.t.Helper()
	answer, err := r.http.Get("http://box/api/v1/certificate.pem")
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		r.t.Fatalf("%s, %v", answer.Status, err)
	}
	return text
}

func (r *rig) trusted() *x509.CertPool {
	r.t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(r.certificate()) {
		r.t.Fatal("no certificate")
	}
	return pool
}

// byTLS is a phone that was given the certificate of the box.
func (r *rig) byTLS(change func(*phone.Options)) func(*phone.Options) {
	return func(o *phone.Options) {
		o.Transport, o.Roots, o.Server = "tls", r.trusted(), netip.AddrPortFrom(r.ip, 5061)
		if change != nil {
			change(o)
		}
	}
}

// talkInside has a call b, who answers, both hear each other, and a hangs up.
func (r *rig) talkInside(a, b *phone.Phone, to string, hzA, hzB float64) {
	r.t.Helper()
	c, err := a.Dial(r.ctx(), to)
	if err != nil {
		r.t.Fatal(err)
	}
	in, err := b.WaitCall(r.ctx())
	if err != nil {
		r.t.Fatal(err)
	}
	if err := in.Answer(); err != nil {
		r.t.Fatal(err)
	}
	if err := c.WaitHears(r.ctx(), hzB); err != nil {
		r.t.Error(err)
	}
	if err := in.WaitHears(r.ctx(), hzA); err != nil {
		r.t.Error(err)
	}
	if err := c.Hangup(); err != nil {
		r.t.Fatal(err)
	}
	r.within("the called phone to be hung up", in.Gone())
}

// The agent's phone speaks TLS. It takes a call of the queue, loses its connection in the call, which goes on,
// and comes back by itself after a restart of the box, trusting the same certificate.
func TestAgentsPhoneByTLSTakesACallAndComesBackAfterARestart(t *testing.T) {
	t.Parallel()
	r := start(t, withTLS()...)
	before := r.certificate()
	ana := r.phone("201", r.byTLS(func(o *phone.Options) { o.Tone, o.Auto = 1000, phone.AnswerAfter(0) }))
	r.signIn(ana, "1001", "4711")
	r.lineUp("gsm1")
	caller, desk := r.talk(ana, "+4930821", "+4930901820", 1000)
	if err := ana.DropConnection(r.ctx()); err != nil {
		t.Fatal(err)
	}
	r.eventually("the phone to be back", func() bool { return count(r, func(f call.PhoneUp) bool { return f.Extension == "201" }) == 2 })
	r.goesOn("after the connection was lost", caller, desk, 1000, 500*time.Millisecond)
	if err := desk.Hangup(); err != nil {
		t.Fatal(err)
	}
	r.within("the caller to be hung up", caller.Done())
	r.stop()
	r.boot("")
	r.eventually("the phone to be back after the restart", func() bool { return count(r, func(f call.PhoneUp) bool { return f.Extension == "201" }) == 3 })
	if !bytes.Equal(before, r.certificate()) {
		t.Error("the restart made a new authority: every phone must be given it anew")
	}
}

func TestPhonesByUDPTCPAndTLSHearEachOther(t *testing.T) {
	t.Parallel()
	r := start(t, withTLS()...)
	a := r.phone("201", r.byTLS(func(o *phone.Options) { o.Tone = 440 }))
	b := r.phone("202", func(o *phone.Options) { o.Tone = 1000 })
	c := r.phone("203", func(o *phone.Options) { byTCP(o); o.Tone = 1000 })
	r.talkInside(a, b, "202", 440, 1000)
	r.talkInside(b, a, "201", 1000, 440)
	r.talkInside(a, c, "203", 440, 1000)
	r.talkInside(c, a, "201", 1000, 440)
}

// The ciphers that openssl gets, and what it is refused.
func TestOpensslGetsModernTLSAloneAndTheRightName(t *testing.T) {
	t.Parallel()
	r := start(t, withTLS()...)
	r.lineUp("phones")
	at := netip.AddrPortFrom(r.ip, 5061).String()
	ca := t.TempDir() + "/ca.pem"
	if err := os.WriteFile(ca, r.certificate(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string // "": refused
	}{
		{[]string{"-tls1_3"}, "TLSv1.3"},
		{[]string{"-tls1_2"}, "ECDHE-ECDSA-AES"},
		{[]string{"-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"}, "CHACHA20"},
		{[]string{"-tls1_2", "-cipher", "AES128-SHA:ECDHE-ECDSA-AES128-SHA"}, ""},
		{[]string{"-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"}, ""},
		{[]string{"-tls1", "-cipher", "DEFAULT@SECLEVEL=0"}, ""},
	} {
		args := append([]string{"s_client", "-connect", at, "-CAfile", ca, "-verify_ip", r.ip.String(), "-verify_return_error", "-brief"}, c.args...)
		out, err := exec.Command(peer(t, "openssl", "openssl"), args...).CombinedOutput()
		text := string(out)
		switch {
		case c.want == "" && err == nil:
			t.Errorf("%v: taken\n%s", c.args, text)
		case c.want != "" && (err != nil || !strings.Contains(text, c.want) || !strings.Contains(text, "Verification: OK")):
			t.Errorf("%v: %v\n%s", c.args, err, text)
		}
	}
}

// Whoever speaks the wrong way is hung up on, and one line says what to set.
func TestPhoneThatSpeaksTheWrongWayIsToldInTheLog(t *testing.T) {
	t.Parallel()
	r := start(t, withTLS()...)
	r.lineUp("phones")
	for range 3 {
		c, err := net.Dial("tcp", netip.AddrPortFrom(r.ip, 5061).String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "REGISTER sip:%s SIP/2.0\r\n\r\n", r.ip)
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.Copy(io.Discard, c); err != nil && strings.Contains(err.Error(), "timeout") {
			t.Error("still open")
		}
		c.Close()
	}
	if c, err := tls.Dial("tcp", netip.AddrPortFrom(r.ip, 5060).String(), &tls.Config{RootCAs: r.trusted()}); err == nil {
		c.Close()
		t.Error("TLS on the port of TCP")
	}
	for _, want := range []string{"speaks without TLS to the port of TLS", "speaks TLS to the port of TCP"} {
		r.eventually("a line in the log", func() bool { return strings.Contains(r.log.said(), want) })
		if n := strings.Count(r.log.said(), want); n != 1 {
			t.Errorf("%q stands %d times in the log", want, n)
		}
	}
}

func TestCertificateIsToldOfAndServedAsAFile(t *testing.T) {
	t.Parallel()
	r := start(t, withTLS()...)
	var c api.Certificate
	r.get("certificate", &c)
	if len(c.Addresses) != 1 || c.Addresses[0] != netip.AddrPortFrom(r.ip, 5061).String() || c.PEM != string(r.certificate()) || len(c.Fingerprint) != 95 {
		t.Errorf("%+v", c)
	}
	if life := time.Until(c.Until); life < 9*365*24*time.Hour {
		t.Errorf("it lives %v", life)
	}
}

// Phones of both kinds of address, by every transport, hear each other.
func TestPhonesByIPv6AndIPv4HearEachOther(t *testing.T) {
	t.Parallel()
	s := newNamespace(t)
	r := startAt(t, s.here, append(withTLS(), `["`+s.here.String()+`:5060"]`, `["`+s.here.String()+`:5060", "[`+s.here6.String()+`]:5060"]`)...)
	six := func(o *phone.Options) {
		o.Server, o.Listen, o.Tone = netip.AddrPortFrom(s.here6, 5060), netip.AddrPortFrom(s.here6, 0), 440
	}
	a := r.phone("201", six)
	four := r.phone("202", func(o *phone.Options) { o.Tone = 1000 })
	r.talkInside(a, four, "202", 440, 1000)
	r.talkInside(four, a, "201", 1000, 440)
	b := r.phone("203", func(o *phone.Options) {
		six(o)
		o.Tone, o.Transport, o.Roots, o.Server = 1000, "tls", r.trusted(), netip.AddrPortFrom(s.here6, 5061)
	})
	r.talkInside(a, b, "203", 440, 1000)
	r.talkInside(b, a, "201", 1000, 440)
	// One extension, a phone of each kind: both ring, the one that answers is heard.
	r.phone("203", func(o *phone.Options) { byTCP(o); o.Tone = 1000 })
	r.talkInside(four, b, "203", 1000, 1000)
}

// A phone of another maker by TLS, with nothing but the box's file to trust, and by IPv6.
func TestBaresipByTLSAndByIPv6TakesACallOfTheQueue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, transport string
		six             bool
	}{{"TLS", "tls", false}, {"IPv6 by UDP", "udp", true}, {"IPv6 by TLS", "tls", true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newNamespace(t)
			here, there := s.here, s.there
			replace := withTLS()
			if c.six {
				here, there = s.here6, s.there6
				replace = append(replace, `["`+s.here.String()+`:5060"]`, `["`+s.here.String()+`:5060", "[`+here.String()+`]:5060"]`)
			}
			r := startAt(t, s.here, replace...)
			p := newBaresipAt(r, s, here, there, "201", c.transport, "pcma", 1000)
			waitFact(r, func(f call.PhoneUp) bool { return f.Extension == "201" })
			to := netip.AddrPortFrom(here, 5060).String()
			if c.transport == "tls" {
				to = netip.AddrPortFrom(here, 5061).String() + ";transport=tls"
			}
			p.do("dial sip:*22@" + to)
			waitFact[call.Answered](r, nil)
			p.press("1001#4711#")
			r.waitAgent("1001", call.Ready)
			waitFact[call.Ended](r, nil)
			caller := r.outside("from=+4930831; tone 440; key 1")
			r.hears(caller, 1000)
			<-time.After(2 * time.Second) // of conversation, for baresip's ears
			p.do("hangup")
			r.within("the caller to be hung up", caller.Done())
			if rec := r.record("+4930831"); rec.Outcome != "answered" || rec.By != call.ByCallee {
				t.Errorf("record: %s, ended by %s", rec.Outcome, rec.By)
			}
			p.stop()
			if d := longest(p.heard(), 440); d < 1500*time.Millisecond {
				t.Errorf("baresip heard the caller for %v without a break, in a talk of 2 s", d)
			}
		})
	}
}

// An address of IPv6 that comes up later does not keep the box from starting, and is heard once it is there.
func TestAddressOfIPv6ThatComesLaterIsHeard(t *testing.T) {
	t.Parallel()
	s := newNamespace(t)
	later := s.there6.Next()
	r := startAt(t, s.here, `["`+s.here.String()+`:5060"]`, `["`+s.here.String()+`:5060", "[`+later.String()+`]:5060"]`)
	four := r.phone("202", func(o *phone.Options) { o.Tone = 1000 })
	if !strings.Contains(r.log.said(), "has that address now") {
		t.Error("the log does not say that nobody has the address")
	}
	if err := s.ip("addr", "add", later.String()+"/64", "dev", s.name, "nodad"); err != nil {
		t.Fatal(err)
	}
	a := r.phone("201", func(o *phone.Options) {
		o.Server, o.Listen, o.Tone = netip.AddrPortFrom(later, 5060), netip.AddrPortFrom(later, 0), 440
	})
	r.talkInside(a, four, "202", 440, 1000)
}
