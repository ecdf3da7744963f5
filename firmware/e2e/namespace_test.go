package e2e

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
)

// namespace is a network of two hosts: the box here, a program of another maker there. Real phones do
// not take a loopback interface for a network (SIP.md 1).
type namespace struct {
	name  string
	here  netip.Addr
	there netip.Addr
}

// networks counts the namespaces of this test binary.
var networks atomic.Uint32

// newNamespace makes a namespace that a pair of interfaces joins to here. It goes with the test.
func newNamespace(t *testing.T) *namespace {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("a network namespace is needed to test with a real phone: run the tests as root")
	}
	n, pid := networks.Add(1), os.Getpid()
	net := netip.AddrFrom4([4]byte{10, byte(200 + n), byte(pid >> 8), byte(pid) &^ 3}).Next()
	s := &namespace{name: fmt.Sprintf("bl%d-%d", pid, n), here: net, there: net.Next()}
	inner := fmt.Sprintf("bp%d-%d", pid, n)
	t.Cleanup(func() {
		if err := s.ip("netns", "del", s.name); err != nil {
			t.Error(err)
		}
	})
	for _, args := range [][]string{
		{"netns", "add", s.name},
		{"link", "add", s.name, "type", "veth", "peer", "name", inner, "netns", s.name},
		{"addr", "add", s.here.String() + "/30", "dev", s.name},
		{"link", "set", s.name, "up"},
		{"-n", s.name, "link", "set", "lo", "up"},
		{"-n", s.name, "addr", "add", s.there.String() + "/30", "dev", inner},
		{"-n", s.name, "link", "set", inner, "up"},
	} {
		if err := s.ip(args...); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *namespace) ip(args ...string) error {
	out, err := exec.Command(needed("ip", "iproute2"), args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %v: %w: %s", args, err, out)
	}
	return nil
}

// inside is a command that runs there.
func (s *namespace) inside(program string, args ...string) *exec.Cmd {
	return exec.Command(needed("ip", "iproute2"), append([]string{"netns", "exec", s.name, program}, args...)...)
}

// peer is where a program of another maker lies. A missing one fails the test.
func peer(t *testing.T, program, pkg string) string {
	t.Helper()
	path := needed(program, pkg)
	if _, err := exec.LookPath(path); err != nil {
		t.Fatalf("%v; `make deps` installs it (Debian package %s)", err, pkg)
	}
	return path
}

// needed finds a program also where an ordinary user's PATH does not lead.
func needed(program, _ string) string {
	for _, dir := range []string{"", "/usr/sbin/", "/sbin/"} {
		if path, err := exec.LookPath(dir + program); err == nil || errors.Is(err, exec.ErrDot) {
			return path
		}
	}
	return program
}
