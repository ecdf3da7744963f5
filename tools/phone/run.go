package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"branchline/board/sim/phone"
)

// Exit codes, as the help names them.
const (
	exitWell = iota
	exitBroken
	exitUsage
	exitNotSignedIn
	exitNotAnswered
)

const signInTime = 35 * time.Second // a box that is away is known after 32 s (timer F)

// desk is the phone with its screen.
type desk struct {
	settings
	p      *phone.Phone
	signed bool // a registration is wanted

	mu  sync.Mutex
	out io.Writer
}

// run is the whole program; it returns the exit code when ctx ends, at "quit", or with -once when the call is over.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	s, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitWell
	}
	d := &desk{settings: s, out: stdout, signed: s.options.Server.IsValid() && s.options.Expires > 0}
	if err == nil {
		d.options.OnEvent = d.show
		d.p, err = phone.New(d.options)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitUsage
	}
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	broken := make(chan error, 1)
	var parts sync.WaitGroup
	parts.Go(func() {
		broken <- d.p.Run(ctx)
		quit()
	})
	parts.Go(func() { d.listen(ctx) })
	code := exitWell
	parts.Go(func() {
		code = d.script(ctx, stderr)
		if code != exitWell || d.once {
			quit()
		}
	})
	// A read from a terminal cannot be interrupted: this goroutine alone ends with its input, or with the program.
	lines := make(chan string)
	go readLines(ctx, stdin, lines)
	d.obey(ctx, quit, lines)
	parts.Wait()
	if err := <-broken; err != nil {
		fmt.Fprintln(stderr, err)
		return exitBroken
	}
	return code
}

func readLines(ctx context.Context, r io.Reader, lines chan<- string) {
	for in := bufio.NewScanner(r); in.Scan(); {
		select {
		case lines <- in.Text():
		case <-ctx.Done():
			return
		}
	}
}

// obey carries out commands until ctx ends. The end of the input ends nothing: a phone in the
// background has none.
func (d *desk) obey(ctx context.Context, quit func(), lines <-chan string) {
	for {
		select {
		case <-ctx.Done():
			return
		case line := <-lines:
			if d.command(ctx, strings.Fields(line)) {
				quit()
			}
		}
	}
}

// script does what -dial, -keys, -for and -once ask, and returns the exit code.
func (d *desk) script(ctx context.Context, stderr io.Writer) int {
	if d.dial == "" && !d.once {
		return exitWell
	}
	if d.signed {
		within, cancel := context.WithTimeout(ctx, signInTime)
		defer cancel()
		if err := d.p.Registered(within); err != nil && ctx.Err() == nil {
			fmt.Fprintln(stderr, err)
			return exitNotSignedIn
		}
	}
	c, err := d.firstCall(ctx)
	if err == nil {
		err = c.WaitState(ctx, phone.Talking, phone.Holding, phone.Held)
	}
	if ctx.Err() != nil {
		return exitWell
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitNotAnswered
	}
	if err := d.press(ctx, c); err != nil {
		fmt.Fprintln(stderr, err)
	}
	if d.talk > 0 && wait(ctx, c, d.talk) {
		d.say(c.Hangup())
	}
	if d.once {
		_ = c.WaitState(ctx, phone.Gone) // the end of ctx ends all
	}
	return exitWell
}

func (d *desk) firstCall(ctx context.Context) (*phone.Call, error) {
	if d.dial == "" {
		return d.p.WaitCall(ctx)
	}
	return d.p.Dial(ctx, d.dial)
}

// press sends -keys; a comma waits a second.
func (d *desk) press(ctx context.Context, c *phone.Call) error {
	for i, keys := range strings.Split(d.keys, ",") {
		if i > 0 && !wait(ctx, c, time.Second) {
			return nil
		}
		if keys == "" {
			continue
		}
		if err := c.SendKeys(keys); err != nil {
			return err
		}
	}
	return nil
}

// wait says whether the call still stands after d.
func wait(ctx context.Context, c *phone.Call, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.Gone():
	case <-ctx.Done():
	}
	return false
}
