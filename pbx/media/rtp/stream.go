package rtp

// Stream is the numbering of what we send to one far end. Our own sound, keys and pauses feed it, or
// the packets of another sender do; whatever changes, the SSRC stays, sequence numbers go up by one
// and timestamps go on where the sound before them ended. The zero value is ready.
type Stream struct {
	SSRC      uint32
	Seq       uint16 // of the next packet
	Timestamp uint32 // of the next sound
	talking   bool   // sound was sent just before

	// How the numbers of another sender become ours, while its packets are sent on.
	joined      bool
	from        stream // its newest packet
	first       uint16 // nothing older is sent on
	newest, end uint32 // its timestamps: of the newest sound, and after it
	seqBy       uint16
	timeBy      uint32
	quiet       int    // ticks without sound
	step        uint32 // a tick
	lead        uint32 // how much sound was sent before its time
}

const (
	seqWindow  = 100     // packets: what is further off is a new beginning
	timeWindow = 480_000 // 10 s of the fastest clock, likewise
	spoke      = 5       // ticks after the last sound in which the sender still counts as speaking
)

// Sound is the header of the next packet of our own sound; the first after a pause is marked.
func (s *Stream) Sound(payloadType uint8, samples uint32) Packet {
	p := Packet{Marker: !s.talking, PayloadType: payloadType, Seq: s.Seq, Timestamp: s.Timestamp, SSRC: s.SSRC}
	s.talking = true
	s.Seq++
	s.Timestamp += samples
	return p
}

// Event is the header of a packet of one of our own keys, which began at timestamp.
func (s *Stream) Event(payloadType uint8, timestamp uint32, marker bool) Packet {
	p := Packet{Marker: marker, PayloadType: payloadType, Seq: s.Seq, Timestamp: timestamp, SSRC: s.SSRC}
	s.Seq++
	return p
}

// Pause lets time pass in which nothing is sent.
func (s *Stream) Pause(samples uint32) {
	s.Timestamp += samples
	s.talking = false
}

// Talking says that sound was sent just before.
func (s *Stream) Talking() bool { return s.talking }

// Join begins to send on what another sender says: whatever it sends next goes on where we are.
func (s *Stream) Join() { s.joined, s.quiet, s.lead = false, 0, 0 }

// JoinAt is Join for a sender whose sound until timestamp, and packets until seq, have been sent
// already, lead of it before its time.
func (s *Stream) JoinAt(ssrc uint32, seq uint16, timestamp, lead uint32) {
	s.Join()
	s.joined, s.lead = true, lead
	s.from, s.first = stream{ssrc, seq}, seq+1
	s.newest, s.end = timestamp, timestamp
	s.seqBy, s.timeBy = s.Seq-s.first, s.Timestamp-timestamp
}

// Tick is called every 20 ms, step by the stream's clock, between Join and Leave.
func (s *Stream) Tick(step uint32) {
	s.quiet++
	s.step = step
}

// Leave ends what Join began. Speaking: the sender spoke just now, and what it says next, from
// timestamp end of its own on, belongs right behind what was sent. Else time has caught up.
func (s *Stream) Leave() (end uint32, speaking bool) {
	speaking = s.joined && s.quiet <= spoke
	if late := uint32(s.quiet) * s.step; !speaking && late > 0 {
		s.Pause(late - min(s.lead, late))
	}
	s.joined, s.quiet = false, 0
	return s.end, speaking
}

// End is the sender's timestamp after the sound that was sent on. False: nothing was yet.
func (s *Stream) End() (uint32, bool) { return s.end, s.joined }

// Relay gives p, a packet of another sender with so many samples of sound (0: of a key), our
// numbers. False: it came twice or too late and is not to be sent.
func (s *Stream) Relay(p *Packet, samples uint32) bool {
	switch s.place(p, samples) {
	case gone:
		return false
	case strange:
		s.begin(p)
	}
	newer := int16(p.Seq-s.from.seq) >= 0
	if newer {
		s.from.seq = p.Seq
		s.Seq = p.Seq + s.seqBy + 1
	}
	if samples > 0 {
		if newer {
			s.newest = p.Timestamp
		}
		if end := p.Timestamp + samples; int32(end-s.end) > 0 {
			s.end = end
			s.Timestamp = end + s.timeBy
		}
		s.talking, s.quiet = true, 0
	}
	p.Seq, p.Timestamp, p.SSRC = p.Seq+s.seqBy, p.Timestamp+s.timeBy, s.SSRC
	return true
}

// Withhold says that p of the sender is not sent on; it leaves no hole in our numbers.
func (s *Stream) Withhold(p *Packet) {
	ahead := int16(p.Seq - s.from.seq)
	if !s.joined || p.SSRC != s.from.ssrc || ahead <= 0 || ahead > seqWindow {
		return
	}
	s.seqBy--
	s.from.seq, s.first = p.Seq, p.Seq+1
}

// place of a packet among those of the sender.
type place uint8

const (
	here    place = iota // it goes on
	gone                 // it is one that was, or comes too late
	strange              // a new beginning
)

func (s *Stream) place(p *Packet, samples uint32) place {
	if !s.joined || p.SSRC != s.from.ssrc {
		return strange
	}
	ahead, drift := int16(p.Seq-s.from.seq), int32(p.Timestamp-s.newest)
	switch {
	case ahead == 0:
		return gone
	case ahead < -seqWindow || ahead > seqWindow || drift < -timeWindow || drift > timeWindow:
		return strange
	case ahead < 0 && (int16(p.Seq-s.first) < 0 || drift > 0):
		return gone
	case ahead > 0 && drift < 0 && samples > 0:
		return strange
	}
	return here
}

// begin takes p as the first of a sender; after a pause it is marked.
func (s *Stream) begin(p *Packet) {
	if s.quiet > 1 {
		s.Pause(uint32(s.quiet-1) * s.step)
	}
	p.Marker = p.Marker || !s.talking
	s.joined, s.lead, s.quiet = true, 0, 0
	s.from, s.first = stream{p.SSRC, p.Seq}, p.Seq
	s.newest, s.end = p.Timestamp, p.Timestamp
	s.seqBy, s.timeBy = s.Seq-p.Seq, s.Timestamp-p.Timestamp
}
