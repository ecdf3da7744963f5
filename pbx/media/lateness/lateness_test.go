package lateness

import (
	"sync"
	"testing"
	"time"
)

const ms = time.Millisecond

func TestAnEmptyLogHasNoFigures(t *testing.T) {
	var l Log
	if f := l.Figures(Kept); f != (Figures{}) {
		t.Errorf("%+v", f)
	}
}

func TestFiguresAreThoseOfTheTimeAskedForAlone(t *testing.T) {
	var l Log
	for range 3 * places { // long ago, and around the ring
		l.Note(time.Second, time.Second)
	}
	for i := range 100 { // the last two seconds: 1 to 100 tenths of a millisecond
		l.Note(time.Duration(100-i)*ms/10, ms)
	}
	got := l.Figures(2 * time.Second)
	want := Figures{Ticks: 100, Began: Spread{5 * ms, 99 * ms / 10, 10 * ms}, Took: Spread{ms, ms, ms}}
	if got != want {
		t.Errorf("figures %+v, want %+v", got, want)
	}
	if all := l.Figures(time.Hour); all.Ticks != 3000 || all.Late != 2900 || all.Began.Max != time.Second {
		t.Errorf("of an hour: %+v", all)
	}
	if none := l.Figures(-1); none != (Figures{}) {
		t.Errorf("of no time: %+v", none)
	}
}

func TestTicksThatWereLeftOutAreLateAndTookNothing(t *testing.T) {
	var l Log
	l.Note(0, 2*ms)
	l.LeftOut(3, 40*ms)
	l.Note(20*ms, ms)
	got := l.Figures(Kept)
	want := Figures{Ticks: 5, Late: 4, LeftOut: 3, Began: Spread{40 * ms, 80 * ms, 80 * ms}, Took: Spread{ms, 2 * ms, 2 * ms}}
	if got != want {
		t.Errorf("figures %+v, want %+v", got, want)
	}
	l.LeftOut(1<<40, ms)
	if f := l.Figures(Kept); f.LeftOut != f.Ticks || f.Ticks != 3000 {
		t.Errorf("a day left out: %+v", f)
	}
}

func TestAClockThatIsEarlyOrAbsurdStaysInBounds(t *testing.T) {
	var l Log
	l.Note(-time.Second, -time.Second)
	l.Note(1<<62, 1<<62)
	if f := l.Figures(Kept); f.Began.P50 != 0 || f.Began.Max < time.Hour || f.LeftOut != 0 || f.Late != 1 {
		t.Errorf("%+v", f)
	}
}

func TestNotingAllocatesNothingWhileOthersRead(t *testing.T) {
	var l Log
	var readers sync.WaitGroup
	end := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
				}
				if f := l.Figures(Kept); f.Began.Max > 2*ms || f.Took.Max > ms {
					t.Errorf("nobody wrote that: %+v", f)
				}
			}
		})
	}
	for range 2 * places {
		l.Note(2*ms, ms)
	}
	close(end)
	readers.Wait()
	if n := testing.AllocsPerRun(1000, func() { l.Note(ms, ms); l.LeftOut(3, ms) }); n != 0 {
		t.Errorf("%v allocations per tick", n)
	}
}
