package words

import (
	"cmp"
	"strings"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/view"
)

// ofParties says how it changes who talks with whom.
func (t tongue) ofParties(f call.Fact) string {
	switch f := f.(type) {
	case call.Parted:
		return t.say("%s and %s do not hear each other any more", "%s 与 %s 不再通话", f.Leg, f.Peer)
	case call.Transfer:
		return t.transfer(string(f.Leg), f.To, string(f.State), f.Cause)
	case call.DoorOpened:
		return t.say("%s opens the door %s", "%s 打开门 %s", cmp.Or(string(f.Number), string(f.By)), f.Extension)
	case call.Moved:
		return t.say("%s comes into this call: %s", "%s 加入本通话：%s", f.Leg, t.why(f.Why))
	case call.Parked:
		return t.say("extension %s parks the call at place %s", "分机 %s 将通话寄存到 %s 号位", f.Extension, f.Place)
	case call.Forwarded:
		return t.forwarded(f.Extension, f.To, f.Why)
	case call.ForwardSet:
		return t.forwardSet(f)
	}
	return ""
}

func (t tongue) transfer(who string, to hal.Number, state string, cause hal.Cause) string {
	switch call.TransferState(state) {
	case call.TransferAsked:
		return t.say("%s transfers the call to %s", "%s 将通话转接到 %s", who, to)
	case call.TransferRefused:
		return t.say("%s may not transfer the call to %s: %s", "%s 转接到 %s 被拒：%s", who, to, t.cause(cause))
	case call.TransferDone:
		return t.say("the transfer to %s is done", "已转接到 %s", to)
	case call.TransferFailed:
		return t.say("the transfer to %s failed: %s", "转接到 %s 失败：%s", to, t.cause(cause))
	case call.TransferConsult:
		return t.say("%s talks with %s first, the other party waits", "%s 先与 %s 通话，对方等待", who, to)
	case call.TransferGivenUp:
		return t.say("%s gives up the call to %s and goes back", "%s 放弃呼叫 %s，回到原通话", who, to)
	case call.TransferReturned:
		return t.say("the call came back to %s", "通话已转回 %s", who)
	}
	return state
}

func (t tongue) forwarded(extension string, to hal.Number, why string) string {
	return t.say("extension %s forwards the call to %s: %s", "分机 %s 将来电转移到 %s：%s", extension, to, t.why(why))
}

func (t tongue) forwardSet(f call.ForwardSet) string {
	var parts []string
	for _, p := range [...][2]string{{"always", f.Always}, {"busy", f.Busy}, {"no_answer", f.NoAnswer}, {"unreachable", f.Unreachable}} {
		if p[1] != "" {
			parts = append(parts, t.say("to %s (%s)", "到 %s（%s）", p[1], t.why(p[0])))
		}
	}
	s := t.say("extension %s forwards no calls", "分机 %s 不转移来电", f.Extension)
	if len(parts) > 0 {
		s = t.say("extension %s forwards its calls %s", "分机 %s 的来电转移%s", f.Extension, strings.Join(parts, t.say(", ", "、")))
	}
	if f.DND {
		s += t.say("; do not disturb", "；免打扰")
	}
	return s
}

// turn says a turn of a record.
func (t tongue) turn(n view.Turn) string {
	who := cmp.Or(n.Extension, string(n.Leg))
	switch n.What {
	case view.TurnTransfer:
		return t.transfer(who, n.To, n.How, n.Cause)
	case view.TurnForward:
		return t.forwarded(n.Extension, n.To, n.How)
	case view.TurnPark:
		return t.say("%s parks the call at place %s", "%s 将通话寄存到 %s 号位", who, n.How)
	case view.TurnJoin:
		return t.say("%s comes into this call: %s", "%s 加入本通话：%s", cmp.Or(n.Extension, string(n.To), string(n.Leg)), t.why(n.How))
	}
	return n.What
}
