package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"branchline/board/sim/network"
	"branchline/board/sim/phone"
	"branchline/pbx/view"
	"branchline/ui"
	"branchline/ui/api"
)

// The plug is pulled from the real program, in a process of its own, many times in one folder. The
// simulated world dies with the box and leaves its ledger, what its people really lived through;
// the desk phones live here and go on.
func TestWhenThePlugIsPulled(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "branchline")
	build := exec.Command("go", "build", "-o", program, "branchline/firmware")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	tests := map[string]func(*testing.T, string){
		"after a ring: who was told anything has one record":       pulledAfterARing,
		"during twenty calls: all end, none is lost, all goes on":  pulledDuringTwentyCalls,
		"in the moment of a call: who is known to talk is hung up": pulledInTheMoment,
		"after config apply: what was applied is in force":         pulledAfterApply,
		"while config apply runs: the old or the new, whole":       pulledWhileApplying,
		"it is not, SIGTERM ends calls in peace within 5 s":        stoppedInPeace,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, program)
		})
	}
}

// outlet is a box in a process of its own, and the folder that outlives it.
type outlet struct {
	t       *testing.T
	program string
	dir     string
	ip      netip.Addr
	http    *http.Client
	process *os.Process // nil: it does not run
	ended   chan error
	boots   uint32
	pulled  []cut
	ledger  ledger
}

// cut is when the plug was pulled: the box did its last thing between the two.
type cut struct{ from, to time.Time }

// eightLines makes of the branch's one SIM eight, one in each slot of the board.
func eightLines() (old, made string) {
	const line = "- { name: gsm1, kind: sim, slot: slot1, number: \"+4930901820\", flow: main }"
	var all []string
	for i := range 8 {
		all = append(all, fmt.Sprintf("- { name: gsm%d, kind: sim, slot: slot%d, number: %q, flow: main }", i+1, i+1, lineNumber(i)))
	}
	return line, strings.Join(all, "\n  ")
}

func lineNumber(i int) string { return fmt.Sprintf("+493090182%d", i) }

// plugIn makes the folder of a box; the box does not run yet.
func plugIn(t *testing.T, program string, replace ...string) *outlet {
	t.Helper()
	p := &outlet{t: t, program: program, dir: t.TempDir(), ip: boxes.next()}
	p.ledger.path = filepath.Join(p.dir, "sim", "ledger.jsonl")
	if err := os.WriteFile(p.seed(), []byte(document(t, p.ip, replace...)), 0o600); err != nil {
		t.Fatal(err)
	}
	p.http = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return ui.DialUnix(ctx, p.dir)
	}}}
	t.Cleanup(func() {
		if p.process != nil {
			p.pull()
		}
	})
	return p
}

func (p *outlet) seed() string { return filepath.Join(p.dir, "seed.yaml") }

// start runs the box and waits until its API answers.
func (p *outlet) start() {
	p.t.Helper()
	p.launch()
	p.boots++
	p.until("the box to answer", func() bool {
		var s api.Status
		return p.ask("GET", "status", nil, &s) == nil && s.Boot == p.boots
	})
}

// launch starts the process.
func (p *outlet) launch() {
	p.t.Helper()
	if p.process != nil {
		p.t.Fatal("the box runs already")
	}
	log, err := os.OpenFile(p.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.Command(p.program, "run", "-board", "sim", "-data", p.dir, "-config", p.seed())
	cmd.Stdout, cmd.Stderr = log, log
	// It shall not outlive us. The signal comes when the thread ends that started it, so that stays.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error, 1)
	p.ended = make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer log.Close()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.ended <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		p.t.Fatal(err)
	}
	p.process = cmd.Process
}

func (p *outlet) logFile() string { return filepath.Join(p.dir, "box.log") }

// pull pulls the plug.
func (p *outlet) pull() {
	c := cut{from: time.Now()}
	if err := p.process.Kill(); err != nil {
		p.t.Errorf("the box had ended by itself: %v; its log:\n%s", err, p.lastWords())
	}
	<-p.ended
	c.to = time.Now()
	p.process, p.pulled = nil, append(p.pulled, c)
}

