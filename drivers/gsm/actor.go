package gsm

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"branchline/drivers/atmodem"
	"branchline/drivers/gsm/module"
	"branchline/hal"
)

// state is how far the module has come.
type state string

const (
	absent      state = "absent"      // no open ports; tried again at retryAt
	probing     state = "probing"     // asked what it is
	simWait     state = "sim wait"    // its SIM is missing or locked; asked again at retryAt
	settingUp   state = "setting up"  // told how to behave; its wire is put at rest
	registering state = "registering" // the network does not know it yet
	ready       state = "ready"
)

const (
	searchEvery = 5 * time.Second  // registration is asked for while there is none: news of it can be lost
	readyEvery  = 30 * time.Second // and while there is one: this is also how a dead module is noticed
	gracePeriod = 5 * time.Second  // a fall-back from LTE to 2G for a call looks like a lost network
	stopLimit   = 500 * time.Millisecond
	maxOut      = 4096 // signals that wait for up; above it orders wait too
)

// actor is one Run of a line: all that is known about its module. Only its own goroutine touches it.
type actor struct {
	*Line
	log *slog.Logger

	out     []hal.Signal
	serving bool   // InService was the last word
	why     string // of the last OutOfService

	wire     *wire
	at       *atmodem.Modem
	epoch    int // counts starts of the module: what belongs to an earlier one is stale
	trouble  error
	rebooted bool
	state    state
	retryAt  time.Time
	fails    int
	profile  module.Profile

	networks map[string]int // what +CREG and +CEREG said last
	lostAt   time.Time      // since when a line in service has no network

	calls
	curedAt  time.Time // when the module was reset for its sound
	censusAt time.Time
}

func newActor(l *Line) *actor {
	return &actor{
		Line: l, log: l.o.Log.With("line", l.o.Name), state: absent,
		retryAt: time.Now(), censusAt: time.Now().Add(time.Second), networks: make(map[string]int),
	}
}

// run is the loop of the actor. Signals go to tell.
func (a *actor) run(ctx context.Context, tell chan<- hal.Signal) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	defer a.stop()
	for {
		a.due()
		var heard <-chan []byte
		var lost <-chan error
		if a.wire != nil {
			heard, lost = a.wire.heard, a.wire.lost
		}
		orders := a.orders
		if len(a.out) > maxOut {
			orders = nil
		}
		var next hal.Signal
		var told chan<- hal.Signal
		if len(a.out) > 0 {
			next, told = a.out[0], tell
		}
		timer.Reset(time.Until(a.next()))
		select {
		case <-ctx.Done():
			return
		case b := <-heard:
			a.at.Take(b)
		case err := <-lost:
			a.trouble = err
		case o := <-orders:
			a.obey(o)
		case told <- next:
			a.out = a.out[1:]
		case <-timer.C:
		}
	}
}

// due does what the time or an accident asks for, before the actor waits again.
func (a *actor) due() {
	now := time.Now()
	if a.at != nil {
		a.at.Tick()
		if err := a.at.Err(); err != nil && a.trouble == nil {
			a.trouble = err
		}
	}
	if a.trouble == nil {
		a.callsDue(now)
	}
	switch {
	case a.trouble != nil:
		a.down(a.trouble)
	case a.rebooted:
		a.restart()
	case a.retryAt.IsZero() || now.Before(a.retryAt):
	case a.state == absent:
		a.open()
	case a.state == simWait:
		a.retryAt = time.Time{}
		a.askPIN()
	default:
		a.askNetwork()
	}
	if !a.lostAt.IsZero() && now.Sub(a.lostAt) >= gracePeriod {
		a.lostAt = time.Time{}
		_, why := module.HasNetwork(a.networks)
		a.outOfService(why)
	}
	if !now.Before(a.censusAt) {
		a.censusAt = a.censusAt.Add(time.Second)
		a.census()
	}
}

