package recording

import (
	"errors"
	"os"
	"sync/atomic"
	"time"

	"branchline/hal/dsp"
	"branchline/pbx/media"
)

const (
	channels  = 2
	headerLen = dsp.WAVHeaderLen
	maxData   = 1<<32 - 1 - headerLen
)

// tape is one recording: a ring that one goroutine fills and another empties, without a lock, and
// the file behind it.
type tape struct {
	name   string
	rate   int
	done   func(time.Duration, error)
	ring   []int16
	filled atomic.Uint64 // samples ever put in; written by Write
	taken  atomic.Uint64 // samples ever taken out; written by take
	lost   atomic.Uint64
	closed atomic.Bool

	// What follows belongs to the goroutine of Run.
	file *os.File
	size int64 // bytes of sound in it
	err  error
}

var _ media.Tape = (*tape)(nil)

func newTape(name string, rate int, done func(time.Duration, error)) *tape {
	return &tape{name: name, rate: rate, done: done, ring: make([]int16, lag*channels*rate)}
}

// Write takes a copy of stereo and does not wait. False: there was no room, all of it is lost.
func (t *tape) Write(stereo []int16) bool {
	at := t.filled.Load()
	if uint64(len(stereo)) > uint64(len(t.ring))-(at-t.taken.Load()) || t.closed.Load() {
		t.lost.Add(uint64(len(stereo)))
		return false
	}
	from := int(at % uint64(len(t.ring)))
	n := copy(t.ring[from:], stereo)
	copy(t.ring, stereo[n:])
	t.filled.Store(at + uint64(len(stereo)))
	return true
}

// Close ends the recording and does not wait.
func (t *tape) Close() { t.closed.Store(true) }

// take appends what the ring holds to b, as bytes of a WAV file.
func (t *tape) take(b []byte) []byte {
	at, end := t.taken.Load(), t.filled.Load()
	for at < end {
		from := int(at % uint64(len(t.ring)))
		n := min(int(end-at), len(t.ring)-from)
		b = dsp.AppendPCM(b, t.ring[from:from+n])
		at += uint64(n)
	}
	t.taken.Store(end)
	return b
}

// header writes the header for what the file holds now.
func (t *tape) header() error {
	h := dsp.WAVHeader(t.rate, channels, uint32(t.size))
	_, err := t.file.WriteAt(h[:], 0)
	return words(err)
}

// safe completes the file, brings it to the disk and closes it.
func (t *tape) safe() error {
	err := errors.Join(t.header(), words(t.file.Sync()), words(t.file.Close()))
	t.file = nil
	return err
}

// span is how long that many bytes sound.
func (t *tape) span(bytes int64) time.Duration { return span(bytes, t.rate) }

func span(bytes int64, rate int) time.Duration {
	return time.Duration(bytes/2/channels) * time.Second / time.Duration(rate)
}
