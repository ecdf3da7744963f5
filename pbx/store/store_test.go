package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// started opens the store of folder and runs its writer until the test ends or stop is called.
func started(t *testing.T, folder string) (s *Store, stop func()) {
	t.Helper()
	s, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	ended := false
	stop = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	t.Cleanup(stop)
	return s, stop
}

func put(key, value string) func(*Tx) error {
	return func(tx *Tx) error { return tx.Bucket("b").Put([]byte(key), []byte(value)) }
}

func get(t *testing.T, s *Store, key string) string {
	t.Helper()
	var out string
	err := s.View(func(tx *Tx) error {
		out = string(tx.Bucket("b").Get([]byte(key)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWhatATicketConfirmsIsThereAfterReopening(t *testing.T) {
	dir := t.TempDir()
	s, stop := started(t, dir)
	if err := s.Update(t.Context(), put("k", "v")); err != nil {
		t.Fatal(err)
	}
	stop()
	s, _ = started(t, dir)
	if got := get(t, s, "k"); got != "v" {
		t.Errorf("value %q, want v", got)
	}
}

func TestChangesAreMadeInTheOrderInWhichTheyWereQueued(t *testing.T) {
	s, _ := started(t, t.TempDir())
	var last <-chan error
	for i := range 1000 {
		last = s.Queue(func(tx *Tx) error {
			b := tx.Bucket("order")
			key, _ := b.Last()
			if got := Number(key); got != uint64(i) {
				return fmt.Errorf("change %d comes after %d", i, got)
			}
			return b.Append(Key(uint64(i+1)), []byte{1})
		})
	}
	if err := <-last; err != nil {
		t.Fatal(err)
	}
}

func TestAChangeThatFailsOrPanicsSpoilsNoOther(t *testing.T) {
	s, _ := started(t, t.TempDir())
	hold := make(chan struct{})
	s.Queue(func(*Tx) error { <-hold; return nil }) // so that the rest is one group
	broken := errors.New("broken")
	one := s.Queue(put("one", "1"))
	bad := s.Queue(func(tx *Tx) error { return errors.Join(put("bad", "x")(tx), broken) })
	two := s.Queue(put("two", "2"))
	worse := s.Queue(func(tx *Tx) error { tx.Bucket(""); return nil })
	three := s.Queue(put("three", "3"))
	close(hold)
	for i, c := range []<-chan error{one, two, three} {
		if err := <-c; err != nil {
			t.Errorf("good change %d: %v", i+1, err)
		}
	}
	if err := <-bad; !errors.Is(err, broken) {
		t.Errorf("bad change: %v, want its own error", err)
	}
	if err := <-worse; err == nil || !strings.Contains(err.Error(), "panic") {
		t.Errorf("panicking change: %v, want a panic told as an error", err)
	}
	for key, want := range map[string]string{"one": "1", "two": "2", "three": "3", "bad": ""} {
		if got := get(t, s, key); got != want {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
}

func TestFullFileIsToldAndTheWriterGoesOn(t *testing.T) {
	s, _ := started(t, t.TempDir())
	s.Limit(1 << 17)
	big := bytes.Repeat([]byte("x"), 1<<20)
	err := s.Update(t.Context(), func(tx *Tx) error { return tx.Bucket("b").Put([]byte("big"), big) })
	if !errors.Is(err, ErrFull) {
		t.Fatalf("change in a full file: %v, want ErrFull", err)
	}
	s.Limit(0)
	if err := s.Update(t.Context(), func(tx *Tx) error { return tx.Bucket("b").Put([]byte("big"), big) }); err != nil {
		t.Fatalf("after there was room again: %v", err)
	}
	if got := get(t, s, "big"); len(got) != len(big) {
		t.Errorf("%d bytes read, want %d", len(got), len(big))
	}
}

func TestFirstChangeAfterAQuietTimeGoesAtOnceAndTheNextWaitForCompany(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, stop := started(t, dir)
		defer stop()
		groups := map[int]bool{}
		change := func(tx *Tx) error {
			groups[tx.tx.ID()] = true // of the writer alone, read when it rests
			return tx.Bucket("b").Put([]byte("k"), []byte("v"))
		}
		takes := func(what string, want time.Duration) {
			t.Helper()
			begin := time.Now()
			if err := s.Update(t.Context(), change); err != nil {
				t.Fatal(err)
			}
			if got := time.Since(begin); got != want {
				t.Errorf("%s takes %v, want %v", what, got, want)
			}
		}
		takes("the first change", 0)
		for range 50 {
			s.Queue(change)
		}
		takes("a change right after it", commitGap)
		if len(groups) != 2 {
			t.Errorf("%d commits, want 2: the changes meanwhile share one", len(groups))
		}
		time.Sleep(time.Second)
		takes("a change after a quiet time", 0)
		s.Limit(1)
		if err := <-s.Queue(func(tx *Tx) error { return tx.Bucket("b").Put([]byte("big"), make([]byte, 1<<20)) }); !errors.Is(err, ErrFull) {
			t.Fatalf("full: %v", err)
		}
		s.Limit(0)
		takes("a change after a commit that failed", failedGap)
	})
}

func TestWhatIsQueuedWhenTheWriterEndsIsStillMade(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	before := s.Queue(put("before", "1"))
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-before; err != nil {
		t.Errorf("queued before the end: %v", err)
	}
	after := s.Queue(put("after", "1"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-after; err != nil {
		t.Errorf("queued before Close: %v", err)
	}
	if err := <-s.Queue(put("late", "1")); !errors.Is(err, ErrClosed) {
		t.Errorf("queued after Close: %v, want ErrClosed", err)
	}
	if err := s.View(func(*Tx) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("view after Close: %v, want ErrClosed", err)
	}
}

func TestSecondBoxInTheSameFolderIsRefusedInWords(t *testing.T) {
	dir := t.TempDir()
	started(t, dir)
	for name, open := range map[string]func(string) (*Store, error){"Open": Open, "OpenReadOnly": OpenReadOnly} {
		begin := time.Now()
		_, err := open(dir)
		if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "another branchline runs in this folder") {
			t.Errorf("%s: %v, want ErrInUse", name, err)
		}
		if spent := time.Since(begin); spent > 2*time.Second {
			t.Errorf("%s took %v to say so", name, spent)
		}
	}
}

func TestStoppedBoxIsReadWithoutBeingChanged(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenReadOnly(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("folder without a box: %v, want fs.ErrNotExist", err)
	}
	s, stop := started(t, dir)
	box := s.BoxID()
	if err := s.Update(t.Context(), put("k", "v")); err != nil {
		t.Fatal(err)
	}
	stop()
	for range 2 { // two readers at a time
		r, err := OpenReadOnly(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = r.Close() })
		if got := get(t, r, "k"); got != "v" || r.BoxID() != box {
			t.Errorf("value %q, box %d, want v and %d", got, r.BoxID(), box)
		}
		if err := <-r.Queue(put("k", "w")); !errors.Is(err, ErrReadOnly) {
			t.Errorf("change: %v, want ErrReadOnly", err)
		}
		if _, _, err := r.NextBoot(); !errors.Is(err, ErrReadOnly) {
			t.Errorf("NextBoot: %v, want ErrReadOnly", err)
		}
	}
}

func TestBootsAreCountedAndACrashIsSeen(t *testing.T) {
	dir := t.TempDir()
	var box uint32
	for i, peace := range []bool{true, false, true, true} {
		s, stop := started(t, dir)
		boot, clean, err := s.NextBoot()
		wantClean := []bool{true, true, false, true}[i]
		if err != nil || boot != uint32(i+1) || clean != wantClean {
			t.Errorf("boot %d, clean %v, %v; want %d, %v", boot, clean, err, i+1, wantClean)
		}
		if i == 0 {
			box = s.BoxID()
		}
		if s.BoxID() != box || box == 0 || box > 0xffffff {
			t.Errorf("box id %#x, want %#x, of 24 bits, not 0", s.BoxID(), box)
		}
		if peace {
			s.MarkClean()
		}
		stop()
	}
}

func TestFileOfANewerProgramIsRefused(t *testing.T) {
	dir := t.TempDir()
	s, stop := started(t, dir)
	err := s.Update(t.Context(), func(tx *Tx) error {
		return tx.Bucket(metaBucket).Put([]byte(keyFormat), binary.BigEndian.AppendUint32(nil, format+1))
	})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "newer branchline") {
		t.Errorf("Open: %v, want that it is of a newer branchline", err)
	}
}

func TestTableKeepsTypedValues(t *testing.T) {
	type phone struct{ Contact string }
	const phones Table[phone] = "phones"
	s, _ := started(t, t.TempDir())
	err := s.Update(t.Context(), func(tx *Tx) error {
		return errors.Join(phones.Put(tx, "201", phone{"a"}), phones.Put(tx, "202", phone{"b"}), phones.Delete(tx, "201"))
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.View(func(tx *Tx) error {
		if v, ok, err := phones.Get(tx, "202"); v.Contact != "b" || !ok || err != nil {
			t.Errorf("202: %v %v %v, want b", v, ok, err)
		}
		if _, ok, err := phones.Get(tx, "201"); ok || err != nil {
			t.Errorf("201 is still there: %v", err)
		}
		all, err := phones.All(tx)
		if len(all) != 1 || err != nil {
			t.Errorf("all: %v %v, want one", all, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestBucketFindsPlacesByKey(t *testing.T) {
	s, _ := started(t, t.TempDir())
	err := s.Update(t.Context(), func(tx *Tx) error {
		for _, n := range []uint64{2, 4, 1 << 40} {
			if err := tx.Bucket("n", "sub").Append(Key(n), []byte{1}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.View(func(tx *Tx) error {
		b := tx.Bucket("n", "sub")
		for at, want := range map[uint64]uint64{1: 0, 2: 2, 3: 2, 4: 4, 5: 4, 1 << 41: 1 << 40} {
			if k, _ := b.AtOrBefore(Key(at)); Number(k) != want {
				t.Errorf("at or before %d: %d, want %d", at, Number(k), want)
			}
		}
		var got []uint64
		for k := range b.From(Key(3)) {
			got = append(got, Number(k))
		}
		if want := []uint64{4, 1 << 40}; !slices.Equal(got, want) {
			t.Errorf("from 3: %v, want %v", got, want)
		}
		for range tx.Bucket("none", "at", "all").From(nil) {
			t.Error("a bucket that is not there has an entry")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What the file has lost reads as on a broken disk: the kernel cannot give the page.
func TestDiskThatCannotReadFailsWhoAsksAndNobodyElse(t *testing.T) {
	dir := t.TempDir()
	s, _ := started(t, dir)
	grow := func(tx *Tx) error {
		for n := range uint64(2000) {
			if err := tx.Bucket("big").Append(Key(n), make([]byte, 2000)); err != nil {
				return err
			}
		}
		return nil
	}
	if err := s.Update(t.Context(), grow); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), put("k", "v")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, FileName)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 64<<10); err != nil {
		t.Fatal(err)
	}
	all := func(tx *Tx) error {
		n := 0
		for _, v := range tx.Bucket("big").From(nil) {
			n += len(v) + int(v[0])
		}
		return nil
	}
	if err := s.View(all); !errors.Is(err, ErrUnreadable) {
		t.Errorf("view: %v, want ErrUnreadable", err)
	}
	if err := <-s.Queue(func(tx *Tx) error { return all(tx) }); !errors.Is(err, ErrUnreadable) {
		t.Errorf("change: %v, want ErrUnreadable", err)
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil { // the same file: it is mapped still
		t.Fatal(err)
	}
	if err := s.View(all); err != nil {
		t.Errorf("view of a disk that is well: %v", err)
	}
	if err := s.Update(t.Context(), put("k", "w")); err != nil || get(t, s, "k") != "w" {
		t.Errorf("change on a disk that is well: %v", err)
	}
}

func BenchmarkQueue(b *testing.B) {
	s, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	var last <-chan error
	for i := 0; b.Loop(); i++ {
		last = s.Queue(func(tx *Tx) error { return tx.Bucket("b").Append(Key(uint64(i)), make([]byte, 150)) })
	}
	<-last
	cancel()
	if err := errors.Join(<-done, s.Close()); err != nil {
		b.Fatal(err)
	}
}
