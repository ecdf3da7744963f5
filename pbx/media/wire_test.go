package media

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"branchline/hal"
	"branchline/hal/dsp"
	"branchline/pbx/media/rtp"
	"branchline/pbx/media/srtp"
	"branchline/pbx/media/udp"
)

// running is a Worker at work, with what it told.
type running struct {
	t *testing.T
	*Worker
	mu   sync.Mutex
	told []hal.Signal
	some chan struct{} // something was told
}

func run(t *testing.T, o Options) *running {
	t.Helper()
	o.Log, o.Country = slog.New(slog.DiscardHandler), "DE"
	r := &running{t: t, Worker: New(o), some: make(chan struct{}, 100)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- r.Run(ctx, func(s hal.Signal) {
			r.mu.Lock()
			r.told = append(r.told, s)
			r.mu.Unlock()
			r.some <- struct{}{}
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the worker ended with %v", err)
		}
	})
	return r
}

func (r *running) order(orders ...hal.Order) {
	r.t.Helper()
	for _, o := range orders {
		if err := r.Do(o); err != nil {
			r.t.Fatal(err)
		}
	}
}

// await waits until n signals were told.
func (r *running) await(n int) []hal.Signal {
	r.t.Helper()
	end := time.After(3 * time.Second)
	for {
		r.mu.Lock()
		got := append([]hal.Signal(nil), r.told...)
		r.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-r.some:
		case <-end:
			r.t.Fatalf("told %v, want %d signals", got, n)
		}
	}
}

var loopback = netip.MustParseAddr("127.0.0.1")

// phone is a far end with a socket of its own: it sends its packets every 20 ms and keeps what comes.
type phone struct {
	t     *testing.T
	conn  *net.UDPConn
	port  *Port
	send  *sender
	codec Codec
	seal  *srtp.Sender   // nil: it talks in the clear
	open  *srtp.Receiver // likewise

	heard  []int16
	heads  []rtp.Packet
	events rtp.KeysIn
	keys   string
}

func (r *running) phone(id hal.LegID, hz float64, c Codec) *phone {
	r.t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		r.t.Fatal(err)
	}
	port, err := r.OpenRTP(id, loopback)
	if err != nil {
		r.t.Fatal(err)
	}
	p := &phone{t: r.t, conn: conn, port: port, codec: c, send: newSender(uint32(hz), hz)}
	port.Negotiated(Session{Remote: conn.LocalAddr().(*net.UDPAddr).AddrPort(), Codec: c,
		PayloadType: []uint8{0, 8}[c], DTMF: 101, Ptime: 20 * ms, Send: true, Recv: true})
	r.Attach(id, port)
	r.t.Cleanup(func() { port.Close(); conn.Close() })
	return p
}

// say sends one datagram to the box.
func (p *phone) say(b []byte) {
	if p.seal != nil {
		b = append(b[:len(b):len(b)], make([]byte, srtp.Overhead)...)
		b = b[:p.seal.Protect(b, len(b)-srtp.Overhead)]
	}
	if _, err := p.conn.WriteToUDPAddrPort(b, p.port.Local()); err != nil {
		p.t.Error(err)
	}
}

// listen takes what has come until now.
func (p *phone) listen() {
	b := make([]byte, 2000)
	for {
		_ = p.conn.SetReadDeadline(time.Now().Add(time.Millisecond))
		n, err := p.conn.Read(b)
		if err != nil {
			return
		}
		ok := true
		if p.open != nil {
			if n, ok = p.open.Open(b[:n]); !ok {
				p.t.Error("the box sent what its key does not open")
				return
			}
		}
		packet, ok := rtp.Parse(b[:n])
		if !ok {
			p.t.Errorf("the box sent %x", b[:n])
			return
		}
		if packet.PayloadType == 101 {
			p.events.Put(packet.Timestamp, packet.Payload, false)
		} else {
			pcm := make([]int16, len(packet.Payload))
			if packet.PayloadType == 8 {
				dsp.DecodeALaw(pcm, packet.Payload)
			} else {
				dsp.DecodeULaw(pcm, packet.Payload)
			}
			p.heard = append(p.heard, pcm...)
		}
		packet.Payload = nil
		p.heads = append(p.heads, packet)
	}
}

// talk lets phones send and listen for d. On a machine that is busy it sends late, never less.
func talk(d time.Duration, phones ...*phone) {
	begin := time.Now()
	for at := time.Duration(0); at < d; at += 20 * ms {
		<-time.After(time.Until(begin.Add(at)))
		for _, p := range phones {
			p.say(p.send.packet(p.codec))
			p.listen()
			if press, ok := p.events.Tick(); ok {
				p.keys += string(press.Key)
			}
		}
	}
}

