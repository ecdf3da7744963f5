// Package radio is the calls of a simulated modem: which there are, what holding and swapping them
// does, and their sound. It knows no AT. One goroutine owns a Calls; the sound that the host writes
// may come from another. Start at Calls.
package radio

import (
	"slices"
	"time"

	"branchline/board/sim/network"
	"branchline/hal"
)

// The states of a call as +CLCC tells them (3GPP TS 27.007 7.18); Ended is ours.
const (
	Active   = 0
	Held     = 1
	Dialling = 2
	Alerting = 3
	Incoming = 4
	Waiting  = 5
	Ended    = -1
)

// Call is one call.
type Call struct {
	ID        int
	Leg       *network.Leg
	Out       bool
	Stat      int
	Number    string
	Mpty      bool
	Answering bool // ATA is given
	Answered  bool
	Rings     int
	Began     time.Time // when it was told that it is up; of the owner

	heard []int16 // the last 20 ms from the far end
}

// Type is the type of address of the number: 145 with +, 128 withheld, else 129.
func (v *Call) Type() int { return NumberType(v.Number) }

// Dir is 0 for a call of ours, 1 for one that came in.
func (v *Call) Dir() int {
	if v.Out {
		return 0
	}
	return 1
}

// NumberType is the type of address of a number: 145 with +, 128 withheld, else 129.
func NumberType(number string) int {
	switch {
	case number == "":
		return 128
	case number[0] == '+':
		return 145
	default:
		return 129
	}
}

// Calls is the list of calls. The zero value is empty once Changed is set.
type Calls struct {
	Changed func(*Call) // told after each change of a call's Stat by the methods that say so

	list []*Call
}

// Add lists a new call under the lowest id from first that is free.
func (c *Calls) Add(l *network.Leg, out bool, stat, first int) *Call {
	id := first
	for c.ByID(id) != nil {
		id++
	}
	v := &Call{ID: id, Leg: l, Out: out, Stat: stat, Number: l.Far(), heard: make([]int16, frame)}
	c.list = append(c.list, v)
	return v
}

// Remove takes v off the list; nobody is told.
func (c *Calls) Remove(v *Call) {
	v.Stat = Ended
	c.list = slices.DeleteFunc(c.list, func(other *Call) bool { return other == v })
}

// Release ends v from this side; nobody is told. refusal is what somebody who still rings hears.
func (c *Calls) Release(v *Call, refusal hal.Cause) {
	why := hal.Normal
	if v.Stat == Incoming || v.Stat == Waiting {
		why = refusal
	}
	c.End(v, why)
}

// End ends v from this side with a cause; nobody is told.
func (c *Calls) End(v *Call, why hal.Cause) {
	c.Remove(v)
	v.Leg.Hangup(why)
}

// Len is how many calls there are.
func (c *Calls) Len() int { return len(c.list) }

// Of is the call of a leg, or nil.
func (c *Calls) Of(l *network.Leg) *Call {
	return c.find(func(v *Call) bool { return v.Leg == l })
}

// ByID is the call with an id, or nil.
func (c *Calls) ByID(id int) *Call {
	return c.find(func(v *Call) bool { return v.ID == id })
}

// In is the first call in one of the states, or nil.
func (c *Calls) In(stats ...int) *Call {
	return c.find(func(v *Call) bool { return slices.Contains(stats, v.Stat) })
}

func (c *Calls) find(is func(*Call) bool) *Call {
	if i := slices.IndexFunc(c.list, is); i >= 0 {
		return c.list[i]
	}
	return nil
}

// All is every call in one of the states; without states every call. It is a copy.
func (c *Calls) All(stats ...int) (all []*Call) {
	for _, v := range c.list {
		if len(stats) == 0 || slices.Contains(stats, v.Stat) {
			all = append(all, v)
		}
	}
	return all
}

// Take answers a call that comes in, and holds what was active; Changed is told. False: its end is
// on the way.
func (c *Calls) Take(v *Call) bool {
	if c.Of(v.Leg) == nil {
		return false
	}
	c.Hold(c.All(Active))
	if v.Leg.Answer() != nil {
		return false
	}
	c.Connected(v)
	return true
}

// Connected makes v the call that talks; Changed is told.
func (c *Calls) Connected(v *Call) {
	v.Stat, v.Answered = Active, true
	c.Changed(v)
}

// Hold puts calls on hold; Changed is told.
func (c *Calls) Hold(all []*Call) {
	for _, v := range all {
		v.Stat = Held
		v.Leg.Hold(true)
		c.Changed(v)
	}
}

// Resume takes v off hold; Changed is told.
func (c *Calls) Resume(v *Call) {
	if v.Stat == Held {
		v.Stat = Active
		v.Leg.Hold(false)
		c.Changed(v)
	}
}

// Swap is CHLD=2: it holds what is active and returns the call that waits, to be taken; where none
// does, it resumes what was held.
func (c *Calls) Swap() *Call {
	was := c.All(Active)
	c.Hold(was)
	if v := c.In(Waiting, Incoming); v != nil {
		return v
	}
	for _, v := range c.All(Held) {
		if !slices.Contains(was, v) {
			c.Resume(v)
		}
	}
	return nil
}

// Other is the second half of CHLD=1: the call that waits, to be taken; where none does, what was
// held is resumed.
func (c *Calls) Other() *Call {
	if v := c.In(Waiting); v != nil {
		return v
	}
	for _, v := range c.All(Held) {
		c.Resume(v)
	}
	return nil
}

// Join is CHLD=3: what is active and what is held become one conference. False: there are not both.
func (c *Calls) Join() bool {
	if c.In(Held) == nil || c.In(Active) == nil {
		return false
	}
	for _, v := range c.All(Active, Held) {
		c.Resume(v)
		v.Mpty = true
	}
	return true
}

// Only is CHLD=2x: it holds all but v, which talks.
func (c *Calls) Only(v *Call) {
	for _, other := range c.All(Active) {
		if other != v {
			c.Hold([]*Call{other})
		}
	}
	c.Resume(v)
}
