package wire

import (
	"cmp"
	"fmt"
	"net/netip"
	"time"

	"branchline/pbx/sip/stream"
)

// connections is what comes on the connections of a wire. A phone is spoken to on the connection
// by which it came and on no other (sipgo v1.7.2): nothing of sipgo's transport is used here.
type connections struct{ wire *Wire }

var _ stream.Handler = connections{}

// Admit says whether from may open a connection.
func (k connections) Admit(from netip.AddrPort) bool { return k.wire.door.connect(from) }

// Message reads one message. Where it ends is known, so one that is broken costs itself alone.
func (k connections) Message(c *stream.Conn, data []byte, fault string) {
	w := k.wire
	defer w.recovered()
	in, known := w.door.look(c.Remote, data, time.Now())
	if !in {
		c.Finish()
		return
	}
	flow := flowOf(c)
	w.saw(flow, false, data)
	t, ok := cutMessage(data)
	if !ok {
		w.rubbish(flow)
		c.Finish()
		return
	}
	t.fault = cmp.Or(t.fault, fault)
	w.hand(&t, flow, known)
}

// Closed fails what waits for an answer on the connection, and tells the handler.
func (k connections) Closed(c *stream.Conn) {
	w, flow := k.wire, flowOf(c)
	_ = w.post(job{do: func() {
		for _, t := range w.clients {
			if t.req.Flow == flow && t.final == 0 {
				t.tx.Terminate()
			}
		}
		w.handler.Lost(flow)
	}})
}

func flowOf(c *stream.Conn) Flow {
	network := "tcp"
	if c.Secure {
		network = "tls"
	}
	return Flow{network, c.Local, c.Remote, c.Number}
}

// stream sends b on a connection.
func (w *Wire) stream(flow Flow, b []byte) error {
	var c *stream.Conn
	if w.streams != nil {
		c = w.streams.Conn(flow.Conn)
	}
	if c == nil || flowOf(c) != flow {
		return fmt.Errorf("connection of %s: %w", flow.Remote, stream.ErrClosed)
	}
	if err := c.Send(b); err != nil {
		return fmt.Errorf("connection of %s: %w", flow.Remote, err)
	}
	return nil
}

// Welcome says that the sender of r has proved who it is: a connection by which it came may be idle
// that long from now on, and no longer makes room for others.
func (r *Request) Welcome(idle time.Duration) {
	if !r.Flow.Connected() {
		return
	}
	if c := r.wire.streams.Conn(r.Flow.Conn); c != nil {
		c.Welcome(idle)
	}
}
