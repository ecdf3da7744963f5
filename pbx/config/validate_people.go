package config

import (
	"fmt"
	"strings"
	"time"
)

const (
	lower   = "abcdefghijklmnopqrstuvwxyz"
	upper   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	letters = lower + upper
	digits  = "0123456789"
)

func (v *validator) extension(path string, e *Extension) {
	v.digits(path+".number", "an extension's number", e.Number, 2, 8)
	v.text(path+".name", e.Name, false)
	v.password(path+".password", e)
	v.networks(path+".networks", e.Networks)
	if e.Remote && len(e.Password) < minRemotePassword {
		v.add(path+".password", "the phone may sign in from anywhere, and its password is short", fmt.Sprintf("write at least %d characters; the whole internet may guess at it", minRemotePassword))
	}
}

// password never shows what it refuses.
func (v *validator) password(path string, e *Extension) {
	switch {
	case e.Password == "":
		v.add(path, "the desk phone has no password", fmt.Sprintf("write one of at least %d characters, and the same into the phone", minPassword))
	case e.Password == e.Number:
		v.add(path, "the password is the extension's number", "take another: a stranger who tries numbers would make calls at your expense")
	case len(e.Password) < minPassword:
		v.add(path, "the password is too short", fmt.Sprintf("write at least %d characters", minPassword))
	case len(e.Password) > maxText || hasControl(e.Password):
		v.add(path, "the password is too long or holds a control character", fmt.Sprintf("write at most %d plain characters", maxText))
	}
}

func (v *validator) agent(path string, a *Agent) {
	v.digits(path+".number", "an agent's number", a.Number, 2, 8)
	v.text(path+".name", a.Name, true)
	if len(a.PIN) < 4 || len(a.PIN) > 8 || !only(a.PIN, digits) {
		v.add(path+".pin", "the PIN is not four to eight digits", "write it as in \"4711\"")
	}
}

func (v *validator) queue(path string, q *Queue) {
	v.name(path+".name", q.Name, "")
	if len(q.Agents) == 0 {
		v.add(path+".agents", "the queue has no agents", "name at least one agent's number, as in [1001]")
	}
	var seen index
	for i, a := range q.Agents {
		at := fmt.Sprintf("%s.agents[%d]", path, i)
		v.known(&v.agents, "agent", at, a)
		v.enter(&seen, "agent", at, a)
	}
	if q.Strategy != LongestIdle {
		v.add(path+".strategy", "there is no strategy "+quote(q.Strategy), "write "+LongestIdle)
	}
	v.between(path+".ring_timeout", q.RingTimeout, minRing, maxRing)
	v.between(path+".wrap_up", q.WrapUp, 0, maxWrapUp)
	v.between(path+".max_wait", q.MaxWait, 0, maxQueueWait)
	if q.MaxWait > 0 && q.RingTimeout > q.MaxWait {
		v.add(path+".ring_timeout", fmt.Sprintf("a phone rings for %s, longer than a caller waits at most (max_wait %s)", length(q.RingTimeout), length(q.MaxWait)), "make it shorter, or max_wait longer")
	}
	v.prompts(path+".music", q.Music)
}

// name checks a name that other parts refer to: R1 of the rules, with more as further characters.
func (v *validator) name(path, name, more string) {
	const cure = "write letters, digits and _, beginning with a letter or _"
	switch {
	case name == "":
		v.add(path, "the name is missing", cure)
	case len(name) > 64:
		v.add(path, fmt.Sprintf("the name has %d characters", len(name)), "write at most 64")
	case !only(name[:1], letters+"_") || !only(name, letters+digits+"_"+more):
		v.add(path, quote(name)+" is no name", cure)
	}
}

// text checks what people read: any characters that show.
func (v *validator) text(path, s string, wanted bool) {
	switch {
	case wanted && strings.TrimSpace(s) == "":
		v.add(path, "the name is missing", "write one")
	case len(s) > maxText || hasControl(s):
		v.add(path, "the name is too long or holds a control character", fmt.Sprintf("write at most %d plain characters", maxText))
	}
}

func (v *validator) digits(path, what, s string, low, high int) {
	switch {
	case s == "":
		v.add(path, what+" is missing", fmt.Sprintf("write %d to %d digits", low, high))
	case len(s) < low || len(s) > high || !only(s, digits):
		v.add(path, quote(s)+" is not "+what, fmt.Sprintf("write %d to %d digits", low, high))
	}
}

func (v *validator) between(path string, t, low, high time.Duration) {
	if t < low || t > high {
		v.add(path, length(t)+" is out of bounds", fmt.Sprintf("write %s to %s", length(low), length(high)))
	}
}

// prompts checks names like "digits/1": they become paths of files, so none may leave its folder.
func (v *validator) prompts(path string, names []string) {
	for i, n := range names {
		bad := n == "" || len(n) > maxText
		for part := range strings.SplitSeq(n, "/") {
			bad = bad || part == "" || !only(part, letters+digits+"_-")
		}
		if bad {
			v.add(fmt.Sprintf("%s[%d]", path, i), quote(n)+" is no prompt", "write its name without language and ending, as in welcome or digits/1")
		}
	}
}

func only(s, chars string) bool { return strings.Trim(s, chars) == "" }

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 })
}

// length is t as a person writes it: 1m, not 1m0s.
func length(t time.Duration) string {
	s := t.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}
