package ui_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"branchline/pbx/call"
	"branchline/ui"
	"branchline/ui/api"
	"branchline/ui/uitest"
)

// handlerOf makes the handler; change may put other parts into the box.
func handlerOf(t *testing.T, box *uitest.Box, change func(*ui.Box)) http.Handler {
	t.Helper()
	parts := box.Parts()
	if change != nil {
		change(&parts)
	}
	h, err := ui.New(parts)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func ask(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

// problemOf reads an answer that says no, which must tell what is wrong and what to do.
func problemOf(t *testing.T, w *httptest.ResponseRecorder, status int) api.Problem {
	t.Helper()
	var p api.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("answer %d %q: %v", w.Code, w.Body, err)
	}
	if w.Code != status || p.Status != status || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("answer %d %s, problem %d; want %d", w.Code, w.Header().Get("Content-Type"), p.Status, status)
	}
	if p.Detail == "" || p.Cure == "" {
		t.Errorf("problem without words: %s", w.Body)
	}
	return p
}

func TestPicturesOfTheBox(t *testing.T) {
	h := handlerOf(t, uitest.New(), nil)
	for _, name := range []string{"status", "calls", "lines", "agents", "queues", "guard"} {
		w := ask(h, "GET", "/api/v1/"+name, "")
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		golden(t, name+".json", w.Body.String())
	}
}

