// Package packets is the RTP end of one leg: what was negotiated, whose packets count, the buffer and
// the keys of what comes in, the numbers and the keys of what goes out. Two ends that agree may be
// joined, so that what comes in at one goes out at the other when it comes.
//
// An End belongs to one goroutine, which takes its packets, pulls and pushes a frame in every tick;
// of its methods Stats and Quality alone may be called by others. Nothing here waits, locks or allocates; any
// bytes may come in. Start reading at End, then Join in join.go.
package packets

import (
	"net/netip"
	"sync/atomic"
	"time"

	"branchline/hal/dsp"
	"branchline/pbx/media/rtp"
	"branchline/pbx/media/srtp"
	"branchline/pbx/media/udp"
)

const (
	rate  = 8000
	frame = rtp.Frame // samples of a tick
	tick  = 20 * time.Millisecond
)

// Codec is how sound is packed.
type Codec uint8

const (
	PCMU Codec = iota // G.711 µ-law
	PCMA              // G.711 A-law
	Raw               // any other: it is passed on between legs that share its Format, and is silence in a mix
)

func (c Codec) String() string { return [...]string{"PCMU", "PCMA", "raw"}[min(c, Raw)] }

// Session is what an offer and its answer agreed on for an End.
type Session struct {
	Remote                netip.AddrPort // where the far end wants sound; unspecified, invalid or no single host's: nowhere
	Peer                  netip.Addr     // whence it signals, whose packets may be its own too; invalid: they may come from anywhere
	Codec                 Codec
	Format                string        // of Raw: its name, rate and parameters, as "opus/48000/2"; equal text, equal sound
	ClockHz               uint32        // of Raw: how fast its timestamps count; 0: 8000, as of the others
	PayloadType           uint8         // of Codec, of what we send
	DTMF                  uint8         // payload type of RFC 4733 events, by the clock of Codec; 0: none, keys are tones in the sound
	PayloadTypeIn, DTMFIn uint8         // of what comes; 0: the same
	Mux                   bool          // reports (RTCP) go and come beside the sound
	Reports               uint16        // port where the far end wants them else; 0: the one above Remote's
	Ours, Theirs          srtp.Key      // what protects what we send and what comes; zero: nothing
	Ptime                 time.Duration // sound in each packet that we send, 10 to 60 ms; else 20 ms
	Send, Recv            bool          // as seen by us: false on hold
}

// Stats counts what an End saw since it was opened.
type Stats struct {
	Received, Sent uint64
	Foreign        uint64 // packets dropped because another source sent them
	Invalid        uint64 // packets dropped because they made no sense
	Forged         uint64 // packets dropped because nobody who has the key sent them, or not for the first time
	Late, Lost     uint64 // packets too late to sound; frames that had to be made up
	Duplicate      uint64
	Resync         uint64        // jumps of the jitter buffer
	Relayed        uint64        // packets passed on to the other leg of a pair
	Excess         uint64        // packets not passed on because they were too many
	Silent         time.Duration // since the last packet that counted, while it is attached
}

// End is the RTP end of one leg. The zero value has no socket; Begin gives it one.
type End struct {
	fd      int // -1: none
	stats   counters
	agreed  bool // there was a Session
	used    bool // somebody pulls and pushes
	session Session
	source  rtp.Source
	seal    *srtp.Sender   // nil: what we send is not protected
	open    *srtp.Receiver // nil: what comes is not
	dest    udp.Addr       // where our packets go

	life    life
	reports reports
	fares   fares

	jitter rtp.Jitter
	keysIn rtp.KeysIn
	pcm    [maxPayload]int16 // a packet decoded

	out     rtp.Stream // the numbers of what we send; they stay continuous whatever is sent
	pending [maxPtime + frame]int16
	filled  int // samples of pending
	packet  [rtp.HeaderLen + maxPayload + srtp.Overhead]byte
	pass    passage

	keysOut rtp.KeysOut
	keyTone dsp.Generator
	keyDown byte

	capture *Capture // nil: nobody wants to see the packets
	local   netip.AddrPort
}