// hears checks the tones in the last n samples.
func (p *phone) hears(who string, n int, levels map[float64]float64) {
	p.t.Helper()
	if len(p.heard) < n {
		p.t.Fatalf("%s heard only %d samples", who, len(p.heard))
	}
	for hz, want := range levels {
		if got := usual(p.heard[len(p.heard)-n:], hz); got < want*0.8-0.01 || got > want+0.02 {
			p.t.Errorf("%s hears %v Hz at %.3f, want %.3f", who, hz, got, want)
		}
	}
}

// usual is the median of the levels of hz in pieces of 50 ms: on a busy machine some are torn.
func usual(pcm []int16, hz float64) float64 {
	const piece = 400
	var levels []float64
	for ; len(pcm) >= piece; pcm = pcm[piece:] {
		levels = append(levels, dsp.Level(pcm[:piece], rate, hz))
	}
	slices.Sort(levels)
	return levels[len(levels)/2]
}

// continuous checks that numbers, timestamps and SSRC of what came go on without a break.
func (p *phone) continuous() {
	p.t.Helper()
	for i := 1; i < len(p.heads); i++ {
		a, b := p.heads[i-1], p.heads[i]
		event := a.PayloadType == 101 || b.PayloadType == 101
		if b.Seq != a.Seq+1 || b.SSRC != a.SSRC || !event && (b.Timestamp-a.Timestamp)%frame != 0 ||
			!event && b.Marker != (b.Timestamp != a.Timestamp+frame) {
			p.t.Errorf("packet %d: %+v after %+v", i, b, a)
		}
	}
}

func TestTwoPhonesHearEachOtherOverRealSockets(t *testing.T) {
	t.Parallel()
	w := run(t, Options{})
	a, b := w.phone("a", 500, PCMU), w.phone("b", 900, PCMA)
	w.order(join("a", "x"), join("b", "x"))
	talk(1200*ms, a, b)
	a.hears("a", 4000, map[float64]float64{500: 0, 900: 0.25})
	b.hears("b", 4000, map[float64]float64{500: 0.25, 900: 0})
	a.continuous()
	b.continuous()
	if s := a.port.Stats(); s.Received < 50 || s.Sent < 50 || s.Foreign+s.Invalid > 0 || s.Silent > 200*ms {
		t.Errorf("counted %+v", s)
	}
}

func TestPhoneInNoBridgeIsSentOnlyWhatPlaysToIt(t *testing.T) {
	t.Parallel()
	w := run(t, Options{Prompts: shelf{"p": tone(700, 300*ms)}})
	a, b := w.phone("a", 500, PCMU), w.phone("b", 900, PCMU)
	talk(200*ms, a, b)
	if len(a.heads) != 0 {
		t.Fatalf("%d packets came before anything played", len(a.heads))
	}
	w.order(hal.Play{Leg: "a", Ref: "1", Items: file("p")})
	talk(500*ms, a, b)
	if got := w.await(1); got[0] != (hal.Played{Leg: "a", Ref: "1"}) {
		t.Errorf("told %v", got)
	}
	if n := len(a.heads); n != 15 || !a.heads[0].Marker {
		t.Errorf("%d packets, want 15, the first marked", n)
	}
	w.order(hal.Play{Leg: "a", Ref: "2", Items: file("p")})
	talk(500*ms, a, b)
	a.hears("a", 2400, map[float64]float64{700: 0.25, 900: 0, 500: 0})
	a.continuous() // over the pause too
	if len(b.heads) != 0 {
		t.Errorf("%d packets came to one who is to hear nothing", len(b.heads))
	}
}

func TestKeysGoBothWays(t *testing.T) {
	t.Parallel()
	w := run(t, Options{})
	a, b := w.phone("a", 500, PCMU), w.phone("b", 900, PCMU)
	w.order(join("a", "x"), join("b", "x"))
	talk(100*ms, a, b)
	for i := 0; a.port.Stats().Relayed == 0 && i < 100; i++ { // a busy machine takes longer to see the pair
		talk(20*ms, a, b)
	}
	a.port.SendKeys("k", "19#")
	for i := range 4 {
		a.say(a.send.event(7, byte(i/3)<<7, 3, 0x20))
		a.say(a.send.event(7, byte(i/3)<<7, 3, 0x20)) // twice
	}
	talk(900*ms, a, b)
	if a.keys != "19#" {
		t.Errorf("the phone was sent %q, want 19#", a.keys)
	}
	if got := w.await(1); len(got) != 1 || got[0] != (hal.Digit{Leg: "a", Key: '7', For: 100 * ms, Passed: true}) {
		t.Errorf("told %v, want one 7 of 100 ms", got)
	}
	if b.keys != "7" {
		t.Errorf("the other phone was sent %q, want 7", b.keys)
	}
	a.continuous()
	a.port.SendKeys("bad", "1x")
	if got := w.await(2)[1].(hal.Failed); got.Ref != "bad" || got.Leg != "a" {
		t.Errorf("told %v", got)
	}
}

