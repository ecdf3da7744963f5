package sound

import (
	"sync"
	"time"
)

const (
	earSize    = 10 * 8000 // samples remembered
	maxJump    = 8000      // a timestamp this far from the last one begins a new count
	lateAllows = 60 * time.Millisecond
	maxKeys    = 256
)

// ear remembers what came in. Each sample stands where its RTP timestamp says, so packets may come late,
// twice or in another order; what never came is silence. One goroutine writes, any may read. The
// lock is held for a copy only: this is a simulator's ear, not the box's sound path.
type ear struct {
	mu     sync.Mutex
	ring   [earSize]int16
	head   int64     // samples up to the newest, counted from the first packet on
	stamp  uint32    // RTP timestamp that belongs to head
	ssrc   uint32    //
	heard  time.Time // when head moved last; zero: never
	keys   []byte
	key    uint32 // timestamp of the latest key event
	keyed  bool
	packet int // counted
}

// hear puts pcm at its place.
func (e *ear) hear(now time.Time, ssrc, stamp uint32, pcm []int16) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.packet++
	offset := int64(int32(stamp - e.stamp)) // of the packet's start from head
	if e.heard.IsZero() || ssrc != e.ssrc || offset > maxJump || offset < -maxJump {
		// A new source goes on where the clock on the wall stands.
		offset = e.quiet(now)
		e.ssrc = ssrc
		e.stamp = stamp - uint32(offset)
	}
	for i := int64(0); i < offset; i++ {
		e.ring[(e.head+i)%earSize] = 0
	}
	for i, s := range pcm {
		if at := e.head + offset + int64(i); at >= 0 {
			e.ring[at%earSize] = s
		}
	}
	if ahead := offset + int64(len(pcm)); ahead > 0 {
		e.head += ahead
		e.stamp += uint32(ahead)
		e.heard = now
	}
}

// quiet is how many samples of silence have passed since the newest one.
func (e *ear) quiet(now time.Time) int64 {
	if e.heard.IsZero() {
		return 0
	}
	gap := now.Sub(e.heard)
	if gap <= lateAllows {
		return 0
	}
	return min(int64(gap/(time.Second/8000)), earSize)
}

// press notes a key event; repetitions of the same press have the same timestamp. It tells the
// key when it is new.
func (e *ear) press(ssrc, stamp uint32, ev event) (key byte, fresh bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.packet++
	if e.keyed && e.key == stamp || len(e.keys) >= maxKeys {
		return 0, false
	}
	e.key, e.keyed = stamp, true
	e.keys = append(e.keys, keyNames[ev.code])
	return keyNames[ev.code], true
}

func (e *ear) note(key byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.keys) < maxKeys {
		e.keys = append(e.keys, key)
	}
}

// last copies what was heard in the time d up to now, oldest first, silence included. It is
// shorter when less than that has passed since the first packet.
func (e *ear) last(now time.Time, d time.Duration) []int16 {
	e.mu.Lock()
	defer e.mu.Unlock()
	quiet := e.quiet(now)
	n := max(0, min(int64(d/(time.Second/8000)), e.head+quiet, earSize))
	pcm := make([]int16, n)
	for i := range pcm {
		if at := e.head + quiet - n + int64(i); at < e.head {
			pcm[i] = e.ring[at%earSize]
		}
	}
	return pcm
}
