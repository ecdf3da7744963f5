package boot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"sync"

	"branchline/board/sim/modem"
	"branchline/drivers/gsm"
	"branchline/drivers/uart"
	"branchline/firmware/supervise"
	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/config"
	"branchline/pbx/config/both"
	"branchline/pbx/sip"
	"branchline/pbx/sip/dialog"
	"branchline/pbx/sip/guard"
	"branchline/pbx/sip/trunk"
	"branchline/pbx/sip/wire"
	"branchline/pbx/view/board"
)

const (
	atBaud  = 115200 // USB modules take any; 8N1 raw
	pcmBaud = 115200
)

// lines keeps the outside lines that run like those of the document in force. A line that the
// document has no more drains: the floor gives it no new call, and it is stopped when its last one has
// ended. One whose hardware is another now is begun anew between two calls.
type lines struct {
	box   *Box
	group *supervise.Group

	mu       sync.Mutex
	releases map[string][]string // by line: what ends the legs that were up when the box died
	wanted   []config.Line
	guard    guard.Settings // of the doors of trunks
	running  map[string]*running
}

// running is a line that runs.
type running struct {
	config.Line
	line     hal.Line
	leaving  bool
	stopping bool     // its end is awaited
	since    call.Seq // the timeline up to where it may have got calls
}

// follow starts the lines of doc and has those leave that it has no more, or with other hardware. The
// floor has taken doc by at.
func (l *lines) follow(g *supervise.Group, doc *config.Doc, at call.Seq) error {
	l.mu.Lock()
	l.group, l.wanted, l.guard = g, doc.Lines, trunkGuard(doc)
	for name, r := range l.running {
		i := slices.IndexFunc(doc.Lines, func(n config.Line) bool { return n.Name == name })
		if r.leaving = i < 0 || r.stopping || !sameHardware(r.Line, doc.Lines[i]); r.leaving {
			r.since = at
		}
		if t, ok := r.line.(*trunk.Trunk); ok {
			t.Guard(l.guard)
		}
	}
	err := l.startWanted()
	l.mu.Unlock()
	l.settle(l.box.live.Load())
	return err
}

// settle stops the leaving lines that carry no call any more, as now shows them.
func (l *lines) settle(now *board.Snapshot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, r := range l.running {
		if r.leaving && !r.stopping && now.Seq >= r.since && !carries(now, name) {
			r.stopping = true
			l.group.Stop("line " + name)
		}
	}
}

func carries(now *board.Snapshot, line string) bool {
	return slices.ContainsFunc(now.Calls, func(c board.Call) bool {
		return slices.ContainsFunc(c.Legs, func(l board.Leg) bool { return l.Line == line })
	})
}

// ended takes that a line has stopped; what waited for its name or its slot is started.
func (l *lines) ended(name string) {
	l.mu.Lock()
	r := l.running[name]
	if r == nil || !r.stopping {
		l.mu.Unlock()
		return // the box stops
	}
	delete(l.running, name)
	l.mu.Unlock()
	l.box.engine.Detach(name)
	l.box.engine.Hear(hal.OutOfService{Name: name, Why: "its configuration has changed"})
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.startWanted(); err != nil {
		l.box.o.Log.Error("line not started", "err", err)
	}
}

// startWanted starts the lines that do not run and whose name and slot are free. The caller holds mu.
func (l *lines) startWanted() error {
	var errs []error
	for _, n := range l.wanted {
		taken := false
		for _, r := range l.running {
			taken = taken || r.Name == n.Name || n.Slot != "" && r.Slot == n.Slot
		}
		if taken {
			continue
		}
		line, err := l.start(n)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		l.running[n.Name] = &running{Line: n, line: line}
	}
	return errors.Join(errs...)
}

func sameHardware(a, b config.Line) bool {
	return a.Kind == b.Kind && a.Slot == b.Slot && a.PIN == b.PIN && a.Number == b.Number && a.Channels == b.Channels && reflect.DeepEqual(a.Trunk, b.Trunk)
}

// check lists the lines of doc that have no place on the board.
func (l *lines) check(doc *config.Doc) (wrong []config.Problem) {
	b := l.box.board
	for i, n := range doc.Lines {
		if _, ok := b.Slot(n.Slot); !ok && n.Kind == config.KindSIM {
			wrong = append(wrong, config.Problem{
				Path: fmt.Sprintf("lines[%d].slot", i), What: both.Say("board %s has no %q", "主板 %s 没有 %q", b.Name, n.Slot),
				Cure: both.Say("take one of slot1 to slot%d", "请用 slot1 到 slot%d 之一", len(b.Slots)),
			})
		}
	}
	return wrong
}

