package media

import (
	"net/netip"
	"sync/atomic"
	"time"

	"branchline/hal"
	"branchline/hal/dsp"
	"branchline/pbx/media/mail"
	"branchline/pbx/media/rtp"
	"branchline/pbx/media/udp"
)

// Port is the RTP end of one leg. Its methods may be called from any goroutine and never wait; as
// a hal.Audio it is only to be handed to Attach of the Worker that made it.
type Port struct {
	w                *Worker
	leg              hal.LegID
	local            netip.AddrPort
	fd               int // the RTP socket; -1: none (benchmarks)
	rtcp             int // taken so that nobody else gets it
	closed, released atomic.Bool
	stats            counters

	// What follows belongs to the worker's thread.
	link    *leg // nil: not attached
	agreed  bool // there was a Session
	broken  bool
	session Session
	source  rtp.Source
	dest    udp.Addr // where our packets go

	jitter rtp.Jitter
	keysIn rtp.KeysIn
	pcm    [maxPayload]int16 // a packet decoded

	out     rtp.Stream // the numbers of what we send; they stay continuous whatever is sent
	pending [maxPtime + frame]int16
	filled  int // samples of pending
	packet  [rtp.HeaderLen + maxPayload]byte
	pass    passage

	keysOut rtp.KeysOut
	keysRef hal.Ref
	keyTone dsp.Generator
	keyDown byte
}

// counters are written by the worker and read by anybody.
type counters struct {
	received, sent, foreign, invalid atomic.Uint64
	late, lost, duplicate, resync    atomic.Uint64
	relayed, excess                  atomic.Uint64
	silent                           atomic.Uint64 // ticks since the last packet
}

const (
	maxPtime   = 60 * rate / 1000 // samples of a packet that we send
	maxPayload = 960              // samples of a packet that we take: 120 ms
)

// Rate is 8000 Hz.
func (p *Port) Rate() int { return rate }

// Read gives nothing: the sound of a Port is taken from its packets.
func (p *Port) Read([]int16) int { return 0 }

// Write drops pcm: the sound of a Port is sent by the Worker that it is attached to.
func (p *Port) Write([]int16) int { return 0 }

// step is a tick by the clock of the stream.
func (p *Port) step() uint32 {
	if p.session.Codec == Raw && p.session.ClockHz != 0 {
		return p.session.ClockHz / (1000 / uint32(tick.Milliseconds()))
	}
	return frame
}

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

// Close gives the port back. The leg, if attached, hears and says nothing from then on.
func (p *Port) Close() {
	if p.closed.Swap(true) {
		return
	}
	if !p.w.post(p.shut) {
		p.release()
	}
}

// Stats counts what the port saw until now.
func (p *Port) Stats() Stats {
	c := &p.stats
	return Stats{
		Received: c.received.Load(), Sent: c.sent.Load(), Foreign: c.foreign.Load(), Invalid: c.invalid.Load(),
		Late: c.late.Load(), Lost: c.lost.Load(), Duplicate: c.duplicate.Load(), Resync: c.resync.Load(),
		Relayed: c.relayed.Load(), Excess: c.excess.Load(),
		Silent: time.Duration(c.silent.Load()) * tick,
	}
}

func (p *Port) negotiated(s Session) {
	if s.Ptime < 10*time.Millisecond || s.Ptime > 60*time.Millisecond {
		s.Ptime = tick
	}
	s.Remote = netip.AddrPortFrom(s.Remote.Addr().Unmap(), s.Remote.Port())
	if !p.agreed || s.Remote != p.session.Remote {
		p.source.Expect(s.Remote)
		p.dest.Set(s.Remote)
	}
	p.session, p.agreed = s, true
	if p.link != nil {
		p.link.listen()
		if b := p.link.bridge; b != nil {
			b.pair.turn(b)
		}
	}
}

func (p *Port) sendKeys(ref hal.Ref, keys string) {
	switch {
	case p.link == nil || !p.agreed || !p.session.Send:
		p.w.fail(p.leg, ref, "the leg cannot be sent keys now")
	case !p.keysOut.Add(keys):
		p.w.fail(p.leg, ref, "these keys cannot be sent")
	default:
		p.keysRef = ref
	}
}

// rest forgets what belongs to the leg that was attached.
func (p *Port) rest() {
	p.jitter.Reset()
	p.out.Pause(uint32(p.filled))
	p.filled = 0
}

