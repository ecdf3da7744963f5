// Faultdisk is a disk that fails when it is told to: a folder seen through FUSE, for tests of what
// the box does on a bad disk. It must be a process of its own: who maps a file of a disk that it
// serves itself waits for itself.
//
//	faultdisk FOLDER MOUNTPOINT
//
// It mounts, says "mounted", and then obeys lines on its standard input, each answered by "done" once
// it is in force. It ends, and unmounts, at the end of its input.
//
//	slow 2s        each sync takes so much longer
//	write EROFS    what changes anything fails with this: EROFS, ENOSPC or EIO
//	sync EIO       syncs fail with this; writes reach the folder all the same
//	well           all of the above is over
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: faultdisk FOLDER MOUNTPOINT")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "faultdisk:", err)
		os.Exit(1)
	}
}

// run serves folder at mountpoint until in ends.
func run(folder, mountpoint string, in io.Reader, out io.Writer) error {
	f := &faults{}
	root := &fs.LoopbackRoot{Path: folder}
	root.NewNode = func(r *fs.LoopbackRoot, _ *fs.Inode, _ string, _ *syscall.Stat_t) fs.InodeEmbedder {
		return &node{LoopbackNode: fs.LoopbackNode{RootData: r}, faults: f}
	}
	top := &node{LoopbackNode: fs.LoopbackNode{RootData: root}, faults: f}
	short := 100 * time.Millisecond
	server, err := fs.Mount(mountpoint, top, &fs.Options{
		EntryTimeout: &short, AttrTimeout: &short,
		MountOptions: fuse.MountOptions{DirectMountStrict: true, FsName: "faultdisk", Name: "faultdisk"},
	})
	if err != nil {
		return fmt.Errorf("mount %s: %w; it needs /dev/fuse and CAP_SYS_ADMIN", mountpoint, err)
	}
	fmt.Fprintln(out, "mounted")
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if err := f.obey(lines.Text()); err != nil {
			fmt.Fprintln(out, err)
			continue
		}
		fmt.Fprintln(out, "done")
	}
	if err := f.obey("well"); err != nil {
		return err
	}
	if err := syscall.Unmount(mountpoint, syscall.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount %s: %w", mountpoint, err)
	}
	server.Wait()
	return lines.Err()
}

// obey puts one line of orders in force.
func (f *faults) obey(line string) error {
	what, arg, _ := strings.Cut(line, " ")
	switch what {
	case "slow":
		d, err := time.ParseDuration(arg)
		if err != nil {
			return err
		}
		f.slow.Store(int64(d))
		return nil
	case "write", "sync":
		no, ok := map[string]syscall.Errno{"EROFS": syscall.EROFS, "ENOSPC": syscall.ENOSPC, "EIO": syscall.EIO}[arg]
		if !ok {
			return fmt.Errorf("no error %q: EROFS, ENOSPC or EIO", arg)
		}
		if what == "write" {
			f.write.Store(uint32(no))
		} else {
			f.sync.Store(uint32(no))
		}
		return nil
	case "well":
		f.slow.Store(0)
		f.write.Store(0)
		f.sync.Store(0)
		return nil
	}
	return fmt.Errorf("no order %q", line)
}
