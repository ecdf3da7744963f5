package floor

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/config"
)

var update = flag.Bool("update", false, "rewrite testdata/*.scenario with what the floor does now")

var began = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// branch is the configuration of the scenarios.
func branch() *config.Doc {
	return &config.Doc{
		Site:    config.Site{Country: "DE"},
		Numbers: config.Numbers{Area: "30"},
		Lines:   []config.Line{{Name: "gsm1", Kind: "sim", Slot: "slot1", Number: "+4930901820", Flow: "main"}},
		Extensions: []config.Extension{
			{Number: "201", Name: "Front desk"}, {Number: "202", Name: "Back office"}, {Number: "203", Name: "Workshop"},
			{Number: "204", Name: "Hall", Kind: config.KindAdapter},
			{Number: "210", Name: "Gate", Kind: config.KindDoor, Target: []string{"201", "203"}, Open: "#1"},
		},
		Agents: []config.Agent{{Number: "ana", PIN: "1111"}, {Number: "bo", PIN: "2222"}, {Number: "cy", PIN: "3333"}},
		Queues: []config.Queue{
			{Name: "sales", Agents: []string{"ana", "bo"}, RingTimeout: 15 * time.Second, WrapUp: 10 * time.Second, Record: true},
			{Name: "support", Agents: []string{"bo", "cy"}, RingTimeout: 15 * time.Second, MaxWait: 40 * time.Second},
		},
		Flows: []config.Flow{{Name: "main", Steps: []config.Step{
			{Name: "welcome", Play: []string{"welcome"}},
			{Name: "choose", Menu: &config.Menu{
				Prompt: []string{"menu"}, Keys: map[string]string{"1": "sales", "2": "support"},
				Wait: 5 * time.Second, Tries: 2, Invalid: []string{"invalid"}, Otherwise: "sales",
			}},
			{Name: "sales", Queue: "sales", Then: "bye"},
			{Name: "support", Queue: "support"},
			{Name: "bye", Hangup: true},
		}}},
		Outbound: []config.Route{{Prefix: "0", Strip: 1, Lines: []string{"gsm1"}}},
		Calls:    config.Calls{Recall: 30 * time.Second, NoAnswer: 20 * time.Second, Park: 3 * time.Minute},
		Codes: config.Codes{
			SignIn: "*22", Ready: "*23", Pickup: "*8", Park: "*6", DND: "*78",
			ForwardAlways: "*72", ForwardBusy: "*90", ForwardNoAnswer: "*92", ForwardUnreachable: "*94",
			Transfer: "##", Consult: "*2",
		},
	}
}

// rig steps a floor by the words of a scenario.
type rig struct {
	floor *Floor
	ids   []call.ID
	plays map[hal.LegID]hal.Ref
	pin   hal.Ref
}

func newRig() *rig {
	return &rig{floor: New(branch(), State{Box: 1, Boot: 4}), plays: map[hal.LegID]hal.Ref{}}
}

func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.scenario")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".scenario"), func(t *testing.T) {
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(want))
			if *update {
				if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(want) {
				t.Errorf("%s: the floor does otherwise (run with -update and read the diff):\n%s", name, firstDifference(string(want), got))
			}
		})
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d\n want %s\n got  %s", i+1, w[i], g[i])
		}
	}
	return fmt.Sprintf("want %d lines, got %d", len(w), len(g))
}

// play steps a new floor through the event lines of script and returns it with what came of each.
func play(t *testing.T, script string) string {
	t.Helper()
	r := newRig()
	var out strings.Builder
	lines := bufio.NewScanner(strings.NewReader(script))
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, " "):
			continue
		case line == "" || strings.HasPrefix(line, "#"):
			out.WriteString(line + "\n")
			continue
		}
		out.WriteString(line + "\n")
		at, words := eventLine(t, line)
		ev := r.event(t, words)
		res, err := r.floor.Step(at, ev)
		if err != nil {
			fmt.Fprintf(&out, "  refused: %v\n", err)
			continue
		}
		r.note(res)
		r.print(&out, res)
	}
	return out.String()
}

