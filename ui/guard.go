package ui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"branchline/ui/api"
)

// maxBody bounds what a request may carry, maxBodies how many that carry something are read and
// answered at a time: both together bound the memory for them.
const (
	maxBody   = 1 << 20
	maxBodies = 8
)

// guard stands before every handler: it bounds the body, drops a client that does not take what
// is written, and turns a panic into an answer.
func guard(next http.Handler, log *slog.Logger) http.Handler {
	places := make(chan []byte, maxBodies) // each with its buffer, once it was used: what is refused leaves no garbage
	for range maxBodies {
		places <- nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := &patient{ResponseWriter: w, control: http.NewResponseController(w)}
		defer recovered(out, r, log)
		if r.Body == nil || r.ContentLength == 0 {
			next.ServeHTTP(out, r)
			return
		}
		if r.Method != http.MethodPost { // an answer that goes on and on would keep its place
			refuse(out, problem(http.StatusBadRequest, fmt.Sprintf("a %s carries nothing", r.Method), "send it without a body"))
			return
		}
		if r.ContentLength > maxBody {
			refuse(out, tooLarge())
			return
		}
		room, ok := enter(r.Context(), places)
		if !ok {
			out.Header().Set("Retry-After", "10")
			refuse(out, problem(http.StatusServiceUnavailable, fmt.Sprintf("%d others send to this box already", maxBodies), "try again in a few seconds"))
			return
		}
		if room == nil {
			room = make([]byte, maxBody+1)
		}
		defer func() { places <- room }()
		if p := readBody(out, r, room); p != nil {
			refuse(out, p)
			return
		}
		next.ServeHTTP(out, r)
	})
}

// enter waits for a place as long as for a body.
func enter(ctx context.Context, places <-chan []byte) (room []byte, ok bool) {
	patience := time.NewTimer(headerPatience)
	defer patience.Stop()
	select {
	case room = <-places:
		return room, true
	case <-patience.C:
	case <-ctx.Done():
	}
	return nil, false
}

func tooLarge() *api.Problem {
	return problem(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", maxBody),
		"send less; a configuration is a few kB, is it the right file?")
}

// readBody takes the whole body before the handler begins. A read deadline that outlived it would
// cancel the request's context while the handler still works.
func readBody(w *patient, r *http.Request, room []byte) *api.Problem {
	_ = w.control.SetReadDeadline(time.Now().Add(headerPatience)) // a recorder in a test has none
	limited := http.MaxBytesReader(w.ResponseWriter, r.Body, maxBody)
	n, err := 0, error(nil)
	for err == nil { // room is larger than what is let through
		var more int
		more, err = limited.Read(room[n:])
		n += more
	}
	var more *http.MaxBytesError
	switch {
	case errors.As(err, &more):
		return tooLarge()
	case err != io.EOF: // cut short, too
		return problem(http.StatusRequestTimeout, fmt.Sprintf("the body did not come: %v", err), "send the whole body at once")
	}
	_ = w.control.SetReadDeadline(time.Time{})
	r.Body = io.NopCloser(bytes.NewReader(bytes.Clone(room[:n])))
	return nil
}

func recovered(w *patient, r *http.Request, log *slog.Logger) {
	said := recover()
	if said == nil {
		return
	}
	if said == http.ErrAbortHandler {
		panic(said)
	}
	log.Error("panic in a request", "method", r.Method, "path", r.URL.Path, "panic", said, "stack", string(debug.Stack()))
	if w.begun {
		panic(http.ErrAbortHandler) // the client must see that its answer is cut short
	}
	refuse(w, problem(http.StatusInternalServerError, "the box made a mistake answering this; calls are not touched",
		"send us the box's log"))
}

// patient gives the client writePatience for each piece that is written to it.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
	begun   bool
}

// Unwrap lets http.ResponseController find the connection.
func (p *patient) Unwrap() http.ResponseWriter { return p.ResponseWriter }

func (p *patient) WriteHeader(status int) {
	p.begun = true
	p.ResponseWriter.WriteHeader(status)
}

func (p *patient) Write(b []byte) (int, error) {
	p.begun = true
	p.wait()
	return p.ResponseWriter.Write(b)
}

// FlushError is what http.ResponseController calls to flush.
func (p *patient) FlushError() error {
	p.wait()
	return p.control.Flush()
}

func (p *patient) wait() {
	_ = p.control.SetWriteDeadline(time.Now().Add(writePatience)) // a recorder in a test has none
}
