// Package modem is a simulated voice modem: a Quectel EC25 in serial-PCM mode, a SIMCom SIM7600 or a
// Huawei E173. One port speaks AT, the other carries 16-bit sound at 8 kHz in 20 ms steps. Its antenna
// is the toy telephone network of board/sim/network.
//
// It is a modem of its own, written from the makers' documents and not from our driver, with the
// manners of the real one: it boots, echoes, takes its time, slips unsolicited lines between the
// lines of an answer, repeats RING, says OK to a dial at once, drops what nobody reads, and can
// be made to misbehave (faults.go). A reader that is slow or absent never stops it.
//
// Start reading at New, Run and OpenPTYs (or OpenPipes under testing/synctest); the commands are in
// the tables of commands.go and callcommands.go, and what a make has of its own in its make's file.
package modem

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"branchline/board/sim/modem/at"
	"branchline/board/sim/modem/card"
	"branchline/board/sim/modem/ports"
	"branchline/board/sim/modem/radio"
	"branchline/board/sim/network"
	"branchline/hal"
)

// Options says which modem it is. Number is needed; every other zero value has a likely default.
type Options struct {
	Number   string // of the SIM, by which the network calls it
	Model    string // "EC25", "SIM7600" or "E173"; "": EC25
	Firmware string // "": one without a known fault
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
	VoiceLocked   bool // E173: its seller has locked the voice
	MissedCall    bool // a call that nobody answered also says MISSED_CALL
	NoDataBearer  bool // CLCC does not list the LTE data bearer as call 1
	ResetKeepsUSB bool // the ptys stay when the modem resets; the real one's go and come back

	Log *slog.Logger // nil: says nothing
}

// Modem is one simulated modem. New makes it, Run is its life.
type Modem struct {
	o      Options
	make   maker
	log    *slog.Logger
	access *network.Access
	plug   *ports.Pair
	inbox  *at.Inbox
	uplink radio.Uplink
	lost   atomic.Int64 // bytes of command lines that found no room

	// What follows belongs to Run's goroutine.
	agenda at.Agenda
	term   at.Terminal
	power  power
	card   *card.Card
	signal bool
	on     bool // +CFUN=1
	regd   bool
	inds   map[string]bool // of +QINDCFG

	calls   radio.Calls
	lastEnd hal.Cause
	ticking bool
	tickAt  time.Time

	muteSound, stuckSound bool
}

type power int

const (
	off power = iota
	booting
	up
)

// New makes a modem and subscribes its number at n. It is unreachable until Run has booted it.
func New(o Options, n *network.Network) (*Modem, error) {
	o.Model = cmp.Or(o.Model, "EC25")
	made, known := makers()[o.Model]
	if !known {
		return nil, fmt.Errorf("simulated modem: there is no model %q; there are %s", o.Model, strings.Join(Models(), ", "))
	}
	o.Firmware = cmp.Or(o.Firmware, made.firmware)
	o = o.filled()
	m := &Modem{o: o, make: made, log: o.Log, signal: true, plug: ports.New(radio.MaxDownlink)}
	m.inbox = at.NewInbox()
	m.calls.Changed = m.stateOf
	m.card = card.New(card.Options{Number: o.Number, ICCID: o.ICCID, IMSI: o.IMSI, PIN: o.PIN, Absent: o.NoSIM})
	m.card.Term, m.card.News, m.card.Unlocked, m.card.Send = &m.term, m.urc, m.unlocked, m.sendText
	m.card.Pending = func() bool { return !m.regd }
	m.term = at.Terminal{Agenda: &m.agenda, Delay: o.Delay, Out: m.plug.AT.Write, Locked: m.card.Locked, NewsEnd: made.newsEnd, Unknown: made.unknown}
	m.table()
	a, err := n.Attach(o.Number, m)
	if err != nil {
		return nil, fmt.Errorf("simulated modem: %w", err)
	}
	a.Reachable(false)
	m.access = a
	return m, nil
}

// Models are the names that Options.Model may have, in the order of the alphabet.
func Models() []string { return slices.Sorted(maps.Keys(makers())) }

