package rtp

import (
	"encoding/binary"
	"time"
)

// Types of RTCP packets (RFC 3550 section 12.1).
const (
	senderReport   = 200
	receiverReport = 201
	description    = 202
)

const (
	reportHead = 8  // of any, with its SSRC
	senderLen  = 20 // what a sender tells of itself
	blockLen   = 24 // what is told of one stream
	nameLen    = 8  // of our CNAME

	// ReportLen is the longest that Report.Put writes.
	ReportLen = reportHead + senderLen + blockLen + reportHead + 2 + nameLen + 2
)

// Reception measures what comes of one sender (RFC 3550 sections 6.4.1 and A.3). The zero value is
// ready.
type Reception struct {
	Hz uint32 // how fast timestamps count; 0: 8000

	any       bool
	ssrc      uint32
	first     uint32 // number with which it began
	newest    uint32 // with how often numbers went round above
	received  uint32
	past      [2]uint64 // expected and received of senders before
	told      [2]uint32 // expected and received until the last report
	transit   int64     // of the last packet, by the clock of the stream
	timed     bool      // transit is set
	jitter    int64     // 16 times
	heardNTP  uint32    // the middle of the time of its last report
	heardFrom time.Duration
}

// Take counts a packet that came at now. Sound: its timestamp tells when it was said.
func (r *Reception) Take(p *Packet, now time.Duration, sound bool) {
	ahead := int16(p.Seq - uint16(r.newest))
	if !r.any || p.SSRC != r.ssrc || ahead > 10*seqWindow || ahead < -10*seqWindow {
		r.begin(p)
		ahead = 0
	}
	if ahead > 0 {
		r.newest += uint32(ahead)
	}
	r.received++
	if !sound {
		return
	}
	at := int64(now) * int64(hertz(r.Hz)) / int64(time.Second)
	transit := int64(int32(uint32(at) - p.Timestamp))
	if d := transit - r.transit; r.timed && d < int64(hertz(r.Hz)) && -d < int64(hertz(r.Hz)) { // a jump of its clock is none
		r.jitter += max(d, -d) - (r.jitter+8)>>4
	}
	r.transit, r.timed = transit, true
}

func (r *Reception) begin(p *Packet) {
	if r.any {
		r.past[0] += uint64(r.expected())
		r.past[1] += uint64(min(r.received, r.expected()))
	}
	if p.SSRC != r.ssrc {
		r.heardNTP = 0
	}
	r.any, r.ssrc, r.received, r.told, r.timed, r.jitter = true, p.SSRC, 0, [2]uint32{}, false, 0
	r.first = 1<<16 | uint32(p.Seq) // so that what came before it counts too
	r.newest = r.first
}

func (r *Reception) expected() uint32 { return r.newest - r.first + 1 }

// Counts is how many packets should have come until now, and how many of them did not.
func (r *Reception) Counts() (expected, lost uint64) {
	if !r.any {
		return 0, 0
	}
	expected = r.past[0] + uint64(r.expected())
	return expected, expected - min(expected, r.past[1]+uint64(min(r.received, r.expected())))
}

// Jitter is how unevenly it comes.
func (r *Reception) Jitter() time.Duration {
	return time.Duration(r.jitter>>4) * time.Second / time.Duration(hertz(r.Hz))
}

// Heard notes the sender's own report, which came at now.
func (r *Reception) Heard(h Heard, now time.Duration) {
	if h.Sender && r.any && h.SSRC == r.ssrc {
		r.heardNTP, r.heardFrom = h.NTP, now
	}
}

// put writes the block about what came and begins a new interval.
func (r *Reception) put(b []byte, now time.Duration) {
	expected, came := r.expected(), r.received
	lost := int64(expected) - int64(came)
	span, got := expected-r.told[0], came-r.told[1]
	r.told = [2]uint32{expected, came}
	fraction := uint32(0)
	if span > got && span > 0 {
		fraction = min((span-got)*256/span, 255)
	}
	binary.BigEndian.PutUint32(b, r.ssrc)
	binary.BigEndian.PutUint32(b[4:], fraction<<24|uint32(max(min(lost, 1<<23-1), -1<<23))&0xffffff)
	binary.BigEndian.PutUint32(b[8:], r.newest-1<<16)
	binary.BigEndian.PutUint32(b[12:], uint32(r.jitter>>4))
	binary.BigEndian.PutUint32(b[16:], r.heardNTP)
	since := uint32(0)
	if r.heardNTP != 0 {
		since = uint32(shortTime(now - r.heardFrom))
	}
	binary.BigEndian.PutUint32(b[20:], since)
}

// shortTime is d in 65536ths of a second.
func shortTime(d time.Duration) int64 { return int64(d) * 65536 / int64(time.Second) }

// Report is what we tell of ourselves; Packets 0: that we have sent nothing.
type Report struct {
	SSRC            uint32
	NTP             uint64
	Timestamp       uint32
	Packets, Octets uint32
}

