package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime/debug"
	"strconv"
	"sync/atomic"

	"github.com/emiago/sipgo/sip"

	"branchline/pbx/sip/stream"
)

const (
	maxDatagram = 16 << 10
	// maxSources bounds what sipgo remembers of senders: an entry per source address for as long
	// as a reader runs, spoofed ones too (sipgo v1.7.2). Then the reader is renewed.
	maxSources = 4096
)

// listener is one UDP socket on one real address (sipgo v1.7.2).
type listener struct {
	wire  *Wire
	conn  *net.UDPConn
	local netip.AddrPort
	udp   *sip.TransportLayer
	most  int         // sources after which the reader is renewed
	renew atomic.Bool // the reader shall end and be started anew
	err   atomic.Pointer[error]
}

// Open binds one UDP socket for each address, and with tcp a listener for TCP beside it; an
// unspecified address stands for every one that the box has now. Port 0 takes a free one. On an error
// nothing is bound.
func (w *Wire) Open(addresses []netip.AddrPort, tcp bool) error {
	if tcp {
		w.streams = stream.New(w.connections(), stream.Bounds{})
	}
	for _, a := range expand(addresses) {
		if err := w.listen(a); err != nil {
			w.Close()
			w.listeners, w.streams = nil, nil
			return fmt.Errorf("listen for phones on %s: %w; is another SIP server running, or the address not ours?", a, err)
		}
	}
	return nil
}

// listen binds one address. A free port may be taken by TCP already: then another one is tried.
func (w *Wire) listen(a netip.AddrPort) error {
	network := "udp6" // "udp" would make one socket for both of an unspecified address
	if a.Addr().Unmap().Is4() {
		network = "udp4"
	}
	for tries := 0; ; tries++ {
		conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(a))
		if err != nil {
			return err
		}
		local := conn.LocalAddr().(*net.UDPAddr).AddrPort()
		local = netip.AddrPortFrom(local.Addr().Unmap(), local.Port())
		if w.streams != nil {
			err = w.streams.Listen(local)
		}
		if err == nil {
			w.listeners = append(w.listeners, w.newListener(conn, local))
			return nil
		}
		conn.Close()
		if a.Port() != 0 || tries == 20 {
			return err
		}
	}
}

func (w *Wire) newListener(conn *net.UDPConn, local netip.AddrPort) *listener {
	// A burst of a whole office signing in at once must wait, not get lost. The kernel caps it.
	_ = conn.SetReadBuffer(1 << 20)
	stream.Mark(conn)
	l := &listener{wire: w, conn: conn, local: local, most: maxSources}
	l.udp = sip.NewTransportLayer(nil, newParser(), nil,
		sip.WithTransportLayerLogger(w.quiet), sip.WithTransportLayerReadFilter(l.filter))
	l.udp.OnMessage(l.receive)
	return l
}

// Listening are the addresses that are bound.
func (w *Wire) Listening() (out []netip.AddrPort) {
	for _, l := range w.listeners {
		out = append(out, l.local)
	}
	return out
}

func expand(addresses []netip.AddrPort) (out []netip.AddrPort) {
	for _, a := range addresses {
		if !a.Addr().IsUnspecified() {
			out = append(out, a)
			continue
		}
		all, err := net.InterfaceAddrs()
		if err != nil {
			continue
		}
		for _, i := range all {
			p, err := netip.ParsePrefix(i.String())
			if ip := p.Addr().Unmap(); err == nil && ip.Is4() == a.Addr().Is4() && !ip.IsLinkLocalUnicast() {
				out = append(out, netip.AddrPortFrom(ip, a.Port()))
			}
		}
	}
	return out
}

// run reads until ctx ends. A panic in the parser costs one datagram.
func (l *listener) run(ctx context.Context) error {
	for ctx.Err() == nil {
		l.serve()
		if err := l.err.Load(); err != nil {
			return fmt.Errorf("listen for phones on %s: %w", l.local, *err)
		}
	}
	return nil
}

