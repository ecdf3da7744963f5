package packets

import (
	"time"

	"branchline/pbx/media/rtp"
)

const (
	perTick = 4  // packets that may be passed on: a packet each 10 ms, and a key beside them
	burst   = 32 // and after a pause, as a net may have held them up
)

// passage is what an End knows of the one that it is joined to.
type passage struct {
	to     *End // where what comes in goes on; nil: into the mix
	tapped bool // it is decoded besides, for a tape or for keys in the sound
	allow  int  // packets that may go on until the next tick

	settles bool   // the mix rests
	awaited bool   // for our sound
	heard   uint32 // our timestamp until which the other end has heard us

	key     [4]byte // the key that is being passed on to us
	keyAt   uint32
	keyDown bool
}

// Passes says whether what comes and goes here could pass through as it is: sound both ways, and no
// keys of our own on their way.
func (e *End) Passes() bool {
	return e.agreed && e.session.Send && e.session.Recv && e.dest.Valid() && !e.keysOut.Busy()
}

// Agrees says whether e and q carry the same packets.
func (e *End) Agrees(q *End) bool {
	x, y := &e.session, &q.session
	return x.Codec == y.Codec && x.Ptime == y.Ptime &&
		(x.Codec != Raw || x.Format == y.Format && x.ClockHz == y.ClockHz)
}

// Join passes what comes in at one of x and y on at the other, until both Leave. Mixed: they have
// heard each other in the mix until now; waited: for how many ticks they have rested since Leave. Tap
// follows for each.
func Join(x, y *End, mixed bool, waited int) {
	x.flush(y, mixed, waited)
	y.flush(x, mixed, waited)
	x.pass = passage{to: y, tapped: true, allow: burst}
	y.pass = passage{to: x, tapped: true, allow: burst}
}

// Joined says whether what comes in at e goes on elsewhere.
func (e *End) Joined() bool { return e.pass.to != nil }

// Tap says, between Join and Leave, whether what is passed on is decoded besides.
func (e *End) Tap(on bool) {
	if on == e.pass.tapped {
		return
	}
	e.pass.tapped = on
	e.jitter.Reset()
	if at, ok := e.pass.to.out.End(); on && ok {
		e.jitter.Resume(at)
	}
}

// Part ends what Leave began for two ends that rested for waited ticks: the mix goes on, whether or
// not it has sound yet.
func Part(x, y *End, waited int) {
	x.catchUp(y, waited)
	y.catchUp(x, waited)
	x.pass, y.pass = passage{}, passage{}
}

// catchUp lets the time pass that e waited for sound of q, where none has come.
func (e *End) catchUp(q *End, waited int) {
	if waited > 0 && (!q.pass.awaited || !q.Ready()) {
		e.out.Pause(uint32(waited) * e.step())
	}
}

// flush sends to q what e has gathered and q has not heard, and joins q's numbers to e's. Mixed: q
// has heard e's sound in the mix until now; waited: how long the mix has rested.
func (e *End) flush(q *End, mixed bool, waited int) {
	at, end, ok := e.jitter.Span()
	switch {
	case e.pass.settles && e.pass.awaited:
		if at = e.pass.heard; !ok || int32(end-at) < 0 {
			end = at
		}
		ok = true
	case e.pass.settles:
		q.out.Pause(uint32(waited) * q.step())
		ok = false
	}
	if !ok || !e.pass.settles && !(mixed && q.out.Talking()) {
		q.sendRest()
		q.out.Join()
		return
	}
	lead := uint32(0)
	for n := e.jitter.Rest(at, e.pcm[:frame]); n > 0; n = e.jitter.Rest(at+lead, e.pcm[:frame]) {
		q.append(e.pcm[:n])
		lead += uint32(n)
	}
	q.sendRest()
	ssrc, seq := e.source.Newest()
	q.out.JoinAt(ssrc, seq, end, lead)
}

// Leave stops to pass on to q. What e says next is due behind what q has heard, see Ready.
func (e *End) Leave(q *End) {
	q.endKey()
	heard, speaking := q.out.Leave()
	e.pass.to, e.pass.settles, e.pass.heard = nil, true, heard
	e.pass.awaited = speaking && e.session.Recv && q.session.Send && e.session.Codec != Raw
	if e.pass.tapped && e.pass.awaited {
		return
	}
	e.pass.tapped = false
	e.jitter.Reset()
	if e.pass.awaited {
		e.jitter.Resume(heard)
	}
}

// Ready says whether the mix can go on behind what was heard of e.
func (e *End) Ready() bool { return !e.pass.awaited || e.jitter.Ready(e.pass.heard) }

// Hear fills pcm, a frame, with this tick's sound of e, for the mix or a tape. False: silence.
func (e *End) Hear(pcm []int16) bool {
	w := &e.pass
	if w.to != nil && !w.tapped || w.settles && !(w.tapped && e.jitter.Behind(w.heard)) {
		clear(pcm)
		return false
	}
	return e.jitter.Get(pcm)
}

// Rests says whether in this tick nothing is to be pushed, because e is joined or has just been.
func (e *End) Rests() bool {
	if e.pass.to != nil {
		e.out.Tick(e.step())
		e.pass.allow = min(e.pass.allow+perTick, burst)
		return true
	}
	return e.pass.settles
}

// relaySound passes a packet of sound on.
func (e *End) relaySound(packet *rtp.Packet, codec Codec) {
	q, head, n := e.pass.to, *packet, len(packet.Payload)
	samples := uint32(n)
	if codec == Raw {
		samples = uint32(e.session.Ptime * time.Duration(e.step()) / tick)
	}
	if !e.relay(&head, samples) {
		return
	}
	payload := q.packet[rtp.HeaderLen : rtp.HeaderLen+n]
	if codec == q.session.Codec {
		copy(payload, packet.Payload)
	} else { // one that the other end need not know
		decode(e.pcm[:n], packet.Payload, codec)
		encode(payload, e.pcm[:n], q.session.Codec)
	}
	head.PayloadType = q.session.PayloadType
	q.transmit(&head, n)
}

// relayKey passes a packet of a key on.
func (e *End) relayKey(packet *rtp.Packet) {
	q, head := e.pass.to, *packet
	if !e.relay(&head, 0) {
		return
	}
	head.PayloadType = q.session.DTMF
	q.pass.keyAt, q.pass.keyDown = head.Timestamp, packet.Payload[1]&0x80 == 0
	copy(q.pass.key[:], packet.Payload)
	q.transmit(&head, copy(q.packet[rtp.HeaderLen:], q.pass.key[:]))
}

// endKey ends the key that is being passed on to e, when the rest of it will not be.
func (e *End) endKey() {
	if !e.pass.keyDown || e.session.DTMF == 0 {
		return
	}
	e.pass.keyDown = false
	e.pass.key[1] |= 0x80
	for range 3 { // RFC 4733 section 2.5.1.4
		head := e.out.Event(e.session.DTMF, e.pass.keyAt, false)
		e.transmit(&head, copy(e.packet[rtp.HeaderLen:], e.pass.key[:]))
	}
}

// relay gives head the numbers of the other end. False: it is not to be passed on.
func (e *End) relay(head *rtp.Packet, samples uint32) bool {
	if e.pass.allow == 0 {
		count(&e.stats.excess)
		e.withhold(head)
		return false
	}
	if !e.pass.to.out.Relay(head, samples) {
		return false
	}
	e.pass.allow--
	count(&e.stats.relayed)
	return true
}

// withhold says that a packet is not passed on.
func (e *End) withhold(packet *rtp.Packet) {
	if e.pass.to != nil {
		e.pass.to.out.Withhold(packet)
	}
}
