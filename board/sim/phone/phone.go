// Package phone is a SIP desk phone: a simulated peer of the box, for `make run`, for the
// end-to-end tests and for a person who wants to try the box.
//
// It shares no code with the box's SIP stack, so that no mistake is made twice: the user agent is
// written from RFC 3261 over a UDP socket or a connection by TCP or TLS. It registers with digest, calls and is called, holds,
// presses keys (RFC 4733 and INFO), says a tone and remembers what it hears, so that a test can
// listen. It also misbehaves on demand: it vanishes, withholds ACKs, loses sound, forges a BYE.
//
// Everything of a Phone is owned by the goroutine of Run; the exported methods hand it an order
// or read a snapshot, and may be called from any goroutine. Start reading at Phone.Run, then
// dial.go for calls out and ring.go for calls in.
package phone

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"branchline/board/sim/phone/account"
	"branchline/board/sim/phone/message"
	"branchline/board/sim/phone/transact"
)

// ErrStopped says that the phone's Run has ended.
var ErrStopped = errors.New("the phone is switched off")

// Phone is one desk phone. New makes it, Run works it.
type Phone struct {
	opt   Options
	conn  *net.UDPConn
	local netip.AddrPort

	orders chan func()
	heard  chan datagram
	done   chan struct{}
	begun  atomic.Bool
	gone   atomic.Bool // vanished

	// Owned by Run's goroutine.
	link    link
	clock   *transact.Clock
	layer   *transact.Layer
	calls   []*Call
	lamps   []*Lamp
	leaving bool
	acct    *account.Account
	reg     *account.Registration
	ctx     context.Context // of the calls' sound
	workers sync.WaitGroup

	// Guarded by watch.
	watch    watched
	signedIn bool
	status   account.Status
	refused  error // why the last registration failed
	shown    []*Call
	incoming []*Call // not yet taken by WaitCall
	events   []Event // not yet told
	closing  bool
}

type datagram struct {
	from netip.AddrPort
	data []byte
}

const (
	maxUncollected = 256
)

// New makes a phone and opens its socket; it starts nothing. Run closes the socket.
func New(o Options) (*Phone, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(o.Listen))
	if err != nil {
		return nil, fmt.Errorf("phone %s: %w", o.User, err)
	}
	local, err := ownAddress(conn, o.Server)
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("phone %s: %w", o.User, err)
	}
	p := &Phone{
		opt: o, conn: conn, local: local,
		orders: make(chan func()), heard: make(chan datagram, 64), done: make(chan struct{}),
		clock: transact.NewClock(time.Now),
	}
	p.layer = p.newLayer()
	p.acct = &account.Account{
		Server: o.Server, Local: local, User: o.User, Password: o.Password, Name: o.Name, Algorithm: o.Algorithm,
		Layer: p.layer, Log: o.Log, Transport: p.opt.Transport,
	}
	p.reg = account.NewRegistration(p.acct, o.Expires, o.Retry, p.registered)
	return p, nil
}

func (p *Phone) newLayer() *transact.Layer {
	return &transact.Layer{
		Timing: transact.StandardTiming().Scaled(p.opt.T1), Clock: p.clock, Send: p.send, Reliable: p.streams(),
		OnRequest: p.onRequest, OnAck: p.onAck, OnStray: p.onStray,
	}
}

// ownAddress is what others reach conn by.
func ownAddress(conn *net.UDPConn, server netip.AddrPort) (netip.AddrPort, error) {
	local := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	host := local.Addr().Unmap()
	if host.IsUnspecified() {
		if !server.IsValid() {
			return netip.AddrPort{}, errors.New("an own address is needed where there is no server")
		}
		probe, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(server)) // sends nothing
		if err != nil {
			return netip.AddrPort{}, fmt.Errorf("find own address: %w", err)
		}
		host = probe.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
		if err := probe.Close(); err != nil {
			return netip.AddrPort{}, err
		}
	}
	return netip.AddrPortFrom(host, local.Port()), nil
}

// Addr is where the phone listens for SIP.
func (p *Phone) Addr() netip.AddrPort { return p.local }

// URI is what another phone dials to reach this one without a box.
func (p *Phone) URI() string { return p.acct.Contact() }

// Run works the phone until ctx ends: it registers, and at the end hangs up, unregisters (at most
// a second) and closes its sockets. It may be called once. An error means that the socket broke.
func (p *Phone) Run(ctx context.Context) error {
	if p.begun.Swap(true) {
		return errors.New("phone: Run called twice")
	}
	var cancel context.CancelFunc
	p.ctx, cancel = context.WithCancel(context.Background()) // sound goes on until the goodbyes are said
	var herald sync.WaitGroup
	herald.Go(p.tell)
	p.workers.Go(p.read)
	if p.streams() {
		p.connect() // and sign in once that stands
	} else {
		p.register()
	}
	p.loop(ctx.Done(), func() bool { return false })
	p.leave()
	late := time.NewTimer(p.opt.goodbye)
	p.loop(nil, func() bool {
		select {
		case <-late.C:
			return true
		default:
			return p.acct.Open() == 0 && len(p.calls) == 0
		}
	})
	late.Stop()
	cancel()
	err := p.conn.Close()
	p.workers.Wait()
	close(p.done)
	p.watch.update(func() { p.closing = true })
	herald.Wait()
	return err
}

