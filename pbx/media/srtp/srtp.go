package srtp

import (
	"crypto/subtle"
	"encoding/binary"
)

const (
	fixedHeader  = 12 // of RTP
	reportHeader = 8  // of RTCP
	longTag      = 10
	shortTag     = 4
	indexLen     = 4 // of RTCP, with the E bit
	encrypted    = 1 << 31

	// Overhead is what protecting may add to a packet, in bytes.
	Overhead = indexLen + longTag
)

// tagLen is that of sound; reports have the long one always (RFC 4568 section 6.2).
func (s Suite) tagLen() int {
	if s == SHA132 {
		return shortTag
	}
	return longTag
}

// Sender protects what we send under one key. It belongs to one goroutine.
type Sender struct {
	key            Key
	sound, reports *session
	sent           window
	nReports       uint32
}

// NewSender makes a Sender of k, whose Suite is not None.
func NewSender(k Key) *Sender {
	return &Sender{key: k, sound: newSession(&k, forSound), reports: newSession(&k, forReports)}
}

// Uses says whether s is that of k; nil is that of no key.
func (s *Sender) Uses(k Key) bool { return s != nil && s.key == k || s == nil && k.Suite == None }

// Protect encrypts and signs in place the RTP packet that is the first n bytes of b, and tells how
// long it is now. There is room for Overhead behind it. All packets are of one SSRC.
func (s *Sender) Protect(b []byte, n int) int {
	from := headerLen(b[:n])
	if from < 0 {
		return n
	}
	index := s.sent.guess(binary.BigEndian.Uint16(b[2:]))
	s.sent.mark(max(index, s.sent.top))
	s.sound.crypt(b[from:n], binary.BigEndian.Uint32(b[8:]), index)
	return n + copy(b[n:], s.sound.sign(b[:n], true, uint32(index>>16))[:s.key.Suite.tagLen()])
}

// ProtectReport does the same for a compound RTCP packet.
func (s *Sender) ProtectReport(b []byte, n int) int {
	s.nReports = (s.nReports + 1) &^ encrypted
	s.reports.crypt(b[reportHeader:n], binary.BigEndian.Uint32(b[4:]), uint64(s.nReports))
	binary.BigEndian.PutUint32(b[n:], s.nReports|encrypted)
	n += indexLen
	return n + copy(b[n:], s.reports.sign(b[:n], false, 0)[:longTag])
}

// streams is how many SSRCs of a far end are remembered under one key: a change of it must not let
// what was heard be played again.
const streams = 16

// Receiver checks and decrypts what comes under one key. It belongs to one goroutine.
type Receiver struct {
	key            Key
	sound, reports *session
	known          [streams]struct {
		ssrc uint32
		window
	}
	next    int
	current int
	came    window // of reports
}

// NewReceiver makes a Receiver of k, whose Suite is not None.
func NewReceiver(k Key) *Receiver {
	return &Receiver{key: k, sound: newSession(&k, forSound), reports: newSession(&k, forReports)}
}

// Uses says whether r is that of k; nil is that of no key.
func (r *Receiver) Uses(k Key) bool { return r != nil && r.key == k || r == nil && k.Suite == None }

// Open decrypts an RTP packet in place and tells how long it is now. False: it is none, nobody who has
// the key sent it, or it has come before.
func (r *Receiver) Open(b []byte) (n int, ok bool) {
	n = len(b) - r.key.Suite.tagLen()
	if n < fixedHeader {
		return 0, false
	}
	from := headerLen(b[:n])
	if from < 0 {
		return 0, false
	}
	ssrc := binary.BigEndian.Uint32(b[8:])
	at := r.find(ssrc)
	var w window
	if at >= 0 {
		w = r.known[at].window
	}
	index := w.guess(binary.BigEndian.Uint16(b[2:]))
	if !w.fresh(index) || subtle.ConstantTimeCompare(b[n:], r.sound.sign(b[:n], true, uint32(index>>16))[:len(b)-n]) != 1 {
		return 0, false
	}
	if at < 0 {
		at, r.next = r.next, (r.next+1)%streams
		r.known[at].ssrc = ssrc
	}
	w.mark(index)
	r.known[at].window, r.current = w, at
	r.sound.crypt(b[from:n], ssrc, index)
	return n, true
}

// find is where ssrc is known; -1: nowhere.
func (r *Receiver) find(ssrc uint32) int {
	if k := &r.known[r.current]; k.any && k.ssrc == ssrc {
		return r.current
	}
	for i := range r.known {
		if k := &r.known[i]; k.any && k.ssrc == ssrc {
			return i
		}
	}
	return -1
}

// OpenReport does the same for a compound RTCP packet.
func (r *Receiver) OpenReport(b []byte) (n int, ok bool) {
	n = len(b) - longTag
	if n < reportHeader+indexLen {
		return 0, false
	}
	word := binary.BigEndian.Uint32(b[n-indexLen:])
	index := uint64(word &^ encrypted)
	if !r.came.fresh(index) || subtle.ConstantTimeCompare(b[n:], r.reports.sign(b[:n], false, 0)[:longTag]) != 1 {
		return 0, false
	}
	r.came.mark(index)
	n -= indexLen
	if word&encrypted != 0 {
		r.reports.crypt(b[reportHeader:n], binary.BigEndian.Uint32(b[4:]), index)
	}
	return n, true
}

// headerLen is how long the part of an RTP packet is that is not encrypted; -1: b is none.
func headerLen(b []byte) int {
	if len(b) < fixedHeader || b[0]>>6 != 2 {
		return -1
	}
	n := fixedHeader + 4*int(b[0]&0x0f)
	if b[0]&0x10 != 0 {
		if len(b) < n+4 {
			return -1
		}
		n += 4 + 4*int(binary.BigEndian.Uint16(b[n+2:]))
	}
	if n > len(b) {
		return -1
	}
	return n
}
