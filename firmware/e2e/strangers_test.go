package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/icholy/digest"

	"branchline/board/sim/phone"
	"branchline/pbx/call"
)

// stranger is a bare socket that says to the box's SIP port what a test has it say.
type stranger struct {
	r    *rig
	conn *net.UDPConn
	at   netip.AddrPort
	n    int
}

func newStranger(r *rig) *stranger {
	r.t.Helper()
	conn, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(boxes.next(), 0)), net.UDPAddrFromAddrPort(netip.AddrPortFrom(r.ip, 5060)))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	return &stranger{r: r, conn: conn, at: conn.LocalAddr().(*net.UDPAddr).AddrPort()}
}

// request is a request for user; lines are added to its header.
func (s *stranger) request(method, user string, lines ...string) []byte {
	s.n++
	text := fmt.Sprintf("%[1]s sip:%[2]s@%[3]s SIP/2.0\r\nVia: SIP/2.0/UDP %[4]s;branch=z9hG4bK%[5]d;rport\r\nMax-Forwards: 70\r\n"+
		"From: <sip:%[2]s@%[3]s>;tag=t%[5]d\r\nTo: <sip:%[2]s@%[3]s>\r\nCall-ID: stranger-%[5]d\r\nCSeq: %[5]d %[1]s\r\n"+
		"Contact: <sip:%[2]s@%[4]s>\r\n", method, user, s.r.ip, s.at, s.n)
	for _, l := range lines {
		text += l + "\r\n"
	}
	body := ""
	if method == "INVITE" {
		body = fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 %[1]s\r\ns=-\r\nc=IN IP4 %[1]s\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n", s.at.Addr())
		text += "Content-Type: application/sdp\r\n"
	}
	return fmt.Appendf(nil, "%sContent-Length: %d\r\n\r\n%s", text, len(body), body)
}

func (s *stranger) say(b []byte) {
	s.r.t.Helper()
	if _, err := s.conn.Write(b); err != nil {
		s.r.t.Fatal(err)
	}
}

// ask says b and waits for the answer.
func (s *stranger) ask(b []byte) (answer string) {
	s.r.t.Helper()
	s.say(b)
	if err := s.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		s.r.t.Fatal(err)
	}
	buf := make([]byte, 65536)
	n, err := s.conn.Read(buf)
	if err != nil {
		s.r.t.Fatalf("no answer to\n%s%v", b, err)
	}
	return string(buf[:n])
}

// signIn tries a password as a phone does, and gives both answers of the box and the proof sent.
func (s *stranger) signIn(user, password string) (first, second, proof string) {
	s.r.t.Helper()
	first = s.ask(s.request("REGISTER", user))
	found := regexp.MustCompile(`WWW-Authenticate: (.*algorithm=MD5.*)\r\n`).FindStringSubmatch(first)
	if found == nil {
		s.r.t.Fatalf("no challenge in\n%s", first)
	}
	challenge, err := digest.ParseChallenge(found[1])
	if err != nil {
		s.r.t.Fatal(err)
	}
	credentials, err := digest.Digest(challenge, digest.Options{
		Method: "REGISTER", URI: fmt.Sprintf("sip:%s@%s", user, s.r.ip), Username: user, Password: password, Count: 1, Cnonce: "c",
	})
	if err != nil {
		s.r.t.Fatal(err)
	}
	return first, s.ask(s.request("REGISTER", user, "Authorization: "+credentials.String())), credentials.Response
}

// headers is what an answer says without what must differ from one to the next.
func headers(answer string, user string) string {
	answer = regexp.MustCompile(`(?m)^(Via|CSeq|Call-ID|From|To|Date):.*\r\n`).ReplaceAllString(answer, "")
	answer = regexp.MustCompile(`nonce="[^"]*"`).ReplaceAllString(answer, "nonce")
	return strings.ReplaceAll(answer, user, "USER")
}

