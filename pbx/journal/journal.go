// Package journal is the timeline of the box: facts, numbered and appended once, followed by any
// number of readers, each with a cursor of its own.
//
// It promises: Append waits neither for the disk nor for a reader; a fact is seen by Follow at once
// and is safe when Synced says so; after any crash the timeline is what was synced, perhaps some
// facts more, in order and without gaps; the rows of a fold are on disk exactly when the facts that
// completed them are, each once, numbered without gaps; a slow reader costs nobody anything.
//
// Start at Open, Append, Synced and Follow. Fold is how records and other rows are made of facts.
package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"branchline/pbx/call"
	"branchline/pbx/store"
)

const (
	// tailKeep is how many of the latest entries are kept in memory for readers.
	tailKeep = 2048
	// maxUnsynced is how many facts wait for the disk at most: some 25 MB, hours of a busy day.
	maxUnsynced = 1 << 16
)

// ErrLost says that a fact could not be kept: the disk had not answered for so long that memory was
// at its bound. It was never acknowledged.
var ErrLost = errors.New("journal: the fact was not kept: the disk does not answer")

// ErrUnsafe says that facts are not on disk because it refuses them. They are there to be seen, and are
// tried again until it takes them; a power cut would forget them.
var ErrUnsafe = errors.New("the disk does not keep what is written")

// Options are what Open needs besides the store.
type Options struct {
	Log   *slog.Logger // nil: no log
	Folds []Fold       // run by the writer from here on; nobody else may touch them
}

// Journal is the timeline. Its methods may be called from any goroutine and do not wait unless they
// say so. It has no goroutine of its own: the store's writer does its work.
type Journal struct {
	store *store.Store
	log   *slog.Logger
	found time.Time // alive mark of the run before

	// The writer owns these after Open.
	folds []*folder
	batch batch

	mu       sync.Mutex // guards the fields below
	first    call.Seq   // the oldest entry that is kept
	last     call.Seq   // the newest entry
	synced   call.Seq   // the newest entry that is on disk
	tail     []call.Entry
	pending  []call.Entry // not yet taken by the writer
	waiting  int          // facts that are not on disk: pending and in batch
	limit    int          // of waiting
	losing   uint64       // facts lost since waiting reached its limit; 0: none
	lost     []span
	alive    time.Time // not yet taken by the writer; zero: none
	marks    map[string]mark
	saveAll  bool
	queued   bool          // the store will call write
	stuck    error         // why the store takes no more
	failing  error         // why the last write failed; nil: it did not
	grown    chan struct{} // closed when last grows; nil: nobody waits
	advanced chan struct{} // closed when synced grows; nil: nobody waits
}

// mark is a checkpoint on its way.
type mark struct {
	at    call.Seq
	state []byte
}

// span is a row of sequence numbers whose facts were lost, both ends included.
type span struct{ from, to call.Seq }

// Open reads where the timeline of s ends and brings the folds up to it: each is restored from its
// checkpoint and given the facts after it, a thousand or so. Only a fold that was never there before
// is given everything. It waits for the disk. On a store that is read-only the folds are brought up
// in memory and nothing can be appended.
func Open(s *store.Store, o Options) (*Journal, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	j := &Journal{store: s, log: o.Log, marks: map[string]mark{}, limit: maxUnsynced}
	if err := s.View(j.findEnds); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if err := j.restore(o.Folds); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if len(j.batch.rows) > 0 { // of a new fold
		j.kick()
	}
	return j, nil
}

// Append puts facts at the end of the timeline, all with the time at, and gives the number of the
// last one. Readers of Follow see them at once. Nobody may change a fact afterwards.
func (j *Journal) Append(at time.Time, facts ...call.Fact) (last call.Seq) {
	at = at.UTC().Round(0) // without the monotonic reading, as it will come back from disk
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(facts) == 0 {
		return j.last
	}
	if j.waiting+len(facts) > j.limit || j.losing > 0 && j.waiting > j.limit/2 {
		return j.lose(len(facts))
	}
	if j.losing > 0 {
		j.add(at, call.Trouble{What: fmt.Sprintf("%d facts were lost: the disk did not answer", j.losing)})
		j.losing = 0
	}
	for _, f := range facts {
		j.add(at, f)
	}
	wake(&j.grown)
	j.kick()
	return j.last
}

