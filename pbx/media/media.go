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
// Start reading at Worker, then tick in tick.go and pair in pair.go. What RTP means without sockets is in media/rtp,
// the sockets without a meaning are in media/udp.
package media

import (
	"log/slog"
	"net/netip"
	"time"

	"branchline/hal"
	"branchline/pbx/media/rtp"
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

// Codec is how sound is packed.
type Codec uint8

const (
	PCMU Codec = iota // G.711 µ-law
	PCMA              // G.711 A-law
	Raw               // any other: it is passed on between legs that share its Format, and is silence in a mix
)

func (c Codec) String() string { return [...]string{"PCMU", "PCMA", "raw"}[min(c, Raw)] }

// Session is what an offer and its answer agreed on for a Port.
type Session struct {
	Remote      netip.AddrPort // where the far end wants sound; unspecified or invalid: nowhere
	Codec       Codec
	Format      string        // of Raw: its name, rate and parameters, as "opus/48000/2"; equal text, equal sound
	ClockHz     uint32        // of Raw: how fast its timestamps count; 0: 8000, as of the others
	PayloadType uint8         // of Codec, as negotiated
	DTMF        uint8         // payload type of RFC 4733 events; 0: none, keys are tones in the sound
	Ptime       time.Duration // sound in each packet that we send, 10 to 60 ms; else 20 ms
	Send, Recv  bool          // as seen by us: false on hold
}

// Stats counts what a Port saw since it was opened.
type Stats struct {
	Received, Sent uint64
	Foreign        uint64 // packets dropped because another source sent them
	Invalid        uint64 // packets dropped because they made no sense
	Late, Lost     uint64 // packets too late to sound; frames that had to be made up
	Duplicate      uint64
	Resync         uint64        // jumps of the jitter buffer
	Relayed        uint64        // packets passed on to the other leg of a pair
	Excess         uint64        // packets not passed on because they were too many
	Silent         time.Duration // since the last packet that counted, while the leg is attached
}

var _ hal.Audio = (*Port)(nil)