func eventLine(t *testing.T, line string) (time.Time, []string) {
	t.Helper()
	words := strings.Fields(line)
	after, err := time.ParseDuration(words[0])
	if err != nil {
		t.Fatalf("%q: a line begins with a time: %v", line, err)
	}
	return began.Add(after), words[1:]
}

// note keeps what later events refer to.
func (r *rig) note(out Output) {
	for _, f := range out.Facts {
		if b, ok := f.(call.Began); ok {
			r.ids = append(r.ids, b.Call)
		}
	}
	for _, o := range out.Orders {
		if p, ok := o.(hal.Play); ok {
			r.plays[p.Leg] = p.Ref
		}
	}
	for _, k := range out.Tasks {
		r.pin = call.RefOf(k)
	}
}

func (r *rig) print(out *strings.Builder, res Output) {
	for _, f := range res.Facts {
		fmt.Fprintf(out, "  %s\n", r.short(f.Kind(), f))
	}
	for _, o := range res.Orders {
		fmt.Fprintf(out, "  → %s\n", r.short(strings.ToLower(reflect.TypeOf(o).Name()), o))
	}
	for _, k := range res.Tasks {
		fmt.Fprintf(out, "  task %s\n", r.short(reflect.TypeOf(k).Name(), k))
	}
	if !res.Wake.IsZero() {
		fmt.Fprintf(out, "  wake %v\n", res.Wake.Sub(began))
	}
}

// short prints the members of v that are set; calls are c1, c2 … and times are since the beginning.
func (r *rig) short(name string, v any) string {
	var parts []string
	val := reflect.ValueOf(v)
	for i := range val.NumField() {
		field := val.Field(i)
		if field.IsZero() {
			continue
		}
		text := fmt.Sprintf("%v", field.Interface())
		if at, ok := field.Interface().(time.Time); ok {
			text = at.Sub(began).String()
		}
		parts = append(parts, strings.ToLower(val.Type().Field(i).Name)+":"+text)
	}
	text := name + "{" + strings.Join(parts, " ") + "}"
	for i, id := range r.ids {
		text = strings.ReplaceAll(text, string(id), "c"+strconv.Itoa(i+1))
	}
	return text
}

func (r *rig) event(t *testing.T, w []string) call.Event {
	t.Helper()
	switch w[0] {
	case "tick":
		return call.Tick{}
	case "pin":
		return call.Done{Ref: r.pin, OK: w[1] == "ok"}
	case "clock": // its time is by the new clock
		by, err := time.ParseDuration(w[1])
		if err != nil {
			t.Fatal(err)
		}
		return call.ClockSet{By: by}
	case "configured":
		return call.Configured{Doc: changed(w[1:])}
	case "ready":
		return call.Asked{Command: call.SetReady{Agent: w[1], Actor: "Mia"}}
	case "away":
		return call.Asked{Command: call.SetNotReady{Agent: w[1], Reason: w[2], Actor: "Mia"}}
	case "signout":
		return call.Asked{Command: call.SignOut{Agent: w[1], Actor: "Mia"}}
	case "end":
		n, err := strconv.Atoi(strings.TrimPrefix(w[1], "c"))
		if err != nil {
			t.Fatal(err)
		}
		return call.Asked{Command: call.EndCall{Call: r.ids[n-1], Actor: "Mia"}}
	}
	return call.Heard{Signal: r.signal(t, w)}
}

