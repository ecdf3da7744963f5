package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"branchline/pbx/config/both"
)

// routing checks what was not there in the first documents: what has an older meaning stays valid.
func (v *validator) routing() {
	d := v.doc
	v.numbers(d.Numbers)
	for i, c := range d.Classes {
		v.class(fmt.Sprintf("classes[%d]", i), c)
	}
	for i, e := range d.Extensions {
		v.reach(fmt.Sprintf("extensions[%d]", i), e)
	}
	for i, l := range d.Lines {
		path := fmt.Sprintf("lines[%d]", i)
		if l.Channels < 0 || l.Channels > 1000 {
			v.add(path+".channels", both.Say("%d calls at a time", "同时 %d 路通话", l.Channels), both.Say("write 1 to 1000, or 0 for as many as the line can", "请写 1 到 1000，或 0 表示线路所能承载"))
		}
		v.oneOf(path+".form", l.Form, Forms())
		v.shown(path+".show", l.Show)
	}
	for i, r := range d.Outbound {
		path := fmt.Sprintf("outbound[%d]", i)
		v.oneOf(path+".pick", r.Pick, Picks())
		v.shown(path+".show", r.Show)
	}
	v.times(d.Calls)
	v.moreCodes(d.Codes)
}

func (v *validator) oneOf(path, s string, known []string) {
	if s != "" && !slices.Contains(known, s) {
		v.add(path, both.Say("%s is none of them", "%s 不在可选之列", quote(s)), both.Say("write one of %s", "请写 %s 之一", strings.Join(known, ", ")))
	}
}

// shown checks a number that is shown to others.
func (v *validator) shown(path, s string) {
	if s != "" && (len(s) > maxPrefix || !only(strings.TrimPrefix(s, "+"), digits)) {
		v.add(path, both.Say("%s is no number", "%s 不是号码", quote(s)), both.Say("write it with + and country code, as in +4930901820, or leave it out", "请写 + 和国家代码，如 +862150001234，或不写"))
	}
}

func (v *validator) numbers(n Numbers) {
	for _, f := range [...]struct {
		key, s, example string
		none            bool
	}{
		{"country_code", n.Country, "49", false}, {"area_code", n.Area, "30", false},
		{"trunk_prefix", n.Trunk, "0", true}, {"international_prefix", n.International, "00", true},
	} {
		if f.s == None && f.none {
			continue
		}
		if len(f.s) > 6 || !only(f.s, digits) {
			cure := both.Say("write digits, as in %s", "请写数字，如 %s", quote(f.example))
			if f.none {
				cure = both.Say("write digits, as in %s, or %s", "请写数字，如 %s，或 %s", quote(f.example), None)
			}
			v.add("numbers."+f.key, both.Say("%s is not one", "%s 不是有效值", quote(f.s)), cure)
		}
	}
	if n.Country != "" && n.Country[0] == '0' {
		v.add("numbers.country_code", both.Say("%s begins with 0", "%s 以 0 开头", quote(n.Country)), both.Say("write it without a prefix, as in \"49\"", "请不带前缀填写，如 \"86\""))
	}
	for _, list := range [...]struct {
		key     string
		numbers []string
	}{{"emergency", n.Emergency}, {"premium", n.Premium}} {
		for i, s := range list.numbers {
			if s == "" || len(s) > maxPrefix || !only(s, digits) {
				v.add(fmt.Sprintf("numbers.%s[%d]", list.key, i), both.Say("%s is no number", "%s 不是号码", quote(s)), both.Say("write digits", "请写数字"))
			}
		}
	}
}

