package udp

import (
	"encoding/binary"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Poller is what the worker waits with: sockets, the clock, and a bell for the mailbox.
type Poller struct {
	fd     int
	timer  int
	next   time.Duration // when the next tick is due, by Now
	every  time.Duration
	bell   *Bell
	events [64]unix.EpollEvent
}

// Bell wakes a Poller. Anybody may ring it, even after the Poller was closed.
type Bell struct {
	file *os.File // guards the descriptor against being closed while somebody writes
	fd   int
}

// Ring makes Wait return. It does not wait itself.
func (w *Bell) Ring() {
	one := [8]byte{0: 1} // an eventfd takes a number in the machine's order; any but 0 will do
	_, _ = w.file.Write(one[:])
}

// NewPoller makes a Poller whose clock ticks every tick. The caller closes it.
func NewPoller(tick time.Duration) (p *Poller, err error) {
	p = &Poller{fd: -1, timer: -1, every: tick}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	if p.fd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return p, os.NewSyscallError("epoll_create1", err)
	}
	bell, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return p, os.NewSyscallError("eventfd", err)
	}
	p.bell = &Bell{file: os.NewFile(uintptr(bell), "eventfd"), fd: bell}
	if p.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); err != nil {
		return p, os.NewSyscallError("timerfd_create", err)
	}
	p.next = p.Now() + tick
	clock := &unix.ItimerSpec{Interval: unix.NsecToTimespec(int64(tick)), Value: unix.NsecToTimespec(int64(p.next))}
	if err = unix.TimerfdSettime(p.timer, unix.TFD_TIMER_ABSTIME, clock, nil); err != nil {
		return p, os.NewSyscallError("timerfd_settime", err)
	}
	return p, errors.Join(p.Add(bell), p.Add(p.timer))
}

// Bell is what wakes p.
func (p *Poller) Bell() *Bell { return p.bell }

// Close ends p. Sockets stay open.
func (p *Poller) Close() {
	if p.bell != nil {
		_ = p.bell.file.Close()
	}
	for _, fd := range []int{p.timer, p.fd} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

// Add watches a socket.
func (p *Poller) Add(fd int) error {
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &event))
}

// Remove watches a socket no more.
func (p *Poller) Remove(fd int) {
	_ = unix.EpollCtl(p.fd, unix.EPOLL_CTL_DEL, fd, nil) // closing it would do the same
}

// Now is the time of the clock that ticks, which nobody sets (CLOCK_MONOTONIC).
func (p *Poller) Now() time.Duration {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // fails for a clock that is not there alone
	return time.Duration(now.Nano())
}

// Due is when the newest of the ticks was due that Wait has told of, by Now.
func (p *Poller) Due() time.Duration { return p.next - p.every }

// Wait returns when something has happened. It calls receive for each socket with datagrams and
// tells how many ticks are due.
func (p *Poller) Wait(receive func(fd int)) (ticks int, err error) {
	n, err := unix.EpollWait(p.fd, p.events[:], -1)
	if err != nil && !errors.Is(err, unix.EINTR) {
		return 0, os.NewSyscallError("epoll_wait", err)
	}
	for i := range max(n, 0) {
		switch fd := int(p.events[i].Fd); fd {
		case p.timer:
			n := p.drain(fd)
			p.next += time.Duration(n) * p.every
			ticks = int(min(n, 1<<20))
		case p.bell.fd:
			p.drain(fd)
		default:
			receive(fd)
		}
	}
	return ticks, nil
}

// drain reads the counter of a timer or an eventfd.
func (p *Poller) drain(fd int) uint64 {
	var b [8]byte
	if n, err := unix.Read(fd, b[:]); err != nil || n != len(b) {
		return 0
	}
	return binary.NativeEndian.Uint64(b[:])
}
