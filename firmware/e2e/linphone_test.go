package e2e

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"branchline/board/sim/network"
	"branchline/board/sim/phone"
	"branchline/hal/dsp"
	"branchline/pbx/call"
)

// linphone is linphonec, from Debian: a desk phone that we have not written, and a person at its keys. It answers
// by itself, says a file and writes down what it hears.
type linphone struct {
	r    *rig
	s    *namespace
	dir  string
	keys io.WriteCloser
	said lockedBuffer
	stop func()
}

const linphonerc = `[sip]
sip_port=5060
sip_tcp_port=0
guess_hostname=1
register_only_when_network_is_up=0
[misc]
log_collection_enabled=0
[net]
mtu=1300
[rtp]
audio_adaptive_jitt_comp_enabled=0
[sound]
local_ring=
[audio_codec_0]
mime=PCMA
rate=8000
channels=1
enabled=1
[audio_codec_1]
mime=telephone-event
rate=8000
channels=1
enabled=1
`

// newLinphone starts linphonec in s, saying hz, and has it sign in as extension user. It is ended, and waited for,
// at the end of the test.
func newLinphone(r *rig, s *namespace, user string, hz float64) *linphone {
	r.t.Helper()
	if err := s.ip("-n", s.name, "route", "add", "default", "via", s.here.String()); err != nil { // without one it takes 127.0.0.1 for its own
		r.t.Fatal(err)
	}
	p := &linphone{r: r, s: s, dir: r.t.TempDir()}
	for name, body := range map[string][]byte{"rc": []byte(linphonerc), "tone.wav": toneFile(hz, 40*time.Second)} {
		if err := os.WriteFile(filepath.Join(p.dir, name), body, 0o600); err != nil {
			r.t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(p.dir, ".local/share/linphone"), 0o700); err != nil {
		r.t.Fatal(err)
	}
	cmd := s.inside(peer(r.t, "linphonec", "linphone-cli"), "-a", "-c", filepath.Join(p.dir, "rc"))
	cmd.Env = append(os.Environ(), "HOME="+p.dir)
	cmd.Stdout, cmd.Stderr = &p.said, &p.said
	var err error
	if p.keys, err = cmd.StdinPipe(); err != nil {
		r.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	r.t.Cleanup(func() {
		_, _ = io.WriteString(p.keys, "quit\n")
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Signal(syscall.SIGKILL)
			<-ended
		}
		if r.t.Failed() {
			r.t.Logf("linphonec said:\n%s", p.said.String())
		}
	})
	p.do("soundcard use files")
	p.do("play " + filepath.Join(p.dir, "tone.wav"))
	p.do("record " + p.heardFile())
	p.do(fmt.Sprintf("register sip:%s@%s sip:%s plum-cake-%s", user, s.here, s.here, user))
	waitFact(r, func(f call.PhoneUp) bool { return f.Extension == user })
	return p
}

func (p *linphone) heardFile() string { return filepath.Join(p.dir, "heard.wav") }

// do types a line at linphonec's prompt.
func (p *linphone) do(line string) {
	p.r.t.Helper()
	if _, err := io.WriteString(p.keys, line+"\n"); err != nil {
		p.r.t.Fatal(err)
	}
}

// dial calls a number of the box, and waits until it is answered.
func (p *linphone) dial(number string) (id string) {
	p.r.t.Helper()
	return p.talks(func() { p.do(fmt.Sprintf("call sip:%s@%s", number, p.s.here)) })
}

// talks waits until what happens has led to a conversation, and gives linphonec's own number of it.
func (p *linphone) talks(happens func()) (id string) {
	p.r.t.Helper()
	up := regexp.MustCompile(`Media streams established with \S+ for call (\d+)`)
	before := len(p.said.String())
	happens()
	p.r.eventually("linphone to talk", func() bool {
		if m := up.FindStringSubmatch(p.said.String()[before:]); m != nil {
			id = m[1]
		}
		return id != ""
	})
	return id
}

// Linphone signs an agent in with its keys, takes a call of the queue, holds and resumes, and hangs up.
func TestLinphoneTakesACallOfTheQueue(t *testing.T) {
	t.Parallel()
	s := newNamespace(t)
	r := startAt(t, s.here)
	p := newLinphone(r, s, "201", 1000)
	p.dial("*22")
	for _, k := range "1001#4711#" {
		p.do(string(k))
		<-time.After(150 * time.Millisecond) // a person's finger
	}
	r.waitAgent("1001", call.Ready)
	waitFact[call.Ended](r, nil)

	var caller *network.Call
	id := p.talks(func() { caller = r.outside("from=+4930801; tone 440; key 1") })
	r.hears(caller, 1000)
	p.do("pause " + id)
	waitFact[call.Held](r, nil)
	r.eventually("music on hold", func() bool { return loud(caller.Heard()) && silent(caller.Heard(), 1000) })
	p.do("resume " + id)
	waitFact[call.Resumed](r, nil)
	r.hears(caller, 1000)
	<-time.After(2 * time.Second) // of conversation, for linphone's ears
	p.do("terminate " + id)
	r.within("the caller to be hung up", caller.Done())
	if rec := r.record("+4930801"); rec.Outcome != "answered" || rec.By != call.ByCallee {
		t.Errorf("record: %s, ended by %s", rec.Outcome, rec.By)
	}
	raw, err := os.ReadFile(p.heardFile())
	if err != nil {
		t.Fatal(err)
	}
	w, err := dsp.ParseWAV(raw)
	if err != nil {
		t.Fatal(err)
	}
	if d := longest(w.PCM, 440); w.Rate != 8000 || d < time.Second { // its player of files leaves gaps
		t.Errorf("linphone heard the caller for %v without a break, in a talk of 2 s", d)
	}
}

// Linphone hands the called one to a third: at once, and after it has spoken with him. The two hear each other.
func TestLinphoneTransfers(t *testing.T) {
	t.Parallel()
	for _, attended := range []bool{false, true} {
		t.Run(fmt.Sprintf("attended %v", attended), func(t *testing.T) {
			t.Parallel()
			s := newNamespace(t)
			r := startAt(t, s.here)
			b := r.phone("202", func(o *phone.Options) { o.Tone, o.Auto = 700, phone.AnswerAfter(0) })
			c := r.phone("203", func(o *phone.Options) { o.Tone, o.Auto = 1100, phone.AnswerAfter(300*time.Millisecond) })
			p := newLinphone(r, s, "201", 1000)
			first := p.dial("202")
			in := b.Calls()[0]
			r.eventually("202 to hear linphone", func() bool { return in.Hears(1000) })
			if attended {
				p.do("pause " + first)
				waitFact[call.Held](r, nil)
				second := p.dial("203")
				there := c.Calls()[0]
				r.eventually("203 to hear linphone", func() bool { return there.Hears(1000) })
				p.do("transfer " + first + " --to-call " + second)
			} else {
				p.do("transfer " + first + " sip:203@" + s.here.String())
			}
			third, err := c.WaitCall(r.ctx())
			if err != nil {
				t.Fatalf("%v\n%s", err, r.timeline())
			}
			r.bothTalk("after the transfer", in, third, 1100, 700)
			if err := in.Hangup(); err != nil {
				t.Fatal(err)
			}
			r.within("the third phone to be hung up", third.Gone())
		})
	}
}
