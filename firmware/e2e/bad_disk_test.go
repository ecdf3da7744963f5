package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"branchline/board/sim/network"
	"branchline/board/sim/phone"
	"branchline/hal"
	"branchline/pbx/call"
	"branchline/ui/api"
)

// badDisk is a disk of tools/faultdisk, which fails when it is told to.
type badDisk struct {
	t      *testing.T
	orders io.Writer
	said   *bufio.Scanner
}

// mountBadDisk makes dir a disk that is well, until the test ends.
func mountBadDisk(t *testing.T, program, dir string) *badDisk {
	t.Helper()
	c := exec.Command(program, t.TempDir(), dir)
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := c.Wait(); err != nil {
			t.Errorf("the disk that fails: %v", err)
		}
	})
	d := &badDisk{t: t, orders: in, said: bufio.NewScanner(out)}
	d.says("mounted")
	return d
}

// is puts something that is wrong with the disk in force; "well" ends it.
func (d *badDisk) is(order string) {
	d.t.Helper()
	if _, err := fmt.Fprintln(d.orders, order); err != nil {
		d.t.Fatal(err)
	}
	d.says("done")
}

func (d *badDisk) says(want string) {
	d.t.Helper()
	if !d.said.Scan() || d.said.Text() != want {
		d.t.Fatalf("the disk that fails says %q (%v), want %q; it needs /dev/fuse and root", d.said.Text(), d.said.Err(), want)
	}
}

// The disk under the timeline itself is slow, turns read-only or answers with errors while people talk.
func TestWhenTheDiskOfTheTimelineIsBad(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "faultdisk")
	if out, err := exec.Command("go", "build", "-o", program, "branchline/tools/faultdisk").CombinedOutput(); err != nil {
		t.Fatalf("build the disk: %v\n%s", err, out)
	}
	for name, bad := range map[string]struct{ order, why string }{
		"each sync takes 2 s": {"slow 2s", ""},
		"it can only be read": {"write EROFS", "read-only file system"},
		"it fails to sync":    {"sync EIO", "input/output error"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			callsGoOnWhile(t, program, bad.order, bad.why)
		})
	}
}

// callsGoOnWhile has one call up and another come in while the disk is bad: both are heard throughout, the
// timeline says what is not safe, what a person asks is not said to be done. When the disk is well again all
// that was said becomes safe by itself.
func callsGoOnWhile(t *testing.T, program, order, why string) {
	var disk *badDisk
	r := startIn(t, boxes.next(), func(dir string) { disk = mountBadDisk(t, program, dir) },
		"wrap_up: 2s", "wrap_up: 0s", "number: \"+4930901820\", flow: main }", secondLine)
	ana := r.anaAnswers()
	bo := r.phone("202", func(o *phone.Options) { o.Tone, o.Auto = 900, phone.AnswerAfter(0) })
	r.lineUp("gsm1")
	r.lineUp("gsm2")
	caller, desk := r.talk(ana, "+4930861", "+4930901820", 1000)
	r.signIn(bo, "1002", "4712")
	began := time.Now()

	disk.is(order)
	var asked sync.WaitGroup // a person waits some seconds for an answer; so do we, beside the calls
	text := document(t, r.ip)
	if why != "" {
		asked.Go(func() {
			r.notPromised("agents/1001/not-ready", "application/json", "{}", "it was done, but is not safe", why)
		})
		asked.Go(func() {
			r.notPromised("config/apply", "application/yaml", text, "the configuration could not be applied", why)
		})
	}
	defer asked.Wait()
	second, bos := r.talk(bo, "+4930862", "+4930901821", 900)
	unsynced := waitFact[call.Unsynced](r, nil)
	if late := r.at(unsynced).Sub(r.at(call.Began{Call: callOf(r, "+4930862")})); unsynced.For > time.Second || late > time.Second {
		t.Errorf("the disk does not confirm: said after %v, a caller had waited %v", late, unsynced.For)
	}
	if why != "" {
		var status api.Status
		if r.get("status", &status); !strings.Contains(status.Disk.Failing, why) {
			t.Errorf("status of the disk: %+v", status.Disk)
		}
	}
	r.goesOn("the disk is bad", second, bos, 900, 500*time.Millisecond)
	r.heardThroughout("the disk turns bad", caller, desk, 1000, time.Since(began))
	second.Hangup()
	r.within("the agent's phone to be hung up", bos.Gone())

	asked.Wait()

	disk.is("well")
	if rec := r.record("+4930862"); rec.By != call.ByCaller || rec.Cause != hal.Normal {
		t.Errorf("record: ended by %s, cause %s", rec.By, rec.Cause)
	}
	var status api.Status
	if r.get("status", &status); status.Disk.Failing != "" {
		t.Errorf("status of a disk that is well: %+v", status.Disk)
	}
	r.allIsKept(began, caller, desk, bo)
}

// allIsKept: the disk is well again. The call of before goes on and ends, another one is as ever, and the
// next start finds every fact, and one record of each call.
func (r *rig) allIsKept(began time.Time, caller *network.Call, desk *phone.Call, bo *phone.Phone) {
	r.t.Helper()
	r.heardThroughout("the disk was bad", caller, desk, 1000, time.Since(began))
	caller.Hangup()
	r.record("+4930861")
	caller, _ = r.talk(bo, "+4930863", "+4930901820", 900)
	caller.Hangup()
	r.isRecorded("+4930863")
	r.record("+4930863")

	said := r.facts()
	r.stop()
	r.boot("")
	kept := r.facts()
	for i, e := range said {
		if i >= len(kept) || kept[i].Seq != e.Seq || kept[i].Fact.Kind() != e.Fact.Kind() {
			r.t.Fatalf("of %d facts this one was not kept: %v", len(said), e)
		}
	}
	if n := len(r.recordsFromOutside()); n != 3 {
		r.t.Errorf("%d records of 3 calls", n)
	}
}

// notPromised: what is asked of the box is refused in these words.
func (r *rig) notPromised(path, kind, body string, words ...string) {
	r.t.Helper()
	res, err := r.http.Post("http://box/api/v1/"+path, kind, strings.NewReader(body))
	if err != nil {
		r.t.Error(err)
		return
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Error(err)
		return
	}
	if res.StatusCode < http.StatusBadRequest {
		r.t.Errorf("%s: %s on a disk that keeps nothing", path, res.Status)
	}
	for _, w := range words {
		if !strings.Contains(string(answer), w) {
			r.t.Errorf("%s: %s %s, want %q", path, res.Status, answer, w)
		}
	}
}
