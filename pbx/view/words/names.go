package words

import (
	"strings"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/view"
)

// State names what an agent does: "on hold".
func State(s call.State, lang string) string { return tongueOf(lang).state(s) }

// Waiting says how many wait in a queue: "3 waiting".
func Waiting(n int, lang string) string { return tongueOf(lang).say("%d waiting", "%d 人等待", n) }

// DND says that an extension wants no calls.
func DND(lang string) string { return tongueOf(lang).say("do not disturb", "免打扰") }

// ForwardsTo says where an extension sends all its calls.
func ForwardsTo(to, lang string) string {
	return tongueOf(lang).say("forwards to %s", "转移到 %s", to)
}

func (t tongue) state(s call.State) string {
	switch s {
	case call.SignedOut:
		return t.say("signed out", "已签出")
	case call.Ready:
		return t.say("ready", "示闲")
	case call.NotReady:
		return t.say("not ready", "示忙")
	case call.Reserved:
		return t.say("reserved", "预占用")
	case call.Ringing:
		return t.say("ringing", "振铃")
	case call.Talking:
		return t.say("talking", "通话")
	case call.Holding:
		return t.say("on hold", "保持")
	case call.WrapUp:
		return t.say("wrap-up", "话后整理")
	case call.Dialing:
		return t.say("dialling", "拨号")
	case call.Unreachable:
		return t.say("unreachable", "话机不可用")
	}
	return string(s)
}

func (t tongue) cause(c hal.Cause) string {
	switch c {
	case hal.Normal:
		return t.say("hung up", "正常挂断")
	case hal.Busy:
		return t.say("busy", "忙")
	case hal.NoAnswer:
		return t.say("no answer", "无人接听")
	case hal.Rejected:
		return t.say("rejected", "拒接")
	case hal.Elsewhere:
		return t.say("answered elsewhere", "已在他处接听")
	case hal.Unallocated:
		return t.say("no such number", "空号")
	case hal.Unreachable:
		return t.say("not reachable", "无法接通")
	case hal.Congestion:
		return t.say("no channel free", "线路拥塞")
	case hal.Media:
		return t.say("sound failed", "媒体故障")
	case hal.Forbidden:
		return t.say("not allowed", "不允许")
	case hal.WireTrouble:
		return t.say("the line broke", "线路故障")
	case hal.Restarted:
		return t.say("the box restarted", "设备重启")
	}
	return string(c)
}

func (t tongue) party(p call.Party) string {
	switch p {
	case call.ByCaller:
		return t.say("the caller", "主叫方")
	case call.ByCallee:
		return t.say("the called party", "被叫方")
	case call.BySystem:
		return t.say("the box", "系统")
	}
	return string(p)
}

func (t tongue) exit(f call.Dequeued) string {
	switch f.Exit {
	case call.ExitAnswered:
		return t.say("answered by %s", "由座席 %s 接听", f.Agent)
	case call.ExitAbandoned:
		return t.say("abandoned", "放弃")
	case call.ExitTimeout:
		return t.say("waited too long", "等待超时")
	case call.ExitNoAgent:
		return t.say("no agent signed in", "无座席签入")
	case call.ExitRestarted:
		return t.say("the box restarted", "设备重启")
	case call.ExitSystem:
		return t.say("ended by the box", "系统结束")
	}
	return string(f.Exit)
}

func (t tongue) outcome(o view.Outcome) string {
	switch o {
	case view.OutcomeAnswered:
		return t.say("answered", "已接通")
	case view.OutcomeAbandoned:
		return t.say("abandoned", "放弃")
	case view.OutcomeNoAnswer:
		return t.say("no answer", "无人接听")
	case view.OutcomeBusy:
		return t.say("busy", "忙")
	case view.OutcomeUnreachable:
		return t.say("not reachable", "无法接通")
	case view.OutcomeFailed:
		return t.say("failed", "失败")
	case view.OutcomeService:
		return t.say("served by the box alone", "自助服务")
	case view.OutcomeRestarted:
		return t.say("cut by a restart", "因设备重启中断")
	}
	return string(o)
}

// Why says why a line is out of service; free text stays as it is.
func Why(s, lang string) string { return tongueOf(lang).why(s) }

// why says a known reason in the language; free text of the box stays as it is.
func (t tongue) why(s string) string {
	if said, ok := t.trunkWhy(s); ok {
		return said
	}
	switch s {
	case call.BySelf:
		return t.say("by themselves", "本人")
	case call.ByRONA:
		return t.say("did not answer", "久不应答")
	case call.ByReject:
		return t.say("rejected on the phone", "话机拒接")
	case call.ByForce:
		return t.say("forced by a supervisor", "班长强制")
	case call.ByPhone:
		return t.say("the phone came or went", "话机状态变化")
	case call.ByElsewhere:
		return t.say("signed in at another phone", "在其他话机签入")
	case call.ByCall:
		return t.say("a call", "通话")
	case call.ByDeadline:
		return t.say("the time is over", "时间已到")
	case call.ByRestart:
		return t.say("the box restarted", "设备重启")
	case call.ByConfig:
		return t.say("the configuration changed", "配置变更")
	case call.ByTransfer:
		return t.say("an attended transfer", "协商转接")
	case call.ByPickup:
		return t.say("picked up at another phone", "被其他话机代接")
	case call.ByTakeOver:
		return t.say("taken over at another phone", "被其他话机接管")
	case call.ByUnpark:
		return t.say("taken back from its place", "取回寄存通话")
	case "always":
		return t.say("always", "无条件")
	case "no_answer":
		return t.say("no answer", "无人接听")
	case "busy":
		return t.say("busy", "忙")
	case "unreachable":
		return t.say("the phone cannot be reached", "话机不可用")
	case "trouble":
		return t.say("trouble", "故障")
	case "unknown agent":
		return t.say("unknown agent", "座席不存在")
	case "wrong PIN":
		return t.say("wrong PIN", "密码错误")
	case "locked":
		return t.say("locked", "已锁定")
	case view.OfferAnswered:
		return t.say("answered", "已接听")
	case view.OfferMissed:
		return t.say("missed", "未接")
	case view.OfferWithdrawn:
		return t.say("withdrawn", "已撤回")
	}
	return s
}

// offerWhy says why an agent was chosen: the strategy's words, then figures.
func (t tongue) offerWhy(s string) string {
	if !t.zh {
		return s
	}
	return strings.Replace(s, "longest idle, ", "空闲最久，", 1)
}
