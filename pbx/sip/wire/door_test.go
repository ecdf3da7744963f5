package wire

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"branchline/pbx/sip/guard"
)

func TestCancelNeverOvertakesTheInviteThatCameBeforeItsSenderWasKnown(t *testing.T) {
	held, free := make(chan bool), make(chan bool)
	cancelled := make(chan bool, 1)
	w, at, _ := start(t, desk{
		request: func(r *Request) {
			if r.Method == "OPTIONS" {
				close(held)
				<-free
			}
			r.Keep()
		},
		cancelled: func(*Request) { cancelled <- true },
	})
	p, q := dial(t, at), dial(t, at)
	q.say(q.text("OPTIONS")) // holds up the goroutine of Run
	<-held
	invite := p.text("INVITE")
	p.say(invite)
	for len(w.strangers) == 0 {
		<-time.After(time.Millisecond)
	}
	w.door.Welcome(netip.MustParseAddrPort(p.LocalAddr().String()), time.Now().Add(time.Minute))
	p.say(strings.ReplaceAll(strings.Replace(invite, "INVITE sip", "CANCEL sip", 1), "1 INVITE", "1 CANCEL"))
	for len(w.inbox) == 0 {
		<-time.After(time.Millisecond)
	}
	close(free)
	select {
	case <-cancelled:
	case <-time.After(5 * time.Second):
		t.Error("the CANCEL found no INVITE")
	}
}

func TestCancelsOfStrangersHoldNothingUp(t *testing.T) {
	held, free := make(chan bool), make(chan bool)
	_, at, _ := start(t, desk{request: func(r *Request) {
		if r.Method == "INFO" {
			close(held)
			<-free
		}
		ok(r)
	}})
	p, q := dial(t, at), dial(t, at)
	q.say(q.text("INFO"))
	<-held
	for range 20 {
		p.say(p.text("CANCEL"))
	}
	p.say(p.text("OPTIONS"))
	close(free)
	for range 20 {
		if got := p.hear(5 * time.Second); !strings.HasPrefix(got, "SIP/2.0 481 ") {
			t.Fatalf("answered %.40q", got)
		}
	}
	if got := p.hear(5 * time.Second); !strings.HasPrefix(got, "SIP/2.0 200 ") {
		t.Errorf("answered %.40q", got)
	}
}

func TestKnownPeersHaveTheirTurnBeforeStrangers(t *testing.T) {
	held, free := make(chan bool), make(chan bool)
	order := make(chan netip.AddrPort, 200)
	w, at, _ := start(t, desk{request: func(r *Request) {
		if r.Method == "INFO" {
			close(held)
			<-free
			return
		}
		order <- r.Flow.Remote
	}})
	p, q, known := dial(t, at), dial(t, at), dial(t, at)
	q.say(q.text("INFO"))
	<-held
	for range 50 {
		p.say(p.text("OPTIONS"))
	}
	for len(w.strangers) < 50 {
		<-time.After(time.Millisecond)
	}
	from := netip.MustParseAddrPort(known.LocalAddr().String())
	w.door.Welcome(from, time.Now().Add(time.Minute))
	known.say(known.text("OPTIONS"))
	for len(w.inbox) == 0 {
		<-time.After(time.Millisecond)
	}
	close(free)
	first, second := <-order, <-order
	if first != from && second != from { // a stranger may have had his turn already
		t.Error("a known peer waits behind strangers")
	}
}

func TestSurplusOfStrangersIsDroppedAndCounted(t *testing.T) {
	free := make(chan bool)
	w, at, _ := start(t, desk{request: func(r *Request) { <-free; ok(r) }})
	w.door.Configure(guard.Settings{NoLimits: true, NoBans: true})
	p := dial(t, at)
	dropped := func() uint32 {
		for _, l := range w.door.List(9) {
			return l.Counts[guard.Flood]
		}
		return 0
	}
	for range 2000 {
		p.say(p.text("OPTIONS"))
		if dropped() > 0 {
			break
		}
	}
	close(free)
	if dropped() == 0 || len(w.strangers) > cap(w.strangers) {
		t.Error("nothing was dropped")
	}
}
