package media

import (
	"fmt"

	"branchline/hal"
	"branchline/hal/dsp"
	"branchline/pbx/media/mail"
)

// play is a hal.Play under way: sounds one after the other, without a gap.
type play struct {
	ref         hal.Ref
	leg         *leg    // to whom, or
	bridge      *bridge // where
	loop, under bool
	files       []int // the sounds that are still to be read from files
	ready       bool
	over        bool
	sounds      []sound
	at, pos     int // the sound, and how many samples of it have sounded
	gen         dsp.Generator
}

// sound is one item: samples of a file, a tone, or silence.
type sound struct {
	file string
	pcm  []int16
	tone dsp.Cadence
	n    int // samples; endless: until stopped
}

const endless = -1

// compose makes a play of an order, and tells what is unknown in it. It runs in the goroutine of
// him who ordered.
func (w *Worker) compose(o hal.Play) (p *play, missing string) {
	p = &play{ref: o.Ref, loop: o.Loop, under: o.Under}
	for _, item := range o.Items {
		s := sound{file: item.File, n: dsp.Samples(max(item.Silence, 0), rate)}
		switch {
		case item.File != "":
			p.files = append(p.files, len(p.sounds))
		case item.Tone != "":
			tone, ok := dsp.Tone(w.opt.Country, item.Tone)
			if !ok {
				missing = item.Tone
				continue
			}
			s.tone = tone
			if s.n = dsp.Samples(max(item.For, 0), rate); item.For == 0 {
				s.n = once(tone)
			}
		}
		p.sounds = append(p.sounds, s)
	}
	return p, missing
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

// play begins p, in place of what plays there. Sounds from files begin when all are read.
func (w *Worker) play(p *play, o hal.Play, missing string) {
	l, b := w.byID[o.Leg], w.byName[o.Bridge]
	switch {
	case o.Leg != "" && l == nil:
		w.fail(o.Leg, o.Ref, "the leg has no sound here")
		return
	case o.Leg == "" && b == nil:
		w.fail("", o.Ref, fmt.Sprintf("nobody is in bridge %q", o.Bridge))
		return
	case w.plays[o.Ref] != nil:
		w.fail(o.Leg, o.Ref, "this Ref is playing already")
		return
	}
	if missing != "" {
		w.out.Tell(mail.Notice{Kind: mail.Logged, Leg: o.Leg, Ref: o.Ref, Log: "no such tone", Why: missing})
	}
	if len(p.files) > 0 {
		select {
		case w.loads <- p:
		default:
			w.fail(o.Leg, o.Ref, "too many prompts wait to be read; is the disk slow?")
			return
		}
	}
	var old *play
	if l != nil {
		old, p.leg, l.play = l.play, l, p
	} else {
		old, p.bridge, b.play = b.play, b, p
	}
	w.plays[p.ref] = p
	if old != nil {
		w.end(old, true)
	}
	if len(p.files) == 0 {
		w.begin(p)
	}
}

// begin starts to sound a play whose files are read.
func (w *Worker) begin(p *play) {
	if p.over {
		return
	}
	kept := p.sounds[:0]
	for _, s := range p.sounds {
		if s.n != 0 {
			kept = append(kept, s)
		}
	}
	p.sounds = kept
	if len(p.sounds) == 0 {
		if !p.loop {
			w.end(p, false)
			return
		}
		// Whoever waits must not wait in silence, even where no music is to be had.
		music, _ := dsp.Tone(w.opt.Country, "music")
		p.sounds = append(p.sounds, sound{tone: music, n: endless})
	}
	p.ready = true
	p.turn(0)
}

// end closes p and tells so.
func (w *Worker) end(p *play, cut bool) {
	if p.over {
		return
	}
	p.over = true
	delete(w.plays, p.ref)
	n := mail.Notice{Kind: mail.Played, Ref: p.ref, Cut: cut}
	if p.leg != nil {
		n.Leg = p.leg.id
		if p.leg.play == p {
			p.leg.play = nil
		}
	} else if p.bridge.play == p {
		p.bridge.play = nil
	}
	w.out.Tell(n)
}

// turn goes to sound i.
func (p *play) turn(i int) {
	p.at, p.pos = i, 0
	if i < len(p.sounds) && p.sounds[i].tone != nil {
		p.gen = dsp.NewGenerator(p.sounds[i].tone, rate)
	}
}

// render fills out with what sounds next. Over: it was the last.
func (p *play) render(out []int16) (over bool) {
	for len(out) > 0 {
		if p.at == len(p.sounds) {
			clear(out)
			return true
		}
		s := &p.sounds[p.at]
		n := len(out)
		if s.n != endless {
			n = min(n, s.n-p.pos)
		}
		switch {
		case s.pcm != nil:
			copy(out[:n], s.pcm[p.pos:])
		case s.tone != nil:
			p.gen.Fill(out[:n])
		default:
			clear(out[:n])
		}
		out = out[n:]
		if s.n == endless {
			continue
		}
		if p.pos += n; p.pos == s.n {
			p.turn(p.at + 1)
			if p.loop && p.at == len(p.sounds) {
				p.turn(0)
			}
		}
	}
	return p.at == len(p.sounds)
}
