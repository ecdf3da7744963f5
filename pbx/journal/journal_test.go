package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"branchline/pbx/call"
	"branchline/pbx/store"
)

// box is a store with a journal on it, and its running writer.
type box struct {
	*Journal
	store *store.Store
	stop  func()
}

func startBox(t *testing.T, folder string, folds ...Fold) *box {
	t.Helper()
	s, err := store.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	j, err := Open(s, Options{Folds: folds})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stopped := false
	b := &box{Journal: j, store: s}
	b.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := errors.Join(<-done, s.Close()); err != nil {
			t.Errorf("stop: %v", err)
		}
	}
	t.Cleanup(b.stop)
	return b
}

// stall makes the disk stand still until the result is called.
func (b *box) stall() (release func()) {
	hold, held := make(chan struct{}), make(chan struct{})
	b.store.Queue(func(*store.Tx) error {
		close(held)
		<-hold
		return nil
	})
	<-held
	return func() { close(hold) }
}

func (b *box) sync(t *testing.T) {
	t.Helper()
	if err := b.Synced(t.Context(), b.Last()); err != nil {
		t.Fatal(err)
	}
}

func day(n int) time.Time { return time.Date(2026, 11, n, 23, 0, 0, 123456789, time.UTC) }

// fact is the n-th of a row of facts that are told apart.
func fact(n int) call.Fact { return call.Trouble{Call: "A", What: fmt.Sprint(n)} }

// fill appends n facts, numbered as their places, without waiting for the disk.
func (b *box) fill(n int) {
	for range n {
		b.Append(day(1), fact(int(b.Last())+1))
	}
}

// follow takes n entries after since and checks that they are those that fill made.
func follow(t *testing.T, b *box, since call.Seq, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	next := since + 1
	for e := range b.Follow(ctx, since) {
		if e.Seq != next || e.Fact != fact(int(next)) || !e.At.Equal(day(1)) {
			t.Fatalf("entry %v, want number %d", e, next)
		}
		if next++; next > since+call.Seq(n) {
			return
		}
	}
	t.Fatalf("follow ended before %d, want %d entries", next, n)
}

// rower is a fold that gives a row for every even fact, and knows the sum of all.
type rower struct {
	Sum   uint64
	Facts int
	panic uint64 // at this fact
}

func (r *rower) Name() string { return "rower" }

func (r *rower) Apply(e call.Entry) []json.RawMessage {
	if uint64(e.Seq) == r.panic {
		panic("as ordered")
	}
	r.Facts++
	r.Sum += uint64(e.Seq)
	if e.Seq%2 != 0 {
		return nil
	}
	return []json.RawMessage{json.RawMessage(fmt.Sprintf(`{"sum":%d}`, r.Sum))}
}

func (r *rower) Save() []byte { return []byte(fmt.Sprintf(`{"Sum":%d}`, r.Sum)) }

func (r *rower) Restore(state []byte) error { return json.Unmarshal(state, r) }

// checkRows sees that the rows are those of n facts, numbered without gaps.
func checkRows(t *testing.T, j *Journal, n int) {
	t.Helper()
	rows, err := j.Rows("rower", 0, n)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != n/2 {
		t.Fatalf("%d rows, want %d", len(rows), n/2)
	}
	for i, r := range rows {
		last := 2 * (i + 1)
		want := fmt.Sprintf(`{"sum":%d}`, last*(last+1)/2)
		if r.No != uint64(i+1) || r.Seq != call.Seq(last) || string(r.Body) != want {
			t.Fatalf("row %d of fact %d: %s, want row %d of fact %d: %s", r.No, r.Seq, r.Body, i+1, last, want)
		}
	}
}

func TestFactsComeBackAfterReopeningAsTheyWereAppended(t *testing.T) {
	dir := t.TempDir()
	b := startBox(t, dir)
	facts := []call.Fact{call.Booted{Boot: 1}, call.Presence{Agent: "1", Until: day(2)}, call.Unknown{Name: "later", Raw: []byte(`{"kind":"later"}`)}}
	if last := b.Append(time.Now(), facts...); last != 3 {
		t.Errorf("last number %d, want 3", last)
	}
	before := b.Entries(0, 10)
	b.sync(t)
	b.stop()
	b = startBox(t, dir)
	if after := b.Entries(0, 10); !reflect.DeepEqual(after, before) || len(after) != 3 {
		t.Errorf("entries\n%v, want\n%v", after, before)
	}
	if b.Last() != 3 || b.Append(day(1), fact(4)) != 4 {
		t.Errorf("numbers do not go on after 3")
	}
}

