// Command bench measures the box as a whole, from outside: how soon a phone is answered after the
// start with a million facts in the folder, how much memory it takes at rest, how long it takes from
// the wire's ring to the desk phone's, and how late the sound is when others use the box badly; with -what
// flood what strangers at the SIP door cost an honest phone, with -what mains how soon an office is back.
// Each figure is printed with its goal; the exit
// code is 1 when a goal is missed. Package benchmarks are beside their packages.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"branchline/board/sim"
	"branchline/board/sim/phone"
	"branchline/pbx/journal/journaltest"
	"branchline/ui"
	"branchline/ui/api"
)

func main() {
	program := flag.String("program", "build/branchline", "the box's program `FILE`")
	facts := flag.Int("facts", 1_000_000, "in the folder for the start")
	rounds := flag.Int("rounds", 10, "of each measurement")
	what := flag.String("what", "start", "is measured: `PART` start, sound (how late it is, without start), flood (strangers at the SIP door) or mains (an office signs in at once)")
	length := flag.Duration("length", 30*time.Second, "`TIME` of the flood")
	sources := flag.Int("sources", 8, "`NUMBER` of addresses that the flood comes from, 1000 at most")
	flag.Parse()
	dir, err := os.MkdirTemp("", "branchline-bench-")
	if err == nil {
		defer os.RemoveAll(dir)
		b := &bench{program: *program, dir: dir, address: netip.AddrFrom4([4]byte{127, 41, byte(os.Getpid()), 1})}
		err = b.measure(*what, *facts, *rounds, *length, min(*sources, 1000))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one box under measurement.
type bench struct {
	program, dir string
	address      netip.Addr
	missed       bool
	client       *http.Client // of the unix socket, for lateness
}

func (b *bench) measure(what string, facts, rounds int, length time.Duration, sources int) error {
	var err error
	switch what {
	case "start":
		err = b.starting(facts, rounds)
		if b.dir = filepath.Join(b.dir, "sound"); err == nil { // a box of its own
			err = os.Mkdir(b.dir, 0o700)
		}
		if err == nil {
			err = b.lateness()
		}
	case "sound":
		err = b.lateness()
	case "flood":
		if err = os.WriteFile(b.seed(), b.document(), 0o600); err == nil {
			err = b.flood(length, sources)
		}
	case "mains":
		if err = os.WriteFile(b.seed(), b.office(), 0o600); err == nil {
			err = b.mains()
		}
	default:
		err = fmt.Errorf("there is no part %q", what)
	}
	if err == nil && b.missed {
		err = fmt.Errorf("a goal was missed")
	}
	return err
}

// starting measures starts and rings in a folder of so many facts.
func (b *bench) starting(facts, rounds int) error {
	fmt.Printf("filling the folder with %d facts …\n", facts)
	began := time.Now()
	if err := journaltest.Fill(context.Background(), b.dir, began.Add(-72*time.Hour), facts); err != nil {
		return err
	}
	fmt.Printf("filled in %v\n\n", time.Since(began).Round(time.Millisecond))
	if err := os.WriteFile(b.seed(), b.document(), 0o600); err != nil {
		return err
	}
	// The box that wrote these facts would have kept checkpoints of its floor, board and lamps; the first start
	// makes them, and reads the facts once for each.
	if _, _, err := b.starts(1, 20*time.Second); err != nil {
		return err
	}
	starts, memory, err := b.starts(rounds, 2*time.Second)
	if err != nil {
		return err
	}
	b.tell("start to first answered REGISTER", starts, 300*time.Millisecond)
	fmt.Printf("%-36s %.1f MB (goal ≤ 60 MB, VmRSS of the box with its simulated board)\n", "memory at rest", memory)
	b.missed = b.missed || memory > 60
	rings, err := b.rings(rounds)
	if err != nil {
		return err
	}
	b.tell("wire's ring to desk phone's ring", rings, 300*time.Millisecond)
	return nil
}

// tell prints the median, the least and the most of d beside the goal, which the median must meet.
func (b *bench) tell(what string, d []time.Duration, goal time.Duration) {
	slices.Sort(d)
	median := d[len(d)/2]
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	fmt.Printf("%-36s %.1f ms median, %.1f to %.1f of %d (goal ≤ %v)\n", what, ms(median), ms(d[0]), ms(d[len(d)-1]), len(d), goal)
	b.missed = b.missed || median > goal
}

func (b *bench) seed() string { return filepath.Join(b.dir, "seed.yaml") }

// document is the demo branch without its flow's words: the caller is in the queue at once.
func (b *bench) document() []byte {
	text := strings.ReplaceAll(string(sim.Demo), "127.0.0.1:5060", b.address.String()+":5060")
	head, tail, _ := strings.Cut(text, "flows:\n")
	_, tail, _ = strings.Cut(tail, "outbound:\n")
	head = strings.ReplaceAll(head, "wrap_up: 10s", "wrap_up: 0s")
	return []byte(head + "flows:\n  - { name: main, steps: [ { name: sales, queue: sales } ] }\noutbound:\n" + tail)
}

// start runs the box.
func (b *bench) start() (*exec.Cmd, error) {
	c := exec.Command(b.program, "run", "-board", "sim", "-data", b.dir, "-config", b.seed())
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var said bytes.Buffer
	c.Stderr = &said
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("%w; `make build` makes it", err)
	}
	return c, nil
}

func stop(c *exec.Cmd) error {
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return c.Wait()
}

// phone switches a desk phone on; it tries so often that its own pauses do not count.
func (b *bench) phone(ctx context.Context, on func(phone.Event)) (*phone.Phone, error) {
	p, err := phone.New(phone.Options{
		Server: netip.AddrPortFrom(b.address, 5060), Listen: netip.AddrPortFrom(b.address, 0),
		User: "201", Password: "plum-cake-201", Retry: 2 * time.Millisecond, T1: 10 * time.Millisecond,
		OnEvent: on, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	go p.Run(ctx) //nolint:errcheck // it ends with ctx
	return p, nil
}

// starts measures from exec to the 200 of the first REGISTER, and the memory 2 s later.
func (b *bench) starts(rounds int, rest time.Duration) (took []time.Duration, memory float64, err error) {
	for range rounds {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		began := time.Now()
		c, err := b.start()
		if err != nil {
			cancel()
			return nil, 0, err
		}
		p, err := b.phone(ctx, nil)
		if err == nil {
			err = p.Registered(ctx)
		}
		took = append(took, time.Since(began))
		<-time.After(rest)
		memory = max(memory, resident(c.Process.Pid))
		cancel()
		if err = firstOf(err, stop(c)); err != nil {
			return nil, 0, err
		}
	}
	return took, memory, nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// resident is VmRSS in MB.
func resident(pid int) float64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		var kb float64
		if _, err := fmt.Sscanf(line, "VmRSS: %f kB", &kb); err == nil {
			return kb / 1000
		}
	}
	return 0
}

// rings measures from the RING at the modem's port, as the simulated network notes it, to the
// INVITE at the desk phone.
func (b *bench) rings(rounds int) (took []time.Duration, err error) {
	c, err := b.start()
	if err != nil {
		return nil, err
	}
	defer func() { err = firstOf(err, stop(c)) }()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	rang := make(chan time.Time, 100)
	p, err := b.phone(ctx, func(e phone.Event) {
		if e.Kind == phone.Rings {
			rang <- time.Now()
		}
	})
	if err != nil {
		return nil, err
	}
	if err := p.Registered(ctx); err != nil {
		return nil, err
	}
	if err := b.signIn(ctx, p); err != nil {
		return nil, err
	}
	for i := range rounds {
		from := fmt.Sprintf("+49305%04d", i)
		if err := b.call(ctx, from); err != nil {
			return nil, err
		}
		select {
		case at := <-rang:
			took = append(took, at.Sub(b.ringing(from)))
		case <-time.After(20 * time.Second):
			return nil, fmt.Errorf("the desk phone does not ring")
		}
		<-time.After(3 * time.Second) // the caller has left after two
	}
	return took, nil
}

func (b *bench) signIn(ctx context.Context, p *phone.Phone) error {
	c, err := p.Dial(ctx, "*221001")
	if err != nil {
		return err
	}
	if err := c.WaitState(ctx, phone.Talking); err != nil {
		return err
	}
	if err := c.SendKeys("4711#"); err != nil {
		return err
	}
	<-c.Gone()
	return nil
}

// call places a call once the SIM line is in service.
func (b *bench) call(ctx context.Context, from string) error {
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return ui.DialUnix(ctx, b.dir)
	}}}
	defer client.CloseIdleConnections()
	body, err := json.Marshal(api.OutsideCall{From: from, Script: "hangup after 2s"})
	if err != nil {
		return err
	}
	for {
		res, err := client.Post("http://box/api/v1/sim/calls", "application/json", bytes.NewReader(body))
		if err != nil {
			return err
		}
		res.Body.Close()
		if res.StatusCode < 300 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no call could be placed: %s", res.Status)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// ringing is when the modem's port rang for the caller, from the network's ledger.
func (b *bench) ringing(from string) (at time.Time) {
	f, err := os.Open(filepath.Join(b.dir, "sim", "ledger.jsonl"))
	if err != nil {
		return at
	}
	defer f.Close()
	id := ""
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var e struct {
			At               time.Time
			Call, Kind, From string
		}
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			continue
		}
		if e.Kind == "dialled" && e.From == from {
			id = e.Call
		}
		if e.Kind == "ringing" && e.Call == id {
			at = e.At
		}
	}
	return at
}