// next is when due has something to do.
func (a *actor) next() time.Time {
	next := a.censusAt
	sooner := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	sooner(a.retryAt)
	sooner(a.callsNext())
	if !a.lostAt.IsZero() {
		sooner(a.lostAt.Add(gracePeriod))
	}
	if a.at != nil {
		sooner(a.at.Next())
	}
	if a.trouble != nil || a.rebooted || a.at != nil && a.at.Err() != nil {
		return time.Now()
	}
	return next
}

// open opens the ports and asks the module what it is.
func (a *actor) open() {
	w, err := openWire(a.o)
	if err != nil {
		a.down(err)
		return
	}
	a.wire = w
	a.probe()
}

// down closes the ports after an accident and tries again later.
func (a *actor) down(why error) {
	a.trouble, a.rebooted = nil, false
	a.log.Warn("out of service", "state", string(a.state), "err", why)
	a.dropCalls(why.Error())
	a.outOfService(why.Error())
	a.closeWire()
	backOff := []time.Duration{1, 2, 5, 10, 30}
	a.state, a.retryAt = absent, time.Now().Add(backOff[min(a.fails, len(backOff)-1)]*time.Second)
	a.fails++
}

// restart begins anew with a module that said that it has started anew.
func (a *actor) restart() {
	a.rebooted = false
	a.dropCalls("the module restarted")
	if a.serving {
		a.outOfService("the module restarted")
	}
	a.probe()
}

func (a *actor) closeWire() {
	if a.wire == nil {
		return
	}
	if bytes, lines := a.at.Dropped(); bytes+lines > 0 {
		a.log.Info("not understood on the command port", "bytes", bytes, "lines", lines)
	}
	if err := a.wire.close(); err != nil {
		a.log.Debug("closing the ports", "err", err)
	}
	a.wire, a.at = nil, nil
	a.epoch++
}

// stop leaves the wire at rest: a call that nobody will hear again must not stay up, billed.
func (a *actor) stop() {
	if a.call != nil && a.wire != nil && a.trouble == nil {
		hungUp := false
		end := time.NewTimer(stopLimit)
		defer end.Stop()
		a.call.ending = true
		err := a.at.Send(atmodem.Command{Text: hangUpAll, Class: atmodem.Urgent, Done: func(atmodem.Reply) { hungUp = true }})
		for err == nil && !hungUp && a.at.Err() == nil {
			select {
			case b := <-a.wire.heard:
				a.at.Take(b)
			case err = <-a.wire.lost:
			case <-end.C:
				err = fmt.Errorf("hang up: %w", context.DeadlineExceeded)
			}
		}
		if err != nil {
			a.log.Warn("stopped with a call on the wire", "err", err)
		}
	}
	a.closeWire()
}

// tell queues a signal for up.
func (a *actor) tell(s hal.Signal) { a.out = append(a.out, s) }

// census tells which legs the module itself lists. One that waits to be told is replaced: only the
// newest is of use.
func (a *actor) census() {
	s := hal.Census{Name: a.o.Name}
	if c := a.call; c != nil && c.told && c.missed == 0 {
		s.Legs = []hal.LegID{c.leg}
	}
	if n := len(a.out); n > 0 {
		if _, ok := a.out[n-1].(hal.Census); ok {
			a.out[n-1] = s
			return
		}
		if n > maxOut {
			return
		}
	}
	a.tell(s)
}

func (a *actor) inService() {
	a.fails, a.why, a.lostAt = 0, "", time.Time{}
	if a.serving {
		return
	}
	a.serving = true
	a.log.Info("in service", "module", a.profile.Name)
	a.tell(hal.InService{Name: a.o.Name, Traits: hal.Traits{Legs: 1, Sounds: 1, CallerID: true, Supervised: true}})
}

func (a *actor) outOfService(why string) {
	if !a.serving && why == a.why {
		return
	}
	a.serving, a.why = false, why
	a.tell(hal.OutOfService{Name: a.o.Name, Why: why})
}
