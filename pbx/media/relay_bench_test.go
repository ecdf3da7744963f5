package media

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"branchline/hal"
	"branchline/pbx/media/rtp"
	"branchline/pbx/media/udp"
)

// BenchmarkRelay50Calls passes 50 calls of two G.711 legs through a running Worker, 100 packets each
// 20 ms, sent evenly. An iteration is 20 ms. Latency is from the moment before a far end sends to the
// kernel's stamp on the packet that another gets, less the same over a socket alone: what the box
// adds. CPU is that of the worker's thread; the allocations are the far ends'. Goal: p99 ≤ 1 ms on a machine that has nothing else to do.
func BenchmarkRelay50Calls(b *testing.B) { benchRelay(b, 50, false) }

// BenchmarkRelay50CallsRecorded is the same with every call on a tape.
func BenchmarkRelay50CallsRecorded(b *testing.B) { benchRelay(b, 50, true) }

func benchRelay(b *testing.B, calls int, recorded bool) {
	w := New(Options{Log: slog.New(slog.DiscardHandler), Country: "DE", Recorder: deaf{}, RTPFirst: 21000, RTPLast: 22999})
	ended := make(chan error, 1)
	go func() { ended <- w.Run(b.Context(), func(hal.Signal) {}) }()
	b.Cleanup(func() { <-ended })
	for !w.post(func() {}) {
		runtime.Gosched()
	}
	var ends []*stamped
	for i := range 2 * calls {
		ends = append(ends, newStamped(b, w, hal.IncomingLeg("phones", 1, uint64(i)), uint16(23000+2*i)))
		if err := w.Do(join(ends[i].id, hal.BridgeID(fmt.Sprint(i/2)))); err != nil {
			b.Fatal(err)
		}
		if recorded && i%2 == 1 {
			if err := w.Do(hal.Record{Bridge: hal.BridgeID(fmt.Sprint(i / 2)), Ref: hal.Ref(fmt.Sprint(i)), File: "f",
				Left: []hal.LegID{ends[i-1].id}, Right: []hal.LegID{ends[i].id}}); err != nil {
				b.Fatal(err)
			}
		}
	}
	runtime.LockOSThread() // the pace is kept by this thread
	defer runtime.UnlockOSThread()
	udp.Hurry(true)
	defer udp.Hurry(false)
	pace, bare := now(unix.CLOCK_MONOTONIC), ends[0].bare(b)
	round := func() {
		for _, e := range ends {
			e.say()
			pace += int64(tick) / int64(len(ends))
			wait(pace)
			e.listen()
		}
	}
	for range 10 {
		round()
	}
	for _, e := range ends {
		e.took = e.took[:0]
	}
	before, began := cpu(w), time.Now()
	for b.Loop() {
		round()
	}
	used, lasted := cpu(w)-before, time.Since(began)
	var took []time.Duration
	for _, e := range ends {
		took = append(took, e.took...)
		if s := e.port.Stats(); s.Relayed*10 < s.Received*9 {
			b.Errorf("%+v", s)
		}
	}
	slices.Sort(took)
	at := func(p float64) float64 {
		return float64(took[int(float64(len(took)-1)*p)]-bare) / float64(time.Millisecond)
	}
	b.ReportMetric(at(0.5), "ms-p50")
	b.ReportMetric(at(0.99), "ms-p99")
	b.ReportMetric(at(1), "ms-max")
	b.ReportMetric(100*used.Seconds()/lasted.Seconds()*100/float64(calls), "%core/100calls")
	b.ReportMetric(load(), "load")
	b.ReportMetric(0, "ns/op")
}

// stamped is a far end whose packets say when they were sent, and whose kernel says when they came.
type stamped struct {
	id       hal.LegID
	fd, rtcp int
	port     *Port
	to       udp.Addr
	packet   [rtp.HeaderLen + frame]byte
	head     rtp.Packet
	took     []time.Duration
	buf, oob [512]byte
}

func newStamped(b *testing.B, w *Worker, id hal.LegID, number uint16) *stamped {
	e := &stamped{id: id, head: rtp.Packet{SSRC: uint32(number)}, took: make([]time.Duration, 0, 1<<16)}
	var ports udp.Range
	ports.Set(number, number+1)
	var err error
	fd, rtcp, local, err := ports.Take(loopback)
	if err != nil {
		b.Fatal(err)
	}
	e.fd, e.rtcp = fd, rtcp
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		b.Fatal(err)
	}
	if e.port, err = w.OpenRTP(id, loopback); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.port.Close(); udp.Close(fd, rtcp) })
	e.port.Negotiated(Session{Remote: local, DTMF: 101, Send: true, Recv: true})
	w.Attach(id, e.port)
	e.to.Set(e.port.Local())
	return e
}

// say sends a packet.
func (e *stamped) say() {
	e.head.PutHeader(e.packet[:])
	e.head.Seq++
	e.head.Timestamp += frame
	binary.BigEndian.PutUint64(e.packet[rtp.HeaderLen:], uint64(now(unix.CLOCK_REALTIME)))
	udp.Send(e.fd, e.packet[:], &e.to)
}

// listen takes what has come.
func (e *stamped) listen() {
	for {
		n, m, _, _, err := unix.Recvmsg(e.fd, e.buf[:], e.oob[:], unix.MSG_DONTWAIT)
		if err != nil {
			return
		}
		heads, err := unix.ParseSocketControlMessage(e.oob[:m])
		if err != nil || len(heads) != 1 || n != len(e.packet) || len(e.took) == cap(e.took) {
			continue
		}
		came := (*unix.Timespec)(unsafe.Pointer(&heads[0].Data[0])).Nano()
		e.took = append(e.took, time.Duration(came-int64(binary.BigEndian.Uint64(e.buf[rtp.HeaderLen:]))))
	}
}

// bare is the median of what a packet takes to oneself.
func (e *stamped) bare(b *testing.B) time.Duration {
	var ports udp.Range
	ports.Set(20900, 20999)
	fd, rtcp, local, err := ports.Take(loopback)
	if err != nil {
		b.Fatal(err)
	}
	defer udp.Close(fd, rtcp)
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		b.Fatal(err)
	}
	self := &stamped{fd: fd, took: make([]time.Duration, 0, 1000)}
	self.to.Set(local)
	for range cap(self.took) {
		self.say()
		self.listen()
	}
	slices.Sort(self.took)
	return self.took[len(self.took)/2]
}

func now(clock int32) int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(clock, &t)
	return t.Nano()
}

// wait waits until the monotonic clock shows at.
func wait(at int64) {
	t := unix.NsecToTimespec(at)
	for unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &t, nil) == unix.EINTR {
	}
}

// cpu is what the worker's thread has used.
func cpu(w *Worker) time.Duration {
	var used atomic.Int64
	done := make(chan struct{})
	w.post(func() {
		var u unix.Rusage
		const thread = 1 // RUSAGE_THREAD of getrusage(2)
		_ = unix.Getrusage(thread, &u)
		used.Store(u.Utime.Nano() + u.Stime.Nano())
		close(done)
	})
	<-done
	return time.Duration(used.Load())
}

// load is how many others wanted to run in the last minute.
func load() (one float64) {
	b, err := os.ReadFile("/proc/loadavg")
	if err == nil {
		_, _ = fmt.Sscan(strings.Fields(string(b))[0], &one)
	}
	return one
}
