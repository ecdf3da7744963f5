// Package boot is where the halves of the box meet: it opens the folder, finds what the run before
// left, makes the services and keeps them running until it is told to stop.
//
// The boot path is the recovery path: there is no other. Start at New, then Run.
package boot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"branchline/board/sim"
	"branchline/firmware/authority"
	"branchline/firmware/supervise"
	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/config"
	"branchline/pbx/engine"
	"branchline/pbx/floor"
	"branchline/pbx/journal"
	"branchline/pbx/media"
	"branchline/pbx/recording"
	"branchline/pbx/sip"
	"branchline/pbx/store"
	"branchline/pbx/view"
	"branchline/pbx/view/board"
	"branchline/ui"
)

// Options say where a box lives and on what.
type Options struct {
	Board   string // "sim", or "sim:slot2=SIM7600" with models by slot (sim.ParseModels)
	Data    string // folder; made if need be
	Seed    string // file whose document a fresh folder begins with; "": the board's demo
	Version string
	Log     *slog.Logger
}

// Time limits of a stop; together under the 5 s that SIGTERM has.
const (
	endCalls     = time.Second
	stopServices = 2500 * time.Millisecond
	stopStore    = time.Second
	reserve      = 64 << 20 // of the disk, for the journal: recordings stop before it
)

// Box is one running box. Make it by New and Run it once.
type Box struct {
	o       Options
	started time.Time
	boot    uint32

	store      *store.Store
	journal    *journal.Journal
	board      hal.Board
	world      *sim.World // nil on real hardware
	tapes      *recording.Writer
	media      *media.Worker
	prompts    *prompts
	tracer     *tracer
	authority  *authority.Authority // nil: broken, as was told
	phones     *sip.Phones
	phonesDown string // why they could not be heard, as last told; runPhones alone
	engine     *engine.Engine
	config     *configuration
	lines      *lines
	page       *ui.Handler
	records    *os.Root
	live       atomic.Pointer[board.Snapshot]
	seen       sync.Once
	pictured   chan struct{} // closed when live shows what is
	changed    bell
	pageAt     netip.AddrPort
	ready      chan struct{}
}

// New opens the folder and makes a box of what is there. Nothing runs yet, and nothing has been said
// on any wire. An error says what a person can do.
func New(o Options) (*Box, error) {
	name, slots, _ := strings.Cut(o.Board, ":")
	if name != "sim" {
		return nil, fmt.Errorf("there is no board %q; boards: sim", name)
	}
	models, err := sim.ParseModels(slots)
	if err != nil {
		return nil, fmt.Errorf("board %s: %w", o.Board, err)
	}
	if err := os.MkdirAll(o.Data, 0o700); err != nil {
		return nil, cure(fmt.Errorf("data folder: %w", err))
	}
	st, err := store.Open(o.Data)
	if err != nil {
		return nil, cure(err)
	}
	b := &Box{o: o, started: time.Now(), store: st, ready: make(chan struct{}), pictured: make(chan struct{})}
	b.live.Store(&board.Snapshot{})
	if err := b.build(models); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return b, nil
}

// cure adds to an error of the data folder what to do about it.
func cure(err error) error {
	if errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("%w: its disk can only be read; make it writable (mount -o remount,rw) or give another folder (-data DIR)", err)
	}
	return err
}

func (b *Box) build(models sim.Models) error {
	var clean bool
	var err error
	if b.boot, clean, err = b.store.NextBoot(); err != nil {
		return err
	}
	recordings := view.NewRecordings()
	b.journal, err = journal.Open(b.store, journal.Options{
		Log: b.o.Log, Folds: []journal.Fold{view.NewRecords(), view.NewAgentLog(), recordings},
	})
	if err != nil {
		return err
	}
	if b.world, err = sim.New(filepath.Join(b.o.Data, "sim"), models, b.o.Log); err != nil {
		return err
	}
	b.board = b.world.Board()
	b.lines = &lines{box: b, running: map[string]*running{}}
	if b.config, err = openConfiguration(b); err != nil {
		return err
	}
	doc := b.config.doc()
	b.config.started = doc
	b.pageAt = doc.Network.Page.Listen

	past, left, err := engine.Restore(b.journal, doc, b.store.BoxID(), b.boot, time.Now().UTC())
	if err != nil {
		return err
	}
	if err := b.openSound(doc, recordings.Open()); err != nil {
		return err
	}
	b.journal.Append(time.Now().UTC(), call.Booted{Boot: b.boot, Program: b.o.Version, Clean: clean})
	b.engine = engine.New(engine.Options{
		Journal: b.journal, Media: b.media, Floor: floor.New(b.prompts.spoken(doc), past), PIN: b.config.pin, Log: b.o.Log,
	})
	b.lines.releases = left.Releases()
	b.tracer = newTracer(b, doc.Network.SIP.Trace<<20)
	b.phones = sip.NewPhones(sip.Options{
		Name: "phones", Boot: b.boot, Log: b.o.Log, Media: b.media, Trace: b.tracer.trace, TLS: b.openAuthority(doc),
		Bindings: bindings{b.store}, Releases: left.Releases()["phones"],
	})
	commit, err := b.phones.Prepare(phoneSettings(doc))
	if err != nil {
		return err
	}
	commit()
	b.page, err = ui.New(b.uiBox())
	return err
}

