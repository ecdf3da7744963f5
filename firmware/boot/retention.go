package boot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"branchline/pbx/journal"
	"branchline/pbx/recording"
	"branchline/pbx/store"
	"branchline/pbx/view"
)

const (
	pruneEvery = time.Hour
	keepDays   = 7 // of the newest on which anything happened stay, where the document keeps as many
)

// retain lets go what is older than the document wants to keep, every hour, by the calendar: the first time
// when the box has run for an hour.
func (b *Box) retain(ctx context.Context) error {
	var c calendar
	if err := b.store.View(func(tx *store.Tx) (err error) {
		c, _, err = calendars.Get(tx, calendarKey)
		return err
	}); err != nil {
		return err
	}
	c = c.begin(time.Now(), b.journal.AliveAt())
	for looked := time.Now(); ; looked = time.Now() {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pruneEvery):
		}
		trusted := false
		c, trusted = c.next(time.Now(), time.Since(looked))
		err := b.limitTapes(ctx)
		if trusted {
			err = errors.Join(err, b.prune(ctx, c.Day),
				b.store.Update(ctx, func(tx *store.Tx) error { return calendars.Put(tx, calendarKey, c) }))
		}
		if err != nil && ctx.Err() == nil {
			b.o.Log.Error("what is old could not be removed", "err", err)
		}
	}
}

// limitTapes lets go recordings that are too much, by whatever clock.
func (b *Box) limitTapes(ctx context.Context) error {
	return b.pruneTapes(ctx, recording.Keep{Bytes: int64(b.config.doc().Storage.RecordingsGB) << 30})
}

func (b *Box) pruneTapes(ctx context.Context, k recording.Keep) error {
	gone, err := b.tapes.Prune(ctx, k)
	if gone.Files > 0 {
		b.o.Log.Info("old recordings removed", "files", gone.Files, "bytes", gone.Bytes)
	}
	return err
}

// prune lets go what is too old on a day of the calendar.
func (b *Box) prune(ctx context.Context, day time.Time) error {
	keep := b.config.doc().Storage
	since := func(days int) time.Time { return day.AddDate(0, 0, -days) }
	errs := []error{b.journal.Prune(ctx, since(keep.FactsDays), min(keepDays, keep.FactsDays))}
	before := since(keep.RecordsDays)
	for fold, at := range map[string]func(json.RawMessage) time.Time{
		view.RecordsName:    endOf(func(r view.Record) time.Time { return r.Ended }),
		view.AgentLogName:   endOf(func(s view.Stint) time.Time { return s.To }),
		view.RecordingsName: endOf(func(r view.Recording) time.Time { return r.Started }),
	} {
		old := func(r journal.Row) bool {
			if done := at(r.Body); !clockUnset(done) {
				return done.Before(before)
			}
			return r.Seq < b.journal.First() // nobody knows when it was: it goes after its facts
		}
		_, err := b.journal.PruneRows(ctx, fold, min(keepDays, keep.RecordsDays), old)
		errs = append(errs, err)
	}
	errs = append(errs, b.pruneTapes(ctx, recording.Keep{Since: since(keep.RecordingsDays), Days: min(keepDays, keep.RecordingsDays)}))
	return errors.Join(errs...)
}

// endOf reads when a row of T was completed.
func endOf[T any](when func(T) time.Time) func(json.RawMessage) time.Time {
	return func(body json.RawMessage) time.Time {
		var row T
		if err := json.Unmarshal(body, &row); err != nil {
			panic(fmt.Sprintf("boot: row %.80q: %v", body, err)) // the fold wrote it
		}
		return when(row)
	}
}

// clockUnset: the clock stands before this program was written.
func clockUnset(now time.Time) bool {
	return now.Before(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
}
