package journal

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"branchline/pbx/call"
	"branchline/pbx/store"
)

// readStep is how many entries a reader takes at a time.
const readStep = 256

// Pruned is what Follow yields first to who asks for entries that are no longer kept. It is never
// stored. Its entry has the number of the last one that is missing.
type Pruned struct {
	Since call.Seq `json:"since"` // what was asked for
}

var _ call.Fact = Pruned{}

// Kind is "pruned".
func (Pruned) Kind() string { return "pruned" }

// About is no call.
func (Pruned) About() call.ID { return "" }

// Row is one finished row of a fold.
type Row struct {
	No   uint64          // from 1, without gaps
	Seq  call.Seq        // the entry that completed it
	Body json.RawMessage // what the fold gave
}

// Follow yields every entry after since, in order, also those that are not yet on disk; then it
// waits for more, until ctx ends or the store is closed. From a pruned place it yields Pruned first.
func (j *Journal) Follow(ctx context.Context, since call.Seq) iter.Seq[call.Entry] {
	return j.follow(ctx, since, false)
}

// FollowSynced is Follow for readers whose output leaves the box: it yields only what is on disk.
func (j *Journal) FollowSynced(ctx context.Context, since call.Seq) iter.Seq[call.Entry] {
	return j.follow(ctx, since, true)
}

func (j *Journal) follow(ctx context.Context, since call.Seq, synced bool) iter.Seq[call.Entry] {
	return func(yield func(call.Entry) bool) {
		c := j.cursor(since, synced)
		for ctx.Err() == nil {
			list, wait := c.next()
			for _, e := range list {
				if ctx.Err() != nil || !yield(e) {
					return
				}
			}
			if wait == nil {
				continue
			}
			select {
			case <-wait:
			case <-ctx.Done():
			}
			if c.closed {
				return
			}
		}
	}
}

// Entries gives up to limit entries after since that are there now, with Pruned first where it is
// due; none at the end.
func (j *Journal) Entries(since call.Seq, limit int) []call.Entry {
	c := j.cursor(since, false)
	var out []call.Entry
	for len(out) < limit {
		list, wait := c.next()
		out = append(out, list...)
		if wait != nil {
			break
		}
	}
	return out[:min(len(out), limit)]
}

// cursor is one reader's place.
type cursor struct {
	j      *Journal
	at     call.Seq
	synced bool
	closed bool
}

func bySeq(e call.Entry, s call.Seq) int { return cmp.Compare(e.Seq, s) }

func (j *Journal) cursor(since call.Seq, synced bool) *cursor {
	return &cursor{j: j, at: since, synced: synced}
}

// next gives the entries that follow, a step at most. wait is set when there are none for now; it is
// closed when that has changed.
func (c *cursor) next() (list []call.Entry, wait <-chan struct{}) {
	j := c.j
	j.mu.Lock()
	defer j.mu.Unlock()
	if c.at+1 < j.first {
		gone := call.Entry{Seq: j.first - 1, At: time.Time{}, Fact: Pruned{Since: c.at}}
		c.at = gone.Seq
		return []call.Entry{gone}, nil
	}
	end, changed := j.last, &j.grown
	if c.synced {
		end, changed = j.synced, &j.advanced
	}
	if c.at >= end {
		return nil, open(changed)
	}
	begin := j.synced + 1 // of what memory has
	if len(j.tail) > 0 {
		begin = j.tail[0].Seq
	}
	if c.at+1 >= begin {
		i, _ := slices.BinarySearchFunc(j.tail, c.at+1, bySeq)
		for _, e := range j.tail[i:min(i+readStep, len(j.tail))] {
			if e.Seq <= end {
				list = append(list, e)
			}
		}
		if list == nil { // what is left was lost
			return nil, open(changed)
		}
		c.at = list[len(list)-1].Seq
		return list, nil
	}
	j.mu.Unlock() // the disk is read without the lock
	list, wait = c.fromDisk(begin)
	j.mu.Lock()
	return list, wait
}

// fromDisk gives entries before begin, where memory takes over.
func (c *cursor) fromDisk(begin call.Seq) (list []call.Entry, wait <-chan struct{}) {
	err := c.j.store.View(func(tx *store.Tx) error {
		list = readEntries(tx, c.at, readStep)
		return nil
	})
	if err != nil {
		if !errors.Is(err, store.ErrClosed) {
			c.j.log.Error("timeline not read", "err", err)
		}
		c.closed = true
		done := make(chan struct{})
		close(done)
		return nil, done
	}
	i, _ := slices.BinarySearchFunc(list, begin, bySeq)
	list = list[:i]
	c.at = begin - 1
	if len(list) == readStep {
		c.at = list[readStep-1].Seq
	}
	return list, nil
}

// Rows gives up to limit rows of a fold after the row after, as they are on disk. It reads the disk.
func (j *Journal) Rows(fold string, after uint64, limit int) ([]Row, error) {
	var out []Row
	err := j.store.View(func(tx *store.Tx) error {
		for key, value := range tx.Bucket(rowsOf, fold).From(store.Key(after + 1)) {
			if len(out) >= limit {
				break
			}
			if len(value) < 8 {
				return fmt.Errorf("journal: row %d of %s is damaged", store.Number(key), fold)
			}
			out = append(out, Row{
				No:   store.Number(key),
				Seq:  call.Seq(store.Number(value[:8])),
				Body: append(json.RawMessage(nil), value[8:]...),
			})
		}
		return nil
	})
	return out, err
}

// LastRow is the number of a fold's last row on disk, 0 where it has none.
func (j *Journal) LastRow(fold string) (no uint64, err error) {
	err = j.store.View(func(tx *store.Tx) error {
		key, _ := tx.Bucket(rowsOf, fold).Last()
		no = store.Number(key)
		return nil
	})
	return no, err
}

// FollowRows yields every row of a fold after the row after, in order, then waits for more, until
// ctx ends or the store is closed. Rows are on disk when they are yielded.
func (j *Journal) FollowRows(ctx context.Context, fold string, after uint64) iter.Seq[Row] {
	return func(yield func(Row) bool) {
		for ctx.Err() == nil {
			_, changed := j.Mark()
			rows, err := j.Rows(fold, after, readStep)
			if err != nil {
				if !errors.Is(err, store.ErrClosed) {
					j.log.Error("rows not read", "fold", fold, "err", err)
				}
				return
			}
			for _, r := range rows {
				if ctx.Err() != nil || !yield(r) {
					return
				}
				after = r.No
			}
			if len(rows) > 0 {
				continue
			}
			select {
			case <-changed:
			case <-ctx.Done():
			}
		}
	}
}
