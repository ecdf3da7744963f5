package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"branchline/board/sim/phone"
	"branchline/board/sim/provider"
	"branchline/firmware/authority"
	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/sip/trunk/signin"
)

// serve runs a provider on an address of its own.
func serve(t *testing.T, h provider.Habits) *provider.Provider {
	t.Helper()
	return serveAt(t, netip.AddrPortFrom(boxes.next(), 5060), nil, h)
}

func serveAt(t *testing.T, at netip.AddrPort, secure *tls.Config, h provider.Habits) *provider.Provider {
	t.Helper()
	p, err := provider.New(provider.Options{Listen: at, Secure: secure, User: "acc-1187", Password: "seven-blue-kites", Habits: h})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = p.Run(ctx) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	return p
}

// onTrunk is what makes the demo branch one with a trunk to providers instead of a SIM.
func onTrunk(more string, to ...*provider.Provider) []string {
	var servers []string
	for _, p := range to {
		servers = append(servers, fmt.Sprintf("%q", p.Addr()))
	}
	return []string{`{ name: gsm1, kind: sim, slot: slot1, number: "+4930901820", flow: main }`,
		fmt.Sprintf(`{ name: acme, kind: trunk, number: "+4930901820", flow: main, trunk: { servers: [%s], user: acc-1187, password: seven-blue-kites%s } }`,
			strings.Join(servers, ", "), more),
		"lines: [gsm1]", "lines: [acme]"}
}

// bothHear waits until the provider's caller, who says 440 Hz, and a desk phone that says hz hear each other.
func (r *rig) bothHear(what string, far *provider.Call, desk *phone.Call, hz float64) {
	r.t.Helper()
	r.eventually(what+": the caller to hear the phone", func() bool { return far.Sound().Hears(hz) })
	r.eventually(what+": the phone to hear the caller", func() bool { return desk.Hears(440) })
}

func TestTrunkCarriesCallsBothWays(t *testing.T) {
	for _, transport := range []string{"udp", "tcp", "tls"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			more, at, secure := ", transport: "+transport, netip.AddrPortFrom(boxes.next(), 5060), (*tls.Config)(nil)
			if transport == "tls" {
				a, err := authority.Open(authority.Options{Dir: t.TempDir(), Name: "acme", Addrs: []netip.Addr{at.Addr()}, Log: slog.New(slog.DiscardHandler)})
				if err != nil {
					t.Fatal(err)
				}
				secure, more = a.TLS(), more+fmt.Sprintf(", ca: %q", a.PEM())
			}
			p := serveAt(t, at, secure, provider.Habits{ProveAll: true, ToContact: true})
			r := start(t, onTrunk(more, p)...)
			ana := r.anaAnswers()
			r.lineUp("acme")

			far, err := p.Call(r.ctx(), "+4930901820", "+4930801", nil)
			if err != nil {
				t.Fatal(err)
			}
			far.Sound().SetTone(440)
			if err := far.Wait(r.ctx(), provider.Talks); err != nil {
				t.Fatal(err)
			}
			if err := far.Press("1"); err != nil {
				t.Fatal(err)
			}
			desk, err := ana.WaitCall(r.ctx())
			if err != nil {
				t.Fatalf("%v\n%s", err, r.timeline())
			}
			r.bothHear("answered", far, desk, 1000)
			for _, body := range []string{"", "hold", fax, "resume", fax, ""} {
				if err := far.Reinvite(r.ctx(), body); err != nil {
					t.Fatal(err)
				}
				r.eventually("an answer to the re-INVITE", func() bool { return far.Last() != 0 })
				if code := far.TakeLast(); (code == 488) != (body == fax) {
					t.Errorf("%.20q answered %d", body, code)
				}
				if body == "hold" {
					r.eventually("silence from the phone", func() bool { return !far.Sound().Hears(1000) })
				} else if body != fax {
					r.bothHear("after "+body, far, desk, 1000)
				}
			}
			if err := far.Hangup(r.ctx()); err != nil {
				t.Fatal(err)
			}
			if rec := r.record("+4930801"); string(rec.To) != "+4930901820" {
				t.Errorf("recorded as a call to %s", rec.To)
			}
			r.callOut(p)
		})
	}
}

