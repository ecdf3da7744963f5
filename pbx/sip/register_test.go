package sip

import (
	"strings"
	"testing"
	"time"

	"branchline/hal"
	"branchline/pbx/sip/registrar"
)

func TestPhoneSignsInWithEitherDigest(t *testing.T) {
	h := open(t, settings(), Options{})
	for _, algorithm := range []string{"SHA-256", "MD5"} {
		p := newRaw(t, h.at, "201")
		m := p.registerWith(p.myContact(), "", algorithm)
		if m.code() != 200 || !strings.Contains(m.get("Contact"), "expires=3600") {
			t.Errorf("%s: %s, contacts %q", algorithm, m.start, m.list("Contact"))
		}
	}
	if r := until[hal.Reachable](h, ""); r.Endpoint != "201" || r.Contacts != 1 {
		t.Errorf("told %+v", r)
	}
	if r := until[hal.Reachable](h, ""); r.Contacts != 2 {
		t.Errorf("told %+v", r)
	}
}

func TestSignOutAndStarRemoveContacts(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	second := "Contact: <sip:201@192.0.2.9:5062>"
	p.register(p.myContact()+"\n"+second+";expires=120", "Expires: 600")
	m := p.register("", "")
	if c := m.list("Contact"); len(c) != 2 || !strings.Contains(c[0], "expires=600") || !strings.Contains(c[1], "expires=120") {
		t.Errorf("expiry per contact and header: %q", c)
	}
	if m := p.register(second+";expires=0", ""); len(m.list("Contact")) != 1 {
		t.Errorf("after signing one out: %q", m.list("Contact"))
	}
	if m := p.register("Contact: *", "Expires: 60"); m.code() != 400 {
		t.Errorf("star with Expires 60: %s", m.start)
	}
	if m := p.register("Contact: *", "Expires: 0"); m.code() != 200 || len(m.list("Contact")) != 0 {
		t.Errorf("star: %s %q", m.start, m.list("Contact"))
	}
	for _, want := range []int{2, 1, 0} {
		r := until[hal.Reachable](h, "")
		for r.Contacts != want && want == 2 { // one, then two
			r = until[hal.Reachable](h, "")
		}
		if r.Contacts != want {
			t.Errorf("told %+v, want %d contacts", r, want)
		}
	}
}

func TestTooShortASignInIsRefusedWithTheShortest(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	if m := p.register(p.myContact(), "Expires: 30"); m.code() != 423 || m.get("Min-Expires") != "60" {
		t.Errorf("%s, Min-Expires %q", m.start, m.get("Min-Expires"))
	}
	if m := p.register(p.myContact(), "Expires: 86400"); !strings.Contains(m.get("Contact"), "expires=3600") {
		t.Errorf("longest: %q", m.get("Contact"))
	}
}

func TestContactThatRunsOutMakesThePhoneUnreachable(t *testing.T) {
	s := settings()
	s.MinExpires = time.Second
	h := open(t, s, Options{})
	p := newRaw(t, h.at, "201")
	p.register(p.myContact(), "Expires: 1")
	until[hal.Reachable](h, "")
	if r := until[hal.Reachable](h, ""); r.Contacts != 0 {
		t.Errorf("told %+v", r)
	}
}

func TestCapturedRegisterIsWorthNothing(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	p.send(p.registerText("c1", p.myContact(), ""))
	c := p.code(401, "REGISTER")
	captured := p.registerText("c1", p.myContact(), p.credentials(c, "REGISTER", "sip:"+h.at.String(), "SHA-256"))
	p.send(captured)
	p.code(200, "REGISTER")
	p.send(captured) // our own retransmission is answered as before
	p.code(200, "REGISTER")

	thief := newRaw(t, h.at, "201")
	thief.send(captured) // the very same octets, from elsewhere
	m := thief.code(401, "REGISTER")
	if !strings.Contains(m.get("WWW-Authenticate"), "stale=true") {
		t.Errorf("challenge %q", m.get("WWW-Authenticate"))
	}
	thief.send(strings.ReplaceAll(strings.Replace(captured, "branch=", "branch=z9hG4bKx", 1), p.addr(), thief.addr()))
	thief.code(401, "REGISTER")
	h.inside(func(d *desk) {
		if got := len(d.reg.Contacts("201")); got != 1 {
			t.Errorf("%d contacts", got)
		}
	})
}

func TestCredentialsForAnotherRequestAreRefused(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	p.send(p.registerText("c1", p.myContact(), ""))
	c := p.code(401, "REGISTER")
	auth := p.credentials(c, "REGISTER", "sip:other.example", "SHA-256") // another URI
	p.send(p.registerText("c1", p.myContact(), auth))
	p.code(401, "REGISTER")
	auth = p.credentials(c, "INVITE", "sip:"+h.at.String(), "SHA-256") // another method
	p.send(p.registerText("c1", p.myContact(), auth))
	p.code(403, "REGISTER")
}

