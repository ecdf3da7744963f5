package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"branchline/board/sim/phone"
	"branchline/pbx/call"
)

// newCottage makes a world the other way round: the box has the public address, its phone is at somebody's home
// behind his router.
func newCottage(t *testing.T) (w *world, box netip.Addr) {
	t.Helper()
	w = newWorld(t, false)
	block := w.host.As4()[2]
	box = netip.AddrFrom4([4]byte{198, 19, block, 1})
	public := box.Next()
	w.ip("addr", "add", box.String()+"/32", "dev", w.home.name)
	w.ip("route", "add", public.String(), "via", w.home.there.String())
	inner := "bp" + w.home.name[2:]
	w.ip("-n", w.home.name, "addr", "add", public.String()+"/32", "dev", inner)
	w.ip("-n", w.home.name, "route", "add", box.String(), "via", w.home.here.String(), "src", public.String())
	w.ip("-n", w.outside, "addr", "add", fmt.Sprintf("192.168.%d.2/30", block), "dev", "net")
	w.ip("-n", w.home.name, "addr", "add", fmt.Sprintf("192.168.%d.1/30", block), "dev", "wan")
	w.ip("-n", w.outside, "route", "add", box.String(), "via", fmt.Sprintf("192.168.%d.1", block))
	w.in(w.home.name, fmt.Sprintf(`
flush ruleset
table ip nat { chain out { type nat hook postrouting priority 100; oifname "%[1]s" snat to %[2]s; }; }
table ip door { chain in { type filter hook input priority 0; iifname "%[1]s" ct state new drop; }; }
`, inner, public), peer(t, "nft", "nftables"), "-f", "-")
	w.public, w.host = public, netip.AddrFrom4([4]byte{192, 168, block, 2})
	return w, box
}

// phone switches on a desk phone at home.
func (w *world) phone(r *rig, user string, hz float64) (p *phone.Phone) {
	w.t.Helper()
	inhabit(w.t, w.outside, func(ctx context.Context, ready func(error)) {
		var err error
		p, err = phone.New(phone.Options{Server: netip.AddrPortFrom(r.ip, 5060), Listen: netip.AddrPortFrom(w.host, 0),
			User: user, Password: "plum-cake-" + user, Tone: hz, Auto: phone.AnswerAfter(0), Log: slog.New(slog.DiscardHandler)})
		ready(err)
		if err == nil {
			_ = p.Run(ctx)
		}
	})
	return p
}

// A phone at somebody's home, behind a router that forgets a way after 30 s: it may sign in because it is remote,
// speaks and hears both ways through holding, and still rings after a silence. One that is not remote is refused.
func TestRemotePhoneBehindARouter(t *testing.T) {
	t.Parallel()
	w, box := newCottage(t)
	w.forgets(30)
	r := startAt(t, box, "password: plum-cake-201", "password: plum-cake-201, remote: true")
	ana := w.phone(r, "201", 1000)
	if err := ana.Registered(r.ctx()); err != nil {
		t.Fatal(err)
	}
	bo := r.phone("202", func(o *phone.Options) { o.Tone, o.Listen = 440, netip.AddrPortFrom(w.home.here, 0) })
	w.phone(r, "203", 0)
	talk := func(what string) {
		out, err := bo.Dial(r.ctx(), "201")
		if err != nil {
			t.Fatal(err)
		}
		in, err := ana.WaitCall(r.ctx())
		if err != nil {
			t.Fatalf("%s: %v\n%s", what, err, r.timeline())
		}
		r.bothTalk(what, out, in, 1000, 440)
		for _, c := range []*phone.Call{in, out} {
			if err := c.Hold(); err != nil {
				t.Fatal(err)
			}
			r.eventually(what+": silence on hold", func() bool { return !in.Hears(440) && !out.Hears(1000) })
			if err := c.Resume(); err != nil {
				t.Fatal(err)
			}
			r.bothTalk(what+", resumed", out, in, 1000, 440)
		}
		if err := out.Hangup(); err != nil {
			t.Fatal(err)
		}
		r.within("the phone to be hung up", in.Gone())
	}
	talk("at once")
	<-time.After(34 * time.Second)
	talk("after a silence")
	if n := count(r, func(f call.PhoneUp) bool { return f.Extension == "203" }); n != 0 {
		t.Error("a phone that is not remote has signed in from outside")
	}
}

// bothTalk waits until a hears what b says, and b what a says.
func (r *rig) bothTalk(what string, a, b *phone.Call, says, hears float64) {
	r.t.Helper()
	r.eventually(fmt.Sprintf("%s: %v Hz", what, says), func() bool { return a.Hears(says) })
	r.eventually(fmt.Sprintf("%s: %v Hz", what, hears), func() bool { return b.Hears(hears) })
}
