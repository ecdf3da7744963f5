package trunk

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"branchline/board/sim/provider"
	"branchline/hal"
	"branchline/pbx/config"
	"branchline/pbx/sip/trunk/signin"
)

func TestTrunkSignsInRenewsAndSignsOut(t *testing.T) {
	t.Parallel()
	for _, o := range []provider.Options{{}, {Algorithm: "SHA-256"}, {Habits: provider.Habits{OneUse: true}}, {Algorithm: "none"},
		{Habits: provider.Habits{MinExpires: 1200}}} {
		p := serve(t, o)
		r := ready(t, p, settings(p), nil)
		if len(p.Contacts()) != 1 {
			t.Errorf("%+v: signed in are %v", o, p.Contacts())
		}
		n := len(p.Requests("REGISTER"))
		_ = r.line.session.wire.Post(func() { r.line.session.machine.Moved(time.Now()) })
		r.wait("a second sign-in", func() bool { return len(p.Requests("REGISTER")) > n })
		r.stop()
		if len(p.Contacts()) != 0 {
			t.Errorf("%+v: still signed in are %v", o, p.Contacts())
		}
	}
}

func TestRefusedSignInSaysWhyAndBacksOff(t *testing.T) {
	t.Parallel()
	for why, o := range map[string]provider.Options{signin.Forbidden: {Habits: provider.Habits{Register: 403}}, signin.Unknown: {Habits: provider.Habits{Register: 404}},
		signin.Overload: {Habits: provider.Habits{Register: 503, RetryAfter: 60}}, signin.Password: {}, signin.Silent: {Habits: provider.Habits{Silent: true}}} {
		p := serve(t, o)
		c := settings(p)
		if why == signin.Password {
			c.Password = "wrong"
		}
		r := open(t, p, c, nil)
		if out := until[hal.OutOfService](r, ""); out.Why != why {
			t.Errorf("told %q, want %q", out.Why, why)
		}
		n := len(p.Requests("REGISTER"))
		if r.settle(); len(p.Requests("REGISTER")) > n {
			t.Errorf("%s: asked again at once", why)
		}
		leg := r.dial(hal.Dial{})
		if g := until[hal.Gone](r, leg); g.Cause != hal.Unreachable || g.Wire != why {
			t.Errorf("a call meanwhile: %+v", g)
		}
		if strings.Contains(r.log.String(), "wrong") && why == signin.Password && strings.Contains(r.log.String(), c.Password+"\"") {
			t.Error("the password is in the log")
		}
	}
}

// settle gives what should not come half a second to come.
func (r *rig) settle() {
	select {
	case <-r.ctx().Done():
	case <-time.After(500 * time.Millisecond):
	}
}

func TestNameThatDNSDoesNotKnowIsTold(t *testing.T) {
	t.Parallel()
	p := serve(t, provider.Options{})
	c := settings(p)
	c.Servers = []string{"no.such.invalid"}
	r := open(t, p, c, func(l *Trunk) { l.o.Resolver = &net.Resolver{PreferGo: true, Dial: nobody} })
	if out := until[hal.OutOfService](r, ""); out.Why != signin.NoName {
		t.Errorf("told %q", out.Why)
	}
}

func TestNextServerTakesOverAndCallsGoThere(t *testing.T) {
	t.Parallel()
	first, second := serve(t, provider.Options{}), serve(t, provider.Options{Listen: netip.MustParseAddrPort("127.83.1.2:0")})
	c := settings(first)
	c.Servers = append(c.Servers, second.Addr().String())
	r := ready(t, first, c, nil)
	r.wait("an answer to OPTIONS", func() bool { return len(first.Requests("OPTIONS")) > 1 })
	first.Behave(func(h *provider.Habits) { h.Silent = true })
	r.p = second
	r.wait("a sign-in at the second", func() bool { return len(second.Contacts()) == 1 })
	_, call := r.called(hal.Dial{})
	r.check(call.Answer(r.ctx()))
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.told {
		if out, ok := s.(hal.OutOfService); ok {
			t.Errorf("out of service meanwhile: %+v", out)
		}
	}
}

