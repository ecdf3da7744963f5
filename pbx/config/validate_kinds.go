package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"branchline/pbx/config/both"
)

const (
	maxTargets = 32
	maxOpen    = 8
)

// IsDoor tells whether e is a door station, which calls its Target and nobody else.
func (e *Extension) IsDoor() bool { return e.Kind == KindDoor }

// kinds checks what belongs to one kind of phone alone, and the codes that are pressed in calls.
func (v *validator) kinds() {
	for i := range v.doc.Extensions {
		v.kind(fmt.Sprintf("extensions[%d]", i), &v.doc.Extensions[i])
	}
	v.inCall(v.doc.Codes)
}

func (v *validator) kind(path string, e *Extension) {
	kinds := []string{KindDesk, KindDoor, KindAdapter}
	if kind := cmp.Or(e.Kind, KindDesk); !slices.Contains(kinds, kind) {
		v.add(path+".kind", both.Say("there is no kind of phone %s", "没有话机类型 %s", quote(kind)), both.Say("write one of %s", "请写 %s 之一", strings.Join(kinds, ", ")))
		return
	}
	if e.Fax && e.Kind != KindAdapter {
		v.add(path+".fax", both.Say("only an adapter has a fax machine behind it", "只有适配器后面才有传真机"), both.Say("write kind: %s, or take it out", "请写 kind: %s，或删去", KindAdapter))
	}
	if e.IsDoor() {
		v.door(path, e)
		return
	}
	for _, of := range [...]struct {
		key string
		set bool
	}{{"target", len(e.Target) > 0}, {"open", e.Open != ""}} {
		if of.set {
			v.add(path+"."+of.key, both.Say("only a door station has it", "只有门口机才有此项"), both.Say("write kind: %s, or take it out", "请写 kind: %s，或删去", KindDoor))
		}
	}
}

func (v *validator) door(path string, e *Extension) {
	switch n := len(e.Target); {
	case n == 0:
		v.add(path+".target", both.Say("nobody is said to ring when somebody is at the door", "没有说明有人按门铃时呼叫谁"), both.Say("name extensions or a queue, as in [\"201\"]", "请写分机或队列，如 [\"201\"]"))
	case n > maxTargets:
		v.add(path+".target", both.Say("%d phones ring at once", "%d 部话机同时振铃", n), both.Say("name at most %d", "最多写 %d 部", maxTargets))
	}
	var seen index
	for i, to := range e.Target {
		at := fmt.Sprintf("%s.target[%d]", path, i)
		switch {
		case len(e.Target) == 1 && v.queues.has(to):
		case to == e.Number:
			v.add(at, both.Say("the door would call itself", "门口机会呼叫自身"), both.Say("name another", "请写其他分机"))
		default:
			v.known(&v.extensions, both.Say("extension", "分机"), at, to)
			v.enter(&seen, both.Say("extension", "分机"), at, to)
		}
	}
	if f := e.Forward; f != (Forward{}) {
		v.add(path+".forward", both.Say("calls to a door are not forwarded", "呼叫门口机不能转移"), both.Say("take it out", "请删去"))
	}
	c := v.doc.Codes
	switch {
	case e.Open == "":
	case len(e.Open) > maxOpen || !only(e.Open, digits+"*#"):
		v.add(path+".open", both.Say("these are no keys of a telephone, or too many", "不是电话按键，或太多"), both.Say("write at most %d of 0 to 9, * and #", "请写最多 %d 个 0 到 9、*、#", maxOpen))
	case c.Transfer != "" && strings.HasPrefix(e.Open, c.Transfer), c.Consult != "" && strings.HasPrefix(e.Open, c.Consult):
		v.add(path+".open", both.Say("it begins as codes.transfer or codes.consult do", "以 codes.transfer 或 codes.consult 开头"), both.Say("take other keys", "请换其他按键"))
	}
}

// inCall checks the codes that are pressed in a call. They clash with each other alone: what is dialled
// is another matter.
func (v *validator) inCall(c Codes) {
	for _, pc := range [...][2]string{{"codes.transfer", c.Transfer}, {"codes.consult", c.Consult}} {
		path, code := pc[0], pc[1]
		if code != "" && (len(code) < 2 || len(code) > maxCode || !only(code[:1], "*#") || !only(code, digits+"*#")) {
			v.add(path, both.Say("%s is no code", "%s 不是功能码", quote(code)),
				both.Say("begin it with * or #, 2 to %d keys, as in \"##\", or write \"\" for none", "请以 * 或 # 开头，2 到 %d 位，如 \"##\"；不用时写 \"\"", maxCode))
		}
	}
	if c.Consult != "" && c.Transfer != "" && (strings.HasPrefix(c.Consult, c.Transfer) || strings.HasPrefix(c.Transfer, c.Consult)) {
		v.add("codes.consult", both.Say("%s and codes.transfer begin alike", "%s 与 codes.transfer 开头相同", quote(c.Consult)), both.Say("give it one of its own, or \"\" for none", "请另设一个；不用时写 \"\""))
	}
}
