package e2e

import (
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"branchline/board/sim/phone"
	"branchline/firmware/boot"
	"branchline/hal"
	"branchline/pbx/call"
	"branchline/ui/api"
)

// mountDisk makes dir a disk of its own, of so many bytes, until the test ends.
func mountDisk(t *testing.T, dir, size string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size+",mode=0700"); err != nil {
		t.Fatalf("a disk to fill cannot be mounted: %v; run the tests as root, in a container with CAP_SYS_ADMIN", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// remount makes a disk of mountDisk one that can only be read, or writable again. The kernel refuses
// the former while a file is open for writing.
func remount(t *testing.T, dir string, flags uintptr) {
	t.Helper()
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT|flags, ""); err != nil {
		t.Fatalf("remount %s: %v", dir, err)
	}
}

// fill leaves at most so many bytes of the disk free.
func fill(t *testing.T, dir string, leave uint64) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, "ballast"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var fs unix.Statfs_t
	for {
		if err := unix.Statfs(dir, &fs); err != nil {
			t.Fatal(err)
		}
		free := fs.Bavail * uint64(fs.Bsize)
		if free <= leave {
			return
		}
		_, err := f.Write(make([]byte, min(free-leave, 1<<20)))
		if err != nil && !errors.Is(err, unix.ENOSPC) {
			t.Fatal(err)
		}
	}
}

// Less than the reserve is free: nothing is recorded, all else is as ever. Nothing at all is free: calls
// go on unsafe, the timeline says so. There is room again: all that was said becomes safe.
func TestCallsGoOnWhenTheDiskIsFull(t *testing.T) {
	t.Parallel()
	r := startIn(t, boxes.next(), func(dir string) { mountDisk(t, dir, "96m") },
		"wrap_up: 2s", "wrap_up: 0s", "number: \"+4930901820\", flow: main }", secondLine)
	ana := r.anaAnswers()
	bo := r.phone("202", func(o *phone.Options) { o.Tone, o.Auto = 900, phone.AnswerAfter(0) })
	r.lineUp("gsm1")
	r.lineUp("gsm2")

	fill(t, r.dir, 32<<20)
	var status api.Status
	r.get("status", &status)
	if d := status.Disk; d.ReserveBytes != 64<<20 || d.FreeBytes > 32<<20 || d.TotalBytes != 96<<20 {
		t.Errorf("status of the disk: %+v", d)
	}
	caller, desk := r.talk(ana, "+4930871", "+4930901820", 1000)
	r.goesOn("less free than the reserve", caller, desk, 1000, 300*time.Millisecond)
	caller.Hangup()
	r.notRecorded("+4930871", "the disk is full")
	if n := count[call.Unsynced](r, nil); n != 0 {
		t.Errorf("the reserve is free, and %d times the disk did not confirm", n)
	}

	caller, desk = r.talk(ana, "+4930872", "+4930901820", 1000)
	began := time.Now()
	r.signIn(bo, "1002", "4712")
	fill(t, r.dir, 0)
	r.writeUntilFull("1002")
	second, bos := r.talk(bo, "+4930873", "+4930901821", 900)
	unsynced := waitFact[call.Unsynced](r, nil)
	if unsynced.For > time.Second {
		t.Errorf("a caller waited %v for the full disk", unsynced.For)
	}
	if late := r.at(unsynced).Sub(r.at(call.Began{Call: callOf(r, "+4930873")})); late > time.Second {
		t.Errorf("that the disk does not confirm was said %v after the call came in", late)
	}
	r.goesOn("a full disk", second, bos, 900, 500*time.Millisecond)
	r.heardThroughout("the disk fills", caller, desk, 1000, time.Since(began))
	if r.get("status", &status); status.Disk.StalledSince.IsZero() {
		t.Error("the status does not say that the disk has stalled")
	}
	second.Hangup()
	r.within("the agent's phone to be hung up", bos.Gone())
	if n := len(r.recordsFromOutside()); n != 1 {
		t.Errorf("%d records on a disk that was full since the first", n)
	}

	if err := os.Remove(filepath.Join(r.dir, "ballast")); err != nil {
		t.Fatal(err)
	}
	r.eventually("the timeline to be written again", func() bool { return strings.Contains(r.log.said(), "timeline is written again") })
	if rec := r.record("+4930873"); rec.By != call.ByCaller || rec.Cause != hal.Normal {
		t.Errorf("record: ended by %s, cause %s", rec.By, rec.Cause)
	}
	waitFact[call.Synced](r, nil)
	r.eventually("the status to say that the disk is well", func() bool {
		var well api.Status
		r.get("status", &well)
		return well.Disk.StalledSince.IsZero()
	})
	r.heardThroughout("the disk was full", caller, desk, 1000, time.Since(began))
	caller.Hangup()
	r.record("+4930872")
	caller, _ = r.talk(bo, "+4930874", "+4930901820", 900) // idle for longer than Ana
	caller.Hangup()
	r.isRecorded("+4930874")
	r.record("+4930874")

	said := r.facts()
	r.stop()
	r.boot("")
	kept := r.facts()
	for i, e := range said {
		if i >= len(kept) || kept[i].Seq != e.Seq || kept[i].Fact.Kind() != e.Fact.Kind() {
			t.Fatalf("of %d facts this one was not kept: %v", len(said), e)
		}
	}
	if n := len(r.recordsFromOutside()); n != 4 {
		t.Errorf("%d records of 4 calls", n)
	}
}

