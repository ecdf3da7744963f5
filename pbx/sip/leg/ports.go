package leg

import (
	"sync"

	"branchline/hal"
	"branchline/pbx/media"
)

// Ports is the table of the RTP ports of legs, which the engine asks from its own goroutine. The zero
// value is empty.
type Ports struct {
	mu    sync.Mutex // guards what follows
	ports map[hal.LegID]*media.Port
}

// Audio is the RTP port of leg, or nil while it has none.
func (p *Ports) Audio(leg hal.LegID) hal.Audio {
	p.mu.Lock()
	defer p.mu.Unlock()
	if port := p.ports[leg]; port != nil {
		return port
	}
	return nil
}

// Clear forgets all ports: the line has ended.
func (p *Ports) Clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ports = nil
}

func (p *Ports) set(leg hal.LegID, port *media.Port) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ports == nil {
		p.ports = map[hal.LegID]*media.Port{}
	}
	if port == nil {
		delete(p.ports, leg)
		return
	}
	p.ports[leg] = port
}
