package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"branchline/board/sim/phone"
	"branchline/pbx/call"
	"branchline/pbx/journal"
	"branchline/pbx/store"
	"branchline/pbx/view"
	"branchline/ui/api"
)

// goodbye is how long a phone may be left in silence after the box is up again.
const goodbye = 3 * time.Second

// office is the desk phones of the twenty calls. They go on while the box is away.
type office struct {
	*outlet
	agents []*phone.Phone // 201 to 203, each with his agent signed in
	desks  []*phone.Phone // 301 to 304: the first two call, the others answer
}

// pulledDuringTwentyCalls pulls the plug at chance moments while eight callers from outside talk
// and wait, and twelve pairs of desk phones talk.
func pulledDuringTwentyCalls(t *testing.T, program string) {
	const rounds = 5
	o := openOffice(t, program)
	o.start()
	o.linesUp(8)
	stories := o.signInAll()
	for round := range rounds {
		calls := o.twentyCalls(round)
		talking := o.agentsIn(call.Talking)
		<-time.After(time.Duration(round)*800*time.Millisecond + rand.N(600*time.Millisecond))
		o.pull()
		<-time.After(inFlight)
		for _, c := range calls {
			stories = append(stories, phoneStory(c.Call, round, c.dialled))
		}
		o.start()
		o.allEnded()
		o.agentsWrapUp(talking)
		stories = append(stories, o.talkAtOnce(round+1))
		o.recordingsArePlayable(round)
		if round < rounds-1 {
			o.linesUp(8)
			o.until("all agents to be ready", func() bool { return len(o.agentsIn(call.Ready)) == 3 })
		}
	}
	compare(t, o.outlet, append(stories, o.fromLedger()...), o.records())
	if _, err := o.stop(); err != nil {
		t.Errorf("the box did not stop in peace: %v", err)
	}
	o.recordingsHaveOneRow()
}

func openOffice(t *testing.T, program string) *office {
	t.Helper()
	old, lines := eightLines()
	const last = "- { number: \"203\", name: Workshop, password: plum-cake-203 }"
	more := last
	for i := range 4 {
		more += fmt.Sprintf("\n  - { number: \"30%d\", name: Desk %d, password: plum-cake-30%d }", i+1, i+1, i+1)
	}
	o := &office{outlet: plugIn(t, program, old, lines, last, more)}
	for i := range 3 {
		p, _ := o.phone(fmt.Sprint(201+i), 0, func(o *phone.Options) { o.Tone = 1000; o.Auto = phone.AnswerAfter(0) })
		o.agents = append(o.agents, p)
	}
	for i := range 4 {
		p, _ := o.phone(fmt.Sprint(301+i), 0, func(o *phone.Options) {
			o.Tone = 700
			if i >= 2 {
				o.Auto = phone.AnswerAfter(0)
			}
		})
		o.desks = append(o.desks, p)
	}
	return o
}

// signInAll signs the agents in; their calls to the box are stories too.
func (o *office) signInAll() (stories []story) {
	o.t.Helper()
	o.signedIn(o.agents...)
	o.signedIn(o.desks...)
	var calls []placed
	for i, p := range o.agents {
		c := o.dial(p, fmt.Sprintf("*22%d", 1001+i))
		o.reach(c.Call, phone.Talking)
		if err := c.SendKeys(fmt.Sprintf("%d#", 4711+i)); err != nil {
			o.t.Fatal(err)
		}
		calls = append(calls, c)
	}
	for _, c := range calls {
		o.reach(c.Call, phone.Gone)
		stories = append(stories, phoneStory(c.Call, 0, c.dialled))
	}
	o.until("all agents to be ready", func() bool { return len(o.agentsIn(call.Ready)) == 3 })
	return stories
}

// placed is a call of a desk phone.
type placed struct {
	*phone.Call
	dialled time.Time
}

func (p *outlet) dial(from *phone.Phone, number string) placed {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	at := time.Now()
	c, err := from.Dial(ctx, number)
	if err != nil {
		p.t.Fatal(err)
	}
	return placed{c, at}
}

func (p *outlet) reach(c *phone.Call, s phone.State) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.WaitState(ctx, s); err != nil {
		p.t.Fatalf("%v; the box's log ends\n%s", err, p.lastWords())
	}
}

// twentyCalls waits until eight callers are in queues or talk, all agents talk, and twelve pairs of
// desks talk.
func (o *office) twentyCalls(round int) (calls []placed) {
	o.t.Helper()
	for i := range 8 {
		o.outside(i, fmt.Sprintf("+4931%02d%d", round, i), fmt.Sprintf("tone 440; key %d", 1+i%2))
	}
	for i := range 12 {
		calls = append(calls, o.dial(o.desks[i%2], fmt.Sprint(303+i/2%2)))
	}
	for _, c := range calls {
		o.reach(c.Call, phone.Talking)
	}
	o.until("twenty calls", func() bool {
		for _, a := range o.agentsIn(call.NotReady) { // a machine that stood still took an offer from him
			if err := o.ask("POST", "agents/"+a+"/ready", nil, nil); err != nil {
				o.t.Fatal(err)
			}
		}
		var up []api.Call
		if err := o.ask("GET", "calls", nil, &up); err != nil {
			o.t.Fatal(err)
		}
		busy := slices.DeleteFunc(up, func(c api.Call) bool { return c.State != "talking" && c.State != "waiting" })
		return len(busy) == 20 && len(o.agentsIn(call.Talking)) == 3
	})
	return calls
}