func TestReaderGetsEveryFactWhereverItBegins(t *testing.T) {
	dir := t.TempDir()
	b := startBox(t, dir)
	for range 20 { // with commits between, so that memory lets go of what is old
		b.fill(1000)
		b.sync(t)
	}
	if len(b.tail) > 3*tailKeep {
		t.Errorf("%d entries in memory, want some %d", len(b.tail), 2*tailKeep)
	}
	for _, since := range []call.Seq{0, 1, 255, 256, 9999, 19000, 19999} {
		follow(t, b, since, 20000-int(since))
	}
	b.stop()
	b = startBox(t, dir)
	follow(t, b, 0, 20000)
	b.fill(10)
	follow(t, b, 19990, 20)
}

func TestSlowReaderHoldsNobodyUpAndMissesNothing(t *testing.T) {
	b := startBox(t, t.TempDir())
	b.fill(10)
	next := call.Seq(1)
	for e := range b.Follow(t.Context(), 0) {
		if e.Seq != next {
			t.Fatalf("entry %d, want %d", e.Seq, next)
		}
		if next == 5 { // while the reader stands still
			b.fill(10000)
			b.sync(t)
			b.fill(10000)
			b.sync(t)
		}
		if next++; next > 20010 {
			break
		}
	}
}

func TestReaderWhoWaitsIsWokenAtOnceBeforeTheDiskHasIt(t *testing.T) {
	b := startBox(t, t.TempDir())
	release := b.stall()
	defer release()
	got := make(chan call.Entry)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for e := range b.Follow(ctx, 0) {
			got <- e
		}
	}()
	for i := range 3 {
		b.Append(day(1), fact(i+1))
		if e := <-got; e.Seq != call.Seq(i+1) {
			t.Errorf("entry %d, want %d", e.Seq, i+1)
		}
	}
	cancel()
	<-ended
}

func TestSyncedReaderAndSyncedWaitForTheDisk(t *testing.T) {
	b := startBox(t, t.TempDir())
	b.fill(1)
	b.sync(t)
	release := b.stall()
	b.fill(2)
	if synced, _ := b.Mark(); synced != 1 {
		t.Errorf("synced %d while the disk stands still, want 1", synced)
	}
	short, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	var seen []call.Seq
	for e := range b.FollowSynced(short, 0) {
		seen = append(seen, e.Seq)
	}
	if !slices.Equal(seen, []call.Seq{1}) {
		t.Errorf("synced reader saw %v, want 1 alone", seen)
	}
	if err := b.Synced(short, 2); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Synced: %v, want the end of its context", err)
	}
	if err := b.Synced(short, 1); err != nil {
		t.Errorf("Synced of what is on disk: %v", err)
	}
	synced, changed := b.Mark()
	release()
	for synced < 3 {
		<-changed
		synced, changed = b.Mark()
	}
	for e := range b.FollowSynced(t.Context(), 1) {
		if e.Seq == 3 {
			break
		}
	}
}

func TestFullDiskLosesNothingThatFitsInMemory(t *testing.T) {
	dir := t.TempDir()
	b := startBox(t, dir, &rower{})
	b.fill(100)
	b.sync(t)
	b.store.Limit(1)
	b.Checkpoint("c", 50, []byte("old"))
	b.fill(20000)
	b.Checkpoint("c", 20100, []byte("new"))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := b.Synced(ctx, b.Last()); !errors.Is(err, ErrUnsafe) || !errors.Is(err, store.ErrFull) {
		t.Fatalf("Synced on a full disk: %v", err)
	}
	follow(t, b, 0, 20100)
	b.store.Limit(0)
	b.fill(100)
	b.sync(t)
	if err := b.Failing(); err != nil {
		t.Errorf("there is room again: %v", err)
	}
	checkRows(t, b.Journal, 20200)
	if at, state, ok := b.Load("c"); at != 20100 || string(state) != "new" || !ok {
		t.Errorf("checkpoint %d %s %v, want new", at, state, ok)
	}
	b.stop()
	b = startBox(t, dir, &rower{})
	follow(t, b, 0, 20200)
	checkRows(t, b.Journal, 20200)
}

