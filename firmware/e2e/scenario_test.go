package e2e

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"branchline/board/sim/phone"
	"branchline/pbx/call"
	"branchline/pbx/scenario"
)

// What the flight recorder wrote of a real call is replayed: the same facts, and no secret.
func TestFlightRecorderReplaysARealCall(t *testing.T) {
	t.Parallel()
	r := start(t)
	ana := r.phone("201", func(o *phone.Options) { o.Tone = 1000; o.Auto = phone.AnswerAfter(200 * time.Millisecond) })
	r.signIn(ana, "1001", "4711")
	caller := r.outside("from=+49305999; tone 440; key 1")
	r.hears(caller, 1000)
	caller.Hangup()
	r.record("+49305999")
	r.waitAgent("1001", call.WrapUp)

	res, err := r.http.Get("http://box/api/v1/scenario")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s %v", res.Status, err)
	}
	text := string(raw)
	got, err := scenario.Replay(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Differences) > 0 {
		t.Errorf("the replay differs: %s", strings.Join(got.Differences, "\n"))
	}
	if facts := len(r.facts()); got.Facts < 20 || got.Facts > facts {
		t.Errorf("%d facts of %d were replayed", got.Facts, facts)
	}
	for _, secret := range []string{"4711", "plum-cake"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q stands in the scenario", secret)
		}
	}
}
