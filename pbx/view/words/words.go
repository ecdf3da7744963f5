// Package words says facts and records in plain sentences, in English and Simplified Chinese, with
// the names of the product glossary. It is pure. Start at Of and Story.
package words

import (
	"fmt"
	"strings"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
)

// Chinese is the tag of Simplified Chinese. Any other tag, but for its variants ("zh", "zh-Hans"),
// gives English.
const Chinese = "zh-CN"

// tongue is one of the languages.
type tongue struct {
	zh   bool
	zone *time.Location // of times of day; nil: UTC
}

func tongueOf(lang string) tongue {
	return tongue{zh: lang == "zh" || strings.HasPrefix(lang, "zh-")}
}

// say picks the language's format; indexes like %[2]s put the words in its order.
func (t tongue) say(en, zh string, args ...any) string {
	format := en
	if t.zh {
		format = zh
	}
	return fmt.Sprintf(format, args...)
}

// Of says e as a sentence without a full stop: "0935 rings on gsm1". A time of day in it is in the zone
// of e.At, for whoever shows both; where that is UTC, it says so. A fact of an unknown kind is named as
// such.
func Of(e call.Entry, lang string) string {
	t := tongueOf(lang)
	t.zone = e.At.Location()
	for _, say := range []func(call.Fact) string{t.ofBox, t.ofCall, t.ofQueue, t.ofLeg, t.ofParties} {
		if s := say(e.Fact); s != "" {
			return s
		}
	}
	return t.say("something that this version does not know: %s", "此版本不认识的事件：%s", e.Fact.Kind())
}

func (t tongue) ofBox(f call.Fact) string {
	switch f := f.(type) {
	case call.Booted:
		if f.Clean {
			return t.say("the box starts, run %d, program %s", "设备启动，第 %d 次，程序 %s", f.Boot, f.Program)
		}
		return t.say("the box starts after a crash or a power cut, run %d, program %s",
			"设备在崩溃或断电后启动，第 %d 次，程序 %s", f.Boot, f.Program)
	case call.Stopped:
		return t.say("the box stops in peace", "设备正常停止")
	case call.LineUp:
		return t.say("line %s is in service", "线路 %s 可用", f.Line)
	case call.LineDown:
		return t.say("line %s is out of service: %s", "线路 %s 不可用：%s", f.Line, t.why(f.Why))
	case call.PhoneUp:
		return t.say("the phone of extension %s can ring", "分机 %s 的话机可用", f.Extension)
	case call.PhoneDown:
		if f.Why == "" {
			return t.say("extension %s has no phone any more", "分机 %s 的话机不可用", f.Extension)
		}
		return t.say("extension %s has no phone any more: %s", "分机 %s 的话机不可用：%s", f.Extension, f.Why)
	case call.Guarded:
		return t.guarded(f)
	case call.ConfigApplied:
		return t.say("configuration %d is in force, by %s", "配置 %d 已生效，操作者 %s", f.Version, f.Who)
	case call.Unsynced:
		return t.say("the disk has not answered for %s; calls go on", "磁盘已 %s 未响应；通话继续", t.span(f.For))
	case call.Synced:
		return t.say("the disk answers again, after %s", "磁盘在 %s 后恢复响应", t.span(f.For))
	case call.ClockSet:
		if f.By < 0 {
			return t.say("the clock was set back by %s; durations stay exact", "时钟已调慢 %s；时长不受影响", t.span(-f.By))
		}
		return t.say("the clock was set forward by %s; durations stay exact", "时钟已调快 %s；时长不受影响", t.span(f.By))
	case call.SignInRefused:
		return t.say("agent %s may not sign in at extension %s: %s", "座席 %s 在分机 %s 签入被拒：%s",
			f.Agent, f.Extension, t.why(f.Why))
	case call.Presence:
		return t.presence(f)
	case call.Trouble:
		return t.say("trouble: %s", "故障：%s", f.What)
	}
	return ""
}

func (t tongue) ofCall(f call.Fact) string {
	switch f := f.(type) {
	case call.Began:
		return t.began(f)
	case call.FlowEntered:
		return t.say("the IVR flow %s begins", "进入 IVR 流程 %s", f.Flow)
	case call.Keyed:
		if f.Step == "" {
			return t.say("key %s is pressed", "按键 %s", f.Key)
		}
		return t.say("key %s is pressed at %s", "按键 %s，位于 %s", f.Key, f.Step)
	case call.Connected:
		if f.Agent == "" {
			return t.say("%s and %s are connected", "%s 与 %s 已接通", f.Leg, f.Peer)
		}
		return t.say("%s talks with the caller", "座席 %s 与来电者通话", f.Agent)
	case call.Held:
		return t.say("%s puts the other side on hold", "%s 保持对方", f.Leg)
	case call.Resumed:
		return t.say("%s takes the other side off hold", "%s 取消保持", f.Leg)
	case call.RecordingStarted:
		return t.say("recording begins: %s", "开始录音：%s", f.File)
	case call.RecordingSaved:
		if f.Err != "" {
			return t.say("the recording %s failed: %s", "录音 %s 失败：%s", f.File, f.Err)
		}
		return t.say("the recording %s is saved, %s", "录音 %s 已保存，%s", f.File, t.span(f.For))
	case call.Ended:
		if f.Actor != "" {
			return t.say("the call has ended, by %s (%s): %s", "通话结束，%s（%s）：%s", t.party(f.By), f.Actor, t.cause(f.Cause))
		}
		return t.say("the call has ended, by %s: %s", "通话结束，%s：%s", t.party(f.By), t.cause(f.Cause))
	}
	return ""
}

