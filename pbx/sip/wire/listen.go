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
	"syscall"
	"time"

	"github.com/emiago/sipgo/sip"

	"branchline/pbx/sip/guard"
	"branchline/pbx/sip/stream"
)

const (
	maxDatagram = 16 << 10
	readBuffer  = 4 << 20 // octets that may wait in a socket: a burst of a whole office, or of strangers
)

// listener is one UDP socket on one real address (sipgo v1.7.2), read without sipgo's transport layer: that
// remembers every source address, spoofed ones too, and parses whatever comes (sipgo v1.7.2).
type listener struct {
	wire  *Wire
	conn  *net.UDPConn
	local netip.AddrPort
}

// Open binds one UDP socket for each address, and with tcp a listener for TCP beside it; an
// unspecified address stands for every one that the box has now. Port 0 takes a free one. On an error
// nothing is bound.
func (w *Wire) Open(addresses []netip.AddrPort, tcp bool) error {
	if tcp {
		w.streams = stream.New(connections{w}, stream.Bounds{})
	}
	for _, a := range expand(addresses) {
		if err := w.tolerate(a, w.listen(a)); err != nil {
			w.Close()
			w.listeners, w.streams = nil, nil
			return fmt.Errorf("listen for phones on %s: %w; is another SIP server running, or the address not ours?", a, err)
		}
	}
	if len(w.listeners) == 0 {
		return errors.New("listen for phones: the box has none of the addresses, or cannot speak IPv6; name an IPv4 address")
	}
	w.absent(addresses)
	return nil
}

// listen binds one address. A free port may be taken by TCP already: then another one is tried.
func (w *Wire) listen(a netip.AddrPort) error {
	network := "udp6" // "udp" would make one socket for both of an unspecified address
	if a.Addr().Unmap().Is4() {
		network = "udp4"
	}
	for tries := 0; ; tries++ {
		config := net.ListenConfig{Control: stream.FreeBind}
		packets, err := config.ListenPacket(context.Background(), network, a.String())
		if err != nil {
			return err
		}
		conn := packets.(*net.UDPConn)
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
	_ = conn.SetReadBuffer(readBuffer) // the kernel caps it, but not for root:
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, readBuffer)
		})
	}
	stream.Mark(conn)
	return &listener{wire: w, conn: conn, local: local}
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

// run reads until ctx ends. A panic in reading costs one datagram.
func (l *listener) run(ctx context.Context) error {
	b := make([]byte, maxDatagram+1)
	for {
		n, from, err := l.conn.ReadFromUDPAddrPort(b)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("listen for phones on %s: %w", l.local, err)
		}
		l.receive(b[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
	}
}

// receive takes one datagram. Most of a flood ends at the first look.
func (l *listener) receive(data []byte, from netip.AddrPort) {
	w := l.wire
	defer w.recovered()
	if len(bytes.Trim(data[:min(len(data), 4)], "\r\n\x00 ")) == 0 {
		return // keep-alive: RFC 5626 3.5.1
	}
	in, known := w.door.look(from, data, time.Now())
	if !in {
		return
	}
	flow := Flow{Network: "udp", Local: l.local, Remote: from}
	w.saw(flow, false, data)
	t, ok := cutMessage(data)
	if !ok || len(data) > maxDatagram {
		w.rubbish(flow)
		return
	}
	w.hand(&t, flow, known)
}

// recovered keeps a panic in reading a message from costing more than that message.
func (w *Wire) recovered() {
	v := recover()
	if v == nil {
		return
	}
	if n := w.panics.Add(1); n <= 10 || n%1000 == 0 { // whoever has found one may send it again and again
		w.log.Error("reading SIP broke", "panic", fmt.Sprint(v), "times", n, "stack", string(debug.Stack()))
	}
}

// rubbish counts a message that is no SIP.
func (w *Wire) rubbish(flow Flow) {
	w.dropped.Add(1)
	w.door.Note(flow.Remote, guard.Rubbish)
}

// hand reads a message and puts it into an inbox; a faulty request is answered at once. Phones that are
// signed in have an inbox of their own, and wait while it is full; the surplus of strangers is dropped.
func (w *Wire) hand(t *text, flow Flow, known bool) {
	var in any
	if t.code == "" {
		r, f := w.readRequest(t, flow)
		if f != nil {
			w.watch(flow, t)
			w.refuse(r, f)
			return
		}
		r.known = known
		in = r
	} else {
		r := readResponse(t, flow)
		if r == nil {
			w.rubbish(flow)
			w.watch(flow, t)
			return
		}
		in = r
		known = true // it is an answer to what we asked, or dropped at once
	}
	if known {
		select {
		case w.inbox <- in:
		case <-w.stop:
		}
		return
	}
	select {
	case w.strangers <- in:
	default:
		w.door.Note(flow.Remote, guard.Flood)
	}
}

// refuse answers a faulty request without keeping anything of it. An ACK is never answered.
func (w *Wire) refuse(r *Request, f *fault) {
	w.rubbish(r.Flow)
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
	w.saw(flow, true, b)
	if flow.Connected() {
		return w.stream(flow, b)
	}
	l := w.listener(flow.Local)
	if l == nil {
		l = w.listener(w.Toward(flow.Remote.Addr())) // a flow of before the restart, whose port was any
	}
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
func (w *Wire) watch(flow Flow, t *text) {
	a, ok := w.handler.(Watcher)
	said := first(t.headers, "Content-Length")
	if n, err := strconv.ParseUint(said, 10, 32); ok && said != "" && (err != nil || int(n) > len(t.body)) {
		_ = w.post(job{do: func() { a.Altered(flow) }})
	}
}
