// Command provider is a SIP provider for the terminal: to try a trunk without an account anywhere. It says in
// words who signs in and what is called, answers calls after a while and says a tone, and calls the box once.
// All that it can do is board/sim/provider. Start reading at run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"branchline/board/sim/phone/message"
	"branchline/board/sim/provider"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// settings are the flags.
type settings struct {
	provider.Options
	answer     time.Duration
	tone       float64
	call, from string
}

// run is the whole program; it returns the exit code when ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	var p *provider.Provider
	if err == nil {
		p, err = provider.New(s.Options)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	fmt.Fprintf(stdout, "provider on %s, account %s\n", p.Addr(), s.User)
	var parts sync.WaitGroup
	parts.Go(func() { _ = p.Run(ctx) })
	parts.Go(func() { s.watch(ctx, p, stdout) })
	parts.Go(func() { s.take(ctx, p, stdout) })
	parts.Wait()
	return 0
}

func parse(args []string, stderr io.Writer) (s settings, err error) {
	f := flag.NewFlagSet("provider", flag.ContinueOnError)
	f.SetOutput(stderr)
	listen := f.String("listen", "127.0.0.1:5070", "address, for UDP and TCP")
	f.StringVar(&s.User, "user", "4930901820", "user of the account")
	f.StringVar(&s.Password, "password", "", "its password; none: nobody is asked")
	f.DurationVar(&s.answer, "answer", 2*time.Second, "until calls of the box are answered")
	f.Float64Var(&s.tone, "tone", 440, "Hz that is said in calls")
	f.StringVar(&s.call, "call", "", "number of the box that is called once it has signed in")
	f.StringVar(&s.from, "from", "+4930112233", "who calls it")
	if err = f.Parse(args); err != nil {
		return s, err
	}
	s.Listen, err = netip.ParseAddrPort(*listen)
	return s, err
}

// watch says who is signed in, and calls the box the first time.
func (s settings) watch(ctx context.Context, p *provider.Provider, out io.Writer) {
	shown, called := "", false
	for {
		err := p.Wait(ctx, "a change", func() bool { return strings.Join(p.Contacts(), ", ") != shown })
		if err != nil {
			return
		}
		shown = strings.Join(p.Contacts(), ", ")
		if shown == "" {
			fmt.Fprintln(out, "nobody is signed in")
			continue
		}
		fmt.Fprintln(out, "signed in:", shown)
		if s.call == "" || called {
			continue
		}
		called = true
		c, err := p.Call(ctx, s.call, s.from, nil)
		if err != nil {
			fmt.Fprintln(out, err)
			continue
		}
		c.Sound().SetTone(s.tone)
		fmt.Fprintf(out, "calls %s\n", s.call)
	}
}

// take answers the calls of the box, one after the other.
func (s settings) take(ctx context.Context, p *provider.Provider, out io.Writer) {
	for {
		c, err := p.WaitCall(ctx)
		if err != nil {
			return
		}
		from, _ := message.ParseAddress(c.Invite.Get("From"))
		fmt.Fprintf(out, "%s calls %s\n", from.URI, c.Invite.URI)
		select {
		case <-ctx.Done():
			return
		case <-time.After(s.answer):
		}
		c.Sound().SetTone(s.tone)
		if err := c.Answer(ctx); err != nil {
			fmt.Fprintln(out, err)
		}
	}
}
