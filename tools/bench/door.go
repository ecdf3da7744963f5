package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"branchline/board/sim/phone"
)

// Goals of the door: what strangers may cost an honest phone.
const (
	floodRegisters = 5000 // a second
	floodInvites   = 1000
	floodSetUp     = 200 * time.Millisecond // p99
	floodMemory    = 64.0                   // MB
)

// loopback is an address of this run.
func loopback(b, c int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, byte(b), byte(os.Getpid()), byte(c)})
}

// caller is two honest phones, one of which calls the other again and again.
type caller struct {
	from, to *phone.Phone
	took     []time.Duration
	failed   int
	why      error
}

// newCaller switches two phones on and waits until they are signed in.
func (b *bench) newCaller(ctx context.Context) (*caller, error) {
	on := func(user string, own netip.Addr) (*phone.Phone, error) {
		p, err := phone.New(phone.Options{Server: netip.AddrPortFrom(b.address, 5060), Listen: netip.AddrPortFrom(own, 0),
			User: user, Password: "plum-cake-" + user, Auto: phone.AnswerAfter(0), Retry: 100 * time.Millisecond})
		if err != nil {
			return nil, err
		}
		go p.Run(ctx) //nolint:errcheck // it ends with ctx
		return p, p.Registered(ctx)
	}
	from, err := on("201", loopback(43, 1))
	if err != nil {
		return nil, err
	}
	to, err := on("202", loopback(43, 2))
	return &caller{from: from, to: to}, err
}

// call makes calls until ctx ends.
func (c *caller) call(ctx context.Context) {
	for ctx.Err() == nil {
		began := time.Now()
		one, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		up, err := c.from.Dial(one, "202")
		if err == nil {
			err = up.WaitState(one, phone.Talking)
		}
		if err != nil {
			c.failed, c.why = c.failed+1, err
		} else {
			c.took = append(c.took, time.Since(began))
		}
		if up != nil {
			_ = up.Hangup()
			select {
			case <-up.Gone():
			case <-one.Done():
			}
		}
		cancel()
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// of is the share q of the calls that took no longer.
func (c *caller) of(q float64) time.Duration {
	if len(c.took) == 0 {
		return 0
	}
	slices.Sort(c.took)
	return c.took[min(len(c.took)-1, int(q*float64(len(c.took))))].Round(100 * time.Microsecond)
}

// flood lets strangers send thousands of requests a second for that long while an honest phone calls.
func (b *bench) flood(length time.Duration, sources int) error {
	box, err := b.start()
	if err != nil {
		return err
	}
	defer func() { err = firstOf(err, stop(box)) }()
	ctx, cancel := context.WithTimeout(context.Background(), length+2*time.Minute)
	defer cancel()
	c, err := b.newCaller(ctx)
	if err != nil {
		return err
	}
	quiet, done := context.WithTimeout(ctx, 5*time.Second)
	c.call(quiet)
	done()
	fmt.Printf("%-36s %v p50, %v p99 of %d calls\n", "set-up in peace", c.of(0.5), c.of(0.99), len(c.took))
	c.took = nil
	before, most, used := resident(box.Process.Pid), 0.0, processor(box.Process.Pid)

	during, over := context.WithTimeout(ctx, length)
	defer over()
	var sent, heard atomic.Int64
	var parts sync.WaitGroup
	for i := range sources {
		conn, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback(45+i/250, i%250+1), 0)), net.UDPAddrFromAddrPort(netip.AddrPortFrom(b.address, 5060)))
		if err != nil {
			return err
		}
		parts.Go(func() { strangers(during, conn, i, sources, &sent); conn.Close() })
		parts.Go(func() {
			for buf := make([]byte, 4096); ; heard.Add(1) {
				if _, err := conn.Read(buf); err != nil {
					return
				}
			}
		})
	}
	parts.Go(func() { c.call(during) })
	for during.Err() == nil {
		most = max(most, resident(box.Process.Pid))
		select {
		case <-during.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
	parts.Wait()
	fmt.Printf("%-36s %d messages of strangers (%.0f a second), %d answered\n", "flood", sent.Load(), float64(sent.Load())/length.Seconds(), heard.Load())
	fmt.Printf("%-36s %.0f %% of one core, its calls included\n", "the box took", 100*(processor(box.Process.Pid)-used).Seconds()/length.Seconds())
	fmt.Printf("%-36s %v p50, %v p99 of %d calls (goal p99 ≤ %v)\n", "set-up in the flood", c.of(0.5), c.of(0.99), len(c.took), floodSetUp)
	fmt.Printf("%-36s %d (goal 0) %v\n", "failed calls", c.failed, c.why)
	fmt.Printf("%-36s %.1f MB, from %.1f (goal ≤ %.0f MB)\n", "growth of memory", most-before, before, floodMemory)
	b.missed = b.missed || c.failed > 0 || c.of(0.99) > floodSetUp || most-before > floodMemory || len(c.took) == 0
	return nil
}

// processor is the time that a process has computed.
func processor(pid int) time.Duration {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11]) // utime and stime of proc(5), in hundredths of a second
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// strangers sends one source's part of the flood.
func strangers(ctx context.Context, conn *net.UDPConn, number, sources int, sent *atomic.Int64) {
	const every = 5 * time.Millisecond
	tick := time.NewTicker(every)
	defer tick.Stop()
	began, n := time.Now(), 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for due := int(time.Since(began).Seconds() * (floodRegisters + floodInvites) / float64(sources)); n < due; n++ {
			method := "REGISTER"
			if n%6 == 5 {
				method = "INVITE"
			}
			if _, err := conn.Write(strange(conn.LocalAddr().String(), method, number, n)); err == nil {
				sent.Add(1)
			}
		}
	}
}

// strange is a request as tools that guess passwords send it.
func strange(at, method string, number, n int) []byte {
	return fmt.Appendf(nil, "%[1]s sip:1%03[4]d@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP %[2]s;branch=z9hG4bK-%[3]d-%[4]d;rport\r\nMax-Forwards: 70\r\n"+
		"From: <sip:1%03[4]d@10.0.0.1>;tag=%[3]d%[4]d\r\nTo: <sip:1%03[4]d@10.0.0.1>\r\nCall-ID: %[3]d-%[4]d\r\nCSeq: 1 %[1]s\r\n"+
		"Contact: <sip:1@%[2]s>\r\nUser-Agent: Linphone\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n", method, at, number, n)
}
