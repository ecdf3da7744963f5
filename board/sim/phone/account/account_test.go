package account

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"branchline/board/sim/phone/message"
	"branchline/board/sim/phone/transact"
)

// bench is an account whose box is the test and whose time is turned by hand.
type bench struct {
	*Account
	now   time.Time
	clock *transact.Clock
	sent  []*message.Message
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{now: time.Unix(1000, 0)}
	b.clock = transact.NewClock(func() time.Time { return b.now })
	server := netip.MustParseAddrPort("192.0.2.1:5060")
	b.Account = &Account{
		Server: server, Local: netip.MustParseAddrPort("192.0.2.7:5062"), User: "201", Password: "secret",
		Log: slog.New(slog.DiscardHandler),
		Layer: &transact.Layer{
			Timing: transact.StandardTiming(), Clock: b.clock,
			Send: func(_ netip.AddrPort, data []byte) {
				m, err := message.Parse(data)
				if err != nil {
					t.Fatal(err)
				}
				b.sent = append(b.sent, m)
			},
			OnStray: func(*message.Message, netip.AddrPort) {},
		},
	}
	return b
}

func (b *bench) last() *message.Message { return b.sent[len(b.sent)-1] }

func (b *bench) answer(code int, lines ...string) {
	r := b.last().Response(code, "x")
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ": ")
		r.Add(name, value)
	}
	b.Layer.Receive(r, b.Server)
}

func (b *bench) turn(d time.Duration) {
	b.now = b.now.Add(d)
	b.clock.Run()
}

const challenge = `WWW-Authenticate: Digest realm="box", nonce="n", qop="auth"`

func TestRegistrationIsRefreshedAtHalfTimeAndRetriedAfterSilence(t *testing.T) {
	b := newBench(t)
	var told []Status
	r := NewRegistration(b.Account, time.Hour, 5*time.Second, func(s Status) { told = append(told, s) })
	r.Register()
	b.answer(200, "Contact: <sip:201@192.0.2.7:5062>;expires=100", "Expires: 3600")
	b.turn(49 * time.Second)
	if len(b.sent) != 1 {
		t.Fatalf("%d REGISTERs before half of the time", len(b.sent))
	}
	b.turn(time.Second)
	if len(b.sent) != 2 || b.last().Get("CSeq") != "2 REGISTER" {
		t.Fatalf("no refresh at half of the time the box granted: %d sent", len(b.sent))
	}
	for range 100 { // nobody answers
		b.turn(400 * time.Millisecond)
	}
	if want := (Status{Code: 408, Cause: "the box does not answer"}); told[len(told)-1] != want {
		t.Errorf("told %+v, want %+v", told, want)
	}
	b.answer(200)
	if !told[len(told)-1].SignedIn || b.Open() != 0 {
		t.Errorf("after the box is back: %+v, %d open", told, b.Open())
	}
}

func TestRefusedPasswordIsTriedOncePerRequest(t *testing.T) {
	b := newBench(t)
	var told []Status
	NewRegistration(b.Account, time.Hour, 5*time.Second, func(s Status) { told = append(told, s) }).Register()
	b.answer(401, challenge)
	b.answer(401, challenge)
	if len(b.sent) != 2 || len(told) != 1 || !told[0].Final || told[0].Code != 401 {
		t.Errorf("%d sent, told %+v; want 2 and a final refusal", len(b.sent), told)
	}
}

func TestEndlessStaleNoncesAreGivenUp(t *testing.T) {
	b := newBench(t)
	NewRegistration(b.Account, time.Hour, time.Minute, func(Status) {}).Register()
	for range 20 {
		b.answer(401, challenge+", stale=true")
	}
	if len(b.sent) > 4 {
		t.Errorf("%d REGISTERs, want at most 4", len(b.sent))
	}
}

func TestCredentialsGoToTheBoxAlone(t *testing.T) {
	b := newBench(t)
	NewRegistration(b.Account, time.Hour, time.Minute, func(Status) {}).Register()
	b.answer(401, challenge)
	b.answer(200)
	b.Exchange(netip.MustParseAddrPort("192.0.2.66:5060"), func() *message.Message {
		m := &message.Message{Method: "OPTIONS", URI: "sip:192.0.2.66"}
		m.Add("CSeq", "1 OPTIONS")
		return m
	}, func(*message.Message) {})
	if got := b.last().Get("Authorization"); got != "" {
		t.Errorf("a stranger was given %s", got)
	}
}

func TestProxyChallengeIsAnsweredInItsOwnHeader(t *testing.T) {
	b := newBench(t)
	NewRegistration(b.Account, time.Hour, time.Minute, func(Status) {}).Register()
	b.answer(407, strings.Replace(challenge, "WWW-Authenticate", "Proxy-Authenticate", 1))
	if b.last().Get("Proxy-Authorization") == "" || b.last().Get("Authorization") != "" {
		t.Errorf("sent\n%s", b.last().Bytes())
	}
}
