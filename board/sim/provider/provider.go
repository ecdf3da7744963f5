// Package provider is a SIP provider: a simulated far end for the box's trunks, for tests and for a person who
// wants to try them.
//
// It is a registrar, and it calls and is called; it says tones and listens. It misbehaves on demand, by Habits:
// it refuses, is silent, overloaded, asks for proofs in calls, changes its nonces, and claims to see the box at
// another address, as if a router stood between. Like the simulated phone, on whose parts it stands, it shares no
// code with the box's own SIP.
//
// Everything is owned by the goroutine of Run; the exported methods hand it an order or read a snapshot, and may
// be called from any goroutine. Start reading at Provider.Run, then registrar.go, call.go.
package provider

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"branchline/board/sim/phone/message"
	"branchline/board/sim/phone/transact"
)

// ErrStopped says that the provider's Run has ended.
var ErrStopped = errors.New("the provider is switched off")

// Options say who the provider is. Listen must be set, the rest may be zero.
type Options struct {
	Listen    netip.AddrPort // UDP and TCP; port 0: any
	Secure    *tls.Config    // TLS is spoken on TCP, as whom; nil: none is
	User      string         // of the one account
	Password  string         // "": nobody is asked for a proof
	Algorithm string         // of the digest: "MD5", the default, or "SHA-256"
	T1        time.Duration  // base of all timers of RFC 3261; 0: 500 ms
	Log       *slog.Logger
	Habits    Habits // at first
}

// Habits are what a test may change at any time, by Provider.Behave.
type Habits struct {
	Silent       bool           // nothing is answered, nothing taken in
	Register     int            // what sign-ins are answered with; 0: 200
	Invite       int            // what calls are answered with; 0: they ring
	RetryAfter   int            // seconds, said with both
	Expires      int            // seconds that a sign-in holds; 0: as asked
	MinExpires   int            // seconds; shorter ones get 423
	OneUse       bool           // each nonce counts once, and what follows is stale
	ProveAll     bool           // also BYE and re-INVITE of the box need a proof
	Seen         netip.AddrPort // where the provider says that it sees the box; invalid: the truth
	Alter        bool           // a router between rewrites Via and Contact: a SIP ALG
	ServiceRoute string         // said to those who sign in
	ToContact    bool           // calls go to the Contact that signed in, the number stands in To; else in the address
}

// Provider is one provider. New makes it, Run works it.
type Provider struct {
	o        Options
	udp      *net.UDPConn
	tcp      *net.TCPListener
	local    netip.AddrPort
	orders   chan func()
	heard    chan packet
	done     chan struct{}
	parts    sync.WaitGroup
	ctx      context.Context // of sound and connections
	clock    *transact.Clock
	layers   map[string]*transact.Layer // "UDP", "TCP", "TLS"
	conns    map[netip.AddrPort]net.Conn
	nonces   map[string]int // uses
	bindings map[string]binding
	calls    map[string]*Call // by Call-ID
	branch   int

	mu       sync.Mutex // guards what follows
	habits   Habits
	changed  chan struct{} // closed and renewed with each change
	contacts []string
	requests []Request
	incoming []*Call // not yet taken by WaitCall
}

// Request is one request that came, as the provider notes it.
type Request struct {
	At   time.Time
	From netip.AddrPort
	*message.Message
}

type packet struct {
	network string
	from    netip.AddrPort
	data    []byte
	conn    net.Conn // a new connection
	end     bool     // conn is no more
}

const maxNoted = 4096

// New makes a provider and opens its sockets; it starts nothing. Run closes them.
func New(o Options) (*Provider, error) {
	if o.T1 <= 0 {
		o.T1 = 500 * time.Millisecond
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Algorithm == "" {
		o.Algorithm = "MD5"
	}
	p := &Provider{o: o, orders: make(chan func()), heard: make(chan packet, 64), done: make(chan struct{}), clock: transact.NewClock(time.Now),
		layers: map[string]*transact.Layer{}, conns: map[netip.AddrPort]net.Conn{}, nonces: map[string]int{}, bindings: map[string]binding{},
		calls: map[string]*Call{}, habits: o.Habits, changed: make(chan struct{})}
	if err := p.listen(); err != nil {
		return nil, fmt.Errorf("provider: %w", err)
	}
	for _, network := range []string{"UDP", "TCP", "TLS"} {
		p.layers[network] = &transact.Layer{Timing: transact.StandardTiming().Scaled(o.T1), Clock: p.clock, Reliable: network != "UDP",
			Send:      func(to netip.AddrPort, b []byte) { p.send(network, to, b) },
			OnRequest: func(s *transact.Server) { p.onRequest(network, s) }, OnAck: p.onAck,
			OnStray: func(*message.Message, netip.AddrPort) {}}
	}
	return p, nil
}

// listen binds the same port for UDP and TCP.
func (p *Provider) listen() error {
	for tries := 0; ; tries++ {
		udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(p.o.Listen))
		if err != nil {
			return err
		}
		p.local = udp.LocalAddr().(*net.UDPAddr).AddrPort()
		tcp, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(p.local))
		if err == nil {
			p.udp, p.tcp = udp, tcp
			return nil
		}
		udp.Close()
		if p.o.Listen.Port() != 0 || tries == 20 {
			return err
		}
	}
}

// Addr is where the provider listens.
func (p *Provider) Addr() netip.AddrPort { return p.local }