func TestKeysAreTonesWhereEventsWereNotAgreed(t *testing.T) {
	t.Parallel()
	w := run(t, Options{})
	a := w.phone("a", 500, PCMA)
	a.port.Negotiated(Session{Remote: a.conn.LocalAddr().(*net.UDPAddr).AddrPort(), Codec: PCMA, PayloadType: 8, Send: true, Recv: true})
	five, _ := dsp.KeyTone('5')
	a.send.gen = dsp.NewGenerator(dsp.Cadence{{For: 100 * ms}, {Hz: five[0].Hz, Gain: 0.2, For: 100 * ms}, {}}, rate)
	a.port.SendKeys("k", "8*")
	talk(600*ms, a)
	got := w.await(1)
	if k, ok := got[0].(hal.Digit); !ok || len(got) != 1 || k.Key != '5' {
		t.Errorf("told %v, want a 5", got)
	}
	keys, ear := "", dsp.NewKeyDetector(rate)
	for pcm := append(a.heard, make([]int16, 800)...); len(pcm) >= frame; pcm = pcm[frame:] {
		if k, _, ok := ear.Feed(pcm[:frame]); ok {
			keys += string(k)
		}
	}
	if keys != "8*" {
		t.Errorf("the phone hears %q, want 8*", keys)
	}
}

func TestRecordingOfTwoPhonesHoldsBothTones(t *testing.T) {
	t.Parallel()
	r := &reel{t: t, files: map[string]*film{}}
	w := run(t, Options{Recorder: r})
	a, b := w.phone("a", 500, PCMU), w.phone("b", 900, PCMA)
	w.order(join("a", "x"), join("b", "x"),
		hal.Record{Bridge: "x", Ref: "r", File: "f", Left: []hal.LegID{"a"}, Right: []hal.LegID{"b"}})
	talk(800*ms, a, b)
	w.Detach("a")
	w.Detach("b")
	got := w.await(1)[0].(hal.Recorded)
	if got.Ref != "r" || got.For < 600*ms || got.Err != "" {
		t.Errorf("told %+v", got)
	}
	pcm := r.files["f"].pcm
	for c, want := range [][2]float64{{0.25, 0}, {0, 0.25}} {
		var one []int16
		for i := len(pcm) - 2*4800; i < len(pcm); i += 2 {
			one = append(one, pcm[i+c])
		}
		for i, hz := range []float64{500, 900} {
			if got := usual(one, hz); got < want[i]*0.8-0.01 || got > want[i]+0.02 {
				t.Errorf("channel %d holds %v Hz at %.3f, want %.3f", c, hz, got, want[i])
			}
		}
	}
}

func TestPhoneBehindARouterIsFoundAndAStrangerIsNot(t *testing.T) {
	t.Parallel()
	w := run(t, Options{})
	a, b := w.phone("a", 500, PCMU), w.phone("b", 900, PCMU)
	nowhere := netip.AddrPortFrom(loopback, 9) // what the phone believes its address to be
	a.port.Negotiated(Session{Remote: nowhere, PayloadType: 0, DTMF: 101, Send: true, Recv: true})
	w.order(join("a", "x"), join("b", "x"))
	talk(1000*ms, a, b)
	a.hears("a", 4800, map[float64]float64{900: 0.25})
	b.hears("b", 4800, map[float64]float64{500: 0.25})
	stranger := &phone{t: t, conn: b.conn, port: a.port, send: newSender(77, 1300)}
	before := a.port.Stats().Foreign
	talk(800*ms, a, b, stranger)
	b.hears("b", 4800, map[float64]float64{500: 0.25, 1300: 0})
	a.hears("a", 4800, map[float64]float64{900: 0.25})
	if n := a.port.Stats().Foreign - before; n < 15 {
		t.Errorf("%d packets of the stranger were counted", n)
	}
}

func TestHeldPhoneIsNeitherSentToNorHeard(t *testing.T) {
	t.Parallel()
	w := run(t, Options{})
	a, b := w.phone("a", 500, PCMU), w.phone("b", 900, PCMU)
	w.order(join("a", "x"), join("b", "x"))
	talk(300*ms, a, b)
	a.port.Negotiated(Session{Remote: netip.MustParseAddrPort("0.0.0.0:4000"), DTMF: 101, Send: false, Recv: false})
	talk(300*ms, a, b)
	n := len(a.heads)
	talk(400*ms, a, b)
	if len(a.heads) != n {
		t.Errorf("%d packets were sent to a phone on hold", len(a.heads)-n)
	}
	b.hears("b", 1600, map[float64]float64{500: 0})
	a.port.Negotiated(Session{Remote: a.conn.LocalAddr().(*net.UDPAddr).AddrPort(), DTMF: 101, Send: true, Recv: true})
	talk(800*ms, a, b)
	a.hears("a", 4800, map[float64]float64{900: 0.25})
	b.hears("b", 4800, map[float64]float64{500: 0.25})
	a.continuous()
}

