package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// screen is a writer that can be waited for.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func (s *screen) waitFor(t *testing.T, text string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.NewTimer(5 * time.Second)
	defer late.Stop()
	for !strings.Contains(s.String(), text) {
		select {
		case <-tick.C:
		case <-late.C:
			t.Fatalf("%q was not told; the screen shows\n%s", text, s)
		}
	}
}

// terminal is a running program.
type terminal struct {
	screen
	errs  screen
	keys  *io.PipeWriter
	ended chan int
}

func begin(t *testing.T, args ...string) *terminal {
	t.Helper()
	stdin, keys := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	term := &terminal{keys: keys, ended: make(chan int, 1)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		term.ended <- run(ctx, args, stdin, &term.screen, &term.errs)
	}()
	t.Cleanup(func() { cancel(); _ = keys.Close(); <-done })
	return term
}

func (term *terminal) typeIn(t *testing.T, line string) {
	t.Helper()
	if _, err := fmt.Fprintln(term.keys, line); err != nil {
		t.Fatal(err)
	}
}

func (term *terminal) wantExit(t *testing.T, want int) {
	t.Helper()
	late := time.NewTimer(5 * time.Second)
	defer late.Stop()
	select {
	case got := <-term.ended:
		if got != want {
			t.Errorf("exit code %d, want %d; it said\n%s%s", got, want, &term.screen, &term.errs)
		}
	case <-late.C:
		t.Fatalf("it does not end; it said\n%s%s", &term.screen, &term.errs)
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.LocalAddr().String()
}

func TestTwoTerminalsTalk(t *testing.T) {
	t.Parallel()
	at := freeAddr(t)
	b := begin(t, "-listen", at, "-user", "202", "-tone", "1000")
	a := begin(t, "-listen", "127.0.0.1:0", "-user", "201", "-name", "Ana", "-tone", "440")
	a.typeIn(t, "dial sip:202@"+at)
	b.waitFor(t, "202: rings, from 201 (Ana)\n")
	b.typeIn(t, "answer")
	a.waitFor(t, "201: talks, hears 1000 Hz\n")
	b.waitFor(t, "202: talks, hears 440 Hz\n")
	a.typeIn(t, "keys 1 2 #")
	for _, key := range []string{"1", "2", "#"} {
		b.waitFor(t, "202: hears key "+key+"\n")
	}
	b.typeIn(t, "hold")
	a.waitFor(t, "201: is held by sip:202@"+at+"\n201: is held, hears silence\n")
	b.typeIn(t, "resume")
	a.waitFor(t, "201: talks again with")
	a.typeIn(t, "calls")
	a.waitFor(t, "201: talking with sip:202@")
	a.typeIn(t, "nonsense")
	a.waitFor(t, "nonsense: no such command")
	b.typeIn(t, "hangup")
	a.waitFor(t, "201: hung up by the box: normal\n")
	b.waitFor(t, "202: hung up by the phone: normal\n")
	a.typeIn(t, "quit")
	a.wantExit(t, exitWell)
}

func TestScriptDialsPressesAndEnds(t *testing.T) {
	t.Parallel()
	at := freeAddr(t)
	b := begin(t, "-listen", at, "-user", "202", "-auto", "answer:10ms")
	b.typeIn(t, "help") // it runs
	b.waitFor(t, "dial NUMBER")
	a := begin(t, "-listen", "127.0.0.1:0", "-user", "201", "-dial", "sip:202@"+at, "-keys", "1,2", "-for", "300ms", "-once")
	a.wantExit(t, exitWell)
	for _, line := range []string{"hears key 1", "hears key 2", "hung up by the box: normal"} {
		b.waitFor(t, "202: "+line+"\n")
	}
}

func TestExitCodesTellWhatWentWrong(t *testing.T) {
	t.Parallel()
	at := freeAddr(t)
	b := begin(t, "-listen", at, "-user", "202", "-auto", "busy")
	b.typeIn(t, "help")
	b.waitFor(t, "dial NUMBER")
	for name, c := range map[string]struct {
		args []string
		want int
		says string
	}{
		"help":        {[]string{"-h"}, exitWell, "Examples:"},
		"no address":  {nil, exitUsage, "neither server"},
		"flag":        {[]string{"-nonsense"}, exitUsage, "nonsense"},
		"word":        {[]string{"202"}, exitUsage, "202"},
		"auto":        {[]string{"-listen", "127.0.0.1:0", "-auto", "sing"}, exitUsage, "-auto sing"},
		"taken":       {[]string{"-listen", at}, exitUsage, "address already in use"},
		"not answers": {[]string{"-listen", "127.0.0.1:0", "-dial", "sip:202@" + at}, exitNotAnswered, "486"},
		"not allowed": {[]string{"-server", at, "-user", "201", "-dial", "5"}, exitNotSignedIn, "not registered"},
	} {
		t.Run(name, func(t *testing.T) {
			term := begin(t, c.args...)
			term.wantExit(t, c.want)
			if !strings.Contains(term.errs.String(), c.says) {
				t.Errorf("it said %q, want %q in it", term.errs.String(), c.says)
			}
		})
	}
}

func TestQuietPhoneTellsOnlyTrouble(t *testing.T) {
	t.Parallel()
	at := freeAddr(t)
	b := begin(t, "-listen", at, "-user", "202", "-auto", "answer")
	b.typeIn(t, "help")
	b.waitFor(t, "dial NUMBER")
	a := begin(t, "-listen", "127.0.0.1:0", "-user", "201", "-quiet", "-dial", "sip:202@"+at, "-for", "50ms", "-once")
	a.wantExit(t, exitWell)
	if got := a.screen.String(); got != "" {
		t.Errorf("it said %q", got)
	}
}

func TestAutoModesAreRead(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"ring", "busy", "answer", "answer:2s", "reject", "reject:480", "decline:1s"} {
		if _, err := parseAuto(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "ring:2s", "answer:soon", "answer:-1s", "reject:no", "busy:1s"} {
		if _, err := parseAuto(bad); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}