func (r *rig) signal(t *testing.T, w []string) hal.Signal {
	t.Helper()
	rest := ""
	if len(w) > 2 {
		rest = w[2]
	}
	leg := hal.LegID(w[1])
	switch w[0] {
	case "incoming":
		return incomingOf(leg, w[2:])
	case "opened":
		return hal.Opened{Leg: leg, Wire: rest}
	case "alerting":
		return hal.Progress{Leg: leg, Alerting: true}
	case "sounds":
		return hal.Progress{Leg: leg, Sound: true}
	case "answered":
		return hal.Answered{Leg: leg, Release: rest}
	case "held":
		return hal.Held{Leg: leg}
	case "resumed":
		return hal.Resumed{Leg: leg}
	case "silent":
		return hal.Quality{Leg: leg, Problem: "silent"}
	case "well":
		return hal.Quality{Leg: leg}
	case "flash":
		return hal.Flash{Leg: leg}
	case "key":
		return hal.Digit{Leg: leg, Key: rest[0]}
	case "passed":
		return hal.Digit{Leg: leg, Key: rest[0], Passed: true}
	case "played":
		return hal.Played{Leg: leg, Ref: r.plays[leg]}
	case "recorded":
		return hal.Recorded{Ref: "record-" + hal.Ref(r.ids[0]), For: 5 * time.Second}
	case "transfer": // to a number, or to the other call of this phone
		if to, replaces := strings.CutPrefix(rest, "replaces="); replaces {
			return hal.Transfer{Leg: leg, Ref: "refer", Replaces: hal.LegID(to)}
		}
		return hal.Transfer{Leg: leg, Ref: "refer", To: hal.Number(rest)}
	case "gone":
		return hal.Gone{Leg: leg, Cause: hal.Cause(rest), Far: len(w) > 3}
	case "trunk":
		return hal.InService{Name: w[1], Traits: hal.Traits{CallerID: true, Supervised: true}}
	case "up":
		return hal.InService{Name: w[1], Traits: hal.Traits{Legs: 1, Inside: w[1] == "phones"}}
	case "phones":
		return hal.InService{Name: "phones", Traits: hal.Traits{Inside: true}}
	case "down":
		return hal.OutOfService{Name: w[1], Why: rest}
	case "reach":
		n, err := strconv.Atoi(rest)
		if err != nil {
			t.Fatal(err)
		}
		return hal.Reachable{Name: "phones", Endpoint: w[1], Contacts: n}
	case "census":
		c := hal.Census{Name: w[1]}
		for _, l := range w[2:] {
			c.Legs = append(c.Legs, hal.LegID(l))
		}
		return c
	}
	t.Fatalf("no such event: %v", w)
	return nil
}

func incomingOf(leg hal.LegID, w []string) hal.Signal {
	in := hal.Incoming{Leg: leg, From: hal.Number(w[0]), Wire: "w1"}
	for _, more := range w[1:] {
		k, v, _ := strings.Cut(more, "=")
		switch k {
		case "to":
			in.To = hal.Number(v)
		case "ext":
			in.Endpoint = v
		case "replaces":
			in.Replaces = hal.LegID(v)
		}
	}
	return in
}

// changed is the branch without what the words name ("queue=support", "agent=bo"), or with more:
// "lines" three outside lines for a route that picks so, "boss" 203 may dial everything, "forward" 202
// forwards when it is busy, "alone" 203 is in a group of its own, "door" 210 calls
// that alone, "fax" 204 is a fax machine.
func changed(without []string) *config.Doc {
	doc := branch()
	for _, w := range without {
		kind, name, _ := strings.Cut(w, "=")
		switch kind {
		case "queue":
			doc.Queues = remove(doc.Queues, func(q config.Queue) bool { return q.Name == name })
		case "lines":
			doc.Lines = append(doc.Lines,
				config.Line{Name: "acme", Form: config.FormE164, Channels: 2, Number: "+4930777", Flow: "main"},
				config.Line{Name: "zen", Form: config.FormNational, Show: "+4930888", Flow: "main"})
			doc.Outbound = []config.Route{{Prefix: "0", Strip: 1, Lines: []string{"acme", "zen", "gsm1"}, Pick: name}}
		case "boss":
			doc.Classes = []config.Class{{Name: "boss", Allow: config.Destinations()}}
			doc.Extensions[2].Class = "boss"
		case "forward":
			doc.Extensions[1].Forward.Busy = name
		case "door": // calls that alone
			doc.Extensions[4].Target = []string{name}
		case "fax":
			doc.Extensions[3].Fax = true
			doc.Extensions[3].Record = true
		case "alone":
			doc.Extensions[2].Group = "workshop"
		case "agent":
			doc.Agents = remove(doc.Agents, func(a config.Agent) bool { return a.Number == name })
		}
	}
	return doc
}

func remove[T any](list []T, is func(T) bool) (out []T) {
	for _, v := range list {
		if !is(v) {
			out = append(out, v)
		}
	}
	return out
}