func (j *Journal) add(at time.Time, f call.Fact) {
	j.last++
	e := call.Entry{Seq: j.last, At: at, Fact: f}
	j.tail = append(j.tail, e)
	j.pending = append(j.pending, e)
	j.waiting++
}

// lose numbers n facts without keeping them.
func (j *Journal) lose(n int) call.Seq {
	from := j.last + 1
	j.last += call.Seq(n)
	if j.losing == 0 {
		j.lost = append(j.lost, span{from: from})
		j.log.Error("facts are being lost: the disk does not answer", "waiting", j.waiting)
	}
	j.lost[len(j.lost)-1].to = j.last
	j.losing += uint64(n)
	return j.last
}

// kick has the store call write, once. The caller holds mu, or is Open.
func (j *Journal) kick() {
	if j.queued || j.stuck != nil {
		return
	}
	j.stuck = j.store.QueueThen(j.write, j.written)
	j.queued = j.stuck == nil
	if j.stuck != nil {
		wake(&j.advanced) // who waits shall hear of it
	}
}

// Synced waits until the entry s and all before it are on disk: nil. Else it is ErrLost, the end of
// ctx, in its place ErrUnsafe and why if the disk refuses to be written then, or that the store is closed.
func (j *Journal) Synced(ctx context.Context, s call.Seq) error {
	for {
		j.mu.Lock()
		for _, l := range j.lost {
			if l.from <= s && s <= l.to {
				j.mu.Unlock()
				return ErrLost
			}
		}
		done, stuck := s <= j.synced, j.stuck
		changed := open(&j.advanced)
		j.mu.Unlock()
		switch {
		case done:
			return nil
		case stuck != nil:
			return fmt.Errorf("journal: %w", stuck)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return cmp.Or(j.Failing(), ctx.Err())
		}
	}
}

// Failing is why the disk does not take what is written now, an ErrUnsafe; nil while it does.
func (j *Journal) Failing() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failing == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrUnsafe, j.failing)
}

// Mark is how far the timeline is on disk, and a channel that is closed when that changes.
func (j *Journal) Mark() (synced call.Seq, changed <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.synced, open(&j.advanced)
}

// Last is the number of the newest entry, 0 on a new box.
func (j *Journal) Last() call.Seq {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last
}

// First is the number of the oldest entry that is kept, 1 on a new box.
func (j *Journal) First() call.Seq {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.first
}

// Alive says that the box was alive at that time: a run that a crash ends is taken to have ended
// there. It costs a commit; call it every 2 s while calls are up.
func (j *Journal) Alive(at time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.alive = at.UTC().Round(0)
	j.kick()
}

// AliveAt is when the run before this one was last known to be alive: its last Alive or its newest
// entry, whichever is later. The zero time on a new box.
func (j *Journal) AliveAt() time.Time { return j.found }

// Checkpoint keeps state under name, as it is after the entry at. It rides with a commit that has
// all facts up to at, or comes after it. It takes state over. A later one replaces an earlier one.
func (j *Journal) Checkpoint(name string, at call.Seq, state []byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.marks[name] = mark{at, state}
	j.kick()
}

// Load gives what Checkpoint kept, as it is on disk; the caller owns state. It reads the disk.
func (j *Journal) Load(name string) (at call.Seq, state []byte, ok bool) {
	err := j.store.View(func(tx *store.Tx) error {
		at, state, ok = loadMark(tx, checkpoints, name)
		return nil
	})
	if err != nil {
		j.log.Error("checkpoint not read", "name", name, "err", err)
	}
	return at, state, ok
}

// Stop queues a last checkpoint of all folds, so that the next Open has nothing to catch up. The
// store's Run or Close writes it.
func (j *Journal) Stop() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.saveAll = true
	j.kick()
}

// open is the channel that the next wake of c closes.
func open(c *chan struct{}) <-chan struct{} {
	if *c == nil {
		*c = make(chan struct{})
	}
	return *c
}

// wake closes what open gave.
func wake(c *chan struct{}) {
	if *c != nil {
		close(*c)
		*c = nil
	}
}