// loop is the owner of all state. It ends when stop does or enough says so.
func (p *Phone) loop(stop <-chan struct{}, enough func() bool) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for !enough() {
		wait := time.Hour
		if stop == nil {
			wait = 20 * time.Millisecond
		}
		if next, ok := p.clock.Next(); ok {
			wait = min(wait, time.Until(next))
		}
		timer.Reset(wait)
		select {
		case <-stop:
			return
		case d := <-p.heard:
			p.receive(d)
		case order := <-p.orders:
			order()
		case <-timer.C:
		}
		p.clock.Run()
	}
}

// read hands datagrams to the loop until the socket is closed.
func (p *Phone) read() {
	buf := make([]byte, 65536)
	for {
		n, from, err := p.conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // an ICMP: the box is away just now
		}
		select {
		case p.heard <- datagram{from, slices.Clone(buf[:n])}:
		case <-p.ctx.Done():
			return
		}
	}
}

func (p *Phone) receive(d datagram) {
	if p.gone.Load() {
		return
	}
	m, err := message.Parse(d.data)
	if err != nil {
		p.opt.Log.Debug("datagram dropped", "phone", p.opt.User, "from", d.from, "err", err)
		return
	}
	if err := m.Check(); err != nil {
		p.opt.Log.Debug("bad message", "phone", p.opt.User, "from", d.from, "err", err)
		if via, verr := m.Via(); verr == nil && m.Method != "" && m.Method != "ACK" {
			via, back := via.Received(d.from)
			m.SetVia(via)
			p.send(back, m.Response(400, account.NewTag()).Bytes())
		}
		return
	}
	p.layer.Receive(m, d.from)
}

// send puts one message on the wire, unless the phone has vanished.
func (p *Phone) send(to netip.AddrPort, b []byte) {
	if p.gone.Load() || p.sendStream(to, b) {
		return
	}
	if _, err := p.conn.WriteToUDPAddrPort(b, to); err != nil {
		p.opt.Log.Debug("not sent", "phone", p.opt.User, "to", to, "err", err) // its timer repeats it
	}
}

// leave begins all goodbyes.
func (p *Phone) leave() {
	p.leaving = true
	for _, c := range slices.Clone(p.calls) {
		c.hangup()
	}
	p.unregister()
}

// Vanish pulls the plug: nothing is sent or taken in any more, no goodbye is said.
func (p *Phone) Vanish() {
	p.gone.Store(true)
	p.watch.look(func() {
		for _, c := range p.shown {
			c.mute(true)
		}
	})
}

// Return plugs a vanished phone in again; it knows all it knew.
func (p *Phone) Return() {
	p.gone.Store(false)
	p.watch.look(func() {
		for _, c := range p.shown {
			c.mute(false)
		}
	})
}

// Calls is every call that is not gone, oldest first.
func (p *Phone) Calls() []*Call {
	var all []*Call
	p.watch.look(func() { all = slices.Clone(p.shown) })
	return all
}

// WaitCall waits for the next incoming call that it has not yet returned; it may be gone again.
func (p *Phone) WaitCall(ctx context.Context) (*Call, error) {
	var c *Call
	err := p.watch.wait(ctx, func() bool {
		if len(p.incoming) == 0 {
			return false
		}
		c, p.incoming = p.incoming[0], p.incoming[1:]
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("phone %s: no call came: %w", p.opt.User, err)
	}
	return c, nil
}

// ask has the loop do f and waits for it, not for the wire.
func (p *Phone) ask(ctx context.Context, f func() error) error {
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

// note queues an event for OnEvent.
func (p *Phone) note(e Event) {
	e.Phone = p.opt.User
	p.opt.Log.Info(e.words(), "phone", e.Phone)
	if p.opt.OnEvent != nil {
		p.watch.update(func() { p.events = append(p.events, e) })
	}
}

// tell runs OnEvent, in a goroutine of its own so that it may call back.
func (p *Phone) tell() {
	for over := false; !over; {
		var batch []Event
		_ = p.watch.wait(context.Background(), func() bool {
			batch, p.events, over = p.events, nil, p.closing
			return len(batch) > 0 || over
		})
		for _, e := range batch {
			p.opt.OnEvent(e)
		}
	}
}
