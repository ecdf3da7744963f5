package journal

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"

	"branchline/pbx/call"
	"branchline/pbx/store"
)

// Fold makes rows of facts. It holds only what is open. Equal facts give equal rows: that is how a
// fold finds back after a crash.
type Fold interface {
	// Name is stable for ever: rows and state are kept under it.
	Name() string
	// Apply takes the next entry and gives the rows that it completes.
	Apply(e call.Entry) []json.RawMessage
	// Save is the state; the caller owns it.
	Save() []byte
	// Restore takes a state that Save gave. After an error the fold is as new.
	Restore(state []byte) error
}

// folder is a fold at work.
type folder struct {
	Fold
	at    call.Seq // what it has been given
	done  call.Seq // rows of facts up to here are on disk or in the batch
	saved call.Seq // its state on disk, or in the batch, is after this
	row   uint64   // the last row's number
}

// apply gives e to f. Rows that are on disk already are not given again. A fold that panics loses
// that entry, nothing else.
func (j *Journal) apply(f *folder, e call.Entry) (rows []foldRow) {
	f.at = e.Seq
	defer func() {
		if r := recover(); r != nil {
			j.log.Error("fold panicked", "fold", f.Name(), "seq", e.Seq, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			f.done = max(f.done, e.Seq)
		}
	}()
	bodies := f.Apply(e)
	if e.Seq <= f.done {
		return nil
	}
	f.done = e.Seq
	for _, body := range bodies {
		f.row++
		rows = append(rows, foldRow{f, f.row, e.Seq, body})
	}
	return rows
}

// restore brings the folds up to the end of the timeline.
func (j *Journal) restore(folds []Fold) error {
	at := j.last
	for _, fold := range folds {
		f := &folder{Fold: fold}
		if err := j.store.View(func(tx *store.Tx) error { return j.load(tx, f) }); err != nil {
			return err
		}
		j.folds = append(j.folds, f)
		at = min(at, f.at)
	}
	for at < j.last {
		var list []call.Entry
		err := j.store.View(func(tx *store.Tx) error {
			list = readEntries(tx, at, 1000)
			return nil
		})
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return nil
		}
		at = list[len(list)-1].Seq
		for _, f := range j.folds {
			for _, e := range list {
				if e.Seq > f.at {
					j.batch.rows = append(j.batch.rows, j.apply(f, e)...)
				}
			}
		}
	}
	return nil
}

// load reads what the store knows of f. A state that f does not take is made anew of all facts; the
// rows that are there stay.
func (j *Journal) load(tx *store.Tx, f *folder) error {
	last, _ := tx.Bucket(rowsOf, f.Name()).Last()
	f.row = store.Number(last)
	f.done = call.Seq(store.Number(tx.Bucket(foldDone).Get([]byte(f.Name()))))
	at, state, ok := loadMark(tx, foldState, f.Name())
	if !ok {
		return nil
	}
	if err := f.Restore(state); err != nil {
		j.log.Warn("fold is made anew", "fold", f.Name(), "err", err)
		return nil
	}
	f.at, f.saved = at, at
	return nil
}

// Watch keeps f up to the timeline until ctx ends, for a reader that wants to see facts at once,
// before they are on disk: the live board. f is restored from its checkpoint, given every entry, and
// checkpointed again now and then and at the end; rows that it gives are dropped. seen is called when f has caught
// up, and again whenever it has taken something. f belongs to the caller's goroutine.
func (j *Journal) Watch(ctx context.Context, f Fold, seen func()) error {
	name := "watch/" + f.Name()
	at, state, ok := j.Load(name)
	if ok {
		if err := f.Restore(state); err != nil {
			j.log.Warn("fold is made anew", "fold", f.Name(), "err", err)
			at = 0
		}
	}
	saved, c := at, j.cursor(at, false)
	defer func() {
		if c.at > saved {
			j.Checkpoint(name, c.at, f.Save())
		}
	}()
	for {
		list, wait := c.next()
		for _, e := range list {
			f.Apply(e)
		}
		if c.at >= saved+saveEvery {
			saved = c.at
			j.Checkpoint(name, c.at, f.Save())
		}
		if wait == nil {
			if ctx.Err() != nil {
				return nil
			}
			continue
		}
		seen()
		select {
		case <-wait:
		case <-ctx.Done():
			return nil
		}
		if c.closed {
			return nil
		}
	}
}
