package config

import (
	"fmt"
	"strings"
	"time"

	"branchline/pbx/config/both"
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
		v.add(path+".name", both.Say("%s is the name of the line of all desk phones", "%s 是全部话机所用线路的名称", quote(l.Name)), both.Say("take another", "请另取一个"))
	}
	switch l.Kind {
	case KindSIM:
		v.sim(path, l)
	case KindTrunk:
		v.trunk(path, l)
	default:
		v.add(path+".kind", both.Say("there is no kind of line %s", "没有线路类型 %s", quote(l.Kind)), both.Say("write %s or %s", "请写 %s 或 %s", KindSIM, KindTrunk))
	}
	if n := strings.TrimPrefix(l.Number, "+"); l.Number != "" && (n == l.Number || len(n) < 6 || len(n) > 15 || n[0] == '0' || !only(n, digits)) {
		v.add(path+".number", both.Say("%s is no number of the world", "%s 不是国际号码", quote(l.Number)),
			both.Say("write it with + and country code, as in +4930901820, or leave it out", "请写 + 和国家代码，如 +862150001234，或不写"))
	}
	if l.Flow == "" {
		v.add(path+".flow", both.Say("nothing is said about where its callers go", "没有说明来电者去向"), both.Say("name a flow", "请写一个流程"))
		return
	}
	v.known(&v.flows, both.Say("flow", "流程"), path+".flow", l.Flow)
}

func (v *validator) sim(path string, l *Line) {
	switch {
	case l.Slot == "":
		v.add(path+".slot", both.Say("the slot is missing", "缺少插槽"), both.Say("say where on the board it is, as in slot1", "请写出它在板上的位置，如 slot1"))
	case len(l.Slot) > maxText || !only(l.Slot, letters+digits+"_-"):
		v.add(path+".slot", both.Say("%s is no slot", "%s 不是插槽", quote(l.Slot)), both.Say("write it as it stands on the board, as in slot1", "请照板上所标填写，如 slot1"))
	}
	if l.PIN != "" && (len(l.PIN) < 4 || len(l.PIN) > 8 || !only(l.PIN, digits)) {
		v.add(path+".pin", both.Say("a SIM's PIN is four to eight digits", "SIM 卡的 PIN 码为四到八位数字"),
			both.Say("write it as in \"1234\", or leave it out where the SIM asks for none", "请写成 \"1234\" 的样子；SIM 卡不要求时可不写"))
	}
	if l.Trunk != nil {
		v.add(path+".trunk", both.Say("a SIM has no provider's server", "SIM 卡没有运营商服务器"), both.Say("leave it out, or write kind: %s", "请删去，或写 kind: %s", KindTrunk))
	}
}

func (v *validator) flow(path string, f *Flow) {
	v.name(path+".name", f.Name, "")
	if len(f.Steps) == 0 {
		v.add(path+".steps", both.Say("the flow has no steps", "流程没有步骤"), both.Say("write at least one, as in \"- queue: sales\"", "请至少写一步，如 \"- queue: sales\""))
		return
	}
	var steps index
	for i, s := range f.Steps {
		at := fmt.Sprintf("%s.steps[%d].name", path, i)
		if s.Name != "" {
			v.name(at, s.Name, "")
			v.enter(&steps, both.Say("step", "步骤"), at, s.Name)
		}
	}
	for i := range f.Steps {
		v.step(fmt.Sprintf("%s.steps[%d]", path, i), &f.Steps[i], &steps)
	}
	if i := playLoop(f); i >= 0 {
		v.add(fmt.Sprintf("%s.steps[%d].then", path, i), both.Say("from here the flow plays round and round and the caller never gets out", "流程从这里起循环播放，来电者永远出不来"),
			both.Say("let it go on to a menu, a queue or a hang-up", "请让它转到菜单、队列或挂断"))
	}
}

