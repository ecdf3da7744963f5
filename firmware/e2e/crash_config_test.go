package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"branchline/board/sim/network"
	"branchline/board/sim/phone"
	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/journal"
	"branchline/pbx/store"
	"branchline/pbx/view"
	"branchline/ui/api"
)

// edition is the n-th document that is applied: its site's name and one of its agents say so.
func (p *outlet) edition(n int) string {
	p.t.Helper()
	raw, err := os.ReadFile(p.seed())
	if err != nil {
		p.t.Fatal(err)
	}
	text := strings.Replace(string(raw), "name: Demo branch", fmt.Sprintf("name: Branch %d", n), 1)
	return strings.Replace(text, "name: Ana,", fmt.Sprintf("name: Ana %d,", n), 1)
}

// inForce gives which edition is, and checks that it is whole.
func (p *outlet) inForce() (n int, version uint64) {
	p.t.Helper()
	var s api.Status
	var text string
	var agents []api.Agent
	for path, out := range map[string]any{"status": &s, "config": &text, "agents": &agents} {
		if err := p.ask("GET", path, nil, out); err != nil {
			p.t.Fatal(err)
		}
	}
	if _, err := fmt.Sscanf(s.Site, "Branch %d", &n); err != nil {
		p.t.Fatalf("the site is called %q", s.Site)
	}
	if text != p.edition(n) || agents[0].Name != fmt.Sprintf("Ana %d", n) {
		p.t.Errorf("edition %d is in force in parts: agent %s, text\n%s", n, agents[0].Name, text)
	}
	return n, s.Config
}

func (p *outlet) apply(n int) (api.Applied, error) {
	var done api.Applied
	err := p.ask("POST", "config/apply", p.edition(n), &done)
	return done, err
}

// pulledAfterApply pulls the plug as soon as the box has said that a document is in force. The
// timeline says so too.
func pulledAfterApply(t *testing.T, program string) {
	const rounds = 20
	p := plugIn(t, program)
	for n := range rounds {
		p.start()
		done, err := p.apply(n + 1)
		p.pull()
		if err != nil {
			t.Fatal(err)
		}
		p.start()
		if got, version := p.inForce(); got != n+1 || version != done.Version {
			t.Fatalf("edition %d, version %d, is in force; applied was %d, version %d", got, version, n+1, done.Version)
		}
		p.pull()
	}
	told := 0
	for _, e := range p.facts() {
		if _, ok := e.Fact.(call.ConfigApplied); ok {
			told++
		}
	}
	if told != 1+rounds {
		t.Errorf("the timeline tells of %d documents, want the first one and %d more", told, rounds)
	}
}

// pulledWhileApplying pulls the plug at chance moments of an apply, which takes about 30 ms.
func pulledWhileApplying(t *testing.T, program string) {
	const rounds = 30
	p := plugIn(t, program)
	p.start()
	if _, err := p.apply(0); err != nil {
		t.Fatal(err)
	}
	was, said, unsaid := 0, 0, 0
	for n := 1; n <= rounds; n++ {
		type answer struct {
			done api.Applied
			err  error
		}
		answered := make(chan answer, 1)
		go func() {
			done, err := p.apply(n)
			answered <- answer{done, err}
		}()
		<-time.After(rand.N(40 * time.Millisecond))
		p.pull()
		a := <-answered
		p.start()
		got, version := p.inForce()
		switch {
		case a.err == nil && (got != n || version != a.done.Version):
			t.Errorf("edition %d was applied, %d is in force", n, got)
		case got != n && got != was:
			t.Errorf("edition %d is in force; before was %d, and %d was being applied", got, was, n)
		case a.err == nil:
			said++
		case got == n:
			unsaid++
		}
		was = got
	}
	t.Logf("of %d applies %d were told to be done and %d were done without being told", rounds, said, unsaid)
	if said == rounds || said+unsaid == 0 {
		t.Error("the plug was never pulled while an apply ran")
	}
}

// stoppedInPeace ends the box by SIGTERM while twenty calls are up.
func stoppedInPeace(t *testing.T, program string) {
	o := openOffice(t, program)
	o.start()
	o.linesUp(8)
	o.signInAll()
	calls := o.twentyCalls(0)
	took, err := o.stop()
	if err != nil || took > 5*time.Second {
		t.Errorf("the box stopped within %v: %v; its log ends\n%s", took, err, o.lastWords())
	}
	for _, c := range calls {
		o.reach(c.Call, phone.Gone)
		if !c.Far() || c.Code() != 0 {
			t.Errorf("a desk phone's call ended %d %s, not by a BYE of the box", c.Code(), c.Cause())
		}
	}
	ended := 0
	for _, e := range o.ledger.events(t) {
		if e.Kind != network.Ended {
			continue
		}
		ended++
		if e.By != network.ByCalled || e.Cause != hal.Normal {
			t.Errorf("a caller was ended by the %s, %s, not hung up by the box", e.By, e.Cause)
		}
	}
	if ended != 8 {
		t.Errorf("%d of 8 callers were hung up", ended)
	}
	restarted := 0
	for _, r := range o.records() {
		if r.Outcome == view.OutcomeRestarted && r.By == call.BySystem && !r.Ended.IsZero() {
			restarted++
		}
	}
	if restarted != 20 {
		t.Errorf("%d of 20 records say restarted", restarted)
	}
	o.start()
	o.linesUp(1) // by then its begin is on disk
	o.pull()
	o.start()
	if _, err := o.stop(); err != nil {
		t.Error(err)
	}
	o.recordingsHaveOneRow()
	var clean []bool
	for _, e := range o.facts() {
		if b, ok := e.Fact.(call.Booted); ok {
			clean = append(clean, b.Clean)
		}
	}
	if fmt.Sprint(clean) != "[true true false]" {
		t.Errorf("the runs after a fresh folder, a stop in peace and a cut say of the one before: clean %v", clean)
	}
}

// facts is the timeline in the folder of a box that is stopped.
func (p *outlet) facts() []call.Entry {
	p.t.Helper()
	kept, err := store.OpenReadOnly(p.dir)
	if err != nil {
		p.t.Fatal(err)
	}
	defer kept.Close()
	j, err := journal.Open(kept, journal.Options{})
	if err != nil {
		p.t.Fatal(err)
	}
	return j.Entries(0, 1<<20)
}
