package ui

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"branchline/hal"
	"branchline/pbx/config"
	"branchline/pbx/journal"
	"branchline/pbx/view"
	"branchline/pbx/view/words"
	"branchline/ui/api"
)

const (
	searchStep = 256  // records read at a time
	searchMost = 5120 // records looked at for one answer; who wants more asks again
)

type searchQuery struct {
	Q       string `query:"q" maxLength:"80" doc:"part of a number, a name, an agent, a queue or a call's id; capitals make no difference"`
	Outcome string `query:"outcome" doc:"only calls that ended so" enum:"answered,abandoned,no_answer,busy,unreachable,failed,service,restarted"`
	Before  uint64 `query:"before" doc:"only records before this number; of an answer: its before"`
	Limit   int    `query:"limit" default:"25" minimum:"1" maximum:"100"`
}

type storyIn struct {
	No   uint64 `path:"no" minimum:"1"`
	Lang string `query:"lang" default:"en" enum:"en,zh-CN"`
}

type foundOut struct{ Body api.Found }

type toldOut struct{ Body api.Told }

func (h *Handler) addStories(to huma.API) {
	huma.Register(to, huma.Operation{
		OperationID: "records-search", Method: http.MethodGet, Path: "/api/v1/records/search", Summary: "Look for call records, the newest first",
		Description: fmt.Sprintf("An answer may hold fewer than limit though there are more: it looks at %d records at most.", searchMost),
	}, h.search)
	huma.Register(to, huma.Operation{
		OperationID: "record", Method: http.MethodGet, Path: "/api/v1/records/{no}", Summary: "The story of one call in words",
	}, h.story)
}

func (h *Handler) search(_ context.Context, q *searchQuery) (*foundOut, error) {
	last, err := h.box.Timeline.LastRow(view.RecordsName)
	if err != nil {
		return nil, broken("read records", err)
	}
	before := last + 1
	if q.Before > 0 {
		before = min(before, q.Before)
	}
	doc, _, _ := h.box.Configuration.Current()
	wanted := strings.ToLower(strings.TrimSpace(q.Q))
	found := api.Found{Rows: []api.Brief{}, Before: before}
	for looked := 0; found.Before > 1 && looked < searchMost && len(found.Rows) < q.Limit; looked += searchStep {
		from := found.Before - 1 - min(found.Before-1, searchStep)
		rows, err := h.box.Timeline.Rows(view.RecordsName, from, int(found.Before-1-from))
		if err != nil {
			return nil, broken("read records", err)
		}
		rows = slices.DeleteFunc(rows, func(r journal.Row) bool { return r.No >= found.Before })
		next := from + 1
		if len(rows) == 0 || rows[0].No > next {
			next = 0 // what is before it is no longer kept
		}
		for _, row := range slices.Backward(rows) {
			if len(found.Rows) == q.Limit {
				next = row.No + 1
				break
			}
			var r view.Record
			if err := json.Unmarshal(row.Body, &r); err != nil {
				return nil, broken(fmt.Sprintf("record %d", row.No), err)
			}
			if (q.Outcome == "" || string(r.Outcome) == q.Outcome) && matches(doc, &r, wanted) {
				found.Rows = append(found.Rows, brief(row.No, &r))
			}
		}
		found.Before = next
	}
	if found.Before <= 1 {
		found.Before = 0
	}
	return &foundOut{found}, nil
}

// matches tells whether wanted, in small letters, is part of what a person would look for.
func matches(doc *config.Doc, r *view.Record, wanted string) bool {
	if wanted == "" {
		return true
	}
	texts := []string{string(r.From), string(r.To), r.Name, r.Extension, r.Agent, agentName(doc, r.Agent), string(r.Call), r.Line}
	for _, v := range r.Visits {
		texts = append(texts, v.Queue)
	}
	return slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(strings.ToLower(s), wanted) })
}

func agentName(doc *config.Doc, number string) string {
	if i := slices.IndexFunc(doc.Agents, func(a config.Agent) bool { return a.Number == number }); i >= 0 {
		return doc.Agents[i].Name
	}
	return ""
}

func brief(no uint64, r *view.Record) api.Brief {
	b := api.Brief{
		No: no, Call: string(r.Call), Direction: string(r.Direction), From: string(r.From), To: string(r.To), Name: r.Name,
		Extension: r.Extension, Agent: r.Agent, Line: r.Line, Began: r.Began.UTC(), Ended: r.Ended.UTC(), Outcome: string(r.Outcome),
		WaitMS: r.Wait.Milliseconds(), TalkMS: r.Talk.Milliseconds(), TotalMS: r.Total.Milliseconds(), Recorded: len(r.Recordings) > 0,
	}
	if n := len(r.Visits); n > 0 {
		b.Queue = r.Visits[n-1].Queue
	}
	return b
}

func (h *Handler) story(_ context.Context, in *storyIn) (*toldOut, error) {
	rows, err := h.box.Timeline.Rows(view.RecordsName, in.No-1, 1)
	if err != nil {
		return nil, broken("read records", err)
	}
	if len(rows) == 0 || rows[0].No != in.No {
		return nil, notFound(fmt.Sprintf("there is no record %d", in.No), "look for it: GET /api/v1/records/search")
	}
	var r view.Record
	if err := json.Unmarshal(rows[0].Body, &r); err != nil {
		return nil, broken(fmt.Sprintf("record %d", in.No), err)
	}
	doc, _, _ := h.box.Configuration.Current()
	told := api.Told{
		Brief: brief(in.No, &r), Cause: string(r.Cause), By: string(r.By), HoldMS: r.Hold.Milliseconds(),
		Recordings: []api.Recording{}, Story: []api.Moment{},
	}
	moments, summary := words.Tell(r, in.Lang)
	for _, m := range moments {
		told.Story = append(told.Story, api.Moment{At: m.At.UTC(), Words: m.Words})
	}
	told.Summary = summary
	for _, rec := range r.Recordings {
		told.Recordings = append(told.Recordings, h.playable(doc, &r, rec))
	}
	return &toldOut{told}, nil
}

// playable is a recording of r with the names of who is heard in it.
func (h *Handler) playable(doc *config.Doc, r *view.Record, rec view.Recording) api.Recording {
	out := api.Recording{File: rec.File, Started: rec.Started.UTC(), Left: heard(doc, r, rec.Left), Right: heard(doc, r, rec.Right), Why: rec.Err}
	if h.box.Recordings == nil {
		out.Why = cmp.Or(out.Why, "this box keeps no recordings")
		return out
	}
	if f, err := h.openRecording(rec.File); err != nil {
		out.Why = cmp.Or(out.Why, "the file is not there any more")
	} else {
		f.Close()
	}
	return out
}

// heard names the parties of legs.
func heard(doc *config.Doc, r *view.Record, legs []hal.LegID) string {
	var names []string
	for _, id := range legs {
		i := slices.IndexFunc(r.Legs, func(l view.Leg) bool { return l.Leg == id })
		if i < 0 {
			continue
		}
		l := r.Legs[i]
		names = append(names, cmp.Or(agentName(doc, l.Agent), l.Agent, string(l.Number), l.Extension))
	}
	return strings.Join(names, ", ")
}