func (l *listener) serve() {
	defer func() {
		if v := recover(); v != nil {
			l.wire.log.Error("reading SIP broke", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		}
	}()
	_ = l.udp.ServeUDP(socket{l.conn, l})
}

// socket is what sipgo reads from. Its end ends the reader, not the socket.
type socket struct {
	*net.UDPConn
	l *listener
}

func (s socket) ReadFrom(b []byte) (int, net.Addr, error) {
	if s.l.renew.Swap(false) {
		return 0, nil, net.ErrClosed
	}
	n, addr, err := s.UDPConn.ReadFrom(b)
	if err != nil {
		s.l.err.Store(&err)
		return 0, nil, net.ErrClosed
	}
	return n, addr, nil
}

// filter sees every datagram before sipgo parses it. nil drops one; an error would end the reader.
func (l *listener) filter(_ sip.TransportReadProps, data []byte) ([]byte, error) {
	if l.udp.Pool("udp").Size() > l.most {
		l.renew.Store(true)
	}
	if len(bytes.Trim(data, "\r\n\x00 ")) == 0 {
		return nil, nil // keep-alive: RFC 5626 3.5.1
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	line = bytes.TrimRight(line, "\r ")
	if len(data) > maxDatagram || !bytes.Contains(line, []byte("SIP/")) || bytes.IndexByte(line, 0) >= 0 {
		l.wire.dropped.Add(1)
		return nil, nil
	}
	return withCRLF(data), nil
}

// withCRLF mends headers whose lines end in LF alone, which sipgo refuses (sipgo v1.7.2).
func withCRLF(data []byte) []byte {
	bare := false
	end := len(data)
	for i := 0; i < len(data); i++ {
		if data[i] != '\n' {
			continue
		}
		bare = bare || i == 0 || data[i-1] != '\r'
		if rest := data[i+1:]; bytes.HasPrefix(rest, []byte("\n")) || bytes.HasPrefix(rest, []byte("\r\n")) {
			bare = bare || rest[0] == '\n'
			end = i + 1 + bytes.IndexByte(rest, '\n') + 1
			break
		}
	}
	if !bare {
		return data
	}
	out := make([]byte, 0, len(data)+64)
	for i, c := range data[:end] {
		if c == '\n' && (i == 0 || data[i-1] != '\r') {
			out = append(out, '\r')
		}
		out = append(out, c)
	}
	return append(out, data[end:]...)
}

// receive is called by sipgo's reader with each message, in order.
func (l *listener) receive(m sip.Message) {
	remote, err := netip.ParseAddrPort(m.Source())
	if err != nil {
		return
	}
	l.wire.hand(m, Flow{Network: "udp", Local: l.local, Remote: netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port())})
}

// hand reads m and puts it into the inbox; a faulty request is answered at once. It waits while the
// inbox is full.
func (w *Wire) hand(m sip.Message, flow Flow) {
	var in any
	switch m := m.(type) {
	case *sip.Request:
		r, f := w.readRequest(m, flow)
		if f != nil {
			w.watch(flow, m.Headers(), m.Body())
			w.refuse(r, f)
			return
		}
		in = r
	case *sip.Response:
		r := readResponse(m, flow)
		if r == nil {
			w.dropped.Add(1)
			w.watch(flow, m.Headers(), m.Body())
			return
		}
		in = r
	}
	select {
	case w.inbox <- in:
	case <-w.stop:
	}
}

// refuse answers a faulty request without keeping anything of it. An ACK is never answered.
func (w *Wire) refuse(r *Request, f *fault) {
	w.dropped.Add(1)
	if f.code != 0 && r.Method != "ACK" {
		_ = r.Reply(Response{Code: f.code, Reason: f.why})
	}
}

// write sends m on flow.
func (w *Wire) write(flow Flow, m sip.Message) error { return w.writeBytes(flow, marshal(m)) }

func marshal(m sip.Message) []byte {
	var b bytes.Buffer
	b.Grow(1024)
	m.StringWrite(&b)
	return b.Bytes()
}

// writeBytes does not use sipgo's connection, which refuses what exceeds a package variable (sipgo v1.7.2).
func (w *Wire) writeBytes(flow Flow, b []byte) error {
	if flow.Network == "tcp" {
		return w.stream(flow, b)
	}
	l := w.listener(flow.Local)
	if l == nil {
		return errors.New("no socket on " + flow.Local.String())
	}
	_, err := l.conn.WriteToUDPAddrPort(b, flow.Remote)
	return err
}

// link is a flow as sipgo's transactions want it.
type link struct {
	wire *Wire
	flow Flow
}

var _ sip.Connection = (*link)(nil)

func (k *link) WriteMsg(m sip.Message) error {
	if r, ok := m.(*sip.Request); ok && r.IsAck() {
		return nil // ours is sent by client.acknowledge
	}
	return k.wire.write(k.flow, m)
}

func (k *link) LocalAddr() net.Addr    { return net.UDPAddrFromAddrPort(k.flow.Local) }
func (k *link) Ref(int) int            { return 1 }
func (k *link) TryClose() (int, error) { return 1, nil }
func (k *link) Close() error           { return nil }

// watch tells a Watcher of a refused message whose length is not what it says.
func (w *Wire) watch(flow Flow, hs []sip.Header, body []byte) {
	a, ok := w.handler.(Watcher)
	said := first(hs, saidLength)
	if n, err := strconv.ParseUint(said, 10, 32); ok && said != "" && (err != nil || int(n) > len(body)) {
		_ = w.post(job{do: func() { a.Altered(flow) }})
	}
}
