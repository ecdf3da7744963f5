package e2e

import (
	"net/http"
	"strings"
	"testing"

	"branchline/board/sim/phone"
	"branchline/pbx/call"
	"branchline/pbx/config"
	"branchline/ui/api"
)

// A person applies, looks at what changed and takes it back, while two people talk.
func TestConfigurationIsTakenBackUnderACall(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.lineUp("gsm1")
	a := r.phone("201", func(o *phone.Options) { o.Tone = 700 })
	b := r.phone("202", func(o *phone.Options) { o.Tone = 1100; o.Auto = phone.AnswerAfter(0) })
	out, err := a.Dial(r.ctx(), "202")
	if err != nil {
		t.Fatal(err)
	}
	if err := out.WaitHears(r.ctx(), 1100); err != nil {
		t.Fatal(err)
	}
	in := b.Calls()[0]

	changed := document(t, r.ip, "wrap_up: 2s", "wrap_up: 30s", "name: Workshop", "name: Garage")
	r.post("config/apply?who=Mia", changed)
	var list []api.Version
	r.get("config/versions", &list)
	if len(list) != 2 || list[0].Number != 2 || list[0].Who != "Mia" {
		t.Fatalf("versions: %+v", list)
	}
	var diff []config.Change
	r.get("config/diff?from=1", &diff)
	if len(diff) != 2 || diff[0].New != "Garage" || diff[1].Path != "queues[sales].wrap_up" {
		t.Errorf("diff: %+v", diff)
	}
	r.post("config/versions/1/rollback?who=Mia", "")
	diff = nil
	r.get("config/diff?from=1", &diff)
	if len(diff) != 0 {
		t.Errorf("after the rollback %+v differs", diff)
	}
	waitFact(r, func(f call.ConfigApplied) bool { return f.Version == 3 && f.Who == "Mia, back to 1" })
	if !out.Hears(1100) || !in.Hears(700) {
		t.Error("the call did not live through it")
	}
}

// post sends body as YAML and wants a success.
func (r *rig) post(path, body string) {
	r.t.Helper()
	res, err := r.http.Post("http://box/api/v1/"+path, "application/yaml", strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		raw := make([]byte, 2000)
		n, _ := res.Body.Read(raw)
		r.t.Fatalf("POST %s: %s %s", path, res.Status, raw[:n])
	}
}
