package floor

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"branchline/pbx/call"
)

// Two worlds live through the same, but in one of them somebody keeps setting the clock: the floor
// decides the same at the same moments.
func TestASetClockChangesNoDecision(t *testing.T) {
	sets := 0
	for seed := range uint64(60) {
		calm, restless := newWorld(t, noise(seed, 800)), newWorld(t, noise(seed, 800))
		chance := rand.New(rand.NewPCG(seed, 2))
		var ahead time.Duration
		seen := len(restless.log)
		var got []Output
		for len(restless.choices) > 0 {
			if chance.UintN(8) == 0 {
				by := time.Duration(chance.Int64N(int64(4*time.Hour))) - 2*time.Hour
				ahead += by
				restless.set(by)
				seen = len(restless.log)
				sets++
			}
			restless.turn()
			for ; seen < len(restless.log); seen++ {
				got = append(got, byClockOf(restless.log[seen], -ahead))
			}
		}
		start := len(calm.log)
		calm.run()
		want := calm.log[start:]
		if len(got) != len(want) {
			t.Fatalf("seed %d: %d steps, want %d", seed, len(got), len(want))
		}
		for i := range want {
			if g, w := restless.plain(got[i]), calm.plain(want[i]); g != w {
				t.Fatalf("seed %d, step %d: with a clock that is set comes\n%s\nwant\n%s", seed, i, g, w)
			}
		}
		left := restless.f.State()
		left.shift(call.ClockSet{By: -ahead})
		if g, w := restless.plain(left), calm.plain(calm.f.State()); g != w {
			t.Fatalf("seed %d: what survives is\n%s\nwant\n%s", seed, g, w)
		}
	}
	if sets < 100 {
		t.Errorf("the clock was set %d times: too few to tell anything", sets)
	}
}

func TestALockOfAnAgentNumberLastsAsLongThoughTheClockIsSet(t *testing.T) {
	f := New(branch(), State{})
	f.agent("ana").locked = began.Add(pinLock)
	if _, err := f.Step(began.Add(time.Hour+time.Minute), call.ClockSet{By: time.Hour}); err != nil {
		t.Fatal(err)
	}
	if got, want := f.Scene().Locks[0].Until, began.Add(time.Hour+pinLock); !got.Equal(want) {
		t.Errorf("locked until %v, want %v", got, want)
	}
}

// byClockOf gives out with its times moved by by.
func byClockOf(out Output, by time.Duration) Output {
	c := call.ClockSet{By: by}
	c.Shift(&out.Wake)
	facts, tasks := out.Facts, out.Tasks
	out.Facts, out.Tasks = nil, nil
	for _, f := range facts {
		if p, ok := f.(call.Presence); ok {
			c.Shift(&p.Until)
			f = p
		}
		out.Facts = append(out.Facts, f)
	}
	for _, k := range tasks {
		if p, ok := k.(call.CheckPIN); ok {
			c.Shift(&p.Deadline)
			k = p
		}
		out.Tasks = append(out.Tasks, k)
	}
	return out
}

var day = regexp.MustCompile(`\d{4}/\d\d/\d\d/`)

// plain is v in words without what tells the clock: ids and the folders of recordings.
func (w *world) plain(v any) string {
	text := fmt.Sprintf("%+v", v)
	for i, id := range w.began {
		text = strings.ReplaceAll(text, string(id), fmt.Sprint("c", i))
	}
	return day.ReplaceAllString(text, "day/")
}
