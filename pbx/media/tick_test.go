package media

import (
	"testing"
	"time"

	"branchline/hal"
	"branchline/hal/dsp"
	"branchline/pbx/media/rtp"
)

// sender makes the packets of a far end.
type sender struct {
	head rtp.Packet
	buf  [rtp.HeaderLen + frame]byte
	gen  dsp.Generator
	pcm  [frame]int16
}

func newSender(ssrc uint32, hz float64) *sender {
	return &sender{head: rtp.Packet{SSRC: ssrc, Seq: 65530, Timestamp: 1<<32 - 800}, gen: dsp.NewGenerator(sine(hz), rate)}
}

// packet is the next 20 ms in codec c.
func (s *sender) packet(c Codec) []byte {
	s.gen.Fill(s.pcm[:])
	if s.head.PayloadType = 0; c == PCMA {
		s.head.PayloadType = 8
		dsp.EncodeALaw(s.buf[rtp.HeaderLen:], s.pcm[:])
	} else {
		dsp.EncodeULaw(s.buf[rtp.HeaderLen:], s.pcm[:])
	}
	s.head.PutHeader(s.buf[:])
	s.head.Seq++
	s.head.Timestamp += frame
	return s.buf[:]
}

// again is the next packet with the sound of the one before, which costs a benchmark little.
func (s *sender) again() []byte {
	s.head.PutHeader(s.buf[:])
	s.head.Seq++
	s.head.Timestamp += frame
	return s.buf[:]
}

func (s *sender) event(payload ...byte) []byte {
	head := s.head
	head.PayloadType = 101
	b := make([]byte, rtp.HeaderLen, rtp.HeaderLen+4)
	head.PutHeader(b)
	s.head.Seq++
	return append(b, payload...)
}

// house is the box in full swing: calls of two RTP legs each, and some of everything else.
func house(t testing.TB, calls int, extras bool) (d *desk, turn, again func()) {
	r := &reel{t: t, files: map[string]*film{}}
	d = newDesk(t, Options{Recorder: r})
	d.opt.Recorder = deaf{}
	var ports []*Port
	var senders []*sender
	for i := range 2 * calls {
		id := hal.IncomingLeg("phones", 1, uint64(i))
		ports = append(ports, d.port(id, session(i, Codec(i%2))))
		senders = append(senders, newSender(uint32(i), 300+10*float64(i)))
		d.order(join(id, hal.BridgeID(rune('A'+i/2))))
	}
	if extras {
		d.party("wide", 500).heard = nil
		d.byID["wide"].audio = &mute{16000}
		d.byID["wide"].rate = 16000
		d.Attach("wait", &mute{8000})
		d.Attach("rtpwait", d.newPort("rtpwait", remote(99), -1, -1))
		d.settle()
		d.byID["rtpwait"].port.Negotiated(Session{Remote: remote(99), Send: true, Recv: true, Ptime: 30 * ms})
		d.order(join("wide", "A"),
			hal.Join{Leg: hal.IncomingLeg("phones", 1, 3), Bridge: "A", Role: hal.Whisper, To: "wide"},
			hal.Play{Leg: "wait", Ref: "m", Items: []hal.Item{{Tone: "music"}}},
			hal.Play{Leg: "rtpwait", Ref: "n", Items: []hal.Item{{Tone: "ringback"}}},
			hal.Play{Bridge: "A", Ref: "o", Items: []hal.Item{{Tone: "dial"}}, Under: true},
			hal.Record{Bridge: "A", Ref: "r", File: "f", Left: []hal.LegID{"wide"}, Right: []hal.LegID{hal.IncomingLeg("phones", 1, 0)}})
		ports[5].Negotiated(Session{Remote: remote(5), Send: true, Recv: true}) // keys in the sound
		d.settle()
	}
	return d, func() {
			for i, p := range ports {
				p.take(senders[i].packet(Codec(i%2)), remote(i), false)
			}
			d.tick()
		}, func() {
			for i, p := range ports {
				p.take(senders[i].again(), remote(i), false)
			}
			d.tick()
		}
}

// deaf is a Recorder that keeps nothing, mute an Audio that keeps nothing.
type deaf struct{ Tape }

func (deaf) Open(string, int, func(time.Duration, error)) (Tape, error) { return deaf{}, nil }
func (deaf) Write([]int16) bool                                         { return true }
func (deaf) Close()                                                     {}

type mute struct{ rate int }

func (m *mute) Rate() int             { return m.rate }
func (m *mute) Read(pcm []int16) int  { return len(pcm) }
func (m *mute) Write(pcm []int16) int { return len(pcm) }

func TestTheTickAllocatesNothingOnAnyPath(t *testing.T) {
	d, turn, _ := house(t, 4, true)
	for range 20 {
		turn()
	}
	port := d.byID[hal.IncomingLeg("phones", 1, 2)].port
	if n := testing.AllocsPerRun(300, func() {
		port.end.SendKeys("1")
		turn()
		for _, ok := d.out.Next(); ok; _, ok = d.out.Next() {
		}
	}); n != 0 {
		t.Errorf("%v allocations per tick", n)
	}
	if s := port.Stats(); s.Sent < 300 || s.Received < 300 || d.byID["rtpwait"].port.Stats().Sent < 100 {
		t.Error("the house was not at work")
	}
}

// BenchmarkMixTick32Calls is a tick of 32 calls of two G.711 legs each: 64 packets taken, decoded,
// mixed, encoded and packed. The system calls are not in it; BenchmarkSocketTick32Calls has them.
func BenchmarkMixTick32Calls(b *testing.B) {
	_, turn, again := house(b, 32, false)
	turn()
	b.ReportAllocs()
	for b.Loop() {
		again()
	}
}

// FuzzTake throws datagrams at a port in the middle of a call that is passed through.
func FuzzTake(f *testing.F) {
	s := newSender(1, 400)
	f.Add(append([]byte(nil), s.packet(PCMU)...), s.event(5, 0x80, 1, 0))
	f.Add([]byte{0x80}, []byte{0xbf, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff})
	f.Fuzz(func(t *testing.T, one, two []byte) {
		d := newDesk(t, Options{})
		p := d.port("a", session(1, PCMU))
		d.port("b", session(3, PCMU))
		d.order(join("a", "x"), join("b", "x"))
		d.ticks(1)
		for _, b := range [][]byte{one, two, one} {
			p.take(b, remote(1), false)
			d.tick()
		}
		for range 4 {
			p.take(two, remote(2), false)
		}
		d.ticks(20)
		if got := d.told(); len(got) > 4 {
			t.Errorf("four packets told %v", got)
		}
	})
}
