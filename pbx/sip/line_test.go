package sip

import (
	"context"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"branchline/hal"
	"branchline/hal/haltest"
	"branchline/pbx/sip/registrar"
)

// auto is a phone that lets itself be rung and acts by the hooks of haltest.
type auto struct {
	*raw
	mu      sync.Mutex
	ringing msg   // the INVITE that makes us ring
	talk    *talk // in which we talk or ring
	calling bool  // our own INVITE has no answer yet
	invite  string
	body    string
	up      chan struct{} // holds a value while our call is answered
}

func (a *auto) run() {
	for m := range a.in {
		a.mu.Lock()
		a.handle(m)
		a.mu.Unlock()
	}
}

func (a *auto) handle(m msg) {
	switch {
	case m.code() == 401 && strings.HasSuffix(m.get("CSeq"), "INVITE"):
		a.talk.ackRefusal(m)
		a.talk.cseq++
		a.invite = a.talk.inviteText(a.credentials(m, "INVITE", a.talk.target, "MD5"), a.body)
		a.send(a.invite)
	case m.code() == 200 && strings.HasSuffix(m.get("CSeq"), "INVITE"):
		a.talk.up(m, "")
		if a.calling {
			a.calling = false
			a.up <- struct{}{}
		}
	case m.code() >= 300 && strings.HasSuffix(m.get("CSeq"), "INVITE"):
		a.calling = false
		a.talk.ackRefusal(m)
	case m.code() != 0 || m.method() == "ACK":
	case m.method() == "INVITE":
		a.ringing = m
		a.reply(m, 180, "x", "", "")
	case m.method() == "CANCEL":
		a.reply(m, 200, "x", "", "")
		a.reply(a.ringing, 487, "x", "", "")
	default:
		a.reply(m, 200, "x", "", "")
	}
}

// act does f when the phone rings, calls or talks.
func (a *auto) act(f func()) func() {
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		f()
	}
}

func phoneRig(t *testing.T) haltest.Rig {
	// A port that is free, on an address from which no other test takes one for a connection.
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 77, 2, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s := settings()
	s.Listen[0], s.TCP = conn.LocalAddr().(*net.UDPAddr).AddrPort(), false // its TCP twin may be taken
	conn.Close()
	line := newLine(t, Options{})
	commit, err := line.Prepare(s)
	if err != nil {
		t.Fatal(err)
	}
	commit()
	a := &auto{raw: newRaw(t, s.Listen[0], "201"), up: make(chan struct{}, 1)}
	a.body = a.sdp("sendrecv")
	line.reg.Restore([]registrar.Binding{{Extension: "201", Contact: "sip:201@" + a.addr(), Network: "udp", Local: s.Listen[0],
		Remote: netip.MustParseAddrPort(a.addr()), Expires: time.Now().Add(time.Hour)}}, time.Now())
	var wg sync.WaitGroup
	wg.Go(a.run)
	t.Cleanup(func() { a.conn.Close(); wg.Wait() })
	return haltest.Rig{
		Line: line, Number: "201", From: "201",
		Call: a.act(func() {
			a.talk, a.calling = a.newTalk("202"), true
			select {
			case <-a.up:
			default:
			}
			a.invite = a.talk.inviteText("", a.body)
			a.send(a.invite)
		}),
		RingAgain: a.act(func() { a.send(a.invite) }),
		Pick: a.act(func() {
			a.reply(a.ringing, 200, "x", "", a.body)
			a.talk = a.called(a.ringing, "x")
		}),
		Refuse: a.act(func() { a.reply(a.ringing, 486, "x", "", "") }),
		HangUp: a.act(func() {
			if a.calling {
				a.talk.cancel("")
				return
			}
			a.send(a.talk.in("BYE", "", ""))
		}),
		Press: func(key byte) {
			<-a.up // the answer may still be on its way
			a.up <- struct{}{}
			a.act(func() {
				a.send(a.talk.in("INFO", "Content-Type: application/dtmf-relay", "Signal="+string(key)+"\nDuration=100"))
			})()
		},
		Lacks: []string{"Vanish", "Return"},
	}
}

func TestPhonesKeepThePromisesOfALine(t *testing.T) {
	haltest.TestLine(t, phoneRig)
}

// sipp runs a scenario of testdata against the line and fails with what sipp has to say.
func sipp(t *testing.T, h *house, scenario, inf string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	args = append([]string{h.at.String(), "-sf", "testdata/" + scenario, "-i", "127.0.0.1", "-nostdin", "-m", "1", "-timeout", "15s",
		"-au", "201", "-ap", "secret201", "-s", inf}, args...)
	out, err := exec.CommandContext(ctx, "sipp", args...).CombinedOutput()
	if err != nil {
		t.Errorf("sipp %s: %v\n%s", scenario, err, out)
	}
}

func TestSippRegisters(t *testing.T) {
	h := open(t, settings(), Options{})
	sipp(t, h, "register.xml", "201")
	if r := until[hal.Reachable](h, ""); r.Endpoint != "201" || r.Contacts != 1 {
		t.Errorf("told %+v", r)
	}
}

func TestSippCallsHoldsResumesAndHangsUp(t *testing.T) {
	h := open(t, settings(), Options{})
	done := make(chan struct{})
	go func() { sipp(t, h, "call.xml", "202"); close(done) }()
	in := until[hal.Incoming](h, "")
	h.do(hal.Alert{Leg: in.Leg})
	h.do(hal.Answer{Leg: in.Leg})
	until[hal.Answered](h, in.Leg)
	until[hal.Held](h, in.Leg)
	until[hal.Resumed](h, in.Leg)
	if g := until[hal.Gone](h, in.Leg); g.Cause != hal.Normal || !g.Far {
		t.Errorf("told %+v", g)
	}
	<-done
}
