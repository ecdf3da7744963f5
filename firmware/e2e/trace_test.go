package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"branchline/board/sim/phone"
	"branchline/firmware/cli"
	"branchline/ui/api"
)

// prints is what a command of the program prints, which must be done.
func (r *rig) prints(args ...string) string {
	r.t.Helper()
	var out bytes.Buffer
	if code := cli.Main(r.ctx(), append(args, "-data", r.dir), cli.Env{Stdout: &out, Stderr: &out}); code != cli.OK {
		r.t.Fatalf("%q: exit %d: %s", args, code, out.String())
	}
	return out.String()
}

// 201 calls 202; the ladder has both legs, Wireshark reads both and the sound that was kept, and no secret
// leaves the box.
func TestCallIsSeenInALadderAndByWireshark(t *testing.T) {
	t.Parallel()
	r := start(t)
	ana := r.phone("201", func(o *phone.Options) { o.Tone = 1000 })
	r.phone("202", func(o *phone.Options) { byTCP(o); o.Tone, o.Auto = 440, phone.AnswerAfter(0) })
	c, err := ana.Dial(r.ctx(), "202")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.WaitState(r.ctx(), phone.Talking); err != nil {
		t.Fatal(err)
	}
	var calls []api.Call
	r.eventually("both to talk", func() bool { r.get("calls", &calls); return len(calls) == 1 && calls[0].State == "talking" })
	id := calls[0].ID
	dir := t.TempDir()
	file := filepath.Join(dir, "call.pcap")
	r.prints("trace", id, "-media", "2s", "-pcap", file)
	if err := c.Hangup(); err != nil {
		t.Fatal(err)
	}
	r.eventually("the end", func() bool { r.get("calls", &calls); return len(calls) == 0 })

	var l api.Ladder
	r.eventually("the end of the ladder", func() bool {
		r.get("trace/calls/"+id, &l)
		n := 0
		for _, m := range l.Messages {
			if m.What == "200 OK" && strings.HasSuffix(m.CSeq, "BYE") {
				n++
			}
		}
		return n == 2
	})
	if len(l.Parties) != 2 || l.Parties[0].Peer != "201" || l.Parties[1].Peer != "202" || l.Messages[0].What != "INVITE" || l.Messages[0].Out {
		t.Errorf("%+v", l)
	}
	text := r.prints("trace", id[len(id)-6:], "-messages")
	for _, want := range []string{"INVITE ---", "- 200 OK -", "BYE", "PCMU", "Digest username"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	t.Log("\n" + r.prints("trace", id))
	all := filepath.Join(dir, "all.pcap")
	r.prints("trace", "-pcap", all, "-last", "1h")
	for _, f := range []string{file, all} {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if n, hidden := bytes.Count(raw, []byte("response=")), bytes.Count(raw, []byte(`response="xxxxxxxx`)); n == 0 || n != hidden {
			t.Errorf("%s: %d answers to passwords, %d of them hidden", f, n, hidden)
		}
	}
	if whole := r.prints("trace", "-pcap", "-", "-whole"); strings.Contains(whole, `response="xxx`) || !strings.Contains(whole, "response=") {
		t.Error("-whole hides")
	}
	tshark := func(args ...string) string {
		var errs bytes.Buffer
		cmd := exec.Command("tshark", args...)
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("tshark %q: %v %s", args, err, errs.String())
		}
		return string(out)
	}
	if got := tshark("-r", all, "-Y", "_ws.malformed || tcp.analysis.flags || udp.checksum.status == 0 || tcp.checksum.status == 0", "-o", "udp.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE"); got != "" {
		t.Errorf("tshark finds faults:\n%s", got)
	}
	invites := strings.Fields(tshark("-r", all, "-Y", "sip.Method == INVITE", "-T", "fields", "-e", "sip.Call-ID"))
	kept := 0
	for _, m := range l.Messages {
		if m.What == "INVITE" {
			kept++
		}
	}
	if len(invites) != kept || kept < 2 {
		t.Errorf("tshark sees %d INVITEs, the ladder %d", len(invites), kept)
	}
	streams := tshark("-r", file, "-q", "-z", "rtp,streams")
	if n := strings.Count(streams, "g711U") + strings.Count(streams, "g711A"); n != 4 {
		t.Errorf("tshark sees %d streams of sound, want 4:\n%s", n, streams)
	}
	if n := strings.Count(tshark("-r", file, "-Y", "rtp"), "\n"); n < 350 || n > 420 {
		t.Errorf("%d packets of sound in 2 s, want 400", n)
	}
}
