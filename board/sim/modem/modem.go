// Package modem is a simulated LTE voice modem, a Quectel EC25 in serial-PCM mode: one port
// speaks AT, the other carries 16-bit sound at 8 kHz in 20 ms steps. Its antenna is the toy
// telephone network of board/sim/network.
//
// It is a modem of its own, written from the makers' documents and not from our driver, with the
// manners of the real one: it boots, echoes, takes its time, slips unsolicited lines between the
// lines of an answer, repeats RING, says OK to a dial at once, drops what nobody reads, and can
// be made to misbehave (faults.go). A reader that is slow or absent never stops it.
//
// Start reading at New, Run and OpenPTYs (or OpenPipes under testing/synctest); the commands are
// in the tables of commands.go and callcommands.go.
package modem

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"branchline/board/sim/modem/ports"
	"branchline/board/sim/network"
	"branchline/hal"
)

// Options says which modem it is. Number is needed; every other zero value has a likely default.
type Options struct {
	Number   string // of the SIM, by which the network calls it
	ICCID    string
	IMEI     string
	IMSI     string
	Operator string
	PIN      string // of the SIM; "": it needs none
	NoSIM    bool

	Delay     time.Duration // from the end of a command to its answer; 0: 5 ms. Lines are a fifth of it apart
	Settle    time.Duration // from ATA until the call is up; 0: 100 ms
	RingEvery time.Duration // 0: 4 s
	Boot      time.Duration // from power to RDY; 0: 1 s. The SIM is ready after one and a half, SMS after two of it

	ClipFirst     bool // +CLIP comes before its RING
	MissedCall    bool // a call that nobody answered also says MISSED_CALL
	NoDataBearer  bool // CLCC does not list the LTE data bearer as call 1
	ResetKeepsUSB bool // the ptys stay when the modem resets; the real one's go and come back

	Log *slog.Logger // nil: says nothing
}

// Modem is one simulated modem. New makes it, Run is its life.
type Modem struct {
	o      Options
	log    *slog.Logger
	access *network.Access
	plug   *ports.Pair
	inbox  inbox
	uplink uplink
	verbs  map[string]verb

	typedOver atomic.Int64 // bytes of lines that found no room

	// What follows belongs to Run's goroutine.
	agenda agenda
	power  power
	sim    simState
	tries  int // that the SIM still takes for its PIN
	sms    bool
	signal bool
	on     bool // +CFUN=1
	regd   bool

	echo    bool
	values  map[string]string // of the settings, by command
	inds    map[string]bool   // of +QINDCFG
	line    []byte            // being typed
	typed   []string          // lines that wait
	chain   []command         // the rest of the line that is being done
	busy    bool              // a line is being done
	final   bool              // its final result is among the answers
	answers []string          // lines of the answer that are still to be written
	urcs    []string
	pumping bool
	after   []func() // done once the final result is written

	calls   []*voice
	lastEnd hal.Cause
	ticking bool
	tickAt  time.Time

	mute, muteSound, halve bool
	lose                   []string
}

type power int

const (
	off power = iota
	booting
	up
)

type simState string

const (
	simReady  simState = "READY"
	simPIN    simState = "SIM PIN"
	simPUK    simState = "SIM PUK"
	simAbsent simState = "NOT INSERTED"
)

// New makes a modem and subscribes its number at n. It is unreachable until Run has booted it.
func New(o Options, n *network.Network) (*Modem, error) {
	o = o.filled()
	m := &Modem{o: o, log: o.Log, signal: true, sms: true, plug: ports.New(maxDownlink)}
	m.inbox.ready = make(chan struct{}, 1)
	m.verbs = m.table()
	a, err := n.Attach(o.Number, m)
	if err != nil {
		return nil, fmt.Errorf("simulated modem: %w", err)
	}
	a.Reachable(false)
	m.access = a
	return m, nil
}

func (o Options) filled() Options {
	digits := strings.TrimLeft(o.Number, "+")
	tail := fmt.Sprintf("%010s", digits[max(0, len(digits)-8):])
	o.ICCID = cmp.Or(o.ICCID, "8949020000"+tail)
	o.IMEI = cmp.Or(o.IMEI, "86475"+tail)
	o.IMSI = cmp.Or(o.IMSI, "26299"+tail)
	o.Operator = cmp.Or(o.Operator, "Toynet")
	o.Delay = cmp.Or(o.Delay, 5*time.Millisecond)
	o.Settle = cmp.Or(o.Settle, 100*time.Millisecond)
	o.RingEvery = cmp.Or(o.RingEvery, 4*time.Second)
	o.Boot = cmp.Or(o.Boot, time.Second)
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	return o
}

// Run powers the modem up and keeps it going until ctx ends; then its calls are cut, its ports
// closed, its symlinks removed, and Run returns nil.
func (m *Modem) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	var helpers sync.WaitGroup
	helpers.Go(func() { m.plug.AT.Read(ctx, func(b []byte) { m.inbox.await(ctx, func() { m.keystrokes(b) }) }) })
	helpers.Go(func() { m.plug.AT.Send(ctx) })
	helpers.Go(func() { m.plug.PCM.Read(ctx, m.uplink.push) })
	helpers.Go(func() { m.plug.PCM.Send(ctx) })
	defer helpers.Wait()
	defer m.plug.Close()
	defer stop()
	m.boot()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(m.agenda.next())
		select {
		case <-ctx.Done():
			m.dropCalls()
			m.access.Reachable(false)
			return nil
		case <-m.inbox.ready:
			for _, f := range m.inbox.take() {
				f()
			}
		case <-timer.C:
		}
		m.agenda.run()
	}
}

