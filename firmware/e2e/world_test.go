package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"branchline/board/sim/provider"
)

// world is a box at home, here, and a host outside with a public address (RFC 2544's, which belong to nobody);
// between them are routers that translate addresses, each a namespace of its own.
type world struct {
	t       *testing.T
	home    *namespace // the router that the box knows
	outmost string     // the namespace of the router that has the public address
	outside string     // the namespace of the host outside
	public  netip.Addr // of the outmost router
	host    netip.Addr // outside
}

// translate is a router: who goes out gets its address, what comes in unasked is dropped.
const translate = `
table ip nat { chain out { type nat hook postrouting priority 100; oifname "wan" masquerade; }; }
table ip door { chain in { type filter hook input priority 0; iifname "wan" ct state new drop; }; }
`

// worlds counts those of this test binary.
var worlds atomic.Uint32

// newWorld makes a world with one router, or with a carrier's behind it (RFC 6598).
func newWorld(t *testing.T, carrier bool) *world {
	t.Helper()
	s := newNamespace(t)
	block := byte(os.Getpid())<<4 | byte(worlds.Add(1)&15)
	at := func(host byte) netip.Addr { return netip.AddrFrom4([4]byte{198, 18, block, host}) }
	w := &world{t: t, home: s, outmost: s.name, outside: s.name + "o", public: at(1), host: at(10)}
	w.namespace(w.outside)
	if carrier {
		w.outmost = s.name + "c"
		w.namespace(w.outmost)
		w.ip("link", "add", "wan", "netns", s.name, "type", "veth", "peer", "name", "lan", "netns", w.outmost)
		w.ip("-n", s.name, "addr", "add", fmt.Sprintf("100.64.%d.2/30", block), "dev", "wan")
		w.ip("-n", w.outmost, "addr", "add", fmt.Sprintf("100.64.%d.1/30", block), "dev", "lan")
		w.ip("-n", s.name, "link", "set", "wan", "up")
		w.ip("-n", w.outmost, "link", "set", "lan", "up")
		w.ip("-n", s.name, "route", "add", "default", "via", fmt.Sprintf("100.64.%d.1", block))
		w.route(s.name)
	}
	w.ip("link", "add", "wan", "netns", w.outmost, "type", "veth", "peer", "name", "net", "netns", w.outside)
	w.ip("-n", w.outmost, "addr", "add", w.public.String()+"/24", "dev", "wan")
	w.ip("-n", w.outside, "addr", "add", w.host.String()+"/24", "dev", "net")
	w.ip("-n", w.outmost, "link", "set", "wan", "up")
	w.ip("-n", w.outside, "link", "set", "net", "up")
	w.route(w.outmost)
	w.ip("route", "add", at(0).String()+"/24", "via", s.there.String())
	return w
}

func (w *world) ip(args ...string) {
	w.t.Helper()
	if err := w.home.ip(args...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) namespace(name string) {
	w.t.Helper()
	w.ip("netns", "add", name)
	w.t.Cleanup(func() {
		if err := w.home.ip("netns", "del", name); err != nil {
			w.t.Error(err)
		}
	})
	w.ip("-n", name, "link", "set", "lo", "up")
}

// in runs a program in a namespace, with input.
func (w *world) in(name, input, program string, args ...string) {
	w.t.Helper()
	cmd := exec.Command(w.home.tool, append([]string{"netns", "exec", name, program}, args...)...)
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("%s %q: %v: %s", program, args, err, out)
	}
}

// set writes a setting of the kernel in a namespace.
func (w *world) set(name, key string, value int) {
	w.t.Helper()
	w.in(name, fmt.Sprintf("%d\n", value), "tee", "/proc/sys/net/"+key)
}

func (w *world) route(name string) {
	w.t.Helper()
	w.set(name, "ipv4/ip_forward", 1)
	w.in(name, translate, peer(w.t, "nft", "nftables"), "-f", "-")
}

// forgets has all routers forget a way after so many seconds of silence.
func (w *world) forgets(seconds int) {
	w.t.Helper()
	for _, name := range []string{w.home.name, w.outmost} {
		w.set(name, "netfilter/nf_conntrack_udp_timeout", seconds)
		w.set(name, "netfilter/nf_conntrack_udp_timeout_stream", seconds)
	}
}

