package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	berrors "go.etcd.io/bbolt/errors"
)

// commitGap is the least time from the begin of one commit to the begin of the next: what comes
// meanwhile shares one wait for the disk.
const commitGap = 20 * time.Millisecond

// failedGap is the same after a commit that failed: a full disk is asked again, but not in a loop.
const failedGap = 200 * time.Millisecond

// change is one queued change, and who is told what came of it.
type change struct {
	do   func(*Tx) error
	then func(error)
}

// Queue puts do in line for the next commit. It does not wait. The channel gives exactly one value:
// nil when the change is on disk, else why it is not. do is called by the writer and may be called
// more than once, each time on a picture without its own traces; it must not keep tx. A do that
// fails or panics is left out alone. A commit that fails (the disk is full) fails for all that are
// in it, and the writer goes on.
func (s *Store) Queue(do func(tx *Tx) error) <-chan error {
	done := make(chan error, 1)
	if err := s.QueueThen(do, func(err error) { done <- err }); err != nil {
		done <- err
	}
	return done
}

// QueueThen is Queue for who wants to be told by the writer itself: then is called once, after the
// commit and before the next one, and must not wait. An error means that do was not queued and then
// will not be called.
func (s *Store) QueueThen(do func(tx *Tx) error, then func(error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.readOnly:
		return ErrReadOnly
	case s.closed:
		return ErrClosed
	}
	s.queue = append(s.queue, change{do, then})
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}

// Update queues do and waits until it is on disk or ctx ends; in the latter case it may still be done.
func (s *Store) Update(ctx context.Context, do func(tx *Tx) error) error {
	select {
	case err := <-s.Queue(do):
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run is the writer: the only one who changes the file. It commits as soon as it is free, taking
// all that came meanwhile, at least 20 ms apart; the first change after a quiet time goes at once.
// When ctx ends it makes what is queued and returns nil; what is queued later is made by Close.
func (s *Store) Run(ctx context.Context) error {
	if s.readOnly {
		return ErrReadOnly
	}
	var last time.Time
	gap := commitGap
	for {
		select {
		case <-s.wake:
		case <-ctx.Done():
			s.commit(s.take())
			return nil
		}
		if wait := gap - time.Since(last); wait > 0 && wait <= gap { // more than gap: the clock was set
			select {
			case <-time.After(wait):
			case <-ctx.Done():
			}
		}
		last = time.Now()
		gap = commitGap
		if err := s.commit(s.take()); err != nil {
			gap = failedGap
		}
	}
}

// take empties the queue.
func (s *Store) take() []change {
	s.mu.Lock()
	defer s.mu.Unlock()
	group := s.queue
	s.queue = nil
	return group
}

// commit makes a group of changes in one transaction. A change that fails by itself is taken out
// and the others are made anew: bbolt cannot undo a part of a transaction. err is a failure of the
// commit itself.
func (s *Store) commit(group []change) error {
	for len(group) > 0 {
		bad, err := s.try(group)
		if bad < 0 {
			for _, c := range group {
				c.then(err)
			}
			return err
		}
		group[bad].then(err)
		group = slices.Delete(group, bad, bad+1)
	}
	return nil
}

// try makes group in one transaction. bad is the index of the change that err is about; -1: err,
// or success, is about all of them.
func (s *Store) try(group []change) (bad int, err error) {
	bad = -1
	s.mu.Lock()
	s.db.MaxSize = int(s.limit) // read by the writer alone, in Commit
	s.mu.Unlock()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	tx, err := s.db.Begin(true)
	if err != nil {
		return -1, fmt.Errorf("store: %w", err)
	}
	defer func() {
		r := recover()
		if _, fault := r.(interface{ Addr() uintptr }); fault {
			bad, err = -1, ErrUnreadable
		} else if r != nil {
			err = fmt.Errorf("store: panic in a change: %v\n%s", r, debug.Stack())
		}
		if err != nil {
			// Rollback after a Commit that failed answers that all is done already.
			if back := tx.Rollback(); back != nil && !errors.Is(back, berrors.ErrTxClosed) {
				err = errors.Join(err, back)
			}
		}
	}()
	for i, c := range group {
		bad = i
		if err := c.do(&Tx{tx: tx}); err != nil {
			return i, err
		}
	}
	bad = -1
	err = tx.Commit()
	if errors.Is(err, berrors.ErrMaxSizeReached) {
		return -1, ErrFull
	}
	if err != nil {
		return -1, fmt.Errorf("store: commit: %w", err)
	}
	return -1, nil
}