// OpenPTYs connects both ports to new ptys and makes the symlinks dir/at and dir/pcm, which a
// serial driver opens; dir is made if need be and belongs to this modem alone. The links stay the
// same when the modem vanishes and returns. Run removes them at its end.
func (m *Modem) OpenPTYs(dir string) (at, pcm string, err error) {
	if at, pcm, err = m.plug.OpenPTYs(dir); err != nil {
		err = fmt.Errorf("simulated modem %s: %w", m.o.Number, err)
	}
	return at, pcm, err
}

// OpenPipes connects both ports to in-memory wires and returns the host's ends. They hold 4 KiB
// each way; a read waits, a write waits while the wire is full, and Close frees both. After
// Vanish they are dead, and the host opens new ones.
func (m *Modem) OpenPipes() (at, pcm io.ReadWriteCloser) { return m.plug.OpenPipes() }

// Attach connects the modem's ports to whatever at and pcm are, in place of what was there; the
// modem closes them. Close must free a Read.
func (m *Modem) Attach(at, pcm io.ReadWriteCloser) { m.plug.Attach(at, pcm) }

// Dropped is how many bytes the modem has thrown away because nobody read them or there was no
// room, on the AT and the sound port.
func (m *Modem) Dropped() (at, pcm int64) {
	return m.plug.AT.Dropped() + m.typedOver.Load(), m.plug.PCM.Dropped() + m.uplink.dropped.Load()
}

// boot is what happens when power comes or a reset is over.
func (m *Modem) boot() {
	m.reset()
	m.power = booting
	b := m.o.Boot
	m.agenda.in(b, func() {
		m.power = up
		m.urc("RDY")
	})
	m.agenda.in(b+b/4, func() {
		m.on = true
		m.urc("+CFUN: 1")
	})
	m.agenda.in(b+b/2, func() {
		m.urc("+CPIN: " + string(m.sim))
		if m.sim != simAbsent {
			m.urc("+QUSIM: 1")
		}
		m.register()
	})
	m.agenda.in(2*b, func() { m.urc("+QIND: SMS DONE") })
	m.agenda.in(2*b+b/2, func() { m.urc("+QIND: PB DONE") })
}

// reset puts everything that power does not keep to what it is at the start.
func (m *Modem) reset() {
	m.dropCalls()
	m.agenda.clear()
	m.access.Reachable(false)
	m.power, m.on, m.regd = off, false, false
	m.busy, m.final, m.pumping, m.ticking = false, false, false, false
	m.line, m.typed, m.chain, m.answers, m.urcs, m.after = nil, nil, nil, nil, nil, nil
	m.mute, m.halve, m.lose, m.lastEnd = false, false, nil, ""
	m.defaults()
	m.tries, m.sim = 3, simReady
	switch {
	case m.o.NoSIM:
		m.sim = simAbsent
	case m.o.PIN != "":
		m.sim = simPIN
	}
}

// register joins the network if it can, and says so.
func (m *Modem) register() {
	now := m.on && m.signal && m.sim == simReady
	if now == m.regd {
		return
	}
	m.regd = now
	m.access.Reachable(now)
	if !now {
		m.dropCalls()
	}
	for _, name := range []string{"+CREG", "+CGREG", "+CEREG"} {
		if n := m.values[name]; n != "0" {
			m.urc(name + ": " + m.registration(n))
		}
	}
	if m.inds["csq"] {
		m.urc(fmt.Sprintf(`+QIND: "csq",%s`, m.quality()))
	}
}

// inbox is how everybody but Run's goroutine reaches the modem.
type inbox struct {
	ready chan struct{}
	mu    sync.Mutex // guards waiting
	wait  []func()
}

func (in *inbox) post(f func()) {
	in.mu.Lock()
	in.wait = append(in.wait, f)
	in.mu.Unlock()
	select {
	case in.ready <- struct{}{}:
	default:
	}
}

// await posts f and waits until it is done or ctx ends.
func (in *inbox) await(ctx context.Context, f func()) {
	done := make(chan struct{})
	in.post(func() { f(); close(done) })
	select {
	case <-done:
	case <-ctx.Done():
	}
}

func (in *inbox) take() []func() {
	in.mu.Lock()
	defer in.mu.Unlock()
	all := in.wait
	in.wait = nil
	return all
}

// agenda is what the modem will do later, in its own goroutine.
type agenda struct{ jobs []job }

type job struct {
	at time.Time
	do func()
}

func (a *agenda) in(d time.Duration, do func()) { a.when(time.Now().Add(d), do) }

func (a *agenda) when(at time.Time, do func()) {
	i, _ := slices.BinarySearchFunc(a.jobs, at, func(j job, t time.Time) int {
		if j.at.After(t) {
			return 1
		}
		return -1 // behind those of the same time
	})
	a.jobs = slices.Insert(a.jobs, i, job{at, do})
}

func (a *agenda) next() time.Duration {
	if len(a.jobs) == 0 {
		return time.Hour
	}
	return max(0, time.Until(a.jobs[0].at))
}

func (a *agenda) run() {
	now := time.Now()
	for len(a.jobs) > 0 && !a.jobs[0].at.After(now) {
		do := a.jobs[0].do
		a.jobs = a.jobs[1:]
		do()
	}
}

func (a *agenda) clear() { a.jobs = nil }
