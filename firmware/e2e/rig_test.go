// Package e2e holds the tests that use the box as people do: real phones over sockets, a modem on
// ptys, the far ends simulated. They listen to the sound and read the record afterwards.
package e2e

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"branchline/board/sim/network"
	"branchline/board/sim/phone"
	"branchline/firmware/boot"
	"branchline/hal/dsp"
	"branchline/pbx/call"
	"branchline/pbx/view"
	"branchline/ui"
	"branchline/ui/api"

	"net"
	"net/http"
)

// patience is how long a test waits for what must come; a quiet machine needs a fraction.
const patience = 20 * time.Second

// addresses hands each box of this test binary a loopback address of its own, so that several run
// side by side on the ports that they have in the field.
type addresses struct{ n atomic.Uint32 }

func (a *addresses) next() netip.Addr {
	n := a.n.Add(1)
	return netip.AddrFrom4([4]byte{127, 40, byte(os.Getpid()%200 + 10), byte(n)})
}

var boxes addresses

// rig is a running box with its folder, and how a test talks to it.
type rig struct {
	t     *testing.T
	dir   string
	ip    netip.Addr
	box   *boot.Box
	http  *http.Client
	log   *testLog
	stop  func()
	pulse *pulse
	board string // "": sim
}

// document is the demo branch on an address of its own, with replacements for what a test varies.
func document(t *testing.T, ip netip.Addr, replace ...string) string {
	t.Helper()
	raw, err := os.ReadFile("testdata/branch.yaml")
	if err != nil {
		t.Fatal(err)
	}
	page := ip
	if !ip.IsLoopback() { // the page answers there alone
		page = boxes.next()
	}
	text := strings.ReplaceAll(string(raw), "127.0.0.1:8088", page.String()+":8088")
	text = strings.ReplaceAll(text, "127.0.0.1:", ip.String()+":")
	for i := 0; i+1 < len(replace); i += 2 {
		if !strings.Contains(text, replace[i]) {
			t.Fatalf("testdata/branch.yaml has no %q", replace[i])
		}
		text = strings.ReplaceAll(text, replace[i], replace[i+1])
	}
	return text
}

// start starts a box in a fresh folder. It is stopped, in peace, when the test ends.
func start(t *testing.T, replace ...string) *rig {
	t.Helper()
	return startAt(t, boxes.next(), replace...)
}

// startAt starts a box that listens on an address of this machine.
func startAt(t *testing.T, ip netip.Addr, replace ...string) *rig {
	t.Helper()
	return startIn(t, ip, func(string) {}, replace...)
}

// startIn starts a box in a folder that prepare has laid something into.
func startIn(t *testing.T, ip netip.Addr, prepare func(dir string), replace ...string) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), ip: ip, pulse: newPulse(t)}
	prepare(r.dir)
	r.seeded(replace...)
	return r
}

// seeded starts the box in its fresh folder.
func (r *rig) seeded(replace ...string) {
	r.t.Helper()
	t := r.t
	seed := filepath.Join(r.dir, "seed.yaml")
	if err := os.WriteFile(seed, []byte(document(t, r.ip, replace...)), 0o600); err != nil {
		t.Fatal(err)
	}
	r.boot(seed)
	t.Cleanup(func() { r.stop() })
}

// boot runs a box in the rig's folder until stop.
func (r *rig) boot(seed string) {
	r.t.Helper()
	r.log = &testLog{t: r.t}
	log := slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	box, err := boot.New(boot.Options{Board: cmp.Or(r.board, "sim"), Data: r.dir, Seed: seed, Version: "test", Log: log})
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- box.Run(ctx) }()
	select {
	case <-box.Ready():
	case err := <-done:
		r.t.Fatalf("box did not start: %v", err)
	case <-time.After(patience):
		r.t.Fatal("box did not start in time")
	}
	r.box = box
	r.http = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return ui.DialUnix(ctx, r.dir)
	}}}
	r.stop = sync.OnceFunc(func() {
		began := time.Now()
		cancel()
		if err := <-done; err != nil {
			r.t.Errorf("box did not stop in peace: %v", err)
		}
		if took := time.Since(began); took > 5*time.Second {
			r.t.Errorf("stop took %v", took)
		}
		r.http.CloseIdleConnections()
	})
}

// testLog keeps the box's log and passes its warnings into the test's while the test runs.
type testLog struct {
	t    *testing.T
	mu   sync.Mutex
	text strings.Builder
}

func (l *testLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(b)
	warns := bytes.Contains(b, []byte(" level=WARN ")) || bytes.Contains(b, []byte(" level=ERROR "))
	if warns && l.t.Context().Err() == nil {
		l.t.Log(strings.TrimSpace(string(b)))
	}
	return len(b), nil
}

// said is the log so far, debug lines too.
func (l *testLog) said() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (r *rig) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	r.t.Cleanup(cancel)
	return ctx
}

// phone switches on a desk phone and waits until it has registered.
func (r *rig) phone(user string, change func(*phone.Options)) *phone.Phone {
	r.t.Helper()
	p, _ := r.plug(user, change)
	return p
}

