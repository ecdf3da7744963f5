package config

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"branchline/pbx/config/both"
)

const (
	lower   = "abcdefghijklmnopqrstuvwxyz"
	upper   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	letters = lower + upper
	digits  = "0123456789"
)

func (v *validator) extension(path string, e *Extension) {
	v.digits(path+".number", both.Say("an extension's number", "分机号"), e.Number, 2, 8)
	v.text(path+".name", e.Name, false)
	v.password(path+".password", e)
	v.choice(path+".srtp", cmp.Or(e.SRTP, SRTPOff), SRTPOff, SRTPOffer, SRTPRequire)
	v.networks(path+".networks", e.Networks)
	if e.Remote && len(e.Password) < minRemotePassword {
		v.add(path+".password", both.Say("the phone may sign in from anywhere, and its password is short", "该话机可从任何地方注册，而密码太短"),
			both.Say("write at least %d characters; the whole internet may guess at it", "请写至少 %d 个字符：整个互联网都可能来猜", minRemotePassword))
	}
}

// password never shows what it refuses.
func (v *validator) password(path string, e *Extension) {
	switch {
	case e.Password == "":
		v.add(path, both.Say("the desk phone has no password", "话机没有密码"),
			both.Say("write one of at least %d characters, and the same into the phone", "请写至少 %d 个字符的密码，并在话机上填写同一密码", minPassword))
	case e.Password == e.Number:
		v.add(path, both.Say("the password is the extension's number", "密码就是分机号"),
			both.Say("take another: a stranger who tries numbers would make calls at your expense", "请换一个：陌生人逐个试号码，就能盗打电话"))
	case len(e.Password) < minPassword:
		v.add(path, both.Say("the password is too short", "密码太短"), both.Say("write at least %d characters", "请写至少 %d 个字符", minPassword))
	case len(e.Password) > maxText || hasControl(e.Password):
		v.add(path, both.Say("the password is too long or holds a control character", "密码太长，或含有控制字符"),
			both.Say("write at most %d plain characters", "请写最多 %d 个普通字符", maxText))
	}
}

func (v *validator) agent(path string, a *Agent) {
	v.digits(path+".number", both.Say("an agent's number", "工号"), a.Number, 2, 8)
	v.text(path+".name", a.Name, true)
	if len(a.PIN) < 4 || len(a.PIN) > 8 || !only(a.PIN, digits) {
		v.add(path+".pin", both.Say("the PIN is not four to eight digits", "密码不是四到八位数字"), both.Say("write it as in \"4711\"", "请写成 \"4711\" 的样子"))
	}
}

func (v *validator) queue(path string, q *Queue) {
	v.name(path+".name", q.Name, "")
	if len(q.Agents) == 0 {
		v.add(path+".agents", both.Say("the queue has no agents", "队列没有座席"), both.Say("name at least one agent's number, as in [1001]", "请至少写一个工号，如 [1001]"))
	}
	var seen index
	for i, a := range q.Agents {
		at := fmt.Sprintf("%s.agents[%d]", path, i)
		v.known(&v.agents, both.Say("agent", "座席"), at, a)
		v.enter(&seen, both.Say("agent", "座席"), at, a)
	}
	if q.Strategy != LongestIdle {
		v.add(path+".strategy", both.Say("there is no strategy %s", "没有派发策略 %s", quote(q.Strategy)), both.Say("write %s", "请写 %s", LongestIdle))
	}
	v.between(path+".ring_timeout", q.RingTimeout, minRing, maxRing)
	v.between(path+".wrap_up", q.WrapUp, 0, maxWrapUp)
	v.between(path+".max_wait", q.MaxWait, 0, maxQueueWait)
	if q.MaxWait > 0 && q.RingTimeout > q.MaxWait {
		v.add(path+".ring_timeout", both.Say("a phone rings for %s, longer than a caller waits at most (max_wait %s)", "话机振铃 %s，长于来电者的最长等待（max_wait %s）", length(q.RingTimeout), length(q.MaxWait)),
			both.Say("make it shorter, or max_wait longer", "请缩短它，或延长 max_wait"))
	}
	v.prompts(path+".music", q.Music)
	v.lamp(path+".lamp", q)
}

// lamp checks a number that is a queue's, on the keys of phones alone.
func (v *validator) lamp(path string, q *Queue) {
	if q.Lamp == "" {
		return
	}
	v.digits(path, both.Say("a lamp's number", "指示灯号码"), q.Lamp, 2, 8)
	taken := v.extensions.has(q.Lamp)
	for i := range v.doc.Queues {
		o := &v.doc.Queues[i]
		taken = taken || o != q && o.Lamp == q.Lamp
	}
	if taken {
		v.add(path, both.Say("%s is the number of something else", "%s 已是别处的号码", quote(q.Lamp)),
			both.Say("write one that no extension and no other queue has", "请写一个未被分机和其他队列使用的号码"))
	}
}

// name checks a name that other parts refer to: R1 of the rules, with more as further characters.
func (v *validator) name(path, name, more string) {
	cure := both.Say("write letters, digits and _, beginning with a letter or _", "请用字母、数字和 _，以字母或 _ 开头")
	switch {
	case name == "":
		v.add(path, both.Say("the name is missing", "缺少名称"), cure)
	case len(name) > 64:
		v.add(path, both.Say("the name has %d characters", "名称有 %d 个字符", len(name)), both.Say("write at most 64", "请写最多 64 个"))
	case !only(name[:1], letters+"_") || !only(name, letters+digits+"_"+more):
		v.add(path, both.Say("%s is no name", "%s 不能作名称", quote(name)), cure)
	}
}

// text checks what people read: any characters that show.
func (v *validator) text(path, s string, wanted bool) {
	switch {
	case wanted && strings.TrimSpace(s) == "":
		v.add(path, both.Say("the name is missing", "缺少名称"), both.Say("write one", "请写一个"))
	case len(s) > maxText || hasControl(s):
		v.add(path, both.Say("the name is too long or holds a control character", "名称太长，或含有控制字符"),
			both.Say("write at most %d plain characters", "请写最多 %d 个普通字符", maxText))
	}
}

func (v *validator) digits(path string, what both.Words, s string, low, high int) {
	cure := both.Say("write %d to %d digits", "请写 %d 到 %d 位数字", low, high)
	switch {
	case s == "":
		v.add(path, both.Say("%s is missing", "缺少%s", what), cure)
	case len(s) < low || len(s) > high || !only(s, digits):
		v.add(path, both.Say("%s is not %s", "%s 不是%s", quote(s), what), cure)
	}
}

func (v *validator) between(path string, t, low, high time.Duration) {
	if t < low || t > high {
		v.add(path, both.Say("%s is out of bounds", "%s 超出范围", length(t)), both.Say("write %s to %s", "请写 %s 到 %s", length(low), length(high)))
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
			v.add(fmt.Sprintf("%s[%d]", path, i), both.Say("%s is no prompt", "%s 不是提示音", quote(n)),
				both.Say("write its name without language and ending, as in welcome or digits/1", "请写名称，不带语言和扩展名，如 welcome 或 digits/1"))
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
