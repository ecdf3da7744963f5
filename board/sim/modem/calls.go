package modem

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"branchline/board/sim/modem/radio"
	"branchline/board/sim/network"
	"branchline/hal"
)

var (
	_ network.Station = (*Modem)(nil)
	_ network.Reader  = (*Modem)(nil)
)

// Ring is the network's word that somebody calls.
func (m *Modem) Ring(l *network.Leg) { m.inbox.Post(func() { m.ringIn(l) }) }

// Alerting is the network's word that the dialled number rings.
func (m *Modem) Alerting(l *network.Leg) {
	m.inbox.Post(func() {
		if v := m.calls.Of(l); v != nil && v.Stat == radio.Dialling {
			v.Stat = radio.Alerting
			m.stateOf(v)
		}
	})
}

// Answered is the network's word that the dialled number has answered.
func (m *Modem) Answered(l *network.Leg) {
	m.inbox.Post(func() {
		if v := m.calls.Of(l); v != nil {
			m.connected(v)
		}
	})
}

// Ended is the network's word that the far end is gone.
func (m *Modem) Ended(l *network.Leg, why hal.Cause) {
	m.inbox.Post(func() {
		if v := m.calls.Of(l); v != nil {
			m.gone(v, why)
		}
	})
}

// KeyHeard is what the tone detector finds in the sound of a call.
func (m *Modem) KeyHeard(l *network.Leg, key byte, d time.Duration) {
	m.inbox.Post(func() {
		v := m.calls.Of(l)
		if v != nil && v.Stat == radio.Active && d >= 40*time.Millisecond { // ITU-T Q.24: shorter ones need not be found
			m.urcs(m.make.tone(m, key)...)
		}
	})
}

func (m *Modem) ringIn(l *network.Leg) {
	switch {
	case !m.regd:
		l.Hangup(hal.Unreachable)
	case m.calls.Len() == 0:
		m.ring(m.calls.Add(l, false, radio.Incoming, m.firstID()))
	case m.term.Values["ccwa on"] == "1" && m.calls.In(radio.Waiting, radio.Incoming, radio.Dialling, radio.Alerting) == nil && m.calls.Len() < 2:
		v := m.calls.Add(l, false, radio.Waiting, m.firstID())
		if m.term.Values["ccwa"] == "1" {
			m.urc(fmt.Sprintf(`+CCWA: %q,%d,1`, v.Number, v.Type()))
		}
		l.Ringing()
		m.stateOf(v)
	default:
		l.Hangup(hal.Busy)
	}
}

// ring says RING, and again until something becomes of it.
func (m *Modem) ring(v *radio.Call) {
	if v.Stat != radio.Incoming || v.Answering || m.calls.Of(v.Leg) == nil {
		return
	}
	ring := map[string]string{"0": "RING", "1": "+CRING: VOICE"}[m.term.Values["+CRC"]]
	validity := 0
	if v.Number == "" {
		validity = 1
	}
	lines := []string{ring}
	if m.term.Values["+CLIP"] == "1" {
		lines = append(lines, fmt.Sprintf(`+CLIP: %q,%d,,,,%d`, v.Number, v.Type(), validity))
		if m.o.ClipFirst {
			slices.Reverse(lines)
		}
	}
	for _, line := range lines {
		m.urc(line)
	}
	v.Rings++
	if v.Rings == 1 {
		v.Leg.Ringing()
		m.stateOf(v)
	}
	if n, _ := strconv.Atoi(m.term.Values["S0"]); n > 0 && v.Rings >= n {
		v.Answering = true
		m.agenda.In(m.o.Settle, func() { m.take(v) })
		return
	}
	m.agenda.In(m.o.RingEvery, func() { m.ring(v) })
}

// take answers a call that comes in; what was active is held.
func (m *Modem) take(v *radio.Call) {
	if v != nil && m.calls.Take(v) {
		m.startSound()
	}
}

func (m *Modem) connected(v *radio.Call) {
	m.calls.Connected(v)
	m.startSound()
}

