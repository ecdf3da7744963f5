package view

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"branchline/pbx/call"
)

// Recordings is the fold that gives a Recording, as a row, when its file is safe or has failed: that
// may be after the call's record.
type Recordings struct {
	open map[string]openRecording // by file
}

// openRecording is a file that is being written.
type openRecording struct {
	Recording Recording
	First     call.Seq
	Crossed   bool // a boot passed
}

// RecordingsName is the name of the fold Recordings.
const RecordingsName = "recordings"

// NewRecordings makes the fold with no recording open.
func NewRecordings() *Recordings { return &Recordings{open: map[string]openRecording{}} }

// Name is RecordingsName.
func (r *Recordings) Name() string { return RecordingsName }

// Open gives the files of which nobody has said that they are safe, in the order of their begin.
func (r *Recordings) Open() (files []string) {
	for _, o := range r.sorted() {
		files = append(files, o.Recording.File)
	}
	return files
}

// Apply takes the next entry and gives a row when a recording is safe. A file of which nobody said
// that it started gives a row as well: a boot that finds an orphan.
func (r *Recordings) Apply(e call.Entry) []json.RawMessage {
	switch f := e.Fact.(type) {
	case call.RecordingStarted:
		r.open[f.File] = openRecording{First: e.Seq, Recording: Recording{
			Call: f.Call, File: f.File, Started: e.At, Left: f.Left, Right: f.Right,
		}}
	case call.RecordingSaved:
		o, ok := r.open[f.File]
		if !ok {
			o.Recording = Recording{Call: f.Call, File: f.File, Started: e.At.Add(-f.For)}
		}
		delete(r.open, f.File)
		o.Recording.For, o.Recording.Err, o.Recording.Saved = f.For, f.Err, f.Err == ""
		return []json.RawMessage{mustJSON(o.Recording)}
	case call.Booted:
		return r.leftovers()
	case call.ClockSet:
		r.shift(f)
	}
	return nil
}

// leftovers closes recordings that the boot before this one should have found.
func (r *Recordings) leftovers() (rows []json.RawMessage) {
	for _, o := range r.sorted() {
		if !o.Crossed {
			o.Crossed = true
			r.open[o.Recording.File] = o
			continue
		}
		delete(r.open, o.Recording.File)
		o.Recording.Err = "lost in a restart"
		rows = append(rows, mustJSON(o.Recording))
	}
	return rows
}

func (r *Recordings) sorted() []openRecording {
	list := make([]openRecording, 0, len(r.open))
	for _, o := range r.open {
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b openRecording) int { return cmp.Compare(a.First, b.First) })
	return list
}

// Save gives the open recordings.
func (r *Recordings) Save() []byte { return mustJSON(r.sorted()) }

// Restore takes what Save gave.
func (r *Recordings) Restore(state []byte) error {
	var list []openRecording
	if err := json.Unmarshal(state, &list); err != nil {
		return fmt.Errorf("recordings: %w", err)
	}
	r.open = map[string]openRecording{}
	for _, o := range list {
		r.open[o.Recording.File] = o
	}
	return nil
}
