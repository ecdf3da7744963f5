// Package udp is sockets without the cost of package net: one thread waits for many of them, for a
// clock and for a bell (epoll), takes their datagrams several at a time (recvmmsg) and sends
// without allocating. It runs on Linux only. Start reading at Poller.
package udp

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The package unix allocates an address for every datagram, so sending and receiving call the
// kernel themselves. The sockets do not block; RawSyscall keeps Go's scheduler out of it.

const (
	Batch     = 16   // datagrams taken by one call
	maxPacket = 2048 // bytes of a datagram; longer ones are cut and then refused as no RTP of ours
)

// Inbox receives datagrams, several at a time. The kernel writes into its memory, which the
// garbage collector does not move.
type Inbox struct {
	heads [Batch]messageHead
	vecs  [Batch]unix.Iovec
	names [Batch]Addr
	data  [Batch][maxPacket]byte
}

// messageHead is struct mmsghdr, see recvmmsg(2).
type messageHead struct {
	head unix.Msghdr
	len  uint32
}

// NewInbox makes one.
func NewInbox() *Inbox {
	b := new(Inbox)
	for i := range b.heads {
		b.vecs[i].Base = &b.data[i][0]
		b.vecs[i].SetLen(maxPacket)
		b.heads[i].head.Name = (*byte)(unsafe.Pointer(&b.names[i].data))
		b.heads[i].head.Iov = &b.vecs[i]
		b.heads[i].head.SetIovlen(1)
	}
	return b
}

// Read takes what is there, Batch datagrams at most, and says how many.
func (b *Inbox) Read(fd int) int {
	for i := range b.heads {
		b.heads[i].head.Namelen = unix.SizeofSockaddrInet6
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd),
		uintptr(unsafe.Pointer(&b.heads[0])), Batch, unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// Packet is datagram i of the last read, valid until the next.
func (b *Inbox) Packet(i int) ([]byte, netip.AddrPort) {
	return b.data[i][:min(b.heads[i].len, maxPacket)], b.names[i].get()
}

// Send sends one datagram and does not wait. False: the kernel did not take it, it is lost.
func Send(fd int, b []byte, to *Addr) bool {
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&to.data)), uintptr(to.len))
	return errno == 0
}
