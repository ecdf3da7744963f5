package scenario

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/config"
	"branchline/pbx/floor"
)

// maxLine bounds a line of a file that is replayed.
const maxLine = 4 << 20

// Result is what a replay found.
type Result struct {
	Events      int
	Facts       int
	Differences []string // "line 17: …", the first hundred
}

// Replay steps a floor through the scenario that r holds and compares what comes of each event with
// what stands there. An error is a file that is no scenario, or at which the floor fails, with its line.
func Replay(r io.Reader) (res Result, err error) {
	p := player{}
	defer func() {
		if broken := recover(); broken != nil {
			res, err = p.res, fmt.Errorf("line %d: the floor fails: %v", p.n, broken)
		}
	}()
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	for lines.Scan() {
		p.n++
		text := lines.Text()
		var err error
		switch {
		case text == "" || strings.HasPrefix(text, "#"):
		case strings.HasPrefix(text, "  "):
			p.wants(strings.TrimSpace(text))
		default:
			p.settle()
			err = p.margin(text)
		}
		if err != nil {
			return p.res, fmt.Errorf("line %d: %w", p.n, err)
		}
	}
	p.settle()
	return p.res, lines.Err()
}

// player is a replay under way.
type player struct {
	n     int // line
	doc   *config.Doc
	floor *floor.Floor
	res   Result

	event int      // the line of the last event
	got   []string // what came of it
	want  []string // what stands below it
}

func (p *player) wants(text string) { p.want = append(p.want, text) }

// settle compares what came of the last event.
func (p *player) settle() {
	for i := range max(len(p.got), len(p.want)) {
		got, want := at(p.got, i), at(p.want, i)
		if got != want && len(p.res.Differences) < 100 {
			p.res.Differences = append(p.res.Differences, fmt.Sprintf("line %d: stands %s, comes %s", p.event, want, got))
			break
		}
	}
	p.got, p.want = nil, nil
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return "nothing"
}

// margin takes a line that is not indented.
func (p *player) margin(text string) error {
	word, rest, _ := strings.Cut(text, " ")
	switch word {
	case "document":
		doc, err := readDocument(rest)
		p.doc = doc
		return err
	case "scene":
		if p.doc == nil {
			return errors.New("a scene without a document before it")
		}
		var s floor.Scene
		if err := json.Unmarshal([]byte(rest), &s); err != nil {
			return fmt.Errorf("scene: %w", err)
		}
		p.floor = floor.FromScene(p.doc, s)
		return nil
	}
	when, err := time.Parse(time.RFC3339Nano, word)
	if err != nil {
		return fmt.Errorf("a line begins with document, scene or a time, not %.40q", word)
	}
	if p.floor == nil {
		return errors.New("an event without a scene before it")
	}
	p.event = p.n
	return p.step(when, rest)
}

func (p *player) step(when time.Time, rest string) error {
	var out floor.Output
	var refusal error
	if leg, ok := strings.CutPrefix(rest, "dropped "); ok {
		var id hal.LegID
		if err := json.Unmarshal([]byte(leg), &id); err != nil {
			return err
		}
		out = p.floor.Drop(when, id)
	} else {
		ev, err := readEvent(rest)
		if err != nil {
			return err
		}
		out, refusal = p.floor.Step(when, ev)
	}
	p.res.Events++
	p.res.Facts += len(out.Facts)
	text := strings.TrimSpace(string(outcome(nil, out, refusal)))
	if text == "" {
		return nil
	}
	for l := range strings.Lines(text) {
		p.got = append(p.got, strings.TrimSpace(l))
	}
	return nil
}

func readDocument(text string) (*config.Doc, error) {
	var yaml string
	if err := json.Unmarshal([]byte(text), &yaml); err != nil {
		return nil, fmt.Errorf("document: %w", err)
	}
	doc, err := config.Load([]byte(yaml))
	if err != nil {
		return nil, fmt.Errorf("document: %w", err)
	}
	return doc, nil
}

func readEvent(text string) (call.Event, error) {
	word, rest, _ := strings.Cut(text, " ")
	switch word {
	case "tick":
		return call.Tick{}, nil
	case "done":
		return decode[call.Done](rest)
	case "clock":
		return decode[call.ClockSet](rest)
	case "configured":
		doc, err := readDocument(rest)
		return call.Configured{Doc: doc}, err
	case "heard":
		name, data, _ := strings.Cut(rest, " ")
		s, err := readSignal(name, data)
		return call.Heard{Signal: s}, err
	case "asked":
		name, data, _ := strings.Cut(rest, " ")
		c, err := readCommand(name, data)
		return call.Asked{Command: c}, err
	}
	return nil, fmt.Errorf("no event %.40q", word)
}

func readCommand(name, data string) (call.Command, error) {
	switch name {
	case "SignOut":
		return decode[call.SignOut](data)
	case "SetReady":
		return decode[call.SetReady](data)
	case "SetNotReady":
		return decode[call.SetNotReady](data)
	case "EndCall":
		return decode[call.EndCall](data)
	case "EndAll":
		return decode[call.EndAll](data)
	}
	return nil, fmt.Errorf("no command %.40q", name)
}

func readSignal(name, data string) (hal.Signal, error) {
	switch name {
	case "Incoming":
		return decode[hal.Incoming](data)
	case "Opened":
		return decode[hal.Opened](data)
	case "Progress":
		return decode[hal.Progress](data)
	case "Answered":
		return decode[hal.Answered](data)
	case "Held":
		return decode[hal.Held](data)
	case "Resumed":
		return decode[hal.Resumed](data)
	case "Flash":
		return decode[hal.Flash](data)
	case "Digit":
		return decode[hal.Digit](data)
	case "Transfer":
		return decode[hal.Transfer](data)
	case "Played":
		return decode[hal.Played](data)
	case "Quality":
		return decode[hal.Quality](data)
	case "Failed":
		return decode[hal.Failed](data)
	case "Gone":
		return decode[hal.Gone](data)
	}
	return readLineSignal(name, data)
}

func readLineSignal(name, data string) (hal.Signal, error) {
	switch name {
	case "Recorded":
		return decode[hal.Recorded](data)
	case "InService":
		return decode[hal.InService](data)
	case "OutOfService":
		return decode[hal.OutOfService](data)
	case "Reachable":
		return decode[hal.Reachable](data)
	case "Census":
		return decode[hal.Census](data)
	case "Guarded":
		return decode[hal.Guarded](data)
	case "TextIn":
		return decode[hal.TextIn](data)
	case "TextState":
		return decode[hal.TextState](data)
	case "USSDIn":
		return decode[hal.USSDIn](data)
	}
	return nil, fmt.Errorf("no signal %.40q", name)
}

func decode[T any](data string) (v T, err error) {
	if err := json.Unmarshal([]byte(data), &v); err != nil {
		return v, fmt.Errorf("%T: %w", v, err)
	}
	return v, nil
}
