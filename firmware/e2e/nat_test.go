package e2e

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"branchline/board/sim/phone"
	"branchline/board/sim/provider"
	"branchline/pbx/call"
	"branchline/pbx/sip/trunk/signin"
)

// called has the provider call the box; Ana takes it and both hear each other.
func (r *rig) called(p *provider.Provider, ana *phone.Phone, from string) (*provider.Call, *phone.Call) {
	r.t.Helper()
	far, err := p.Call(r.ctx(), "+4930901820", from, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	far.Sound().SetTone(440)
	if err := far.Wait(r.ctx(), provider.Talks); err != nil {
		r.t.Fatalf("%v\n%s", err, r.timeline())
	}
	if err := far.Press("1"); err != nil {
		r.t.Fatal(err)
	}
	desk, err := ana.WaitCall(r.ctx())
	if err != nil {
		r.t.Fatalf("%v\n%s", err, r.timeline())
	}
	r.bothHear("called", far, desk, 1000)
	return far, desk
}

// over ends a call from outside.
func (r *rig) over(far *provider.Call, desk *phone.Call) {
	r.t.Helper()
	if err := far.Hangup(r.ctx()); err != nil {
		r.t.Fatal(err)
	}
	r.within("the phone to be hung up", desk.Gone())
	r.waitAgent("1001", "ready")
}

// Behind a router, or two in a row, that forget a way sooner than 30 s after the last packet: calls come and go,
// also after a silence, and nothing of the house's own addresses is seen outside.
func TestTrunkWorksBehindRoutersThatForget(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		carrier bool
	}{{"one router", false}, {"a carrier's behind it", true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, c.carrier)
			w.forgets(25)
			leak := w.watch()
			p := w.serve(provider.Habits{ToContact: true, ProveAll: true})
			r := startAt(t, w.home.here, onTrunk("", p)...)
			ana := r.anaAnswers()
			r.lineUp("acme")
			far, desk := r.called(p, ana, "+4930801")
			for _, body := range []string{"", "hold", "resume"} {
				if err := far.Reinvite(r.ctx(), body); err != nil {
					t.Fatal(err)
				}
				r.eventually("an answer to the re-INVITE", func() bool { return far.Last() != 0 })
				if code := far.TakeLast(); code != 200 {
					t.Errorf("%q answered %d", body, code)
				}
				if body == "hold" {
					r.eventually("silence from the phone", func() bool { return !far.Sound().Hears(1000) })
				} else {
					r.bothHear("after "+body, far, desk, 1000)
				}
			}
			r.over(far, desk)
			r.callOut(p)
			if !w.forgotten(28 * time.Second) {
				t.Fatal("the routers forget nothing")
			}
			r.over(r.called(p, ana, "+4930802"))
			if s := leak.String(); s != "" {
				t.Errorf("seen outside:\n%s", s)
			}
		})
	}
}

// The router gets another public address in a call: the box signs in from there within 30 s, the two hear each
// other again, and calls come and go.
func TestTrunkFollowsTheRoutersNewAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	leak := w.watch()
	p := w.serve(provider.Habits{ToContact: true})
	r := startAt(t, w.home.here, onTrunk("", p)...)
	ana := r.anaAnswers()
	r.lineUp("acme")
	far, desk := r.called(p, ana, "+4930801")
	w.renumber()
	began := time.Now()
	from := func() (at netip.Addr) {
		for _, q := range p.Requests("REGISTER") {
			at = q.From.Addr()
		}
		return at
	}
	for from() != w.public {
		if time.Since(began) > 30*time.Second {
			t.Fatalf("no REGISTER from %v in 30 s", w.public)
		}
		<-time.After(10 * time.Millisecond)
	}
	t.Logf("signed in anew after %v", time.Since(began).Round(100*time.Millisecond))
	r.bothHear("from the new address", far, desk, 1000)
	if err := desk.Hangup(); err != nil {
		t.Fatal(err)
	}
	if err := far.Wait(r.ctx(), provider.Over); err != nil {
		t.Error(err)
	}
	r.waitAgent("1001", call.Ready)
	r.over(r.called(p, ana, "+4930802"))
	r.callOut(p)
	if s := leak.String(); s != "" {
		t.Errorf("seen outside:\n%s", s)
	}
}