// Recordings lie on a disk that can only be read: the calls go on, and are recorded once it can be written.
// That disk is one of its own: the kernel does not take away the one on which the timeline is open.
// Where the box's own folder can only be read, the start says what to do.
func TestCallsGoOnWhenTheDiskOfRecordingsCanOnlyBeRead(t *testing.T) {
	t.Parallel()
	recordings := ""
	r := startIn(t, boxes.next(), func(dir string) {
		mountDisk(t, dir, "96m")
		recordings = filepath.Join(dir, "recordings")
		mountDisk(t, recordings, "96m")
	}, "wrap_up: 2s", "wrap_up: 0s")
	ana := r.anaAnswers()
	r.lineUp("gsm1")

	if err := unix.Mount("tmpfs", r.dir, "tmpfs", unix.MS_REMOUNT|unix.MS_RDONLY, ""); !errors.Is(err, unix.EBUSY) {
		t.Fatalf("the disk of the timeline can be made read-only under a running box (%v): test that too", err)
	}
	remount(t, recordings, unix.MS_RDONLY)
	caller, desk := r.talk(ana, "+4930881", "+4930901820", 1000)
	r.goesOn("a read-only disk", caller, desk, 1000, 500*time.Millisecond)
	caller.Hangup()
	r.record("+4930881")
	r.notRecorded("+4930881", "the disk can only be read")
	remount(t, recordings, 0)
	caller, _ = r.talk(ana, "+4930882", "+4930901820", 1000)
	caller.Hangup()
	r.isRecorded("+4930882")
	r.record("+4930882")

	r.stop()
	remount(t, r.dir, unix.MS_RDONLY)
	_, err := boot.New(boot.Options{Board: "sim", Data: r.dir, Version: "test", Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "can only be read") || !strings.Contains(err.Error(), "make it writable") {
		t.Errorf("the start in a folder that can only be read says: %v", err)
	}
	remount(t, r.dir, 0)
	r.boot("")
	if n := len(r.recordsFromOutside()); n != 2 {
		t.Errorf("%d records of 2 calls", n)
	}
}

// writeUntilFull has an agent be not ready and ready again until the store, which first uses up what it
// has, finds no room. The agent is ready then.
func (r *rig) writeUntilFull(agent string) {
	r.t.Helper()
	impatient := &http.Client{Transport: r.http.Transport, Timeout: time.Second}
	act := func(what string) {
		res, err := impatient.Post("http://box/api/v1/agents/"+agent+"/"+what, "application/json", strings.NewReader("{}"))
		if err == nil { // else it waits for the disk
			res.Body.Close()
		}
	}
	r.eventually("the store to be full", func() bool {
		act("not-ready")
		act("ready")
		return strings.Contains(r.log.said(), "timeline not written")
	})
	r.waitAgent(agent, call.Ready)
}

// notRecorded: the recording of the call from a number failed, in these words.
func (r *rig) notRecorded(from, why string) {
	r.t.Helper()
	id := callOf(r, from)
	saved := waitFact(r, func(f call.RecordingSaved) bool { return f.Call == id })
	if !strings.Contains(saved.Err, why) {
		r.t.Errorf("the recording that failed: %+v, want %q", saved, why)
	}
}

// isRecorded: the recording of the call from a number is there.
func (r *rig) isRecorded(from string) {
	r.t.Helper()
	id := callOf(r, from)
	saved := waitFact(r, func(f call.RecordingSaved) bool { return f.Call == id })
	if saved.Err != "" {
		r.t.Errorf("the recording: %+v", saved)
	}
	readWAV(r.t, filepath.Join(r.dir, "recordings", saved.File+".wav"))
}
