package ui

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"branchline/pbx/call"
	"branchline/pbx/view"
	"branchline/pbx/view/words"
	"branchline/ui/api"
)

// maxWatchers is how many pages may be open at a time. Each costs one connection and no more of
// the box's work: all share the same frames.
const maxWatchers = 200

// keptFacts is how many of the latest happenings a page begins with.
const keptFacts = 40

// Run keeps the live picture until ctx ends; without it no page sees anything move.
func (h *Handler) Run(ctx context.Context) error {
	var rows sync.WaitGroup
	defer rows.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	last, err := h.box.Timeline.LastRow(view.RecordsName)
	if err != nil {
		return fmt.Errorf("newest record: %w", err)
	}
	h.newest.Store(last)
	rows.Go(func() { h.followNewRecords(ctx, last) })
	h.readFacts(h.box.Timeline.Last(), keptFacts)
	return h.hub.Run(ctx)
}

// followNewRecords tells the live picture of each record after last as soon as it can be read.
func (h *Handler) followNewRecords(ctx context.Context, last uint64) {
	for row := range h.box.Timeline.FollowRows(ctx, view.RecordsName, last) {
		h.newest.Store(row.No)
		h.hub.Poke()
	}
}

// look is the picture as the hub wants it. Only the hub's goroutine calls it.
func (h *Handler) look() (*api.Live, <-chan struct{}) {
	changed := h.box.Changed()
	picture := h.box.Board()
	h.readFacts(picture.Seq, keptFacts)
	l := &api.Live{
		Seq: uint64(picture.Seq), Now: h.box.Now().UTC(), Status: h.status(), Calls: h.liveCalls(), Lines: h.lines(),
		Agents: h.agents(), Queues: h.queues(), Phones: h.phones(), Records: h.newest.Load(),
		Facts: append([]api.Happening(nil), h.facts...),
	}
	if h.box.Simulator != nil {
		l.Outside = h.box.Simulator.Callers()
	}
	return l, changed
}

// readFacts takes what happened up to the entry upto, the last few of it. Only the hub's goroutine
// calls it.
func (h *Handler) readFacts(upto call.Seq, few int) {
	after := max(h.factsTo, upto-min(upto, call.Seq(few)))
	if upto <= after {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // an entry that was lost never comes
	defer cancel()
	site := h.site()
	for e := range h.box.Timeline.Follow(ctx, after) {
		e.At = e.At.In(site)
		if e.Seq > upto {
			break
		}
		h.factsTo = e.Seq
		if worthTelling(e.Fact) {
			h.facts = append(h.facts, api.Happening{
				Seq: uint64(e.Seq), At: e.At.UTC(), Kind: e.Fact.Kind(), Call: string(e.Fact.About()),
				EN: words.Of(e, "en"), ZH: words.Of(e, words.Chinese),
			})
		}
		if e.Seq == upto {
			break
		}
	}
	h.factsTo = max(h.factsTo, upto)
	h.facts = h.facts[max(0, len(h.facts)-keptFacts):]
}

// worthTelling leaves out what only a call's own story is about.
func worthTelling(f call.Fact) bool {
	switch f.(type) {
	case call.Opened, call.Alerting, call.Answered, call.Dialed, call.LegEnded, call.RecordingStarted, call.RecordingSaved, call.Unknown:
		return false
	}
	return true
}

func (h *Handler) phones() []api.Phone {
	doc, _, _ := h.box.Configuration.Current()
	up := h.box.Board().Phones
	phones := make([]api.Phone, 0, len(doc.Extensions))
	for _, e := range doc.Extensions {
		phones = append(phones, api.Phone{Extension: e.Number, Name: e.Name, Up: slices.Contains(up, e.Number)})
	}
	return phones
}

// addLive serves the stream itself: huma knows no server-sent events without its own words.
func (h *Handler) addLive(mux *http.ServeMux, to huma.API) {
	mux.HandleFunc("GET /api/v1/live", h.live)
	to.OpenAPI().AddOperation(&huma.Operation{
		OperationID: "live", Method: http.MethodGet, Path: "/api/v1/live",
		Summary: "The live picture as server-sent events",
		Description: "First an event snapshot with a Live, then events change with a Change. Who comes back with Last-Event-ID " +
			"(or last) gets what he missed, or a snapshot where that is not kept. An event alive every 15 s says that the box does.",
		Parameters: []*huma.Param{{Name: "last", In: "query", Schema: &huma.Schema{Type: huma.TypeString}}},
		Responses: map[string]*huma.Response{
			"200": {Description: "the stream", Content: map[string]*huma.MediaType{"text/event-stream": {}}},
			"503": {Description: "as many pages are open as there may be"},
		},
	})
}

func (h *Handler) live(w http.ResponseWriter, r *http.Request) {
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		last = r.URL.Query().Get("last")
	}
	watcher, ok := h.hub.Watch(last)
	if !ok {
		w.Header().Set("Retry-After", "30")
		refuse(w, problem(http.StatusServiceUnavailable, fmt.Sprintf("%d pages of this box are open, as many as there may be", maxWatchers),
			"close one and try again"))
		return
	}
	defer watcher.Close()
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	control := http.NewResponseController(w)
	_, err := fmt.Fprint(w, "retry: 1000\n\n")
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for err == nil {
		frames, more, wrong := watcher.Next()
		err = wrong
		for i := 0; err == nil && i < len(frames); i++ {
			_, err = w.Write(frames[i])
		}
		if err == nil {
			err = control.Flush()
		}
		if err != nil {
			break
		}
		select {
		case <-r.Context().Done():
			return
		case <-more:
		case <-beat.C:
			_, err = fmt.Fprintf(w, "event: alive\ndata: {\"now\":%q}\n\n", h.box.Now().UTC().Format(time.RFC3339Nano))
		}
	}
	h.log.Debug("live stream dropped", "err", err)
}