// start makes the line of n and starts it. The caller holds mu.
func (l *lines) start(n config.Line) (hal.Line, error) {
	line, err := l.make(n)
	if err != nil {
		return nil, err
	}
	l.box.engine.Attach(line)
	l.group.Start(supervise.Service{Name: "line " + n.Name, Run: func(ctx context.Context) error {
		err := line.Run(ctx, l.box.engine.Hear)
		if ctx.Err() != nil {
			l.ended(n.Name)
		}
		return err
	}})
	return line, nil
}

// all are the lines that run, by name.
func (l *lines) all() (out []hal.Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(l.running)) {
		out = append(out, l.running[name].line)
	}
	return out
}

func (l *lines) make(n config.Line) (hal.Line, error) {
	if n.Kind != config.KindTrunk {
		return l.makeSIM(n)
	}
	releases := l.releases[n.Name]
	delete(l.releases, n.Name) // they are told once
	return trunk.New(trunk.Options{Name: n.Name, Boot: l.box.boot, Log: l.box.o.Log, Media: l.box.media,
		Trace: l.box.tracer.trace, Releases: releases, Config: *n.Trunk, Number: hal.Number(n.Number), Channels: n.Channels,
		Guard: l.guard}), nil
}

func (l *lines) makeSIM(n config.Line) (hal.Line, error) {
	slot, ok := l.box.board.Slot(n.Slot)
	if !ok {
		return nil, fmt.Errorf("line %s: board %s has no %s", n.Name, l.box.board.Name, n.Slot)
	}
	if w := l.box.world; w != nil {
		if err := w.Insert(n.Slot, modem.Options{Number: n.Number, PIN: n.PIN, Log: l.box.o.Log}); err != nil {
			return nil, fmt.Errorf("line %s: %w", n.Name, err)
		}
	}
	return gsm.New(gsm.Options{
		Name: n.Name, Boot: l.box.boot, Log: l.box.o.Log, PIN: n.PIN,
		OpenAT:  opener(slot.AT, atBaud),
		OpenPCM: opener(slot.PCM, pcmBaud),
	}), nil
}

func opener(path string, baud int) func() (io.ReadWriteCloser, error) {
	return func() (io.ReadWriteCloser, error) {
		p, err := uart.Open(path, baud)
		if err != nil {
			return nil, err
		}
		return p, nil
	}
}

var _ hal.Line = (*gsm.Line)(nil)

func guardSettings(g config.Guard) guard.Settings {
	return guard.Settings{Trusted: g.Trusted, NoLimits: !g.Limits, NoBans: !g.Bans, NoScanners: !g.Scanners}
}

// trunkGuard is what the document says of the doors of trunks: the same as of the phones'. Who is of the house
// is kept away for minutes.
func trunkGuard(doc *config.Doc) guard.Settings {
	s := guardSettings(doc.Network.SIP.Guard)
	s.House = append(wire.AttachedNetworks(), doc.Network.SIP.Guard.Networks...)
	return s
}

// phoneSettings are what the document says about desk phones.
func phoneSettings(doc *config.Doc) sip.Settings {
	s := sip.Settings{Listen: doc.Network.SIP.Listen, TCP: doc.Network.SIP.TCP, Realm: doc.Network.SIP.Realm,
		Lamps: lampNames(doc)}
	g := doc.Network.SIP.Guard
	s.Guard = sip.Guard{Settings: guardSettings(g), Anywhere: !g.LANOnly, Networks: g.Networks, Adopted: map[string][]netip.Prefix{}}
	if doc.Network.SIP.TLS {
		s.TLS = secureAddresses(doc.Network.SIP)
	}
	for _, e := range doc.Extensions {
		s.Guard.Adopted[e.Number] = e.Networks
		if e.Remote {
			s.Guard.Adopted[e.Number] = []netip.Prefix{netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.PrefixFrom(netip.IPv6Unspecified(), 0)}
		}
		s.Accounts = append(s.Accounts, sip.Account{Extension: e.Number, Name: e.Name, Password: e.Password,
			Security: dialog.SecurityOf(e.SRTP), Mail: e.MessageLamp})
	}
	return s
}