func TestSoundIsToldOfTheSecondsAskedForAlone(t *testing.T) {
	h := handlerOf(t, uitest.New(), nil)
	for path, ticks := range map[string]int{"/api/v1/sound": 3000, "/api/v1/sound?seconds=2": 100} {
		var got api.Sound
		if err := json.Unmarshal(ask(h, "GET", path, "").Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if got.Ticks != ticks || got.Began.MaxUs != 200_310 {
			t.Errorf("%s: %+v, want %d ticks", path, got, ticks)
		}
	}
	for _, seconds := range []string{"0", "61", "x"} {
		problemOf(t, ask(h, "GET", "/api/v1/sound?seconds="+seconds, ""), 422)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if flag.Lookup("update") != nil && flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is now\n%s\nwant\n%s", file, got, want)
	}
}

func TestMain(m *testing.M) {
	flag.Bool("update", false, "rewrite testdata")
	flag.Parse()
	os.Exit(m.Run())
}

func TestRecordsComeInPagesFromWhereTheClientIs(t *testing.T) {
	box := &uitest.Box{Timeline: &uitest.Timeline{}}
	for i := range 25 {
		box.Timeline.AddRecord(fmt.Sprintf(`{"call":"%02d","ended":"2026-01-31T10:%02d:00Z"}`, i, i))
	}
	h := handlerOf(t, box, nil)
	for query, want := range map[string]string{
		"limit=2":                             "[00 01] next 2 more true",
		"after=23&limit=2":                    "[23 24] next 25 more false",
		"after=25":                            "[] next 25 more false",
		"after=99":                            "[] next 99 more false",
		"since=2026-01-31T10:23:00Z":          "[23 24] next 25 more false",
		"since=2026-01-31T10:22:01%2B00:00":   "[23 24] next 25 more false",
		"since=2026-02-01T00:00:00Z":          "[] next 25 more false",
		"since=2020-01-01T00:00:00Z&limit=1":  "[00] next 1 more true",
		"since=2026-01-31T10:01:00Z&after=24": "[24] next 25 more false",
	} {
		var page api.Page
		w := ask(h, "GET", "/api/v1/records?"+query, "")
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil {
			t.Fatalf("%s: %s", query, w.Body)
		}
		calls := []string{}
		for _, row := range page.Rows {
			var record struct{ Call string }
			if err := json.Unmarshal(row.Record, &record); err != nil {
				t.Fatal(err)
			}
			calls = append(calls, record.Call)
		}
		if got := fmt.Sprintf("%v next %d more %v", calls, page.Next, page.More); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

func TestCommandsReachTheFloorWithTheirActor(t *testing.T) {
	box := uitest.New()
	h := handlerOf(t, box, nil)
	for path, want := range map[string]call.Command{
		"calls/" + string(uitest.CallID) + "/hangup?who=eve": call.EndCall{Call: uitest.CallID, Actor: "eve"},
		"agents/11/ready":                          call.SetReady{Agent: "11", Actor: "local"},
		"agents/11/not-ready?reason=lunch&who=eve": call.SetNotReady{Agent: "11", Reason: "lunch", Actor: "eve"},
		"agents/11/sign-out":                       call.SignOut{Agent: "11", Actor: "local"},
	} {
		before := len(box.Commands())
		if w := ask(h, "POST", "/api/v1/"+path, ""); w.Code != http.StatusNoContent || w.Body.Len() > 0 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		if got := box.Commands()[before:]; !slices.Equal(got, []call.Command{want}) {
			t.Errorf("%s: asked %+v, want %+v", path, got, want)
		}
	}
}

func TestWhatIsNotThereIsAnsweredInWords(t *testing.T) {
	h := handlerOf(t, uitest.New(), func(b *ui.Box) { b.Simulator = nil })
	for path, word := range map[string]string{
		"POST /api/v1/calls/01NOSUCHCALL/hangup": "01NOSUCHCALL",
		"POST /api/v1/agents/99/ready":           `"99"`,
		"POST /api/v1/agents/99/not-ready":       `"99"`,
		"POST /api/v1/agents/99/sign-out":        `"99"`,
		"GET /api/v1/nothing":                    "/api/v1/nothing",
		"GET /api/v1/recordings/nothing":         "nothing",
		"DELETE /api/v1/status":                  "DELETE",
		"GET /nothing.js":                        "/nothing.js",
		"GET /api/v1/waves/nothing":              "nothing",
	} {
		method, path, _ := strings.Cut(path, " ")
		if p := problemOf(t, ask(h, method, path, ""), http.StatusNotFound); !strings.Contains(p.Detail, word) {
			t.Errorf("%s: %q does not name %s", path, p.Detail, word)
		}
	}
	problemOf(t, ask(h, "POST", "/api/v1/sim/calls", `{"from":"+49301"}`), http.StatusNotFound)
}

func TestWhatMakesNoSenseIsRefusedWithItsPlace(t *testing.T) {
	box := uitest.New()
	h := handlerOf(t, box, nil)
	for _, c := range []struct {
		request, body, path string
		status              int
	}{
		{"POST /api/v1/sim/calls", `{"from":`, "body", http.StatusBadRequest},
		{"POST /api/v1/sim/calls", ``, "", http.StatusBadRequest},
		{"POST /api/v1/sim/calls", `{}`, "body", http.StatusUnprocessableEntity},
		{"POST /api/v1/sim/calls", `{"from":7}`, "body.from", http.StatusUnprocessableEntity},
		{"POST /api/v1/sim/calls", `{"from":"+1","extra":1}`, "body.extra", http.StatusUnprocessableEntity},
		{"POST /api/v1/sim/calls", `{"from":"+1","script":"nonsense"}`, "", http.StatusUnprocessableEntity},
		{"GET /api/v1/records?limit=0", ``, "query.limit", http.StatusUnprocessableEntity},
		{"GET /api/v1/records?limit=many", ``, "query.limit", http.StatusUnprocessableEntity},
		{"GET /api/v1/records?since=yesterday", ``, "query.since", http.StatusUnprocessableEntity},
		{"GET /api/v1/timeline?since=-2", ``, "query.since", http.StatusUnprocessableEntity},
		{"GET /api/v1/timeline?lang=xx", ``, "query.lang", http.StatusUnprocessableEntity},
	} {
		method, path, _ := strings.Cut(c.request, " ")
		p := problemOf(t, ask(h, method, path, c.body), c.status)
		if c.path != "" && (len(p.Faults) == 0 || p.Faults[0].Path != c.path) {
			t.Errorf("%s %s: faults %+v, want %s", c.request, c.body, p.Faults, c.path)
		}
	}
	if len(box.Calls()) > 0 {
		t.Errorf("calls were placed: %+v", box.Calls())
	}
}

func TestBodyThatIsTooLargeIsRefused(t *testing.T) {
	box := uitest.New()
	h := handlerOf(t, box, nil)
	fits := strings.Repeat("# comment\n", 1<<20/10)
	if w := ask(h, "POST", "/api/v1/config/check", fits); w.Code != http.StatusOK {
		t.Errorf("%d bytes: %d %s", len(fits), w.Code, w.Body)
	}
	problemOf(t, ask(h, "POST", "/api/v1/config/apply", fits+"0123456789"), http.StatusRequestEntityTooLarge)
	problemOf(t, ask(h, "POST", "/api/v1/agents/11/ready", fits+"0123456789"), http.StatusRequestEntityTooLarge)
	if len(box.Commands()) > 0 {
		t.Error("it was done all the same")
	}
}

func TestRefusalOfTheFloorIsToldInItsWords(t *testing.T) {
	box := uitest.New()
	box.Refusal = errors.New("agent 11 is signed out")
	p := problemOf(t, ask(handlerOf(t, box, nil), "POST", "/api/v1/agents/11/ready", ""), http.StatusConflict)
	if p.Detail != "agent 11 is signed out" {
		t.Errorf("detail %q", p.Detail)
	}
}

type stuck struct{}

func (stuck) Ask(ctx context.Context, _ call.Command) error { <-ctx.Done(); return ctx.Err() }

func TestBoxThatDoesNotAnswerHoldsNoClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := handlerOf(t, uitest.New(), func(b *ui.Box) { b.Commands = stuck{} })
		problemOf(t, ask(h, "POST", "/api/v1/agents/11/ready", ""), http.StatusServiceUnavailable)
	})
}