// gone takes away a call that the far end or the network has ended, and says so.
func (m *Modem) gone(v *radio.Call, why hal.Cause) {
	m.calls.Remove(v)
	m.lastEnd = why
	if !v.Out && !v.Answered && (m.o.MissedCall || m.make.missedCall) {
		m.urc(strings.TrimSpace("MISSED_CALL: " + time.Now().UTC().Format("03:04PM ") + v.Number))
	}
	m.urcs(m.make.ended(m, v, why, true)...)
	switch {
	case v.Out && !v.Answered && why == hal.Busy:
		m.urc("BUSY")
	case v.Out && !v.Answered && why == hal.NoAnswer:
		m.urc("NO ANSWER")
	default:
		m.urc("NO CARRIER")
	}
}

// release ends calls from this side; what it returns says so, to be done when the OK is out.
func (m *Modem) release(all []*radio.Call, refusal hal.Cause) (say func()) {
	for _, v := range all {
		m.lastEnd = hal.Normal
		if v.Stat == radio.Incoming || v.Stat == radio.Waiting {
			m.lastEnd = refusal
		}
		m.calls.Release(v, refusal)
	}
	say = func() {
		for _, v := range all {
			m.urcs(m.make.ended(m, v, m.lastEnd, false)...)
		}
	}
	if m.make.endFirst {
		say()
		return nil
	}
	return say
}

// dropCalls is what becomes of the calls when power or the radio goes.
func (m *Modem) dropCalls() {
	for _, v := range m.calls.All() {
		v.Leg.Hangup(hal.WireTrouble)
		m.gone(v, hal.WireTrouble)
	}
}

// stateOf says how a call stands, in the make's ways.
func (m *Modem) stateOf(v *radio.Call) { m.urcs(m.make.changed(m, v)...) }

func (m *Modem) listCalls() (lines []string) {
	if m.bearer() {
		lines = append(lines, `+CLCC: 1,0,0,1,0,"",128`)
	}
	for _, v := range m.calls.All() {
		lines = append(lines, clcc(v))
	}
	return lines
}

// clcc is a call as AT+CLCC lists it: 3GPP TS 27.007 7.18.
func clcc(v *radio.Call) string {
	return fmt.Sprintf(`+CLCC: %d,%d,%d,0,%d,%q,%d`, v.ID, v.Dir(), v.Stat, one(v.Mpty), v.Number, v.Type())
}

// one is 1 for true.
func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// bearer says whether the LTE data connection is in the list of calls, as the first.
func (m *Modem) bearer() bool { return m.regd && m.make.bearer && !m.o.NoDataBearer }

func (m *Modem) firstID() int { return 1 + one(m.bearer()) }

// startSound begins the 20 ms steps; they go on while a call is connected.
func (m *Modem) startSound() {
	if m.ticking {
		return
	}
	m.ticking = true
	m.uplink.Open(m.make.sounds(m))
	m.tickAt = time.Now().Add(radio.Frame)
	m.agenda.When(m.tickAt, m.tick)
}

// tick moves 20 ms of sound between the port and the calls.
func (m *Modem) tick() {
	if m.calls.In(radio.Active, radio.Held) == nil {
		m.ticking = false
		m.uplink.Open(false)
		return
	}
	serial := m.make.sounds(m)
	mine := m.uplink.Pull()
	if !serial || m.term.Values["+CMUT"] == "1" {
		clear(mine)
	}
	down := m.calls.Exchange(mine)
	if serial && m.calls.In(radio.Active) != nil {
		if m.muteSound {
			clear(down)
		}
		m.plug.PCM.Write(radio.Bytes(down))
	}
	m.tickAt = m.tickAt.Add(radio.Frame)
	if late := time.Since(m.tickAt); late > 10*radio.Frame { // the machine slept: do not run after it
		m.tickAt = time.Now().Add(radio.Frame)
	}
	m.agenda.When(m.tickAt, m.tick)
}
