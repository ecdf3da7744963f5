package modem

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"branchline/board/sim/network"
	"branchline/hal"
)

var _ network.Station = (*Modem)(nil)

// The states of a call as +CLCC tells them (3GPP TS 27.007 7.18); ended is ours.
const (
	active   = 0
	held     = 1
	dialling = 2
	alerting = 3
	incoming = 4
	waiting  = 5
	ended    = -1
)

// voice is one call.
type voice struct {
	id        int
	leg       *network.Leg
	out       bool
	stat      int
	number    string
	mpty      bool
	answering bool // ATA is given
	answered  bool
	rings     int
	heard     []int16 // the last 20 ms from the far end
}

// numberType is the type of address: 145 with +, 128 withheld, else 129.
func numberType(number string) int {
	switch {
	case number == "":
		return 128
	case number[0] == '+':
		return 145
	default:
		return 129
	}
}

// Ring is the network's word that somebody calls.
func (m *Modem) Ring(l *network.Leg) { m.inbox.post(func() { m.ringIn(l) }) }

// Alerting is the network's word that the dialled number rings.
func (m *Modem) Alerting(l *network.Leg) {
	m.inbox.post(func() {
		if v := m.of(l); v != nil && v.stat == dialling {
			v.stat = alerting
			m.stateOf(v)
		}
	})
}

// Answered is the network's word that the dialled number has answered.
func (m *Modem) Answered(l *network.Leg) {
	m.inbox.post(func() {
		if v := m.of(l); v != nil {
			m.connected(v)
		}
	})
}

// Ended is the network's word that the far end is gone.
func (m *Modem) Ended(l *network.Leg, why hal.Cause) {
	m.inbox.post(func() {
		if v := m.of(l); v != nil {
			m.gone(v, why)
		}
	})
}

// KeyHeard is what the tone detector finds in the sound of a call.
func (m *Modem) KeyHeard(l *network.Leg, key byte, d time.Duration) {
	m.inbox.post(func() {
		v := m.of(l)
		if v != nil && v.stat == active && m.values["+QTONEDET"] == "1" && d >= 40*time.Millisecond { // ITU-T Q.24: shorter ones need not be found
			m.urc(fmt.Sprintf("+QTONEDET: %d", key))
		}
	})
}

func (m *Modem) ringIn(l *network.Leg) {
	switch {
	case !m.regd:
		l.Hangup(hal.Unreachable)
	case len(m.calls) == 0:
		m.ring(m.addCall(l, false, incoming))
	case m.values["ccwa on"] == "1" && m.in(waiting, incoming, dialling, alerting) == nil && len(m.calls) < 2:
		v := m.addCall(l, false, waiting)
		if m.values["ccwa"] == "1" {
			m.urc(fmt.Sprintf(`+CCWA: %q,%d,1`, v.number, numberType(v.number)))
		}
		l.Ringing()
		m.stateOf(v)
	default:
		l.Hangup(hal.Busy)
	}
}

// ring says RING, and again until something becomes of it.
func (m *Modem) ring(v *voice) {
	if v.stat != incoming || v.answering || m.of(v.leg) == nil {
		return
	}
	ring := map[string]string{"0": "RING", "1": "+CRING: VOICE"}[m.values["+CRC"]]
	validity := 0
	if v.number == "" {
		validity = 1
	}
	lines := []string{ring}
	if m.values["+CLIP"] == "1" {
		lines = append(lines, fmt.Sprintf(`+CLIP: %q,%d,,,,%d`, v.number, numberType(v.number), validity))
		if m.o.ClipFirst {
			slices.Reverse(lines)
		}
	}
	for _, line := range lines {
		m.urc(line)
	}
	v.rings++
	if v.rings == 1 {
		v.leg.Ringing()
		m.stateOf(v)
	}
	if n, _ := strconv.Atoi(m.values["S0"]); n > 0 && v.rings >= n {
		v.answering = true
		m.agenda.in(m.o.Settle, func() { m.take(v) })
		return
	}
	m.agenda.in(m.o.RingEvery, func() { m.ring(v) })
}

// take answers a call that comes in; what was active is held.
func (m *Modem) take(v *voice) {
	if m.of(v.leg) == nil {
		return
	}
	m.hold(m.all(active))
	if v.leg.Answer() == nil { // else its end is on the way
		m.connected(v)
	}
}

func (m *Modem) connected(v *voice) {
	v.stat, v.answered = active, true
	m.stateOf(v)
	m.startSound()
}

// gone takes away a call that the far end or the network has ended, and says so.
func (m *Modem) gone(v *voice, why hal.Cause) {
	m.remove(v)
	m.lastEnd = why
	if !v.out && !v.answered && m.o.MissedCall {
		m.urc(strings.TrimSpace("MISSED_CALL: " + time.Now().UTC().Format("03:04PM ") + v.number))
	}
	m.stateOf(v)
	switch {
	case v.out && !v.answered && why == hal.Busy:
		m.urc("BUSY")
	case v.out && !v.answered && why == hal.NoAnswer:
		m.urc("NO ANSWER")
	default:
		m.urc("NO CARRIER")
	}
}