// stop asks the box to end in peace and waits for that.
func (p *outlet) stop() (took time.Duration, err error) {
	began := time.Now()
	if err := p.process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	err = <-p.ended
	p.process = nil
	return time.Since(began), err
}

// lastWords is the end of the box's log.
func (p *outlet) lastWords() string {
	raw, err := os.ReadFile(p.logFile())
	if err != nil {
		return err.Error()
	}
	return string(raw[max(0, len(raw)-6000):])
}

// ask is one request to the box. An error: it does not run, or it said no.
func (p *outlet) ask(method, path string, in, out any) error {
	var body io.Reader
	kind := "application/json"
	switch v := in.(type) {
	case nil:
	case string:
		body, kind = strings.NewReader(v), "application/yaml"
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://box/api/v1/"+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", kind)
	res, err := p.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 {
		return errors.Join(err, fmt.Errorf("%s %s: %s %s", method, path, res.Status, raw))
	}
	if text, ok := out.(*string); ok {
		*text = string(raw)
		return nil
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(raw, out)
}

// until waits for what must come.
func (p *outlet) until(what string, ok func() bool) {
	p.t.Helper()
	for end := time.Now().Add(patience); !ok(); <-time.After(3 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("waited %v for %s; the box's log ends\n%s", patience, what, p.lastWords())
		}
	}
}

// linesUp waits until n outside lines carry calls.
func (p *outlet) linesUp(n int) {
	p.t.Helper()
	p.until(fmt.Sprintf("%d lines in service", n), func() bool {
		var s api.Status
		return p.ask("GET", "status", nil, &s) == nil && s.Lines.Up >= n
	})
}

// outside lets somebody outside call line i.
func (p *outlet) outside(i int, from, script string) {
	p.t.Helper()
	if err := p.ask("POST", "sim/calls", api.OutsideCall{From: from, To: lineNumber(i), Script: script}, nil); err != nil {
		p.t.Fatal(err)
	}
}

// records is what the program shows of the folder, be the box up or not.
func (p *outlet) records() (out []view.Record) {
	p.t.Helper()
	raw, err := exec.Command(p.program, "cdr", "-json", "-data", p.dir).Output()
	if err != nil {
		p.t.Fatalf("cdr: %v", err)
	}
	for line := range bytes.Lines(raw) {
		var r view.Record
		if err := json.Unmarshal(line, &r); err != nil {
			p.t.Fatalf("%s: %v", line, err)
		}
		out = append(out, r)
	}
	return out
}

// phone switches a desk phone on; it registers by itself. off pulls its plug: nothing is said any
// more, and nobody waits for it.
func (p *outlet) phone(user string, port uint16, change func(*phone.Options)) (on *phone.Phone, off func()) {
	p.t.Helper()
	o := phone.Options{
		Server: netip.AddrPortFrom(p.ip, 5060), Listen: netip.AddrPortFrom(p.ip, port),
		User: user, Password: "plum-cake-" + user, Retry: 200 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&o)
	}
	on, err := phone.New(o)
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- on.Run(ctx) }()
	p.t.Cleanup(func() {
		on.Vanish()
		cancel()
		if err := <-done; err != nil {
			p.t.Errorf("phone %s: %v", user, err)
		}
	})
	return on, func() { on.Vanish(); cancel() }
}

// signedIn waits until the phones are.
func (p *outlet) signedIn(phones ...*phone.Phone) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, ph := range phones {
		if err := ph.Registered(ctx); err != nil {
			p.t.Fatalf("%v; the box's log ends\n%s", err, p.lastWords())
		}
	}
}

// ledger reads what the people of the simulated world lived through, as far as it is written.
type ledger struct {
	path string
	read int64
	all  []network.Event
}

func (l *ledger) events(t *testing.T) []network.Event {
	t.Helper()
	f, err := os.Open(l.path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.NewSectionReader(f, l.read, 1<<30))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(raw) {
		if line[len(line)-1] != '\n' {
			break
		}
		var e network.Event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("ledger: %s: %v", line, err)
		}
		l.all = append(l.all, e)
		l.read += int64(len(line))
	}
	return l.all
}