// alg has the router's own SIP helper between box and provider: it reads what is sent to port 5060, and rewrites
// what leaves the house. It puts nothing back in what comes in.
func (w *world) alg(rewrite func(text, public string) string) {
	w.t.Helper()
	w.in(w.home.name, fmt.Sprintf(`
table ip nat { chain in { type nat hook prerouting priority -100; ip daddr %s udp dport 5060 redirect to :5060; }; }
insert rule ip door in udp dport 5060 accept
`, w.host), peer(w.t, "nft", "nftables"), "-f", "-")
	var in, out *net.UDPConn
	inhabit(w.t, w.home.name, func(_ context.Context, ready func(error)) {
		var err error
		in, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(w.home.there, 5060)))
		if err == nil {
			out, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(w.public, 5060)))
		}
		ready(err)
	})
	var box atomic.Pointer[netip.AddrPort]
	copyAll := func(from *net.UDPConn, take func(text string, from netip.AddrPort)) {
		buf := make([]byte, 65536)
		for {
			n, at, err := from.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			take(string(buf[:n]), at)
		}
	}
	done := make(chan struct{}, 2)
	go func() {
		copyAll(in, func(text string, at netip.AddrPort) {
			box.Store(&at)
			_, _ = out.WriteToUDPAddrPort([]byte(rewrite(text, w.public.String())), netip.AddrPortFrom(w.host, 5060))
		})
		done <- struct{}{}
	}()
	go func() {
		copyAll(out, func(text string, _ netip.AddrPort) {
			if at := box.Load(); at != nil {
				_, _ = in.WriteToUDPAddrPort([]byte(text), *at)
			}
		})
		done <- struct{}{}
	}()
	w.t.Cleanup(func() { in.Close(); out.Close(); <-done; <-done })
}

// The helper of a router rewrites what the box says. Where calls survive it, the log says what to switch off;
// where the sign-in breaks by it, the trunk does.
func TestRoutersSIPHelperIsNamed(t *testing.T) {
	t.Parallel()
	via := regexp.MustCompile(`(?m)^(Via: SIP/2.0/UDP )[^;]+`)
	contact := regexp.MustCompile(`(?m)^(Contact: .*?<sip:[^@>]*@)[^;>]+`)
	ask := regexp.MustCompile(`^([A-Z]+ sip:)[0-9.]+( SIP/2.0)`)
	mild := func(text, public string) string {
		text = via.ReplaceAllString(text, "${1}"+public+":5060")
		return contact.ReplaceAllString(text, "${1}"+public+":5060")
	}
	t.Run("calls survive", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, false)
		leak := w.watch()
		w.alg(mild)
		p := w.serve(provider.Habits{ToContact: true})
		r := startAt(t, w.home.here, onTrunk("", p)...)
		ana := r.anaAnswers()
		r.lineUp("acme")
		r.over(r.called(p, ana, "+4930801"))
		r.callOut(p)
		if log := r.log.said(); !strings.Contains(log, signin.Meddling) || !strings.Contains(log, "find SIP ALG, switch it off") {
			t.Error("the log does not name the router's SIP ALG and the cure")
		}
		if s := leak.String(); s != "" {
			t.Errorf("seen outside:\n%s", s)
		}
	})
	t.Run("the sign-in breaks", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, false)
		w.alg(func(text, public string) string {
			return ask.ReplaceAllString(mild(text, public), "${1}"+public+"${2}")
		})
		p := w.serve(provider.Habits{})
		r := startAt(t, w.home.here, onTrunk("", p)...)
		if down := waitFact(r, func(f call.LineDown) bool { return f.Line == "acme" }); down.Why != signin.Meddling {
			t.Errorf("told %q", down.Why)
		}
	})
}
