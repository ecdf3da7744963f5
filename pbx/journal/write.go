package journal

import (
	"encoding/json"
	"errors"
	"time"

	"branchline/pbx/call"
	"branchline/pbx/store"
)

// saveEvery is after how many facts a fold's state is written: as many are read again at boot.
const saveEvery = 1000

// batch is what the writer has taken and what is not yet on disk. A commit that fails leaves it
// here, and the next one has it again: folds have seen its facts and will not see them twice.
type batch struct {
	facts []stored
	rows  []foldRow
	alive time.Time
	marks map[string]mark // checkpoints of others
	saves map[string]mark // states of folds
}

// stored is a fact in its form on disk.
type stored struct {
	seq   call.Seq
	at    time.Time
	value []byte
}

// foldRow is a row on its way.
type foldRow struct {
	fold *folder
	no   uint64
	seq  call.Seq
	body json.RawMessage
}

// write takes what is pending and puts all of batch into tx. The writer calls it; it may be called
// again for the same batch.
func (j *Journal) write(tx *store.Tx) error {
	entries, save := j.takePending()
	for _, e := range entries {
		j.batch.facts = append(j.batch.facts, j.encode(e))
		for _, f := range j.folds {
			j.batch.rows = append(j.batch.rows, j.apply(f, e)...)
		}
	}
	for _, f := range j.folds {
		if f.done >= f.saved+saveEvery || save && f.done > f.saved {
			f.saved = f.done
			setMark(&j.batch.saves, f.Name(), mark{f.done, f.Save()})
		}
	}
	return j.put(tx)
}

// takePending moves what others left for the writer to the writer's side.
func (j *Journal) takePending() (entries []call.Entry, save bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	entries, save = j.pending, j.saveAll
	j.pending, j.saveAll, j.queued = nil, false, false
	if !j.alive.IsZero() {
		j.batch.alive, j.alive = j.alive, time.Time{}
	}
	for name, m := range j.marks {
		if m.at <= j.last { // all facts up to m.at are in this batch or on disk
			setMark(&j.batch.marks, name, m)
			delete(j.marks, name)
		}
	}
	return entries, save
}

func setMark(marks *map[string]mark, name string, m mark) {
	if *marks == nil {
		*marks = map[string]mark{}
	}
	(*marks)[name] = m
}

// encode gives e its form on disk. A fact that has none is replaced by one that says so: the
// timeline has no gaps.
func (j *Journal) encode(e call.Entry) stored {
	body, err := call.Encode(e.Fact)
	if _, ok := e.Fact.(call.Unknown); ok && !json.Valid(body) {
		err = errors.New("not JSON")
	}
	if err != nil {
		j.log.Error("fact not encoded", "kind", e.Fact.Kind(), "err", err)
		trouble := call.Trouble{Call: e.Fact.About(), What: "a fact could not be kept: " + e.Fact.Kind()}
		body, _ = call.Encode(trouble) // plain strings: it cannot fail
	}
	return stored{e.Seq, e.At, append(store.Key(uint64(e.At.UnixNano())), body...)}
}

func (j *Journal) put(tx *store.Tx) error {
	if err := putFacts(tx, j.batch.facts); err != nil {
		return err
	}
	for _, r := range j.batch.rows {
		value := append(store.Key(uint64(r.seq)), r.body...)
		if err := tx.Bucket(rowsOf, r.fold.Name()).Append(store.Key(r.no), value); err != nil {
			return err
		}
	}
	for _, f := range j.folds {
		if err := tx.Bucket(foldDone).Put([]byte(f.Name()), store.Key(uint64(f.done))); err != nil {
			return err
		}
	}
	if err := putMarks(tx, foldState, j.batch.saves); err != nil {
		return err
	}
	if err := putMarks(tx, checkpoints, j.batch.marks); err != nil {
		return err
	}
	if j.batch.alive.IsZero() {
		return nil
	}
	return tx.SetAlive(j.batch.alive)
}

// written hears from the writer what came of write.
func (j *Journal) written(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		if j.failing == nil { // told once
			j.log.Error("timeline not written; it is tried again", "err", err)
		}
		j.failing = err
		j.kick()
		return
	}
	if j.failing != nil {
		j.log.Info("timeline is written again")
	}
	j.failing = nil
	if n := len(j.batch.facts); n > 0 {
		j.synced = j.batch.facts[n-1].seq
		j.waiting -= n
	}
	j.batch = batch{}
	j.trim()
	wake(&j.advanced)
}

// trim lets go of entries that are on disk and no longer recent. It moves what stays only when that
// is at most half, so that an entry is moved twice in its life.
func (j *Journal) trim() {
	if len(j.tail) < 2*tailKeep {
		return
	}
	cut := len(j.tail) - tailKeep
	for cut > 0 && j.tail[cut-1].Seq > j.synced {
		cut--
	}
	if cut >= len(j.tail)/2 {
		j.tail = append(make([]call.Entry, 0, 2*tailKeep), j.tail[cut:]...)
	}
}
