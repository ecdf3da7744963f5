package journal

import (
	"context"
	"fmt"
	"slices"
	"time"

	"branchline/pbx/call"
	"branchline/pbx/store"
)

// Prune drops the facts of UTC days before the one of before. The newest days on which anything happened
// always stay, so many as keep says, and one at least. Rows and checkpoints stay. It waits for the disk, one
// day at a time.
func (j *Journal) Prune(ctx context.Context, before time.Time, keep int) error {
	day := before.UTC().Format(time.DateOnly)
	for {
		var dropped bool
		var first call.Seq
		err := j.store.Update(ctx, func(tx *store.Tx) error {
			days := tx.Bucket(facts)
			var names [][]byte
			for name := range days.From(nil) {
				names = append(names, append([]byte(nil), name...))
			}
			i := prunable(names, day, keep)
			dropped = i >= 0
			if !dropped {
				return nil
			}
			names, gone := slices.Delete(slices.Clone(names), i, i+1), names[i]
			first = firstOf(names[0])
			return days.Drop(gone)
		})
		if err != nil {
			return fmt.Errorf("journal: prune: %w", err)
		}
		if !dropped {
			return nil
		}
		j.mu.Lock()
		j.first = first
		j.mu.Unlock()
	}
}

// PruneRows drops the oldest rows of a fold as long as old says so of them, and gives how many went.
// The newest row always stays, and what was completed on the newest days on which anything happened, so many
// as keep says. It waits for the disk, some hundred rows at a time.
func (j *Journal) PruneRows(ctx context.Context, fold string, keep int, old func(Row) bool) (gone int, err error) {
	for {
		dropped := 0
		err := j.store.Update(ctx, func(tx *store.Tx) error {
			rows := tx.Bucket(rowsOf, fold)
			last, _ := rows.Last()
			newest, stays := store.Number(last), firstKept(tx, keep)
			var keys [][]byte
			for key, value := range rows.From(nil) {
				if len(keys) == pruneStep || store.Number(key) == newest || len(value) < 8 {
					break
				}
				r := Row{store.Number(key), call.Seq(store.Number(value[:8])), value[8:]}
				if keep > 0 && r.Seq >= stays || !old(r) {
					break
				}
				keys = append(keys, append([]byte(nil), key...))
			}
			for _, key := range keys {
				if err := rows.Delete(key); err != nil {
					return err
				}
			}
			dropped = len(keys)
			return nil
		})
		if err != nil {
			return gone, fmt.Errorf("journal: prune rows of %s: %w", fold, err)
		}
		gone += dropped
		if dropped < pruneStep {
			return gone, nil
		}
	}
}

const pruneStep = 500 // rows in one change: other writers wait no longer than for that

// prunable is the place of a day that may go, -1 where there is none. The clock may have been wrong:
// a day that was begun after a later one counts as that one (a box without a set clock thinks that
// it is 1970), but for later ones that have not come yet.
func prunable(names [][]byte, day string, keep int) int {
	if len(names) == 0 {
		return -1
	}
	newest, latest := dayOf(names[len(names)-1]), ""
	for i, name := range names[:max(0, len(names)-max(keep, 1))] {
		d := dayOf(name)
		if d <= newest {
			latest = max(latest, d)
			d = latest
		}
		if d < day {
			return i
		}
	}
	return -1
}

// firstKept is the first entry of the newest days on which anything happened, so many as keep says.
func firstKept(tx *store.Tx, keep int) call.Seq {
	var names [][]byte
	for name := range tx.Bucket(facts).From(nil) {
		names = append(names, name)
	}
	if len(names) == 0 || keep <= 0 {
		return 0
	}
	return firstOf(names[max(0, len(names)-keep)])
}
