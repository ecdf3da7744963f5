package sip

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"branchline/hal"
)

func TestContactOfAThirdPartyAimsNothingAtIt(t *testing.T) {
	h := open(t, settings(), Options{})
	victim := newRaw(t, h.at, "203")
	for i, p := range []*raw{newRaw(t, h.at, "201"), newTCP(t, h.at, "202")} {
		p.register("Contact: <sip:x@"+victim.addr()+">", "")
		leg := hal.LegID(fmt.Sprintf("o%d", i))
		h.do(hal.Dial{Leg: leg, To: hal.Number(p.user)})
		m := p.request("INVITE")
		p.reply(m, 200, "x", "Contact: <sip:x@"+victim.addr()+">\nRecord-Route: <sip:"+victim.addr()+";lr>", p.sdp("sendrecv"))
		p.request("ACK")
		until[hal.Answered](h, leg)
		h.do(hal.Hangup{Leg: leg})
		p.reply(p.request("BYE"), 200, "", "", "")
	}
	k := newRaw(t, h.at, "201").newTalk("202")
	k.p.send(strings.Replace(k.inviteText("", ""), k.p.addr()+">", victim.addr()+">", 1))
	victim.none(func(msg) bool { return true })
}

// outside is a house that is attached to 127.78.0.0/16 alone.
func outside(p *Phones) {
	p.attached = func() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("127.78.0.0/16")} }
}

func TestPhonesSignInFromTheHouseAndWhereTheyAreAdopted(t *testing.T) {
	s := settings()
	s.Guard.Networks = []netip.Prefix{netip.MustParsePrefix("127.79.0.0/24")}
	s.Guard.Adopted = map[string][]netip.Prefix{"202": {netip.MustParsePrefix("127.80.0.0/16")}}
	h := openChanged(t, s, Options{}, outside)
	var refusals []string
	for _, c := range []struct {
		user, from, password string
		code                 int
	}{
		{"201", "127.78.1.1", "secret201", 200},
		{"201", "127.79.0.9", "secret201", 200},
		{"202", "127.80.3.3", "secret202", 200},
		{"201", "127.80.3.3", "secret201", 403}, // adopted is another one
		{"202", "127.80.3.3", "wrong", 403},
		{"999", "127.80.3.3", "wrong", 403},
		{"201", "127.81.0.1", "secret201", 403}, // from nowhere
	} {
		p := newRawAt(t, h.at, c.user, c.from)
		p.password = c.password
		m := p.register(p.myContact(), "")
		if m.code() != c.code {
			t.Errorf("%s from %s: %q, want %d", c.user, c.from, m.start, c.code)
		}
		if c.from == "127.80.3.3" && m.code() == 403 {
			refusals = append(refusals, m.start+" "+m.get("Server")+" "+m.get("Allow")+fmt.Sprint(len(m.headers)))
		}
	}
	if len(refusals) != 3 || refusals[0] != refusals[1] || refusals[1] != refusals[2] {
		t.Errorf("who may not sign in there can be told from who does not exist: %q", refusals)
	}
	l := h.phones.Guarded(10)
	if len(l) != 2 || l[0].Counts.Sum()+l[1].Counts.Sum() != 4 {
		t.Errorf("listed %+v", l)
	}
}

func TestWhoGuessesPasswordsIsKeptAwayAndThePhoneBesideHimStays(t *testing.T) {
	h := open(t, settings(), Options{})
	const ip = "127.77.7.1"
	phone := newRawAt(t, h.at, "201", ip)
	phone.signIn()
	for range 12 {
		guess := newRawAt(t, h.at, "202", ip)
		guess.password = "guess"
		if m := guess.register(guess.myContact(), ""); m.code() != 403 {
			t.Fatalf("answered %q", m.start)
		}
	}
	told := until[hal.Guarded](h, "")
	if told.Source != ip || told.Counts["wrong"] != 12 || told.For < 50*time.Second {
		t.Errorf("told %+v", told)
	}
	k, leg := h.talking(phone, "202")
	phone.send(k.in("BYE", "", ""))
	phone.code(200, "BYE")
	until[hal.Gone](h, leg)
	far := newRawAt(t, h.at, "203", "127.77.7.2")
	h.phones.Ban(netip.MustParseAddr("127.77.7.2"), time.Hour)
	far.send(far.registerText("c", far.myContact(), ""))
	far.none(func(msg) bool { return true })
	if !h.phones.Forgive(netip.MustParseAddr("127.77.7.2")) {
		t.Error("not forgiven")
	}
	far.signIn()
}

