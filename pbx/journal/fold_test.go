package journal

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"branchline/pbx/call"
	"branchline/pbx/store"
	"branchline/pbx/view"
	"branchline/pbx/view/viewtest"
)

func TestRowsAreOnDiskWithTheFactsThatCompletedThem(t *testing.T) {
	dir := t.TempDir()
	b := startBox(t, dir, &rower{})
	b.fill(2500)
	b.sync(t)
	checkRows(t, b.Journal, 2500)
	b.stop()
	for range 3 { // without a clean stop of the folds: what follows the checkpoint is folded again
		r := &rower{}
		b = startBox(t, dir, r)
		if r.Facts >= saveEvery+1 {
			t.Errorf("%d facts were read at the start, want fewer than %d", r.Facts, saveEvery+1)
		}
		n := int(b.Last()) + 301
		b.fill(301)
		b.sync(t)
		checkRows(t, b.Journal, n)
		b.stop()
	}
}

func TestStartAfterAStopInPeaceReadsNoFacts(t *testing.T) {
	dir := t.TempDir()
	b := startBox(t, dir, &rower{})
	b.fill(700)
	b.Stop()
	b.stop()
	r := &rower{}
	b = startBox(t, dir, r)
	if r.Facts != 0 || r.Sum != 700*701/2 {
		t.Errorf("%d facts were read, sum %d; want 0 and %d", r.Facts, r.Sum, 700*701/2)
	}
}

func TestNewFoldIsGivenTheWholePast(t *testing.T) {
	dir := t.TempDir()
	b := startBox(t, dir)
	b.fill(3001)
	b.sync(t)
	b.stop()
	b = startBox(t, dir, &rower{})
	for row := range b.FollowRows(t.Context(), "rower", 1499) { // rows of the past are written without a new fact
		if row.No == 1500 {
			break
		}
	}
	checkRows(t, b.Journal, 3001)
}

func TestFoldWhoseStateIsDamagedIsMadeAnewWithoutSecondRows(t *testing.T) {
	dir := t.TempDir()
	b := startBox(t, dir, &rower{})
	b.fill(1500)
	b.sync(t)
	err := b.store.Update(t.Context(), func(tx *store.Tx) error {
		return tx.Bucket(foldState).Put([]byte("rower"), append(store.Key(1000), "garbage"...))
	})
	if err != nil {
		t.Fatal(err)
	}
	b.stop()
	r := &rower{}
	b = startBox(t, dir, r)
	if r.Facts != 1500 {
		t.Errorf("%d facts were folded, want all 1500", r.Facts)
	}
	b.fill(100)
	b.sync(t)
	checkRows(t, b.Journal, 1600)
}

func TestFoldThatPanicsLosesOneFactAndTheTimelineNone(t *testing.T) {
	dir := t.TempDir()
	b := startBox(t, dir, &rower{panic: 5})
	b.fill(10)
	b.sync(t)
	follow(t, b, 0, 10)
	rows, err := b.Rows("rower", 0, 10)
	if err != nil || len(rows) != 5 || string(rows[4].Body) != `{"sum":50}` {
		t.Errorf("rows %v, %v; want five, without the fact that panicked", rows, err)
	}
}

func TestCheckpointIsNeverAheadOfItsFacts(t *testing.T) {
	dir := t.TempDir()
	b := startBox(t, dir)
	if _, _, ok := b.Load("floor"); ok {
		t.Error("new box has a checkpoint")
	}
	release := b.stall()
	b.fill(10)
	b.Checkpoint("floor", 5, []byte("at 5"))
	b.Checkpoint("floor", 10, []byte("at 10"))
	b.Checkpoint("floor2", 12, []byte("at 12")) // of facts that are not there yet
	if _, _, ok := b.Load("floor"); ok {
		t.Error("checkpoint is on disk before its facts")
	}
	release()
	b.sync(t)
	if at, state, ok := b.Load("floor"); at != 10 || string(state) != "at 10" || !ok {
		t.Errorf("checkpoint %d %s %v, want the later one", at, state, ok)
	}
	if _, _, ok := b.Load("floor2"); ok {
		t.Error("checkpoint of facts to come is on disk")
	}
	b.fill(2)
	b.sync(t)
	b.stop()
	b = startBox(t, dir)
	if at, _, ok := b.Load("floor2"); at != 12 || !ok {
		t.Errorf("checkpoint at %d %v, want 12", at, ok)
	}
}

