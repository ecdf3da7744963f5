package ui

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"branchline/pbx/journal"
	"branchline/pbx/view"
	"branchline/ui/api"
)

type recordsQuery struct {
	Since time.Time `query:"since" doc:"only calls that ended then or later"`
	After uint64    `query:"after" doc:"only records after this number; of a page: its next"`
	Limit int       `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}

type followQuery struct {
	Since time.Time `query:"since" doc:"only calls that ended then or later"`
	After uint64    `query:"after" doc:"only records after this number"`
}

type pageOut struct{ Body api.Page }

func (h *Handler) addRecords(to huma.API) {
	huma.Register(to, huma.Operation{
		OperationID: "records", Method: http.MethodGet, Path: "/api/v1/records", Summary: "Call records, a page at a time",
	}, h.records)
	huma.Register(to, ndjson(huma.Operation{
		OperationID: "records-follow", Method: http.MethodGet, Path: "/api/v1/records/follow",
		Summary:     "Call records, those that are there and then each as it is complete",
		Description: "One Row a line. An empty line every 15 s says that the box lives.",
	}), h.followRecords)
}

func (h *Handler) records(_ context.Context, q *recordsQuery) (*pageOut, error) {
	after, err := h.after(q.After, q.Since)
	if err != nil {
		return nil, broken("read records", err)
	}
	rows, err := h.box.Timeline.Rows(view.RecordsName, after, q.Limit+1)
	if err != nil {
		return nil, broken("read records", err)
	}
	page := api.Page{Rows: []api.Row{}, Next: after, More: len(rows) > q.Limit}
	for _, r := range rows[:min(len(rows), q.Limit)] {
		page.Rows = append(page.Rows, api.Row{No: r.No, Record: r.Body})
		page.Next = r.No
	}
	return &pageOut{page}, nil
}

func (h *Handler) followRecords(_ context.Context, q *followQuery) (*huma.StreamResponse, error) {
	after, err := h.after(q.After, q.Since)
	if err != nil {
		return nil, broken("read records", err)
	}
	return stream(h, func(ctx context.Context) iter.Seq[api.Row] {
		return func(yield func(api.Row) bool) {
			for r := range h.box.Timeline.FollowRows(ctx, view.RecordsName, after) {
				if !yield(api.Row{No: r.No, Record: r.Body}) {
					return
				}
			}
		}
	}), nil
}

// describeRecord tells the OpenAPI document what a Row holds, which is handed on as it is stored.
func describeRecord(doc *huma.OpenAPI) {
	record := doc.Components.Schemas.Schema(reflect.TypeFor[view.Record](), true, "Record")
	doc.Components.Schemas.SchemaFromRef("#/components/schemas/Row").Properties["record"] = record
}

// after is the later of both beginnings, as the number of a row.
func (h *Handler) after(after uint64, since time.Time) (uint64, error) {
	if since.IsZero() {
		return after, nil
	}
	before, err := RowsBefore(h.box.Timeline, since)
	return max(after, before), err
}

// Rows is where finished rows are read; journal.Journal is one.
type Rows interface {
	Rows(fold string, after uint64, limit int) ([]journal.Row, error)
	LastRow(fold string) (uint64, error)
}

// RowsBefore is how many call records ended before since. Records are kept in the order in which
// their calls ended, so it reads few of them.
func RowsBefore(rows Rows, since time.Time) (uint64, error) {
	var low uint64
	high, err := rows.LastRow(view.RecordsName)
	for err == nil && low < high {
		middle := low + (high-low)/2
		var ended time.Time
		if ended, err = endOf(rows, middle+1); ended.Before(since) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, err
}

// endOf is when the call of record no ended.
func endOf(rows Rows, no uint64) (time.Time, error) {
	list, err := rows.Rows(view.RecordsName, no-1, 1)
	if err != nil || len(list) == 0 {
		return time.Time{}, err
	}
	var record struct {
		Ended time.Time `json:"ended"`
	}
	if err := json.Unmarshal(list[0].Body, &record); err != nil {
		return time.Time{}, fmt.Errorf("record %d: %w", no, err)
	}
	return record.Ended, nil
}
