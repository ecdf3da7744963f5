package modem_test

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"branchline/board/sim/modem"
	"branchline/board/sim/network"
)

const number = "+4915112345678"

// onTTY is a modem on a real tty, ready for a client of another maker.
func onTTY(t *testing.T, o modem.Options) (m *modem.Modem, net *network.Network, at string) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	net = network.New(log)
	o.Number, o.Boot, o.Log = number, 50*time.Millisecond, log
	m, err := modem.New(o, net)
	if err != nil {
		t.Fatal(err)
	}
	at, _, err = m.OpenPTYs(filepath.Join(t.TempDir(), "tty"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the modem: %v", err)
		}
		net.Close()
	})
	return m, net, at
}

// eventually waits until ok, asked ten times a second.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(15 * time.Second); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("not within 15 s: %s", what)
		}
	}
}

// carried says whether the network has carried a text to somebody.
func carried(net *network.Network, to, body string) bool {
	for _, text := range net.Texts() {
		if text.From == number && text.To == to && text.Body == body {
			return true
		}
	}
	return false
}

func command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		for _, dir := range []string{"/usr/sbin", "/sbin"} { // not in everybody's PATH
			if p := filepath.Join(dir, name); path == "" {
				if _, err := os.Stat(p); err == nil {
					path = p
				}
			}
		}
	}
	if path == "" {
		t.Fatalf("%s is not installed: make deps", name)
	}
	return exec.CommandContext(t.Context(), path, args...)
}

// gammu is the program on a tty, ready to run with arguments.
func gammu(t *testing.T, tty string) func(args ...string) string {
	dir := t.TempDir()
	config, log := filepath.Join(dir, "gammurc"), filepath.Join(dir, "log")
	text := "[gammu]\ndevice = " + tty + "\nconnection = at115200\nlogfile = " + log + "\nlogformat = textalldate\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(args ...string) string {
		t.Helper()
		c := command(t, "gammu", append([]string{"-c", config}, args...)...)
		c.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
		out, err := c.CombinedOutput()
		if err != nil {
			said, _ := os.ReadFile(log)
			t.Fatalf("gammu %s: %v\n%s\n%s", args, err, out, said)
		}
		return string(out)
	}
}

func wants(t *testing.T, what, out string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(out, want) {
			t.Errorf("%s: no %q in\n%s", what, want, out)
		}
	}
}

func TestGammuKnowsTheModemAndReadsAndSendsTexts(t *testing.T) {
	t.Parallel()
	_, net, tty := onTTY(t, modem.Options{})
	run := gammu(t, tty)
	eventually(t, "the modem takes texts", func() bool { return net.Text("+15550100", number, "price 5€ [x]") == nil })
	wants(t, "identify", run("identify"), "Quectel", "EC25", "864750012345678", "262990012345678")
	if err := net.Text("+8613800000000", number, strings.Repeat("今天的预约改到下午三点。", 10)); err != nil {
		t.Fatal(err)
	}
	wants(t, "texts", run("getallsms"), "price 5€ [x]", "+15550100", "+8613800000000", "part 1 of 2", "part 2 of 2", "下午三点")
	run("sendsms", "TEXT", "+15550100", "-text", "hello from gammu")
	if !carried(net, "+15550100", "hello from gammu") {
		t.Errorf("the network carried %+v", net.Texts())
	}
}

func TestGammuAsksForTheBalance(t *testing.T) {
	t.Parallel()
	_, net, tty := onTTY(t, modem.Options{})
	eventually(t, "the modem is in the network", func() bool { return net.Text("+15550100", number, "hi") == nil })
	wants(t, "balance", gammu(t, tty)("getussd", "*100#"), `Balance: 12.50, "flat" until 31.12.`)
}