// renumber gives the outmost router another public address.
func (w *world) renumber() {
	w.t.Helper()
	old := w.public
	w.public = old.Next()
	w.ip("-n", w.outmost, "addr", "del", old.String()+"/24", "dev", "wan")
	w.ip("-n", w.outmost, "addr", "add", w.public.String()+"/24", "dev", "wan")
}

// enter takes the goroutine into a namespace for the rest of its life: what it opens belongs there.
func enter(name string) error {
	runtime.LockOSThread() // for ever: the thread ends with the goroutine
	f, err := os.Open("/var/run/netns/" + name)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Setns(int(f.Fd()), unix.CLONE_NEWNET)
}

// inhabit has run work in a namespace until the test ends; run calls ready once.
func inhabit(t *testing.T, name string, run func(ctx context.Context, ready func(error))) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready := make(chan error, 2)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := enter(name); err != nil {
			ready <- err
			return
		}
		run(ctx, func(err error) { ready <- err })
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	if err := <-ready; err != nil {
		t.Fatal(err)
	}
}

// serve runs a provider outside.
func (w *world) serve(h provider.Habits) (p *provider.Provider) {
	w.t.Helper()
	inhabit(w.t, w.outside, func(ctx context.Context, ready func(error)) {
		var err error
		p, err = provider.New(provider.Options{Listen: netip.AddrPortFrom(w.host, 5060), User: "acc-1187", Password: "seven-blue-kites", Habits: h})
		ready(err)
		if err == nil {
			_ = p.Run(ctx)
		}
	})
	return p
}

// leak is what the host outside was shown of the insides of the house.
type leak struct {
	mu    sync.Mutex
	seen  int // packets
	found []string
}

func (l *leak) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen == 0 {
		return "nothing was seen at all"
	}
	return strings.Join(l.found, "\n")
}

// watch looks at every packet outside for the addresses of the house, in words and as senders.
func (w *world) watch() *leak {
	w.t.Helper()
	l := &leak{}
	inhabit(w.t, w.outside, func(ctx context.Context, ready func(error)) {
		any := uint16(unix.ETH_P_ALL)>>8 | uint16(unix.ETH_P_ALL)<<8
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, int(any))
		if err == nil {
			defer unix.Close(fd)
			err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100000})
		}
		ready(err)
		buf := make([]byte, 65536)
		for err == nil && ctx.Err() == nil {
			n, _, err := unix.Recvfrom(fd, buf, 0)
			if err == nil {
				w.look(l, buf[:n])
			}
		}
	})
	return l
}

func (w *world) look(l *leak, packet []byte) {
	if len(packet) < 28 || packet[0]>>4 != 4 { // not IPv4
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen++
	house := w.home.here.As4()
	text := bytes.Contains(packet, []byte(w.home.here.String())) || bytes.Contains(packet, []byte("100.64."))
	if (text || bytes.Equal(packet[12:16], house[:])) && len(l.found) < 3 {
		l.found = append(l.found, string(bytes.ToValidUTF8(packet[28:], []byte("."))))
	}
}

// forgotten opens a way out of the house, keeps it silent for d, and says whether it is closed then.
func (w *world) forgotten(d time.Duration) bool {
	w.t.Helper()
	var out *net.UDPConn
	inhabit(w.t, w.outside, func(_ context.Context, ready func(error)) {
		var err error
		out, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(w.host, 7000)))
		ready(err)
	})
	defer out.Close()
	in, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(w.host, 7000)))
	if err != nil {
		w.t.Fatal(err)
	}
	defer in.Close()
	var buf [8]byte
	comes := func(from netip.AddrPort, within time.Duration) bool {
		_, _ = out.WriteToUDPAddrPort([]byte("back"), from)
		_ = in.SetReadDeadline(time.Now().Add(within))
		_, err := in.Read(buf[:])
		return err == nil
	}
	_, _ = in.Write([]byte("out"))
	_ = out.SetReadDeadline(time.Now().Add(patience))
	_, from, err := out.ReadFromUDPAddrPort(buf[:])
	if err != nil || !comes(from, patience) {
		w.t.Fatalf("the routers let nothing through: %v", err)
	}
	<-time.After(d)
	return !comes(from, 500*time.Millisecond)
}
