package main

import (
	"context"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// faults is what is wrong with the disk now. The zero value is a disk that is well.
type faults struct {
	slow  atomic.Int64  // what each sync takes longer, in ns
	write atomic.Uint32 // errno of whatever changes anything; 0: none
	sync  atomic.Uint32 // errno of syncs; 0: none
}

func (f *faults) writes() syscall.Errno { return syscall.Errno(f.write.Load()) }

// syncs waits as a slow disk does.
func (f *faults) syncs(ctx context.Context) syscall.Errno {
	if d := time.Duration(f.slow.Load()); d > 0 {
		select {
		case <-time.After(d):
		case <-ctx.Done(): // who asked was killed
			return syscall.EINTR
		}
	}
	return syscall.Errno(f.sync.Load())
}

// node is a file or folder that passes everything on while the disk is well.
type node struct {
	fs.LoopbackNode
	*faults
}

var (
	_ fs.NodeOpener    = (*node)(nil)
	_ fs.NodeCreater   = (*node)(nil)
	_ fs.NodeSetattrer = (*node)(nil)
	_ fs.NodeMkdirer   = (*node)(nil)
	_ fs.NodeMknoder   = (*node)(nil)
	_ fs.NodeSymlinker = (*node)(nil)
	_ fs.NodeUnlinker  = (*node)(nil)
	_ fs.NodeRmdirer   = (*node)(nil)
	_ fs.NodeRenamer   = (*node)(nil)
	_ fs.NodeFsyncer   = (*node)(nil)
)

func (n *node) Open(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if no := n.writes(); no == syscall.EROFS && flags&(syscall.O_WRONLY|syscall.O_RDWR|syscall.O_TRUNC) != 0 {
		return nil, 0, no
	}
	h, _, no := n.LoopbackNode.Open(ctx, flags)
	return n.file(h, no), fuse.FOPEN_KEEP_CACHE, no // what is mapped stays what it was
}

func (n *node) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	if no := n.writes(); no != 0 {
		return nil, nil, 0, no
	}
	inode, h, _, no := n.LoopbackNode.Create(ctx, name, flags, mode, out)
	return inode, n.file(h, no), fuse.FOPEN_KEEP_CACHE, no
}

func (n *node) file(h fs.FileHandle, no syscall.Errno) fs.FileHandle {
	if no != 0 {
		return nil
	}
	return &file{handle: h.(handle), faults: n.faults}
}

func (n *node) Setattr(ctx context.Context, h fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if no := n.writes(); no != 0 {
		return no
	}
	if f, ok := h.(*file); ok {
		return f.handle.Setattr(ctx, in, out)
	}
	return n.LoopbackNode.Setattr(ctx, h, in, out)
}

func (n *node) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	if no := n.writes(); no != 0 {
		return nil, no
	}
	return n.LoopbackNode.Mkdir(ctx, name, mode, out)
}

func (n *node) Mknod(ctx context.Context, name string, mode, dev uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	if no := n.writes(); no != 0 {
		return nil, no
	}
	return n.LoopbackNode.Mknod(ctx, name, mode, dev, out)
}

func (n *node) Symlink(ctx context.Context, target, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	if no := n.writes(); no != 0 {
		return nil, no
	}
	return n.LoopbackNode.Symlink(ctx, target, name, out)
}

func (n *node) Unlink(ctx context.Context, name string) syscall.Errno {
	if no := n.writes(); no != 0 && no != syscall.ENOSPC {
		return no
	}
	return n.LoopbackNode.Unlink(ctx, name)
}

func (n *node) Rmdir(ctx context.Context, name string) syscall.Errno {
	if no := n.writes(); no != 0 && no != syscall.ENOSPC {
		return no
	}
	return n.LoopbackNode.Rmdir(ctx, name)
}

func (n *node) Rename(ctx context.Context, name string, to fs.InodeEmbedder, as string, flags uint32) syscall.Errno {
	if no := n.writes(); no != 0 {
		return no
	}
	if other, ok := to.(*node); ok {
		to = &other.LoopbackNode
	}
	return n.LoopbackNode.Rename(ctx, name, to, as, flags)
}

// Fsync is of folders, and of files whose handle does not sync itself.
func (n *node) Fsync(ctx context.Context, h fs.FileHandle, flags uint32) syscall.Errno {
	if f, ok := h.(*file); ok {
		return f.Fsync(ctx, flags)
	}
	return n.syncs(ctx)
}

// handle is what a loopback file can do, but for handing its descriptor to the kernel: then writes
// would pass us by.
type handle interface {
	fs.FileReader
	fs.FileWriter
	fs.FileReleaser
	fs.FileFlusher
	fs.FileFsyncer
	fs.FileGetattrer
	fs.FileSetattrer
	fs.FileLseeker
	fs.FileGetlker
	fs.FileSetlker
	fs.FileSetlkwer
	fs.FileAllocater
}

// file is an open file.
type file struct {
	handle
	*faults
}

func (f *file) Write(ctx context.Context, data []byte, off int64) (uint32, syscall.Errno) {
	if no := f.writes(); no != 0 {
		return 0, no
	}
	return f.handle.Write(ctx, data, off)
}

func (f *file) Setattr(ctx context.Context, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if no := f.writes(); no != 0 {
		return no
	}
	return f.handle.Setattr(ctx, in, out)
}

func (f *file) Allocate(ctx context.Context, off, size uint64, mode uint32) syscall.Errno {
	if no := f.writes(); no != 0 {
		return no
	}
	return f.handle.Allocate(ctx, off, size, mode)
}

func (f *file) Fsync(ctx context.Context, flags uint32) syscall.Errno {
	if no := f.syncs(ctx); no != 0 {
		return no
	}
	return f.handle.Fsync(ctx, flags)
}
