package e2e

import (
	"bytes"
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"branchline/hal/dsp"
	"branchline/pbx/call"
)

// baresip is the soft phone of that name, from Debian: a desk phone that we have not written. It
// answers by itself and writes what it hears into a file.
type baresip struct {
	r       *rig
	dir     string
	console net.Conn
	said    lockedBuffer
	stop    func()
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newBaresip starts baresip in s as extension user by a transport, offering codec alone and saying hz. It
// is ended, and waited for, at the end of the test.
func newBaresip(r *rig, s *namespace, user, transport, codec string, hz float64) *baresip {
	r.t.Helper()
	return newBaresipAt(r, s, s.here, s.there, user, transport, codec, hz)
}

// newBaresipAt is newBaresip from and to given addresses. By TLS it trusts the box's own authority alone.
func newBaresipAt(r *rig, s *namespace, here, there netip.Addr, user, transport, codec string, hz float64) *baresip {
	r.t.Helper()
	p := &baresip{r: r, dir: r.t.TempDir()}
	text, err := os.ReadFile("testdata/baresip.conf")
	if err != nil {
		r.t.Fatal(err)
	}
	server := netip.AddrPortFrom(here, 5060)
	if transport == "tls" {
		server = netip.AddrPortFrom(here, 5061)
		text = fmt.Appendf(text, "sip_cafile %s/branchline.pem\nsip_verify_server yes\n", p.dir)
	}
	account := fmt.Sprintf("<sip:%s@%s;transport=%s>;auth_pass=plum-cake-%s;answermode=auto;audio_codecs=%s;regint=300\n", user, server, transport, user, codec)
	for name, body := range map[string]string{
		"config":         strings.NewReplacer("ADDRESS:5060", netip.AddrPortFrom(there, 5060).String(), "ADDRESS", s.there.String(), "FOLDER", p.dir).Replace(string(text)),
		"branchline.pem": string(r.certificate()), "accounts": account, "contacts": "", "tone.wav": string(toneFile(hz, 40*time.Second)),
	} {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(body), 0o600); err != nil {
			r.t.Fatal(err)
		}
	}
	cmd := s.inside(peer(r.t, "baresip", "baresip-core"), "-f", p.dir)
	cmd.Stdout, cmd.Stderr = &p.said, &p.said
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	p.stop = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
			r.t.Error("baresip did not end in peace")
		}
		if r.t.Failed() {
			r.t.Logf("baresip said:\n%s", p.said.String())
		}
	})
	r.t.Cleanup(p.stop)
	r.eventually("baresip's console", func() bool {
		p.console, err = net.Dial("tcp", netip.AddrPortFrom(s.there, 5555).String())
		return err == nil
	})
	r.t.Cleanup(func() { p.console.Close() })
	return p
}

// do types a command at baresip's console.
func (p *baresip) do(command string) {
	p.r.t.Helper()
	if _, err := p.console.Write([]byte("/" + command + "\n")); err != nil {
		p.r.t.Fatal(err)
	}
}

// press presses keys one by one: a byte 4 lets go of one.
func (p *baresip) press(keys string) {
	p.r.t.Helper()
	for _, k := range []byte(keys) {
		for _, b := range []byte{k, 4} {
			if _, err := p.console.Write([]byte{b}); err != nil {
				p.r.t.Fatal(err)
			}
			<-time.After(100 * time.Millisecond) // a person's finger
		}
	}
}

// heard is what baresip decoded in the call that it ended last, 8 kHz mono.
func (p *baresip) heard() (pcm []int16) {
	p.r.t.Helper()
	files, err := filepath.Glob(filepath.Join(p.dir, "dump-*dec*.wav"))
	if err != nil || len(files) == 0 {
		p.r.t.Fatalf("baresip has written down nothing (%v)", err)
	}
	raw, err := os.ReadFile(files[len(files)-1])
	if err != nil {
		p.r.t.Fatal(err)
	}
	w, err := dsp.ParseWAV(raw)
	if err != nil || w.Rate != 8000 || w.Channels != 1 {
		p.r.t.Fatalf("%s: %d Hz, %d channels: %v", files[len(files)-1], w.Rate, w.Channels, err)
	}
	return w.PCM
}

// toneFile is a WAV file that says hz.
func toneFile(hz float64, d time.Duration) []byte {
	pcm := make([]int16, dsp.Samples(d, 8000))
	for i := range pcm {
		pcm[i] = int16(8000 * math.Sin(2*math.Pi*hz*float64(i)/8000))
	}
	return dsp.FormatWAV(dsp.WAV{Rate: 8000, Channels: 1, PCM: pcm})
}

// longest is the longest time for which hz sounds in pcm without a break.
func longest(pcm []int16, hz float64) (best time.Duration) {
	const window = 400 // 50 ms
	run := 0
	for ; len(pcm) >= window; pcm = pcm[window:] {
		run++
		if dsp.Level(pcm[:window], 8000, hz) < 0.1 {
			run = 0
		}
		best = max(best, time.Duration(run)*50*time.Millisecond)
	}
	return best
}

// A phone of another maker, with either codec and transport, in secret and not: signs in, its agent signs in with real key presses,
// it takes a call of the queue, is heard and hears, holds and resumes, hangs up.
func TestBaresipTakesACallOfTheQueue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ codec, transport, srtp, secret string }{
		{"pcmu", "udp", "off", ""}, {"pcma", "udp", "off", ""}, {"pcmu", "tcp", "off", ""},
		{"pcma", "udp", "require", ";mediaenc=srtp-mand"}, {"pcmu", "udp", "offer", ";mediaenc=srtp"},
	} {
		t.Run(c.codec+" by "+c.transport+c.secret, func(t *testing.T) {
			t.Parallel()
			s := newNamespace(t)
			r := startAt(t, s.here, "password: plum-cake-201", "password: plum-cake-201, srtp: "+c.srtp)
			p := newBaresip(r, s, "201", c.transport, c.codec+c.secret, 1000)
			waitFact(r, func(f call.PhoneUp) bool { return f.Extension == "201" })
			p.do("dial sip:*22@" + s.here.String())
			waitFact[call.Answered](r, nil)
			p.press("1001#4711#")
			r.waitAgent("1001", call.Ready)
			waitFact[call.Ended](r, nil)

			caller := r.outside("from=+4930801; tone 440; key 1")
			r.hears(caller, 1000)
			r.waitAgent("1001", call.Talking)
			<-time.After(2 * time.Second) // of conversation, for baresip's ears
			p.do("hold")
			waitFact[call.Held](r, nil)
			r.eventually("music on hold", func() bool { return loud(caller.Heard()) && silent(caller.Heard(), 1000) })
			p.do("resume")
			waitFact[call.Resumed](r, nil)
			r.hears(caller, 1000)
			p.do("hangup")
			r.within("the caller to be hung up", caller.Done())
			rec := r.record("+4930801")
			if rec.Outcome != "answered" || rec.By != call.ByCallee {
				t.Errorf("record: %s, ended by %s", rec.Outcome, rec.By)
			}
			p.stop()
			if d := longest(p.heard(), 440); d < 1500*time.Millisecond {
				t.Errorf("baresip heard the caller for %v without a break, in a talk of 2 s", d)
			}
		})
	}
}
