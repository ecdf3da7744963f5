package dsp

import (
	"strings"
	"time"
)

// keyPad lists the keys row by row, as on a telephone with the fourth column.
const keyPad = "123A456B789C*0#D"

func rowHz() [4]float64    { return [4]float64{697, 770, 852, 941} } // ITU-T Q.23
func columnHz() [4]float64 { return [4]float64{1209, 1336, 1477, 1633} }

// KeyTone is the sound of a telephone key (0-9 * # A-D, ITU-T Q.23) while it is pressed, both
// frequencies equally loud. False: there is no such key.
func KeyTone(key byte) (Cadence, bool) {
	i := strings.IndexByte(keyPad, key)
	if i < 0 {
		return nil, false
	}
	return Cadence{{Hz: [4]float64{rowHz()[i/4], columnHz()[i%4]}, Gain: 0.22}}, true
}

// KeyDetector hears telephone keys in sound. It tells a key once, when it ends. The constructor is
// the only way to make one.
type KeyDetector struct {
	block       int // samples of one look
	scale       float64
	row, column [4]Goertzel
	energy      float64
	fill        int
	rate        int

	last   byte // what the last look saw; 0: no key
	key    byte // the key that is down; 0: none
	looks  int  // how long it has been down
	misses int  // looks in a row without it
}

// NewKeyDetector makes a detector for sound of rate (8000 or 16000) samples per second.
func NewKeyDetector(rate int) *KeyDetector {
	d := &KeyDetector{rate: rate, block: 102 * rate / 8000, scale: float64(rate) / 8000}
	for i := range 4 {
		d.row[i] = NewGoertzel(rate, rowHz()[i])
		d.column[i] = NewGoertzel(rate, columnHz()[i])
	}
	return d
}

// Feed takes the next samples, 20 ms at most, and tells the key that ended in them and how long
// it was down. It allocates nothing.
func (d *KeyDetector) Feed(pcm []int16) (key byte, held time.Duration, ok bool) {
	for len(pcm) > 0 {
		n := min(len(pcm), d.block-d.fill)
		for i := range 4 {
			d.row[i].Add(pcm[:n])
			d.column[i].Add(pcm[:n])
		}
		for _, x := range pcm[:n] {
			d.energy += float64(x) * float64(x)
		}
		d.fill += n
		pcm = pcm[n:]
		if d.fill < d.block {
			continue
		}
		if k, h := d.judge(d.look()); k != 0 {
			key, held, ok = k, h, true
		}
	}
	return key, held, ok
}

// look says which key the block just filled holds, 0 for none. The figures are those of
// Asterisk's dsp.c, proven on real lines: loud enough (-45 dBFS), 8 dB of twist one way and 4 dB
// the other, 8 dB above the other rows and columns, and four fifths of all the energy there is.
func (d *KeyDetector) look() byte {
	const threshold, twist, reverseTwist, peak, share = 8e7, 6.3, 2.5, 6.3, 42
	row, r, r2 := strongest(&d.row)
	column, c, c2 := strongest(&d.column)
	energy := d.energy
	d.energy, d.fill = 0, 0
	loud := threshold * d.scale * d.scale
	switch {
	case r < loud || c < loud:
	case c > r*reverseTwist || r > c*twist:
	case r < r2*peak || c < c2*peak:
	case r+c < share*d.scale*energy:
	default:
		return keyPad[row*4+column]
	}
	return 0
}

// strongest finds the best and the second best power of a group, and begins it anew.
func strongest(g *[4]Goertzel) (at int, best, second float64) {
	for i := range g {
		p := g[i].Power()
		g[i].Reset()
		if p > best {
			at, best, second = i, p, best
		} else if p > second {
			second = p
		}
	}
	return at, best, second
}

// judge follows the looks: two alike begin a key, three without it end it.
func (d *KeyDetector) judge(seen byte) (ended byte, held time.Duration) {
	const begin, end = 2, 3
	if d.key != 0 && seen == d.key {
		d.looks += 1 + d.misses
		d.misses = 0
	} else if d.key != 0 {
		d.misses++
		if d.misses >= end || seen != 0 && seen == d.last {
			ended = d.key
			held = time.Duration(d.looks*d.block) * time.Second / time.Duration(d.rate)
			d.key = 0
		}
	}
	if d.key == 0 && seen != 0 && seen == d.last {
		d.key, d.looks, d.misses = seen, begin, 0
	}
	d.last = seen
	return ended, held
}
