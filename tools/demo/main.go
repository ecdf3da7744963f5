// Command demo shows the box at work: it starts the box on the simulated board and two SIP phones,
// signs two agents in, lets somebody call, tells in words what happens from ring to record, and
// then leaves everything running for the person at the terminal. It uses the programs that
// everybody has: branchline and phone.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

func main() {
	data := flag.String("data", "build/run", "folder `DIR` of the box")
	programs := flag.String("programs", "build", "folder `DIR` of the programs branchline and phone")
	once := flag.Bool("once", false, "end when the call's record is there")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	s := &show{data: *data, programs: *programs, out: os.Stdout}
	err := s.run(ctx, *once)
	stop()
	s.end()
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// show is the programs that run and where they speak.
type show struct {
	data, programs string

	mu      sync.Mutex // guards out and ended
	out     io.Writer
	running []*exec.Cmd
	readers sync.WaitGroup
}

const patience = 30 * time.Second

func (s *show) run(ctx context.Context, once bool) error {
	s.say("Starting the box on the simulated board …")
	if err := os.MkdirAll(s.data, 0o700); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(s.data, "box.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	box := s.command("branchline", "run", "-board", "sim", "-data", s.data)
	box.Stderr = log
	if _, err := s.start(box, nil); err != nil {
		return err
	}
	if err := s.until(ctx, "the SIM line to be in service", func() bool {
		return strings.Contains(s.ask("lines"), "gsm1    sim     +4930901820  up")
	}); err != nil {
		return err
	}
	status := s.ask("status")
	page := pageOf(status)
	s.say("\n  Its page, for a browser on this machine:  " + page + "\n")
	if strings.Contains(status, "tones instead") {
		s.say("No recorded prompts here: the box speaks in tones. `make prompts` unpacks them.")
	}
	if err := s.agent(ctx, "201", "1001", "4711", "answer:3s", "700"); err != nil {
		return err
	}
	if err := s.agent(ctx, "202", "1002", "4712", "answer:4s", "900"); err != nil {
		return err
	}
	if err := s.call(ctx); err != nil {
		return err
	}
	if once {
		return nil
	}
	s.say("\nThe box stays up. Its page: " + page + next)
	<-ctx.Done()
	return nil
}

// pageOf finds the address of the page in what status prints.
func pageOf(status string) string {
	for line := range strings.Lines(status) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "Page" {
			return f[1]
		}
	}
	return "none"
}

const next = `
In another terminal, try:

  build/branchline follow                       what happens, as it happens
  build/branchline sim call --from +493055512   another call to the SIM
  build/branchline sim call --from +493055513 --script "key 2; tone 440; hangup after 20s"
  build/branchline agents                       who is doing what
  build/branchline agents not-ready 1001        a supervisor's word
  build/branchline cdr --json                   the records
  build/branchline config show                  the one document; change it with config apply
  build/phone -server 127.0.0.1:5060 -user 203 -password plum-cake-203
                                                a phone for you: dial 201, 0030111 (outside), *22, *23

Recordings are in build/run/recordings, the box's log is build/run/box.log. Ctrl-C ends everything.
`

// agent switches a phone on and signs an agent in at it, as a person does: *22, number, PIN. Who is
// still signed in from the day before only needs his phone.
func (s *show) agent(ctx context.Context, extension, number, pin, auto, tone string) error {
	args := []string{
		"-server", "127.0.0.1:5060", "-user", extension, "-password", "plum-cake-" + extension,
		"-auto", auto, "-tone", tone,
	}
	if s.state(number) == "signed_out" {
		s.say("Phone " + extension + " signs agent " + number + " in by *22 …")
		args = append(args, "-dial", "*22", "-keys", number+"#,,"+pin+"#")
	} else {
		s.say("Phone " + extension + " comes back; agent " + number + " is still signed in there …")
	}
	phone := s.command("phone", args...)
	if _, err := s.start(phone, func(line string) { s.say("  phone " + line) }); err != nil {
		return err
	}
	return s.until(ctx, "agent "+number+" to be ready", func() bool { return s.state(number) == "ready" })
}

func (s *show) state(agent string) string {
	for line := range strings.Lines(s.ask("agents")) {
		if f := strings.Fields(line); len(f) > 2 && f[0] == agent {
			return f[2]
		}
	}
	return ""
}

// call lets somebody outside call the SIM and tells the story until the record is there.
func (s *show) call(ctx context.Context) error {
	had := s.ask("cdr")
	follow := s.command("branchline", "follow", "-data", s.data)
	if _, err := s.start(follow, func(line string) { s.say("  " + line) }); err != nil {
		return err
	}
	s.say("\nSomebody calls the SIM of the box, presses 1 at the menu and waits for an agent:")
	s.ask("sim", "call", "--from", "+4930123456", "--script", "tone 440; wait 4s; key 1; tone 440; hangup after 16s")
	if err := s.until(ctx, "the record of the call", func() bool {
		now := s.ask("cdr")
		return now != had && strings.Contains(strings.TrimPrefix(now, had), "+4930123456")
	}); err != nil {
		return err
	}
	s.say("\nThe records of the box (build/branchline cdr):\n\n" + s.ask("cdr"))
	_ = follow.Process.Signal(os.Interrupt) // its story is told
	return nil
}

// command is one of our programs.
func (s *show) command(name string, args ...string) *exec.Cmd {
	return exec.Command(filepath.Join(s.programs, name), args...)
}

// ask runs a client of the box and gives what it prints; a box that is not there yet says nothing.
func (s *show) ask(args ...string) string {
	out, err := s.command("branchline", append(args, "-data", s.data)...).Output()
	if err != nil {
		return ""
	}
	return string(out)
}

// start starts c and hands each of its lines to tell.
func (s *show) start(c *exec.Cmd, tell func(string)) (*exec.Cmd, error) {
	if c.Stderr == nil {
		c.Stderr = os.Stderr
	}
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	in, err := c.StdinPipe() // a phone ends when its input does
	if err != nil {
		return nil, err
	}
	_ = in
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("%w; `make build` makes the programs", err)
	}
	s.running = append(s.running, c)
	s.readers.Go(func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if tell != nil {
				tell(lines.Text())
			}
		}
	})
	return c, nil
}

func (s *show) until(ctx context.Context, what string, ok func() bool) error {
	end := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(end) {
			return fmt.Errorf("waited %v for %s", patience, what)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
	return nil
}

func (s *show) say(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintln(s.out, text)
}

// end stops the programs, the box last, and waits for them.
func (s *show) end() {
	for i := len(s.running) - 1; i >= 0; i-- {
		c := s.running[i]
		_ = c.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = c.Wait()
	}
	s.readers.Wait()
}
