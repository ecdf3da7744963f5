package boot

import (
	"encoding/json"
	"fmt"
	"syscall"
	"time"

	"branchline/pbx/call"
	"branchline/pbx/media/lateness"
	"branchline/pbx/view"
	"branchline/pbx/view/board"
	"branchline/ui"
	"branchline/ui/api"
)

// uiBox is the box as the API sees it.
func (b *Box) uiBox() ui.Box {
	box := ui.Box{
		Health:        b.health,
		Board:         func() board.Snapshot { return *b.live.Load() },
		Changed:       b.changed.wait,
		Timeline:      b.journal,
		Configuration: b.config,
		Commands:      b.engine,
		Flight:        b.engine,
		Sound:         b.sound,
		Door:          door{b},
		Phones:        deskPhones{b.phones},
		Recordings:    b.records,
		Trace:         b.tracer,
		Certificate:   b.certificate,
		Log:           b.o.Log,
		Now:           func() time.Time { return time.Now().UTC() },
	}
	if b.world != nil {
		box.Simulator = outside{b}
	}
	return box
}

func (b *Box) health() ui.Health {
	h := ui.Health{Version: b.o.Version, Board: b.board.Name, Boot: b.boot, Started: b.started.UTC(), Prompts: b.prompts.found(), Page: b.Page()}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(b.o.Data, &fs); err == nil {
		h.Disk = api.Disk{FreeBytes: fs.Bavail * uint64(fs.Bsize), TotalBytes: fs.Blocks * uint64(fs.Bsize), ReserveBytes: reserve}
	}
	if err := b.journal.Failing(); err != nil {
		h.Disk.Failing = err.Error()
	}
	return h
}

func (b *Box) sound(over time.Duration) api.Sound {
	f := b.media.Lateness(over)
	delay := func(s lateness.Spread) api.Delay {
		return api.Delay{P50us: s.P50.Microseconds(), P99us: s.P99.Microseconds(), MaxUs: s.Max.Microseconds()}
	}
	return api.Sound{Ticks: f.Ticks, LateTicks: f.Late, LeftOut: f.LeftOut, Began: delay(f.Began), Took: delay(f.Took)}
}

// Timeline gives the facts after since that are kept, the newest too.
func (b *Box) Timeline(since call.Seq) (out []call.Entry) {
	for {
		list := b.journal.Entries(since, 1000)
		if len(list) == 0 {
			return out
		}
		out = append(out, list...)
		since = list[len(list)-1].Seq
	}
}

// Records gives all call records, in the order in which their calls ended.
func (b *Box) Records() (out []view.Record, err error) {
	for after := uint64(0); ; {
		rows, err := b.journal.Rows(view.RecordsName, after, 1000)
		if err != nil || len(rows) == 0 {
			return out, err
		}
		for _, row := range rows {
			var r view.Record
			if err := json.Unmarshal(row.Body, &r); err != nil {
				return nil, fmt.Errorf("record %d: %w", row.No, err)
			}
			out = append(out, r)
			after = row.No
		}
	}
}