func TestPeerThatIsSilentIsOutOfServiceUntilItAnswers(t *testing.T) {
	t.Parallel()
	p := serve(t, provider.Options{Algorithm: "none"})
	c := settings(p)
	c.Register = false
	r := ready(t, p, c, nil)
	if n := len(p.Requests("REGISTER")); n != 0 {
		t.Errorf("signed in %d times", n)
	}
	p.Behave(func(h *provider.Habits) { h.Silent = true })
	if out := until[hal.OutOfService](r, ""); out.Why != signin.Silent {
		t.Errorf("told %q", out.Why)
	}
	p.Behave(func(h *provider.Habits) { h.Silent = false })
	until[hal.InService](r, "")
	at := r.line.Listening()[0]
	call := r.must(p.CallAt(r.ctx(), netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), at.Port()), "+4930901821", "0171555", nil))
	if in := until[hal.Incoming](r, ""); in.To != "+4930901821" {
		t.Errorf("told %+v", in)
	}
	r.check(call.Hangup(r.ctx()))
}

// public has a trunk take its provider for one in the world.
func public(l *Trunk) {
	l.private = func(a netip.Addr) bool {
		return !strings.HasPrefix(a.String(), "127.83.") && a.IsLoopback() || a.IsPrivate()
	}
}

// isHome finds addresses of the house in what was sent.
func isHome(text string) bool { return strings.Contains(text, "127.0.0.") }

func TestPublicServerLearnsNoPrivateAddress(t *testing.T) {
	t.Parallel()
	p := serve(t, provider.Options{Habits: provider.Habits{Seen: netip.MustParseAddrPort("203.0.113.7:1024")}})
	r := ready(t, p, settings(p), public)
	if got := p.Contacts(); len(got) != 1 || !strings.Contains(got[0], "@203.0.113.7:1024;") {
		t.Errorf("signed in are %v", got)
	}
	_, call := r.called(hal.Dial{Show: "+4930901820"})
	r.check(call.Answer(r.ctx()))
	r.check(call.Wait(r.ctx(), provider.Talks))
	p.Behave(func(h *provider.Habits) { h.Seen = netip.MustParseAddrPort("203.0.113.8:4096") })
	r.wait("a sign-in from the new address", func() bool {
		got := p.Contacts()
		return len(got) == 1 && strings.Contains(got[0], "@203.0.113.8:4096;")
	})
	r.wait("a question from there", func() bool {
		all := p.Requests("OPTIONS")
		return len(all) > 0 && strings.Contains(all[len(all)-1].Get("Via"), "203.0.113.8:4096")
	})
	r.wait("the call that stands to be told where we are now", func() bool {
		all := p.Requests("INVITE")
		last := all[len(all)-1]
		return last.Get("Call-ID") == call.Invite.Get("Call-ID") && strings.Contains(last.Get("Contact"), "203.0.113.8:4096") &&
			strings.Contains(string(last.Body), "c=IN IP4 203.0.113.8")
	})
	incoming := r.must(p.Call(r.ctx(), "4930901820", "0171555", nil))
	in := until[hal.Incoming](r, "")
	r.do(hal.Answer{Leg: in.Leg})
	r.check(incoming.Wait(r.ctx(), provider.Talks))
	if to := incoming.Sound().Flow().To; to.Addr() != netip.MustParseAddr("203.0.113.8") {
		t.Errorf("sound is wanted at %v", to)
	}
	r.stop()
	for _, m := range p.Requests("") {
		if text := string(m.Bytes()); isHome(text) {
			t.Errorf("told:\n%s", text)
		}
	}
	if strings.Contains(r.log.String(), "ALG") {
		t.Errorf("a router was blamed:\n%s", r.log)
	}
}

