package e2e

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"branchline/board/sim/phone"
	"branchline/pbx/call"
)

// proxy is a provider made of Kamailio: it asks for proofs, keeps who is signed in, stays in the way of calls
// by Record-Route, and sends numbers of the branch to the trunk's account.
const proxy = `
debug=1
log_stderror=yes
disable_tcp=yes
children=2
auto_aliases=no
listen=udp:%[1]s
mpath="%[2]s"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_expires", 300)
request_route {
	if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
	if (has_totag()) {
		if (loose_route()) { t_relay(); exit; }
		if (is_method("ACK")) { if (t_check_trans()) { t_relay(); } exit; }
		sl_send_reply("404", "Not Here");
		exit;
	}
	if (is_method("CANCEL")) { if (t_check_trans()) { t_relay(); } exit; }
	if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }
	if (is_method("REGISTER")) {
		if (!pv_www_authenticate("acme", "seven-blue-kites", "0")) { www_challenge("acme", "1"); exit; }
		save("location");
		exit;
	}
	if (!is_method("INVITE")) { sl_send_reply("405", "Method Not Allowed"); exit; }
	if (!pv_proxy_authenticate("acme", "seven-blue-kites", "0")) { proxy_challenge("acme", "1"); exit; }
	consume_credentials();
	record_route();
	if ($rU =~ "^[+]4930") { $rU = "acc-1187"; }
	if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
	t_relay();
}
`

// kamailio runs the provider on an address of its own until the test ends.
func kamailio(t *testing.T) netip.AddrPort {
	t.Helper()
	at := netip.AddrPortFrom(boxes.next(), 5060)
	kamailioAt(t, at)
	return at
}

// kamailioAt runs it at an address until die, or until the test ends.
func kamailioAt(t *testing.T, at netip.AddrPort) (die func()) {
	t.Helper()
	program := peer(t, "kamailio", "kamailio")
	found, err := filepath.Glob("/usr/lib/*/kamailio/modules")
	if err != nil || len(found) == 0 {
		t.Fatalf("kamailio has no modules: %v", err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "kamailio.cfg")
	if err := os.WriteFile(file, fmt.Appendf(nil, proxy, at, found[0]+"/"), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command(program, "-f", file, "-DD", "-E", "-m", "16", "-M", "4", "-Y", dir, "-P", filepath.Join(dir, "pid"))
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	die = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			t.Log(log.String())
		}
	})
	t.Cleanup(die)
	return die
}

func TestKamailioIsAProvider(t *testing.T) {
	t.Parallel()
	at := kamailio(t)
	lines := onTrunk("")
	lines[1] = strings.Replace(lines[1], "servers: []", fmt.Sprintf("servers: [%q]", at), 1)
	r := start(t, lines...)
	ana := r.anaAnswers()
	r.lineUp("acme")
	world := func(o *phone.Options) {
		o.Server, o.Password, o.Tone = at, "seven-blue-kites", 440
	}
	carl := r.phone("089123456", world)

	out, err := carl.Dial(r.ctx(), "+4930901820")
	if err != nil {
		t.Fatal(err)
	}
	if err := out.WaitState(r.ctx(), phone.Talking); err != nil {
		t.Fatalf("%v\n%s", err, r.timeline())
	}
	if err := out.SendKeys("1"); err != nil {
		t.Fatal(err)
	}
	desk, err := ana.WaitCall(r.ctx())
	if err != nil {
		t.Fatalf("%v\n%s", err, r.timeline())
	}
	bothHear(r, out, desk, 1000)
	if err := out.Hold(); err != nil {
		t.Fatal(err)
	}
	r.eventually("silence at the caller's", func() bool { return !out.Hears(1000) })
	if err := out.Resume(); err != nil {
		t.Fatal(err)
	}
	bothHear(r, out, desk, 1000)
	if err := desk.Hangup(); err != nil { // our BYE goes through the proxy
		t.Fatal(err)
	}
	r.within("the caller to be hung up on", out.Gone())

	bo := r.phone("202", func(o *phone.Options) { o.Tone = 900 })
	call, err := bo.Dial(r.ctx(), "0089123456")
	if err != nil {
		t.Fatal(err)
	}
	far, err := carl.WaitCall(r.ctx())
	if err != nil {
		t.Fatalf("%v\n%s", err, r.timeline())
	}
	if err := far.Answer(); err != nil {
		t.Fatal(err)
	}
	bothHear(r, far, call, 900)
	if err := far.Hangup(); err != nil { // theirs comes through it
		t.Fatal(err)
	}
	r.within("the phone to be hung up on", call.Gone())
}

// bothHear waits until the one outside, who says 440 Hz, and a desk phone that says hz hear each other.
func bothHear(r *rig, far, desk *phone.Call, hz float64) {
	r.t.Helper()
	if err := far.WaitHears(r.ctx(), hz); err != nil {
		r.t.Fatalf("%v\n%s", err, r.timeline())
	}
	if err := desk.WaitHears(r.ctx(), 440); err != nil {
		r.t.Fatalf("%v\n%s", err, r.timeline())
	}
}

// Kamailio is a telephone system that nobody signs in to, and that is asked for a sign of life: when it dies the
// line is told to be down within a minute, and when it is back calls go there again.
func TestTrunkIsDownWhileKamailioIsDead(t *testing.T) {
	t.Parallel()
	at := netip.AddrPortFrom(boxes.next(), 5060)
	die := kamailioAt(t, at)
	lines := onTrunk(", register: false")
	lines[1] = strings.Replace(lines[1], "servers: []", fmt.Sprintf("servers: [%q]", at), 1)
	r := start(t, lines...)
	r.lineUp("acme")
	down := func() int { return count(r, func(f call.LineDown) bool { return f.Line == "acme" }) }
	before := down()
	die()
	began := time.Now()
	for down() == before {
		if time.Since(began) > time.Minute {
			t.Fatalf("not told within a minute\n%s", r.timeline())
		}
		<-time.After(20 * time.Millisecond)
	}
	up := func() int { return count(r, func(f call.LineUp) bool { return f.Line == "acme" }) }
	ups, told := up(), time.Since(began)
	kamailioAt(t, at)
	began = time.Now()
	for up() == ups {
		if time.Since(began) > time.Minute {
			t.Fatalf("not back within a minute\n%s", r.timeline())
		}
		<-time.After(20 * time.Millisecond)
	}
	t.Logf("down after %v, up after %v", told.Round(time.Second), time.Since(began).Round(time.Second))
	carl := r.phone("089123456", func(o *phone.Options) { o.Server, o.Password, o.Tone = at, "seven-blue-kites", 440 })
	bo := r.phone("202", func(o *phone.Options) { o.Tone = 900 })
	out, err := bo.Dial(r.ctx(), "0089123456")
	if err != nil {
		t.Fatal(err)
	}
	far, err := carl.WaitCall(r.ctx())
	if err != nil {
		t.Fatalf("%v\n%s", err, r.timeline())
	}
	if err := far.Answer(); err != nil {
		t.Fatal(err)
	}
	bothHear(r, far, out, 900)
	if err := out.Hold(); err != nil { // a re-INVITE, which goes through the proxy
		t.Fatal(err)
	}
	r.eventually("silence from the phone", func() bool { return !far.Hears(900) })
	if err := out.Resume(); err != nil {
		t.Fatal(err)
	}
	bothHear(r, far, out, 900)
	if err := far.Hangup(); err != nil {
		t.Fatal(err)
	}
	r.within("the phone to be hung up", out.Gone())
}
