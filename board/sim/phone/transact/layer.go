// Package transact is the transaction layer of SIP over UDP (RFC 3261 clause 17, with the
// accepted state of RFC 6026) for the simulated phone.
//
// It is a state machine without goroutine, lock or socket: its owner hands in what was received,
// it sends through a function and runs late things on a Clock. So it is tested by turning the
// time by hand. It promises: requests are repeated until they are answered or have timed out,
// repeated requests are answered again without telling the owner, non-2xx finals of an INVITE are
// acknowledged, and 2xx are repeated until Acked. Start reading at Layer.
package transact

import (
	"net/netip"
	"strings"
	"time"

	"branchline/board/sim/phone/message"
)

const (
	cookie         = "z9hG4bK" // RFC 3261 8.1.1.7
	maxTransaction = 4096      // of each side; a flood beyond it is dropped
)

// Timing is the three base times of RFC 3261 17.1.1.1; all timers are made of them.
type Timing struct{ T1, T2, T4 time.Duration }

// StandardTiming is what the RFC names.
func StandardTiming() Timing {
	return Timing{500 * time.Millisecond, 4 * time.Second, 5 * time.Second}
}

// Scaled is t with another T1 and the rest in proportion.
func (t Timing) Scaled(t1 time.Duration) Timing {
	return Timing{t1, t.T2 * t1 / t.T1, t.T4 * t1 / t.T1}
}

func (t Timing) timeout() time.Duration { return 64 * t.T1 } // timers B, F, H, J, L, M

// Layer holds all transactions of one socket. Every field is set before use; all methods and
// callbacks run in the owner's goroutine.
type Layer struct {
	Timing Timing
	Clock  *Clock
	Send   func(to netip.AddrPort, b []byte)

	// Reliable: what is sent arrives, by TCP, and is not repeated, but for the 2xx of an INVITE, which
	// is repeated until its ACK on every transport (RFC 3261 13.3.1.4).
	Reliable bool

	OnRequest func(s *Server)                                     // a new request, CANCEL included, ACK not
	OnAck     func(ack *message.Message)                          // an ACK that ends no transaction: that of a 2xx
	OnStray   func(response *message.Message, src netip.AddrPort) // a response to no transaction

	clients map[string]*Client
	servers map[string]*Server
}

// Receive takes one message that has passed Check.
func (l *Layer) Receive(m *message.Message, src netip.AddrPort) {
	via, err := m.Via()
	if err != nil {
		return
	}
	_, method, err := m.CSeq()
	if err != nil {
		return
	}
	if m.Method == "" {
		if c := l.clients[via.Branch()+"|"+method]; c != nil {
			c.receive(m)
		} else {
			l.OnStray(m, src)
		}
		return
	}
	key := serverKey(m, via)
	s := l.servers[key]
	switch {
	case s != nil && m.Method == "ACK":
		s.ack(m)
	case s != nil:
		s.again()
	case m.Method == "ACK":
		l.OnAck(m)
	default:
		l.serve(key, m, via, src)
	}
}

func (l *Layer) serve(key string, m *message.Message, via message.Via, src netip.AddrPort) {
	if len(l.servers) >= maxTransaction {
		return
	}
	if l.servers == nil {
		l.servers = map[string]*Server{}
	}
	via, back := via.Received(src)
	m.SetVia(via)
	s := &Server{Request: m, Source: src, layer: l, key: key, back: back}
	l.servers[key] = s
	l.OnRequest(s)
}

// Invite finds the INVITE that cancel means (RFC 3261 9.2), or nil.
func (l *Layer) Invite(cancel *Server) *Server {
	key, ok := strings.CutSuffix(cancel.key, "|CANCEL")
	if !ok {
		return nil
	}
	return l.servers[key+"|INVITE"]
}

// serverKey is RFC 3261 17.2.3; senders of before the RFC, without the cookie, are told apart by
// their call and sequence number.
func serverKey(m *message.Message, via message.Via) string {
	method := m.Method
	if method == "ACK" {
		method = "INVITE"
	}
	if b := via.Branch(); strings.HasPrefix(b, cookie) {
		return b + "|" + strings.ToLower(via.SentBy()) + "|" + method
	}
	n, _, _ := strings.Cut(m.Get("CSeq"), " ")
	from, _ := message.ParseAddress(m.Get("From"))
	return strings.Join([]string{m.Get("Call-ID"), n, from.Tag(), via.SentBy(), method}, "|")
}
