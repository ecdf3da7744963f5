package floor

import (
	"time"

	"branchline/hal"
	"branchline/pbx/call"
)

// silentFor is how long a leg lives from which no sound comes though it is due, after media has said
// so, which takes it 20 s: a phone that has lost its power holds nobody up for longer than that.
const silentFor = 25 * time.Second

// quality takes what media thinks of the sound of a leg.
func (f *Floor) quality(l *leg, s hal.Quality) {
	l.silent = s.Problem == "silent"
	f.watchSound(l.of)
}

// watchSound gives each leg of c that is silent its time, and takes it back when it is well again.
// While anybody is on hold nobody need say anything.
func (f *Floor) watchSound(c *contact) {
	legs, held := c.legsNow(), false
	for _, l := range legs {
		held = held || l.held
	}
	for _, l := range legs {
		switch {
		case !l.silent || !l.answered || l.ending || held:
			l.mute = time.Time{}
		case l.mute.IsZero():
			l.mute = f.now.Add(silentFor)
		}
	}
}

// silentLate takes that a leg stayed silent. One that has no part in the call any more goes alone.
func (f *Floor) silentLate(c *contact, l *leg) {
	if l != c.caller && l != c.peer {
		f.hangup(l, hal.Media)
		return
	}
	f.fact(call.Trouble{Call: c.id, Leg: l.id, What: "no sound came from this leg for 45 s; it was ended"})
	f.end(c, hal.Media, call.BySystem)
}
