package media

import (
	"net/netip"
	"time"

	"branchline/pbx/media/udp"
)

// receive takes what came in on a socket. A panic costs the leg of that socket.
func (w *Worker) receive(fd int) {
	if fd >= len(w.sockets) || w.sockets[fd] == nil {
		return
	}
	p := w.sockets[fd]
	defer func() {
		if r := recover(); r != nil {
			w.broke(p.leg, r)
			p.broken = true
			if p.link != nil {
				p.link.broken, w.broken = true, true
			}
		}
	}()
	w.now = time.Since(w.made)
	p.end.At(w.now)
	for range 4 { // a flood on one socket must not starve the others; epoll tells again
		n := w.in.Read(fd)
		for i := range n {
			b, from := w.in.Packet(i)
			p.take(b, from, fd == p.rtcp)
		}
		if n < udp.Batch {
			return
		}
	}
}

// take handles one datagram; report: it came to the RTCP socket.
func (p *Port) take(b []byte, from netip.AddrPort, report bool) {
	switch {
	case p.broken:
	case report:
		p.end.TakeReport(b, from)
	default:
		p.end.Take(b, from)
	}
}
