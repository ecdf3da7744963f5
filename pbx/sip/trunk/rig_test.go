package trunk

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"branchline/board/sim/provider"
	"branchline/hal"
	"branchline/pbx/config"
	"branchline/pbx/media"
	"branchline/pbx/sip/wire"
)

func TestMain(m *testing.M) {
	wire.SetTimers(50*time.Millisecond, 400*time.Millisecond, 500*time.Millisecond)
	os.Exit(m.Run())
}

const patience = 8 * time.Second

// rig is a trunk with its provider.
type rig struct {
	*testing.T
	line *Trunk
	p    *provider.Provider
	log  *journal

	mu    sync.Mutex
	told  []hal.Signal
	news  chan struct{}
	read  int
	stop  func()
	dials uint64
}

// journal is a log that may be read while it is written.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// settings is a trunk to that provider.
func settings(p *provider.Provider) config.Trunk {
	return config.Trunk{Servers: []string{p.Addr().String()}, Transport: config.TransportUDP, Register: true, User: "4930901820", Password: "kites",
		Expires: 10 * time.Minute, KeepAlive: config.KeepAliveOptions, Identity: config.IdentityFrom, Called: config.CalledURI}
}

func serve(t *testing.T, o provider.Options) *provider.Provider {
	t.Helper()
	if !o.Listen.IsValid() {
		o.Listen = netip.MustParseAddrPort("127.83.1.1:0")
	}
	o.User, o.T1 = "4930901820", 50*time.Millisecond
	if o.Algorithm != "none" {
		o.Password = "kites"
	}
	p, err := provider.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = p.Run(ctx) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	return p
}

func newLine(t *testing.T, c config.Trunk, log *slog.Logger, change func(*Trunk)) *Trunk {
	t.Helper()
	w := media.New(media.Options{Log: slog.New(slog.DiscardHandler), Country: "DE", RTPFirst: 30000, RTPLast: 39999})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = w.Run(ctx, func(hal.Signal) {}) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	line := New(Options{Name: "acme", Boot: 4, Log: log, Media: w, Config: c, Number: "+4930901820"})
	line.pace = pace{tick: 100 * time.Millisecond, keepAlive: 300 * time.Millisecond, patience: 500 * time.Millisecond, find: time.Second, goodbye: 400 * time.Millisecond}
	if change != nil {
		change(line)
	}
	return line
}

// open runs a trunk to p; it need not be in service yet.
func open(t *testing.T, p *provider.Provider, c config.Trunk, change func(*Trunk)) *rig {
	t.Helper()
	r := &rig{T: t, p: p, log: &journal{}, news: make(chan struct{}, 1)}
	r.line = newLine(t, c, slog.New(slog.NewTextHandler(r.log, nil)), change)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := r.line.Run(ctx, r.up); err != nil {
			t.Error(err)
		}
	})
	r.stop = func() { cancel(); wg.Wait() }
	t.Cleanup(func() {
		r.stop()
		if t.Failed() {
			t.Log(r.log.String())
		}
	})
	return r
}

// ready runs a trunk and waits until it is in service.
func ready(t *testing.T, p *provider.Provider, c config.Trunk, change func(*Trunk)) *rig {
	t.Helper()
	r := open(t, p, c, change)
	until[hal.InService](r, "")
	return r
}

func (r *rig) up(s hal.Signal) {
	r.mu.Lock()
	if _, census := s.(hal.Census); !census {
		r.told = append(r.told, s)
	}
	r.mu.Unlock()
	select {
	case r.news <- struct{}{}:
	default:
	}
}

func (r *rig) do(o hal.Order) {
	r.Helper()
	if err := r.line.Do(o); err != nil {
		r.Fatal(err)
	}
}

// ctx ends with the patience of a test.
func (r *rig) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	r.Cleanup(cancel)
	return ctx
}

// until waits for the next signal of type S on leg, or on any where leg is "".
func until[S hal.Signal](r *rig, leg hal.LegID) S {
	r.Helper()
	end := time.After(patience)
	for {
		r.mu.Lock()
		for i := r.read; i < len(r.told); i++ {
			if s, ok := r.told[i].(S); ok && (leg == "" || s.On() == leg) {
				r.read = i + 1
				r.mu.Unlock()
				return s
			}
		}
		told := r.told[r.read:]
		r.mu.Unlock()
		select {
		case <-r.news:
		case <-end:
			var s S
			r.Fatalf("no %T; told were %+v\n%s", s, told, r.log)
		}
	}
}

// wait waits until something holds at the provider.
func (r *rig) wait(what string, holds func() bool) {
	r.Helper()
	if err := r.p.Wait(r.ctx(), what, holds); err != nil {
		r.Fatalf("%v\n%s", err, r.log)
	}
}

func (r *rig) dial(o hal.Dial) hal.LegID {
	r.Helper()
	r.dials++
	o.Leg = hal.OutgoingLeg("acme", 4, r.dials)
	if o.To == "" {
		o.To = "+4989123456"
	}
	r.do(o)
	return o.Leg
}

// called makes the box call and returns its leg and the provider's end, which rings.
func (r *rig) called(o hal.Dial) (hal.LegID, *provider.Call) {
	r.Helper()
	leg := r.dial(o)
	c, err := r.p.WaitCall(r.ctx())
	if err != nil {
		r.Fatalf("%v\n%s", err, r.log)
	}
	return leg, c
}

// talking makes the provider call the box, which answers.
func (r *rig) talking() (hal.LegID, *provider.Call) {
	r.Helper()
	c := r.must(r.p.Call(r.ctx(), "4930901820", "0171555", nil))
	in := until[hal.Incoming](r, "")
	r.do(hal.Answer{Leg: in.Leg})
	until[hal.Answered](r, in.Leg)
	if err := c.Wait(r.ctx(), provider.Talks); err != nil {
		r.Fatal(err)
	}
	return in.Leg, c
}

func (r *rig) must(c *provider.Call, err error) *provider.Call {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
	return c
}

func (r *rig) check(err error) {
	r.Helper()
	if err != nil {
		r.Fatalf("%v\n%s", err, r.log)
	}
}
