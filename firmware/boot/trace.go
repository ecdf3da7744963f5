package boot

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"branchline/hal"
	"branchline/pbx/media"
	"branchline/pbx/media/packets"
	"branchline/pbx/sip/trace"
	"branchline/pbx/sip/trace/pcap"
	"branchline/ui"
	"branchline/ui/api"
)

const (
	lookEvery   = 100 * time.Millisecond // for new messages, so that who follows costs the wires nothing
	maxCaptures = 2                      // of sound, at a time
	captureRate = 128 << 10              // bytes for a second: four streams of G.711 both ways take a third of it
	captureMost = 16 << 20
)

// tracer is the SIP messages and the sound that is kept for who looks for a fault.
type tracer struct {
	box   *Box
	trace *trace.Trace

	mu       sync.Mutex // guards what follows
	captures []captured // the newest last
}

// captured is sound that is or was captured, of some legs.
type captured struct {
	legs []hal.LegID
	*media.Capture
}

var _ ui.Tracer = (*tracer)(nil)

func newTracer(b *Box, size int) *tracer { return &tracer{box: b, trace: trace.New(size)} }

// Ladder is ui.Tracer's.
func (t *tracer) Ladder(legs []hal.LegID, whole bool) api.Ladder {
	l := t.trace.Ladder(legs, whole)
	out := api.Ladder{Parties: []api.Party{}, Messages: []api.SIPMessage{}}
	for _, p := range l.Parties {
		out.Parties = append(out.Parties, api.Party{Peer: p.Peer, Address: p.At.String()})
	}
	for _, s := range l.Steps {
		m := t.message(s)
		m.Party, m.Again = s.Party, s.Again
		out.Messages = append(out.Messages, m)
	}
	return out
}

func (t *tracer) message(s trace.Step) api.SIPMessage {
	m := api.SIPMessage{
		No: s.No, At: s.At, Line: s.Line, Out: s.Out, Network: s.Network, Local: s.Local.String(), Remote: s.Remote.String(),
		What: s.What, CSeq: s.CSeq, CallID: s.CallID, From: s.From, To: s.To, Target: s.Target, Why: s.Why, SDP: s.SDP,
		Text: strings.ToValidUTF8(string(s.Text), "�"),
	}
	if l, ok := t.trace.Of(s.CallID); ok {
		m.Leg, m.Peer = string(l.ID), l.Peer
	}
	return m
}

// Follow is ui.Tracer's.
func (t *tracer) Follow(ctx context.Context, whole bool) iter.Seq[api.SIPMessage] {
	return func(yield func(api.SIPMessage) bool) {
		look := time.NewTicker(lookEvery)
		defer look.Stop()
		for last := t.trace.Last(); ; {
			select {
			case <-ctx.Done():
				return
			case <-look.C:
			}
			for m, ok := t.trace.Next(last); ok && ctx.Err() == nil; m, ok = t.trace.Next(last) {
				last = m.No
				if !yield(t.message(trace.NewStep(m, whole))) {
					return
				}
			}
		}
	}
}

// Capture is ui.Tracer's. Legs that get sound later are not in it.
func (t *tracer) Capture(legs []hal.LegID, length time.Duration) (int, time.Time, error) {
	type source interface{ Capture(*media.Capture) }
	var found []source
	lines := append(t.box.lines.all(), t.box.phones)
	for _, id := range legs {
		for _, l := range lines {
			if l.Name() != id.Line() {
				continue
			}
			if s, ok := l.Audio(id).(source); ok {
				found = append(found, s)
			}
		}
	}
	if len(found) == 0 {
		return 0, time.Time{}, errors.New("no leg of the call has sound by RTP now")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if len(t.captures) == maxCaptures {
		i := slices.IndexFunc(t.captures, func(c captured) bool { return now.After(c.Until()) })
		if i < 0 {
			return 0, time.Time{}, errors.New("two captures run already; wait for the end of one")
		}
		t.captures = slices.Delete(t.captures, i, i+1)
	}
	until := now.Add(length)
	c := media.NewCapture(until, min(int(length.Seconds()*captureRate), captureMost))
	t.captures = append(t.captures, captured{slices.Clone(legs), c})
	for _, s := range found {
		s.Capture(c)
	}
	return len(found), until.UTC(), nil
}

// WritePcap is ui.Tracer's.
func (t *tracer) WritePcap(to io.Writer, legs []hal.LegID, since time.Time, whole bool) error {
	w, err := pcap.New(to)
	if err != nil {
		return err
	}
	sound := t.sound(legs, since)
	calls := t.trace.CallIDs(legs)
	until := t.trace.Last()
	for m, ok := t.trace.Next(0); ok && m.No <= until; m, ok = t.trace.Next(m.No) {
		if m.At.Before(since) || legs != nil && !m.Concerns(calls) {
			continue
		}
		for len(sound) > 0 && sound[0].At.Before(m.At) {
			if err := w.Put(datagram(sound[0])); err != nil {
				return err
			}
			sound = sound[1:]
		}
		if !whole {
			trace.Blank(m.Text)
		}
		if err := w.Put(packet(m)); err != nil {
			return err
		}
	}
	for _, p := range sound {
		if err := w.Put(datagram(p)); err != nil {
			return err
		}
	}
	return nil
}

// sound is what was captured of legs, nil for all, in the order of its times.
func (t *tracer) sound(legs []hal.LegID, since time.Time) (out []packets.Captured) {
	t.mu.Lock()
	captures := slices.Clone(t.captures)
	t.mu.Unlock()
	for _, c := range captures {
		if legs != nil && !slices.ContainsFunc(c.legs, func(l hal.LegID) bool { return slices.Contains(legs, l) }) {
			continue
		}
		for p := range c.All() {
			if !p.At.Before(since) {
				out = append(out, p)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b packets.Captured) int { return a.At.Compare(b.At) })
	return out
}

func datagram(p packets.Captured) pcap.Packet {
	out := pcap.Packet{At: p.At, From: p.Remote, To: p.Local, Data: p.Data}
	if p.Out {
		out.From, out.To = out.To, out.From
	}
	return out
}

func packet(m trace.Message) pcap.Packet {
	local := m.Local
	if m.Network == "tls" { // what was read in clear must not stand at the port of TLS
		local = netip.AddrPortFrom(local.Addr(), 5060)
	}
	out := pcap.Packet{At: m.At, From: m.Remote, To: local, Stream: m.Network != "udp", Data: m.Text}
	if m.Out {
		out.From, out.To = out.To, out.From
	}
	return out
}