func TestRowsAreFollowedWithoutGapsFromAnyPlace(t *testing.T) {
	b := startBox(t, t.TempDir(), &rower{})
	b.fill(1000)
	b.sync(t)
	next := uint64(8)
	for r := range b.FollowRows(t.Context(), "rower", 7) {
		if r.No != next {
			t.Fatalf("row %d, want %d", r.No, next)
		}
		if next == 100 {
			b.fill(1000) // also while it is followed
		}
		if next++; next > 1000 {
			break
		}
	}
	b.sync(t)
	if no, err := b.LastRow("rower"); no != 1000 || err != nil {
		t.Errorf("last row %d %v, want 1000", no, err)
	}
	if rows, err := b.Rows("nobody", 0, 10); len(rows) != 0 || err != nil {
		t.Errorf("rows of no fold: %v %v", rows, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	for r := range b.FollowRows(ctx, "rower", 1000) {
		t.Errorf("row %d came out of nothing", r.No)
	}
}

func TestWatchedFoldIsAtOnceUpToDateAndFindsBack(t *testing.T) {
	dir := t.TempDir()
	b := startBox(t, dir)
	b.fill(1500)
	for _, more := range []int{0, 100} {
		r := &rower{}
		ctx, cancel := context.WithCancel(t.Context())
		caught := make(chan uint64)
		done := make(chan error)
		go func() { done <- b.Watch(ctx, r, func() { caught <- r.Sum }) }()
		n := uint64(b.Last())
		if sum := <-caught; sum != n*(n+1)/2 {
			t.Errorf("sum %d at first, want %d", sum, n*(n+1)/2)
		}
		for i := range uint64(more) {
			b.fill(1)
			n := n + i + 1
			if sum := <-caught; sum != n*(n+1)/2 {
				t.Errorf("sum %d after %d facts, want %d", sum, n, n*(n+1)/2)
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		b.sync(t)
		if more == 100 && r.Facts > saveEvery+100 {
			t.Errorf("%d facts were folded, want those after the checkpoint alone", r.Facts)
		}
		b.stop()
		b = startBox(t, dir)
	}
}

func TestOldDaysArePrunedAndReadersAreTold(t *testing.T) {
	dir := t.TempDir()
	b := startBox(t, dir, &rower{})
	for n := range 30 {
		b.Append(day(n/10+1), fact(n+1))
	}
	b.sync(t)
	if err := b.Prune(t.Context(), day(3), 0); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		list := b.Entries(3, 100)
		if len(list) != 11 || list[0].Fact != (Pruned{Since: 3}) || list[0].Seq != 20 || list[1].Seq != 21 {
			t.Errorf("entries %v, want Pruned and ten", list)
		}
		if list := b.Entries(20, 100); len(list) != 10 || list[0].Seq != 21 {
			t.Errorf("entries after the pruned %v, want ten", list)
		}
		if b.First() != 21 || b.Last() != 30 {
			t.Errorf("first %d, last %d, want 21 and 30", b.First(), b.Last())
		}
		checkRows(t, b.Journal, 30)
		b.stop()
		b = startBox(t, dir, &rower{})
	}
	if err := b.Prune(t.Context(), day(20), 0); err != nil {
		t.Fatal(err)
	}
	if b.Last() != 30 || b.First() != 21 {
		t.Errorf("the newest day is gone")
	}
}

func TestNewestDaysOnWhichAnythingHappenedStayHoweverOldTheyAre(t *testing.T) {
	b := startBox(t, t.TempDir(), &rower{})
	for n := range 30 {
		b.Append(day(n/10+1), fact(n+1))
	}
	b.sync(t)
	all := func(Row) bool { return true }
	if gone, err := b.PruneRows(t.Context(), "rower", 2, all); err != nil || gone != 5 {
		t.Errorf("%d rows went, %v; want those of the first day", gone, err)
	}
	if err := b.Prune(t.Context(), day(20), 2); err != nil || b.First() != 11 {
		t.Errorf("first %d, %v; want the two newest days", b.First(), err)
	}
	if gone, err := b.PruneRows(t.Context(), "rower", 7, all); err != nil || gone != 0 {
		t.Errorf("%d rows went, %v; want all that is left to stay", gone, err)
	}
}

func TestWrongClockNeitherMixesUpTheOrderNorEmptiesTheBox(t *testing.T) {
	dir := t.TempDir()
	b := startBox(t, dir)
	unset := time.Unix(0, 0)
	for i, at := range []time.Time{day(10), day(11), unset, day(11), unset.AddDate(80, 0, 0), day(12), day(1), unset} {
		b.Append(at, fact(i+1))
	}
	b.sync(t)
	b.stop()
	b = startBox(t, dir)
	for i, e := range b.Entries(0, 10) {
		if e.Seq != call.Seq(i+1) || e.Fact != fact(i+1) {
			t.Errorf("entry %v, want number %d", e, i+1)
		}
	}
	if err := b.Prune(t.Context(), unset, 0); err != nil || b.First() != 1 {
		t.Errorf("pruning by a clock that is not set: first %d, %v; want nothing gone", b.First(), err)
	}
	b.Append(day(12), fact(9))
	b.sync(t)
	if err := b.Prune(t.Context(), day(11), 0); err != nil {
		t.Fatal(err)
	}
	if list := b.Entries(0, 10); len(list) != 9 || list[1].Seq != 2 || list[2].Seq != 3 {
		t.Errorf("entries %v, want the first gone and no other", list)
	}
}

func TestBoxThatWasKilledShowsItsRunningCallsWhenItIsReadStopped(t *testing.T) {
	dir := t.TempDir()
	b := startBox(t, dir, view.NewRecords())
	entries := viewtest.History(4, day(1), 300)
	cut := len(entries)/2 + 1
	for _, e := range entries[:cut] {
		b.Append(e.At, e.Fact)
	}
	b.sync(t)
	b.stop() // without Stop: no checkpoint of the last facts
	s, err := store.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	records, want := view.NewRecords(), view.NewRecords()
	j, err := Open(s, Options{Folds: []Fold{records}})
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, e := range entries[:cut] {
		rows += len(want.Apply(e))
	}
	if string(records.Save()) != string(want.Save()) || len(records.Open()) == 0 {
		t.Errorf("%d calls are open, want %d", len(records.Open()), len(want.Open()))
	}
	if n, err := j.LastRow(view.RecordsName); n != uint64(rows) || err != nil {
		t.Errorf("%d rows %v, want %d", n, err, rows)
	}
	j.Stop() // does no harm
	if err := j.Synced(t.Context(), j.Append(day(2), fact(1))); err == nil {
		t.Error("a fact was appended to a stopped box")
	}
}

func TestTimelineCutAnywhereGivesTheSameRows(t *testing.T) {
	entries := viewtest.History(8, day(1), 400)
	fold := func() []Fold { return []Fold{view.NewRecords(), view.NewRecordings(), view.NewAgentLog()} }
	rows := func(j *Journal) (out []string) {
		for _, f := range fold() {
			list, err := j.Rows(f.Name(), 0, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range list {
				if r.No != uint64(i+1) {
					t.Fatalf("row %d of %s has number %d", i+1, f.Name(), r.No)
				}
				out = append(out, string(r.Body))
			}
		}
		return out
	}
	var want []string
	for _, f := range fold() {
		for _, e := range entries {
			for _, body := range f.Apply(e) {
				want = append(want, string(body))
			}
		}
	}
	dir := t.TempDir()
	for i, step := 0, 0; i < len(entries); step++ {
		b := startBox(t, dir, fold()...)
		n := min(317+991*(step%3), len(entries)-i)
		for _, e := range entries[i : i+n] {
			b.Append(e.At, e.Fact)
		}
		i += n
		if step%2 == 0 {
			b.Stop()
		}
		b.stop()
	}
	b := startBox(t, dir, fold()...)
	if got := rows(b.Journal); !slices.Equal(got, want) {
		t.Errorf("%d rows, want %d, or they differ", len(got), len(want))
	}
}

var errStop = errors.New("stop")

func TestNeighboursWhoFailDoNotCostRowsOrFacts(t *testing.T) {
	b := startBox(t, t.TempDir(), &rower{})
	for range 20 {
		release := b.stall()
		b.fill(7)
		b.store.Queue(func(*store.Tx) error { return errStop }) // in the same group, after the facts
		b.fill(3)
		release()
	}
	b.sync(t)
	checkRows(t, b.Journal, 200)
	follow(t, b, 0, 200)
	raw, err := json.Marshal(b.folds[0].Sum())
	if err != nil || string(raw) != "20100" {
		t.Errorf("the fold counted %s, want 20100: it has seen a fact twice", raw)
	}
}

// Sum is what the fold under f has counted.
func (f *folder) Sum() uint64 { return f.Fold.(*rower).Sum }

func TestOldRowsArePrunedAndNewOnesKeepTheirNumbers(t *testing.T) {
	b := startBox(t, t.TempDir(), &rower{})
	b.fill(3000) // 1500 rows
	b.sync(t)
	n := 0
	gone, err := b.PruneRows(t.Context(), "rower", 0, func(Row) bool { n++; return n <= 1201 })
	if err != nil || gone != 1201 {
		t.Fatalf("%d rows went, %v; want 1201", gone, err)
	}
	rows, err := b.Rows("rower", 0, 1)
	if err != nil || len(rows) != 1 || rows[0].No != 1202 {
		t.Fatalf("the oldest row is %+v, %v; want number 1202", rows, err)
	}
	if _, err := b.PruneRows(t.Context(), "rower", 0, func(Row) bool { return true }); err != nil {
		t.Fatal(err)
	}
	if no, err := b.LastRow("rower"); err != nil || no != 1500 {
		t.Fatalf("the newest row is %d, %v; it must stay, for the next one's number", no, err)
	}
	b.fill(2)
	b.sync(t)
	if no, err := b.LastRow("rower"); err != nil || no != 1501 {
		t.Errorf("the next row is %d, %v; want 1501", no, err)
	}
}
