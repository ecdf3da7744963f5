package engine

import (
	"errors"
	"sync"

	"branchline/hal"
)

var errNoLine = errors.New("the line is not configured or has been removed")

// roster is the lines that orders can go to. Lines come and go by configuration, from another
// goroutine than the loop's.
type roster struct {
	mu    sync.Mutex
	lines map[string]hal.Line
	ours  map[string]bool
}

func (r *roster) add(l hal.Line) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lines == nil {
		r.lines, r.ours = map[string]hal.Line{}, map[string]bool{}
	}
	r.lines[l.Name()] = l
}

func (r *roster) remove(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.lines, name)
	delete(r.ours, name)
}

func (r *roster) get(name string) hal.Line {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lines[name]
}

// heard keeps which lines are inside, as their traits say.
func (r *roster) heard(s hal.InService) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ours == nil {
		r.ours = map[string]bool{}
	}
	r.ours[s.Name] = s.Traits.Inside
}

func (r *roster) inside(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ours[name]
}
