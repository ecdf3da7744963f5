package modem

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"
)

const (
	frame     = 160 // samples in 20 ms at 8 kHz
	frameTime = 20 * time.Millisecond
	prefill   = 2 * 2 * frame  // bytes that must be there before an uplink that ran dry goes on: 40 ms
	maxUplink = 10 * 2 * frame // bytes that wait at most: 200 ms

	maxDownlink = 5 * 2 * frame // bytes that wait for a reader who is late: 100 ms, then they are dropped
)

// uplink is what the host has written to the sound port and the network has not taken yet.
type uplink struct {
	dropped atomic.Int64

	mu    sync.Mutex // guards what follows
	flows bool       // a call wants it; else it is thrown away
	dry   bool
	b     []byte
}

func (u *uplink) open(flows bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.flows != flows {
		u.flows, u.dry, u.b = flows, true, nil
	}
}

func (u *uplink) push(b []byte) {
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

// pull fills pcm with what is there; silence where the host is late.
func (u *uplink) pull(pcm []int16) {
	clear(pcm)
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.dry && len(u.b) < prefill {
		return
	}
	n := min(len(u.b)/2, len(pcm))
	for i := range n {
		pcm[i] = int16(binary.LittleEndian.Uint16(u.b[2*i:]))
	}
	u.b = u.b[2*n:]
	u.dry = n < len(pcm)
}

// startSound begins the 20 ms steps; they go on while a call is connected.
func (m *Modem) startSound() {
	if m.ticking {
		return
	}
	m.ticking = true
	m.uplink.open(m.values["pcm"] == "1,0")
	m.tickAt = time.Now().Add(frameTime)
	m.agenda.when(m.tickAt, m.tick)
}

// tick moves 20 ms of sound between the port and the calls. What is held hears silence; several
// active calls hear each other.
func (m *Modem) tick() {
	if m.in(active, held) == nil {
		m.ticking = false
		m.uplink.open(false)
		return
	}
	serial := m.values["pcm"] == "1,0"
	var mine, silence [frame]int16
	m.uplink.pull(mine[:])
	if !serial || m.values["+CMUT"] == "1" {
		mine = silence
	}
	talking := m.all(active)
	said := make([][]int16, len(talking))
	for i, v := range talking {
		said[i] = append([]int16(nil), mine[:]...)
		for _, other := range talking {
			if other != v {
				mix(said[i], other.heard)
			}
		}
	}
	var down [frame]int16
	for i, v := range talking {
		v.leg.Exchange(said[i], v.heard)
		mix(down[:], v.heard)
	}
	for _, v := range m.all(held) {
		v.leg.Exchange(silence[:], v.heard)
	}
	if serial && len(talking) > 0 {
		m.sendSound(down[:])
	}
	m.tickAt = m.tickAt.Add(frameTime)
	if late := time.Since(m.tickAt); late > 10*frameTime { // the machine slept: do not run after it
		m.tickAt = time.Now().Add(frameTime)
	}
	m.agenda.when(m.tickAt, m.tick)
}

func (m *Modem) sendSound(pcm []int16) {
	if m.muteSound {
		clear(pcm)
	}
	b := make([]byte, 0, 2*len(pcm))
	for _, s := range pcm {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	m.plug.PCM.Write(b)
}

func mix(to, from []int16) {
	for i, s := range from {
		to[i] = int16(min(max(int(to[i])+int(s), -32768), 32767))
	}
}
