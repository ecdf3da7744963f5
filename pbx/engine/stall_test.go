package engine

import (
	"testing"
	"testing/synctest"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/floor"
)

func TestADiskThatStallsHoldsNoCallerLongerThan300msAndIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &oracle{}
		b := run(t, f, nil)
		ring := func(leg hal.LegID) {
			f.next = []floor.Output{{Facts: []call.Fact{call.Began{Leg: leg}}, Orders: []hal.Order{hal.Answer{Leg: leg}}}}
			b.tell(hal.Incoming{Leg: leg})
		}
		again := 0 // how often it has answered again
		wait := func(d time.Duration, left int, told int) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if got := factsOf[call.Synced](b.disk); len(got) != again || again > 0 && got[again-1].For != stall+time.Second {
				t.Errorf("the timeline says %v, want %d times that the disk answers again", got, again)
			}
			if got := len(b.left.orders()); got != left {
				t.Errorf("%d orders have left, want %d", got, left)
			}
			if got := factsOf[call.Unsynced](b.disk); len(got) != told || told > 0 && got[told-1].For != stall {
				t.Errorf("the timeline says %v, want %d times", got, told)
			}
		}
		ring("gsm1#1-1")
		wait(100*time.Millisecond, 0, 0)
		ring("gsm2#1-1")
		wait(199*time.Millisecond, 0, 0)
		wait(time.Millisecond, 2, 1)
		ring("gsm1#1-2") // while it stalls, nobody waits
		wait(time.Second, 3, 1)
		b.disk.sync()
		again = 1
		wait(time.Second, 3, 1)
		b.disk.sync()
		ring("gsm1#1-3") // it is trusted again, and stalls again
		wait(299*time.Millisecond, 3, 1)
		wait(time.Millisecond, 4, 2)
	})
}

// What the disk confirms is enough for its word to be taken, though more has come meanwhile.
func TestADiskThatAnswersAgainIsToldWhileFactsGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &oracle{}
		b := run(t, f, nil)
		ring := func(leg hal.LegID) {
			f.next = []floor.Output{{Facts: []call.Fact{call.Began{Leg: leg}}, Orders: []hal.Order{hal.Answer{Leg: leg}}}}
			b.tell(hal.Incoming{Leg: leg})
		}
		ring("gsm1#1-1")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		said := call.Seq(len(b.disk.Entries(0, 100))) // Began, Unsynced
		ring("gsm2#1-1")
		for _, upto := range []call.Seq{said - 1, said} {
			if told := factsOf[call.Synced](b.disk); len(told) != 0 {
				t.Fatalf("%v, and the disk has not confirmed that it stalled", told)
			}
			b.disk.syncTo(upto)
			synctest.Wait()
		}
		if told := factsOf[call.Synced](b.disk); len(told) != 1 || told[0].For != 5*time.Second {
			t.Errorf("the timeline says %v, want once, after 5 s", told)
		}
	})
}
