package radio

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"
)

const (
	frame     = 160            // samples in 20 ms at 8 kHz
	prefill   = 2 * 2 * frame  // bytes that must be there before an uplink that ran dry goes on: 40 ms
	maxUplink = 10 * 2 * frame // bytes that wait at most: 200 ms
)

// Frame is the step in which sound moves.
const Frame = 20 * time.Millisecond

// MaxDownlink is how many bytes of sound wait for a host who is late: 100 ms, then they are dropped.
const MaxDownlink = 5 * 2 * frame

// Uplink is what the host has written to the sound port and the network has not taken yet. The zero
// value throws everything away until Open.
type Uplink struct {
	dropped atomic.Int64

	mu    sync.Mutex // guards what follows
	flows bool       // a call wants it; else it is thrown away
	dry   bool
	b     []byte
}

// Open says whether a call wants the sound; else it is thrown away.
func (u *Uplink) Open(flows bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.flows != flows {
		u.flows, u.dry, u.b = flows, true, nil
	}
}

// Push takes what the host wrote.
func (u *Uplink) Push(b []byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.flows {
		return
	}
	u.b = append(u.b, b...)
	for len(u.b) > maxUplink {
		u.b = u.b[2*frame:]
		u.dropped.Add(2 * frame)
	}
}

// Pull is the next 20 ms of what is there; silence where the host is late.
func (u *Uplink) Pull() []int16 {
	pcm := make([]int16, frame)
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.dry && len(u.b) < prefill {
		return pcm
	}
	n := min(len(u.b)/2, len(pcm))
	for i := range n {
		pcm[i] = int16(binary.LittleEndian.Uint16(u.b[2*i:]))
	}
	u.b = u.b[2*n:]
	u.dry = n < len(pcm)
	return pcm
}

// Dropped is how many bytes found no room.
func (u *Uplink) Dropped() int64 { return u.dropped.Load() }

// Exchange moves 20 ms of sound between the host, who says mine, and the calls; what it returns is for
// the host. What is held hears silence; several active calls hear each other.
func (c *Calls) Exchange(mine []int16) []int16 {
	talking := c.All(Active)
	said := make([][]int16, len(talking))
	for i, v := range talking {
		said[i] = append([]int16(nil), mine...)
		for _, other := range talking {
			if other != v {
				mix(said[i], other.heard)
			}
		}
	}
	down := make([]int16, frame)
	for i, v := range talking {
		v.Leg.Exchange(said[i], v.heard)
		mix(down, v.heard)
	}
	silence := make([]int16, frame)
	for _, v := range c.All(Held) {
		v.Leg.Exchange(silence, v.heard)
	}
	return down
}

// Bytes is sound as the port carries it.
func Bytes(pcm []int16) []byte {
	b := make([]byte, 0, 2*len(pcm))
	for _, s := range pcm {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	return b
}

func mix(to, from []int16) {
	for i, s := range from {
		to[i] = int16(min(max(int(to[i])+int(s), -32768), 32767))
	}
}
