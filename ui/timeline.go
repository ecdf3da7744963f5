package ui

import (
	"context"
	"iter"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"branchline/pbx/call"
	"branchline/pbx/journal"
	"branchline/pbx/view/words"
	"branchline/ui/api"
)

type timelineQuery struct {
	Since  int64  `query:"since" default:"-1" minimum:"-1" doc:"begin after this entry; 0: with the first that is kept; -1: at the end"`
	Follow bool   `query:"follow" doc:"go on with what happens, until the client leaves"`
	Lang   string `query:"lang" enum:"en,zh-CN" doc:"add words in this language; times of day in them are the site's"`
}

func (h *Handler) addTimeline(to huma.API) {
	huma.Register(to, ndjson(huma.Operation{
		OperationID: "timeline", Method: http.MethodGet, Path: "/api/v1/timeline", Summary: "What happened, and what happens",
		Description: "One Entry a line. An empty line every 15 s says that the box lives. A client that does not read is dropped.",
	}), h.timeline)
}

func (h *Handler) timeline(_ context.Context, q *timelineQuery) (*huma.StreamResponse, error) {
	last := h.box.Timeline.Last()
	since := last
	if q.Since >= 0 {
		since = call.Seq(q.Since)
	}
	return stream(h, func(ctx context.Context) iter.Seq[api.Entry] {
		return func(yield func(api.Entry) bool) {
			if !q.Follow && since >= last {
				return
			}
			site := h.site()
			for e := range h.box.Timeline.Follow(ctx, since) {
				e.At = e.At.In(site)
				if row, ok := h.entry(e, q.Lang); ok && !yield(row) {
					return
				}
				if !q.Follow && e.Seq >= last {
					return
				}
			}
		}
	}), nil
}

// site is the time zone in which times of day are said; a page or a client shows the entry's own so too.
func (h *Handler) site() *time.Location {
	doc, _, _ := h.box.Configuration.Current()
	zone, err := time.LoadLocation(doc.Site.Timezone)
	if err != nil { // the document was judged before it came into force: this machine has lost its zones
		return time.UTC
	}
	return zone
}

// entry is e as the API says it, its words in the zone of e.At. A fact that cannot be said is logged and left out: the timeline
// goes on.
func (h *Handler) entry(e call.Entry, lang string) (api.Entry, bool) {
	fact, err := call.Encode(e.Fact)
	if err != nil {
		h.log.Error("fact cannot be shown", "seq", e.Seq, "err", err)
		return api.Entry{}, false
	}
	row := api.Entry{Seq: uint64(e.Seq), At: e.At.UTC(), Call: string(e.Fact.About()), Fact: fact}
	if _, pruned := e.Fact.(journal.Pruned); lang != "" && !pruned {
		row.Words = words.Of(e, lang)
	}
	return row, true
}
