package config

import (
	"fmt"
	"strings"
	"time"
)

const (
	phonesLine         = "phones" // the line of all desk phones
	minKeyWait         = time.Second
	maxKeyWait         = time.Minute
	maxTries           = 10
	maxPrefix, maxCode = 20, 8
)

func (v *validator) line(path string, l *Line) {
	v.name(path+".name", l.Name, "-")
	if strings.EqualFold(l.Name, phonesLine) {
		v.add(path+".name", quote(l.Name)+" is the name of the line of all desk phones", "take another")
	}
	if l.Kind != KindSIM {
		v.add(path+".kind", "there is no kind of line "+quote(l.Kind), "write "+KindSIM)
	}
	switch {
	case l.Slot == "":
		v.add(path+".slot", "the slot is missing", "say where on the board it is, as in slot1")
	case len(l.Slot) > maxText || !only(l.Slot, letters+digits+"_-"):
		v.add(path+".slot", quote(l.Slot)+" is no slot", "write it as it stands on the board, as in slot1")
	}
	if n := strings.TrimPrefix(l.Number, "+"); l.Number != "" && (n == l.Number || len(n) < 6 || len(n) > 15 || n[0] == '0' || !only(n, digits)) {
		v.add(path+".number", quote(l.Number)+" is no number of the world", "write it with + and country code, as in +4930901820, or leave it out")
	}
	if l.PIN != "" && (len(l.PIN) < 4 || len(l.PIN) > 8 || !only(l.PIN, digits)) {
		v.add(path+".pin", "a SIM's PIN is four to eight digits", "write it as in \"1234\", or leave it out where the SIM asks for none")
	}
	if l.Flow == "" {
		v.add(path+".flow", "nothing is said about where its callers go", "name a flow")
		return
	}
	v.known(&v.flows, "flow", path+".flow", l.Flow)
}

func (v *validator) flow(path string, f *Flow) {
	v.name(path+".name", f.Name, "")
	if len(f.Steps) == 0 {
		v.add(path+".steps", "the flow has no steps", "write at least one, as in \"- queue: sales\"")
		return
	}
	var steps index
	for i, s := range f.Steps {
		at := fmt.Sprintf("%s.steps[%d].name", path, i)
		if s.Name != "" {
			v.name(at, s.Name, "")
			v.enter(&steps, "step", at, s.Name)
		}
	}
	for i := range f.Steps {
		v.step(fmt.Sprintf("%s.steps[%d]", path, i), &f.Steps[i], &steps)
	}
	if i := playLoop(f); i >= 0 {
		v.add(fmt.Sprintf("%s.steps[%d].then", path, i), "from here the flow plays round and round and the caller never gets out", "let it go on to a menu, a queue or a hang-up")
	}
}

func (v *validator) step(path string, s *Step, steps *index) {
	switch actions := s.actions(); len(actions) {
	case 0:
		v.add(path, "the step does nothing", "give it one of play, menu, queue and hangup")
	case 1:
	default:
		v.add(path, "the step does several things: "+strings.Join(actions, ", "), "make a step of each")
	}
	if s.Then != "" {
		v.known(steps, "step", path+".then", s.Then)
	}
	if s.Then != "" && s.Hangup {
		v.add(path+".then", "nothing follows on a hang-up", "leave it out")
	}
	v.prompts(path+".play", s.Play)
	if s.Queue != "" {
		v.known(&v.queues, "queue", path+".queue", s.Queue)
	}
	if s.Menu != nil {
		v.menu(path+".menu", s.Menu, steps)
		if s.Then != "" {
			v.add(path+".then", "a menu goes where its keys say", "write \"otherwise\" into the menu instead")
		}
	}
}

// actions is the names of what the step does.
func (s *Step) actions() []string {
	all := make([]string, 0, 4)
	for _, a := range [...]struct {
		name string
		set  bool
	}{{"play", len(s.Play) > 0}, {"menu", s.Menu != nil}, {"queue", s.Queue != ""}, {"hangup", s.Hangup}} {
		if a.set {
			all = append(all, a.name)
		}
	}
	return all
}

func (v *validator) menu(path string, m *Menu, steps *index) {
	v.prompts(path+".prompt", m.Prompt)
	v.prompts(path+".invalid", m.Invalid)
	if len(m.Keys) == 0 {
		v.add(path+".keys", "the menu has no keys", "write at least one, as in {1: sales}")
	}
	for _, k := range sortedKeys(m.Keys) {
		at := fmt.Sprintf("%s.keys[%s]", path, k)
		if len(k) != 1 || !only(k, digits+"*#") {
			v.add(at, quote(k)+" is no key of a telephone", "write one of 0 to 9, \"*\" and \"#\"")
		}
		v.known(steps, "step", at, m.Keys[k])
	}
	v.between(path+".wait", m.Wait, minKeyWait, maxKeyWait)
	if m.Tries < 1 || m.Tries > maxTries {
		v.add(path+".tries", fmt.Sprintf("%d tries are out of bounds", m.Tries), fmt.Sprintf("write 1 to %d", maxTries))
	}
	if m.Otherwise != "" {
		v.known(steps, "step", path+".otherwise", m.Otherwise)
	}
}

