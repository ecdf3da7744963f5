package transact

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"branchline/board/sim/phone/message"
)

// bench is a Layer whose time is turned by hand.
type bench struct {
	*Layer
	now      time.Time
	start    time.Time
	sent     []string // "500ms INVITE", "0s 200"
	requests []*Server
	acks     int
	strays   int
}

func farEnd() netip.AddrPort { return netip.MustParseAddrPort("192.0.2.9:5070") }

func newBench() *bench {
	b := &bench{now: time.Unix(1000, 0)}
	b.start = b.now
	b.Layer = &Layer{
		Timing: StandardTiming(), Clock: NewClock(func() time.Time { return b.now }),
		Send: func(to netip.AddrPort, data []byte) {
			m, err := message.Parse(data)
			if err != nil {
				panic(err)
			}
			what := m.Method
			if what == "" {
				what = fmt.Sprint(m.Code)
			}
			b.sent = append(b.sent, fmt.Sprintf("%v %s", b.now.Sub(b.start), what))
		},
		OnRequest: func(s *Server) { b.requests = append(b.requests, s) },
		OnAck:     func(*message.Message) { b.acks++ },
		OnStray:   func(*message.Message, netip.AddrPort) { b.strays++ },
	}
	return b
}

// turn lets d pass, timer by timer.
func (b *bench) turn(d time.Duration) {
	for end := b.now.Add(d); ; {
		next, ok := b.Clock.Next()
		if !ok || next.After(end) {
			b.now = end
			return
		}
		b.now = next
		b.Clock.Run()
	}
}

func request(method, branch string) *message.Message {
	text := "%s sip:202@192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK%s\r\n" +
		"From: <sip:201@box>;tag=f\r\nTo: <sip:202@box>\r\nCall-ID: c1\r\nCSeq: 1 %s\r\nContent-Length: 0\r\n\r\n"
	m, err := message.Parse(fmt.Appendf(nil, text, method, branch, method))
	if err != nil {
		panic(err)
	}
	return m
}

func (b *bench) expect(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(b.sent, want) {
		t.Errorf("sent\n %s\nwant\n %s", strings.Join(b.sent, ", "), strings.Join(want, ", "))
	}
}

