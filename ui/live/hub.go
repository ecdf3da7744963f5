// Package live is the stream behind the page: one picture of the box, and what changes in it, as
// frames of server-sent events (WHATWG HTML, clause 9.2) that all browsers share.
//
// It promises that no browser can hold up the box or another browser: a frame is made and encoded
// once, whoever watches; the last ones are kept, and each browser has a place among them, not a
// buffer. Who is behind them, or was never there, gets the whole picture anew. Start at Hub.
package live

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"branchline/ui/api"
)

const (
	kept      = 256                   // frames
	keptBytes = 1 << 20               // of frames
	pace      = 20 * time.Millisecond // between frames: what happens meanwhile is one frame
	sample    = 15 * time.Second      // how often what nobody tells (the disk) is looked at
)

// Look is the picture as it is now, and a channel that is closed when it may have changed. The
// picture belongs to the hub from then on.
type Look func() (now *api.Live, changed <-chan struct{})

// Hub makes the frames. Its methods may be called from any goroutine.
type Hub struct {
	look Look
	boot uint32
	log  *slog.Logger
	most int
	poke chan struct{}

	mu       sync.Mutex // guards what follows
	now      *api.Live  // nil: nothing was seen yet
	last     uint64     // number of the newest frame
	frames   [][]byte   // the newest last
	bytes    int        // of frames
	more     chan struct{}
	watchers int
}

// New makes a hub for at most so many watchers at a time. boot tells the frames of this run of the
// program from those of another.
func New(look Look, boot uint32, most int, log *slog.Logger) *Hub {
	return &Hub{look: look, boot: boot, most: most, log: log, poke: make(chan struct{}, 1), more: make(chan struct{})}
}

// Run keeps the picture until ctx ends.
func (h *Hub) Run(ctx context.Context) error {
	tick := time.NewTicker(sample)
	defer tick.Stop()
	for {
		now, changed := h.look()
		if err := h.take(now); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pace):
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-h.poke:
		case <-tick.C:
		}
	}
}

// Poke has the hub look now, for what Look's channel does not tell.
func (h *Hub) Poke() {
	select {
	case h.poke <- struct{}{}:
	default: // it is about to
	}
}

// take makes a frame of what is different in now.
func (h *Hub) take(now *api.Live) error {
	h.mu.Lock()
	was := h.now
	h.mu.Unlock()
	var frame []byte
	if was != nil {
		change, any := since(was, now)
		if !any {
			return nil
		}
		body, err := json.Marshal(change)
		if err != nil {
			return fmt.Errorf("live picture: %w", err)
		}
		frame = event("change", h.boot, h.last+1, body)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = now
	h.last++
	h.keep(frame)
	close(h.more)
	h.more = make(chan struct{})
	return nil
}

// keep appends a frame and drops the oldest above the bounds.
func (h *Hub) keep(frame []byte) {
	if frame == nil {
		return
	}
	h.frames = append(h.frames, frame)
	h.bytes += len(frame)
	for len(h.frames) > kept || h.bytes > keptBytes && len(h.frames) > 1 {
		h.bytes -= len(h.frames[0])
		h.frames = append(h.frames[:0:0], h.frames[1:]...)
	}
}

// event is one frame as it goes over the wire.
func event(name string, boot uint32, no uint64, body []byte) []byte {
	out := fmt.Appendf(make([]byte, 0, len(body)+64), "id: %d-%d\nevent: %s\ndata: ", boot, no, name)
	return append(append(out, body...), "\n\n"...)
}

// Watcher is one browser's place among the frames. One goroutine uses it.
type Watcher struct {
	hub *Hub
	at  uint64 // the frame that it has; 0: none
}

// Watch admits a browser that has seen everything up to the frame with the id last; "": nothing.
// False: so many watch already that no more may. Call Close when it has gone.
func (h *Hub) Watch(last string) (*Watcher, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.watchers >= h.most {
		return nil, false
	}
	h.watchers++
	w := &Watcher{hub: h}
	boot, no, _ := strings.Cut(last, "-")
	if boot == strconv.FormatUint(uint64(h.boot), 10) {
		w.at, _ = strconv.ParseUint(no, 10, 64) // what is no number is no place
	}
	return w, true
}

// Close gives the place back.
func (w *Watcher) Close() {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	w.hub.watchers--
}

// Next is what the watcher has not seen, and a channel that is closed when there is more. Nobody
// changes the frames.
func (w *Watcher) Next() (frames [][]byte, more <-chan struct{}, err error) {
	h := w.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	first := h.last + 1 - uint64(len(h.frames)) // number of the oldest frame that is kept
	switch {
	case h.now == nil || w.at == h.last:
		return nil, h.more, nil
	case w.at == 0 || w.at+1 < first || w.at > h.last:
		body, err := json.Marshal(h.now)
		if err != nil {
			return nil, nil, fmt.Errorf("live picture: %w", err)
		}
		frames = [][]byte{event("snapshot", h.boot, h.last, body)}
	default:
		frames = append(frames, h.frames[w.at+1-first:]...)
	}
	w.at = h.last
	return frames, h.more, nil
}
