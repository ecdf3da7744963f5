package words

import (
	"fmt"
	"strings"

	"branchline/pbx/call"
)

// guarded says what the door has done: "phones keeps 203.0.113.7 away for 1m0s: 12 wrong passwords".
func (t tongue) guarded(f call.Guarded) string {
	source := f.Source
	if source == "" {
		source = t.say("many others", "其他来源")
	}
	why := t.offences(f.Counts)
	switch {
	case f.ByHand && f.For > 0:
		return t.say("%s keeps %s away for %s, by a person's will", "%s 由人工封禁 %s，时长 %s", f.Line, source, t.span(f.For))
	case f.For > 0:
		return t.say("%s keeps %s away for %s: %s", "%s 封禁 %s，时长 %s：%s", f.Line, source, t.span(f.For), why)
	}
	return t.say("%s has turned away %s: %s", "%s 拒绝了 %s：%s", f.Line, source, why)
}

// offences says counts by their causes, in the order of the list.
func (t tongue) offences(counts map[string]int) string {
	var out []string
	for _, cause := range []string{"scan", "wrong", "outside", "flood", "crowd", "rubbish", "knocks"} {
		if n := counts[cause]; n > 0 {
			out = append(out, fmt.Sprintf(t.offence(cause), n))
		}
	}
	return strings.Join(out, t.say(", ", "，"))
}

func (t tongue) offence(cause string) string {
	pick := func(en, zh string) string {
		if t.zh {
			return zh
		}
		return en
	}
	switch cause {
	case "scan":
		return pick("%d messages of an attack tool", "攻击工具消息 %d 条")
	case "wrong":
		return pick("%d times an unknown user or a wrong password", "用户未知或密码错误 %d 次")
	case "outside":
		return pick("%d requests from where nobody may come in", "来自不允许之处的请求 %d 次")
	case "flood":
		return pick("%d messages over its limit", "超限消息 %d 条")
	case "crowd":
		return pick("%d connections over its limit", "超限连接 %d 个")
	case "rubbish":
		return pick("%d messages that are no SIP", "非 SIP 消息 %d 条")
	}
	return pick("%d messages while it was kept away", "封禁期间消息 %d 条")
}
