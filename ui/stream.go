package ui

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// heartbeat is how often a quiet stream sends an empty line, by which a client knows that the box
// lives and the box that the client does.
const heartbeat = 15 * time.Second

// ahead is how many rows are fetched while the client takes earlier ones; the rest stays where it
// is stored until the client asks.
const ahead = 32

// maxStreams is how many clients may follow at a time: each costs two goroutines and some memory.
const maxStreams = 64

// stream answers with rows as NDJSON: one JSON document a line, an empty line as heartbeat. open
// begins the rows and ends them when its ctx ends.
func stream[T any](h *Handler, open func(ctx context.Context) iter.Seq[T]) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		r, w := humago.Unwrap(hctx)
		if h.streams.Add(1) > maxStreams {
			h.streams.Add(-1)
			refuse(w, problem(http.StatusServiceUnavailable, fmt.Sprintf("%d clients follow already", maxStreams), "end one of them"))
			return
		}
		defer h.streams.Add(-1)
		w.Header().Set("Content-Type", "application/x-ndjson")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusOK)
		if err := pour(r.Context(), w, h.log, open); err != nil {
			h.log.Debug("stream dropped", "path", r.URL.Path, "err", err)
		}
	}}
}

// pour writes rows until they or ctx end, or the client does not take them.
func pour[T any](ctx context.Context, w http.ResponseWriter, log *slog.Logger, open func(ctx context.Context) iter.Seq[T]) error {
	ctx, stop := context.WithCancel(ctx)
	rows := fetch(ctx, log, open)
	defer func() {
		stop()
		for range rows { // wait for the fetcher's end
		}
	}()
	control := http.NewResponseController(w)
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	if err := control.Flush(); err != nil { // the client sees at once that it is connected
		return fmt.Errorf("begin stream: %w", err)
	}
	for {
		var err error
		select {
		case row, more := <-rows:
			if !more {
				return nil
			}
			err = lines.Encode(row)
		case <-beat.C:
			_, err = w.Write([]byte("\n"))
		}
		if err == nil && len(rows) == 0 {
			err = control.Flush()
		}
		if err != nil {
			return fmt.Errorf("write stream: %w", err)
		}
	}
}

// fetch runs open's rows in a goroutine of its own; the channel closes when it has ended.
func fetch[T any](ctx context.Context, log *slog.Logger, open func(ctx context.Context) iter.Seq[T]) <-chan T {
	rows := make(chan T, ahead)
	go func() {
		defer close(rows)
		defer func() {
			if said := recover(); said != nil {
				log.Error("panic in a stream", "panic", said, "stack", string(debug.Stack()))
			}
		}()
		for row := range open(ctx) {
			select {
			case rows <- row:
			case <-ctx.Done():
				return
			}
		}
	}()
	return rows
}
