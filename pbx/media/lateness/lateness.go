// Package lateness keeps how well the sound's clock is kept: how long after its time each tick began,
// and how long it took.
//
// A Log is a ring of the last ticks, written by the one thread that ticks, which neither waits,
// locks nor allocates; anybody may read it meanwhile. Its figures are exact, not estimated from
// classes. Start reading at Log.
package lateness

import (
	"math"
	"slices"
	"sync/atomic"
	"time"
)

const (
	// Late is how long after its time a tick may begin before it counts as late: half of the 20 ms
	// that a phone waits for the next frame beside what its jitter buffer keeps.
	Late = 10 * time.Millisecond
	// Kept is the longest time that Figures can look back on.
	Kept = time.Minute

	every  = 20 * time.Millisecond
	places = 4096 // Kept and a third: a reader is not overtaken by the writer
)

// Log is the ring. Its zero value is ready. It must not be copied.
type Log struct {
	next atomic.Uint64 // number of ticks that are in, ever
	ring [places]atomic.Uint64
}

// leftOut stands in the place of the time that a tick took, where it was not done at all.
const leftOut = math.MaxUint32

// Note adds a tick that began late after its time, and took so long. The ticking thread alone calls it.
func (l *Log) Note(late, took time.Duration) {
	l.put(micros(late), min(micros(took), leftOut-1))
}

// LeftOut adds n ticks that were not done, the last of which was late by so much. The ticking thread
// alone calls it.
func (l *Log) LeftOut(n int, late time.Duration) {
	n = min(n, places)
	for i := n - 1; i >= 0; i-- {
		l.put(micros(late+time.Duration(i)*every), leftOut)
	}
}

func (l *Log) put(late, took uint64) {
	at := l.next.Load()
	l.ring[at%places].Store(late<<32 | took)
	l.next.Store(at + 1)
}

// micros is d in whole microseconds, from 0 to what 32 bits hold: over an hour.
func micros(d time.Duration) uint64 {
	return uint64(min(max(d.Microseconds(), 0), math.MaxUint32))
}

// Spread is how durations are spread.
type Spread struct{ P50, P99, Max time.Duration }

// Figures are those of the ticks of some time.
type Figures struct {
	Ticks   int    // whose time came
	Late    int    // of these, began over 10 ms after it, or never
	LeftOut int    // of these, never: the machine stood still
	Began   Spread // after its time; what was left out, too
	Took    Spread
}

// Figures are those of the last over, Kept at most. Any goroutine may call it. It allocates.
func (l *Log) Figures(over time.Duration) (f Figures) {
	end := l.next.Load()
	f.Ticks = int(min(uint64(min(max(over, 0), Kept)/every), end))
	began, took := make([]uint64, 0, f.Ticks), make([]uint64, 0, f.Ticks)
	for at := end - uint64(f.Ticks); at < end; at++ {
		v := l.ring[at%places].Load()
		began = append(began, v>>32)
		if v>>32 > micros(Late) {
			f.Late++
		}
		if v&math.MaxUint32 == leftOut {
			f.LeftOut++
		} else {
			took = append(took, v&math.MaxUint32)
		}
	}
	f.Began, f.Took = spread(began), spread(took)
	return f
}

func spread(micros []uint64) Spread {
	if len(micros) == 0 {
		return Spread{}
	}
	slices.Sort(micros)
	at := func(share float64) time.Duration {
		return time.Duration(micros[int(math.Ceil(share*float64(len(micros))))-1]) * time.Microsecond
	}
	return Spread{P50: at(0.5), P99: at(0.99), Max: at(1)}
}
