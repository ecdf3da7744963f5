// Package journaltest fills a data folder with a timeline, for tests and benchmarks that start a box
// with a past. Start at Fill.
package journaltest

import (
	"context"
	"errors"
	"time"

	"branchline/pbx/call"
	"branchline/pbx/journal"
	"branchline/pbx/store"
	"branchline/pbx/view"
	"branchline/pbx/view/viewtest"
)

// chunk is how many calls are made at a time: a day of them, some 40,000 facts.
const chunk = 2000

// Folds are those that a box runs in its journal.
func Folds() []journal.Fold {
	return []journal.Fold{view.NewRecords(), view.NewRecordings(), view.NewAgentLog()}
}

// Fill appends n facts of a busy call centre, with all that a box makes of them, to the store in
// folder, and stops in peace. The past begins at from. A million takes about ten seconds.
func Fill(ctx context.Context, folder string, from time.Time, n int) (err error) {
	s, err := store.Open(folder)
	if err != nil {
		return err
	}
	if _, _, err := s.NextBoot(); err != nil {
		return errors.Join(err, s.Close())
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- s.Run(running) }()
	defer func() {
		cancel()
		err = errors.Join(err, <-done, s.Close())
	}()
	j, err := journal.Open(s, journal.Options{Folds: Folds()})
	if err != nil {
		return err
	}
	for seed := uint64(1); n > 0; seed++ {
		entries := viewtest.History(seed, from, chunk)
		entries = entries[:min(n, len(entries))]
		n -= len(entries)
		var last call.Seq
		for _, e := range entries {
			last = j.Append(e.At, e.Fact)
		}
		if err := j.Synced(ctx, last); err != nil {
			return err
		}
		from = entries[len(entries)-1].At.Add(time.Second)
	}
	j.Alive(from)
	j.Stop()
	s.MarkClean()
	return nil
}
