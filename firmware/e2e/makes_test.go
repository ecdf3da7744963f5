package e2e

import (
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"

	"branchline/board/sim/network"
	"branchline/board/sim/phone"
	"branchline/firmware/boot"
	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/view"
)

// makes are the modules of the box below: a line of each make, a caller and a desk phone of its own.
func makes() []makeOf {
	return []makeOf{
		{"EC25", "ec25", "gsm1", "+4930901820", "+493080001", "201", "1001", "4711"},
		{"SIM7600", "sim7600", "gsm2", "+4930901821", "+493080002", "202", "1002", "4712"},
		{"E173", "e17x", "gsm3", "+4930901822", "+493080003", "203", "1003", "4713"},
	}
}

type makeOf struct{ model, profile, line, number, from, extension, agent, pin string }

// threeMakes is a box with a module of each make, each with its queue and its way out: to 7, 8 and 9.
func threeMakes(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), ip: boxes.next(), pulse: newPulse(t), board: "sim:slot1=ec25,slot2=sim7600,slot3=e173"}
	var lines, queues, flows, routes strings.Builder
	for i, m := range makes() {
		if i > 0 {
			fmt.Fprintf(&lines, "\n  - { name: %s, kind: sim, slot: slot%d, number: %q, flow: %s }", m.line, i+1, m.number, m.line)
		}
		fmt.Fprintf(&queues, "  - { name: %s, agents: [%q], ring_timeout: 10s, wrap_up: 0s }\n", m.line, m.agent)
		fmt.Fprintf(&flows, "  - name: %s\n    steps:\n      - { name: choose, menu: { prompt: [hello], keys: { \"%d\": wait }, wait: 10s, tries: 3 } }\n      - { name: wait, queue: %s }\n", m.line, i+1, m.line)
		fmt.Fprintf(&routes, "\n  - { prefix: \"%d\", strip: 1, lines: [%s] }", i+7, m.line)
	}
	r.seeded(
		`number: "+4930901820", flow: main }`, `number: "+4930901820", flow: gsm1 }`+lines.String(),
		"queues:\n", "queues:\n"+queues.String(), "flows:\n", "flows:\n"+flows.String(),
		`  - { prefix: "0", strip: 1, lines: [gsm1] }`, strings.TrimPrefix(routes.String(), "\n"),
	)
	return r
}

// Three makes of modules in one box, each under the driver's own profile over ptys: IVR, a key, sound both ways,
// hang-up and record, and then a call out over each, all at the same time.
func TestEachMakeOfModuleCarriesCallsInOneBox(t *testing.T) {
	t.Parallel()
	r := threeMakes(t)
	desks := make([]*phone.Phone, len(makes()))
	for i, m := range makes() {
		desks[i] = r.phone(m.extension, func(o *phone.Options) { o.Tone, o.Auto = 1000+100*float64(i), phone.AnswerAfter(0) })
		r.signIn(desks[i], m.agent, m.pin)
		r.lineUp(m.line)
		if log := r.log.said(); !regexp.MustCompile(`msg="in service" line=` + m.line + ` module="?` + m.profile).MatchString(log) {
			t.Errorf("%s is not driven as %s:\n%s", m.line, m.profile, log)
		}
	}
	callers := make([]*network.Call, len(makes()))
	for i, m := range makes() {
		callers[i] = r.outsideTo(m.number, "from="+m.from+"; tone "+fmt.Sprint(440+40*i))
	}
	for i, m := range makes() {
		r.within("the box to answer over the "+m.model, callers[i].Answered())
		r.eventually("the caller to hear the menu over the "+m.model, func() bool { return loud(callers[i].Heard()) })
		callers[i].Key(fmt.Sprint(i + 1))
	}
	for i, m := range makes() {
		r.inward(m, callers[i], desks[i], 440+40*float64(i), 1000+100*float64(i))
	}
	outs := make([]*phone.Call, len(makes()))
	for i := range outs {
		var err error
		if outs[i], err = desks[i].Dial(r.ctx(), fmt.Sprint(i+7)+"030111"); err != nil {
			t.Fatal(err)
		}
	}
	for i, m := range makes() {
		r.outward(m, outs[i], 1000+100*float64(i))
	}
	for _, m := range makes() {
		if down := count(r, func(f call.LineDown) bool { return f.Line == m.line }); down > 0 {
			t.Errorf("the line of the %s went out of service %d times", m.model, down)
		}
	}
}

