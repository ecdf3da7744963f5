package wire

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"branchline/pbx/sip/stream"
)

// dialling is how long a peer may take to accept a connection.
const dialling = 10 * time.Second

// OpenOne is Open for peers whom we call on: a UDP socket on a, and connections that Dial opens; nobody is
// listened to by TCP. The port may be 0. An unspecified address is one socket that hears on all, now and later:
// a flow on it names that address.
func (w *Wire) OpenOne(a netip.AddrPort) error {
	if err := w.listen(a); err != nil {
		return err
	}
	if a.Addr() == netip.IPv4Unspecified() {
		_ = w.listen(netip.AddrPortFrom(netip.IPv6Unspecified(), 0)) // not every house has IPv6
	}
	w.streams = stream.New(connections{w}, stream.Bounds{})
	return nil
}

// Dial opens a connection to a peer and tells done, on the goroutine of Run, which flow it is, or why there
// is none. It may be idle that long. It does not wait; it is called on the goroutine of Run.
func (w *Wire) Dial(from netip.Addr, to netip.AddrPort, idle time.Duration, done func(Flow, error)) {
	w.dial(done, func(ctx context.Context) (*stream.Conn, error) { return w.streams.Dial(ctx, from, to, idle) })
}

func (w *Wire) dial(done func(Flow, error), open func(context.Context) (*stream.Conn, error)) {
	if w.streams == nil {
		_ = w.Post(func() { done(Flow{}, errors.New("the wire has no connections")) })
		return
	}
	w.drains.Go(func() {
		ctx, cancel := context.WithTimeout(w.ctx, dialling)
		defer cancel()
		c, err := open(ctx)
		_ = w.Post(func() {
			if err != nil {
				done(Flow{}, err)
				return
			}
			done(flowOf(c), nil)
		})
	})
}

// Toward is our end of a flow by UDP to a peer: the socket for its kind of address; invalid: there is none.
func (w *Wire) Toward(peer netip.Addr) netip.AddrPort {
	for _, l := range w.listeners {
		if l.local.Addr().Is4() == peer.Unmap().Is4() {
			return l.local
		}
	}
	return netip.AddrPort{}
}

// Hangup ends the connection of a flow once what waits has been sent. Of UDP it does nothing.
func (w *Wire) Hangup(f Flow) {
	if w.streams == nil || !f.Connected() {
		return
	}
	if c := w.streams.Conn(f.Conn); c != nil {
		c.Finish()
	}
}

// Ping sends on a flow what keeps routers between from forgetting it (RFC 5626 3.5.1), and is not answered by UDP.
func (w *Wire) Ping(f Flow) error { return w.writeBytes(f, []byte("\r\n\r\n")) }

// Advertise says which address, "host:port", requests name as their sender's from now on, where a router
// stands between and the peer knows us by another one; "" is the flow's own. It is called on the goroutine
// of Run, or before.
func (w *Wire) Advertise(sentBy string) { w.sentBy = sentBy }
