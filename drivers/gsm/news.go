package gsm

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"branchline/drivers/atmodem"
	"branchline/drivers/gsm/module"
	"branchline/hal"
)

// news takes what the module says by itself. About calls it is only a hint: AT+CLCC is asked at
// once, and a call that is over is closed when AT+CLCC no longer has it.
func (a *actor) news(line string) {
	if a.trouble != nil {
		return
	}
	if slices.Contains(a.boots(), line) {
		a.rebooted = true
		return
	}
	prefix, rest, _ := strings.Cut(line, ":")
	switch prefix {
	case "RING", "+CRING":
		a.ring(module.Entry{Far: true, Stat: module.Incoming})
	case "+CLIP":
		a.clip(line)
	case "NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE", "NO DIAL TONE", "MISSED_CALL":
		a.ended(prefix, 0)
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

// boots are the lines that say that the module has started anew, of all modules until it is known
// which one this is.
func (a *actor) boots() []string {
	if a.profile.Name != "" {
		return a.profile.Boots
	}
	var all []string
	for _, p := range module.Profiles() {
		all = append(all, p.Boots...)
	}
	return all
}

// makersNews is what only this make of module says.
func (a *actor) makersNews(line string) {
	if a.profile.Name == "" {
		return
	}
	if key, ok := a.profile.Tone(line); ok {
		if c := a.call; c != nil && c.answered && !c.ending && !c.explains {
			a.tell(hal.Digit{Leg: c.leg, Key: key})
		}
		return
	}
	e, voice, ok := a.profile.Call(line)
	switch {
	case !ok:
		a.log.Debug("news of no use", "line", line)
	case !voice:
	case e.Stat == module.Ended:
		a.ended("", e.Index)
	case a.matches(e):
		a.advance(a.call, e)
		a.poll()
	case e.Far && e.Stat == module.Incoming:
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

// clip reads +CLIP: "num",type[,…]. It comes after a RING or before it, and again with each.
func (a *actor) clip(line string) {
	f := atmodem.Fields(line)
	e := module.Entry{Far: true, Stat: module.Incoming}
	if len(f) > 1 { // else it is half a line, and so may be its number
		if _, err := strconv.Atoi(f[1]); err == nil {
			e.Number, e.Named = module.Number(f[0], f[1]), true
		}
	}
	a.ring(e)
}

// ended: something says that a call is over. index is 0 where it does not say which.
func (a *actor) ended(word string, index int) {
	if c := a.call; c != nil && (index == 0 || c.index == 0 || c.index == index) {
		c.over = true
		if word != "" {
			c.word = word
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