// inward follows a call from its key to its record.
func (r *rig) inward(m makeOf, caller *network.Call, desk *phone.Phone, his, ours float64) {
	r.t.Helper()
	in, err := desk.WaitCall(r.ctx())
	if err != nil {
		r.t.Fatalf("%s: %v", m.model, err)
	}
	if in.From() != m.from {
		r.t.Errorf("%s: the desk phone shows %q as the caller, want %s", m.model, in.From(), m.from)
	}
	r.hears(caller, ours)
	if err := in.WaitHears(r.ctx(), his); err != nil {
		r.t.Fatalf("%s: the agent does not hear the caller: %v", m.model, err)
	}
	for other := range makes() {
		if hz := 440 + 40*float64(other); hz != his && in.Hears(hz) {
			r.t.Errorf("%s: the agent hears the caller of another line, who says %v Hz", m.model, hz)
		}
	}
	if !silent(caller.Heard(), his) {
		r.t.Errorf("%s: the caller hears himself", m.model)
	}
	caller.Hangup()
	r.within("the agent's phone to be hung up", in.Gone())
	rec := r.oneRecord(call.Inbound, m.from)
	if rec.Outcome != "answered" || rec.By != call.ByCaller || rec.Cause != hal.Normal {
		r.t.Errorf("%s: record: outcome %s, ended by %s, cause %s", m.model, rec.Outcome, rec.By, rec.Cause)
	}
	if len(rec.Keys) != 1 || len(rec.Visits) != 1 || rec.Visits[0].Queue != m.line || rec.Visits[0].Exit != call.ExitAnswered {
		r.t.Errorf("%s: record: keys %+v, visits %+v", m.model, rec.Keys, rec.Visits)
	}
	if !slices.ContainsFunc(rec.Legs, func(l leg) bool { return l.Line == m.line && !l.Outgoing }) {
		r.t.Errorf("%s: record: no leg came in on %s: %+v", m.model, m.line, rec.Legs)
	}
}

// outward follows a call of a desk phone over the module from its dial to its record.
func (r *rig) outward(m makeOf, out *phone.Call, ours float64) {
	r.t.Helper()
	if err := out.WaitHears(r.ctx(), 700); err != nil {
		r.t.Fatalf("%s: the person outside is not heard: %v", m.model, err)
	}
	calls := r.box.World().Network.Calls()
	i := slices.IndexFunc(calls, func(c *network.Call) bool { return c.State().From == m.number && c.State().Phase == network.Answered })
	if i < 0 {
		r.t.Fatalf("%s: no call of %s is up outside", m.model, m.number)
	}
	r.hears(calls[i], ours)
	if err := out.Hangup(); err != nil {
		r.t.Fatalf("%s: %v", m.model, err)
	}
	r.within("the person outside to be hung up", calls[i].Done())
	rec := r.oneRecord(call.Outbound, m.extension)
	if rec.Outcome != "answered" || rec.By != call.ByCaller || !slices.ContainsFunc(rec.Legs, func(l leg) bool { return l.Line == m.line && l.Outgoing }) {
		r.t.Errorf("%s: record: outcome %s, ended by %s, legs %+v", m.model, rec.Outcome, rec.By, rec.Legs)
	}
}

// oneRecord waits for the record of from's call in a direction, and fails where there are several.
func (r *rig) oneRecord(way call.Direction, from string) (found view.Record) {
	r.t.Helper()
	n := 0
	r.eventually(fmt.Sprintf("the %s record of %s", way, from), func() bool {
		n = 0
		for _, rec := range r.records() {
			if rec.Direction == way && string(rec.From) == from {
				found = rec
				n++
			}
		}
		return n > 0
	})
	if n != 1 {
		r.t.Errorf("%d %s records of one call of %s", n, way, from)
	}
	return found
}

func TestABoardWithAnUnknownModelIsRefusedInWords(t *testing.T) {
	t.Parallel()
	_, err := boot.New(boot.Options{Board: "sim:slot2=SIM900", Data: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), `there is no model "SIM900" to simulate; there are E173, EC25, SIM7600`) {
		t.Errorf("refused with %v", err)
	}
}