func (t tongue) began(f call.Began) string {
	from := t.number(f.From)
	if f.Name != "" && f.Name != string(f.From) {
		from += " (" + f.Name + ")"
	}
	switch f.Direction {
	case call.Outbound:
		return t.say("extension %s calls %s", "分机 %s 外呼 %s", f.Extension, f.To)
	case call.Internal:
		return t.say("extension %s dials %s", "分机 %s 拨打 %s", f.Extension, f.To)
	}
	return t.say("%s rings on %s", "%s 呼入，线路 %s", from, f.Line)
}

func (t tongue) ofQueue(f call.Fact) string {
	switch f := f.(type) {
	case call.Queued:
		return t.say("the caller waits in queue %s", "来电者进入队列 %s 等待", f.Queue)
	case call.Dequeued:
		return t.say("the caller leaves queue %[1]s after %[2]s: %[3]s", "来电者等待 %[2]s 后离开队列 %[1]s：%[3]s",
			f.Queue, t.span(f.Waited), t.exit(f))
	case call.Offered:
		return t.say("%s is offered the call: %s", "派发给座席 %s：%s", f.Agent, t.offerWhy(f.Why))
	case call.Missed:
		return t.say("%s does not take it: %s", "座席 %s 未接：%s", f.Agent, t.why(f.Why))
	case call.Withdrawn:
		return t.say("the offer to %s is withdrawn: %s", "撤回对座席 %s 的派发：%s", f.Agent, t.why(f.Why))
	}
	return ""
}

func (t tongue) ofLeg(f call.Fact) string {
	switch f := f.(type) {
	case call.Dialed:
		if f.Agent != "" {
			return t.say("%s's phone %s is called", "呼叫座席 %s 的分机 %s", f.Agent, f.To)
		}
		return t.say("%s is called over %s", "呼叫 %s，线路 %s", f.To, f.Line)
	case call.Opened:
		return t.say("%s is on the wire", "%s 已发出", f.Leg)
	case call.Alerting:
		return t.say("%s rings", "%s 振铃", f.Leg)
	case call.Answered:
		return t.say("%s is answered", "%s 已应答", f.Leg)
	case call.LegEnded:
		who := t.say("by us", "本端挂断")
		if f.Far {
			who = t.say("by the far side", "对端挂断")
		}
		if f.Wire != "" {
			return t.say("%s ends, %s: %s (%s)", "%s 结束，%s：%s（%s）", f.Leg, who, t.cause(f.Cause), f.Wire)
		}
		return t.say("%s ends, %s: %s", "%s 结束，%s：%s", f.Leg, who, t.cause(f.Cause))
	}
	return ""
}

func (t tongue) presence(f call.Presence) string {
	named := func(s call.State) string {
		if f.Reason != "" && s == call.NotReady {
			return t.say("%s (%s)", "%s（%s）", t.state(s), t.why(f.Reason))
		}
		return t.state(s)
	}
	s := t.say("agent %s: %s", "座席 %s：%s", f.Agent, named(f.State))
	if f.After != "" {
		s += t.say(", then %s", "，之后 %s", named(f.After))
	}
	switch {
	case f.Extension != "" && (f.State == call.Ready || f.State == call.NotReady):
		s += t.say(" at extension %s", "，分机 %s", f.Extension)
	case f.State == call.WrapUp && !f.Until.IsZero():
		s += t.say(" until %s", "，至 %s", t.clock(f.Until))
	}
	switch f.Cause {
	case call.BySelf, call.ByCall, "":
		return s
	}
	return s + t.say(", because: %s", "，原因：%s", t.why(f.Cause))
}

// number names a party.
func (t tongue) number(n hal.Number) string {
	if n == "" {
		return t.say("a withheld number", "隐藏号码")
	}
	return string(n)
}

// clock is the time of day.
func (t tongue) clock(at time.Time) string {
	if t.zone == nil || t.zone == time.UTC {
		return at.UTC().Format(time.TimeOnly) + " UTC"
	}
	return at.In(t.zone).Format(time.TimeOnly)
}

// span says how long: "19s", "1m5s", "400ms".
func (t tongue) span(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
