package ui

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"branchline/hal"
	"branchline/pbx/view"
	"branchline/ui/api"
)

// Tracer keeps the SIP messages of the last while. whole leaves in what could be misused: the answers to
// passwords, the keys of sound, keys that were pressed.
type Tracer interface {
	// Ladder is what is kept of the messages of legs; Call is not set.
	Ladder(legs []hal.LegID, whole bool) api.Ladder
	// Follow yields each message from now on until ctx ends.
	Follow(ctx context.Context, whole bool) iter.Seq[api.SIPMessage]
	// WritePcap writes what came after since as a capture file, with the sound of Capture in it. legs: nil
	// stands for everything.
	WritePcap(w io.Writer, legs []hal.LegID, since time.Time, whole bool) error
	// Capture keeps the packets of sound of legs for so long. An error says why it cannot.
	Capture(legs []hal.LegID, length time.Duration) (of int, until time.Time, err error)
}

type (
	ladderIn struct {
		Call  string `path:"call" minLength:"4" maxLength:"80" doc:"id of a call, or the end of one"`
		Whole bool   `query:"whole" doc:"leave in what could be misused"`
	}
	ladderOut struct{ Body api.Ladder }
	traceIn   struct {
		Only  string `query:"only" maxLength:"80" doc:"only what has to do with this extension, number, Call-ID or call"`
		Whole bool   `query:"whole" doc:"leave in what could be misused"`
	}
	pcapIn struct {
		Call  string    `query:"call" maxLength:"80" doc:"only this call: its id, or the end of one"`
		Since time.Time `query:"since" doc:"only what came then or later"`
		Whole bool      `query:"whole" doc:"leave in what could be misused"`
	}
	captureIn struct {
		Call    string `path:"call" minLength:"4" maxLength:"80" doc:"id of a call that is up, or the end of one"`
		Seconds int    `query:"seconds" default:"30" minimum:"1" maximum:"120"`
	}
	captureOut struct{ Body api.Capturing }
)

func (h *Handler) addTrace(to huma.API) {
	const hidden = "The answers to passwords, the keys of sound and pressed keys are x, unless whole is true."
	huma.Register(to, huma.Operation{
		OperationID: "trace-call", Method: http.MethodGet, Path: "/api/v1/trace/calls/{call}",
		Summary: "The SIP messages of a call, as a ladder", Description: hidden,
	}, h.ladder)
	huma.Register(to, ndjson(huma.Operation{
		OperationID: "trace-follow", Method: http.MethodGet, Path: "/api/v1/trace/follow",
		Summary: "SIP messages as they come and go", Description: "One SIPMessage a line. An empty line every 15 s says that the box lives. " + hidden,
	}), h.followTrace)
	pcap := huma.Operation{
		OperationID: "trace-pcap", Method: http.MethodGet, Path: "/api/v1/trace/pcap",
		Summary: "SIP messages as a capture file for Wireshark", Description: "With the sound that was captured. " + hidden,
		Responses: map[string]*huma.Response{"200": {Description: "a pcap file", Content: map[string]*huma.MediaType{pcapType: {}}}},
	}
	huma.Register(to, pcap, h.pcap)
	huma.Register(to, huma.Operation{
		OperationID: "trace-media", Method: http.MethodPost, Path: "/api/v1/trace/calls/{call}/media",
		Summary: "Keep the packets of sound of a call's SIP legs for the capture file", Description: "It answers at once.",
	}, h.capture)
}

const pcapType = "application/vnd.tcpdump.pcap"

func (h *Handler) ladder(_ context.Context, in *ladderIn) (*ladderOut, error) {
	id, legs, err := h.legsOf(in.Call)
	if err != nil {
		return nil, err
	}
	l := h.box.Trace.Ladder(legs, in.Whole)
	l.Call = id
	return &ladderOut{l}, nil
}

