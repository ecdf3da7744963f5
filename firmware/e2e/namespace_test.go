package e2e

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
)

// namespace is a network of two hosts: the box here, a program of another maker there. Real phones do
// not take a loopback interface for a network.
type namespace struct {
	name          string
	here          netip.Addr
	there         netip.Addr
	here6, there6 netip.Addr // by IPv6
	tool          string
}

// networks counts the namespaces of this test binary.
var networks atomic.Uint32

// newNamespace makes a namespace that a pair of interfaces joins to here. It goes with the test.
func newNamespace(t *testing.T) *namespace {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("a real phone needs a network namespace: run the tests as root")
	}
	n, pid := networks.Add(1), os.Getpid()
	here := netip.AddrFrom4([4]byte{10, byte(200 + n%50), byte(pid >> 8), byte(pid)&^3 + 1})
	s := &namespace{
		name: fmt.Sprintf("bl%d-%d", pid, n), here: here, there: here.Next(), tool: peer(t, "ip", "iproute2"),
		here6: netip.AddrFrom16([16]byte{0xfd, 0xb1, byte(pid >> 8), byte(pid), byte(n), 15: 1}),
	}
	s.there6 = s.here6.Next()
	t.Cleanup(func() {
		if err := s.ip("netns", "del", s.name); err != nil {
			t.Error(err)
		}
	})
	inner := fmt.Sprintf("bp%d-%d", pid, n)
	for _, args := range [][]string{
		{"netns", "add", s.name},
		{"link", "add", s.name, "type", "veth", "peer", "name", inner, "netns", s.name},
		{"addr", "add", s.here.String() + "/30", "dev", s.name},
		{"addr", "add", s.here6.String() + "/64", "dev", s.name, "nodad"},
		{"link", "set", s.name, "up"},
		{"-n", s.name, "link", "set", "lo", "up"},
		{"-n", s.name, "addr", "add", s.there.String() + "/30", "dev", inner},
		{"-n", s.name, "addr", "add", s.there6.String() + "/64", "dev", inner, "nodad"},
		{"-n", s.name, "link", "set", inner, "up"},
	} {
		if err := s.ip(args...); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *namespace) ip(args ...string) error {
	out, err := exec.Command(s.tool, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %v: %w: %s", args, err, out)
	}
	return nil
}

// inside is a command that runs there.
func (s *namespace) inside(program string, args ...string) *exec.Cmd {
	return exec.Command(s.tool, append([]string{"netns", "exec", s.name, program}, args...)...)
}

// peer is where a program of another maker lies, also where an ordinary user's PATH does not lead.
// A missing one fails the test.
func peer(t *testing.T, program, pkg string) string {
	t.Helper()
	for _, dir := range []string{"", "/usr/sbin/", "/sbin/"} {
		if path, err := exec.LookPath(dir + program); err == nil {
			return path
		}
	}
	t.Fatalf("%s is not installed; `make deps` installs it (Debian package %s)", program, pkg)
	return ""
}
