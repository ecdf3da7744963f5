// Package ui is how people and programs see and command a running box: an http.Handler with the
// API under /api/v1 (OpenAPI 3.1 at /api/v1/openapi.json) and the page at /, whose sources are in
// ui/web. What moves on the page comes from ui/live.
//
// It promises that no client can hold up a call: a handler owns no state, reads snapshots and
// cursors, asks the engine with a time limit, and drops whoever does not read. What says no is an
// RFC 9457 problem with what to do. The words of the API are in ui/api. Start reading at Box.
package ui

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"os"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"branchline/pbx/call"
	"branchline/pbx/config"
	"branchline/pbx/journal"
	"branchline/pbx/view"
	"branchline/pbx/view/board"
	"branchline/ui/api"
	"branchline/ui/live"
	"branchline/ui/web"
)

// Box is what the handler needs of a box. All but Simulator and Recordings must be there, and all
// are used from many goroutines at once.
type Box struct {
	Health        func() Health
	Board         func() board.Snapshot  // the latest; nobody changes it
	Changed       func() <-chan struct{} // closed when Board or the simulated world may have become different
	Timeline      Timeline
	Configuration Configuration
	Commands      Commands
	Flight        FlightRecorder
	Door          Door
	Phones        Phones                             // nil: there are none to command
	Simulator     Simulator                          // nil: the lines are real
	Sound         func(over time.Duration) api.Sound // of the last over, a minute at most
	Trace         Tracer
	Recordings    *os.Root                            // the recordings folder; nil: there is none
	Certificate   func() (c api.Certificate, ok bool) // by which phones know the box; nil, or not ok: there is none
	Log           *slog.Logger
	Now           func() time.Time
}

// Health is what the program knows of itself.
type Health struct {
	Version string
	Board   string // the hardware: "sim"
	Boot    uint32
	Started time.Time
	Prompts bool // false: none are installed, callers hear tones
	Disk    api.Disk
	Page    string // address of the page, "" where it cannot be reached
}

// Timeline is where facts and call records are read; journal.Journal is one.
type Timeline interface {
	Rows
	// Last is the newest entry; 0: there is none.
	Last() call.Seq
	// Follow yields every entry after since, in order, then waits for more until ctx ends.
	Follow(ctx context.Context, since call.Seq) iter.Seq[call.Entry]
	// FollowRows yields every row of a fold after the row after, in order, then waits for more.
	FollowRows(ctx context.Context, fold string, after uint64) iter.Seq[journal.Row]
}

// Configuration is where the one document is read, judged and replaced.
type Configuration interface {
	History
	// Current is the document in force, as data and as text. Nobody changes either.
	Current() (doc *config.Doc, text []byte, version uint64)
	// Check is everything that is wrong in text; nothing changes.
	Check(text []byte) []config.Problem
	// Apply puts text in force, durably, before it returns; later says what waits for a restart.
	// A *config.LoadError says what is wrong in text; after any error what ran still runs.
	Apply(ctx context.Context, text []byte, who string) (version uint64, later []string, err error)
}

// Commands is the engine.
type Commands interface {
	// Ask puts c to the floor and waits until it is done and on disk. An error is the floor's
	// refusal in words, or ctx's.
	Ask(ctx context.Context, c call.Command) error
}

// Simulator is the simulated outside world.
type Simulator interface {
	// Call places a call and returns its id there at once. An error says what is wrong with c.
	Call(ctx context.Context, c api.OutsideCall) (id string, err error)
	// Callers are those who are in a call and the last ones whose call is over, newest first.
	Callers() []api.Caller
	// Hangup lets somebody hang up, Press lets him press keys. An error says that there is no such
	// call any more.
	Hangup(id string) error
	Press(id, keys string) error
}

// Handler answers requests. Make it by New; while Run runs, the live stream moves.
type Handler struct {
	box     Box
	log     *slog.Logger
	all     http.Handler
	streams atomic.Int32 // how many clients follow now
	hub     *live.Hub
	newest  atomic.Uint64 // number of the newest record

	// What follows belongs to the hub's goroutine.
	facts   []api.Happening
	factsTo call.Seq
}

var _ http.Handler = (*Handler)(nil)

// ServeHTTP answers r.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.all.ServeHTTP(w, r) }

// New makes the handler. It starts nothing and may be called once the box's parts are made.
func New(box Box) (*Handler, error) {
	h := &Handler{box: box, log: box.Log}
	h.hub = live.New(h.look, box.Health().Boot, maxWatchers, box.Log)
	mux := http.NewServeMux()
	to := humago.New(mux, settings(box.Health().Version))
	h.addState(to)
	h.addRecords(to)
	h.addTimeline(to)
	h.addConfiguration(to)
	h.addHistory(to)
	h.addScenario(to)
	h.addTrace(to)
	h.addActs(to)
	h.addDoor(to)
	h.addPhones(to)
	h.addOutside(to)
	h.addRecordings(mux, to)
	h.addStories(to)
	h.addCertificate(mux, to)
	h.addLive(mux, to)
	describeRecord(to.OpenAPI())
	document, err := json.Marshal(to.OpenAPI())
	if err != nil {
		return nil, fmt.Errorf("write OpenAPI document: %w", err)
	}
	mux.HandleFunc("GET /api/v1/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(document) // a client that has gone needs no answer
	})
	mux.HandleFunc("/api/", h.nothingHere)
	mux.Handle("/", web.Page(http.HandlerFunc(h.nothingHere)))
	h.all = guard(mux, box.Log)
	return h, nil
}

func (h *Handler) nothingHere(w http.ResponseWriter, r *http.Request) {
	refuse(w, notFound(fmt.Sprintf("there is no %s %s here", r.Method, r.URL.Path), "see /api/v1/openapi.json"))
}

// settings are huma's, without what needs the internet (its docs page) or adds to every answer
// (links to schemas).
func settings(version string) huma.Config {
	c := huma.DefaultConfig("Branchline", version)
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.CreateHooks = nil
	c.Transformers = []huma.Transformer{ownWords}
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	return c
}

// schemaName keeps the parts of a record apart from the API's own: a RecordLeg is not a Leg.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if record := reflect.TypeFor[view.Record](); t.PkgPath() == record.PkgPath() && t != record {
		return "Record" + name
	}
	return name
}

// withBody leaves the limits of the body to guard, which has read it already.
func withBody(op huma.Operation) huma.Operation {
	op.MaxBodyBytes = maxBody + 1
	op.BodyReadTimeout = -1
	return op
}

// ndjson describes a stream for the OpenAPI document.
func ndjson(op huma.Operation) huma.Operation {
	op.Responses = map[string]*huma.Response{"200": {
		Description: "one JSON document a line",
		Content:     map[string]*huma.MediaType{"application/x-ndjson": {}},
	}}
	return op
}
