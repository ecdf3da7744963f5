package media

import (
	"math/rand/v2"
	"testing"

	"branchline/hal"
	"branchline/pbx/media/rtp"
	"branchline/pbx/media/udp"
)

// far is a far end whose sound is known to the byte, so that a test sees what of it arrives where.
// Its clock and the box's are turned by hand; its packets go through real sockets.
type far struct {
	d        *desk
	id       hal.LegID
	fd, rtcp int
	port     *Port
	session  Session
	head     rtp.Packet // of the next packet
	sent     int        // samples
	sound    []byte
	where    map[[8]byte]int // in sound

	in    *udp.Inbox
	heads []rtp.Packet // of what came
	bytes [][]byte
	at    []int // when it came, in ms of the desk
}

const longest = 12 * rate // samples that a far end says

// wired makes a desk whose ports have sockets.
func wired(t testing.TB, o Options) *desk {
	poll, err := udp.NewPoller(tick)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(poll.Close)
	d := newDesk(t, o)
	d.poll, d.in = poll, udp.NewInbox()
	return d
}

func (d *desk) far(id hal.LegID, s Session) *far {
	d.t.Helper()
	f := &far{d: d, id: id, in: udp.NewInbox(), where: map[[8]byte]int{}, head: rtp.Packet{SSRC: uint32(id[0]), Seq: 65500, Timestamp: 1<<32 - 8000}}
	var err error
	var ports udp.Range
	ports.Set(27000, 27999)
	fd, rtcp, local, err := ports.Take(loopback)
	if err != nil {
		d.t.Fatal(err)
	}
	f.fd, f.rtcp = fd, rtcp
	if f.port, err = d.OpenRTP(id, loopback); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { f.port.release(); udp.Close(fd, rtcp) })
	chance := rand.New(rand.NewPCG(uint64(id[0]), 1))
	f.sound = make([]byte, longest)
	for i := range f.sound {
		if f.sound[i] = byte(chance.Uint32()); f.sound[i] == 0x7f {
			f.sound[i] = 0xff // a second name of zero, which the mix changes into the first
		}
		if i >= 8 {
			f.where[[8]byte(f.sound[i-8:i])] = i - 8
		}
	}
	s.Remote, s.Send, s.Recv = local, true, true
	f.session = s
	f.port.Negotiated(s)
	d.Attach(id, f.port)
	d.settle()
	return f
}

// packet is the next of the far end's packets.
func (f *far) packet(n int) []byte {
	head := f.head
	head.PayloadType = f.session.PayloadType
	b := make([]byte, rtp.HeaderLen, rtp.HeaderLen+n)
	head.PutHeader(b)
	b = append(b, f.sound[f.sent:f.sent+n]...)
	f.sent += n
	f.head.Seq++
	f.head.Timestamp += uint32(n)
	return b
}

func (f *far) say(b []byte) { f.port.take(b, f.session.Remote, false) }

// skip is 20 ms in which the far end is silent.
func (f *far) skip() {
	f.sent += frame
	f.head.Timestamp += frame
}

func (f *far) event(payload ...byte) []byte {
	head := f.head
	head.PayloadType = f.session.DTMF
	b := make([]byte, rtp.HeaderLen, rtp.HeaderLen+4)
	head.PutHeader(b)
	f.head.Seq++
	return append(b, payload...)
}

// listen takes what has come at ms now.
func (f *far) listen(now int) {
	for n := f.in.Read(f.fd); n > 0; n = f.in.Read(f.fd) {
		for i := range n {
			b, _ := f.in.Packet(i)
			p, ok := rtp.Parse(b)
			if !ok {
				f.d.t.Errorf("%s was sent %x", f.id, b)
			}
			f.bytes = append(f.bytes, append([]byte(nil), p.Payload...))
			p.Payload = nil
			f.heads = append(f.heads, p)
			f.at = append(f.at, now)
		}
	}
}

// table is a desk with far ends, whose packets come with the delays of a net.
type table struct {
	*desk
	fars   []*far
	now    int // ms
	chance *rand.Rand
	rough  int                // ms by which packets may be late
	on     map[int][][2]int   // at ms: far, packet
	post   map[[2]int][]byte  // packets under way
	silent map[hal.LegID]bool // does not speak
}

func newTable(d *desk, rough int, fars ...*far) *table {
	return &table{desk: d, fars: fars, chance: rand.New(rand.NewPCG(1, 2)), rough: rough,
		on: map[int][][2]int{}, post: map[[2]int][]byte{}, silent: map[hal.LegID]bool{}}
}

// pass lets ms pass, one by one: far ends speak every 20, at moments of their own.
func (t *table) pass(ms int) {
	for range ms {
		for i, f := range t.fars {
			if t.now%20 != (7+5*i)%20 {
				continue
			}
			if t.silent[f.id] {
				f.skip()
				continue
			}
			key := [2]int{i, int(f.head.Seq)}
			t.post[key] = f.packet(frame)
			when := t.now
			if t.rough > 0 {
				when += t.chance.IntN(t.rough)
			}
			t.on[when] = append(t.on[when], key)
		}
		for _, key := range t.on[t.now] {
			t.fars[key[0]].say(t.post[key])
			delete(t.post, key)
		}
		delete(t.on, t.now)
		if t.now%20 == 0 {
			t.tick()
		}
		for _, f := range t.fars {
			f.listen(t.now)
		}
		t.now++
	}
}

// numbers checks that what f was sent is one stream: each number once, one SSRC, time forward.
func (f *far) numbers() {
	f.d.t.Helper()
	for i := 1; i < len(f.heads); i++ {
		a, b := f.heads[i-1], f.heads[i]
		if b.SSRC != a.SSRC || b.Seq != a.Seq+1 {
			f.d.t.Fatalf("%s, packet %d at %d ms: %+v after %+v", f.id, i, f.at[i], b, a)
		}
		if b.PayloadType == f.session.PayloadType && a.PayloadType == b.PayloadType {
			if over := int32(b.Timestamp - a.Timestamp - uint32(len(f.bytes[i-1]))); over < 0 || over > 0 && !b.Marker {
				f.d.t.Fatalf("%s, packet %d at %d ms: %+v after %+v", f.id, i, f.at[i], b, a)
			}
		}
	}
}

// jumps lists how many samples of from's sound f did not hear (positive) or heard twice (negative)
// where the sound went on, and how late in ms the latest packet came against the earliest.
func (f *far) jumps(from *far) (jumps []int, late int) {
	const none = 1 << 30
	offset, soonest, latest := none, none, -none
	for i, b := range f.bytes {
		if len(b) < 8 || f.heads[i].PayloadType != f.session.PayloadType {
			continue
		}
		at, ok := from.where[[8]byte(b[:8])]
		if !ok {
			continue
		}
		for k := range b {
			if b[k] != from.sound[at+k] {
				f.d.t.Fatalf("%s, packet %d at %d ms: torn after %d samples", f.id, i, f.at[i], k)
			}
		}
		o := at - int(f.heads[i].Timestamp-f.heads[0].Timestamp)
		if offset != none && o != offset {
			jumps = append(jumps, o-offset)
		}
		offset = o
		wait := f.at[i] - int(f.heads[i].Timestamp-f.heads[0].Timestamp)/8
		soonest, latest = min(soonest, wait), max(latest, wait)
	}
	return jumps, latest - soonest
}

func (f *far) sum(jumps []int) (n int) {
	for _, j := range jumps {
		n += max(j, -j)
	}
	return n
}

func agreed(c Codec) Session {
	return Session{Codec: c, PayloadType: []uint8{0, 8, 97}[c], DTMF: 101}
}
