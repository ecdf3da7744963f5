// Package uitest is a box in memory for tests of the API and of its clients. It takes every
// command and keeps it; nothing in it rings.
//
// Start at New.
package uitest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"branchline/pbx/call"
	"branchline/pbx/config"
	"branchline/pbx/config/both"
	"branchline/pbx/view/board"
	"branchline/ui"
	"branchline/ui/api"
)

// Box is what a handler is made of, and what it did.
type Box struct {
	Timeline *Timeline
	Doc      *config.Doc
	Refusal  error // of every command; nil: each is taken

	mu       sync.Mutex // guards the fields below
	commands []call.Command
	calls    []api.OutsideCall
	text     []byte
	version  uint64
	kept     map[uint64][]byte
}

// Now is what the clock of the box says, always.
func Now() time.Time { return time.Date(2026, 1, 31, 15, 4, 5, 0, time.UTC) }

var (
	_ ui.Configuration = (*Box)(nil)
	_ ui.Commands      = (*Box)(nil)
	_ ui.Simulator     = simulator{}
	_ ui.Phones        = (*Box)(nil)
)

// Current is ui.Configuration's.
func (b *Box) Current() (*config.Doc, []byte, uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Doc, b.text, b.version
}

// Check finds every line wrong that says "wrong", and warns of those that say "odd".
func (b *Box) Check(text []byte) (wrong []config.Problem) {
	for i, line := range bytes.Split(text, []byte("\n")) {
		if bytes.Contains(line, []byte("odd")) {
			wrong = append(wrong, config.Problem{
				Path: fmt.Sprintf("queues[%d].music", i), Line: i + 1, Column: 3, Warning: true,
				What: both.Say("there is no recording \"odd\"; callers would hear a tone", "没有录音 \"odd\""), Cure: both.Say("record it", "请录制"),
			})
		}
		if bytes.Contains(line, []byte("wrong")) {
			wrong = append(wrong, config.Problem{
				Path: fmt.Sprintf("queues[%d].agents", i), Line: i + 1, Column: 3,
				What: both.Say("the queue has no agents", "队列没有座席"), Cure: both.Say("name one agent number at least", "请至少写一个工号"),
			})
		}
	}
	return wrong
}

// Apply takes any text but one that says "stuck".
func (b *Box) Apply(_ context.Context, text []byte, who string) (uint64, []string, error) {
	if wrong := b.Check(text); len(config.Wrong(wrong)) > 0 {
		return 0, nil, &config.LoadError{Problems: wrong}
	}
	if bytes.Contains(text, []byte("stuck")) {
		return 0, nil, errors.New("the RTP range is taken by another program")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keep()
	b.text = text
	b.version++
	b.keep()
	b.Timeline.Add(Now(), call.ConfigApplied{Version: b.version, Who: who})
	return b.version, []string{"network.rtp"}, nil
}

func (b *Box) keep() {
	if b.kept == nil {
		b.kept = map[uint64][]byte{}
	}
	b.kept[b.version] = b.text
}

// Versions is ui.History's.
func (b *Box) Versions() (out []api.Version, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keep()
	for n := b.version; n > 0; n-- {
		if _, ok := b.kept[n]; ok {
			out = append(out, api.Version{Number: n, Who: "mia", At: Now()})
		}
	}
	return out, nil
}

// Text is ui.History's.
func (b *Box) Text(number uint64) ([]byte, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keep()
	text, ok := b.kept[number]
	return text, ok, nil
}

// Ask keeps c.
func (b *Box) Ask(_ context.Context, c call.Command) error {
	if b.Refusal != nil {
		return b.Refusal
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.commands = append(b.commands, c)
	return nil
}

// Commands are those that were taken.
func (b *Box) Commands() []call.Command {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.commands
}

// WriteScenario writes a scenario in which nothing happens.
func (b *Box) WriteScenario(w io.Writer, since time.Time) error {
	_, err := fmt.Fprintf(w, "# since %s\ndocument \"version: 1\"\nscene {}\n2026-01-31T15:04:05Z tick\n", since.UTC().Format(time.RFC3339))
	return err
}

// Calls are those of the outside world.
func (b *Box) Calls() []api.OutsideCall {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls
}

// Resync finds a phone of each kind at the first extension and none at the others.
func (b *Box) Resync(_ context.Context, extension string, _ bool) ([]api.PhoneAnswer, error) {
	if extension != b.Doc.Extensions[0].Number {
		return nil, nil
	}
	return []api.PhoneAnswer{
		{Contact: "sip:" + extension + "@192.168.1.21:5060", Agent: "Example T1 66.86", Answer: api.Taken, Code: 200},
		{Contact: "sip:" + extension + "@192.168.1.22:5060", Answer: api.Refused, Code: 489},
		{Contact: "sip:" + extension + "@192.168.1.23:5060", Agent: "Example T2", Answer: api.Silent},
	}, nil
}

type simulator struct{ *Box }

// Call keeps c; the script may not say "nonsense".
func (s simulator) Call(_ context.Context, c api.OutsideCall) (string, error) {
	if c.Script == "nonsense" {
		return "", errors.New("script: step 1: there is no step \"nonsense\"")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, c)
	return fmt.Sprintf("c1-%d", len(s.calls)), nil
}

// Callers are those who called, all of them in the conversation.
func (s simulator) Callers() (list []api.Caller) {
	for i, c := range s.Calls() {
		list = append(list, api.Caller{ID: fmt.Sprintf("c1-%d", i+1), Number: c.From, Line: c.To, State: "answered", Began: Now()})
	}
	return list
}

// Hangup knows the calls that were placed.
func (s simulator) Hangup(id string) error {
	for _, c := range s.Callers() {
		if c.ID == id {
			return nil
		}
	}
	return fmt.Errorf("nobody outside is in a call %q", id)
}

// Press is like Hangup.
func (s simulator) Press(id, _ string) error { return s.Hangup(id) }

// Parts is what ui.New takes.
func (b *Box) Parts() ui.Box {
	return ui.Box{
		Health:        b.health,
		Board:         b.board,
		Changed:       b.Timeline.Changed,
		Timeline:      b.Timeline,
		Configuration: b,
		Commands:      b,
		Flight:        b,
		Door:          door{},
		Phones:        b,
		Simulator:     simulator{b},
		Trace:         tracer{},
		Sound:         sound,
		Log:           slog.New(slog.DiscardHandler),
		Now:           Now,
	}
}

func (b *Box) health() ui.Health {
	return ui.Health{
		Version: "0.1.0", Board: "sim", Boot: 4, Started: Now().Add(-2*time.Hour - 3*time.Minute),
		Disk: api.Disk{FreeBytes: 12 << 30, TotalBytes: 32 << 30}, Page: "http://127.0.0.1:8088/",
	}
}

// sound is that of a box that stood still for 200 ms within the last ten seconds.
func sound(over time.Duration) api.Sound {
	return api.Sound{
		Ticks: int(over / (20 * time.Millisecond)), LateTicks: 10, LeftOut: 5,
		Began: api.Delay{P50us: 62, P99us: 1480, MaxUs: 200_310}, Took: api.Delay{P50us: 38, P99us: 210, MaxUs: 1935},
	}
}

func (b *Box) board() board.Snapshot {
	live := board.New()
	for e := range b.Timeline.entriesNow() {
		live.Apply(e)
	}
	return live.Snapshot()
}