func TestUnansweredInviteIsRepeatedAndTimesOut(t *testing.T) {
	b := newBench()
	var timedOut time.Duration
	_, err := b.Request(request("INVITE", "a"), farEnd(), func(r *message.Message) {
		if r == nil {
			timedOut = b.now.Sub(b.start)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	b.turn(time.Minute)
	b.expect(t, "0s INVITE", "500ms INVITE", "1.5s INVITE", "3.5s INVITE", "7.5s INVITE", "15.5s INVITE", "31.5s INVITE")
	if timedOut != 32*time.Second {
		t.Errorf("timer B after %v, want 32s", timedOut)
	}
	if len(b.clients) != 0 {
		t.Error("the transaction is left over")
	}
}

func TestUnansweredRegisterIsRepeatedEveryFourSeconds(t *testing.T) {
	b := newBench()
	timedOut := false
	if _, err := b.Request(request("REGISTER", "a"), farEnd(), func(r *message.Message) { timedOut = r == nil }); err != nil {
		t.Fatal(err)
	}
	b.turn(time.Minute)
	b.expect(t, "0s REGISTER", "500ms REGISTER", "1.5s REGISTER", "3.5s REGISTER", "7.5s REGISTER", "11.5s REGISTER",
		"15.5s REGISTER", "19.5s REGISTER", "23.5s REGISTER", "27.5s REGISTER", "31.5s REGISTER")
	if !timedOut {
		t.Error("timer F did not tell")
	}
}

func TestProvisionalStopsRepeatingInviteForEver(t *testing.T) {
	b := newBench()
	var heard []int
	r := request("INVITE", "a")
	if _, err := b.Request(r, farEnd(), func(m *message.Message) { heard = append(heard, m.Code) }); err != nil {
		t.Fatal(err)
	}
	b.turn(600 * time.Millisecond)
	b.Receive(r.Response(180, "x"), farEnd())
	b.turn(10 * time.Minute)
	b.expect(t, "0s INVITE", "500ms INVITE")
	b.Receive(r.Response(486, "x"), farEnd())
	b.turn(time.Second)
	b.Receive(r.Response(486, "x"), farEnd()) // its ACK was lost
	b.expect(t, "0s INVITE", "500ms INVITE", "10m0.6s ACK", "10m1.6s ACK")
	if !slices.Equal(heard, []int{180, 486}) {
		t.Errorf("told %v, want 180 and once 486", heard)
	}
	b.turn(time.Minute)
	if len(b.clients) != 0 {
		t.Error("timer D does not end it")
	}
}

func TestEvery2xxReachesTheOwner(t *testing.T) {
	b := newBench()
	var heard []string
	r := request("INVITE", "a")
	if _, err := b.Request(r, farEnd(), func(m *message.Message) { heard = append(heard, m.Get("To")) }); err != nil {
		t.Fatal(err)
	}
	b.Receive(r.Response(200, "x"), farEnd())
	b.Receive(r.Response(200, "x"), farEnd())
	b.Receive(r.Response(200, "y"), farEnd())
	if len(heard) != 3 || b.strays != 0 {
		t.Errorf("told %v, %d strays", heard, b.strays)
	}
	b.turn(time.Minute)
	b.Receive(r.Response(200, "x"), farEnd())
	if b.strays != 1 {
		t.Error("a 2xx after timer M is no stray")
	}
}

func TestRefusalIsRepeatedUntilItsACK(t *testing.T) {
	b := newBench()
	r := request("INVITE", "a")
	b.Receive(r, farEnd())
	s := b.requests[0]
	s.Respond(r.Response(180, "x"))
	b.Receive(request("INVITE", "a"), farEnd()) // repeated: the same answer again
	s.Respond(r.Response(486, "x"))
	b.turn(2 * time.Second)
	b.Receive(request("ACK", "a"), farEnd())
	b.turn(time.Minute)
	b.expect(t, "0s 180", "0s 180", "0s 486", "500ms 486", "1.5s 486")
	if len(b.servers) != 0 || b.acks != 0 || len(b.requests) != 1 {
		t.Errorf("%d transactions left, %d ACKs and %d requests told", len(b.servers), b.acks, len(b.requests))
	}
}

func TestAnswerIsRepeatedUntilAckedAndThenGivenUp(t *testing.T) {
	for _, acked := range []bool{true, false} {
		b := newBench()
		r := request("INVITE", "a")
		b.Receive(r, farEnd())
		s := b.requests[0]
		unacked := false
		s.Unacked = func() { unacked = true }
		s.Respond(r.Response(200, "x"))
		b.turn(time.Second)
		if acked {
			b.Receive(request("ACK", "other"), farEnd()) // the ACK of a 2xx has a branch of its own
			s.Acked()
		}
		b.turn(time.Minute)
		if want := map[bool]int{true: 2, false: 11}[acked]; len(b.sent) != want {
			t.Errorf("acked %v: sent %v, want %d", acked, b.sent, want)
		}
		if unacked == acked || acked && b.acks != 1 {
			t.Errorf("acked %v: unacked %v, %d ACKs", acked, unacked, b.acks)
		}
	}
}

func TestRepeatedByeIsAnsweredAgainUntilTimerJ(t *testing.T) {
	b := newBench()
	r := request("BYE", "a")
	b.Receive(r, farEnd())
	b.requests[0].Respond(r.Response(200, "x"))
	b.turn(10 * time.Second)
	b.Receive(request("BYE", "a"), farEnd())
	b.expect(t, "0s 200", "10s 200")
	b.turn(time.Minute)
	b.Receive(request("BYE", "a"), farEnd())
	if len(b.requests) != 2 {
		t.Error("after timer J it is no new request")
	}
}

func TestCancelFindsItsInvite(t *testing.T) {
	b := newBench()
	b.Receive(request("INVITE", "a"), farEnd())
	b.Receive(request("INVITE", "b"), farEnd())
	b.Receive(CancelOf(request("INVITE", "b")), farEnd())
	b.Receive(CancelOf(request("INVITE", "none")), farEnd())
	if got := b.Invite(b.requests[2]); got != b.requests[1] {
		t.Errorf("found %v, want the INVITE with the same branch", got)
	}
	if got := b.Invite(b.requests[3]); got != nil {
		t.Errorf("found %v for a branch that nobody has", got)
	}
}

func TestFloodIsDroppedNotStored(t *testing.T) {
	b := newBench()
	for i := range maxTransaction + 10 {
		b.Receive(request("INVITE", fmt.Sprint("f", i)), farEnd())
	}
	if len(b.servers) != maxTransaction {
		t.Errorf("%d transactions, want %d", len(b.servers), maxTransaction)
	}
}

func TestStoppedTimerDoesNotRun(t *testing.T) {
	now := time.Unix(0, 0)
	c := NewClock(func() time.Time { return now })
	var order []int
	c.After(2*time.Second, func() { order = append(order, 2) })
	stopped := c.After(time.Second, func() { order = append(order, 1) })
	c.After(2*time.Second, func() { order = append(order, 3) })
	stopped.Stop()
	stopped.Stop()
	now = now.Add(3 * time.Second)
	c.Run()
	if !slices.Equal(order, []int{2, 3}) {
		t.Errorf("ran %v, want 2 3", order)
	}
	if _, ok := c.Next(); ok {
		t.Error("something is left to do")
	}
}