func TestChangedOwnAddressIsSignedInAnew(t *testing.T) {
	t.Parallel()
	p := serve(t, provider.Options{})
	homes := make(chan netip.Addr, 1)
	home := netip.MustParseAddr("127.0.0.1")
	r := ready(t, p, settings(p), func(l *Trunk) {
		l.route = func(netip.AddrPort) (netip.Addr, error) {
			select {
			case home = <-homes:
			default:
			}
			return home, nil
		}
	})
	homes <- netip.MustParseAddr("127.0.0.2")
	r.wait("a sign-in from there", func() bool {
		got := p.Contacts()
		return len(got) == 1 && strings.Contains(got[0], "@127.0.0.2:")
	})
}

func TestMeddlingRouterIsNamed(t *testing.T) {
	t.Parallel()
	p := serve(t, provider.Options{Habits: provider.Habits{Alter: true}})
	r := ready(t, p, settings(p), nil)
	r.wait("a blame", func() bool { return strings.Contains(r.log.String(), "SIP ALG") })
	p = serve(t, provider.Options{Habits: provider.Habits{Alter: true, Register: 403}})
	r = open(t, p, settings(p), nil)
	if out := until[hal.OutOfService](r, ""); out.Why != signin.Meddling {
		t.Errorf("told %q", out.Why)
	}
}

func TestTrunkByTCPKeepsItsConnectionAndOpensItAgain(t *testing.T) {
	t.Parallel()
	p := serve(t, provider.Options{})
	c := settings(p)
	c.Transport = config.TransportTCP
	r := ready(t, p, c, nil)
	leg, call := r.called(hal.Dial{})
	r.check(call.Answer(r.ctx()))
	until[hal.Answered](r, leg)
	before := p.Requests("REGISTER")
	r.check(p.Hangup())
	r.wait("a sign-in by a new connection", func() bool {
		all := p.Requests("REGISTER")
		return len(all) > len(before) && all[len(all)-1].From != before[0].From
	})
	r.wait("one that it was granted", func() bool { return len(p.Contacts()) == 1 })
	r.do(hal.Hangup{Leg: leg})
	r.check(call.Wait(r.ctx(), provider.Over))
	in := r.must(p.Call(r.ctx(), "4930901820", "0171555", nil))
	told := until[hal.Incoming](r, "")
	r.do(hal.Answer{Leg: told.Leg})
	r.check(in.Wait(r.ctx(), provider.Talks))
	if got := p.Contacts(); len(got) != 1 || !strings.Contains(got[0], "transport=tcp") {
		t.Errorf("signed in are %v", got)
	}
}

func TestServiceRouteIsTaken(t *testing.T) {
	t.Parallel()
	p := serve(t, provider.Options{Habits: provider.Habits{ServiceRoute: "<sip:edge.provider.example;lr>"}})
	r := ready(t, p, settings(p), nil)
	_, call := r.called(hal.Dial{})
	if got := call.Invite.Lines("Route"); !slices.Equal(got, []string{"<sip:edge.provider.example;lr>"}) {
		t.Errorf("Route %q", got)
	}
}

func TestTrunkByIPv6(t *testing.T) {
	t.Parallel()
	p := serve(t, provider.Options{Listen: netip.MustParseAddrPort("[::1]:0"), Habits: provider.Habits{ToContact: true}})
	r := ready(t, p, settings(p), nil)
	if got := p.Contacts(); len(got) != 1 || !strings.Contains(got[0], "@[::1]:") {
		t.Errorf("signed in are %v", got)
	}
	r.talking()
	leg, call := r.called(hal.Dial{})
	r.check(call.Answer(r.ctx()))
	until[hal.Answered](r, leg)
	if text := string(call.Invite.Body); !strings.Contains(text, "IN IP6 ::1") {
		t.Errorf("offered\n%s", text)
	}
}
