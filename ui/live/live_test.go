package live_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"branchline/ui/api"
	"branchline/ui/live"
)

// world is a picture that a test changes.
type world struct {
	mu      sync.Mutex // guards the fields below
	now     api.Live
	changed chan struct{}
}

func (w *world) look() (*api.Live, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now
	now.Calls = append([]api.Call(nil), w.now.Calls...)
	return &now, w.changed
}

// put changes the picture and lets the hub see it.
func (w *world) put(change func(*api.Live)) {
	time.Sleep(time.Second) // of the bubble
	w.set(change)
	time.Sleep(time.Second)
}

func (w *world) set(change func(*api.Live)) {
	w.mu.Lock()
	w.now.Seq++
	change(&w.now)
	close(w.changed)
	w.changed = make(chan struct{})
	w.mu.Unlock()
	synctest.Wait()
}

func hub(t *testing.T, w *world, most int) *live.Hub {
	h := live.New(w.look, 4, most, slog.New(slog.DiscardHandler))
	done := make(chan error)
	go func() { done <- h.Run(t.Context()) }()
	t.Cleanup(func() {
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	synctest.Wait()
	return h
}

// got is what a watcher is given, each frame as its id and event, and the data of the last one.
func got(t *testing.T, w *live.Watcher) (heads []string, data string) {
	t.Helper()
	frames, _, err := w.Next()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range frames {
		lines := strings.Split(string(f), "\n")
		if len(lines) != 5 || lines[3] != "" || lines[4] != "" {
			t.Fatalf("frame %q", f)
		}
		heads = append(heads, strings.TrimPrefix(lines[0], "id: ")+strings.TrimPrefix(lines[1], "event:"))
		data = strings.TrimPrefix(lines[2], "data: ")
	}
	return heads, data
}

func watch(t *testing.T, h *live.Hub, last string) *live.Watcher {
	t.Helper()
	w, ok := h.Watch(last)
	if !ok {
		t.Fatal("not admitted")
	}
	return w
}

func TestBrowserGetsThePictureAndThenWhatChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{changed: make(chan struct{})}
		h := hub(t, w, 2)
		b := watch(t, h, "")
		if heads, _ := got(t, b); fmt.Sprint(heads) != "[4-1 snapshot]" {
			t.Errorf("at first %v", heads)
		}
		w.put(func(l *api.Live) { l.Calls = []api.Call{{ID: "a"}, {ID: "b"}} })
		w.put(func(l *api.Live) { l.Calls = []api.Call{{ID: "b", State: "talking"}} })
		heads, data := got(t, b)
		if fmt.Sprint(heads) != "[4-2 change 4-3 change]" {
			t.Errorf("then %v", heads)
		}
		var c api.Change
		if err := json.Unmarshal([]byte(data), &c); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(c.Calls.Order) != "[b]" || len(c.Calls.Put) != 1 || c.Calls.Put[0].State != "talking" || c.Lines != nil || c.Status != nil {
			t.Errorf("change %s", data)
		}
		if heads, _ := got(t, b); heads != nil {
			t.Errorf("with nothing new: %v", heads)
		}
	})
}

func TestBrowserThatWasCutOffGoesOnWhereItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{changed: make(chan struct{})}
		h := hub(t, w, 9)
		for i := range 5 {
			w.put(func(l *api.Live) { l.Status.Calls = i + 1 })
		}
		for last, want := range map[string]string{
			"4-4":      "[4-5 change 4-6 change]",
			"4-6":      "[]",
			"4-1":      "[4-2 change 4-3 change 4-4 change 4-5 change 4-6 change]",
			"3-4":      "[4-6 snapshot]", // of another run of the program
			"4-7":      "[4-6 snapshot]", // never sent
			"4-x":      "[4-6 snapshot]",
			"":         "[4-6 snapshot]",
			"nonsense": "[4-6 snapshot]",
		} {
			b := watch(t, h, last)
			if heads, _ := got(t, b); fmt.Sprint(heads) != want {
				t.Errorf("after %q: %v, want %s", last, heads, want)
			}
		}
	})
}

func TestBrowserThatFellBehindGetsTheWholePicture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{changed: make(chan struct{})}
		h := hub(t, w, 2)
		slow := watch(t, h, "")
		got(t, slow)
		for i := range 300 {
			w.put(func(l *api.Live) { l.Status.Calls = i + 1 })
		}
		if heads, _ := got(t, slow); fmt.Sprint(heads) != "[4-301 snapshot]" {
			t.Errorf("behind: %v", heads)
		}
	})
}

func TestNoMoreBrowsersThanMayWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hub(t, &world{changed: make(chan struct{})}, 2)
		one := watch(t, h, "")
		watch(t, h, "")
		if _, ok := h.Watch(""); ok {
			t.Error("a third was admitted")
		}
		one.Close()
		watch(t, h, "")
	})
}

func TestWhatHappensAtOnceIsOneFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{changed: make(chan struct{})}
		h := hub(t, w, 2)
		b := watch(t, h, "")
		got(t, b)
		for range 100 {
			w.set(func(l *api.Live) { l.Status.Calls++ })
		}
		time.Sleep(time.Second)
		if heads, _ := got(t, b); len(heads) > 2 {
			t.Errorf("%d frames", len(heads))
		}
	})
}
