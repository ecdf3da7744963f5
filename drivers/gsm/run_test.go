package gsm_test

import (
	"context"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"branchline/drivers/gsm"
	"branchline/hal"
)

// running is a line in Run and what it tells, but for its censuses.
type running struct {
	*testing.T
	line *gsm.Line
	m    *module
	stop func()

	mu   sync.Mutex
	log  []hal.Signal
	came chan struct{}
	read int
}

// run starts a line on m. It is stopped at the end of the test.
func run(t *testing.T, m *module, line *gsm.Line) *running {
	r := &running{T: t, line: line, m: m, came: make(chan struct{}, 1000)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- line.Run(ctx, r.up) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

// start is run, waited for until the line is in service.
func start(t *testing.T, m *module) *running {
	r := run(t, m, newLine(t, m))
	expect[hal.InService](r)
	return r
}

func (r *running) up(s hal.Signal) {
	if _, ok := s.(hal.Census); ok {
		return
	}
	if o, ok := s.(hal.Opened); ok && !outgoing(o.Leg) { // comes between others, as AT+CLCC answers
		if !strings.HasPrefix(o.Wire, "CLCC ") {
			r.Errorf("told %#v of a call that came in, want its index", o)
		}
		return
	}
	r.mu.Lock()
	r.log = append(r.log, s)
	r.mu.Unlock()
	r.came <- struct{}{}
}

func outgoing(leg hal.LegID) bool { return strings.Contains(string(leg), "-o") }

func (r *running) do(o hal.Order) {
	r.Helper()
	if err := r.line.Do(o); err != nil {
		r.Fatalf("Do(%#v): %v", o, err)
	}
}

// expect waits for the next signal, which must be an S.
func expect[S hal.Signal](r *running) S {
	r.Helper()
	select {
	case <-r.came:
	case <-time.After(2 * time.Minute):
		r.Fatalf("no %v within 2 minutes", reflect.TypeFor[S]())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	got, ok := r.log[r.read].(S)
	if !ok {
		r.Fatalf("told %#v, want a %v", r.log[r.read], reflect.TypeFor[S]())
	}
	r.read++
	return got
}

// quiet checks that nothing is told for d.
func (r *running) quiet(d time.Duration) {
	r.Helper()
	select {
	case <-r.came:
		r.mu.Lock()
		defer r.mu.Unlock()
		r.Fatalf("told %#v, want nothing", r.log[r.read])
	case <-time.After(d):
	}
}

// talk makes somebody call in and answers.
func (r *running) talk() hal.LegID {
	r.Helper()
	r.m.call("0912345678")
	leg := expect[hal.Incoming](r).Leg
	r.do(hal.Answer{Leg: leg})
	expect[hal.Answered](r)
	return leg
}
