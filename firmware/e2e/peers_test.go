package e2e

import (
	"encoding/hex"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"branchline/board/sim/phone"
	"branchline/hal/dsp"
	"branchline/pbx/call"
)

// baresip calls 202, holds, resumes and hands it to 203: after each step the two who talk hear each other.
func TestBaresipHoldsAndTransfers(t *testing.T) {
	t.Parallel()
	s := newNamespace(t)
	r := startAt(t, s.here)
	p := newBaresip(r, s, "201", "udp", "pcma", 1000)
	waitFact(r, func(f call.PhoneUp) bool { return f.Extension == "201" })
	b := r.phone("202", func(o *phone.Options) { o.Tone, o.Auto = 700, phone.AnswerAfter(0) })
	c := r.phone("203", func(o *phone.Options) { o.Tone, o.Auto = 1100, phone.AnswerAfter(300*time.Millisecond) })
	p.do("dial sip:202@" + s.here.String())
	in, err := b.WaitCall(r.ctx())
	if err != nil {
		t.Fatal(err)
	}
	r.eventually("202 to hear baresip", func() bool { return in.Hears(1000) })
	p.do("hold")
	waitFact[call.Held](r, nil)
	r.eventually("music on hold", func() bool { return loud(in.HeardFor(200*time.Millisecond)) && !in.Hears(1000) })
	p.do("resume")
	waitFact[call.Resumed](r, nil)
	r.eventually("202 to hear baresip again", func() bool { return in.Hears(1000) })
	r.eventually("baresip to be sent what 202 says", func() bool { return steady(r.sentTo(s.there), 700) })
	p.do("transfer sip:203@" + s.here.String())
	third, err := c.WaitCall(r.ctx())
	if err != nil {
		t.Fatalf("%v\n%s", err, r.timeline())
	}
	r.bothTalk("after the transfer", in, third, 1100, 700)
	if err := third.Hangup(); err != nil {
		t.Fatal(err)
	}
	r.within("202 to be hung up", in.Gone())
}

// sentTo is what the box sends to an address within one second of the one call that is up, as it is on the wire.
// (baresip itself writes nothing down after it has resumed.)
func (r *rig) sentTo(there netip.Addr) (pcm []int16) {
	r.t.Helper()
	var up []struct{ ID string }
	if r.get("calls", &up); len(up) != 1 {
		r.t.Fatalf("%d calls are up", len(up))
	}
	file := filepath.Join(r.t.TempDir(), "second.pcap")
	r.prints("trace", up[0].ID, "-media", "1s", "-pcap", file)
	out, err := exec.Command(peer(r.t, "tshark", "tshark"), "-r", file, "-Y", "rtp && ip.dst == "+there.String(), "-T", "fields", "-e", "rtp.payload").Output()
	if err != nil {
		r.t.Fatal(err)
	}
	for line := range strings.FieldsSeq(string(out)) {
		coded, err := hex.DecodeString(strings.ReplaceAll(line, ":", ""))
		if err != nil {
			r.t.Fatal(err)
		}
		frame := make([]int16, len(coded))
		dsp.DecodeALaw(frame, coded)
		pcm = append(pcm, frame...)
	}
	return pcm
}

// steady: hz is heard for most of a second, without a break.
func steady(pcm []int16, hz float64) bool { return longest(pcm, hz) > 700*time.Millisecond }

// sipsak asks, sends nonsense and messages with bytes changed, and proves a password, while two talk.
func TestSipsakIsAnsweredAndDisturbsNobody(t *testing.T) {
	t.Parallel()
	r := start(t)
	a := r.phone("201", func(o *phone.Options) { o.Tone = 700 })
	b := r.phone("202", func(o *phone.Options) { o.Tone, o.Auto = 1100, phone.AnswerAfter(0) })
	out, err := a.Dial(r.ctx(), "202")
	if err != nil {
		t.Fatal(err)
	}
	in, err := b.WaitCall(r.ctx())
	if err != nil {
		t.Fatal(err)
	}
	r.bothTalk("before", out, in, 1100, 700)
	sipsak := func(args ...string) (string, error) {
		said, err := exec.CommandContext(r.ctx(), peer(t, "sipsak", "sipsak"), args...).CombinedOutput()
		return string(said), err
	}
	box := "sip:203@" + r.ip.String()
	if said, err := sipsak("-vv", "-s", box); err != nil || !strings.Contains(said, "SIP/2.0 200 OK") || !strings.Contains(said, "Allow: INVITE") {
		t.Errorf("OPTIONS: %v\n%s", err, said)
	}
	_, _ = sipsak("-R", "-t", "200", "-s", box) // gives up where a broken message stays without an answer
	if said, err := sipsak("-F", "-e", "300", "-s", box); err != nil {
		t.Errorf("flood: %v\n%s", err, said)
	}
	if said, err := sipsak("-U", "-x", "60", "-u", "203", "-a", "plum-cake-203", "-C", "sip:203@127.0.0.1:9", "-s", box); err != nil {
		t.Errorf("REGISTER: %v\n%s", err, said)
	}
	waitFact(r, func(f call.PhoneUp) bool { return f.Extension == "203" })
	r.bothTalk("after", out, in, 1100, 700)
}
