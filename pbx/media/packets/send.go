package packets

import (
	"branchline/hal/dsp"
	"branchline/pbx/media/rtp"
	"branchline/pbx/media/udp"
)

// clock is how fast the timestamps of the stream count, in Hz.
func (e *End) clock() uint32 {
	if e.session.Codec == Raw && e.session.ClockHz != 0 {
		return e.session.ClockHz
	}
	return rate
}

// step is a tick by the clock of the stream.
func (e *End) step() uint32 { return e.clock() / (1000 / uint32(tick.Milliseconds())) }

// Push sends one frame; sounds: there is something in it. The clock of the stream runs on while nothing is sent.
func (e *End) Push(pcm []int16, sounds bool) {
	now := e.out.Timestamp + uint32(e.filled)
	if e.agreed && e.session.DTMF != 0 {
		if event, send, pressed := e.keysOut.Tick(now); send || pressed != 0 {
			e.pushEvent(event, send)
			sounds = sounds && pressed == 0 // no sound beside a key: some phones would play both
		}
	} else if _, _, pressed := e.keysOut.Tick(now); pressed != 0 {
		e.toneKey(pressed, pcm)
		sounds = true
	} else {
		e.keyDown = 0
	}
	if !sounds || !e.agreed || !e.session.Send || !e.dest.Valid() || e.session.Codec == Raw {
		e.out.Pause(uint32(e.filled) + e.step())
		e.filled = 0
		return
	}
	e.append(pcm)
}

// append puts at most a frame behind what is pending, and sends the packets that become full.
func (e *End) append(pcm []int16) {
	e.filled += copy(e.pending[e.filled:], pcm)
	size := dsp.Samples(e.session.Ptime, rate)
	sent := 0
	for e.filled-sent >= size {
		e.sendSound(e.pending[sent : sent+size])
		sent += size
	}
	e.filled = copy(e.pending[:], e.pending[sent:e.filled])
}

// sendRest sends what is pending as a packet that is shorter than the others.
func (e *End) sendRest() {
	if e.filled > 0 {
		e.sendSound(e.pending[:e.filled])
		e.filled = 0
	}
}

// sendSound sends one packet of sound; the first after a pause is marked.
func (e *End) sendSound(pcm []int16) {
	payload := e.packet[rtp.HeaderLen : rtp.HeaderLen+len(pcm)]
	encode(payload, pcm, e.session.Codec)
	head := e.out.Sound(e.session.PayloadType, uint32(len(pcm)))
	e.transmit(&head, len(pcm))
}

func encode(b []byte, pcm []int16, c Codec) {
	if c == PCMA {
		dsp.EncodeALaw(b, pcm)
	} else {
		dsp.EncodeULaw(b, pcm)
	}
}

// pushEvent sends a packet of a key.
func (e *End) pushEvent(k rtp.KeyPacket, send bool) {
	if !send || !e.session.Send || !e.dest.Valid() {
		return
	}
	head := e.out.Event(e.session.DTMF, k.Timestamp, k.Marker)
	e.transmit(&head, copy(e.packet[rtp.HeaderLen:], k.Payload[:]))
}

// toneKey puts the tone of key in place of pcm.
func (e *End) toneKey(key byte, pcm []int16) {
	if key != e.keyDown {
		e.keyDown = key
		tone, _ := dsp.KeyTone(key) // no tone for a flash: silence
		e.keyTone = dsp.NewGenerator(tone, rate)
	}
	e.keyTone.Fill(pcm)
}

// transmit sends head and the n bytes that lie behind it in packet; the kernel reads from memory
// that does not move.
func (e *End) transmit(head *rtp.Packet, n int) {
	head.PutHeader(e.packet[:])
	e.stats.sent.Add(1)
	e.reports.packets++
	e.reports.octets += uint32(n)
	n += rtp.HeaderLen
	if e.seal != nil {
		n = e.seal.Protect(e.packet[:], n)
	}
	if e.capture != nil {
		e.captured(true, e.dest.At(), e.packet[:n])
	}
	if e.fd >= 0 {
		udp.Send(e.fd, e.packet[:n], &e.dest) // a datagram that cannot be sent is lost, as on the net
	}
}
