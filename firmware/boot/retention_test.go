package boot

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"branchline/pbx/journal/journaltest"
	"branchline/pbx/view"
)

// A box with a long past lets go what its document does not want kept, and starts with the rest.
func TestOldFactsAndRecordsGo(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	if err := journaltest.Fill(context.Background(), dir, now.AddDate(0, 0, -3), 90_000); err != nil {
		t.Fatal(err)
	}
	b, err := New(Options{Board: "sim", Data: dir, Version: "test", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.store.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		b.store.Close()
	}()
	if err := b.journal.Synced(ctx, b.journal.Last()); err != nil {
		t.Fatal(err) // the start itself closes what the past left open
	}
	had, first := rows(t, b), b.journal.First()

	if err := b.prune(ctx, now.AddDate(20, 0, 0)); err != nil || rows(t, b) != had || b.journal.First() != first {
		t.Fatalf("20 years on, but nothing happened since: %v, %d of %d records left", err, rows(t, b), had)
	}
	if err := b.prune(ctx, now); err != nil || rows(t, b) != had {
		t.Fatalf("nothing is old yet: %v, %d of %d records left", err, rows(t, b), had)
	}
	b.config.now.Storage.FactsDays, b.config.now.Storage.RecordsDays = 1, 2
	if err := b.prune(ctx, now); err != nil {
		t.Fatal(err)
	}
	if left := rows(t, b); left == 0 || left >= had {
		t.Errorf("%d of %d records left", left, had)
	}
	if b.journal.First() == first {
		t.Error("no fact went")
	}
	list, err := b.Records()
	if err != nil {
		t.Fatal(err)
	}
	if oldest := list[0].Ended; oldest.Before(now.AddDate(0, 0, -2)) {
		t.Errorf("a record of %v is left", oldest)
	}
}

func rows(t *testing.T, b *Box) int {
	t.Helper()
	n := 0
	for after := uint64(0); ; {
		list, err := b.journal.Rows(view.RecordsName, after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			return n
		}
		n += len(list)
		after = list[len(list)-1].No
	}
}