func TestStrangerAndWrongPasswordLookTheSameAndAreLoggedOnce(t *testing.T) {
	h := open(t, settings(), Options{})
	wrong, stranger := newRaw(t, h.at, "201"), newRaw(t, h.at, "999")
	wrong.password, stranger.password = "guess-one", "guess-two"
	strip := func(m msg) string {
		return strings.Join(append([]string{m.start}, m.list("WWW-Authenticate")...), "|")
	}
	for range 3 {
		a, b := strip(wrong.register(wrong.myContact(), "")), strip(stranger.register(stranger.myContact(), ""))
		if a != b || !strings.Contains(a, " 403 ") {
			t.Errorf("wrong password %q, stranger %q", a, b)
		}
	}
	log := h.log.String()
	if n := strings.Count(log, "phone refused"); n != 2 {
		t.Errorf("%d log lines, want one for each:\n%s", n, log)
	}
	for _, want := range []string{"user=201", "user=999", "source=127.0.0.1"} {
		if !strings.Contains(log, want) {
			t.Errorf("log lacks %s:\n%s", want, log)
		}
	}
	if strings.Contains(log, "guess") || strings.Contains(log, "secret") {
		t.Errorf("a secret is in the log:\n%s", log)
	}
}

func TestPhoneMayNotSignInForAnother(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	p.send(p.registerText("c1", p.myContact(), ""))
	c := p.code(401, "REGISTER")
	text := p.registerText("c1", p.myContact(), p.credentials(c, "REGISTER", "sip:"+h.at.String(), "MD5"))
	p.send(strings.Replace(text, "To: <sip:201@", "To: <sip:202@", 1))
	p.code(403, "REGISTER")
}

// memory is a Store that a test can look into.
type memory struct{ bindings map[string]registrar.Binding }

func (m *memory) Load() (out []registrar.Binding, err error) {
	for _, b := range m.bindings {
		out = append(out, b)
	}
	return out, nil
}
func (m *memory) Save(b registrar.Binding) error   { m.bindings[b.Contact] = b; return nil }
func (m *memory) Delete(b registrar.Binding) error { delete(m.bindings, b.Contact); return nil }

func TestSignInsOutliveARestart(t *testing.T) {
	store := &memory{map[string]registrar.Binding{}}
	h := open(t, alone(), Options{Bindings: store})
	p, q := newRaw(t, h.at, "201"), newRaw(t, h.at, "202")
	p.signIn()
	q.signIn()
	q.register(q.myContact(), "Expires: 0")
	h.stop()
	if len(store.bindings) != 1 {
		t.Fatalf("kept: %+v", store.bindings)
	}

	s := settings()
	s.Listen[0] = h.at // the same address, as a box has it
	h2 := open(t, s, Options{Bindings: store})
	if all := h2.all(); len(all) < 2 {
		until[hal.Reachable](h2, "")
	}
	h2.do(hal.Dial{Leg: "phones#5-o1", To: "201", Show: "0935"})
	p.request("INVITE")
	h2.do(hal.Hangup{Leg: "phones#5-o1"})
}

func TestRemovedExtensionLosesItsContactsAndACallGoesOn(t *testing.T) {
	h := open(t, settings(), Options{})
	p, q := newRaw(t, h.at, "201"), newRaw(t, h.at, "202")
	p.signIn()
	q.signIn()
	k, leg := h.talking(p, "202")
	s := settings()
	s.Accounts = s.Accounts[1:]
	commit, err := h.phones.Prepare(s)
	if err != nil {
		t.Fatal(err)
	}
	commit()
	for r := until[hal.Reachable](h, ""); r.Endpoint != "201" || r.Contacts != 0; r = until[hal.Reachable](h, "") {
	}
	p.send(p.registerText("again", p.myContact(), ""))
	c := p.code(401, "REGISTER")
	p.send(p.registerText("again", p.myContact(), p.credentials(c, "REGISTER", "sip:"+h.at.String(), "MD5")))
	p.code(403, "REGISTER")
	p.send(k.in("BYE", "", ""))
	p.code(200, "BYE")
	until[hal.Gone](h, leg)
}

func TestSettingsThatCannotBeAreRefusedTogether(t *testing.T) {
	p := newLine(t, Options{})
	s := settings()
	s.Listen = nil
	s.Accounts = append(s.Accounts, Account{Extension: "201", Password: "x"}, Account{Extension: "204"}, Account{Extension: "a b", Password: "x"})
	_, err := p.Prepare(s)
	if err == nil {
		t.Fatal("taken")
	}
	for _, want := range []string{"no address", "201 stands twice", "204 has no password", `"a b"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestNewListenAddressWaitsForARestart(t *testing.T) {
	h := open(t, settings(), Options{})
	if p := h.phones.Pending(); p != "" {
		t.Errorf("pending %q", p)
	}
	s := settings()
	s.Listen[0] = h.at
	commit, err := h.phones.Prepare(s)
	if err != nil {
		t.Fatal(err)
	}
	commit()
	if p := h.phones.Pending(); !strings.Contains(p, "after a restart") {
		t.Errorf("pending %q", p)
	}
}
