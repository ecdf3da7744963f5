package trace

import (
	"bytes"
	"net/netip"
	"sort"
	"time"
)

// ring is bytes in which each message lies in one piece; the oldest make room.
type ring struct {
	bytes   []byte
	head    int // where the next message goes
	entries []entry
	first   int // the oldest of entries
	count   int
}

// entry is a message of a ring.
type entry struct {
	no            uint64
	at            int64 // µs since 1970
	line, network string
	out           bool
	local, remote netip.AddrPort
	conn          uint64
	from, to      int // in bytes
}

// perMessage is how many bytes a message is reckoned to have: a ring of shorter ones keeps fewer bytes.
const perMessage = 512

func newRing(size int) ring {
	return ring{bytes: make([]byte, size), entries: make([]entry, max(size/perMessage, 1))}
}

// put keeps e with a copy of text, of one that is larger than the ring its beginning.
func (r *ring) put(e entry, text []byte) {
	text = text[:min(len(text), len(r.bytes))]
	if r.head+len(text) > len(r.bytes) {
		for r.count > 0 && r.oldest().from >= r.head {
			r.drop()
		}
		r.head = 0
	}
	e.from, e.to = r.head, r.head+len(text)
	for r.count > 0 && (r.count == len(r.entries) || r.oldest().from < e.to && r.oldest().to > e.from) {
		r.drop()
	}
	copy(r.bytes[e.from:], text)
	r.head = e.to
	r.entries[(r.first+r.count)%len(r.entries)] = e
	r.count++
}

func (r *ring) oldest() *entry { return &r.entries[r.first] }

func (r *ring) drop() { r.first, r.count = (r.first+1)%len(r.entries), r.count-1 }

// after is the first entry above no, nil where there is none.
func (r *ring) after(no uint64) *entry {
	i := sort.Search(r.count, func(i int) bool { return r.entries[(r.first+i)%len(r.entries)].no > no })
	if i == r.count {
		return nil
	}
	return &r.entries[(r.first+i)%len(r.entries)]
}

func (r *ring) message(e *entry) Message {
	return Message{No: e.no, At: time.UnixMicro(e.at).UTC(), Line: e.line, Out: e.out, Network: e.network,
		Local: e.local, Remote: e.remote, Conn: e.conn, Text: bytes.Clone(r.bytes[e.from:e.to])}
}