func TestScannersHearNothing(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRawAt(t, h.at, "201", "127.77.7.3")
	p.send(strings.Replace(p.registerText("c", p.myContact(), ""), "raw/1", "friendly-scanner", 1))
	p.none(func(msg) bool { return true })
	p.signIn()
}

// crowd opens so many connections from several addresses; the box may end them.
func crowd(t *testing.T, to string, n int, do func(net.Conn)) {
	t.Helper()
	var parts sync.WaitGroup
	t.Cleanup(parts.Wait)
	for i := range n {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 77, 8, byte(1+i%20))}, Timeout: 2 * time.Second}
		c, err := d.Dial("tcp", to)
		if err != nil {
			continue // kept away by now
		}
		t.Cleanup(func() { c.Close() })
		if do != nil {
			parts.Go(func() { do(c) })
		}
	}
}

func TestPhonesWorkAmongThousandsOfIdleAndSlowConnections(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	h := open(t, settings(), Options{})
	early := newTCP(t, h.at, "201")
	early.signIn()
	idle := min(3000, int(limit.Cur)/2-500) // both ends are ours
	crowd(t, h.at.String(), idle, nil)
	crowd(t, h.at.String(), 200, func(c net.Conn) {
		for _, b := range []byte("OPTIONS sip:box SIP/2.0\r\nVia: SIP/2.0/TCP 127.77.8.1;branch=z9hG4bKslow\r\n") {
			if _, err := c.Write([]byte{b}); err != nil {
				return
			}
			select {
			case <-t.Context().Done():
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	files, _ := os.ReadDir("/proc/self/fd")
	t.Logf("%d connections asked for, %d files open, both ends", idle+200, len(files))
	for i, p := range []*raw{early, newTCP(t, h.at, "202"), newRaw(t, h.at, "203")} {
		if p != early {
			p.signIn()
		}
		leg := hal.LegID(fmt.Sprintf("o%d", i))
		h.do(hal.Dial{Leg: leg, To: hal.Number(p.user)})
		p.reply(p.request("INVITE"), 200, "x", "", p.sdp("sendrecv"))
		p.request("ACK")
		until[hal.Answered](h, leg)
		h.do(hal.Hangup{Leg: leg})
		p.reply(p.request("BYE"), 200, "", "", "")
		k, leg := h.talking(p, "201")
		p.send(k.in("BYE", "", ""))
		p.code(200, "BYE")
		until[hal.Gone](h, leg)
	}
}

func TestFoldedContentLengthIsCountedByTCP(t *testing.T) {
	h := open(t, settings(), Options{})
	c, err := net.Dial("tcp", h.at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	text := strings.Replace(ping("f"), "Content-Length: 0", "Content-Length:\r\n 5", 1) + "xyzzy" + ping("g")
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(patience))
	for in, want := bufio.NewScanner(c), []string{"ping-f", "ping-g"}; len(want) > 0; {
		if !in.Scan() {
			t.Fatalf("no answer to %q", want)
		}
		if strings.HasPrefix(in.Text(), "SIP/2.0 ") && !strings.HasPrefix(in.Text(), "SIP/2.0 200 ") {
			t.Error(in.Text())
		}
		if strings.Contains(in.Text(), want[0]) {
			want = want[1:]
		}
	}
}

// FuzzDatagram and the like are in package wire; this is what a call attempt costs to tell apart.
func BenchmarkUnknownUserAndWrongPassword(b *testing.B) {
	for _, user := range []string{"201", "999"} {
		b.Run(user, func(b *testing.B) { refusals(b, user) })
	}
}