// openSound makes media and recordings, and finishes the recordings that the run before left: those
// that were cut off, and of the open ones those whose end was not told any more.
func (b *Box) openSound(doc *config.Doc, open []string) error {
	folder := filepath.Join(b.o.Data, "recordings")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("recordings folder: %w", err)
	}
	var err error
	if b.records, err = os.OpenRoot(folder); err != nil {
		return fmt.Errorf("recordings folder: %w", err)
	}
	b.tapes = recording.New(recording.Options{Log: b.o.Log, Dir: folder, Reserve: reserve})
	found, err := b.tapes.Recover(open...)
	if err != nil {
		b.o.Log.Error("recordings that were cut off", "err", err)
	}
	for _, r := range found {
		b.journal.Append(time.Now().UTC(), call.RecordingSaved{Call: callOf(r.File), File: r.File, For: r.For})
	}
	b.prompts = findPrompts(b.o.Data, doc.Site.Language, b.o.Log)
	b.media = media.New(media.Options{
		Log: b.o.Log, Country: doc.Site.Country, Prompts: b.prompts, Recorder: b.tapes,
		RTPFirst: doc.Network.RTP.First, RTPLast: doc.Network.RTP.Last,
	})
	return nil
}

// callOf is the call that a recording is of: its file is named so.
func callOf(file string) call.ID { return call.ID(filepath.Base(file)) }

// Run keeps the box going until ctx ends, then stops it in peace within 5 s. An error means that it
// could not start, that a vital part failed, or that something did not stop and what.
func (b *Box) Run(ctx context.Context) error {
	// The disk outlives everything that writes to it.
	disk := supervise.New(context.WithoutCancel(ctx), b.o.Log)
	disk.Start(supervise.Service{Name: "store", Run: b.store.Run, Vital: true})
	services := supervise.New(context.WithoutCancel(ctx), b.o.Log)
	err := b.start(services)
	if err == nil {
		close(b.ready)
		select {
		case <-ctx.Done():
		case <-services.Done():
		case <-disk.Done():
		}
		err = errors.Join(services.Failure(), disk.Failure())
	}
	if err == nil {
		b.endCalls()
	}
	err = errors.Join(err, services.Wait(stopServices))
	if err == nil {
		b.journal.Append(time.Now().UTC(), call.Stopped{Boot: b.boot})
		b.journal.Stop()
		b.store.MarkClean()
	}
	return errors.Join(err, disk.Wait(stopStore), b.records.Close(), b.store.Close())
}

// Ready is closed when all services have been started.
func (b *Box) Ready() <-chan struct{} { return b.ready }

// World is the simulated outside world, nil on real hardware.
func (b *Box) World() *sim.World { return b.world }

// start starts the services in the order in which they need each other.
func (b *Box) start(g *supervise.Group) error {
	listener, err := ui.ListenUnix(b.o.Data)
	if err != nil {
		return err
	}
	g.Start(supervise.Service{Name: "recordings", Run: b.tapes.Run})
	g.Start(supervise.Service{Name: "media", Vital: true, Run: func(ctx context.Context) error {
		return b.media.Run(ctx, b.engine.Hear)
	}})
	g.Start(supervise.Service{Name: "engine", Run: b.engine.Run, Vital: true})
	b.engine.Attach(b.phones)
	g.Start(supervise.Service{Name: "phones", Run: b.runPhones})
	g.Start(supervise.Service{Name: "board", Run: b.world.Run})
	g.Start(supervise.Service{Name: "live board", Run: b.watch})
	g.Start(supervise.Service{Name: "lamps", Run: b.light})
	g.Start(supervise.Service{Name: "outside world", Run: b.watchOutside})
	g.Start(supervise.Service{Name: "retention", Run: b.retain})
	if err := b.lines.follow(g, b.config.doc(), 0); err != nil {
		return err
	}
	g.Start(supervise.Service{Name: "api", Run: func(ctx context.Context) error {
		select {
		case <-b.pictured: // before, agents would seem signed out
		case <-ctx.Done():
		}
		return ui.Serve(ctx, listener, b.page, b.o.Log)
	}})
	g.Start(supervise.Service{Name: "live page", Run: b.page.Run})
	g.Start(supervise.Service{Name: "page", Run: func(ctx context.Context) error {
		return ui.ServePage(ctx, b.pageAt, b.page, b.o.Log)
	}})
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return b.engine.Configure(ctx, b.prompts.spoken(b.config.doc()))
}

// runPhones is the line of desk phones; what keeps it from running is told on the timeline, once.
func (b *Box) runPhones(ctx context.Context) error {
	err := b.phones.Run(ctx, b.engine.Hear)
	if err != nil && err.Error() != b.phonesDown {
		b.phonesDown = err.Error()
		b.engine.Hear(hal.OutOfService{Name: b.phones.Name(), Why: b.phonesDown})
	}
	return err
}

// watch keeps the live board up to the timeline.
func (b *Box) watch(ctx context.Context) error {
	fold := board.New()
	return b.journal.Watch(ctx, fold, func() {
		s := fold.Snapshot()
		b.live.Store(&s)
		b.seen.Do(func() { close(b.pictured) })
		b.lines.settle(&s)
		b.changed.ring()
	})
}

// watchOutside tells the page what happens in the simulated world.
func (b *Box) watchOutside(ctx context.Context) error {
	for range b.world.Network.Watch(ctx, 0) {
		b.changed.ring()
	}
	return nil
}

// Page is the address of the page, for a browser on this machine.
func (b *Box) Page() string { return "http://" + b.pageAt.String() + "/" }

// endCalls hangs up whoever is still in a call, so that no wire keeps one that nobody serves.
func (b *Box) endCalls() {
	ctx, cancel := context.WithTimeout(context.Background(), endCalls)
	defer cancel()
	if err := b.engine.Ask(ctx, call.EndAll{Actor: "system"}); err != nil {
		b.o.Log.Warn("calls are cut off by the stop", "err", err)
		return
	}
	for len(b.live.Load().Calls) > 0 && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}