// plug is phone with what switches it off again: it says good-bye to the box.
func (r *rig) plug(user string, change func(*phone.Options)) (p *phone.Phone, off func()) {
	r.t.Helper()
	o := phone.Options{
		Server: netip.AddrPortFrom(r.ip, 5060), Listen: netip.AddrPortFrom(r.ip, 0),
		User: user, Password: "plum-cake-" + user, Lines: 2,
		Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&o)
	}
	p, err := phone.New(o)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := p.Run(ctx); err != nil {
			r.t.Errorf("phone %s: %v", user, err)
		}
	}()
	off = func() { cancel(); <-done }
	r.t.Cleanup(off)
	if err := p.Registered(r.ctx()); err != nil {
		r.t.Fatalf("phone %s: %v", user, err)
	}
	return p, off
}

// signIn dials the sign-in code at p as a person does: agent number, #, PIN, #.
func (r *rig) signIn(p *phone.Phone, agent, pin string) {
	r.t.Helper()
	r.desk(p, "*22", agent+"#"+pin+"#")
	r.waitAgent(agent, call.Ready)
}

// desk calls the box at a code, presses keys and waits until the box has hung up.
func (r *rig) desk(p *phone.Phone, code, keys string) {
	r.t.Helper()
	c, err := p.Dial(r.ctx(), code)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := c.WaitState(r.ctx(), phone.Talking); err != nil {
		r.t.Fatalf("%s was not answered: %v", code, err)
	}
	if keys != "" {
		if err := c.SendKeys(keys); err != nil {
			r.t.Fatal(err)
		}
	}
	r.within("the box to hang up after "+code, c.Gone())
}

// within waits for a channel to be closed.
func (r *rig) within(what string, done <-chan struct{}) {
	r.t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		r.t.Fatalf("waited %v for %s; timeline:\n%s", patience, what, r.timeline())
	}
}

// eventually waits until ok.
func (r *rig) eventually(what string, ok func() bool) {
	r.t.Helper()
	end := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(end) {
			r.t.Fatalf("waited %v for %s; timeline:\n%s", patience, what, r.timeline())
		}
		<-time.After(5 * time.Millisecond)
	}
}

func (r *rig) get(path string, out any) {
	r.t.Helper()
	res, err := r.http.Get("http://box/api/v1/" + path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		r.t.Fatalf("GET %s: %s: %v", path, res.Status, err)
	}
}

// check asks the box what is wrong in a configuration.
func (r *rig) check(text string) (found api.Checked) {
	r.t.Helper()
	res, err := r.http.Post("http://box/api/v1/config/check", "application/yaml", strings.NewReader(text))
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&found); err != nil {
		r.t.Fatalf("check: %s: %v", res.Status, err)
	}
	return found
}

// facts is the timeline so far.
func (r *rig) facts() []call.Entry {
	return r.box.Timeline(0)
}

func (r *rig) timeline() string {
	var b strings.Builder
	for _, e := range r.facts() {
		fmt.Fprintln(&b, e)
	}
	return b.String()
}

// waitFact waits for the first fact of type F that fits.
func waitFact[F call.Fact](r *rig, fits func(F) bool) F {
	r.t.Helper()
	var found F
	r.eventually(fmt.Sprintf("%T", found), func() bool {
		for _, e := range r.facts() {
			if f, ok := e.Fact.(F); ok && (fits == nil || fits(f)) {
				found = f
				return true
			}
		}
		return false
	})
	return found
}

func count[F call.Fact](r *rig, fits func(F) bool) (n int) {
	for _, e := range r.facts() {
		if f, ok := e.Fact.(F); ok && (fits == nil || fits(f)) {
			n++
		}
	}
	return n
}

func (r *rig) waitAgent(agent string, state call.State) {
	r.t.Helper()
	r.eventually(fmt.Sprintf("agent %s to be %s", agent, state), func() bool {
		var last call.State
		for _, e := range r.facts() {
			if p, ok := e.Fact.(call.Presence); ok && p.Agent == agent {
				last = p.State
			}
		}
		return last == state
	})
}

// outside calls the SIM from the simulated world.
func (r *rig) outside(script string) *network.Call {
	r.t.Helper()
	s, err := network.ParseScript(script)
	if err != nil {
		r.t.Fatal(err)
	}
	r.lineUp("gsm1")
	c, err := r.box.World().Network.Call("+4930901820", s)
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

func (r *rig) lineUp(name string) {
	r.t.Helper()
	waitFact(r, func(f call.LineUp) bool { return f.Line == name })
}

// record waits for the record of the n-th call from a number.
func (r *rig) record(from string) view.Record {
	r.t.Helper()
	var found view.Record
	r.eventually("a record of the call from "+from, func() bool {
		for _, rec := range r.records() {
			if string(rec.From) == from {
				found = rec
				return true
			}
		}
		return false
	})
	return found
}

func (r *rig) records() []view.Record {
	r.t.Helper()
	rows, err := r.box.Records()
	if err != nil {
		r.t.Fatal(err)
	}
	return rows
}

// hears waits until the person outside hears hz: at least a tenth of full scale over 200 ms.
func (r *rig) hears(c *network.Call, hz float64) {
	r.t.Helper()
	r.eventually(fmt.Sprintf("the caller to hear %v Hz", hz), func() bool { return level(c.Heard(), hz) > 0.1 })
}

func level(pcm []int16, hz float64) float64 {
	if len(pcm) < 1600 {
		return 0
	}
	return dsp.Level(pcm[len(pcm)-1600:], 8000, hz)
}

// silent: nothing of hz is heard.
func silent(pcm []int16, hz float64) bool { return level(pcm, hz) < 0.01 }