// Run works the provider until ctx ends. It may be called once.
func (p *Provider) Run(ctx context.Context) error {
	var cancel context.CancelFunc
	p.ctx, cancel = context.WithCancel(context.Background())
	p.parts.Go(p.readUDP)
	p.parts.Go(p.acceptTCP)
	p.loop(ctx)
	cancel()
	p.udp.Close()
	p.tcp.Close()
	for _, c := range p.conns {
		c.Close()
	}
	p.parts.Wait()
	close(p.done)
	return nil
}

func (p *Provider) loop(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		wait := time.Hour
		if next, ok := p.clock.Next(); ok {
			wait = min(wait, time.Until(next))
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case d := <-p.heard:
			p.receive(d)
		case do := <-p.orders:
			do()
		case <-timer.C:
		}
		p.clock.Run()
	}
}

func (p *Provider) hand(d packet) {
	select {
	case p.heard <- d:
	case <-p.ctx.Done():
	}
}

func (p *Provider) readUDP() {
	buf := make([]byte, 65536)
	for {
		n, from, err := p.udp.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			p.hand(packet{network: "UDP", from: netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), data: bytes.Clone(buf[:n])})
		}
	}
}

func (p *Provider) acceptTCP() {
	for {
		c, err := p.tcp.Accept()
		if err != nil {
			return
		}
		from, network := c.RemoteAddr().(*net.TCPAddr).AddrPort(), "TCP"
		if p.o.Secure != nil {
			c, network = tls.Server(c, p.o.Secure), "TLS"
		}
		p.hand(packet{network: network, from: from, conn: c})
		p.parts.Go(func() {
			stop := context.AfterFunc(p.ctx, func() { c.Close() })
			p.readTCP(network, c, from)
			stop()
			c.Close()
			p.hand(packet{network: network, from: from, conn: c, end: true})
		})
	}
}

// readTCP cuts messages out of a stream (RFC 3261 18.3); a ping gets its pong (RFC 5626 4.4.1).
func (p *Provider) readTCP(network string, c net.Conn, from netip.AddrPort) {
	in := bufio.NewReader(c)
	for {
		var data []byte
		length := 0
		for {
			line, err := in.ReadBytes('\n')
			if err != nil || len(data) > 1<<16 {
				return
			}
			text := bytes.TrimSpace(line)
			if len(data) == 0 && len(text) == 0 {
				continue
			}
			data = append(data, line...)
			if len(text) == 0 {
				break
			}
			if name, value, ok := bytes.Cut(text, []byte(":")); ok && bytes.EqualFold(name, []byte("Content-Length")) {
				length, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
			}
		}
		body := make([]byte, min(max(length, 0), 1<<16))
		if _, err := io.ReadFull(in, body); err != nil {
			return
		}
		p.hand(packet{network: network, from: from, data: append(data, body...)})
	}
}

func (p *Provider) receive(d packet) {
	switch {
	case d.end:
		delete(p.conns, d.from)
		return
	case d.conn != nil:
		p.conns[d.from] = d.conn
		return
	case p.Habits().Silent:
		return
	}
	m, err := message.Parse(d.data)
	if err == nil {
		err = m.Check()
	}
	if err != nil {
		p.o.Log.Debug("not understood", "from", d.from, "err", err)
		return
	}
	if m.Method != "" {
		p.update(func() {
			if len(p.requests) < maxNoted {
				p.requests = append(p.requests, Request{time.Now(), d.from, m.Clone()})
			}
		})
	}
	p.layers[d.network].Receive(m, d.from)
}

func (p *Provider) send(network string, to netip.AddrPort, b []byte) {
	if p.Habits().Silent {
		return
	}
	var err error
	if network == "UDP" {
		_, err = p.udp.WriteToUDPAddrPort(b, to)
	} else if c := p.conns[to]; c != nil {
		_ = c.SetWriteDeadline(time.Now().Add(time.Second))
		_, err = c.Write(b)
	}
	if err != nil {
		p.o.Log.Debug("not sent", "to", to, "err", err)
	}
}

// Hangup ends all connections, without a word.
func (p *Provider) Hangup() error {
	return p.ask(context.Background(), func() error {
		for _, c := range p.conns {
			c.Close()
		}
		return nil
	})
}

// Habits are those of now.
func (p *Provider) Habits() Habits {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.habits
}

// Behave changes the habits.
func (p *Provider) Behave(change func(*Habits)) { p.update(func() { change(&p.habits) }) }

// Requests are those that came, with this method, or all; a repeated one counts again.
func (p *Provider) Requests(method string) (out []Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.requests {
		if method == "" || r.Method == method {
			out = append(out, r)
		}
	}
	return out
}

// Contacts are those that are signed in.
func (p *Provider) Contacts() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.contacts...)
}

// Wait waits until something holds, which is looked at after each change.
func (p *Provider) Wait(ctx context.Context, what string, holds func() bool) error {
	for {
		p.mu.Lock()
		changed := p.changed
		p.mu.Unlock()
		if holds() {
			return nil
		}
		select {
		case <-changed:
		case <-p.done:
			return ErrStopped
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, ctx.Err())
		}
	}
}

func (p *Provider) update(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	close(p.changed)
	p.changed = make(chan struct{})
}

// ask has the loop do f and waits for it, not for the wire.
func (p *Provider) ask(ctx context.Context, f func() error) error {
	answer := make(chan error, 1)
	select {
	case p.orders <- func() { answer <- f() }:
	case <-p.done:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-answer:
		return err
	case <-p.done:
		return ErrStopped
	}
}
