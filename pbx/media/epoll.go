package media

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The package unix allocates an address for every datagram, so sending and receiving call the
// kernel themselves. The sockets do not block; RawSyscall keeps Go's scheduler out of it.

const (
	batch     = 16   // datagrams taken by one call
	maxPacket = 2048 // bytes of a datagram; longer ones are cut and then refused as no RTP of ours
)

// poller is what the worker waits with: sockets, the clock, and a bell for the mailbox.
type poller struct {
	fd     int
	timer  int
	wake   *wakeup
	events [64]unix.EpollEvent
	in     inbox
}

// wakeup is the bell. Anybody may ring it, even after it was closed.
type wakeup struct {
	file *os.File // guards the descriptor against being closed while somebody writes
	fd   int
}

func (w *wakeup) ring() {
	one := [8]byte{0: 1} // an eventfd takes a number in the machine's order; any but 0 will do
	_, _ = w.file.Write(one[:])
}

func newPoller() (p *poller, err error) {
	p = &poller{fd: -1, timer: -1}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if p.fd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return p, os.NewSyscallError("epoll_create1", err)
	}
	bell, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return p, os.NewSyscallError("eventfd", err)
	}
	p.wake = &wakeup{file: os.NewFile(uintptr(bell), "eventfd"), fd: bell}
	if p.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); err != nil {
		return p, os.NewSyscallError("timerfd_create", err)
	}
	every := unix.NsecToTimespec(int64(tick))
	if err = unix.TimerfdSettime(p.timer, 0, &unix.ItimerSpec{Interval: every, Value: every}, nil); err != nil {
		return p, os.NewSyscallError("timerfd_settime", err)
	}
	p.in.prepare()
	return p, errors.Join(p.add(bell), p.add(p.timer))
}

func (p *poller) close() {
	if p.wake != nil {
		_ = p.wake.file.Close()
	}
	for _, fd := range []int{p.timer, p.fd} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

func (p *poller) add(fd int) error {
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &event))
}

func (p *poller) remove(fd int) {
	_ = unix.EpollCtl(p.fd, unix.EPOLL_CTL_DEL, fd, nil) // closing it would do the same
}

// wait returns when something has happened. It calls receive for each socket with datagrams and
// tells how many ticks are due.
func (p *poller) wait(receive func(fd int)) (ticks int, err error) {
	n, err := unix.EpollWait(p.fd, p.events[:], -1)
	if err != nil && !errors.Is(err, unix.EINTR) {
		return 0, os.NewSyscallError("epoll_wait", err)
	}
	for i := range max(n, 0) {
		switch fd := int(p.events[i].Fd); fd {
		case p.timer:
			ticks = int(min(p.drain(fd), 1<<20))
		case p.wake.fd:
			p.drain(fd)
		default:
			receive(fd)
		}
	}
	return ticks, nil
}

// drain reads the counter of a timer or an eventfd.
func (p *poller) drain(fd int) uint64 {
	var b [8]byte
	if n, err := unix.Read(fd, b[:]); err != nil || n != len(b) {
		return 0
	}
	return binary.NativeEndian.Uint64(b[:])
}

// inbox receives datagrams, several at a time. The kernel writes into its memory, which the
// garbage collector does not move.
type inbox struct {
	heads [batch]messageHead
	vecs  [batch]unix.Iovec
	names [batch]rawAddr
	data  [batch][maxPacket]byte
}

// messageHead is struct mmsghdr, see recvmmsg(2).
type messageHead struct {
	head unix.Msghdr
	len  uint32
}

func (b *inbox) prepare() {
	for i := range b.heads {
		b.vecs[i].Base = &b.data[i][0]
		b.vecs[i].SetLen(maxPacket)
		b.heads[i].head.Name = (*byte)(unsafe.Pointer(&b.names[i].data))
		b.heads[i].head.Iov = &b.vecs[i]
		b.heads[i].head.SetIovlen(1)
	}
}

// read takes what is there, batch datagrams at most, and says how many.
func (b *inbox) read(fd int) int {
	for i := range b.heads {
		b.heads[i].head.Namelen = unix.SizeofSockaddrInet6
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd),
		uintptr(unsafe.Pointer(&b.heads[0])), batch, unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// packet is datagram i of the last read, valid until the next.
func (b *inbox) packet(i int) ([]byte, netip.AddrPort) {
	return b.data[i][:min(b.heads[i].len, maxPacket)], b.names[i].get()
}

// sendTo sends one datagram and does not wait.
func sendTo(fd int, b []byte, to *rawAddr) bool {
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&to.data)), uintptr(to.len))
	return errno == 0
}
