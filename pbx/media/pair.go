package media

import (
	"time"

	"branchline/hal"
	"branchline/pbx/media/rtp"
)

// pair is the two ports of a bridge that are passed through: what comes in at one goes out at the
// other when it comes, not with the tick. It begins and ends so that nobody hears it.
//
// The mix is behind the packets by what its buffers hold. So where a pair begins, what is in the
// buffers is sent ahead, and the packets go on behind that. Where it ends the mix rests until the
// buffers hold what comes behind the last packet sent: for some ticks nothing is sent, nothing that
// was heard is heard again, and what the far ends gathered bridges the pause.
type pair struct {
	a, b     *Port // nil: the bridge is mixed
	settling bool  // it has ended, the mix rests
	waited   int   // ticks of that
}

const (
	maxSettle = 5  // ticks; who has not spoken by then is silent
	perTick   = 4  // packets that may be passed on: a packet each 10 ms, and a key beside them
	burst     = 32 // and after a pause, as a net may have held them up
)

// passage is what a Port knows of its pair.
type passage struct {
	to     *Port // where what comes in goes on; nil: into the mix
	tapped bool  // it is decoded besides, for a tape or for keys in the sound
	allow  int   // packets that may go on until the next tick

	settles bool   // the mix rests
	awaited bool   // for our sound
	heard   uint32 // our timestamp until which the other end has heard us

	key     [4]byte // the key that is being passed on to us
	keyAt   uint32
	keyDown bool
}

// passes says whether b may be passed through: two ports that agree, and nothing to be mixed,
// played or converted.
func (b *bridge) passes() bool {
	if len(b.members) != 2 || b.play != nil && b.play.ready {
		return false
	}
	for _, l := range b.members {
		p := l.port
		if p == nil || l.role != hal.Talk || l.broken || l.play != nil && l.play.ready ||
			!p.agreed || !p.session.Send || !p.session.Recv || !p.dest.Valid() || p.keysOut.Busy() {
			return false
		}
	}
	x, y := &b.members[0].port.session, &b.members[1].port.session
	return x.Codec == y.Codec && x.Ptime == y.Ptime &&
		(x.Codec != Raw || x.Format == y.Format && x.ClockHz == y.ClockHz)
}

// tick is called at the beginning of every tick.
func (r *pair) tick(b *bridge) {
	r.turn(b)
	if !r.settling {
		return
	}
	if r.a.ready() && r.b.ready() || r.waited == maxSettle {
		r.end()
		return
	}
	r.waited++
}

// turn begins or leaves, as b is now.
func (r *pair) turn(b *bridge) {
	fits, on := b.passes(), r.a != nil && !r.settling
	switch {
	case fits && !on:
		r.begin(b)
	case !fits && on:
		r.leave()
	case on:
		r.a.tap()
		r.b.tap()
	}
}

// begin passes the two members of b through.
func (r *pair) begin(b *bridge) {
	x, y := b.members[0], b.members[1]
	mixed := x.mixed && y.mixed
	x.port.flush(y.port, mixed, r.waited)
	y.port.flush(x.port, mixed, r.waited)
	*r = pair{a: x.port, b: y.port}
	for _, l := range b.members {
		l.mixed = false
		l.port.pass = passage{to: r.other(l.port), tapped: l.tapped(), allow: burst}
		if !l.port.pass.tapped {
			l.port.jitter.Reset()
		}
	}
}

// leave gives the sound back to the mix, which rests until it can go on.
func (r *pair) leave() {
	r.settling, r.waited = true, 0
	r.a.leave(r.b)
	r.b.leave(r.a)
}

// end lets the mix go on, whether or not it has sound yet. Ending what has ended does nothing.
func (r *pair) end() {
	if r.a == nil {
		return
	}
	if !r.settling {
		r.leave()
	}
	for _, p := range [...]*Port{r.a, r.b} {
		if q := r.other(p); !q.pass.awaited || !q.ready() { // what was waited for does not come
			p.out.Pause(uint32(r.waited) * p.step())
		}
	}
	r.a.pass, r.b.pass = passage{}, passage{}
	*r = pair{}
}

func (r *pair) has(p *Port) bool { return p != nil && (r.a == p || r.b == p) }

func (r *pair) other(p *Port) *Port {
	if p == r.a {
		return r.b
	}
	return r.a
}

// part ends the pair that l is in, because l goes.
func (l *leg) part() {
	if l.bridge != nil && l.bridge.pair.has(l.port) {
		l.bridge.pair.end()
	}
}

// tapped says whether the sound of l is needed as sound though it is passed on.
func (l *leg) tapped() bool {
	return l.port.session.Codec != Raw && (l.detector != nil || len(l.bridge.tapes) > 0)
}

// tap begins or ends to decode what is passed on.
func (p *Port) tap() {
	on := p.link.tapped()
	if on == p.pass.tapped {
		return
	}
	p.pass.tapped = on
	p.jitter.Reset()
	if at, ok := p.pass.to.out.End(); on && ok {
		p.jitter.Resume(at)
	}
}

