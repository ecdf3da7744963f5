// Package sim is the simulated board: slots with modems that speak AT on real ptys, all at one toy
// telephone network. With it the box runs on a laptop as it runs in a branch; only the far ends
// are simulated. Start at New.
package sim

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"branchline/board/sim/modem"
	"branchline/board/sim/network"
	"branchline/hal"
)

// Demo is the configuration of a box that is tried out on this board.
//
//go:embed demo.yaml
var Demo []byte

// World is the simulated board and everything that its wires lead to. Make one by New.
type World struct {
	// Network joins the lines; persons outside live there.
	Network *network.Network

	dir    string
	models Models
	log    *slog.Logger

	mu     sync.Mutex
	modems map[string]*modem.Modem
	start  chan *modem.Modem
	ledger *os.File
}

// slots is how many modules the board takes.
const slots = 8

// New makes a board without modules, with its ptys under dir, and appends what callers and called
// people really lived through to dir/ledger.jsonl: the truth that call records are held against. The
// network has some people whom a desk phone can call. models, which may be nil, are those of the slots.
func New(dir string, models Models, log *slog.Logger) (*World, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("simulated board: %w", err)
	}
	ledger, err := os.OpenFile(filepath.Join(dir, "ledger.jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("simulated board: %w", err)
	}
	w := &World{
		ledger:  ledger,
		Network: network.New(log), dir: dir, models: models, log: log,
		modems: map[string]*modem.Modem{}, start: make(chan *modem.Modem, slots),
	}
	w.Network.LedgerTo(ledger)
	for number, script := range people() {
		s, err := network.ParseScript(script)
		if err != nil {
			return nil, fmt.Errorf("person %s: %w", number, err)
		}
		w.Network.Person(number, s)
	}
	return w, nil
}

// people are the numbers outside that answer, or do not, when the box dials them.
func people() map[string]string {
	return map[string]string{
		"030111": "answer after 2s; tone 700",
		"030112": "busy",
		"030113": "no answer",
		"030114": "switched off",
	}
}

// Board is the list of its parts. A slot without a module has ports that cannot be opened.
func (w *World) Board() hal.Board {
	b := hal.Board{Name: "sim"}
	for _, name := range slotNames() {
		b.Slots = append(b.Slots, hal.Slot{
			Name: name,
			AT:   filepath.Join(w.dir, name, "at"),
			PCM:  filepath.Join(w.dir, name, "pcm"),
		})
	}
	return b
}

// Insert puts a module into slot, also while the board runs; o.Model "" is the slot's. A slot that has
// one keeps it.
func (w *World) Insert(slot string, o modem.Options) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.modems[slot] != nil {
		return nil
	}
	if _, ok := w.Board().Slot(slot); !ok {
		return noSlot(slot)
	}
	o.Model = cmp.Or(o.Model, w.models[slot])
	m, err := modem.New(o, w.Network)
	if err != nil {
		return err
	}
	if _, _, err := m.OpenPTYs(filepath.Join(w.dir, slot)); err != nil {
		return err
	}
	w.modems[slot] = m
	w.start <- m // cannot block: one per slot
	return nil
}

// Modem is the module in slot, nil where there is none.
func (w *World) Modem(slot string) *modem.Modem {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.modems[slot]
}

// Run powers the board until ctx ends.
func (w *World) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer w.ledger.Close()
	defer running.Wait()
	defer w.Network.Close()
	for {
		select {
		case <-ctx.Done():
			return nil
		case m := <-w.start:
			running.Go(func() {
				if err := m.Run(ctx); err != nil {
					w.log.Error("simulated modem ended", "err", err)
				}
			})
		}
	}
}
