package boot

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"time"

	"branchline/board/sim/network"
	"branchline/pbx/view/board"
	"branchline/ui"
	"branchline/ui/api"
)

// uiBox is the box as the API sees it.
func (b *Box) uiBox() ui.Box {
	box := ui.Box{
		Health:        b.health,
		Board:         func() board.Snapshot { return *b.live.Load() },
		Timeline:      b.journal,
		Configuration: b.config,
		Commands:      b.engine,
		Recordings:    b.records,
		Log:           b.o.Log,
		Now:           func() time.Time { return time.Now().UTC() },
	}
	if b.world != nil {
		box.Simulator = outside{b}
	}
	return box
}

func (b *Box) health() ui.Health {
	h := ui.Health{Version: b.o.Version, Board: b.board.Name, Boot: b.boot, Started: b.started.UTC(), Prompts: b.prompts.found}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(b.o.Data, &fs); err == nil {
		h.Disk = api.Disk{FreeBytes: fs.Bavail * uint64(fs.Bsize), TotalBytes: fs.Blocks * uint64(fs.Bsize)}
	}
	return h
}

// outside lets people place calls from the simulated outside world.
type outside struct{ box *Box }

// Call places a call to one of the box's lines; with no number, to its first.
func (o outside) Call(_ context.Context, c api.OutsideCall) (string, error) {
	to := c.To
	if to == "" {
		doc := o.box.config.doc()
		if len(doc.Lines) == 0 {
			return "", fmt.Errorf("the box has no line that could be called; configure one under lines")
		}
		to = doc.Lines[0].Number
	}
	text := c.Script
	if c.From != "" && !strings.Contains(text, "from=") {
		text = "from=" + c.From + "; " + text
	}
	script, err := network.ParseScript(text)
	if err != nil {
		return "", err
	}
	placed, err := o.box.world.Network.Call(to, script)
	if err != nil {
		return "", err
	}
	return placed.ID(), nil
}