// flush sends to q what p has gathered and q has not heard, and joins q's numbers to p's. Mixed: q
// has heard p's sound in the mix until now; waited: how long the mix has rested.
func (p *Port) flush(q *Port, mixed bool, waited int) {
	at, end, ok := p.jitter.Span()
	switch {
	case p.pass.settles && p.pass.awaited:
		if at = p.pass.heard; !ok || int32(end-at) < 0 {
			end = at
		}
		ok = true
	case p.pass.settles:
		q.out.Pause(uint32(waited) * q.step())
		ok = false
	}
	if !ok || !p.pass.settles && !(mixed && q.out.Talking()) {
		q.sendRest()
		q.out.Join()
		return
	}
	lead := uint32(0)
	for n := p.jitter.Rest(at, p.pcm[:frame]); n > 0; n = p.jitter.Rest(at+lead, p.pcm[:frame]) {
		q.append(p.pcm[:n])
		lead += uint32(n)
	}
	q.sendRest()
	ssrc, seq := p.source.Newest()
	q.out.JoinAt(ssrc, seq, end, lead)
}

// leave stops to pass on to q.
func (p *Port) leave(q *Port) {
	q.endKey()
	heard, speaking := q.out.Leave()
	p.pass.to, p.pass.settles, p.pass.heard = nil, true, heard
	p.pass.awaited = speaking && p.session.Recv && q.session.Send && p.session.Codec != Raw
	if p.pass.tapped && p.pass.awaited {
		return
	}
	p.pass.tapped = false
	p.jitter.Reset()
	if p.pass.awaited {
		p.jitter.Resume(heard)
	}
}

// ready says whether the mix can go on behind what was heard of p.
func (p *Port) ready() bool { return !p.pass.awaited || p.jitter.Ready(p.pass.heard) }

// hear fills pcm with this tick's sound of p, for the mix or a tape.
func (p *Port) hear(pcm []int16) bool {
	w := &p.pass
	if w.to != nil && !w.tapped || w.settles && !(w.tapped && p.jitter.Behind(w.heard)) {
		clear(pcm)
		return false
	}
	return p.jitter.Get(pcm)
}

// rests says whether in this tick nothing is to be sent to p by the mix.
func (p *Port) rests() bool {
	if p.pass.to != nil {
		p.out.Tick(p.step())
		p.pass.allow = min(p.pass.allow+perTick, burst)
		return true
	}
	return p.pass.settles
}

// relaySound passes a packet of sound on.
func (p *Port) relaySound(packet *rtp.Packet, codec Codec) {
	q, head, n := p.pass.to, *packet, len(packet.Payload)
	samples := uint32(n)
	if codec == Raw {
		samples = uint32(p.session.Ptime * time.Duration(p.step()) / tick)
	}
	if !p.relay(&head, samples) {
		return
	}
	payload := q.packet[rtp.HeaderLen : rtp.HeaderLen+n]
	if codec == q.session.Codec {
		copy(payload, packet.Payload)
	} else { // one that the other end need not know
		decode(p.pcm[:n], packet.Payload, codec)
		encode(payload, p.pcm[:n], q.session.Codec)
	}
	head.PayloadType = q.session.PayloadType
	q.transmit(&head, n)
}

// relayKey passes a packet of a key on.
func (p *Port) relayKey(packet *rtp.Packet) {
	q, head := p.pass.to, *packet
	if !p.relay(&head, 0) {
		return
	}
	head.PayloadType = q.session.DTMF
	q.pass.keyAt, q.pass.keyDown = head.Timestamp, packet.Payload[1]&0x80 == 0
	copy(q.pass.key[:], packet.Payload)
	q.transmit(&head, copy(q.packet[rtp.HeaderLen:], q.pass.key[:]))
}

// endKey ends the key that is being passed on to q, when the rest of it will not be.
func (q *Port) endKey() {
	if !q.pass.keyDown || q.session.DTMF == 0 {
		return
	}
	q.pass.keyDown = false
	q.pass.key[1] |= 0x80
	for range 3 { // RFC 4733 section 2.5.1.4
		head := q.out.Event(q.session.DTMF, q.pass.keyAt, false)
		q.transmit(&head, copy(q.packet[rtp.HeaderLen:], q.pass.key[:]))
	}
}

// relay gives head the numbers of the other end. False: it is not to be passed on.
func (p *Port) relay(head *rtp.Packet, samples uint32) bool {
	if p.pass.allow == 0 {
		count(&p.stats.excess)
		p.withhold(head)
		return false
	}
	if !p.pass.to.out.Relay(head, samples) {
		return false
	}
	p.pass.allow--
	count(&p.stats.relayed)
	return true
}

// withhold says that a packet is not passed on.
func (p *Port) withhold(packet *rtp.Packet) {
	if p.pass.to != nil {
		p.pass.to.out.Withhold(packet)
	}
}
