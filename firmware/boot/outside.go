package boot

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"branchline/board/sim/network"
	"branchline/pbx/config"
	"branchline/ui"
	"branchline/ui/api"
)

// outside lets people place calls from the simulated outside world.
type outside struct{ box *Box }

var _ ui.Simulator = outside{}

// keptCallers is how many people whose call is over are still shown.
const keptCallers = 8

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

// Callers are the people in a call with the box, and the last whose call is over, newest first.
func (o outside) Callers() []api.Caller {
	doc := o.box.config.doc()
	list := []api.Caller{}
	over := 0
	for _, c := range slices.Backward(o.box.world.Network.Calls()) {
		s := c.State()
		if s.Phase == network.Ended {
			if over++; over > keptCallers {
				continue
			}
		}
		list = append(list, callerOf(doc, s))
	}
	return list
}

// callerOf is the person of a call: at the end that is none of the box's lines.
func callerOf(doc *config.Doc, s network.State) api.Caller {
	c := api.Caller{
		ID: s.ID, Number: s.From, Line: s.To, State: string(s.Phase), Began: s.Began.UTC(),
		Answered: s.Answered.UTC(), Ended: s.Ended.UTC(), By: string(s.By), Cause: string(s.Cause),
	}
	ours := func(number string) bool {
		return slices.ContainsFunc(doc.Lines, func(l config.Line) bool { return l.Number == number })
	}
	if c.Called = !ours(s.To); c.Called {
		c.Number, c.Line = s.To, s.From
	}
	return c
}

func (o outside) find(id string) (*network.Call, error) {
	if c := o.box.world.Network.Find(id); c != nil && c.State().Phase != network.Ended {
		return c, nil
	}
	return nil, fmt.Errorf("nobody outside is in a call %q any more", id)
}

// Hangup lets the person of a call hang up.
func (o outside) Hangup(id string) error {
	c, err := o.find(id)
	if err == nil {
		c.Hangup()
	}
	return err
}

// Press lets the person of a call press keys.
func (o outside) Press(id, keys string) error {
	c, err := o.find(id)
	if err == nil {
		c.Key(keys)
	}
	return err
}

// bell wakes whoever waits for the next ring. The zero value is ready.
type bell struct {
	mu   sync.Mutex
	next chan struct{} // closed at the next ring; nil: nobody waits
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next != nil {
		close(b.next)
		b.next = nil
	}
}

func (b *bell) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == nil {
		b.next = make(chan struct{})
	}
	return b.next
}
