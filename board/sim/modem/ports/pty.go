package ports

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// Pair is the plug: both ports. Make one by New.
type Pair struct {
	AT, PCM *Port

	mu     sync.Mutex // guards what follows
	dir    string     // "": the ports are not ptys
	closed bool
}

// New makes a plug with nobody at it. At most maxSound bytes of sound wait for a reader who is late.
func New(maxSound int) *Pair {
	return &Pair{AT: newPort("at", 0), PCM: newPort("pcm", maxSound)}
}

// OpenPTYs connects both ports to new ptys and makes the symlinks dir/at and dir/pcm, which a
// serial driver opens; dir is made if need be and belongs to this plug alone. The links stay the
// same over Pull and Plug; Close removes them.
func (p *Pair) OpenPTYs(dir string) (at, pcm string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", "", err
	}
	p.mu.Lock()
	p.dir = dir
	p.mu.Unlock()
	if err := p.Plug(); err != nil {
		return "", "", err
	}
	return filepath.Join(dir, p.AT.name), filepath.Join(dir, p.PCM.name), nil
}

// OpenPipes connects both ports to in-memory wires and returns the host's ends. They hold 4 KiB
// each way; a read waits, a write waits while the wire is full, and Close frees both. After
// Pull they are dead.
func (p *Pair) OpenPipes() (at, pcm io.ReadWriteCloser) {
	ourAT, at := newWire()
	ourPCM, pcm := newWire()
	p.Attach(ourAT, ourPCM)
	return at, pcm
}

// Attach connects the ports to whatever at and pcm are, in place of what was there; the plug closes
// them. Close must free a Read.
func (p *Pair) Attach(at, pcm io.ReadWriteCloser) {
	p.PCM.plug(pcm)
	p.AT.plug(at)
}

// ArePTYs says whether OpenPTYs was called.
func (p *Pair) ArePTYs() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dir != ""
}

// Plug makes new ptys and their links, where the ports are ptys.
func (p *Pair) Plug() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dir == "" || p.closed {
		return nil
	}
	for _, port := range []*Port{p.PCM, p.AT} {
		wire, err := openPTY()
		if err != nil {
			return fmt.Errorf("open pty: %w", err)
		}
		if err := link(wire.host.Name(), filepath.Join(p.dir, port.name)); err != nil {
			wire.Close()
			return err
		}
		port.plug(wire)
	}
	return nil
}

// Pull takes the links and what is plugged away.
func (p *Pair) Pull() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, port := range []*Port{p.AT, p.PCM} {
		if p.dir != "" {
			os.Remove(filepath.Join(p.dir, port.name)) // it may be gone already
		}
		port.plug(nil)
	}
}

// Close is Pull for ever.
func (p *Pair) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.Pull()
}

// ptyWire is a pty. The host's end is kept open too, so that ours does not break while nobody
// has opened it.
type ptyWire struct{ ours, host *os.File }

func (w ptyWire) Read(b []byte) (int, error)  { return w.ours.Read(b) }
func (w ptyWire) Write(b []byte) (int, error) { return w.ours.Write(b) }
func (w ptyWire) Close() error                { return errors.Join(w.ours.Close(), w.host.Close()) }

// waiting is how many bytes the host has not read yet.
func (w ptyWire) waiting() (n int) {
	conn, err := w.host.SyscallConn()
	if err != nil {
		return 0
	}
	conn.Control(func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), unix.TIOCINQ) }) // an error: the wire is gone
	return n
}

// openPTY opens a pty in raw mode: else the tty would echo what the modem says back to it.
func openPTY() (ptyWire, error) {
	ours, host, err := pty.Open()
	if err != nil {
		return ptyWire{}, err
	}
	err = raw(host)
	mine, err2 := waking(ours)
	ours.Close()
	if err := errors.Join(err, err2); err != nil {
		host.Close()
		return ptyWire{}, err
	}
	return ptyWire{mine, host}, nil
}

// waking is a copy of f of which a Read that waits is woken by Close: pty.Open leaves its file in
// blocking mode.
func waking(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// raw is cfmakeraw(3) on f.
func raw(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = conn.Control(func(fd uintptr) {
		var t *unix.Termios
		if t, inner = unix.IoctlGetTermios(int(fd), unix.TCGETS); inner != nil {
			return
		}
		t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
		t.Oflag &^= unix.OPOST
		t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
		t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
		t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
		inner = unix.IoctlSetTermios(int(fd), unix.TCSETS, t)
	})
	return errors.Join(err, inner)
}

// link points path at target in one step, whatever was there.
func link(target, path string) error {
	next := path + ".new"
	os.Remove(next)
	if err := os.Symlink(target, next); err != nil {
		return err
	}
	return os.Rename(next, path)
}
