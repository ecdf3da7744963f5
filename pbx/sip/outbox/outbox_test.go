package outbox

import (
	"context"
	"errors"
	"testing"

	"branchline/hal"
)

func TestNothingIsLostButOldCensusesAndTooManyKeys(t *testing.T) {
	o := New()
	o.Put(hal.Census{Name: "old"})
	for range maxSignals + 100 {
		o.Put(hal.Digit{Key: '1'})
	}
	o.Put(hal.Census{Name: "new"})
	o.Put(hal.Gone{Leg: "l1"})
	all := o.Take()
	if len(all) > maxSignals+2 || len(o.Take()) != 0 {
		t.Fatalf("%d signals", len(all))
	}
	last := all[len(all)-2:]
	if c, ok := last[0].(hal.Census); !ok || c.Name != "new" {
		t.Errorf("before the last: %+v", last[0])
	}
	if g, ok := last[1].(hal.Gone); !ok || g.Leg != "l1" {
		t.Errorf("the last: %+v", last[1])
	}
	if _, ok := all[0].(hal.Digit); !ok {
		t.Errorf("the first: %+v", all[0])
	}
}

func TestTellingEndsWithItsContextOrTheWire(t *testing.T) {
	o := New()
	ctx, cancel := context.WithCancel(context.Background())
	o.Put(hal.Gone{Leg: "l1"})
	told := 0
	if err := o.Tell(ctx, nil, func(hal.Signal) { told++; cancel() }); err != nil || told != 1 {
		t.Errorf("told %d, %v", told, err)
	}
	broken := errors.New("socket")
	ended := make(chan error, 1)
	ended <- broken
	if err := o.Tell(context.Background(), ended, func(hal.Signal) {}); err != broken {
		t.Errorf("%v", err)
	}
}
