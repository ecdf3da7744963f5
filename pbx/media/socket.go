package media

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net/netip"

	"branchline/hal"
	"branchline/pbx/media/mail"
	"branchline/pbx/media/rtp"
	"branchline/pbx/media/udp"
)

// SetRange changes the ports that OpenRTP may take, both included. Ports that are open stay.
func (w *Worker) SetRange(first, last uint16) {
	w.ports.Set(first, last)
}

// OpenRTP takes an even port of the range on ip for leg, and the odd one above it for RTCP. It may
// be called from any goroutine and does not wait. The caller closes the Port.
func (w *Worker) OpenRTP(leg hal.LegID, ip netip.Addr) (*Port, error) {
	fd, rtcp, local, err := w.ports.Take(ip)
	if err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	p := w.newPort(leg, local, fd, rtcp)
	if !w.post(func() { w.adopt(p) }) {
		p.release()
		return nil, errEnded
	}
	w.open.Store(leg, p)
	return p, nil
}

// Quality is how the sound of leg fares, as of the last second; false: it has no port of ours. It may be
// called from any goroutine and does not wait.
func (w *Worker) Quality(leg hal.LegID) (Quality, bool) {
	p, ok := w.open.Load(leg)
	if !ok {
		return Quality{}, false
	}
	return p.(*Port).Quality(), true
}

// newPort makes a Port; where its numbering begins is chance, as RFC 3550 section 5.1 wants it.
func (w *Worker) newPort(leg hal.LegID, local netip.AddrPort, fd, rtcp int) *Port {
	var seed [10]byte
	_, _ = rand.Read(seed[:]) // it does not fail
	p := &Port{w: w, leg: leg, local: local, fd: fd, rtcp: rtcp}
	p.end.Begin(fd, rtcp, rtp.Stream{SSRC: binary.BigEndian.Uint32(seed[:]),
		Timestamp: binary.BigEndian.Uint32(seed[4:]), Seq: binary.BigEndian.Uint16(seed[8:]) &^ 0x8000}) // low, as a receiver of SRTP guesses its first round: RFC 3711 section 3.3.1
	return p
}

// adopt puts a port among the sockets that the worker listens to.
func (w *Worker) adopt(p *Port) {
	for _, fd := range []int{p.fd, p.rtcp} {
		for len(w.sockets) <= fd {
			w.sockets = append(w.sockets, nil)
		}
		w.sockets[fd] = p
		if err := w.poll.Add(fd); err != nil {
			w.out.Tell(mail.Notice{Kind: mail.Logged, Leg: p.leg, Log: "an RTP socket cannot be watched", Why: err.Error()})
		}
	}
}

// release closes the sockets of a port that the worker does not know, or no longer. Only the first
// call does something: a Close may meet the end of Run.
func (p *Port) release() {
	if p.released.Swap(true) {
		return
	}
	p.w.open.CompareAndDelete(p.leg, p)
	udp.Close(p.fd, p.rtcp)
}
