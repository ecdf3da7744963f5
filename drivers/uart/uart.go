// Package uart opens serial ports (tarm/serial) as plain io.ReadWriteClosers.
//
// It promises what the library below leaves out: a port belongs to one program at a time, a Read
// returns only with data or with a reason, a port that was pulled out says ErrRemoved instead of
// an everlasting end of file, a Write has an end, Close wakes whoever reads or writes, and a Read
// that waits keeps no thread.
// Start reading at Open.
package uart

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/tarm/serial"
	"golang.org/x/sys/unix"
)

// ErrRemoved says that the port is gone: the module was unplugged, reset or renumbered. Only a new
// Open can help.
var ErrRemoved = errors.New("the port was removed")

// ErrBusy says that another program holds the port.
var ErrBusy = errors.New("the port is used by another program")

const (
	// readTimeout is how often a Read in which nothing comes looks whether the port is still there,
	// and the shortest that tarm/serial knows (VTIME counts tenths of a second).
	readTimeout = 100 * time.Millisecond
	// quickEOF: an end of file this much sooner than readTimeout is a hang-up, not a time-out.
	quickEOF = readTimeout / 2
	// quickEOFs in a row are believed; one alone may be a signal that cut the wait short.
	quickEOFs = 3
	// writeTimeout ends a Write to a module that takes nothing any more.
	writeTimeout = 500 * time.Millisecond
)

// Port is an open serial port. One goroutine may read while another writes; Close may come from a third.
type Port struct {
	path   string
	set    *serial.Port // sets speed and form, and is not read: its reads wait in the kernel and each keeps a processor from Go meanwhile
	file   *os.File     // our own descriptor, on Go's poller: holds the lock, reads and writes
	closed atomic.Bool
	eofs   int // quick ends of file in a row; the reader's own
}

// Open opens the port at path, raw 8N1 without flow control, and takes it for this program alone
// (ErrBusy if another has it). What the module said before is thrown away. It does not wait for
// the module to answer.
func Open(path string, baud int) (*Port, error) {
	// A second open of the same node, because tarm/serial shows its descriptor to nobody.
	file, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("port %s: %w", path, cause(err))
	}
	if err := control(file, func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) }); err != nil {
		file.Close()
		return nil, fmt.Errorf("port %s: lock: %w", path, cause(err))
	}
	set, err := serial.OpenPort(&serial.Config{Name: path, Baud: baud, ReadTimeout: readTimeout})
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("port %s at %d baud: %w", path, baud, cause(err))
	}
	p := &Port{path: path, set: set, file: file}
	// Programs that ask for no lock are kept out by TIOCEXCL; it ends with the last close.
	if err := control(file, func(fd int) error { return unix.IoctlSetInt(fd, unix.TIOCEXCL, 0) }); err != nil {
		p.Close()
		return nil, fmt.Errorf("port %s: exclusive use: %w", path, cause(err))
	}
	set.Flush() // an old answer would only be taken for a new one; a failure shows at the first Read
	return p, nil
}

// Read waits until something has come. It ends with ErrRemoved when the port is gone and with
// os.ErrClosed within 100 ms of Close; it never returns 0 bytes without an error.
func (p *Port) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		if p.closed.Load() {
			return 0, p.err("read", os.ErrClosed)
		}
		began := time.Now()
		if err := p.file.SetReadDeadline(began.Add(readTimeout)); err != nil {
			return 0, p.err("read", cause(err))
		}
		n, err := p.file.Read(b)
		switch {
		case n > 0:
			p.eofs = 0
			return n, nil
		case err != nil && err != io.EOF && !errors.Is(err, os.ErrDeadlineExceeded):
			if p.closed.Load() {
				err = os.ErrClosed
			}
			return 0, p.err("read", cause(err))
		case p.gone(time.Since(began)):
			return 0, p.err("read", ErrRemoved)
		}
	}
}

// gone tells a hang-up, which comes as io.EOF too (VMIN 0), from a time-out.
func (p *Port) gone(waited time.Duration) bool {
	if waited >= quickEOF {
		p.eofs = 0
	} else if p.eofs++; p.eofs >= quickEOFs {
		return true
	}
	hungUp := false
	err := control(p.file, func(fd int) error {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		_, err := unix.Poll(fds, 0)
		hungUp = fds[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0
		return err
	})
	if err == nil && hungUp {
		return true
	}
	_, err = os.Stat(p.path)
	return errors.Is(err, os.ErrNotExist)
}

// Write waits at most half a second for the module to take b; then it ends with
// os.ErrDeadlineExceeded and the count that was taken. Close wakes it.
func (p *Port) Write(b []byte) (int, error) {
	if err := p.file.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, p.err("write", cause(err))
	}
	n, err := p.file.Write(b)
	return n, p.err("write", cause(err))
}

// Close gives the port back. Closing again does nothing.
func (p *Port) Close() error {
	if p.closed.Swap(true) {
		return nil
	}
	return p.err("close", errors.Join(p.file.Close(), p.set.Close()))
}

func (p *Port) err(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("port %s: %s: %w", p.path, what, err)
}

// cause gives the system's errors their meaning for a port.
func cause(err error) error {
	switch {
	case errors.Is(err, unix.EIO), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return fmt.Errorf("%w: %w", ErrRemoved, err)
	case errors.Is(err, unix.EWOULDBLOCK), errors.Is(err, unix.EBUSY):
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return err
}

// control runs f on the file's descriptor and says what f said.
func control(file *os.File, f func(fd int) error) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var ferr error
	if err := raw.Control(func(fd uintptr) { ferr = f(int(fd)) }); err != nil {
		return err
	}
	return ferr
}

var _ io.ReadWriteCloser = (*Port)(nil)