type broken struct{}

func (broken) Ask(context.Context, call.Command) error { panic("our own mistake") }

func TestPanicInAHandlerIsAnAnswer(t *testing.T) {
	h := handlerOf(t, uitest.New(), func(b *ui.Box) { b.Commands = broken{} })
	problemOf(t, ask(h, "POST", "/api/v1/agents/11/ready", ""), http.StatusInternalServerError)
}

func TestConfigurationIsShownCheckedAndApplied(t *testing.T) {
	box := uitest.New()
	h := handlerOf(t, box, nil)
	w := ask(h, "POST", "/api/v1/config/check", "version: 1\nwrong\n")
	var checked api.Checked
	if err := json.Unmarshal(w.Body.Bytes(), &checked); err != nil || checked.OK || len(checked.Faults) != 1 || checked.Faults[0].Line != 2 {
		t.Errorf("check: %d %s", w.Code, w.Body)
	}
	p := problemOf(t, ask(h, "POST", "/api/v1/config/apply", "version: 1\nwrong\n"), http.StatusUnprocessableEntity)
	if len(p.Faults) != 1 || p.Faults[0].Cure == "" {
		t.Errorf("faults %+v", p.Faults)
	}
	if p := problemOf(t, ask(h, "POST", "/api/v1/config/apply", "stuck"), http.StatusConflict); !strings.Contains(p.Detail, "RTP range") {
		t.Errorf("detail %q", p.Detail)
	}
	w = ask(h, "POST", "/api/v1/config/apply?who=eve", "version: 1 # new\n")
	var applied api.Applied
	if err := json.Unmarshal(w.Body.Bytes(), &applied); err != nil || applied.Version != 4 || len(applied.Later) != 1 {
		t.Errorf("apply: %d %s", w.Code, w.Body)
	}
	w = ask(h, "POST", "/api/v1/config/check", "version: 1\nodd\n")
	checked = api.Checked{}
	if err := json.Unmarshal(w.Body.Bytes(), &checked); err != nil || !checked.OK || len(checked.Faults) != 1 || !checked.Faults[0].Warning {
		t.Errorf("check of what is odd: %d %s", w.Code, w.Body)
	}
	w = ask(h, "POST", "/api/v1/config/apply", "version: 1\nodd\n")
	applied = api.Applied{}
	if err := json.Unmarshal(w.Body.Bytes(), &applied); err != nil || applied.Version != 5 || len(applied.Warnings) != 1 {
		t.Errorf("apply of what is odd: %d %s", w.Code, w.Body)
	}
	w = ask(h, "GET", "/api/v1/config", "")
	if w.Body.String() != "version: 1\nodd\n" || w.Header().Get("Content-Type") != "application/yaml" || w.Header().Get("X-Config-Version") != "5" {
		t.Errorf("show: %v %q", w.Header(), w.Body)
	}
}

func TestSimulatedCallIsPlaced(t *testing.T) {
	box := uitest.New()
	w := ask(handlerOf(t, box, nil), "POST", "/api/v1/sim/calls", `{"from":"+8613800000001","script":"wait 1s"}`)
	if w.Code != http.StatusCreated || strings.TrimSpace(w.Body.String()) != `{"id":"c1-1"}` {
		t.Errorf("answer %d %s", w.Code, w.Body)
	}
	if got := box.Calls(); len(got) != 1 || got[0].From != "+8613800000001" || got[0].Script != "wait 1s" {
		t.Errorf("calls %+v", got)
	}
}

func TestDocumentOfTheAPIIsOpenAPI31AndOnlyPOSTChanges(t *testing.T) {
	w := ask(handlerOf(t, uitest.New(), nil), "GET", "/api/v1/openapi.json", "")
	var doc struct {
		OpenAPI string                                `json:"openapi"`
		Paths   map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") || len(doc.Paths) < 15 {
		t.Errorf("openapi %s, %d paths", doc.OpenAPI, len(doc.Paths))
	}
	for path, methods := range doc.Paths {
		for method := range methods {
			if method != "get" && method != "post" {
				t.Errorf("%s %s", method, path)
			}
		}
	}
}
