package supervise

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func group(t *testing.T) *Group {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return New(ctx, slog.New(slog.DiscardHandler))
}

// until is a service that does what its name says; up counts how many of them run.
func until(name string, up *atomic.Int32) Service {
	return Service{Name: name, Run: func(ctx context.Context) error {
		up.Add(1)
		<-ctx.Done()
		up.Add(-1)
		return nil
	}}
}

func TestServiceThatFailsIsStartedAgainWithGrowingPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group(t)
		var at []time.Duration
		began := time.Now()
		g.Start(Service{Name: "weak", Run: func(context.Context) error {
			at = append(at, time.Since(began))
			if len(at) == 2 {
				panic("of all things")
			}
			return errors.New("again")
		}})
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		want := []time.Duration{0, 200 * time.Millisecond, 600 * time.Millisecond, 1400 * time.Millisecond}
		if len(at) != len(want) {
			t.Fatalf("started at %v, want %v", at, want)
		}
		for i := range want {
			if at[i] != want[i] {
				t.Errorf("started at %v, want %v", at, want)
			}
		}
		if err := g.Wait(time.Second); err != nil || g.Failure() != nil {
			t.Errorf("the end: %v, %v", err, g.Failure())
		}
	})
}

func TestVitalServiceThatFailsEndsTheGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group(t)
		var up atomic.Int32
		g.Start(until("other", &up))
		g.Start(Service{Name: "disk", Vital: true, Run: func(context.Context) error { return errors.New("on fire") }})
		<-g.Done()
		if err := g.Failure(); err == nil || err.Error() != "disk: on fire" {
			t.Errorf("failure %v", err)
		}
		if err := g.Wait(time.Second); err != nil || up.Load() != 0 {
			t.Errorf("the end: %v, %d still run", err, up.Load())
		}
	})
}

// A line that changes is begun anew while the old one is still ending: each can be stopped by the name.
func TestServiceThatTookTheNameOfAnEndingOneCanBeStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group(t)
		var up atomic.Int32
		g.Start(Service{Name: "line gsm1", Run: func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Second) // hangs up
			return nil
		}})
		synctest.Wait()
		g.Stop("line gsm1")
		g.Start(until("line gsm1", &up))
		time.Sleep(2 * time.Second)
		if up.Load() != 1 {
			t.Fatalf("%d run", up.Load())
		}
		g.Stop("line gsm1")
		synctest.Wait()
		if up.Load() != 0 {
			t.Error("the second one is not stopped")
		}
		if err := g.Wait(time.Second); err != nil {
			t.Error(err)
		}
	})
}

func TestWhoDoesNotStopIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group(t)
		var up atomic.Int32
		g.Start(until("good", &up))
		g.Start(Service{Name: "stubborn", Run: func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Minute)
			return nil
		}})
		synctest.Wait()
		err := g.Wait(time.Second)
		if err == nil || !strings.HasSuffix(err.Error(), ": stubborn") {
			t.Errorf("the end: %v", err)
		}
		time.Sleep(time.Minute)
	})
}
