package boot

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"branchline/board/sim/modem"
	"branchline/drivers/gsm"
	"branchline/drivers/uart"
	"branchline/firmware/supervise"
	"branchline/hal"
	"branchline/pbx/config"
	"branchline/pbx/sip"
)

const (
	atBaud  = 115200 // USB modules take any; 8N1 raw
	pcmBaud = 115200
)

// lines keeps the outside lines that run like those of the document in force.
type lines struct {
	box   *Box
	group *supervise.Group

	mu      sync.Mutex
	running map[string]config.Line
}

// follow starts the lines of doc, stops those that it has no more, and starts anew those whose
// hardware changed. A line that is stopped ends its calls; the others do not notice.
func (l *lines) follow(g *supervise.Group, doc *config.Doc) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.group = g
	for name, had := range l.running {
		i := slices.IndexFunc(doc.Lines, func(n config.Line) bool { return n.Name == name })
		if i >= 0 && sameHardware(had, doc.Lines[i]) {
			continue
		}
		l.group.Stop("line " + name)
		l.box.engine.Detach(name)
		delete(l.running, name)
	}
	for _, n := range doc.Lines {
		if _, ok := l.running[n.Name]; ok {
			continue
		}
		if err := l.start(n); err != nil {
			return err
		}
		l.running[n.Name] = n
	}
	return nil
}

func sameHardware(a, b config.Line) bool {
	return a.Kind == b.Kind && a.Slot == b.Slot && a.PIN == b.PIN && a.Number == b.Number
}

// check lists the lines of doc that have no place on the board.
func (l *lines) check(doc *config.Doc) (wrong []config.Problem) {
	b := l.box.board
	for i, n := range doc.Lines {
		if _, ok := b.Slot(n.Slot); !ok {
			wrong = append(wrong, config.Problem{
				Path: fmt.Sprintf("lines[%d].slot", i), What: fmt.Sprintf("board %s has no %q", b.Name, n.Slot),
				Cure: fmt.Sprintf("take one of slot1 to slot%d", len(b.Slots)),
			})
		}
	}
	return wrong
}

func (l *lines) start(n config.Line) error {
	slot, ok := l.box.board.Slot(n.Slot)
	if !ok {
		return fmt.Errorf("line %s: board %s has no %s", n.Name, l.box.board.Name, n.Slot)
	}
	if w := l.box.world; w != nil {
		if err := w.Insert(n.Slot, modem.Options{Number: n.Number, PIN: n.PIN, Log: l.box.o.Log}); err != nil {
			return fmt.Errorf("line %s: %w", n.Name, err)
		}
	}
	line := gsm.New(gsm.Options{
		Name: n.Name, Boot: l.box.boot, Log: l.box.o.Log, PIN: n.PIN,
		OpenAT:  opener(slot.AT, atBaud),
		OpenPCM: opener(slot.PCM, pcmBaud),
	})
	l.box.engine.Attach(line)
	l.group.Start(supervise.Service{Name: "line " + n.Name, Run: func(ctx context.Context) error {
		return line.Run(ctx, l.box.engine.Hear)
	}})
	return nil
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

// phoneSettings are what the document says about desk phones.
func phoneSettings(doc *config.Doc) sip.Settings {
	s := sip.Settings{Listen: doc.Network.SIP.Listen, Realm: doc.Network.SIP.Realm}
	for _, e := range doc.Extensions {
		s.Accounts = append(s.Accounts, sip.Account{Extension: e.Number, Name: e.Name, Password: e.Password})
	}
	return s
}
