package sip

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/icholy/digest"

	"branchline/hal"
	"branchline/pbx/sip/subscribe"
)

// BenchmarkLamps has 200 phones with 20 lamp keys each. One extension changes, which all phones watch: told
// are the time until the last NOTIFY has come, beyond the Pause in which news is gathered, processor time
// for all 200 with their answers, the phones' side in it, and what a subscription holds in memory.
func BenchmarkLamps(b *testing.B) {
	const phones, keys = 200, 20
	const forgotten = 6 * time.Second // by then no message is remembered any more: TestMain's timers
	s := settings()
	s.Accounts = nil
	s.Guard.NoLimits, s.Guard.NoBans = true, true
	for i := range phones {
		s.Accounts = append(s.Accounts, Account{Extension: fmt.Sprint(1000 + i), Password: "x"})
	}
	line := NewPhones(Options{Name: "phones", Log: slog.New(slog.DiscardHandler)})
	commit, err := line.Prepare(s)
	if err != nil {
		b.Fatal(err)
	}
	commit()
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error)
	go func() {
		ended <- line.Run(ctx, func(s hal.Signal) {
			if _, ok := s.(hal.InService); ok {
				close(ready)
			}
		})
	}()
	<-ready
	f := startField(b, line, phones)
	before := heap()
	for i := range phones {
		for k := range keys { // all watch the first one
			f.subscribe(i, fmt.Sprint(1000+k*(i%9+1)%phones))
		}
	}
	f.wait(f.asked)
	<-time.After(forgotten)
	held := float64(heap()-before) / float64(f.asked)
	cpu := processor()
	var worst time.Duration
	b.ResetTimer()
	for n := 0; b.Loop(); n++ {
		began := time.Now()
		line.Show([]Lamp{{Name: "1000", Up: true, Talks: []Talk{{ID: "x", Incoming: true, Stage: subscribe.Early, Other: hal.Number(fmt.Sprint(n))}}}})
		f.wait(phones)
		worst = max(worst, time.Since(began)-subscribe.Pause)
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N)-float64(subscribe.Pause.Milliseconds()), "ms/last")
	b.ReportMetric(float64(worst.Milliseconds()), "ms/worst")
	b.ReportMetric(float64((processor()-cpu).Microseconds())/float64(b.N)/1000, "cpu-ms/change")
	b.ReportMetric(held, "B/subscription")
	b.StopTimer()
	cancel()
	<-ended
	f.stop()
}

// field is many phones on one socket each, that answer every NOTIFY.
type field struct {
	b     *testing.B
	at    netip.AddrPort
	conns []*net.UDPConn
	told  chan struct{}
	ended chan struct{}
	over  chan struct{}

	nonces  []*digest.Challenge
	uses    []int
	answers chan msg
	branch  int
	asked   int // subscriptions
}

func startField(b *testing.B, line *Phones, phones int) *field {
	f := &field{b: b, at: line.Listening()[0], told: make(chan struct{}, 1<<14), ended: make(chan struct{}), over: make(chan struct{}),
		nonces: make([]*digest.Challenge, phones), uses: make([]int, phones), answers: make(chan msg, 1)}
	for range phones {
		c, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(line.Listening()[0]))
		if err != nil {
			b.Fatal(err)
		}
		f.conns = append(f.conns, c)
		go func() {
			defer func() { f.ended <- struct{}{} }()
			buf, heard := make([]byte, 4096), map[string]string{}
			for {
				n, err := c.Read(buf)
				if err != nil {
					return
				}
				m := parse(string(buf[:n]))
				if m.code() != 0 {
					select {
					case f.answers <- m:
					case <-f.over:
					}
					continue
				}
				f.answer(c, m)
				if seq := m.get("CSeq"); heard[m.get("Call-ID")] != seq { // else it is a repetition
					heard[m.get("Call-ID")] = seq
					select {
					case f.told <- struct{}{}:
					case <-f.over:
					}
				}
			}
		}()
	}
	return f
}

func (f *field) answer(c *net.UDPConn, m msg) {
	_, _ = fmt.Fprintf(c, "SIP/2.0 200 OK\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\nContent-Length: 0\r\n\r\n",
		m.get("Via"), m.get("From"), m.get("To"), m.get("Call-ID"), m.get("CSeq"))
}

// subscribe puts in a subscription of phone i, as a phone does: the first one asks for the challenge.
func (f *field) subscribe(i int, resource string) {
	f.b.Helper()
	c, user := f.conns[i], fmt.Sprint(1000+i)
	for f.nonces[i] == nil {
		m := f.ask(c, user, resource, "")
		nonce, err := digest.ParseChallenge(m.get("WWW-Authenticate"))
		if err != nil {
			f.b.Fatal(m.start, err)
		}
		f.nonces[i] = nonce
	}
	f.uses[i]++
	uri := fmt.Sprintf("sip:%s@%s", resource, f.at)
	cred, err := digest.Digest(f.nonces[i], digest.Options{Method: "SUBSCRIBE", URI: uri, Username: user, Password: "x", Count: f.uses[i]})
	if err != nil {
		f.b.Fatal(err)
	}
	if m := f.ask(c, user, resource, "Authorization: "+cred.String()+"\r\n"); m.code() != 200 {
		f.b.Fatal(m.start)
	}
	f.asked++
}

func (f *field) ask(c *net.UDPConn, user, resource, extra string) msg {
	f.b.Helper()
	f.branch++
	_, err := fmt.Fprintf(c, "SUBSCRIBE sip:%[1]s@%[2]s SIP/2.0\r\nVia: SIP/2.0/UDP %[3]s;branch=z9hG4bK-%[4]d;rport\r\nMax-Forwards: 70\r\n"+
		"From: <sip:%[5]s@%[2]s>;tag=f%[4]d\r\nTo: <sip:%[1]s@%[2]s>\r\nCall-ID: lamp-%[4]d@phone\r\nCSeq: 1 SUBSCRIBE\r\n"+
		"Contact: <sip:%[5]s@%[3]s>\r\nEvent: dialog\r\nAccept: application/dialog-info+xml\r\nExpires: 600\r\nUser-Agent: bench\r\n%[6]sContent-Length: 0\r\n\r\n",
		resource, f.at, c.LocalAddr(), f.branch, user, extra)
	if err != nil {
		f.b.Fatal(err)
	}
	for end := time.After(patience); ; {
		select {
		case m := <-f.answers:
			if m.get("Call-ID") == fmt.Sprintf("lamp-%d@phone", f.branch) { // not a repetition of the one before
				return m
			}
		case <-end:
			f.b.Fatal("no answer to SUBSCRIBE")
		}
	}
}

func (f *field) wait(n int) {
	end := time.After(patience)
	for range n {
		select {
		case <-f.told:
		case <-end:
			f.b.Fatal("a NOTIFY is missing")
		}
	}
}

func (f *field) stop() {
	close(f.over)
	for _, c := range f.conns {
		c.Close()
	}
	for range f.conns {
		<-f.ended
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// processor is the time of the whole process.
func processor() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // never fails for oneself
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
