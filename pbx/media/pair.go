package media

import (
	"branchline/hal"
	"branchline/pbx/media/packets"
)

// pair is the two ports of a bridge that are passed through: what comes in at one goes out at the
// other when it comes, not with the tick. It begins and ends so that nobody hears it.
//
// The mix is behind the packets by what its buffers hold. So where a pair begins, what is in the
// buffers is sent ahead, and the packets go on behind that. Where it ends the mix rests until the
// buffers hold what comes behind the last packet sent: for some ticks nothing is sent, nothing that
// was heard is heard again, and what the far ends gathered bridges the pause.
type pair struct {
	a, b     *Port // nil: the bridge is mixed
	settling bool  // it has ended, the mix rests
	waited   int   // ticks of that
}

const maxSettle = 5 // ticks; who has not spoken by then is silent

// passes says whether b may be passed through: two ports that agree, and nothing to be mixed,
// played or converted.
func (b *bridge) passes() bool {
	if len(b.members) != 2 || b.play != nil && b.play.ready {
		return false
	}
	for _, l := range b.members {
		if l.port == nil || l.role != hal.Talk || l.broken || l.play != nil && l.play.ready || !l.port.end.Passes() {
			return false
		}
	}
	return b.members[0].port.end.Agrees(&b.members[1].port.end)
}

// tick is called at the beginning of every tick.
func (r *pair) tick(b *bridge) {
	r.turn(b)
	if !r.settling {
		return
	}
	if r.a.end.Ready() && r.b.end.Ready() || r.waited == maxSettle {
		r.end()
		return
	}
	r.waited++
}

// turn begins or leaves, as b is now.
func (r *pair) turn(b *bridge) {
	fits, on := b.passes(), r.a != nil && !r.settling
	switch {
	case fits && !on:
		r.begin(b)
	case !fits && on:
		r.leave()
	case on:
		r.tap()
	}
}

// begin passes the two members of b through.
func (r *pair) begin(b *bridge) {
	x, y := b.members[0], b.members[1]
	mixed := x.mixed && y.mixed
	packets.Join(&x.port.end, &y.port.end, mixed, r.waited)
	*r = pair{a: x.port, b: y.port}
	x.mixed, y.mixed = false, false
	r.tap()
}

// tap has decoded what is needed as sound though it is passed on.
func (r *pair) tap() {
	r.a.end.Tap(r.a.link.tapped())
	r.b.end.Tap(r.b.link.tapped())
}

// leave gives the sound back to the mix, which rests until it can go on.
func (r *pair) leave() {
	r.settling, r.waited = true, 0
	r.a.end.Leave(&r.b.end)
	r.b.end.Leave(&r.a.end)
}

// end lets the mix go on, whether or not it has sound yet. Ending what has ended does nothing.
func (r *pair) end() {
	if r.a == nil {
		return
	}
	if !r.settling {
		r.leave()
	}
	packets.Part(&r.a.end, &r.b.end, r.waited)
	*r = pair{}
}

func (r *pair) has(p *Port) bool { return p != nil && (r.a == p || r.b == p) }

// part ends the pair that l is in, because l goes.
func (l *leg) part() {
	if l.bridge != nil && l.bridge.pair.has(l.port) {
		l.bridge.pair.end()
	}
}

// tapped says whether the sound of l is needed as sound though it is passed on.
func (l *leg) tapped() bool {
	return l.port.end.Decodes() && (l.detector != nil || len(l.bridge.tapes) > 0)
}
