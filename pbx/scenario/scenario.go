// Package scenario is the written form of what a floor lived through: a scene, then each event with
// the facts and orders that came of it. The flight recorder writes it, a person reads it, and Replay
// steps a new floor through it to see whether it decides the same.
//
// A file is lines of text. "#" begins a comment. "document" holds the configuration as one JSON
// string of YAML, without secrets; "scene" a floor.Scene. An event stands at the margin: its time
// (RFC 3339, UTC), what it is, and its data as JSON; below it, indented, what came of it. The
// package is pure: bytes come in and go out.
package scenario

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/config"
	"branchline/pbx/floor"
)

// Head appends the beginning of a scenario: the document in force, its secrets taken out, and the
// floor as it stands.
func Head(b []byte, doc *config.Doc, scene floor.Scene) []byte {
	b = line(b, "document", documentOf(doc))
	return line(b, "scene", scene)
}

// Event appends one event and what came of it; refusal is Step's error, nil where there was none.
func Event(b []byte, at time.Time, ev call.Event, out floor.Output, refusal error) []byte {
	b = at.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, ' ')
	switch e := ev.(type) {
	case call.Heard:
		b = line(b, "heard "+nameOf(e.Signal), e.Signal)
	case call.Asked:
		b = line(b, "asked "+nameOf(e.Command), e.Command)
	case call.Configured:
		b = line(b, "configured", documentOf(e.Doc))
	case call.Done:
		b = line(b, "done", e)
	case call.ClockSet:
		b = line(b, "clock", e)
	case call.Tick:
		b = append(b, "tick\n"...)
	default:
		panic(fmt.Sprintf("scenario: event %T", ev))
	}
	return outcome(b, out, refusal)
}

// Dropped appends that the call of leg was ended by force, after a failure of the floor.
func Dropped(b []byte, at time.Time, leg hal.LegID, out floor.Output) []byte {
	b = at.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, ' ')
	return outcome(line(b, "dropped", leg), out, nil)
}

func outcome(b []byte, out floor.Output, refusal error) []byte {
	if refusal != nil {
		b = append(b, "  refused "...)
		return append(append(b, strings.ReplaceAll(refusal.Error(), "\n", " ")...), '\n')
	}
	for _, f := range out.Facts {
		raw, err := call.Encode(f)
		if err != nil {
			panic(fmt.Sprintf("scenario: %v", err))
		}
		b = append(append(append(b, "  "...), raw...), '\n')
	}
	for _, o := range out.Orders {
		b = line(append(b, "  → "...), nameOf(o), o)
	}
	for _, t := range out.Tasks {
		b = line(append(b, "  task "...), nameOf(t), t)
	}
	return b
}

// line appends a word, v as JSON and the line's end.
func line(b []byte, word string, v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("scenario: %s: %v", word, err)) // plain data always marshals
	}
	b = append(append(b, word...), ' ')
	return append(append(b, raw...), '\n')
}

// nameOf is the type's own name: "Incoming".
func nameOf(v any) string { return reflect.TypeOf(v).Name() }

// documentOf is doc as YAML without passwords and PINs: nothing on a floor depends on them.
func documentOf(doc *config.Doc) string {
	d := *doc
	d.Lines = append([]config.Line(nil), doc.Lines...)
	for i := range d.Lines {
		d.Lines[i].PIN = ""
	}
	d.Extensions = append([]config.Extension(nil), doc.Extensions...)
	for i := range d.Extensions {
		d.Extensions[i].Password = ""
	}
	d.Agents = append([]config.Agent(nil), doc.Agents...)
	for i := range d.Agents {
		d.Agents[i].PIN = ""
	}
	return string(config.Marshal(&d))
}
