package media

import (
	"net/netip"
	"sync/atomic"

	"branchline/hal"
	"branchline/pbx/media/mail"
	"branchline/pbx/media/packets"
	"branchline/pbx/media/rtp"
)

// Port is the RTP end of one leg. Its methods may be called from any goroutine and never wait; as
// a hal.Audio it is only to be handed to Attach of the Worker that made it.
type Port struct {
	w                *Worker
	leg              hal.LegID
	local            netip.AddrPort
	fd               int // the RTP socket; -1: none (benchmarks)
	rtcp             int // the RTCP socket, one port above
	closed, released atomic.Bool

	// What follows belongs to the worker's thread.
	link    *leg // nil: not attached
	broken  bool
	end     packets.End
	keysRef hal.Ref
}

// Rate is 8000 Hz.
func (p *Port) Rate() int { return rate }

// Read gives nothing: the sound of a Port is taken from its packets.
func (p *Port) Read([]int16) int { return 0 }

// Write drops pcm: the sound of a Port is sent by the Worker that it is attached to.
func (p *Port) Write([]int16) int { return 0 }

// Local is where the port receives RTP.
func (p *Port) Local() netip.AddrPort { return p.local }

// Negotiated tells what an offer and its answer agreed on, each time anew. Until then nothing is
// sent or taken. SSRC, sequence numbers and timestamps go on as if nothing had changed.
func (p *Port) Negotiated(s Session) {
	p.w.post(func() { p.negotiated(s) })
}

// SendKeys sends keys (0-9 * # A-D, ! for a hook flash), 100 ms each and 100 ms apart, as events or
// as tones, whichever was agreed on. Keys that cannot be sent are answered by Failed with ref.
func (p *Port) SendKeys(ref hal.Ref, keys string) {
	p.w.post(func() { p.sendKeys(ref, keys) })
}

// Capture has the packets that come and go copied into c until its time is over, instead of into another
// one. It does not wait.
func (p *Port) Capture(c *Capture) {
	p.w.post(func() { p.end.Copy(c, p.local) })
}

// Close gives the port back. The leg, if attached, hears and says nothing from then on.
func (p *Port) Close() {
	if p.closed.Swap(true) {
		return
	}
	if !p.w.post(p.shut) {
		p.release()
	}
}

// Quality is how the sound of the leg fares, as of the last second.
func (p *Port) Quality() Quality { return p.end.Quality() }

// Stats counts what the port saw until now.
func (p *Port) Stats() Stats { return p.end.Stats() }

func (p *Port) negotiated(s Session) {
	p.end.Negotiated(s)
	if p.link != nil {
		p.link.listen()
		if b := p.link.bridge; b != nil {
			b.pair.turn(b)
		}
	}
}

func (p *Port) sendKeys(ref hal.Ref, keys string) {
	switch {
	case p.link == nil || !p.end.Sends():
		p.w.fail(p.leg, ref, "the leg cannot be sent keys now")
	case !p.end.SendKeys(keys):
		p.w.fail(p.leg, ref, "these keys cannot be sent")
	default:
		p.keysRef = ref
	}
}

// tell tells what became known in this tick: a key that ended, a far end that fell silent.
func (p *Port) tell(w *Worker) {
	p.end.At(w.now)
	p.end.Report()
	if silent, news := p.end.Silent(); news {
		n := mail.Notice{Kind: mail.Quality, Leg: p.link.id}
		if silent {
			n.Why = "silent"
		}
		w.out.Tell(n)
	}
	if press, ok := p.end.Key(); ok {
		n := mail.Notice{Kind: mail.Digit, Leg: p.link.id, Key: press.Key, Held: press.For, Passed: press.Passed}
		if press.Key == rtp.Flash {
			n = mail.Notice{Kind: mail.Flash, Leg: p.link.id}
		}
		w.out.Tell(n)
	}
}

// shut takes the port out of the worker and closes its sockets.
func (p *Port) shut() {
	p.closed.Store(true)
	if p.link != nil {
		p.link.part()
		p.link.port, p.link.audio, p.link.heard = nil, nil, false
		p.link = nil
		p.end.Use(false)
	}
	for _, fd := range []int{p.fd, p.rtcp} {
		if fd >= 0 && fd < len(p.w.sockets) && p.w.sockets[fd] == p {
			p.w.sockets[fd] = nil
			p.w.poll.Remove(fd)
		}
	}
	p.release()
}
