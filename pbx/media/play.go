package media

import (
	"fmt"

	"branchline/hal"
	"branchline/pbx/media/mail"
	"branchline/pbx/media/playlist"
)

// play is a hal.Play under way: sounds one after the other, without a gap.
type play struct {
	ref    hal.Ref
	list   *playlist.List
	leg    *leg    // to whom, or
	bridge *bridge // where
	under  bool
	ready  bool
	over   bool
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
	if p.list.Files() > 0 {
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
	if p.list.Files() == 0 {
		w.begin(p)
	}
}

// begin starts to sound a play whose files are read.
func (w *Worker) begin(p *play) {
	if p.over {
		return
	}
	if !p.list.Begin() {
		w.end(p, false)
		return
	}
	p.ready = true
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
