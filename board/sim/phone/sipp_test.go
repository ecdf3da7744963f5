package phone

import (
	"context"
	"net"
	"net/netip"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// sipp begins Debian's sip-tester with a built-in scenario, as a peer that we have not written,
// and returns a function that waits for its verdict.
func sipp(t *testing.T, args ...string) (verdict func()) {
	t.Helper()
	path, err := exec.LookPath("sipp")
	if err != nil {
		t.Fatalf("%v; `make deps` installs it (Debian package sip-tester)", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, path, append([]string{"-i", "127.0.0.1", "-mp", freePort(t), "-m", "1", "-nostdin"}, args...)...)
	cmd.Dir = t.TempDir()
	type result struct {
		out []byte
		err error
	}
	ended := make(chan result, 1)
	go func() {
		out, err := cmd.CombinedOutput()
		ended <- result{out, err}
	}()
	return func() {
		t.Helper()
		if r := <-ended; r.err != nil {
			t.Errorf("sipp: %v\n%s", r.err, r.out)
		}
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(loopback()))
	must(t, err)
	defer conn.Close()
	return strconv.Itoa(conn.LocalAddr().(*net.UDPAddr).Port)
}

func TestSippAnswersThePhone(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	verdict := sipp(t, "-sn", "uas", "-p", port)
	p := start(t, Options{User: "201", Tone: 440})
	ctx := soon(t)
	c, err := p.Dial(ctx, "sip:service@"+netip.MustParseAddrPort("127.0.0.1:"+port).String()) // repeated until sipp is up
	must(t, err)
	must(t, c.WaitState(ctx, Talking))
	if got := c.sound.Flow(); got.Codec.Name != "PCMU" || got.Events != 0 {
		t.Errorf("agreed on %v, events %d", got.Codec, got.Events)
	}
	must(t, c.Hangup())
	verdict() // its scenario holds BYE and a time of waiting for repetitions
}

func TestSippCallsThePhone(t *testing.T) {
	t.Parallel()
	p := start(t, Options{User: "201", Auto: AnswerAfter(100 * time.Millisecond)})
	verdict := sipp(t, "-sn", "uac", "-s", "201", "-d", "300", "-p", freePort(t), p.Addr().String())
	ctx := soon(t)
	c, err := p.WaitCall(ctx)
	must(t, err)
	must(t, c.WaitState(ctx, Talking))
	must(t, c.WaitState(ctx, Gone))
	if !c.Far() || c.Cause() != "normal" || c.From() != "sipp" {
		t.Errorf("gone by far %v %q, from %q", c.Far(), c.Cause(), c.From())
	}
	verdict()
}
