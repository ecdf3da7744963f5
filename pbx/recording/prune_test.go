package recording

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestPruneRemovesTheOldAndTheTooMuch(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	put := func(name string, age time.Duration) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, make([]byte, 1000), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now, now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	const day = 24 * time.Hour
	put("2026/01/01/old.wav", 60*day)
	put("2026/02/01/a.wav", 29*day)
	put("2026/03/01/b.wav", day)
	put("2026/03/01/c.wav", day-time.Hour)
	put("2026/01/01/cut.wav.part", 60*day)
	w := New(Options{Dir: dir})
	there := func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name)))
		return err == nil
	}

	gone, err := w.Prune(context.Background(), Keep{Since: now.Add(-30 * day)})
	if err != nil || gone != (Pruned{1, 1000}) || there("2026/01/01/old.wav") || !there("2026/02/01/a.wav") {
		t.Fatalf("by age: %+v, %v", gone, err)
	}
	if !there("2026/01/01/cut.wav.part") {
		t.Error("a recording under way was removed")
	}
	gone, err = w.Prune(context.Background(), Keep{Since: now.Add(-30 * day), Bytes: 2000})
	if err != nil || gone != (Pruned{1, 1000}) || there("2026/02") || !there("2026/03/01/b.wav") {
		t.Fatalf("by size: %+v, %v", gone, err)
	}
	if gone, err := w.Prune(context.Background(), Keep{Since: now.Add(-30 * day), Bytes: 2000}); err != nil || gone.Files != 0 {
		t.Errorf("nothing was due, but %+v went, %v", gone, err)
	}
	if _, err := New(Options{Dir: filepath.Join(dir, "none")}).Prune(context.Background(), Keep{Since: now}); err != nil {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestNewestRecordingsStayHoweverOldTheyAreAndUndatedOnesCountFromNow(t *testing.T) {
	dir := t.TempDir()
	made := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	put := func(name string, at time.Time) {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, make([]byte, 1000), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	const day = 24 * time.Hour
	put("unset.wav", time.Unix(100, 0))
	put("a.wav", made)
	put("b.wav", made.Add(day))
	put("c.wav", made.Add(day+time.Hour))
	put("d.wav", made.Add(2*day))
	w := New(Options{Dir: dir})
	gone, err := w.Prune(context.Background(), Keep{Since: made.AddDate(20, 0, 0), Days: 2})
	if err != nil || gone.Files != 1 {
		t.Errorf("%d went, %v; want a.wav alone", gone.Files, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a.wav")); err == nil {
		t.Error("the oldest stayed")
	}
	info, err := os.Stat(filepath.Join(dir, "unset.wav"))
	if err != nil || time.Since(info.ModTime()) > time.Minute {
		t.Errorf("the one of an unset clock: %v, %v", info, err)
	}
}