func (h *Handler) followTrace(_ context.Context, in *traceIn) (*huma.StreamResponse, error) {
	return stream(h, func(ctx context.Context) iter.Seq[api.SIPMessage] {
		return func(yield func(api.SIPMessage) bool) {
			for m := range h.box.Trace.Follow(ctx, in.Whole) {
				if h.concerns(&m, in.Only) && !yield(m) {
					return
				}
			}
		}
	}), nil
}

// concerns says whether m has to do with only: a number, an extension, a Call-ID, a call that is up.
func (h *Handler) concerns(m *api.SIPMessage, only string) bool {
	if only == "" {
		return true
	}
	if m.CallID == only || m.Peer == only {
		return true
	}
	for _, s := range []string{m.From, m.To, m.Target} {
		if s == only || len(only) > 3 && strings.HasSuffix(s, only) {
			return true
		}
	}
	if m.Leg == "" || len(only) < 4 {
		return false
	}
	for _, c := range h.box.Board().Calls {
		if !strings.HasSuffix(string(c.Call), only) {
			continue
		}
		for _, l := range c.Legs {
			if string(l.Leg) == m.Leg {
				return true
			}
		}
	}
	return false
}

func (h *Handler) pcap(_ context.Context, in *pcapIn) (*huma.StreamResponse, error) {
	var legs []hal.LegID
	if in.Call != "" {
		var err error
		if _, legs, err = h.legsOf(in.Call); err != nil {
			return nil, err
		}
	}
	name := "branchline-" + h.box.Now().UTC().Format("20060102-150405") + ".pcap"
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		_, w := humago.Unwrap(hctx)
		w.Header().Set("Content-Type", pcapType)
		w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
		w.Header().Set("Cache-Control", "no-store")
		if err := h.box.Trace.WritePcap(w, legs, in.Since, in.Whole); err != nil {
			h.log.Debug("capture file dropped", "err", err)
		}
	}}, nil
}

func (h *Handler) capture(_ context.Context, in *captureIn) (*captureOut, error) {
	id, legs, err := h.legsOf(in.Call)
	if err != nil {
		return nil, err
	}
	n, until, err := h.box.Trace.Capture(legs, time.Duration(in.Seconds)*time.Second)
	if err != nil {
		return nil, problem(http.StatusConflict, err.Error(), "capture while the call is up and a SIP phone has sound; see: GET /api/v1/calls")
	}
	return &captureOut{api.Capturing{Call: id, Until: until, Legs: n}}, nil
}

// legsOf finds a call by its id or the end of it, among those that are up and the newest records, with
// the legs that it has or had; never nil where there is no error.
func (h *Handler) legsOf(id string) (string, []hal.LegID, error) {
	legs := []hal.LegID{}
	unknown := notFound(fmt.Sprintf("there is no call %q", id), "take the id, or its last four letters, from calls or cdr")
	if len(id) < 4 {
		return "", nil, unknown
	}
	for _, c := range slices.Backward(h.box.Board().Calls) {
		if strings.HasSuffix(string(c.Call), id) {
			for _, l := range c.Legs {
				legs = append(legs, l.Leg)
			}
			return string(c.Call), legs, nil
		}
	}
	last, err := h.box.Timeline.LastRow(view.RecordsName)
	if err != nil {
		return "", nil, broken("read records", err)
	}
	for to, looked := last, 0; to > 0 && looked < searchMost; looked += searchStep {
		from := to - min(to, searchStep)
		rows, err := h.box.Timeline.Rows(view.RecordsName, from, int(to-from))
		if err != nil {
			return "", nil, broken("read records", err)
		}
		for _, row := range slices.Backward(rows) {
			var r view.Record
			if err := json.Unmarshal(row.Body, &r); err != nil {
				return "", nil, broken(fmt.Sprintf("record %d", row.No), err)
			}
			if strings.HasSuffix(string(r.Call), id) {
				for _, l := range r.Legs {
					legs = append(legs, l.Leg)
				}
				return string(r.Call), legs, nil
			}
		}
		to = from
	}
	return "", nil, unknown
}
