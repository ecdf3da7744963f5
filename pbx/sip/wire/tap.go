package wire

import "net/netip"

// Tap sees what goes over a wire. It is called by many goroutines, must not wait, and keeps nothing of text.
type Tap interface {
	// Saw is told each message as it came, before it is read, and as it goes (out), before it is sent.
	Saw(network string, local, remote netip.AddrPort, conn uint64, out bool, text []byte)
}

// Tapped has t told what goes over the wire. It comes before Open.
func (w *Wire) Tapped(t Tap) { w.tap = t }

func (w *Wire) saw(flow Flow, out bool, text []byte) {
	if w.tap != nil {
		w.tap.Saw(flow.Network, flow.Local, flow.Remote, flow.Conn, out, text)
	}
}