func (v *validator) step(path string, s *Step, steps *index) {
	switch actions := s.actions(); len(actions) {
	case 0:
		v.add(path, both.Say("the step does nothing", "这一步什么也不做"), both.Say("give it one of play, menu, queue and hangup", "请给它 play、menu、queue、hangup 之一"))
	case 1:
	default:
		v.add(path, both.Say("the step does several things: %s", "这一步做了几件事：%s", strings.Join(actions, ", ")), both.Say("make a step of each", "请各写成一步"))
	}
	if s.Then != "" {
		v.known(steps, both.Say("step", "步骤"), path+".then", s.Then)
	}
	if s.Then != "" && s.Hangup {
		v.add(path+".then", both.Say("nothing follows on a hang-up", "挂断之后没有下一步"), both.Say("leave it out", "请删去"))
	}
	v.prompts(path+".play", s.Play)
	if s.Queue != "" {
		v.known(&v.queues, both.Say("queue", "队列"), path+".queue", s.Queue)
	}
	if s.Menu != nil {
		v.menu(path+".menu", s.Menu, steps)
		if s.Then != "" {
			v.add(path+".then", both.Say("a menu goes where its keys say", "菜单的去向由按键决定"), both.Say("write \"otherwise\" into the menu instead", "请改为在菜单里写 \"otherwise\""))
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
		v.add(path+".keys", both.Say("the menu has no keys", "菜单没有按键"), both.Say("write at least one, as in {1: sales}", "请至少写一个，如 {1: sales}"))
	}
	for _, k := range sortedKeys(m.Keys) {
		at := fmt.Sprintf("%s.keys[%s]", path, k)
		if len(k) != 1 || !only(k, digits+"*#") {
			v.add(at, both.Say("%s is no key of a telephone", "%s 不是电话按键", quote(k)), both.Say("write one of 0 to 9, \"*\" and \"#\"", "请写 0 到 9、\"*\"、\"#\" 之一"))
		}
		v.known(steps, both.Say("step", "步骤"), at, m.Keys[k])
	}
	v.between(path+".wait", m.Wait, minKeyWait, maxKeyWait)
	if m.Tries < 1 || m.Tries > maxTries {
		v.add(path+".tries", both.Say("%d tries are out of bounds", "%d 次超出范围", m.Tries), both.Say("write 1 to %d", "请写 1 到 %d", maxTries))
	}
	if m.Otherwise != "" {
		v.known(steps, both.Say("step", "步骤"), path+".otherwise", m.Otherwise)
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
			v.add(path, both.Say("%s is no code", "%s 不是功能码", quote(code)),
				both.Say("begin it with * or #, at most %d keys, as in \"*22\"", "请以 * 或 # 开头，最多 %d 个按键，如 \"*22\"", maxCode))
		}
	}
	if c.SignIn == c.Ready && c.Ready != "" {
		v.add("codes.ready", both.Say("%s is taken by codes.sign_in", "%s 已用于 codes.sign_in", quote(c.Ready)), both.Say("give it one of its own", "请另用一个"))
	}
}

func (v *validator) outbound() {
	seen := prefixes{}
	for i, r := range v.doc.Outbound {
		path := fmt.Sprintf("outbound[%d]", i)
		if len(r.Prefix) > maxPrefix || !only(strings.TrimPrefix(r.Prefix, "+"), digits+"*#") {
			v.add(path+".prefix", both.Say("%s is no beginning of a number", "%s 不是号码前缀", quote(r.Prefix)),
				both.Say("write at most %d of 0 to 9, * and #, perhaps behind a +", "请写最多 %d 个 0 到 9、*、#，前面可加 +", maxPrefix))
		}
		if r.Strip < 0 || r.Strip > len(r.Prefix) {
			v.add(path+".strip", both.Say("%d characters cannot be taken off the prefix %s", "不能从前缀 %[2]s 去掉 %[1]d 位", r.Strip, quote(r.Prefix)),
				both.Say("write 0 to %d", "请写 0 到 %d", len(r.Prefix)))
		}
		if len(r.Add) > maxPrefix || !only(strings.TrimPrefix(r.Add, "+"), digits+"*#") {
			v.add(path+".add", both.Say("%s is no beginning of a number", "%s 不是号码前缀", quote(r.Add)), both.Say("write digits, perhaps behind a +", "请写数字，前面可加 +"))
		}
		if len(r.Lines) == 0 {
			v.add(path+".lines", both.Say("the route has no lines", "路由没有线路"), both.Say("name at least one, as in [gsm1]", "请至少写一条，如 [gsm1]"))
		}
		var twice index
		for j, l := range r.Lines {
			at := fmt.Sprintf("%s.lines[%d]", path, j)
			v.known(&v.lines, both.Say("line", "线路"), at, l)
			v.enter(&twice, both.Say("line", "线路"), at, l)
		}
		if first := seen.covers(r.Prefix); first != "" {
			v.add(path+".prefix", both.Say("never reached: %s comes first and takes every number that begins so", "永远轮不到：%s 在前，已接收所有以此开头的号码", first),
				both.Say("put this one above it, or leave it out", "请把本条放到它前面，或删去"))
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
			v.add(fmt.Sprintf("extensions[%d].number", i), both.Say("%s begins with the prefix of a route to the outside, %s", "%s 以外呼路由的前缀开头，见 %s", quote(e.Number), where),
				both.Say("change one of the two", "请改其中之一"))
		}
	}
	for _, c := range [...][2]string{{"codes.sign_in", v.doc.Codes.SignIn}, {"codes.ready", v.doc.Codes.Ready}} {
		if where := routes.covers(c[1]); where != "" {
			v.add(c[0], both.Say("%s begins with the prefix of a route to the outside, %s", "%s 以外呼路由的前缀开头，见 %s", quote(c[1]), where),
				both.Say("change one of the two", "请改其中之一"))
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
