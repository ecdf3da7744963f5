package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"branchline/board/sim/phone"
	"branchline/firmware/cli"
	"branchline/pbx/call"
	"branchline/ui/api"
)

// branchWith writes the branch's document with replacements into a file.
func (r *rig) branchWith(replace ...string) (file string) {
	r.t.Helper()
	file = filepath.Join(r.t.TempDir(), "branch.yaml")
	if err := os.WriteFile(file, []byte(document(r.t, r.ip, replace...)), 0o600); err != nil {
		r.t.Fatal(err)
	}
	return file
}

// config is the document in force and its version, as the API tells them.
func (r *rig) config() (version, text string) {
	r.t.Helper()
	res, err := r.http.Get("http://box/api/v1/config")
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil {
		r.t.Fatal(err)
	}
	return res.Header.Get("X-Config-Version"), b.String()
}

// Whatever is wrong in a document is refused with its place and a cure, by check and by apply, by the
// program and by the API; what runs stays, and a call that is up does not notice.
func TestABadDocumentIsRefusedAndWhatRunsStays(t *testing.T) {
	t.Parallel()
	r := start(t)
	ana := r.anaAnswers()
	r.lineUp("gsm1")
	caller, desk := r.talk(ana, "+4930811", "+4930901820", 1000)
	_, before := r.config()
	began := time.Now()
	for _, c := range []struct{ name, from, to, path, what, cure string }{
		{"unknown key", "timezone:", "timezon:", "site.timezon", `there is no key "timezon" here`, `did you mean "timezone"?`},
		{"queue without agents", `agents: ["1001", "1002"]`, "agents: []", "queues[0].agents", "the queue has no agents", "name at least one agent's number"},
		{"two phones with one number", `number: "202"`, `number: "201"`, "extensions[1].number", `"201" already, at extensions[0].number`, "give each its own"},
	} {
		file := r.branchWith(c.from, c.to)
		for _, act := range []string{"check", "apply"} {
			code, said := r.command("config", act, file)
			if code != cli.Failed {
				t.Errorf("%s: config %s: exit code %d, want %d", c.name, act, code, cli.Failed)
			}
			for _, want := range []string{file + ":", c.path, c.what, c.cure} {
				if !strings.Contains(said, want) {
					t.Errorf("%s: config %s does not say %q but %q", c.name, act, want, said)
				}
			}
		}
		r.refusedByAPI(c.name, file, c.path, c.cure)
	}
	if version, text := r.config(); version != "1" || text != before {
		t.Errorf("after refusals version %s is in force", version)
	}
	if n := count[call.ConfigApplied](r, nil); n != 1 {
		t.Errorf("the timeline tells of %d documents in force, want the first alone", n)
	}
	r.goesOn("refused documents", caller, desk, 1000, 300*time.Millisecond)
	r.heardThroughout("refused documents", caller, desk, 1000, time.Since(began))
}

func (r *rig) refusedByAPI(name, file, path, cure string) {
	r.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		r.t.Fatal(err)
	}
	res, err := r.http.Post("http://box/api/v1/config/apply", "application/yaml", bytes.NewReader(text))
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	var p api.Problem
	if err := json.NewDecoder(res.Body).Decode(&p); err != nil {
		r.t.Fatal(err)
	}
	p.Faults = slices.DeleteFunc(p.Faults, func(f api.Fault) bool { return f.Warning }) // of recordings that are not installed here
	if res.StatusCode != http.StatusUnprocessableEntity || len(p.Faults) != 1 || p.Faults[0].Path != path ||
		!strings.Contains(p.Faults[0].Cure, cure) || p.Faults[0].Line == 0 {
		r.t.Errorf("%s: the API says %s %+v", name, res.Status, p)
	}
}

const secondLine = "number: \"+4930901820\", flow: main }\n  - { name: gsm2, kind: sim, slot: slot2, number: \"+4930901821\", flow: main }"

// A new extension signs in, a new line comes up, a new wrap-up holds for the call that is up: all
// while that call is talking.
func TestAGoodDocumentComesIntoForceUnderALiveCall(t *testing.T) {
	t.Parallel()
	r := start(t)
	ana := r.anaAnswers()
	r.lineUp("gsm1")
	caller, desk := r.talk(ana, "+4930812", "+4930901820", 1000)
	began := time.Now()
	file := r.branchWith("wrap_up: 2s", "wrap_up: 7s", "number: \"+4930901820\", flow: main }", secondLine,
		"password: plum-cake-203 }", "password: plum-cake-203 }\n  - { number: \"204\", name: Till, password: plum-cake-204 }")
	if said := r.mustCommand("config", "apply", file); !strings.Contains(said, "Configuration 2 is in force.") {
		t.Errorf("config apply says %q", said)
	}
	till := r.phone("204", func(o *phone.Options) { o.Tone, o.Auto = 600, phone.AnswerAfter(0) })
	r.lineUp("gsm2")
	bo := r.phone("202", func(o *phone.Options) { o.Tone = 700 })
	inside, err := bo.Dial(r.ctx(), "204")
	if err != nil {
		t.Fatal(err)
	}
	if err := inside.WaitHears(r.ctx(), 600); err != nil {
		t.Errorf("the new extension is not reached: %v", err)
	}
	if len(till.Calls()) != 1 {
		t.Errorf("the new phone has %d calls", len(till.Calls()))
	}
	r.heardThroughout("a new document", caller, desk, 1000, time.Since(began))
	caller.Hangup()
	r.waitAgent("1001", call.WrapUp)
	p, at := r.lastPresence("1001")
	if left := p.Until.Sub(at); left != 7*time.Second {
		t.Errorf("the wrap-up lasts %v, want the 7s of the new document", left)
	}
	if version, _ := r.config(); version != "2" {
		t.Errorf("version %s is in force", version)
	}
}

// A line that is taken out of the document carries its call to the end and takes no new one.
func TestALineThatIsRemovedDrains(t *testing.T) {
	t.Parallel()
	r := start(t, "number: \"+4930901820\", flow: main }", secondLine)
	ana := r.anaAnswers()
	r.lineUp("gsm1")
	r.lineUp("gsm2")
	caller, desk := r.talk(ana, "+4930813", "+4930901821", 1000)
	began := time.Now()
	r.mustCommand("config", "apply", r.branchWith())
	r.goesOn("its line is removed", caller, desk, 1000, 1500*time.Millisecond)
	r.heardThroughout("its line is removed", caller, desk, 1000, time.Since(began))
	caller.Hangup()
	r.within("the agent's phone to be hung up", desk.Gone())
	if rec := r.record("+4930813"); rec.Outcome != "answered" || rec.By != call.ByCaller {
		t.Errorf("record: %s, ended by %s", rec.Outcome, rec.By)
	}
	waitFact(r, func(f call.LineDown) bool { return f.Line == "gsm2" })
	r.mustCommand("config", "apply", r.branchWith("number: \"+4930901820\", flow: main }", secondLine))
	r.eventually("the line to come back when it is configured again", func() bool {
		return count(r, func(f call.LineUp) bool { return f.Line == "gsm2" }) == 2
	})
	again, _ := r.talk(ana, "+4930814", "+4930901821", 1000)
	again.Hangup()
}
