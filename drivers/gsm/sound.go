package gsm

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

// sound is the Audio of one leg. The media worker uses one end of each ring, the pump the other.
type sound struct {
	fromWire, toWire ring
}

func (s *sound) Rate() int             { return rate }
func (s *sound) Read(pcm []int16) int  { return s.fromWire.pop(pcm) }
func (s *sound) Write(pcm []int16) int { return s.toWire.push(pcm) }

// pump moves sound between the module's sound port (s16le, 8 kHz, no header) and the leg that
// talks. While none does, what comes is thrown away and nothing is written.
type pump struct {
	port    io.ReadWriteCloser
	talking atomic.Pointer[sound]
	turn    chan *sound // to the writer; holds the latest
	fresh   atomic.Bool // the stream begins anew: the next byte is the first of a sample
	stalled atomic.Uint64
	missed  atomic.Uint64
}

func newPump(port io.ReadWriteCloser) *pump {
	return &pump{port: port, turn: make(chan *sound, 1)}
}

// start runs the pump until the port is closed or done is. It says once on lost if the port broke.
func (p *pump) start(wg *sync.WaitGroup, done <-chan struct{}, lost chan<- error) {
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

// set makes s the sound that is heard; nil: none. Only the line's goroutine calls it.
func (p *pump) set(s *sound) {
	p.talking.Store(s)
	select {
	case <-p.turn:
	default:
	}
	p.turn <- s
}

// align says that the module begins a new stream.
func (p *pump) align() { p.fresh.Store(true) }

// read takes sound from the port until it breaks.
func (p *pump) read() error {
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
				s.fromWire.push(pcm[:n/2])
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
// the module wants its samples without a gap. It returns nil when done is closed.
func (p *pump) write(done <-chan struct{}) error {
	var s *sound
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
		n := s.toWire.pop(pcm)
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
func (p *pump) following(t time.Time) time.Time {
	t = t.Add(tick)
	if late := time.Since(t); late > 3*tick {
		p.missed.Add(uint64(late / tick))
		return time.Now()
	}
	return t
}

var _ hal.Audio = (*sound)(nil)
