package journal_test

import (
	"testing"
	"time"

	"branchline/pbx/journal"
	"branchline/pbx/journal/journaltest"
	"branchline/pbx/store"
)

func TestFilledFolderIsABoxWithAPast(t *testing.T) {
	dir := t.TempDir()
	if err := journaltest.Fill(t.Context(), dir, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), 50_000); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	boot, clean, err := s.NextBoot()
	if boot != 2 || !clean || err != nil {
		t.Errorf("boot %d, clean %v, %v; want 2 after a stop in peace", boot, clean, err)
	}
	j, err := journal.Open(s, journal.Options{Folds: journaltest.Folds()})
	if err != nil {
		t.Fatal(err)
	}
	if j.Last() != 50_000 || len(j.Entries(49_000, 2000)) != 1000 {
		t.Errorf("last %d, want 50000", j.Last())
	}
	for _, f := range journaltest.Folds() {
		if n, err := j.LastRow(f.Name()); n < 1000 || err != nil {
			t.Errorf("%s has %d rows, %v", f.Name(), n, err)
		}
	}
}

// BenchmarkOpen is a start with a million facts in the folder.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	if err := journaltest.Fill(b.Context(), dir, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), 1_000_000); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := store.Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := s.NextBoot(); err != nil {
			b.Fatal(err)
		}
		j, err := journal.Open(s, journal.Options{Folds: journaltest.Folds()})
		if err != nil || j.Last() != 1_000_000 {
			b.Fatal(j.Last(), err)
		}
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.StopTimer()
	s, err := store.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	size, err := s.Size()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(size)/1e6, "MB")
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}