func TestAWrongPasswordIsRefusedAsAnUnknownUserIs(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.lineUp("phones")
	s := newStranger(r)
	const wrong = "prune-cake-9081"
	challenge, refusal, proof := s.signIn("201", wrong)
	if !strings.HasPrefix(challenge, "SIP/2.0 401 ") || !strings.HasPrefix(refusal, "SIP/2.0 403 ") {
		t.Errorf("a wrong password is answered by\n%s%s", challenge, refusal)
	}
	challenge2, refusal2, proof2 := s.signIn("999", wrong)
	if headers(challenge, "201") != headers(challenge2, "999") || headers(refusal, "201") != headers(refusal2, "999") {
		t.Errorf("an unknown user can be told from a wrong password:\n%s%sagainst\n%s%s", challenge, refusal, challenge2, refusal2)
	}
	for range 3 {
		s.signIn("201", wrong)
	}
	log := r.log.said()
	lines := regexp.MustCompile(`(?m)^.*level=WARN.*refused.*user=(\S+) source=(\S+) times=(\d+)$`).FindAllStringSubmatch(log, -1)
	if len(lines) != 2 || lines[0][1] != "201" || lines[1][1] != "999" || lines[0][2] != s.at.Addr().String() || lines[0][3] != "1" {
		t.Errorf("the log counts the refusals of 201 (four, told once) and 999 (one) as %q", lines)
	}
	for _, secret := range []string{wrong, "plum-cake", proof, proof2} {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	if _, ok, _ := s.signIn("201", "plum-cake-201"); !strings.HasPrefix(ok, "SIP/2.0 200 ") {
		t.Errorf("the right password is answered by\n%s", ok)
	}
}

// Thousands of datagrams of every bad kind at the SIP port while a call is up, from strangers: it goes
// on, nobody's telephone is used, and the box has grown by nothing that stays. This test runs alone:
// it counts the goroutines and the memory of the process.
func TestHostileDatagramsDoNotTouchACall(t *testing.T) {
	// Without the guard, which would keep most of them from being read.
	r := start(t, "realm: branchline", "realm: branchline\n    guard: {limits: false, bans: false, scanners: false}")
	r.lineUp("gsm1")
	ana := r.phone("201", func(o *phone.Options) { o.Tone = 700 })
	b := r.phone("202", func(o *phone.Options) { o.Tone, o.Auto = 1100, phone.AnswerAfter(0) })
	out, err := ana.Dial(r.ctx(), "202")
	if err != nil {
		t.Fatal(err)
	}
	if err := out.WaitHears(r.ctx(), 1100); err != nil {
		t.Fatal(err)
	}
	in := b.Calls()[0]
	calls, routines, heap := count[call.Began](r, nil), runtime.NumGoroutine(), heapInUse()
	began := time.Now()
	s := newStranger(r)
	for i, d := range s.hostile(out.ID()) {
		s.say(d)
		if i%20 == 19 {
			<-time.After(5 * time.Millisecond)
		}
		if i%200 == 0 {
			if err := out.ForgeBYE(netip.AddrPortFrom(boxes.next(), 0)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if took := time.Since(began); took > 9*time.Second {
		t.Fatalf("the machine is too slow for this test: %v", took)
	}
	fresh := newStranger(r)
	if answer := fresh.ask(fresh.request("OPTIONS", "box")); !strings.HasPrefix(answer, "SIP/2.0 200 ") {
		t.Errorf("OPTIONS afterwards is answered by\n%s", answer)
	}
	heard := time.Since(began)
	for _, ear := range []struct {
		c  *phone.Call
		hz float64
	}{{out, 1100}, {in, 700}} {
		if gap := gapIn(ear.c.HeardFor(heard), ear.hz); gap > r.maxGap(began) || ear.c.State() != phone.Talking {
			t.Errorf("the call is %s; %v Hz were missed for %v", ear.c.State(), ear.hz, gap)
		}
	}
	if n := count[call.Began](r, nil); n != calls {
		t.Errorf("strangers have made %d calls", n-calls)
	}
	r.eventually("goroutines to end", func() bool { return runtime.NumGoroutine() <= routines+10 })
	if now := heapInUse(); now > heap+16<<20 {
		t.Errorf("the heap has grown from %d to %d KiB", heap>>10, now>>10)
	}
	r.signIn(r.phone("203", nil), "1003", "4713") // the box serves as before
	if err := out.Hangup(); err != nil {
		t.Fatal(err)
	}
	r.within("the other phone to be hung up", in.Gone())
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// hostile is some thousand datagrams: noise, messages cut short, messages with bytes changed, calls and
// sign-ins of strangers, and requests and responses about the call whose Call-ID leaked.
func (s *stranger) hostile(callID string) (all [][]byte) {
	dice := rand.New(rand.NewPCG(7, 11))
	within := "Call-ID: " + callID
	whole := [][]byte{
		s.request("REGISTER", "201", "Expires: 600"), s.request("INVITE", "202"), s.request("INVITE", "0030111"), s.request("OPTIONS", "201"),
		s.request("BYE", "201", within), s.request("CANCEL", "202", within), s.request("INFO", "201", within), s.request("REFER", "202", "Refer-To: <sip:0030111@box>"),
		s.request("REGISTER", "201", `Authorization: Digest username="201", realm="branchline", nonce="x", uri="sip:x", response="0"`),
		[]byte("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP " + s.r.ip.String() + ":5060;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\n" + within + "\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"),
	}
	for range 600 {
		noise := make([]byte, 1+dice.IntN(1400))
		for i := range noise {
			noise[i] = byte(dice.UintN(256))
		}
		all = append(all, noise)
	}
	for _, m := range whole {
		for cut := 0; cut < len(m); cut += 9 {
			all = append(all, m[:cut])
		}
		for range 120 {
			bad := bytes.Clone(m)
			for range 1 + dice.IntN(8) {
				bad[dice.IntN(len(bad))] = byte(dice.UintN(256))
			}
			all = append(all, bad)
		}
	}
	for i := range 500 {
		all = append(all, s.request("INVITE", []string{"202", "0030111", "*22", "201"}[i%4]), s.request("REGISTER", "201"))
	}
	all = append(all, bytes.Repeat([]byte("A"), 60000), append(slices.Clone(whole[1]), make([]byte, 60000)...))
	dice.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}