// fax is an offer of T.38 (RFC 3362).
const fax = "v=0\r\no=- 7 9 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=image 4000 udptl t38\r\na=T38FaxVersion:0\r\n"

// callOut has phone 202 call somebody through the provider and listens both ways.
func (r *rig) callOut(p *provider.Provider) {
	r.t.Helper()
	bo := r.phone("202", func(o *phone.Options) { o.Tone = 900 })
	desk, err := bo.Dial(r.ctx(), "0089123456")
	if err != nil {
		r.t.Fatal(err)
	}
	far, err := p.WaitCall(r.ctx())
	if err != nil {
		r.t.Fatalf("%v\n%s", err, r.timeline())
	}
	if !strings.HasPrefix(far.Invite.URI, "sip:089123456@") {
		r.t.Errorf("called %s", far.Invite.URI)
	}
	far.Sound().SetTone(440)
	if err := far.Early(r.ctx()); err != nil {
		r.t.Fatal(err)
	}
	r.eventually("the phone to hear the network before the answer", func() bool { return desk.Hears(440) })
	if s := desk.State(); s == phone.Talking {
		r.t.Errorf("before the answer the phone is %v", s)
	}
	if err := far.Answer(r.ctx()); err != nil {
		r.t.Fatal(err)
	}
	if err := desk.WaitState(r.ctx(), phone.Talking); err != nil {
		r.t.Fatal(err)
	}
	r.bothHear("called out", far, desk, 900)
	if err := desk.Hangup(); err != nil {
		r.t.Fatal(err)
	}
	if err := far.Wait(r.ctx(), provider.Over); err != nil {
		r.t.Error(err)
	}
}

// An announcement is heard, though the call is never answered; its record says why.
func TestPhoneHearsWhyTheNetworkDoesNotPutItThrough(t *testing.T) {
	t.Parallel()
	p := serve(t, provider.Habits{})
	r := start(t, onTrunk("", p)...)
	r.lineUp("acme")
	bo := r.phone("202", func(*phone.Options) {})
	desk, err := bo.Dial(r.ctx(), "0089123456")
	if err != nil {
		t.Fatal(err)
	}
	far, err := p.WaitCall(r.ctx())
	if err != nil {
		t.Fatal(err)
	}
	far.Sound().SetTone(440)
	if err := far.Early(r.ctx()); err != nil {
		t.Fatal(err)
	}
	r.eventually("the announcement at the phone", func() bool { return desk.Hears(440) })
	if err := far.Refuse(r.ctx(), 404); err != nil {
		t.Fatal(err)
	}
	if err := desk.WaitState(r.ctx(), phone.Gone); err != nil {
		t.Fatal(err)
	}
	if desk.Code() != 404 {
		t.Errorf("the phone was told %d", desk.Code())
	}
	waitFact(r, func(e call.Ended) bool { return e.Cause == hal.Unallocated })
}

func TestTrunkGoesToTheNextServer(t *testing.T) {
	t.Parallel()
	first, second := serve(t, provider.Habits{Register: 503, Invite: 503}), serve(t, provider.Habits{})
	r := start(t, onTrunk("", first, second)...)
	r.lineUp("acme")
	if len(second.Contacts()) != 1 || len(first.Requests("REGISTER")) == 0 {
		t.Errorf("signed in at the second are %v", second.Contacts())
	}
	r.callOut(second)
}

func TestRefusedTrunkSaysWhyAndComesBackWithTheRightPassword(t *testing.T) {
	t.Parallel()
	p := serve(t, provider.Habits{})
	wrong := onTrunk("", p)
	wrong[1] = strings.Replace(wrong[1], "seven-blue-kites", "six-red-kites", 1)
	r := start(t, wrong...)
	down := waitFact(r, func(f call.LineDown) bool { return f.Line == "acme" })
	if down.Why != signin.Password {
		t.Errorf("told %q", down.Why)
	}
	<-time.After(2 * time.Second)
	if n := len(p.Requests("REGISTER")); n > 4 { // what a try takes, and one repetition of each on a slow machine
		t.Errorf("%d REGISTERs within two seconds", n)
	}
	if strings.Contains(r.log.said(), "red-kites") {
		t.Error("the password is in the log")
	}
	r.apply(onTrunk("", p)...)
	r.lineUp("acme")
}
