package wire

import (
	"bytes"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"branchline/pbx/sip/stream"
)

// connections is what comes on the TCP connections of a wire. A phone is spoken to on the connection
// by which it came and on no other (sipgo v1.7.2): nothing of sipgo's transport is used here.
type connections struct {
	wire   *Wire
	parser *sip.Parser
}

var _ stream.Handler = connections{}

func (w *Wire) connections() connections { return connections{w, newParser()} }

// Message reads one message. A panic in the parser costs the connection.
func (k connections) Message(c *stream.Conn, data []byte, fault string) {
	defer func() {
		if v := recover(); v != nil {
			k.wire.log.Error("reading SIP broke", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			c.Finish()
		}
	}()
	data = withCRLF(data)
	m, err := k.parser.ParseSIP(data)
	if err != nil && fault == "" {
		fault = "not a SIP message"
	}
	if err != nil {
		m, err = k.parser.ParseSIP(skeleton(data))
	}
	if err != nil {
		k.wire.dropped.Add(1)
		c.Finish()
		return
	}
	m.SetTransport("TCP")
	flow := flowOf(c)
	if fault == "" {
		k.wire.hand(m, flow)
		return
	}
	if raw, ok := m.(*sip.Request); ok {
		if r, f := k.wire.readRequest(raw, flow); f == nil || f.code != 0 {
			k.wire.refuse(r, bad(fault))
		}
	}
	c.Finish()
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

func flowOf(c *stream.Conn) Flow { return Flow{"tcp", c.Local, c.Remote, c.Number} }

// skeleton is what of a broken request its refusal needs, if that is there.
func skeleton(data []byte) []byte {
	method, _, _ := bytes.Cut(data, []byte(" "))
	out := append(bytes.Clone(method), " sip:unknown.invalid SIP/2.0\r\n"...)
	for line := range bytes.Lines(data) {
		name, _, _ := bytes.Cut(line, []byte(":"))
		switch strings.ToLower(string(bytes.TrimSpace(name))) {
		case "via", "v", "from", "f", "to", "t", "call-id", "i", "cseq":
			out = append(out, line...)
		case "":
			return append(out, "\r\n"...)
		}
	}
	return append(out, "\r\n"...)
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
	if r.Flow.Network != "tcp" {
		return
	}
	if c := r.wire.streams.Conn(r.Flow.Conn); c != nil {
		c.Welcome(idle)
	}
}
