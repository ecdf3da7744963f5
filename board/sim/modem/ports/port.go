// Package ports is the plug of a simulated modem: a port that speaks AT and one that carries sound,
// as real ptys or in-memory pipes, which can be pulled out and put back at any time.
//
// It promises that the modem never waits for whoever reads or does not read them. Start at Pair.
package ports

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

const (
	portQueue = 64 // writes that wait for a slow reader; beyond it they are dropped
)

// Port is one of the modem's sockets. A host can be plugged in and pulled out at any time; write
// never waits, whatever the host does.
type Port struct {
	name    string
	dropped atomic.Int64 // bytes
	out     chan parcel
	limit   int // bytes that may wait at the host for its reader, where the wire tells; 0: what fits

	mu      sync.Mutex // guards what follows
	host    io.ReadWriteCloser
	changed chan struct{} // closed when host changes
}

type parcel struct {
	to io.ReadWriteCloser
	b  []byte
}

func newPort(name string, limit int) *Port {
	return &Port{name: name, limit: limit, out: make(chan parcel, portQueue), changed: make(chan struct{})}
}

// plug connects host in place of what was there, which is closed; nil leaves nobody there.
func (p *Port) plug(host io.ReadWriteCloser) {
	p.mu.Lock()
	old := p.host
	p.host = host
	close(p.changed)
	p.changed = make(chan struct{})
	p.mu.Unlock()
	if old != nil {
		old.Close()
	}
}

// Dropped is how many bytes nobody took.
func (p *Port) Dropped() int64 { return p.dropped.Load() }

func (p *Port) there() (io.ReadWriteCloser, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.host, p.changed
}

// Write hands b, which nobody changes any more, to the host or drops it.
func (p *Port) Write(b []byte) {
	host, _ := p.there()
	if host == nil {
		p.dropped.Add(int64(len(b)))
		return
	}
	select {
	case p.out <- parcel{host, b}:
	default:
		p.dropped.Add(int64(len(b)))
	}
}

// Send writes what is queued until ctx ends.
func (p *Port) Send(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case parcel := <-p.out:
			n := 0
			if w, tells := parcel.to.(interface{ waiting() int }); !tells || p.limit == 0 || w.waiting() < p.limit {
				n, _ = parcel.to.Write(parcel.b) // an error is a host that is gone
			}
			p.dropped.Add(int64(len(parcel.b) - n))
		}
	}
}

// Read hands what hosts write to got, which owns it, until ctx ends. Whoever ends ctx also plugs nil.
func (p *Port) Read(ctx context.Context, got func([]byte)) {
	for ctx.Err() == nil {
		host, changed := p.there()
		if host != nil {
			p.drain(ctx, host, got)
		}
		select {
		case <-ctx.Done():
		case <-changed:
		}
	}
}

// drain reads one host until it is gone.
func (p *Port) drain(ctx context.Context, host io.Reader, got func([]byte)) {
	for ctx.Err() == nil {
		b := make([]byte, 1024)
		n, err := host.Read(b)
		if n > 0 {
			got(b[:n])
		}
		if err != nil {
			return
		}
	}
}

// pipe is one direction of an in-memory wire: it holds 4 KiB, as a tty does.
type pipe struct {
	mu     sync.Mutex // guards what follows
	moved  sync.Cond
	b      []byte
	closed error // what a read gives once b is empty
}

const pipeSize = 4096

func newPipe() *pipe {
	p := &pipe{}
	p.moved.L = &p.mu
	return p
}

func (p *pipe) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.b) == 0 && p.closed == nil {
		p.moved.Wait()
	}
	if len(p.b) == 0 {
		return 0, p.closed
	}
	n := copy(b, p.b)
	p.b = p.b[n:]
	p.moved.Broadcast()
	return n, nil
}

// Write waits while the pipe is full.
func (p *pipe) Write(b []byte) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n < len(b) {
		for len(p.b) >= pipeSize && p.closed == nil {
			p.moved.Wait()
		}
		if p.closed != nil {
			return n, errWireGone
		}
		k := min(len(b)-n, pipeSize-len(p.b))
		p.b = append(p.b, b[n:n+k]...)
		n += k
		p.moved.Broadcast()
	}
	return n, nil
}

func (p *pipe) close(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed == nil {
		p.closed = err
	}
	p.moved.Broadcast()
}

var errWireGone = errors.New("the wire is gone")

// pipeEnd is one end of a wire.
type pipeEnd struct{ in, out *pipe }

func (e pipeEnd) Read(b []byte) (int, error)  { return e.in.Read(b) }
func (e pipeEnd) Write(b []byte) (int, error) { return e.out.Write(b) }

func (e pipeEnd) waiting() int {
	e.out.mu.Lock()
	defer e.out.mu.Unlock()
	return len(e.out.b)
}

// Close pulls the wire: both ends read what is left and then an error.
func (e pipeEnd) Close() error {
	e.in.close(errWireGone)
	e.out.close(errWireGone)
	return nil
}

func newWire() (modem, host pipeEnd) {
	a, b := newPipe(), newPipe()
	return pipeEnd{a, b}, pipeEnd{b, a}
}
