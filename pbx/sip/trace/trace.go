// Package trace keeps the SIP messages of the last while as they stood on the wire, so that somebody
// can see afterwards why a call failed: as a ladder, as lines that follow, or as a capture file.
//
// It promises: who sends and receives is never held up, for a message is copied once and nobody waits
// for a reader; memory is bounded by what New was told; what strangers send has a small ring of its own, so that
// a flood of it does not wash out calls; Blank takes passwords' answers, keys of sound and pressed keys
// out of what leaves the box. Start reading at Trace, then Read.
package trace

import (
	"bytes"
	"net/netip"
	"sync"
	"time"

	"branchline/hal"
)

// Message is one message as it stood on the wire, or what came in the place of one.
type Message struct {
	No            uint64 // grows with each message
	At            time.Time
	Line          string
	Out           bool   // the box sent it
	Network       string // udp, tcp, tls
	Local, Remote netip.AddrPort
	Conn          uint64 // number of the connection; 0: none
	Text          []byte // the reader's own; of tls in clear
}

// Leg is what a Call-ID belongs to.
type Leg struct {
	ID     hal.LegID
	CallID string
	Peer   string // who is at the far end: an extension, a trunk
}

// Trace keeps messages. Its methods may be called by anybody.
type Trace struct {
	mu      sync.Mutex // guards what follows; held for the copy of one message at most
	last    uint64
	calls   ring
	strange ring
	known   recent[netip.AddrPort, struct{}]
	legs    recent[hal.LegID, Leg]
	ids     recent[string, Leg] // by Call-ID
}

const (
	// DefaultBytes are kept where nothing else is said: some 10,000 messages.
	DefaultBytes = 8 << 20
	strangeShare = 8 // strangers have one part of that many
	maxKnown     = 4096
	maxLegs      = 8192
)

// New makes a Trace that keeps about so many bytes of messages, and a quarter of that about them.
// 0: DefaultBytes.
func New(size int) *Trace {
	if size <= 0 {
		size = DefaultBytes
	}
	few := size / strangeShare
	return &Trace{
		calls: newRing(size - few), strange: newRing(few), known: recent[netip.AddrPort, struct{}]{most: maxKnown},
		legs: recent[hal.LegID, Leg]{most: maxLegs}, ids: recent[string, Leg]{most: maxLegs},
	}
}

// Tap is where the wire of one line tells what goes over it.
type Tap struct {
	trace *Trace
	line  string
}

// Tap gives the one of a line.
func (t *Trace) Tap(line string) *Tap { return &Tap{t, line} }

// Saw keeps a copy of text. It does not wait and keeps nothing of text itself.
func (p *Tap) Saw(network string, local, remote netip.AddrPort, conn uint64, out bool, text []byte) {
	proof := out && proves(text)
	t, now := p.trace, time.Now().UnixMicro()
	t.mu.Lock()
	defer t.mu.Unlock()
	if proof {
		t.known.put(remote, struct{}{})
	}
	t.last++
	at := &t.strange
	if _, ok := t.known.get(remote); ok {
		at = &t.calls
	}
	at.put(entry{no: t.last, at: now, line: p.line, out: out, network: network, local: local, remote: remote, conn: conn}, text)
}

// proves says whether a message of ours shows that its receiver is no stranger: what we ask somebody, and
// what we grant him.
func proves(text []byte) bool {
	code, answer := bytes.CutPrefix(text, []byte("SIP/2.0 "))
	if !answer {
		return true
	}
	if !bytes.HasPrefix(code, []byte("2")) {
		return false
	}
	cseq := field(text, "CSeq", "")
	return bytes.HasSuffix(cseq, []byte("REGISTER")) || bytes.HasSuffix(cseq, []byte("INVITE"))
}

// Belongs says which leg a Call-ID is of.
func (t *Trace) Belongs(l Leg) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.legs.put(l.ID, l)
	t.ids.put(l.CallID, l)
}

// Leg is what Belongs said of a leg; false: nothing, or too long ago.
func (t *Trace) Leg(id hal.LegID) (Leg, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.legs.get(id)
}

// Of is the leg that a Call-ID belongs to.
func (t *Trace) Of(callID string) (Leg, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ids.get(callID)
}

// Last is the number of the newest message; 0: there was none.
func (t *Trace) Last() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last
}

// Next is the oldest message that is kept with a number above after.
func (t *Trace) Next(after uint64) (Message, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, s := t.calls.after(after), t.strange.after(after)
	switch {
	case c != nil && (s == nil || c.no < s.no):
		return t.calls.message(c), true
	case s != nil:
		return t.strange.message(s), true
	}
	return Message{}, false
}

// recent remembers the newest of a kind, most at least and twice that at most. The zero value of most
// remembers nothing for long.
type recent[K comparable, V any] struct {
	most       int
	young, old map[K]V
}

func (r *recent[K, V]) put(k K, v V) {
	if _, there := r.young[k]; !there && len(r.young) >= r.most || r.young == nil {
		r.young, r.old = map[K]V{}, r.young
	}
	r.young[k] = v
}

func (r *recent[K, V]) get(k K) (V, bool) {
	v, ok := r.young[k]
	if !ok {
		v, ok = r.old[k]
	}
	return v, ok
}
