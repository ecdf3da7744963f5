package boot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"branchline/pbx/view"
)

const (
	firstPrune = time.Minute // after the start, when calls have been seen to
	pruneEvery = time.Hour
)

// retain lets go what is older than the document wants to keep, every hour.
func (b *Box) retain(ctx context.Context) error {
	wait := firstPrune
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		wait = pruneEvery
		if err := b.prune(ctx, time.Now()); err != nil && ctx.Err() == nil {
			b.o.Log.Error("what is old could not be removed", "err", err)
		}
	}
}

// prune lets go what is too old at now.
func (b *Box) prune(ctx context.Context, now time.Time) error {
	keep := b.config.doc().Storage
	days := func(n int) time.Time { return now.AddDate(0, 0, -n) }
	if b.clockUnset(now) {
		return nil // a box that thinks it is 1970 knows nothing of age
	}
	errs := []error{b.journal.Prune(ctx, days(keep.FactsDays))}
	before := days(keep.RecordsDays)
	for fold, at := range map[string]func(json.RawMessage) time.Time{
		view.RecordsName:    endOf(func(r view.Record) time.Time { return r.Ended }),
		view.AgentLogName:   endOf(func(s view.Stint) time.Time { return s.To }),
		view.RecordingsName: endOf(func(r view.Recording) time.Time { return r.Started }),
	} {
		old := func(body json.RawMessage) bool { return at(body).Before(before) }
		_, err := b.journal.PruneRows(ctx, fold, old)
		errs = append(errs, err)
	}
	gone, err := b.tapes.Prune(ctx, days(keep.RecordingsDays), int64(keep.RecordingsGB)<<30)
	if gone.Files > 0 {
		b.o.Log.Info("old recordings removed", "files", gone.Files, "bytes", gone.Bytes)
	}
	return errors.Join(append(errs, err)...)
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
func (b *Box) clockUnset(now time.Time) bool {
	return now.Before(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
}
