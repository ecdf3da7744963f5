package uitest

import (
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"branchline/pbx/call"
	"branchline/pbx/journal"
)

// Timeline is a timeline in memory. The zero value is empty.
type Timeline struct {
	mu      sync.Mutex // guards the fields below
	entries []call.Entry
	rows    []journal.Row
	more    chan struct{} // closed when there is more; nil: nobody waits
}

// Add appends facts.
func (t *Timeline) Add(at time.Time, facts ...call.Fact) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range facts {
		t.entries = append(t.entries, call.Entry{Seq: call.Seq(len(t.entries) + 1), At: at, Fact: f})
	}
	t.wake()
}

// AddRecord appends a finished record.
func (t *Timeline) AddRecord(body string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows = append(t.rows, journal.Row{No: uint64(len(t.rows) + 1), Seq: call.Seq(len(t.entries)), Body: []byte(body)})
	t.wake()
}

func (t *Timeline) wake() {
	if t.more != nil {
		close(t.more)
		t.more = nil
	}
}

// Changed is closed when there is more than now.
func (t *Timeline) Changed() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.more == nil {
		t.more = make(chan struct{})
	}
	return t.more
}

// Last is the number of the newest entry.
func (t *Timeline) Last() call.Seq {
	t.mu.Lock()
	defer t.mu.Unlock()
	return call.Seq(len(t.entries))
}

// Follow is journal.Journal's.
func (t *Timeline) Follow(ctx context.Context, since call.Seq) iter.Seq[call.Entry] {
	return follow(ctx, t, func() []call.Entry {
		list := slices.Clone(t.entries[min(int(since), len(t.entries)):])
		since += call.Seq(len(list))
		return list
	})
}

// FollowRows is journal.Journal's, whatever the fold.
func (t *Timeline) FollowRows(ctx context.Context, _ string, after uint64) iter.Seq[journal.Row] {
	return follow(ctx, t, func() []journal.Row {
		list := slices.Clone(t.rows[min(int(after), len(t.rows)):])
		after += uint64(len(list))
		return list
	})
}

// Rows is journal.Journal's, whatever the fold.
func (t *Timeline) Rows(_ string, after uint64, limit int) ([]journal.Row, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	rows := t.rows[min(int(after), len(t.rows)):]
	return slices.Clone(rows[:min(limit, len(rows))]), nil
}

// LastRow is journal.Journal's, whatever the fold.
func (t *Timeline) LastRow(string) (uint64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return uint64(len(t.rows)), nil
}

// follow yields what take finds, which it calls with the lock held, and waits for more.
func follow[T any](ctx context.Context, t *Timeline, take func() []T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for ctx.Err() == nil {
			t.mu.Lock()
			list := take()
			if t.more == nil {
				t.more = make(chan struct{})
			}
			more := t.more
			t.mu.Unlock()
			for _, item := range list {
				if !yield(item) {
					return
				}
			}
			if len(list) > 0 {
				continue
			}
			select {
			case <-more:
			case <-ctx.Done():
			}
		}
	}
}

// entriesNow are those that are there, in order.
func (t *Timeline) entriesNow() iter.Seq[call.Entry] {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Values(slices.Clone(t.entries))
}