// Model is which of Models the modem is.
func (m *Modem) Model() string { return m.o.Model }

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
	helpers.Go(func() { m.plug.AT.Read(ctx, func(b []byte) { m.inbox.Await(ctx, func() { m.typed(b) }) }) })
	helpers.Go(func() { m.plug.AT.Send(ctx) })
	helpers.Go(func() { m.plug.PCM.Read(ctx, m.uplink.Push) })
	helpers.Go(func() { m.plug.PCM.Send(ctx) })
	defer helpers.Wait()
	defer m.plug.Close()
	defer stop()
	m.boot()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(m.agenda.Next())
		select {
		case <-ctx.Done():
			m.dropCalls()
			m.access.Reachable(false)
			return nil
		case <-m.inbox.Ready:
			for _, f := range m.inbox.Take() {
				f()
			}
		case <-timer.C:
		}
		m.agenda.Run()
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
	return m.plug.AT.Dropped() + m.lost.Load(), m.plug.PCM.Dropped() + m.uplink.Dropped()
}

// typed takes what the host has typed.
func (m *Modem) typed(b []byte) {
	if m.power == up {
		m.term.Type(b)
		m.lost.Store(int64(m.term.Lost))
	}
}

// urc writes an unsolicited line.
func (m *Modem) urc(line string) {
	if m.power != off && m.term.News(line) {
		m.log.Debug("simulated modem loses a line", "number", m.o.Number, "line", line)
	}
}

func (m *Modem) urcs(lines ...string) {
	for _, line := range lines {
		m.urc(line)
	}
}

// boot is what happens when power comes or a reset is over.
func (m *Modem) boot() {
	m.reset()
	m.power = booting
	b, says := m.o.Boot, m.make.boot
	m.agenda.In(b, func() {
		m.power = up
		m.urcs(says.power...)
	})
	m.agenda.In(b+b/4, func() {
		m.on = true
		m.urcs(says.radio...)
	})
	m.agenda.In(b+b/2, func() {
		if says.sim {
			m.urc("+CPIN: " + string(m.card.State()))
		}
		if m.card.State() != card.Absent {
			m.urcs(says.card...)
		}
		m.register()
	})
	m.agenda.In(2*b, func() { m.urcs(says.texts...) })
	m.agenda.In(2*b+b/2, func() { m.urcs(says.book...) })
	if m.make.noiseEvery > 0 {
		m.agenda.In(2*b+m.make.noiseEvery, m.noise)
	}
}

// noise is what the make says all the time, of use to nobody.
func (m *Modem) noise() {
	m.urcs(m.make.noise(m)...)
	m.agenda.In(m.make.noiseEvery, m.noise)
}

// reset puts everything that power does not keep to what it is at the start.
func (m *Modem) reset() {
	m.dropCalls()
	m.agenda.Clear()
	m.access.Reachable(false)
	m.power, m.on, m.regd = off, false, false
	m.ticking, m.stuckSound, m.lastEnd = false, false, ""
	m.term.Reset()
	m.defaults()
	m.card.Power()
}

// unlocked: the SIM has got its PIN.
func (m *Modem) unlocked() {
	m.urc("+CPIN: READY")
	m.agenda.In(m.o.Boot/4, m.register)
}

// sendText hands a text to the network.
func (m *Modem) sendText(to, body string) bool {
	err := m.access.Text(to, body)
	if err != nil {
		m.log.Info("simulated modem", "number", m.o.Number, "err", err)
	}
	return err == nil
}

// Text is the network's word that a text has come.
func (m *Modem) Text(from, body string) {
	m.inbox.Post(func() {
		if err := m.card.Receive(from, body); err != nil {
			m.log.Warn("simulated modem", "number", m.o.Number, "err", err)
		}
	})
}

// register joins the network if it can, and says so.
func (m *Modem) register() {
	now := m.on && m.signal && m.card.State() == card.Ready
	if now == m.regd {
		return
	}
	m.regd = now
	m.access.Reachable(now)
	if !now {
		m.dropCalls()
	}
	for _, name := range m.make.registers {
		if n := m.term.Values[name]; n != "0" {
			m.urc(name + ": " + m.registration(n))
		}
	}
	if m.inds["csq"] {
		m.urc(fmt.Sprintf(`+QIND: "csq",%s`, m.quality()))
	}
}