// shut takes the port out of the worker and closes its sockets.
func (p *Port) shut() {
	p.closed.Store(true)
	if p.link != nil {
		p.link.part()
		p.link.port, p.link.audio, p.link.heard = nil, nil, false
		p.link = nil
	}
	if p.fd >= 0 && p.fd < len(p.w.sockets) && p.w.sockets[p.fd] == p {
		p.w.sockets[p.fd] = nil
		p.w.poll.Remove(p.fd)
	}
	p.release()
}

// pullKeys tells the keys that ended in this tick, and publishes what the buffer counted.
func (p *Port) pullKeys(w *Worker) {
	if press, ok := p.keysIn.Tick(); ok {
		if press.Key == rtp.Flash {
			w.out.Tell(mail.Notice{Kind: mail.Flash, Leg: p.link.id})
		} else {
			w.out.Tell(mail.Notice{Kind: mail.Digit, Leg: p.link.id, Key: press.Key, Held: press.For, Passed: press.Passed})
		}
	}
	p.source.Silent++
	p.stats.silent.Store(uint64(p.source.Silent))
	p.stats.late.Store(p.jitter.Late)
	p.stats.lost.Store(p.jitter.Lost)
	p.stats.duplicate.Store(p.jitter.Duplicate)
	p.stats.resync.Store(p.jitter.Resync)
}

// push sends one frame. The clock of the stream runs on while nothing is sent.
func (p *Port) push(pcm []int16, sounds bool) {
	now := p.out.Timestamp + uint32(p.filled)
	if p.agreed && p.session.DTMF != 0 {
		if event, send, pressed := p.keysOut.Tick(now); send || pressed != 0 {
			p.pushEvent(event, send)
			sounds = sounds && pressed == 0 // no sound beside a key: some phones would play both
		}
	} else if _, _, pressed := p.keysOut.Tick(now); pressed != 0 {
		p.toneKey(pressed, pcm)
		sounds = true
	} else {
		p.keyDown = 0
	}
	if !sounds || !p.agreed || !p.session.Send || !p.dest.Valid() || p.session.Codec == Raw {
		p.out.Pause(uint32(p.filled) + p.step())
		p.filled = 0
		return
	}
	p.append(pcm)
}

// append puts at most a frame behind what is pending, and sends the packets that become full.
func (p *Port) append(pcm []int16) {
	p.filled += copy(p.pending[p.filled:], pcm)
	size := dsp.Samples(p.session.Ptime, rate)
	sent := 0
	for p.filled-sent >= size {
		p.sendSound(p.pending[sent : sent+size])
		sent += size
	}
	p.filled = copy(p.pending[:], p.pending[sent:p.filled])
}

// sendRest sends what is pending as a packet that is shorter than the others.
func (p *Port) sendRest() {
	if p.filled > 0 {
		p.sendSound(p.pending[:p.filled])
		p.filled = 0
	}
}

// sendSound sends one packet of sound; the first after a pause is marked.
func (p *Port) sendSound(pcm []int16) {
	payload := p.packet[rtp.HeaderLen : rtp.HeaderLen+len(pcm)]
	encode(payload, pcm, p.session.Codec)
	head := p.out.Sound(p.session.PayloadType, uint32(len(pcm)))
	p.transmit(&head, len(pcm))
}

func encode(b []byte, pcm []int16, c Codec) {
	if c == PCMA {
		dsp.EncodeALaw(b, pcm)
	} else {
		dsp.EncodeULaw(b, pcm)
	}
}

// pushEvent sends a packet of a key.
func (p *Port) pushEvent(e rtp.KeyPacket, send bool) {
	if !send || !p.session.Send || !p.dest.Valid() {
		return
	}
	head := p.out.Event(p.session.DTMF, e.Timestamp, e.Marker)
	p.transmit(&head, copy(p.packet[rtp.HeaderLen:], e.Payload[:]))
}

// toneKey puts the tone of key in place of pcm.
func (p *Port) toneKey(key byte, pcm []int16) {
	if key != p.keyDown {
		p.keyDown = key
		tone, _ := dsp.KeyTone(key) // no tone for a flash: silence
		p.keyTone = dsp.NewGenerator(tone, rate)
	}
	p.keyTone.Fill(pcm)
}

// transmit sends head and the n bytes that lie behind it in packet; the kernel reads from memory
// that does not move.
func (p *Port) transmit(head *rtp.Packet, n int) {
	head.PutHeader(p.packet[:])
	p.stats.sent.Add(1)
	if p.fd >= 0 {
		udp.Send(p.fd, p.packet[:rtp.HeaderLen+n], &p.dest) // a datagram that cannot be sent is lost, as on the net
	}
}
