package words

import (
	"cmp"
	"slices"
	"time"

	"branchline/pbx/view"
)

// Moment is one line of a story.
type Moment struct {
	At    time.Time // UTC
	Words string
}

// Story tells a record: one line for each moment, with its time in UTC, and a line that sums up.
func Story(r view.Record, lang string) []string {
	moments, summary := Tell(r, lang)
	var out []string
	for _, m := range moments {
		if m.At.IsZero() {
			out = append(out, m.Words)
			continue
		}
		out = append(out, m.At.Format("15:04:05.000")+"  "+m.Words)
	}
	return append(out, summary)
}

// Tell tells a record as moments in order, with a line that sums up. Troubles come last: their
// times are not kept.
func Tell(r view.Record, lang string) (moments []Moment, summary string) {
	t := tongueOf(lang)
	beats := []Moment{{r.Began, t.opening(r)}}
	for _, k := range r.Keys {
		beats = append(beats, Moment{k.At, t.say("key %s is pressed", "按键 %s", k.Key)})
	}
	for _, v := range r.Visits {
		beats = append(beats, t.visit(v)...)
	}
	for _, l := range r.Legs {
		beats = append(beats, t.leg(l)...)
	}
	for _, n := range r.Turns {
		beats = append(beats, Moment{n.At, t.turn(n)})
	}
	for _, rec := range r.Recordings {
		beats = append(beats, Moment{rec.Started, t.say("recording begins: %s", "开始录音：%s", rec.File)})
	}
	if !r.Connected.IsZero() {
		beats = append(beats, Moment{r.Connected, t.say("the parties hear each other", "双方通话")})
	}
	slices.SortStableFunc(beats, func(a, b Moment) int { return a.At.Compare(b.At) })
	for i := range beats {
		beats[i].At = beats[i].At.UTC()
	}
	for _, trouble := range r.Troubles {
		beats = append(beats, Moment{Words: t.say("trouble: %s", "故障：%s", trouble)})
	}
	if r.Into != "" {
		beats = append(beats, Moment{r.Ended.UTC(), t.say("it goes on in call %s", "继续于通话 %s", r.Into)})
	}
	return beats, t.summary(r)
}

func (t tongue) opening(r view.Record) string {
	from := t.number(r.From)
	if r.Extension != "" {
		from = t.say("extension %s", "分机 %s", r.Extension)
	}
	if r.To == "" {
		return t.say("%s calls on %s", "%s 呼入，线路 %s", from, r.Line)
	}
	return t.say("%s calls %s on %s", "%s 呼叫 %s，线路 %s", from, r.To, r.Line)
}

func (t tongue) visit(v view.Visit) []Moment {
	out := []Moment{{v.Entered, t.say("waits in queue %s", "进入队列 %s 等待", v.Queue)}}
	for _, o := range v.Offers {
		out = append(out, Moment{o.At, t.say("%s is offered the call: %s", "派发给座席 %s：%s", o.Agent, t.offerWhy(o.Why))})
		if !o.Closed.IsZero() {
			text := t.say("%s: %s", "座席 %s：%s", o.Agent, t.why(o.Result))
			if o.Reason != "" {
				text = t.say("%s: %s (%s)", "座席 %s：%s（%s）", o.Agent, t.why(o.Result), t.why(o.Reason))
			}
			out = append(out, Moment{o.Closed, text})
		}
	}
	return out
}

func (t tongue) leg(l view.Leg) []Moment {
	who := cmp.Or(string(l.Number), string(l.Leg))
	var out []Moment
	if l.Outgoing {
		out = append(out, Moment{l.Began, t.say("%s is called over %s", "呼叫 %s，线路 %s", who, l.Line)})
	}
	if !l.Alerting.IsZero() {
		out = append(out, Moment{l.Alerting, t.say("%s rings", "%s 振铃", who)})
	}
	if !l.Answered.IsZero() {
		out = append(out, Moment{l.Answered, t.say("%s is answered", "%s 已应答", who)})
	}
	if !l.Ended.IsZero() {
		text := t.say("%s is cut off: %s", "%s 被挂断：%s", who, t.cause(l.Cause))
		if l.Far {
			text = t.say("%s hangs up: %s", "%s 挂断：%s", who, t.cause(l.Cause))
		}
		if l.WireCause != "" {
			text += t.say(" (%s)", "（%s）", l.WireCause)
		}
		out = append(out, Moment{l.Ended, text})
	}
	return out
}

func (t tongue) summary(r view.Record) string {
	if r.Ended.IsZero() {
		return t.say("the call still runs", "通话仍在进行")
	}
	return t.say("%s; ended by %s: %s; waited %s, talked %s, on hold %s", "%s；%s结束：%s；等待 %s，通话 %s，保持 %s",
		t.outcome(r.Outcome), t.party(r.By), t.cause(r.Cause), t.span(r.Wait), t.span(r.Talk), t.span(r.Hold))
}