func TestPortsAreTakenInTurnGivenBackAndRunOut(t *testing.T) {
	t.Parallel()
	w := run(t, Options{})
	w.SetRange(28401, 28407) // 28402-28407: three pairs
	var open []*Port
	seen := map[uint16]bool{}
	for range 3 {
		p, err := w.OpenRTP("a", loopback)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, p)
		seen[p.Local().Port()] = true
		if n := p.Local().Port(); n%2 != 0 || n < 28402 || n > 28406 {
			t.Errorf("port %d", n)
		}
	}
	_, err := w.OpenRTP("a", loopback)
	if err == nil || !strings.Contains(err.Error(), "in use") || len(seen) != 3 {
		t.Errorf("a fourth pair: %v", err)
	}
	open[1].Close()
	open[1].Close()
	settled := make(chan struct{})
	w.post(func() { close(settled) })
	<-settled
	again, err := w.OpenRTP("a", loopback)
	if err != nil || again.Local() != open[1].Local() {
		t.Errorf("after one was given back: %v", err)
	}
	if _, err := w.OpenRTP("a", netip.MustParseAddr("192.0.2.1")); err == nil {
		t.Error("an address that is not ours was taken")
	}
	v6, err := w.OpenRTP("a", netip.MustParseAddr("::1"))
	if err == nil {
		v6.Close()
	}
}

func TestWorkerThatEndedRefusesAndGivesItsSocketsBack(t *testing.T) {
	t.Parallel()
	w := New(Options{Log: slog.New(slog.DiscardHandler), RTPFirst: 28410, RTPLast: 28411})
	for range 2 { // a second time after a stop
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		started := make(chan struct{})
		go func() { ended <- w.Run(ctx, func(hal.Signal) {}) }()
		for !w.post(func() { close(started) }) { // refused until it runs again
			runtime.Gosched()
		}
		<-started
		p, err := w.OpenRTP("a", loopback)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		p.Close()
		if err := w.Do(join("a", "x")); err == nil {
			t.Error("an order was accepted")
		}
		if _, err := w.OpenRTP("a", loopback); err == nil {
			t.Error("a port was opened")
		}
	}
}

func TestBlockedEngineDoesNotDelayTheSound(t *testing.T) {
	t.Parallel()
	w := New(Options{Log: slog.New(slog.DiscardHandler), Country: "DE"})
	block := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx, func(hal.Signal) { <-block }) }()
	r := &running{t: t, Worker: w}
	a, b := r.phone("a", 500, PCMU), r.phone("b", 900, PCMU)
	r.order(join("a", "x"), join("b", "x"))
	begin := time.Now()
	for range 10_000 {
		r.order(hal.Play{Leg: "nobody", Ref: "1", Items: file("p")})
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("10,000 orders took %v", took)
	}
	talk(800*ms, a, b)
	a.hears("a", 4800, map[float64]float64{900: 0.25})
	close(block)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// BenchmarkSocketTick32Calls sends and takes the packets of 64 legs, mixed because their codecs differ,
// through the kernel.
func BenchmarkSocketTick32Calls(b *testing.B) {
	poll, err := udp.NewPoller(tick)
	if err != nil {
		b.Fatal(err)
	}
	defer poll.Close()
	d := newDesk(b, Options{})
	d.poll, d.in = poll, udp.NewInbox()
	var ports []*Port
	for i := range 64 {
		id := hal.IncomingLeg("phones", 1, uint64(i))
		p, err := d.OpenRTP(id, loopback)
		if err != nil {
			b.Fatal(err)
		}
		ports = append(ports, p)
		d.Attach(id, p)
		d.settle()
		d.order(join(id, hal.BridgeID(rune('A'+i/2))))
	}
	for i, p := range ports { // each sends to its neighbour
		p.Negotiated(Session{Remote: ports[i^1].Local(), Codec: Codec(i % 2), PayloadType: uint8(i % 2 * 8), Send: true, Recv: true, DTMF: 101})
	}
	d.settle()
	b.ReportAllocs()
	for b.Loop() {
		d.tick()
		for _, p := range ports {
			d.receive(p.fd)
		}
	}
	b.StopTimer()
	if got := ports[0].Stats(); got.Received == 0 || got.Foreign > 0 {
		b.Errorf("counted %+v", got)
	}
	for _, p := range ports {
		p.shut()
	}
}
