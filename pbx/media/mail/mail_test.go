package mail

import (
	"context"
	"log/slog"
	"slices"
	"testing"

	"branchline/hal"
)

func TestLettersComeInOrderAndAClosedBoxRefusesThem(t *testing.T) {
	var b Box
	var done []int
	for i := range 3 {
		if first, ok := b.Post(func() { done = append(done, i) }); first != (i == 0) || !ok {
			t.Errorf("letter %d: first %v, taken %v", i, first, ok)
		}
	}
	if b.Len() != 3 {
		t.Errorf("%d letters wait, want 3", b.Len())
	}
	for l := b.Close(); l != nil; l = l.Next {
		l.Do()
	}
	if _, ok := b.Post(func() {}); ok || !slices.Equal(done, []int{0, 1, 2}) || b.Len() != 0 {
		t.Errorf("done %v; a closed box takes letters: %v", done, ok)
	}
	b.Reopen()
	if _, ok := b.Post(func() {}); !ok {
		t.Error("a box that was opened again refuses letters")
	}
}

func TestWhatWasPromisedIsKeptAndKeysAreDroppedBeyondABound(t *testing.T) {
	o := NewOutbox()
	const many = noticeQueue + maxOverflow
	for range many + 10 {
		o.Tell(Notice{Kind: Digit, Key: '1'})
	}
	for _, k := range []Kind{Played, Recorded, Flash, Failed} {
		o.Tell(Notice{Kind: k, Ref: "r"})
	}
	var got []hal.Signal
	ended := make(chan struct{})
	go func() {
		o.Forward(context.Background(), slog.New(slog.DiscardHandler), func(s hal.Signal) { got = append(got, s) })
		close(ended)
	}()
	for o.Full() {
		o.Flush()
	}
	o.Close()
	<-ended
	if len(got) != many+3 {
		t.Fatalf("%d signals, want %d", len(got), many+3)
	}
	for i, want := range []hal.Signal{hal.Played{Ref: "r"}, hal.Recorded{Ref: "r"}, hal.Failed{Ref: "r"}} {
		if got[many+i] != want {
			t.Errorf("%+v, want %+v", got[many+i], want)
		}
	}
}
