package view_test

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"branchline/pbx/call"
	"branchline/pbx/view"
	"branchline/pbx/view/board"
	"branchline/pbx/view/viewtest"
)

// setClock is entries as they come when somebody keeps setting the clock, and by how much the clock is
// ahead after each. Numbers stay, so that rows compare.
func setClock(entries []call.Entry, chance *rand.Rand) (out []call.Entry, ahead []time.Duration) {
	var by time.Duration
	for _, e := range entries {
		if chance.UintN(5) == 0 {
			step := time.Duration(chance.Int64N(int64(4*time.Hour))) - 2*time.Hour
			by += step
			out = append(out, call.Entry{Seq: e.Seq, At: e.At.Add(by), Fact: call.ClockSet{By: step}})
			ahead = append(ahead, by)
		}
		e.At = e.At.Add(by)
		if p, ok := e.Fact.(call.Presence); ok && !p.Until.IsZero() {
			p.Until = p.Until.Add(by)
			e.Fact = p
		}
		out = append(out, e)
		ahead = append(ahead, by)
	}
	return out, ahead
}

// moved is raw with every time in it moved.
func moved(t *testing.T, raw []byte, by time.Duration) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return move(v, by)
}

func move(v any, by time.Duration) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = move(v[k], by)
		}
	case []any:
		for i := range v {
			v[i] = move(v[i], by)
		}
	case string:
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil && !at.IsZero() {
			return at.Add(by).Format(time.RFC3339Nano)
		}
	}
	return v
}

// A history in which the clock is set gives the rows of the same history without: the same durations,
// and times by the clock at the row's end.
func TestRowsAreTheSameThoughTheClockIsSet(t *testing.T) {
	for seed := range uint64(3) {
		calm := viewtest.History(seed, start(), 110)
		restless, ahead := setClock(calm, rand.New(rand.NewPCG(seed, 3)))
		for name, fresh := range map[string]func() fold{
			"records":    func() fold { return view.NewRecords() },
			"recordings": func() fold { return view.NewRecordings() },
			"agents":     func() fold { return view.NewAgentLog() },
			"board":      func() fold { return board.New() },
		} {
			a, b := fresh(), fresh()
			next := 0
			for i, e := range restless {
				rows := b.Apply(e)
				if _, set := e.Fact.(call.ClockSet); set {
					if len(rows) > 0 {
						t.Fatalf("seed %d: %s gives a row because the clock was set", seed, name)
					}
					continue
				}
				want := a.Apply(calm[next])
				next++
				if len(rows) != len(want) {
					t.Fatalf("seed %d: %s gives %d rows, want %d", seed, name, len(rows), len(want))
				}
				for k := range rows {
					if got, want := moved(t, rows[k], 0), moved(t, want[k], ahead[i]); !reflect.DeepEqual(got, want) {
						t.Fatalf("seed %d: %s gives\n%v\nwant\n%v", seed, name, got, want)
					}
				}
				if i%200 > 0 {
					continue
				}
				if got, want := moved(t, b.Save(), 0), moved(t, a.Save(), ahead[i]); !reflect.DeepEqual(got, want) {
					t.Fatalf("seed %d, entry %d: %s keeps\n%v\nwant\n%v", seed, i, name, got, want)
				}
			}
		}
	}
}
