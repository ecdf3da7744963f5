package e2e

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"branchline/board/sim/network"
	"branchline/board/sim/phone"
	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/view"
)

// story is one call as whoever placed it lived through it.
type story struct {
	key   string // what its record has of it: a SIM caller's number, a phone's Call-ID
	round int    // which cut ended the run in which it was placed
	began time.Time
	rang  time.Time // a SIM's modem rang; zero: it did not, or it is no SIM's
	told  string    // what the caller, or a stranger, was told; "": nothing
	ended bool      // before the plug was pulled
	out   string    // the outside number that was dialled
}

// What ARCHITECTURE.md 7 promises, and what a box with two busy cores may take longer for the marks.
const (
	unheard    = 50 * time.Millisecond // a modem may ring so long without a record
	aliveEvery = 2 * time.Second
	late       = 700 * time.Millisecond
	inFlight   = 150 * time.Millisecond // what the box has said last may take so long to be heard
)

// pulledAfterARing pulls the plug 0 to 300 ms after rings on all SIM lines, and 0 to 70 ms after
// desk phones have dialled, round by round in one folder.
func pulledAfterARing(t *testing.T, program string) {
	const rounds = 25
	old, lines := eightLines()
	p := plugIn(t, program, old, lines)
	var stories []story
	for round := range rounds {
		stories = append(stories, p.ringRound(round)...)
	}
	p.start()
	stories = append(stories, p.fromLedger()...)
	compare(t, p, stories, p.records())
	ages := map[int]int{}
	for _, s := range stories {
		if !s.rang.IsZero() {
			ages[int(p.pulled[s.round].from.Sub(s.rang)/(50*time.Millisecond))]++
		}
	}
	for i := range 6 {
		if ages[i] < rounds/2 {
			t.Errorf("the plug was pulled %d to %d ms after a ring only %d times; all: %v", i*50, i*50+50, ages[i], ages)
		}
	}
	if _, err := p.stop(); err != nil {
		t.Errorf("the box did not stop in peace: %v", err)
	}
}

// ringRound runs the box, has it called on all sides and pulls the plug. It gives what the desk
// phones lived through.
func (p *outlet) ringRound(round int) []story {
	p.t.Helper()
	p.start()
	caller, off := p.phone("201", uint16(6200+round%2), nil) // the one of the round before may still hold its port
	callee, off2 := p.phone("202", uint16(6210+round%2), nil)
	defer off2()
	defer off()
	p.linesUp(8)
	p.signedIn(caller, callee)
	var calls []*phone.Call
	var dialled []time.Time
	dial := func(number string) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		dialled = append(dialled, time.Now())
		c, err := caller.Dial(ctx, number)
		if err != nil {
			p.t.Fatal(err)
		}
		calls = append(calls, c)
	}
	scripts := []string{"key 1", "patience 110ms", "hangup", "", "patience 40ms"}
	acts := map[time.Duration]func(){130 * time.Millisecond: func() { dial("0030111") }}
	for i := range 7 { // the eighth SIM is for the call out
		acts[time.Duration(i)*50*time.Millisecond] = func() {
			p.outside(i, fmt.Sprintf("+4930%02d%d", round, i), scripts[(i+round)%len(scripts)])
		}
	}
	for i := range 10 {
		acts[time.Duration(267+5*i)*time.Millisecond] = func() { dial([]string{"202", "*22", "299"}[(i+round)%3]) }
	}
	began := time.Now()
	for _, at := range slices.Sorted(maps.Keys(acts)) {
		<-time.After(time.Until(began.Add(at)))
		acts[at]()
	}
	<-time.After(time.Until(began.Add(time.Duration(315+round*13%50) * time.Millisecond)))
	p.pull()
	<-time.After(inFlight)
	var stories []story
	for i, c := range calls {
		stories = append(stories, phoneStory(c, round, dialled[i]))
	}
	return stories
}

// phoneStory is a call as the phone that dialled lived through it.
func phoneStory(c *phone.Call, round int, dialled time.Time) story {
	s := story{key: c.ID(), round: round, began: dialled}
	if c.From() == "0030111" {
		s.out = "0030111"
	}
	switch state := c.State(); {
	case state == phone.Gone && c.Far():
		s.told, s.ended = fmt.Sprintf("refused %d", c.Code()), true
	case state == phone.Gone:
		s.ended = true
	case state != phone.Dialling:
		s.told = string(state)
	}
	return s
}