// playLoop finds a way through play steps alone that comes back to where it was: the index of the
// step that closes it, -1 where there is none. Every other step either ends the call or waits for
// somebody.
func playLoop(f *Flow) int {
	at := make(map[string]int, len(f.Steps))
	for i, s := range f.Steps {
		if _, twice := at[s.Name]; s.Name != "" && !twice {
			at[s.Name] = i
		}
	}
	round := make([]int, len(f.Steps)) // in which walk a step was seen; 0: not yet
	for start := range f.Steps {
		last := -1
		for i := start; i < len(f.Steps) && len(f.Steps[i].Play) > 0 && !f.Steps[i].Hangup; {
			if round[i] == start+1 {
				return last
			}
			if round[i] != 0 {
				break
			}
			round[i], last = start+1, i
			then, named := at[f.Steps[i].Then]
			switch {
			case f.Steps[i].Then == "":
				i++
			case named:
				i = then
			default:
				i = len(f.Steps) // the target does not exist, which is said elsewhere
			}
		}
	}
	return -1
}

func (v *validator) codes() {
	c := v.doc.Codes
	for _, pc := range [...][2]string{{"codes.sign_in", c.SignIn}, {"codes.ready", c.Ready}} {
		path, code := pc[0], pc[1]
		if len(code) < 2 || len(code) > maxCode || !only(code[:1], "*#") || !only(code, digits+"*#") {
			v.add(path, quote(code)+" is no code", fmt.Sprintf("begin it with * or #, at most %d keys, as in \"*22\"", maxCode))
		}
	}
	if c.SignIn == c.Ready && c.Ready != "" {
		v.add("codes.ready", quote(c.Ready)+" is taken by codes.sign_in", "give it one of its own")
	}
}

func (v *validator) outbound() {
	seen := prefixes{}
	for i, r := range v.doc.Outbound {
		path := fmt.Sprintf("outbound[%d]", i)
		if len(r.Prefix) > maxPrefix || !only(strings.TrimPrefix(r.Prefix, "+"), digits+"*#") {
			v.add(path+".prefix", quote(r.Prefix)+" is no beginning of a number", fmt.Sprintf("write at most %d of 0 to 9, * and #, perhaps behind a +", maxPrefix))
		}
		if r.Strip < 0 || r.Strip > len(r.Prefix) {
			v.add(path+".strip", fmt.Sprintf("%d characters cannot be taken off the prefix %s", r.Strip, quote(r.Prefix)), fmt.Sprintf("write 0 to %d", len(r.Prefix)))
		}
		if len(r.Add) > maxPrefix || !only(strings.TrimPrefix(r.Add, "+"), digits+"*#") {
			v.add(path+".add", quote(r.Add)+" is no beginning of a number", "write digits, perhaps behind a +")
		}
		if len(r.Lines) == 0 {
			v.add(path+".lines", "the route has no lines", "name at least one, as in [gsm1]")
		}
		var twice index
		for j, l := range r.Lines {
			at := fmt.Sprintf("%s.lines[%d]", path, j)
			v.known(&v.lines, "line", at, l)
			v.enter(&twice, "line", at, l)
		}
		if first := seen.covers(r.Prefix); first != "" {
			v.add(path+".prefix", fmt.Sprintf("never reached: %s comes first and takes every number that begins so", first), "put this one above it, or leave it out")
		} else {
			seen[r.Prefix] = path + ".prefix"
		}
	}
	v.collisions(seen)
}

// collisions refuses what could mean two things when it is dialled. The route "", which takes
// whatever is left, collides with nothing: extensions and codes are looked at first.
func (v *validator) collisions(routes prefixes) {
	delete(routes, "")
	for i, e := range v.doc.Extensions {
		if where := routes.covers(e.Number); where != "" {
			v.add(fmt.Sprintf("extensions[%d].number", i), fmt.Sprintf("%s begins with the prefix of a route to the outside, %s", quote(e.Number), where), "change one of the two")
		}
	}
	for _, c := range [...][2]string{{"codes.sign_in", v.doc.Codes.SignIn}, {"codes.ready", v.doc.Codes.Ready}} {
		if where := routes.covers(c[1]); where != "" {
			v.add(c[0], fmt.Sprintf("%s begins with the prefix of a route to the outside, %s", quote(c[1]), where), "change one of the two")
		}
	}
}

// prefixes is the prefixes of routes: prefix → path.
type prefixes map[string]string

// covers is the path of a prefix that s begins with, "" where there is none.
func (x prefixes) covers(s string) string {
	for i := range min(len(s), maxPrefix) + 1 {
		if where := x[s[:i]]; where != "" {
			return where
		}
	}
	return ""
}