// counters are written by the owner and read by anybody.
type counters struct {
	received, sent, foreign, invalid, forged atomic.Uint64
	late, lost, duplicate, resync            atomic.Uint64
	relayed, excess                          atomic.Uint64
	silent                                   atomic.Uint64 // ticks since the last packet
}

const (
	maxPtime   = 60 * rate / 1000 // samples of a packet that we send
	maxPayload = 960              // samples of a packet that we take: 120 ms
)

// Begin makes e send and receive sound at the socket fd and reports at rtcp, -1 for none, with numbers
// that go on from out's.
func (e *End) Begin(fd, rtcp int, out rtp.Stream) { e.fd, e.reports.fd, e.out = fd, rtcp, out }

// Negotiated tells what was agreed on, each time anew; the numbers go on as if nothing had changed.
func (e *End) Negotiated(s Session) {
	if s.Ptime < 10*time.Millisecond || s.Ptime > 60*time.Millisecond {
		s.Ptime = tick
	}
	s.Remote, s.Peer = netip.AddrPortFrom(s.Remote.Addr().Unmap(), s.Remote.Port()), s.Peer.Unmap()
	if s.Remote.Addr().IsMulticast() {
		s.Remote = netip.AddrPort{}
	}
	if !e.agreed || s.Remote != e.session.Remote {
		e.source.Expect(s.Remote, s.Peer)
		e.dest.Set(s.Remote)
		e.reports.from = netip.AddrPort{}
	}
	e.source.Peer(s.Peer)
	e.protect(s)
	e.session, e.agreed = s, true
	e.keysIn.Hz, e.keysOut.Hz, e.reports.came.Hz = e.clock(), e.clock(), e.clock()
}

// protect changes the keys. One that stays goes on, with what it has sent and what has come.
func (e *End) protect(s Session) {
	if !e.seal.Uses(s.Ours) {
		if e.seal = nil; s.Ours.Suite != srtp.None {
			e.seal = srtp.NewSender(s.Ours)
		}
	}
	if !e.open.Uses(s.Theirs) {
		if e.open = nil; s.Theirs.Suite != srtp.None {
			e.open = srtp.NewReceiver(s.Theirs)
		}
	}
}

// KeysInSound says that keys come as tones, because events were not agreed on.
func (e *End) KeysInSound() bool { return e.agreed && e.session.DTMF == 0 }

// Decodes says that what comes can be made sound.
func (e *End) Decodes() bool { return e.session.Codec != Raw }

// Sends says that something may be sent.
func (e *End) Sends() bool { return e.agreed && e.session.Send }

// SendKeys queues keys. False: they are none, or too many.
func (e *End) SendKeys(keys string) bool { return e.keysOut.Add(keys) }

// ForgetKeys forgets the keys that have not begun.
func (e *End) ForgetKeys() { e.keysOut.Clear() }

// Use says whether somebody pulls and pushes from now on; until then what comes is dropped.
func (e *End) Use(on bool) {
	e.used = on
	e.life.quiet = 0
	if !on {
		e.jitter.Reset()
		e.out.Pause(uint32(e.filled))
		e.filled = 0
	}
}

// Stats counts what the end saw until now. It may be called from any goroutine.
func (e *End) Stats() Stats {
	c := &e.stats
	return Stats{
		Received: c.received.Load(), Sent: c.sent.Load(), Foreign: c.foreign.Load(), Invalid: c.invalid.Load(), Forged: c.forged.Load(),
		Late: c.late.Load(), Lost: c.lost.Load(), Duplicate: c.duplicate.Load(), Resync: c.resync.Load(),
		Relayed: c.relayed.Load(), Excess: c.excess.Load(),
		Silent: time.Duration(c.silent.Load()) * tick,
	}
}

// Key is called in every tick and tells the next key that has ended.
func (e *End) Key() (rtp.Press, bool) {
	e.source.Silent++
	e.stats.silent.Store(uint64(e.source.Silent))
	e.stats.late.Store(e.jitter.Late)
	e.stats.lost.Store(e.jitter.Lost)
	e.stats.duplicate.Store(e.jitter.Duplicate)
	e.stats.resync.Store(e.jitter.Resync)
	return e.keysIn.Tick()
}