// NTP is the time of day as reports tell it.
func NTP(t time.Time) uint64 {
	const since1900 = 2_208_988_800 // seconds to 1970
	return uint64(t.Unix()+since1900)<<32 | uint64(t.Nanosecond())<<32/1e9
}

// Put writes a compound packet into b, which holds ReportLen bytes: a sender's or receiver's report
// about what came, and a name. It tells how long it is.
func (p *Report) Put(b []byte, r *Reception, now time.Duration) int {
	b = b[:ReportLen]
	n := reportHead
	kind := byte(receiverReport)
	if p.Packets > 0 {
		kind = senderReport
		binary.BigEndian.PutUint64(b[n:], p.NTP)
		binary.BigEndian.PutUint32(b[n+8:], p.Timestamp)
		binary.BigEndian.PutUint32(b[n+12:], p.Packets)
		binary.BigEndian.PutUint32(b[n+16:], p.Octets)
		n += senderLen
	}
	blocks := byte(0)
	if r.any {
		blocks = 1
		r.put(b[n:], now)
		n += blockLen
	}
	p.head(b, blocks, kind, n)
	named := b[n:]
	size := reportHead + 2 + nameLen + 2 // an item, and at least one zero behind it
	p.head(named, 1, description, size)
	named[reportHead], named[reportHead+1] = 1, nameLen // CNAME
	for i := range nameLen {
		named[reportHead+2+i] = "0123456789abcdef"[p.SSRC>>(28-4*i)&15]
	}
	clear(named[reportHead+2+nameLen : size])
	return n + size
}

func (p *Report) head(b []byte, count, kind byte, size int) {
	b[0], b[1] = 0x80|count, kind
	binary.BigEndian.PutUint16(b[2:], uint16(size/4-1))
	binary.BigEndian.PutUint32(b[4:], p.SSRC)
}

// Heard is what a far end reports.
type Heard struct {
	SSRC   uint32
	Sender bool   // it has told its time
	NTP    uint32 // the middle of it

	About     bool // it tells of what we send:
	Fraction  uint8
	Jitter    uint32 // by the clock of the stream
	Last, Ago uint32 // our last report that it knows, and for how long, in 65536ths of a second
}

// ReadReport reads a compound packet for us, who send as ssrc. False: it is none.
func ReadReport(b []byte, ssrc uint32) (h Heard, ok bool) {
	for first := true; len(b) > 0; first = false {
		if len(b) < 4 || b[0]>>6 != 2 {
			return Heard{}, false
		}
		size := 4 + 4*int(binary.BigEndian.Uint16(b[2:]))
		kind, blocks := b[1], int(b[0]&0x1f)
		if size > len(b) || first && kind != senderReport && kind != receiverReport {
			return Heard{}, false
		}
		if kind == senderReport || kind == receiverReport {
			if !h.read(b[:size], kind == senderReport, blocks, ssrc) {
				return Heard{}, false
			}
		}
		b = b[size:]
	}
	return h, true
}

func (h *Heard) read(b []byte, sender bool, blocks int, ssrc uint32) bool {
	from := reportHead
	if sender {
		from += senderLen
	}
	if len(b) < from+blocks*blockLen {
		return false
	}
	h.SSRC = binary.BigEndian.Uint32(b[4:])
	if sender {
		h.Sender, h.NTP = true, uint32(binary.BigEndian.Uint64(b[8:])>>16)
	}
	for ; blocks > 0; blocks-- {
		if block := b[from:]; binary.BigEndian.Uint32(block) == ssrc {
			h.About, h.Fraction = true, block[4]
			h.Jitter = binary.BigEndian.Uint32(block[12:])
			h.Last, h.Ago = binary.BigEndian.Uint32(block[16:]), binary.BigEndian.Uint32(block[20:])
		}
		from += blockLen
	}
	return true
}

// RoundTrip is how long a packet takes to the far end and back, as heard at ntp. False: that cannot be
// known of it.
func (h *Heard) RoundTrip(ntp uint64) (time.Duration, bool) {
	if !h.About || h.Last == 0 {
		return 0, false
	}
	took := int32(uint32(ntp>>16) - h.Last - h.Ago)
	d := time.Duration(took) * time.Second / 65536
	return max(d, 0), d > -time.Second && d < 10*time.Second
}

// MOS is what a listener would say of sound with that loss, from 1 to 4.4, by the E-model (ITU-T G.107
// with the defaults of its annexes; G.711 with its own loss concealment, G.113 table I.2): delay is from
// mouth to ear.
func MOS(loss float64, delay time.Duration) float64 {
	ms := float64(delay) / float64(time.Millisecond)
	r := 93.2 - 0.024*ms - 95*loss*100/(loss*100+25.1)
	if late := ms - 177.3; late > 0 {
		r -= 0.11 * late
	}
	r = max(0, min(r, 100))
	return max(1, 1+0.035*r+r*(r-60)*(100-r)*7e-6)
}
