package packets

import (
	"net/netip"
	"sync/atomic"
	"time"

	"branchline/pbx/media/rtp"
	"branchline/pbx/media/srtp"
	"branchline/pbx/media/udp"
)

const (
	reportEvery = 250 // ticks: 5 s (RFC 3550 section 6.2)
	countEvery  = 50  // ticks: 1 s
	firstPort   = 1024
	buffered    = 60 * time.Millisecond // a packet, and what a phone or we gather before it sounds
)

// reports is what an End and its far end tell each other of how packets fare (RTCP).
type reports struct {
	fd              int // socket; -1: none
	now             time.Duration
	ticks           int
	came            rtp.Reception
	packets, octets uint32         // that we have sent
	from            netip.AddrPort // whence reports come; invalid: none came
	dest            udp.Addr
	packet          [rtp.ReportLen + srtp.Overhead]byte
}

// fares is the same for others to read.
type fares struct {
	expected, lost, farLoss atomic.Uint64 // farLoss: in 256ths
	jitter, farJitter, trip atomic.Int64
}

// Quality is how the sound of an End fares: of what comes here, and at the far end as it reports.
type Quality struct {
	Loss, FarLoss     float64 // 0 to 1; here since the beginning, there since its report before
	Jitter, FarJitter time.Duration
	RoundTrip         time.Duration // 0: not known
	MOS, FarMOS       float64       // as the E-model has it, 1 to 4.4; 0: not known
}

// Quality is as of the last second. It may be called from any goroutine.
func (e *End) Quality() (q Quality) {
	f := &e.fares
	q.Jitter, q.FarJitter = time.Duration(f.jitter.Load()), time.Duration(f.farJitter.Load())
	q.RoundTrip = time.Duration(f.trip.Load())
	if expected := f.expected.Load(); expected > 0 {
		q.Loss = float64(f.lost.Load()) / float64(expected)
		q.MOS = rtp.MOS(q.Loss, q.RoundTrip/2+2*q.Jitter+buffered)
	}
	if far := f.farLoss.Load(); far > 0 {
		q.FarLoss = float64(far-1) / 256
		q.FarMOS = rtp.MOS(q.FarLoss, q.RoundTrip/2+2*q.FarJitter+buffered)
	}
	return q
}

// At says what the time is, on any clock that only goes forward, for what is called next.
func (e *End) At(now time.Duration) { e.reports.now = now }

// Report is called in every tick and sends a report now and then.
func (e *End) Report() {
	r := &e.reports
	if r.ticks++; r.ticks%countEvery == 0 {
		expected, lost := r.came.Counts()
		e.fares.expected.Store(expected)
		e.fares.lost.Store(lost)
		e.fares.jitter.Store(int64(r.came.Jitter()))
	}
	if (r.ticks+int(e.out.SSRC%reportEvery))%reportEvery != 0 || !e.agreed || !e.used || !e.dest.Valid() {
		return
	}
	told := rtp.Report{SSRC: e.out.SSRC, NTP: rtp.NTP(time.Now()), Timestamp: e.out.Timestamp, Packets: r.packets, Octets: r.octets}
	n := told.Put(r.packet[:], &r.came, r.now)
	if e.seal != nil {
		n = e.seal.ProtectReport(r.packet[:], n)
	}
	fd, to := r.fd, &r.dest
	if e.session.Mux {
		fd, to = e.fd, &e.dest
	} else {
		to.Set(e.reportsTo())
	}
	if fd >= 0 && to.Valid() {
		udp.Send(fd, r.packet[:n], to)
	}
}

// reportsTo is where reports go that do not go beside the sound.
func (e *End) reportsTo() netip.AddrPort {
	if e.reports.from.IsValid() {
		return e.reports.from
	}
	at := e.source.Address()
	if at == e.session.Remote && e.session.Reports != 0 {
		return netip.AddrPortFrom(at.Addr(), e.session.Reports)
	}
	return netip.AddrPortFrom(at.Addr(), at.Port()+1) // 65535 gives 0: nowhere
}

// TakeReport handles one datagram of the RTCP socket.
func (e *End) TakeReport(b []byte, from netip.AddrPort) {
	if e.hearReport(b, from) {
		e.reports.from = from
	}
}

// hearReport takes a report, and says whether it is one of the far end's.
func (e *End) hearReport(b []byte, from netip.AddrPort) bool {
	switch {
	case !e.agreed:
		return false
	case !e.source.Near(from.Addr()) || from.Port() < firstPort:
		count(&e.stats.foreign)
		return false
	}
	if e.open != nil {
		n, ok := e.open.OpenReport(b)
		if !ok {
			count(&e.stats.forged)
			return false
		}
		b = b[:n]
	}
	h, ok := rtp.ReadReport(b, e.out.SSRC)
	if !ok {
		count(&e.stats.invalid)
		return false
	}
	e.life.quiet = 0
	e.reports.came.Heard(h, e.reports.now)
	if !h.About {
		return true
	}
	e.fares.farLoss.Store(uint64(h.Fraction) + 1)
	e.fares.farJitter.Store(int64(h.Jitter) * int64(time.Second) / int64(e.clock()))
	if took, ok := h.RoundTrip(rtp.NTP(time.Now())); ok {
		e.fares.trip.Store(int64(took))
	}
	return true
}

// isReport says whether a packet beside sound is one of RTCP (RFC 5761 section 4).
func isReport(b []byte) bool { return len(b) > 1 && b[1] >= 192 && b[1] <= 223 }