// fromLedger makes stories of the calls from outside; calls out are told by their phone, but that a
// stranger was reached is told here.
func (p *outlet) fromLedger() []story {
	p.t.Helper()
	byCall := map[string]*story{}
	var order []*story
	for _, e := range p.ledger.events(p.t) {
		s := byCall[e.Call]
		if s == nil {
			s = &story{round: p.roundOf(e.At), began: e.At, key: e.From}
			byCall[e.Call] = s
			order = append(order, s)
			if e.To == "030111" {
				s.key, s.out, s.told = fmt.Sprint("out ", s.round), "030111", "a stranger was dialled"
			}
		}
		switch {
		case e.Kind == network.Ringing && s.out == "":
			s.rang = e.At
		case e.Kind == network.Answered && s.out == "":
			s.told = "answered"
		case e.Kind == network.Ended:
			s.ended = true
			if e.By == network.ByCalled && s.out == "" && s.told == "" {
				s.told = "refused"
			}
		}
	}
	var out []story
	for _, s := range order {
		out = append(out, *s)
	}
	return out
}

func (p *outlet) roundOf(at time.Time) int {
	for i, c := range p.pulled {
		if !at.After(c.to) {
			return i
		}
	}
	return len(p.pulled)
}

// compare holds the records against what callers lived through.
func compare(t *testing.T, p *outlet, stories []story, records []view.Record) {
	t.Helper()
	byKey := map[string][]view.Record{}
	for _, r := range records {
		for _, key := range p.keysOf(r) {
			byKey[key] = append(byKey[key], r)
		}
	}
	told, rang, stalled, unrecorded := 0, 0, 0, 0
	for _, s := range stories {
		found := byKey[s.key]
		delete(byKey, s.key)
		if s.told != "" {
			told++
		}
		cut := p.cutOf(s.round)
		old := !s.rang.IsZero() && cut.from.Sub(s.rang) > unheard
		if old {
			rang++
		}
		switch {
		case len(found) > 1:
			t.Errorf("%d records of the call %s: %+v", len(found), s.key, found)
		case len(found) == 1:
			p.checkRecord(s, cut, found[0])
		case s.told != "":
			t.Errorf("no record of the call %s of round %d, which %v before the cut began and was told: %s", s.key, s.round, cut.from.Sub(s.began), s.told)
		case old:
			stalled++
			t.Logf("no record of the call %s of round %d, whose modem rang %v before the cut", s.key, s.round, cut.from.Sub(s.rang))
		default:
			unrecorded++
		}
	}
	for key, r := range byKey {
		if strings.HasPrefix(key, "out ") {
			continue // the stranger's modem was not told to dial any more; the phone's story has the record
		}
		t.Errorf("records of a call that nobody placed, %s: %+v", key, r)
	}
	if stalled > rang/10 { // a machine that others use too may stand still for longer than that
		t.Errorf("%d of %d calls whose modem rang more than %v before the cut have no record", stalled, rang, unheard)
	}
	t.Logf("%d calls, %d of them told anything, %d without a record, which nobody had noticed; %d records", len(stories), told, unrecorded, len(records))
}

// keysOf are the stories that r belongs to: a call out belongs to the phone's and to the stranger's.
func (p *outlet) keysOf(r view.Record) []string {
	switch r.Direction {
	case call.Inbound:
		return []string{string(r.From)}
	case call.Outbound:
		keys := []string{r.Legs[0].Wire}
		if len(r.Legs) > 1 {
			keys = append(keys, fmt.Sprint("out ", p.roundOf(r.Began)))
		}
		return keys
	}
	return []string{r.Legs[0].Wire}
}

func (p *outlet) cutOf(round int) cut {
	if round < len(p.pulled) {
		return p.pulled[round]
	}
	return cut{time.Now(), time.Now()}
}

// checkRecord holds one record against its story.
func (p *outlet) checkRecord(s story, c cut, r view.Record) {
	p.t.Helper()
	if s.out == "" && r.Began.Before(s.began.Add(-time.Millisecond)) || r.Began.After(c.to) {
		p.t.Errorf("call %s of round %d was placed at %v and cut at %v; its record begins at %v", s.key, s.round, s.began, c.from, r.Began)
	}
	if s.told == "" && !r.Answered.IsZero() {
		p.t.Errorf("call %s of round %d: the record says it was answered, the caller knows nothing of it", s.key, s.round)
	}
	if r.Cause != hal.Restarted {
		if !s.ended {
			p.t.Errorf("call %s of round %d was up when the plug was pulled; its record says %s, %s, ended by %s", s.key, s.round, r.Outcome, r.Cause, r.By)
		}
		return
	}
	if r.Outcome != view.OutcomeRestarted {
		p.t.Errorf("call %s ended restarted with the outcome %s", s.key, r.Outcome)
	}
	first := c.from.Add(-aliveEvery - late)
	if r.Began.After(first) {
		first = r.Began
	}
	if r.Ended.Before(first) || r.Ended.After(c.to) {
		p.t.Errorf("call %s of round %d, from %v on, cut at %v, ended %v, which is no time at which the box was last known to be alive", s.key, s.round, r.Began, c.from, r.Ended)
	}
}
