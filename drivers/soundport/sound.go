// Package soundport carries the sound of one call between a leg and the wire of a line: a serial
// port with 16-bit samples (Pump), or whatever else its driver feeds it from (Sound.Heard, Sound.Say).
//
// It promises that the leg's side neither waits, locks nor allocates, that drift between the two
// clocks is mended and counted, and that the wire gets its samples without a gap. Start at Sound.
package soundport

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"branchline/hal"
)

const tick = 20 * time.Millisecond

// Sound is the Audio of one leg, 8 kHz. The media worker uses one end of each ring, one goroutine
// of the line the other. The zero value is silent.
type Sound struct {
	fromWire, toWire ring
}

// Rate is that of hal.Audio.
func (s *Sound) Rate() int { return rate }

// Read is that of hal.Audio.
func (s *Sound) Read(pcm []int16) int { return s.fromWire.pop(pcm) }

// Write is that of hal.Audio.
func (s *Sound) Write(pcm []int16) int { return s.toWire.push(pcm) }

// Heard takes what came from the wire. It does not wait; what there is no room for is dropped.
func (s *Sound) Heard(pcm []int16) { s.fromWire.push(pcm) }

// Say fills pcm with what the wire shall say; a short count: nothing is there yet.
func (s *Sound) Say(pcm []int16) int { return s.toWire.pop(pcm) }

// Counts is what was done against drift and late ends: dropped samples, repeated frames.
type Counts struct {
	DroppedIn, RepeatedIn, DroppedOut, RepeatedOut uint64
}

// Counts may be asked by anybody at any time.
func (s *Sound) Counts() Counts {
	return Counts{s.fromWire.dropped.Load(), s.fromWire.repeated.Load(), s.toWire.dropped.Load(), s.toWire.repeated.Load()}
}

// Pump moves sound between a serial sound port (s16le, 8 kHz, no header) and the leg that
// talks. While none does, what comes is thrown away and nothing is written.
type Pump struct {
	port    io.ReadWriteCloser
	talking atomic.Pointer[Sound]
	turn    chan *Sound // to the writer; holds the latest
	fresh   atomic.Bool // the stream begins anew: the next byte is the first of a sample
	stalled atomic.Uint64
	missed  atomic.Uint64
}

// NewPump makes a pump over port; it starts nothing.
func NewPump(port io.ReadWriteCloser) *Pump {
	return &Pump{port: port, turn: make(chan *Sound, 1)}
}

// Start runs the pump in goroutines of wg until the port is closed or done is. It says on lost if
// the port broke.
func (p *Pump) Start(wg *sync.WaitGroup, done <-chan struct{}, lost chan<- error) {
	broke := func(err error) {
		select {
		case lost <- fmt.Errorf("sound port: %w", err):
		case <-done:
		}
	}
	wg.Go(func() { broke(p.read()) })
	wg.Go(func() {
		if err := p.write(done); err != nil {
			broke(err)
		}
	})
}

// Close closes the port, which ends the pump.
func (p *Pump) Close() error { return p.port.Close() }

// Late is how many frames the port did not take in time and how many were left out because this
// machine was late, since Late was asked last.
func (p *Pump) Late() (stalled, missed uint64) { return p.stalled.Swap(0), p.missed.Swap(0) }

// Set makes s the sound that is heard; nil: none. Only the line's goroutine calls it.
func (p *Pump) Set(s *Sound) {
	p.talking.Store(s)
	select {
	case <-p.turn:
	default:
	}
	p.turn <- s
}

// Align says that the far end begins a new stream.
func (p *Pump) Align() { p.fresh.Store(true) }

// read takes sound from the port until it breaks.
func (p *Pump) read() error {
	buf := make([]byte, 4096)
	pcm := make([]int16, len(buf)/2)
	odd := 0 // a byte of half a sample stands at the beginning of buf
	for {
		n, err := p.port.Read(buf[odd:])
		if n > 0 {
			if p.fresh.Swap(false) && odd == 1 {
				copy(buf, buf[1:1+n])
				odd = 0
			}
			n += odd
			for i := range n / 2 {
				pcm[i] = int16(binary.LittleEndian.Uint16(buf[2*i:]))
			}
			if s := p.talking.Load(); s != nil {
				s.Heard(pcm[:n/2])
			}
			odd = n % 2
			buf[0] = buf[max(n-1, 0)]
		}
		if err != nil {
			return err
		}
	}
}

// write gives the port 20 ms of sound every 20 ms by our own clock, silence where there is none:
// the far end wants its samples without a gap. It returns nil when done is closed.
func (p *Pump) write(done <-chan struct{}) error {
	var s *Sound
	var next time.Time
	pcm := make([]int16, frame)
	buf := make([]byte, 1, 2*frame+1) // buf[0] is kept for the second half of a sample that was cut
	cut := false
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-done:
			return nil
		case s = <-p.turn:
			next = time.Now()
			timer.Reset(0)
			continue
		case <-timer.C:
		}
		if s == nil {
			continue
		}
		n := s.Say(pcm)
		clear(pcm[n:])
		buf = buf[:1]
		for _, v := range pcm {
			buf = binary.LittleEndian.AppendUint16(buf, uint16(v))
		}
		from := 1
		if cut {
			from = 0
		}
		n, err := p.port.Write(buf[from:])
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded): // stalled: what it did not take is late now
			p.stalled.Add(1)
			n += from
			if cut = n%2 == 0; cut {
				buf[0] = buf[n]
			}
		case err != nil:
			return err
		default:
			cut = false
		}
		next = p.following(next)
		timer.Reset(time.Until(next))
	}
}

// following is the time of the next frame: a short delay is caught up, a long one is not.
func (p *Pump) following(t time.Time) time.Time {
	t = t.Add(tick)
	if late := time.Since(t); late > 3*tick {
		p.missed.Add(uint64(late / tick))
		return time.Now()
	}
	return t
}

var _ hal.Audio = (*Sound)(nil)
