// Package media carries the sound of the box: RTP ports, bridges, prompts and tones, telephone
// keys, recordings.
//
// One Worker owns all of it on one thread: the sockets (epoll), a tick of 20 ms, every leg, bridge,
// play and recording. Others give it orders, which never wait, and hear of what came of them as
// hal signals. On its path nothing waits, locks, logs, allocates or touches the disk; prompts are
// read and signals are handed up by goroutines of their own. A leg whose handling panics is taken
// out; the others do not notice.
//
// Two RTP legs alone in a bridge, where nothing plays and nothing is to be converted, are passed
// through: each packet goes on to the other when it comes. Everything else is mixed: in each tick
// every leg gives a frame (jitter buffer and G.711, or PCM from its line), every
// bridge mixes what its members hear, and every leg is given its frame: the mix, its own play in
// place of it, or a play below it. A leg is in one bridge at most; what plays to a leg is heard by
// nobody else. All bridges run at 8 kHz.
//
// Start reading at Worker, then tick in tick.go and pair in pair.go. The RTP end of a leg is in media/packets, what RTP
// means without sockets in media/rtp, what protects it in media/srtp, the sockets without a meaning in media/udp.
package media

import (
	"log/slog"
	"net/netip"
	"time"

	"branchline/hal"
	"branchline/pbx/media/packets"
	"branchline/pbx/media/rtp"
	"branchline/pbx/media/srtp"
	"branchline/pbx/media/udp"
)

const (
	rate  = 8000
	frame = rtp.Frame // samples of a tick
	tick  = 20 * time.Millisecond
)

// Options are what a Worker needs. Log is required; the rest may be zero.
type Options struct {
	Log      *slog.Logger
	Country  string   // whose tones are played, ISO 3166: "DE", "US"
	Prompts  Prompts  // nil: there are no prompts, every file is missing
	Recorder Recorder // nil: every Record ends in Recorded with an Err

	RTPFirst, RTPLast uint16 // the ports that OpenRTP may take, both included; 0, 0: 10000 to 19999
}

// Prompts finds recorded prompts.
type Prompts interface {
	// Load gives the sound called name at 8 kHz, mono. It may wait, may be called from several
	// goroutines, and the caller does not change what it returns.
	Load(name string) ([]int16, error)
}

// Recorder takes recordings. hal.Record.File and the name here are the same.
type Recorder interface {
	// Open begins a recording and does not wait for the disk. done is called once, from any
	// goroutine, when the file is complete and safe, with what it holds and what went wrong in
	// words. An error means that nothing will come of it, done is then never called.
	Open(file string, rate int, done func(length time.Duration, err error)) (Tape, error)
}

// Tape is one recording under way. Its methods never wait and are called by one goroutine.
type Tape interface {
	// Write takes a copy of samples, left and right in turn. False: there was no room, they are lost.
	Write(stereo []int16) bool
	// Close ends the recording.
	Close()
}

// KeysInSound is an optional ability of a hal.Audio: true says that keys come as tones in its
// sound (DTMF), and that the wire does not tell them otherwise.
type KeysInSound interface{ KeysInSound() bool }

// What a Port is told and tells, see pbx/media/packets.
type (
	Codec   = packets.Codec
	Session = packets.Session
	Stats   = packets.Stats
	Quality = packets.Quality
	Key     = srtp.Key
	Suite   = srtp.Suite
	Capture = packets.Capture
)

// What protects a Session, see pbx/media/srtp.
const (
	None   = srtp.None
	SHA180 = srtp.SHA180
	SHA132 = srtp.SHA132
)

// Ours says whether ip is an address of this machine. It asks the kernel and does not wait.
func Ours(ip netip.Addr) bool { return udp.Ours(ip) }

// The codecs of a Session.
const (
	PCMU = packets.PCMU
	PCMA = packets.PCMA
	Raw  = packets.Raw
)

var _ hal.Audio = (*Port)(nil)

// NewCapture makes a Capture for Port.Capture, see packets.NewCapture.
func NewCapture(until time.Time, size int) *Capture { return packets.NewCapture(until, size) }