// release ends a call from this side; the states are said later, by sayEnded.
func (m *Modem) release(v *voice, why hal.Cause) {
	m.remove(v)
	m.lastEnd = why
	v.leg.Hangup(why)
}

func (m *Modem) releaseAll(all []*voice, waitingWhy hal.Cause) {
	for _, v := range all {
		m.release(v, m.byeCause(v, waitingWhy))
	}
}

func (m *Modem) sayEnded(all []*voice) {
	for _, v := range all {
		m.stateOf(v)
	}
}

// dropCalls is what becomes of the calls when power or the radio goes.
func (m *Modem) dropCalls() {
	for _, v := range slices.Clone(m.calls) {
		v.leg.Hangup(hal.WireTrouble)
		m.gone(v, hal.WireTrouble)
	}
}

// swap is CHLD=2: hold what is active, take what waits or is held.
func (m *Modem) swap() {
	was := m.all(active)
	m.hold(was)
	if v := m.in(waiting, incoming); v != nil {
		m.take(v)
		return
	}
	for _, v := range m.all(held) {
		if !slices.Contains(was, v) {
			m.resume(v)
		}
	}
}

// takeOther is the second half of CHLD=1.
func (m *Modem) takeOther() {
	if v := m.in(waiting); v != nil {
		m.take(v)
		return
	}
	for _, v := range m.all(held) {
		m.resume(v)
	}
}

func (m *Modem) hold(all []*voice) {
	for _, v := range all {
		v.stat = held
		v.leg.Hold(true)
		m.stateOf(v)
	}
}

func (m *Modem) resume(v *voice) {
	if v.stat == held {
		v.stat = active
		v.leg.Hold(false)
		m.stateOf(v)
	}
}

// stateOf says how a call stands, in the ways that are configured.
func (m *Modem) stateOf(v *voice) {
	dir := map[bool]int{true: 0, false: 1}[v.out]
	if m.values["^DSCI"] == "1" {
		stat := map[int]int{active: 3, held: 1, dialling: 2, alerting: 7, incoming: 4, waiting: 5, ended: 6}[v.stat]
		m.urc(fmt.Sprintf("^DSCI: %d,%d,%d,0,%s,%d,0", v.id, dir, stat, v.number, numberType(v.number)))
	}
	if m.inds["ccinfo"] {
		m.urc(fmt.Sprintf(`+QIND: "ccinfo",%d,%d,%d,0,%d,%q,%d`, v.id, dir, v.stat, map[bool]int{true: 1}[v.mpty], v.number, numberType(v.number)))
	}
}

func (m *Modem) listCalls() (lines []string) {
	if m.bearer() {
		lines = append(lines, `+CLCC: 1,0,0,1,0,"",128`)
	}
	for _, v := range m.calls {
		lines = append(lines, fmt.Sprintf(`+CLCC: %d,%d,%d,0,%d,%q,%d`, v.id, map[bool]int{true: 0, false: 1}[v.out], v.stat,
			map[bool]int{true: 1}[v.mpty], v.number, numberType(v.number)))
	}
	return lines
}

// bearer says whether the LTE data connection is in the list of calls, as the first.
func (m *Modem) bearer() bool { return m.regd && !m.o.NoDataBearer }

func (m *Modem) addCall(l *network.Leg, out bool, stat int) *voice {
	id := 1
	if m.bearer() {
		id = 2
	}
	for m.byID(strconv.Itoa(id)) != nil {
		id++
	}
	v := &voice{id: id, leg: l, out: out, stat: stat, number: l.Far(), heard: make([]int16, frame)}
	m.calls = append(m.calls, v)
	return v
}

func (m *Modem) remove(v *voice) {
	v.stat = ended
	m.calls = slices.DeleteFunc(m.calls, func(other *voice) bool { return other == v })
}

func (m *Modem) of(l *network.Leg) *voice {
	for _, v := range m.calls {
		if v.leg == l {
			return v
		}
	}
	return nil
}

func (m *Modem) byID(id string) *voice {
	for _, v := range m.calls {
		if strconv.Itoa(v.id) == id {
			return v
		}
	}
	return nil
}

// in is the first call in one of the states, or nil.
func (m *Modem) in(stats ...int) *voice {
	for _, v := range m.calls {
		if slices.Contains(stats, v.stat) {
			return v
		}
	}
	return nil
}

func (m *Modem) all(stats ...int) (all []*voice) {
	for _, v := range m.calls {
		if slices.Contains(stats, v.stat) {
			all = append(all, v)
		}
	}
	return all
}
