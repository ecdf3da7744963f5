package media

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"branchline/hal"
	"branchline/pbx/media/lateness"
	"branchline/pbx/media/mail"
	"branchline/pbx/media/udp"
)

// Worker owns all sound of the box. New makes one; it does nothing until Run.
type Worker struct {
	made  time.Time
	open  sync.Map // hal.LegID → *Port, for those who ask how a leg fares
	opt   Options
	mail  mail.Box
	wake  atomic.Pointer[udp.Bell] // nil while Run does not run
	ports udp.Range
	late  lateness.Log

	// What follows belongs to the thread of Run.
	poll      *udp.Poller
	in        *udp.Inbox
	legs      []*leg
	byID      map[hal.LegID]*leg
	bridges   []*bridge
	byName    map[hal.BridgeID]*bridge
	plays     map[hal.Ref]*play
	tapes     map[hal.Ref]*tape
	sockets   []*Port // by file descriptor
	out       *mail.Outbox
	loads     chan *play
	broken    bool          // a leg broke in this tick
	still     time.Duration // of sound left out, not yet told
	stillTold time.Time
	scratch   [frame]int16
	now       time.Duration // since made, in this tick or for what comes in now
}

// New makes a Worker that may be given orders at once; they are carried out when it runs.
func New(o Options) *Worker {
	w := &Worker{opt: o, made: time.Now()}
	if o.RTPFirst == 0 && o.RTPLast == 0 {
		o.RTPFirst, o.RTPLast = 10000, 19999
	}
	w.SetRange(o.RTPFirst, o.RTPLast)
	w.forget()
	return w
}

// forget begins with no leg, bridge or socket.
func (w *Worker) forget() {
	w.legs, w.bridges, w.sockets = nil, nil, nil
	w.byID, w.byName = map[hal.LegID]*leg{}, map[hal.BridgeID]*bridge{}
	w.plays, w.tapes = map[hal.Ref]*play{}, map[hal.Ref]*tape{}
	w.out, w.loads = mail.NewOutbox(), make(chan *play, loadQueue)
}

// Run carries sound until ctx ends and then returns nil. It locks its goroutine to a thread. up is
// called with every signal, in order, one at a time, by a goroutine of its own: a slow up delays
// signals and never sound. When Run returns, up is not called again, all sockets are closed and
// all recordings have been told to end. It may be run again afterwards, with nothing attached.
func (w *Worker) Run(ctx context.Context, up func(hal.Signal)) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	udp.Hurry(true) // before everything else on a busy machine, where we may
	defer udp.Hurry(false)
	poll, err := udp.NewPoller(tick)
	if err != nil {
		return fmt.Errorf("media: %w", err)
	}
	w.poll, w.in = poll, udp.NewInbox()
	w.mail.Reopen()
	w.wake.Store(poll.Bell())
	stop := context.AfterFunc(ctx, poll.Bell().Ring)
	var helpers sync.WaitGroup
	helpers.Go(func() { w.out.Forward(ctx, w.opt.Log, up) })
	for range loaders {
		helpers.Go(func() { w.load(w.loads) })
	}

	err = w.loop(ctx)

	stop()
	w.wind()
	close(w.loads)
	w.out.Close()
	helpers.Wait()
	w.wake.Store(nil)
	poll.Close()
	w.forget()
	return err
}

// loop waits for sockets, the clock and the mailbox until ctx ends.
func (w *Worker) loop(ctx context.Context) error {
	w.obey(w.mail.Take())
	receive := w.receive // once: it is an allocation
	for ctx.Err() == nil {
		ticks, err := w.poll.Wait(receive)
		if err != nil {
			return fmt.Errorf("media: %w", err)
		}
		w.obey(w.mail.Take())
		w.keepTime(ticks)
	}
	return nil
}

// keepTime does the ticks that are due, and notes how late. What is older than some nobody wants to
// hear.
func (w *Worker) keepTime(ticks int) {
	if left := ticks - maxCatchUp; left > 0 {
		w.late.LeftOut(left, w.poll.Now()-w.poll.Due()+maxCatchUp*tick)
		if len(w.legs) > 0 {
			w.stoodStill(time.Duration(left) * tick)
		}
		ticks = maxCatchUp
	}
	for ; ticks > 0; ticks-- {
		due := w.poll.Due() - time.Duration(ticks-1)*tick
		began := w.poll.Now()
		w.tick()
		w.late.Note(began-due, w.poll.Now()-began)
	}
}

// Lateness tells how well time was kept over the last minute or less of the present or last Run. Any
// goroutine may call it; the sound does not notice.
func (w *Worker) Lateness(over time.Duration) lateness.Figures { return w.late.Figures(over) }

const (
	maxCatchUp = 5 // 100 ms
	stillEvery = 10 * time.Second
)

// stoodStill counts sound that was left out because the worker's thread did not get to run, and
// says so now and then.
func (w *Worker) stoodStill(d time.Duration) {
	w.still += d
	if time.Since(w.stillTold) < stillEvery {
		return
	}
	w.out.Tell(mail.Notice{Kind: mail.Logged, Log: "the machine stood still", Why: fmt.Sprintf("%v of sound left out since last told", w.still)})
	w.still, w.stillTold = 0, time.Now()
}

// obey carries out letters. A panic in one costs that order.
func (w *Worker) obey(l *mail.Letter) {
	for ; l != nil; l = l.Next {
		w.guarded(l.Do)
	}
}

func (w *Worker) guarded(do func()) {
	defer func() {
		if r := recover(); r != nil {
			w.broke("", r)
		}
	}()
	do()
}

// broke reports a panic that was caught. It is called from a deferred function.
func (w *Worker) broke(leg hal.LegID, why any) {
	w.out.Tell(mail.Notice{Kind: mail.Logged, Leg: leg, Log: "a panic was caught",
		Why: fmt.Sprintf("%v\n%s", why, debug.Stack())})
}

// fail answers an order that is not done.
func (w *Worker) fail(leg hal.LegID, ref hal.Ref, why string) {
	w.out.Tell(mail.Notice{Kind: mail.Failed, Leg: leg, Ref: ref, Why: why})
}

// wind ends everything at the end of Run. Letters already posted are carried out first, so that
// every socket is known and can be closed.
func (w *Worker) wind() {
	w.obey(w.mail.Close())
	for _, t := range w.tapes {
		t.out.Close()
	}
	for _, p := range w.sockets {
		if p != nil {
			p.shut()
		}
	}
}

// post queues do for the worker's thread. False: Run has ended.
func (w *Worker) post(do func()) bool {
	first, ok := w.mail.Post(do)
	if first {
		if wake := w.wake.Load(); wake != nil {
			wake.Ring()
		}
	}
	return ok
}

var (
	errEnded  = errors.New("media: the worker has ended")
	errBehind = errors.New("media: the worker does not keep up with its orders")
)
