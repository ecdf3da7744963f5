package gsm_test

import (
	"io"
	"os"
	"sync"
)

// pipe is one direction of a cable: writes do not wait for the reader, like a tty's.
type pipe struct {
	mu     sync.Mutex
	cond   *sync.Cond
	buf    []byte
	closed bool
	torn   bool // closed by the far end
}

func newPipe() *pipe {
	p := &pipe{}
	p.cond = sync.NewCond(&p.mu)
	return p
}

func (p *pipe) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.buf) == 0 && !p.closed && !p.torn {
		p.cond.Wait()
	}
	if p.closed {
		return 0, os.ErrClosed
	}
	if len(p.buf) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.buf)
	p.buf = p.buf[n:]
	return n, nil
}

func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.torn {
		return 0, os.ErrClosed
	}
	p.buf = append(p.buf, b...)
	p.cond.Broadcast()
	return len(b), nil
}

func (p *pipe) close(torn bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.torn = p.torn || torn
	p.closed = p.closed || !torn
	p.cond.Broadcast()
}

// end is one end of a cable.
type end struct {
	in, out *pipe
}

// newCable returns the host's and the module's end.
func newCable() (host, module *end) {
	down, up := newPipe(), newPipe()
	return &end{in: up, out: down}, &end{in: down, out: up}
}

func (e *end) Read(b []byte) (int, error)  { return e.in.Read(b) }
func (e *end) Write(b []byte) (int, error) { return e.out.Write(b) }

// Close closes this end; the far end sees the end of file.
func (e *end) Close() error {
	e.in.close(false)
	e.out.close(true)
	return nil
}
