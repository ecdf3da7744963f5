package sip

import (
	"sync"

	"branchline/hal"
	"branchline/pbx/media"
)

// audio is the table of RTP ports, which the engine asks from its own goroutine.
type audio struct {
	mu    sync.Mutex // guards what follows
	ports map[hal.LegID]*media.Port
}

func (a *audio) of(leg hal.LegID) *media.Port {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ports[leg]
}

func (a *audio) set(leg hal.LegID, p *media.Port) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ports == nil {
		a.ports = map[hal.LegID]*media.Port{}
	}
	if p == nil {
		delete(a.ports, leg)
		return
	}
	a.ports[leg] = p
}

func (a *audio) clear() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ports = nil
}