func TestMemoryIsBoundedWhenTheDiskStandsStillAndWhatIsLostIsTold(t *testing.T) {
	dir := t.TempDir()
	b := startBox(t, dir, &rower{})
	b.limit = 100
	release := b.stall()
	b.fill(100)
	lost := b.Append(day(1), fact(0), fact(0))
	if lost != 102 {
		t.Errorf("lost facts end at %d, want 102: they are numbered", lost)
	}
	if err := b.Synced(t.Context(), lost); !errors.Is(err, ErrLost) {
		t.Errorf("Synced of a lost fact: %v, want ErrLost", err)
	}
	if n := len(b.Entries(0, 1000)); n != 100 {
		t.Errorf("%d entries kept, want 100", n)
	}
	release()
	if err := b.Synced(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
	b.Append(day(1), fact(104))
	b.sync(t)
	if err := b.Synced(t.Context(), lost); !errors.Is(err, ErrLost) {
		t.Errorf("Synced of a lost fact, later: %v, want ErrLost", err)
	}
	list := b.Entries(99, 10)
	want := call.Trouble{What: "2 facts were lost: the disk did not answer"}
	if len(list) != 3 || list[1].Fact != want || list[1].Seq != 103 || list[2].Fact != fact(104) {
		t.Errorf("entries %v", list)
	}
	b.stop()
	b = startBox(t, dir, &rower{})
	if again := b.Entries(99, 10); !reflect.DeepEqual(again, list) {
		t.Errorf("after reopening %v, want %v", again, list)
	}
}

func TestSyncedEndsWhenTheStoreIsClosed(t *testing.T) {
	b := startBox(t, t.TempDir())
	b.stop()
	s := b.Append(day(1), fact(1))
	if err := b.Synced(t.Context(), s); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Synced: %v, want ErrClosed", err)
	}
}

func TestFactsAppendedAfterTheWriterEndedAreWrittenByClose(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	j, err := Open(s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Run(ended); err != nil {
		t.Fatal(err)
	}
	last := j.Append(day(1), call.Stopped{Boot: 1})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := j.Synced(t.Context(), last); err != nil {
		t.Errorf("Synced: %v", err)
	}
	if got := startBox(t, dir).Last(); got != 1 {
		t.Errorf("last %d, want 1", got)
	}
}

func TestRunBeforeIsTakenToHaveEndedWhereItWasLastAlive(t *testing.T) {
	dir := t.TempDir()
	b := startBox(t, dir)
	if !b.AliveAt().IsZero() {
		t.Errorf("new box was alive at %v", b.AliveAt())
	}
	b.Append(day(1), fact(1))
	b.stop()
	b = startBox(t, dir)
	if got := b.AliveAt(); !got.Equal(day(1)) {
		t.Errorf("alive at %v, want the newest entry %v", got, day(1))
	}
	b.Alive(day(2).Add(-time.Second))
	b.Alive(day(2))
	b.stop()
	b = startBox(t, dir)
	if got := b.AliveAt(); !got.Equal(day(2)) {
		t.Errorf("alive at %v, want the mark %v", got, day(2))
	}
}

func TestFactThatCannotBeEncodedKeepsItsPlace(t *testing.T) {
	dir := t.TempDir()
	b := startBox(t, dir)
	b.Append(day(1), call.Presence{Until: time.Date(12345, 1, 1, 0, 0, 0, 0, time.UTC)}, call.Unknown{Name: "x", Raw: []byte("{")}, fact(3))
	b.sync(t)
	b.stop()
	list := startBox(t, dir).Entries(0, 10)
	if len(list) != 3 || list[0].Fact.Kind() != "trouble" || list[1].Fact.Kind() != "trouble" || list[2].Fact != fact(3) {
		t.Errorf("entries %v, want trouble in place of what could not be written", list)
	}
}

func BenchmarkAppend(b *testing.B) {
	s, err := store.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	j, err := Open(s, Options{})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	f, at := fact(1), time.Now()
	for i := 0; b.Loop(); i++ {
		if last := j.Append(at, f); i%10000 == 9999 {
			b.StopTimer()
			if err := j.Synced(ctx, last); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
	}
	cancel()
	if err := errors.Join(<-done, s.Close()); err != nil {
		b.Fatal(err)
	}
}