// agentsIn gives the numbers of the agents in a state.
func (p *outlet) agentsIn(state call.State) (in []string) {
	p.t.Helper()
	var all []api.Agent
	if err := p.ask("GET", "agents", nil, &all); err != nil {
		p.t.Fatal(err)
	}
	for _, a := range all {
		if a.State == string(state) {
			in = append(in, a.Number)
		}
	}
	return in
}

// allEnded waits until no phone is in a call of before the cut: the box, not the phone, has ended it.
func (o *office) allEnded() {
	o.t.Helper()
	up := time.After(goodbye)
	for _, p := range slices.Concat(o.agents, o.desks) {
		for _, c := range p.Calls() {
			select {
			case <-c.Gone():
				if !c.Far() {
					o.t.Errorf("a call with %s was ended by the phone: %s", c.From(), c.Cause())
				}
			case <-up:
				o.t.Fatalf("a call with %s is %s %v after the restart: its person is left in silence; the box's log ends\n%s", c.From(), c.State(), goodbye, o.lastWords())
			}
		}
	}
}

// agentsWrapUp checks that those who talked when the plug was pulled are in wrap-up and will be ready.
func (o *office) agentsWrapUp(talked []string) {
	o.t.Helper()
	o.until("the agents to be signed in as before", func() bool { return len(o.agentsIn(call.SignedOut)) == 0 })
	now := time.Now()
	var all []api.Agent
	if err := o.ask("GET", "agents", nil, &all); err != nil {
		o.t.Fatal(err)
	}
	for _, a := range all {
		if !slices.Contains(talked, a.Number) {
			o.t.Errorf("agent %s, who did not talk, is %s", a.Number, a.State)
			continue
		}
		left := a.Until.Sub(now)
		if a.State != string(call.WrapUp) || left > 5*time.Second { // the longest of the branch
			o.t.Errorf("agent %s talked when the plug was pulled and is %s for %v", a.Number, a.State, left)
		}
	}
}

// talkAtOnce lets one desk call another right after the restart.
func (o *office) talkAtOnce(round int) story {
	o.t.Helper()
	c := o.dial(o.desks[0], "303")
	o.reach(c.Call, phone.Talking)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.WaitHears(ctx, 700); err != nil {
		o.t.Errorf("a new call after the restart: %v", err)
	}
	if err := c.Hangup(); err != nil {
		o.t.Error(err)
	}
	o.reach(c.Call, phone.Gone)
	o.until("the other phone to be hung up", func() bool { return len(o.desks[2].Calls()) == 0 })
	s := phoneStory(c.Call, round, c.dialled)
	s.told = string(phone.Talking)
	return s
}

// recordingsArePlayable reads what the cut left of each recording of a round. A disk that others keep
// busy may not have taken all of one, but surely half of all.
func (o *office) recordingsArePlayable(round int) {
	o.t.Helper()
	var said, kept time.Duration
	for _, r := range o.records() {
		if o.roundOf(r.Began) != round || r.Direction != call.Inbound {
			continue
		}
		for _, rec := range r.Recordings {
			path := filepath.Join(o.dir, "recordings", rec.File+".wav")
			talk := o.pulled[round].from.Sub(rec.Started)
			if talk < time.Second {
				continue
			}
			said += talk
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
				continue // not one sample had reached the disk
			}
			left, _ := readWAV(o.t, path)
			heard := time.Duration(len(left)) * time.Second / 8000
			kept += heard
			if heard > talk+time.Second {
				o.t.Errorf("recording %s has %v of the %v that were said", rec.File, heard, talk)
			}
			if l := level(left, 440); l < 0.1 && len(left) > 1600 {
				o.t.Errorf("recording %s: the caller's tone has level %.3f at its end", rec.File, l)
			}
		}
	}
	if round > 1 && (kept == 0 || kept < said/2) { // those before may have been cut within the first second
		o.t.Errorf("%v of %v are in the recordings that were cut off", kept, said)
	}
}

// recordingsHaveOneRow reads the index of recordings in the folder of the box, which is stopped.
func (o *office) recordingsHaveOneRow() {
	o.t.Helper()
	kept, err := store.OpenReadOnly(o.dir)
	if err != nil {
		o.t.Fatal(err)
	}
	j, err := journal.Open(kept, journal.Options{})
	if err != nil {
		o.t.Fatal(err)
	}
	rows, err := j.Rows(view.RecordingsName, 0, 1000)
	if err := errors.Join(err, kept.Close()); err != nil {
		o.t.Fatal(err)
	}
	good, bad := map[string][]view.Recording{}, map[string][]view.Recording{}
	for _, row := range rows {
		var r view.Recording
		if err := json.Unmarshal(row.Body, &r); err != nil {
			o.t.Fatal(err)
		}
		if r.For > 0 || r.Err == "" {
			good[r.File] = append(good[r.File], r)
			continue
		}
		bad[r.File] = append(bad[r.File], r) // it says that there is no file
	}
	files, err := filepath.Glob(filepath.Join(o.dir, "recordings", "*", "*", "*", "*"))
	if err != nil || len(files) == 0 {
		o.t.Fatalf("no recordings in the folder: %v", err)
	}
	for _, f := range files {
		name, err := filepath.Rel(filepath.Join(o.dir, "recordings"), f)
		if err != nil {
			o.t.Fatal(err)
		}
		file := name[:len(name)-len(filepath.Ext(name))]
		if len(good[file]) != 1 || len(bad[file]) != 0 || filepath.Ext(name) != ".wav" {
			o.t.Errorf("the index has of the file %s the rows %+v and %+v", name, good[file], bad[file])
		}
	}
}
