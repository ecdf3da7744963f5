package soundport

import "sync/atomic"

const (
	rate  = 8000 // Hz; the sound ports of modems and line chips know no other
	frame = 160  // samples in 20 ms

	ringSize  = 1024 // 128 ms, a power of two
	ringStart = 320  // 40 ms must be there before sound begins to flow
	ringHigh  = 800  // 100 ms: above it the far clock is the faster one, and a frame is dropped
)

// ring carries samples from one goroutine to another without waiting, locking or allocating, and
// mends the drift between their clocks: a frame too many is dropped, a frame that is missing is
// the last one again, once; then it is silent until ringStart has come. The zero value is empty.
type ring struct {
	buf      [ringSize]int16
	in, out  atomic.Uint32 // samples put in and taken out since the beginning; they wrap
	dropped  atomic.Uint64 // samples
	repeated atomic.Uint64 // frames

	// of the goroutine that takes:
	flows, again bool
	last         [frame]int16
}

// push puts in what there is room for; the rest is dropped and counted.
func (r *ring) push(pcm []int16) int {
	in := r.in.Load()
	n := min(len(pcm), ringSize-int(in-r.out.Load()))
	for i, s := range pcm[:n] {
		r.buf[(in+uint32(i))%ringSize] = s
	}
	r.in.Store(in + uint32(n))
	if n < len(pcm) {
		r.dropped.Add(uint64(len(pcm) - n))
	}
	return n
}

// pop fills pcm, or returns 0: nothing is there yet.
func (r *ring) pop(pcm []int16) int {
	out := r.out.Load()
	fill := int(r.in.Load() - out)
	if !r.flows {
		start := max(ringStart, len(pcm))
		if fill < start {
			return 0
		}
		out += uint32(fill - start) // older sound is late sound
		fill = start
		r.flows = true
	}
	if fill > ringHigh && fill-frame >= len(pcm) {
		out += frame
		fill -= frame
		r.dropped.Add(frame)
	}
	if fill < len(pcm) {
		r.out.Store(out)
		return r.repeat(pcm)
	}
	for i := range pcm {
		pcm[i] = r.buf[(out+uint32(i))%ringSize]
	}
	r.out.Store(out + uint32(len(pcm)))
	copy(r.last[:], pcm)
	r.again = false
	return len(pcm)
}

func (r *ring) repeat(pcm []int16) int {
	if r.again || len(pcm) > frame {
		r.flows, r.again = false, false
		return 0
	}
	r.again = true
	r.repeated.Add(1)
	return copy(pcm, r.last[:])
}
