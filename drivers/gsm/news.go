package gsm

import (
	"errors"
	"strings"
	"time"

	"branchline/drivers/gsm/module"
	"branchline/hal"
)

// news takes what the module says by itself. About calls it is only a hint: AT+CLCC is asked at
// once, and a call that is over is closed when AT+CLCC no longer has it.
func (a *actor) news(line string) {
	if a.trouble != nil {
		return
	}
	if a.profile.Booted(line) {
		a.rebooted = true
		return
	}
	prefix, rest, _ := strings.Cut(line, ":")
	switch prefix {
	case "RING", "+CRING":
		a.ring(module.Entry{Far: true, Stat: module.Incoming})
	case "+CLIP":
		a.ring(module.CLIP(line))
	case "NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE", "NO DIAL TONE", "MISSED_CALL":
		a.ended(prefix, "", 0)
	case "+CCWA":
		if a.call != nil {
			a.noteSecond(0)
		}
	case "+CREG", "+CEREG":
		a.heardNetwork(line)
		a.network(true)
	case "+CPIN":
		a.simNews(strings.TrimSpace(rest))
	default:
		a.makersNews(line)
	}
}

// makersNews is what only this make of module says.
func (a *actor) makersNews(line string) {
	if a.profile.Name == "" {
		return
	}
	h := a.profile.Read(line)
	e := h.Entry
	switch {
	case h.What == module.Nothing:
		a.log.Debug("news of no use", "line", line)
	case h.What == module.Tone:
		if c := a.call; c != nil && c.answered && !c.ending && !c.explains {
			a.tell(hal.Digit{Leg: c.leg, Key: h.Key})
		}
	case h.What == module.Over:
		a.ended(h.Wire, h.Cause, e.Index)
	case h.What == module.Call && a.matches(e):
		a.advance(a.call, e)
		a.poll()
	case h.What == module.Call && e.Far && e.Stat == module.Incoming:
		a.ring(e)
	default:
		a.poll()
	}
}

// ring: it rings, for the first time or again.
func (a *actor) ring(e module.Entry) {
	switch c := a.call; {
	case c != nil && c.far && !c.answered:
		c.rang = time.Now()
		if e.Named {
			a.name(c, e)
		}
	case c != nil:
		a.poll() // a second call, or a late ring of ours: the list tells
	case !a.settledBy.IsZero():
		a.poll() // maybe the one that has just ended
	case a.begin(e) == nil:
		a.log.Debug("ring before the line is in service")
	}
}

// ended: something says that a call is over, by a word and maybe a cause. index is 0 where it does
// not say which.
func (a *actor) ended(word string, why hal.Cause, index int) {
	if c := a.call; c != nil && (index == 0 || c.index == 0 || c.index == index) {
		c.over = true
		if word != "" && c.why == "" {
			c.word, c.why = word, why
		}
	}
	if a.state == ready || a.call != nil {
		a.poll()
	}
}

// simNews: the SIM was put in or pulled out.
func (a *actor) simNews(says string) {
	switch {
	case a.state == simWait && says == "READY" && !a.retryAt.IsZero():
		a.retryAt = time.Now()
	case (a.state == ready || a.state == registering) && (says == "NOT INSERTED" || says == "NOT READY"):
		a.trouble = errors.New("the SIM was taken out")
	}
}
