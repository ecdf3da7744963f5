package transact

import (
	"fmt"
	"net/netip"
	"time"

	"branchline/board/sim/phone/message"
)

// Server is one request of the other side, waiting for or holding its answer.
type Server struct {
	Request *message.Message
	Source  netip.AddrPort // where it really came from

	// Unacked is called when an INVITE's final answer was never acknowledged (timer H). May be nil.
	Unacked func()

	layer  *Layer
	key    string
	back   netip.AddrPort
	last   []byte // the latest response; nil: none yet
	final  int    // its code once it is final
	acked  bool
	repeat *Timer // G
	end    *Timer // H, I, J or L
}

// Respond sends r. The first final one counts; what comes after it is ignored.
func (s *Server) Respond(r *message.Message) {
	if s.final != 0 {
		return
	}
	s.last = r.Bytes()
	s.layer.Send(s.back, s.last)
	if r.Code < 200 {
		return
	}
	s.final = r.Code
	if s.Request.Method != "INVITE" {
		s.endAfter(s.layer.Timing.timeout(), nil) // J
		return
	}
	if !s.layer.Reliable || r.Code < 300 {
		s.repeatAfter(s.layer.Timing.T1)
	}
	s.endAfter(s.layer.Timing.timeout(), func() { // H; of a 2xx: RFC 3261 13.3.1.4
		if !s.acked && s.Unacked != nil {
			s.Unacked()
		}
	})
}

// Final is the code of the final answer that was given, or 0.
func (s *Server) Final() int { return s.final }

// Waits says that the final answer of an INVITE is on its way and not yet acknowledged.
func (s *Server) Waits() bool { return s.Request.Method == "INVITE" && s.final != 0 && !s.acked }

// Acked says that the ACK of a 2xx has come: it is repeated no more.
func (s *Server) Acked() {
	s.acked = true
	s.repeat.Stop()
}

func (s *Server) repeatAfter(d time.Duration) {
	s.repeat = s.layer.Clock.After(d, func() {
		s.layer.Send(s.back, s.last)
		s.repeatAfter(min(2*d, s.layer.Timing.T2))
	})
}

func (s *Server) endAfter(d time.Duration, then func()) {
	s.end.Stop()
	s.end = s.layer.Clock.After(d, func() {
		s.repeat.Stop()
		delete(s.layer.servers, s.key)
		if then != nil {
			then()
		}
	})
}

// again answers a repeated request as before. A 2xx repeats by its own timer (RFC 6026 7.1).
func (s *Server) again() {
	accepted := s.Request.Method == "INVITE" && s.final/100 == 2
	if s.last != nil && !accepted {
		s.layer.Send(s.back, s.last)
	}
}

// ack is an ACK with the INVITE's own branch. After a 2xx such a sender is wrong or of before RFC 3261, and the
// owner must hear of it; else it ends the repeating.
func (s *Server) ack(m *message.Message) {
	switch {
	case s.final/100 == 2:
		s.layer.OnAck(m)
	case s.final != 0 && !s.acked:
		s.Acked()
		s.endAfter(s.layer.Timing.T4, nil) // I
	}
}

func formatCSeq(n uint32, method string) string { return fmt.Sprintf("%d %s", n, method) }