func (v *validator) class(path string, c Class) {
	v.name(path+".name", c.Name, "-")
	for _, list := range [...]struct {
		key   string
		words []string
	}{{"allow", c.Allow}, {"deny", c.Deny}} {
		for i, w := range list.words {
			known := Destinations()
			begin, plus := strings.CutPrefix(w, "+")
			if slices.Contains(known, w) || plus && begin != "" && len(begin) <= 15 && only(begin, digits) {
				continue
			}
			v.add(fmt.Sprintf("%s.%s[%d]", path, list.key, i), both.Say("%s is no destination", "%s 不是呼叫去向", quote(w)),
				both.Say("write one of %s, or the beginning of a number, as in \"+44\"", "请写 %s 之一，或号码开头，如 \"+44\"", strings.Join(known, ", ")))
		}
	}
	if slices.Contains(c.Deny, ToEmergency) {
		v.add(path+".deny", both.Say("emergency numbers cannot be denied", "紧急号码不能被禁止"), both.Say("take it out", "请删去"))
	}
}

// reach checks what an extension may dial, and where its calls go.
func (v *validator) reach(path string, e Extension) {
	if e.Class != "" && e.Class != DefaultClass {
		v.known(&v.classes, both.Say("class", "呼叫权限"), path+".class", e.Class)
	}
	if e.Group != "" {
		v.name(path+".group", e.Group, "-")
	}
	f := e.Forward
	for _, to := range [...][2]string{
		{"always", f.Always}, {"busy", f.Busy}, {"no_answer", f.NoAnswer}, {"unreachable", f.Unreachable},
	} {
		at := path + ".forward." + to[0]
		switch n := to[1]; {
		case len(n) > 2*maxPrefix || !only(strings.TrimPrefix(n, "+"), digits):
			v.add(at, both.Say("%s is no number", "%s 不是号码", quote(n)),
				both.Say("write it as it is dialled at this phone, as in \"202\" or \"00301234567\"", "请照该话机的拨法填写，如 \"202\" 或 \"002150001234\""))
		case n != "" && n == e.Number:
			v.add(at, both.Say("the extension forwards to itself", "分机转移到自身"), both.Say("write another number, or leave it out", "请写其他号码，或不写"))
		}
	}
}

func (v *validator) times(c Calls) {
	for _, t := range [...]struct {
		key       string
		t         time.Duration
		low, high time.Duration
	}{
		{"recall", c.Recall, 5 * time.Second, maxRing}, {"no_answer", c.NoAnswer, minRing, maxRing},
		{"park", c.Park, 10 * time.Second, time.Hour},
	} {
		if t.t != 0 {
			v.between("calls."+t.key, t.t, t.low, t.high)
		}
	}
}

// moreCodes checks the codes that came later. One that means something else already is only warned of,
// for it is its default in a document from before.
func (v *validator) moreCodes(c Codes) {
	taken := map[string]string{c.SignIn: "codes.sign_in", c.Ready: "codes.ready"}
	for _, pc := range c.more() {
		path, code := "codes."+pc[0], pc[1]
		switch {
		case code == "":
			continue
		case len(code) < 2 || len(code) > maxCode || !only(code[:1], "*#") || !only(code, digits+"*#"):
			v.add(path, both.Say("%s is no code", "%s 不是功能码", quote(code)),
				both.Say("begin it with * or #, at most %d keys, as in \"*8\", or write \"\" for none", "请以 * 或 # 开头，最多 %d 位，如 \"*8\"；不用时写 \"\"", maxCode))
		case taken[code] != "":
			v.wrong.add(Problem{
				Path: path, What: both.Say("%s is taken by %s and is never reached", "%s 已被 %s 占用，不会生效", quote(code), taken[code]),
				Cure: both.Say("give it one of its own, or \"\" for none", "请另设一个；不用时写 \"\""), Warning: true,
			})
		default:
			taken[code] = path
		}
	}
}

// more are the codes that may be off, by their keys.
func (c Codes) more() [][2]string {
	return [][2]string{
		{"pickup", c.Pickup}, {"park", c.Park}, {"dnd", c.DND}, {"forward_always", c.ForwardAlways},
		{"forward_busy", c.ForwardBusy}, {"forward_no_answer", c.ForwardNoAnswer}, {"forward_unreachable", c.ForwardUnreachable},
	}
}
