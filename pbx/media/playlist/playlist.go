// Package playlist is sounds one after the other without a gap: files, tones and silence, to the
// sample. It is pure, and Render allocates nothing. Start reading at List.
package playlist

import (
	"branchline/hal"
	"branchline/hal/dsp"
)

const rate = 8000

// List is what an order plays. New makes one; it sounds after Begin.
type List struct {
	loop    bool
	country string
	files   []int // the sounds that are still to be read from files
	sounds  []sound
	at, pos int // the sound, and how many samples of it have sounded
	gen     dsp.Generator
}

// sound is one item: samples of a file, a tone, or silence.
type sound struct {
	file string
	pcm  []int16
	tone dsp.Cadence
	n    int // samples; endless: until stopped
}

const endless = -1

// New makes a List of items, with the tones of country, and tells the last tone that is unknown.
func New(items []hal.Item, country string, loop bool) (l *List, missing string) {
	l = &List{loop: loop, country: country}
	for _, item := range items {
		s := sound{file: item.File, n: dsp.Samples(max(item.Silence, 0), rate)}
		switch {
		case item.File != "":
			l.files = append(l.files, len(l.sounds))
		case item.Tone != "":
			tone, ok := dsp.Tone(country, item.Tone)
			if !ok {
				missing = item.Tone
				continue
			}
			s.tone = tone
			if s.n = dsp.Samples(max(item.For, 0), rate); item.For == 0 {
				s.n = once(tone)
			}
		}
		l.sounds = append(l.sounds, s)
	}
	return l, missing
}

// once is how many samples a tone lasts that ends in silence for ever, as a beep does.
func once(c dsp.Cadence) int {
	n := 0
	for _, s := range c {
		if s.For == 0 && s.Hz[0] == 0 {
			return n
		}
		n += dsp.Samples(s.For, rate)
	}
	return endless
}

// Files is how many files there are; File names the i-th of them, Give brings its sound.
func (l *List) Files() int { return len(l.files) }

// File is the name of the i-th file.
func (l *List) File(i int) string { return l.sounds[l.files[i]].file }

// Give brings the sound of the i-th file; nil: it is left out.
func (l *List) Give(i int, pcm []int16) {
	s := &l.sounds[l.files[i]]
	s.pcm, s.n = pcm, len(pcm)
}

// Begin goes to the first sound, after all files were given. False: there is nothing to play.
func (l *List) Begin() bool {
	kept := l.sounds[:0]
	for _, s := range l.sounds {
		if s.n != 0 {
			kept = append(kept, s)
		}
	}
	l.sounds = kept
	if len(l.sounds) == 0 {
		if !l.loop {
			return false
		}
		// Whoever waits must not wait in silence, even where no music is to be had.
		music, _ := dsp.Tone(l.country, "music")
		l.sounds = append(l.sounds, sound{tone: music, n: endless})
	}
	l.turn(0)
	return true
}

// turn goes to sound i.
func (l *List) turn(i int) {
	l.at, l.pos = i, 0
	if i < len(l.sounds) && l.sounds[i].tone != nil {
		l.gen = dsp.NewGenerator(l.sounds[i].tone, rate)
	}
}

// Render fills out with what sounds next. Over: it was the last.
func (l *List) Render(out []int16) (over bool) {
	for len(out) > 0 {
		if l.at == len(l.sounds) {
			clear(out)
			return true
		}
		s := &l.sounds[l.at]
		n := len(out)
		if s.n != endless {
			n = min(n, s.n-l.pos)
		}
		switch {
		case s.pcm != nil:
			copy(out[:n], s.pcm[l.pos:])
		case s.tone != nil:
			l.gen.Fill(out[:n])
		default:
			clear(out[:n])
		}
		out = out[n:]
		if s.n == endless {
			continue
		}
		if l.pos += n; l.pos == s.n {
			l.turn(l.at + 1)
			if l.loop && l.at == len(l.sounds) {
				l.turn(0)
			}
		}
	}
	return l.at == len(l.sounds)
}
