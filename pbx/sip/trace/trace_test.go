package trace

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"branchline/hal"
)

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

const invite = "INVITE sip:202@box SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKx\r\nf: \"Ana\" <sip:201@box>;tag=1\r\n" +
	"To: <sip:202@box>\r\ni: a@b\r\nCSeq: 2 INVITE\r\nProxy-Authorization: Digest username=\"201\", realm=\"r\", nonce=\"n\",\r\n  cnonce=\"c\", response=\"0123456789abcdef\", uri=\"sip:x\"\r\n" +
	"Content-Type: application/sdp\r\n\r\nv=0\r\nc=IN IP4 192.0.2.7\r\nm=audio 4000 RTP/SAVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n" +
	"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4\r\na=sendonly\r\n"

func TestMessageIsSummedUp(t *testing.T) {
	got := Read([]byte(invite))
	want := Summary{What: "INVITE", CallID: "a@b", CSeq: "2 INVITE", From: "201", To: "202", Target: "202",
		SDP: "PCMU,telephone-event 192.0.2.7:4000 sendonly"}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := Read([]byte("SIP/2.0 486 Busy Here\r\nReason: Q.850;cause=17\r\n\r\n")); got.What != "486 Busy Here" || got.Why != "Q.850;cause=17" {
		t.Errorf("%+v", got)
	}
	if got := Read([]byte("\x16\x03\x01")); got.What != "no SIP" {
		t.Errorf("%+v", got)
	}
}

func TestSecretsAreBlankedAndNothingElse(t *testing.T) {
	text := []byte(invite)
	Blank(text)
	want := strings.NewReplacer("0123456789abcdef", "xxxxxxxxxxxxxxxx",
		"WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4", strings.Repeat("x", len("WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4"))).Replace(invite)
	if string(text) != want {
		t.Errorf("got %s", text)
	}
	for in, want := range map[string]string{
		"REGISTER x SIP/2.0\nauthorization : Digest response = abc,a=response\n\n":                                      "REGISTER x SIP/2.0\nauthorization : Digest response = xxx,a=response\n\n",
		"REGISTER x SIP/2.0\r\nAuthorization: Basic YTpi\r\n\r\n":                                                       "REGISTER x SIP/2.0\r\nAuthorization: Basic xxxx\r\n\r\n",
		"INFO x SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal=5\r\nDuration=160\r\n":                    "INFO x SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal=x\r\nDuration=160\r\n",
		"INFO x SIP/2.0\r\nc: application/DTMF\r\n\r\n5":                                                                "INFO x SIP/2.0\r\nc: application/DTMF\r\n\r\nx",
		"INVITE x SIP/2.0\r\n\r\nk=clear:abc\r\na=key-mgmt:mikey AQA=\r\n":                                              "INVITE x SIP/2.0\r\n\r\nk=xxxxxxxxx\r\na=key-mgmt:mikey xxxx\r\n",
		"SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n\r\n":                         "SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n\r\n",
		"INVITE x SIP/2.0\r\nX: response=abc\r\nAuthorization: Digest xresponse=1,\r\n\tresponse=\"f\"\r\nY: z\r\n\r\n": "INVITE x SIP/2.0\r\nX: response=abc\r\nAuthorization: Digest xresponse=1,\r\n\tresponse=\"x\"\r\nY: z\r\n\r\n",
	} {
		b := []byte(in)
		if Blank(b); string(b) != want {
			t.Errorf("got  %q\nwant %q", b, want)
		}
	}
}

func TestNewestMessagesAreKeptInTheirOrder(t *testing.T) {
	tr := New(64 << 10)
	p, phone := tr.Tap("phones"), addr("192.0.2.7:5060")
	p.Saw("udp", addr("192.0.2.1:5060"), phone, 0, true, []byte("OPTIONS sip:x SIP/2.0\r\n\r\n"))
	for i := range 1000 {
		p.Saw("udp", addr("192.0.2.1:5060"), phone, 0, i%2 == 0, fmt.Appendf(nil, "INFO sip:%d SIP/2.0\r\nX: %s\r\n\r\n", i, strings.Repeat("y", i*7%900)))
	}
	n, last, bytes := 0, uint64(0), 0
	for m, ok := tr.Next(0); ok; m, ok = tr.Next(m.No) {
		if last != 0 && m.No != last+1 {
			t.Fatalf("%d after %d", m.No, last)
		}
		if want := fmt.Sprintf("INFO sip:%d SIP", m.No-2); !strings.HasPrefix(string(m.Text), want) || !strings.HasSuffix(string(m.Text), "\r\n\r\n") {
			t.Fatalf("message %d is %.30q", m.No, m.Text)
		}
		last = m.No
		n++
		bytes += len(m.Text)
	}
	if last != 1001 || n < 60 || bytes > 64<<10*7/8 || bytes < 40<<10 {
		t.Errorf("%d messages of %d bytes, the last is %d", n, bytes, last)
	}
}

func TestFloodOfStrangersWashesOutNoCall(t *testing.T) {
	tr := New(256 << 10)
	p, box, phone := tr.Tap("phones"), addr("192.0.2.1:5060"), addr("192.0.2.7:5060")
	p.Saw("udp", box, phone, 0, true, []byte("SIP/2.0 200 OK\r\nCSeq: 1 REGISTER\r\n\r\n"))
	p.Saw("udp", box, phone, 0, false, []byte(invite))
	for i := range 20000 {
		at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}), 5060)
		p.Saw("udp", box, at, 0, false, []byte(invite))
		p.Saw("udp", box, at, 0, true, []byte("SIP/2.0 401 Unauthorized\r\nCSeq: 1 INVITE\r\n\r\n"))
		p.Saw("udp", box, at, 0, true, []byte("SIP/2.0 200 OK\r\nCSeq: 1 OPTIONS\r\n\r\n"))
	}
	first, _ := tr.Next(0)
	second, _ := tr.Next(1)
	if first.No != 1 || second.No != 2 || string(second.Text) != invite {
		t.Errorf("kept are %d and %d", first.No, second.No)
	}
	m, ok := tr.Next(tr.Last() - 1)
	if !ok || m.Remote.Addr().String() != "203.0.31.31" && m.Remote.Addr() != netip.MustParseAddr("203.0.78.31") {
		t.Errorf("the newest of a stranger: %v %v", m.Remote, ok)
	}
}

func TestLadderHasAllLegsOfACallAndNoOther(t *testing.T) {
	tr := New(0)
	p, box := tr.Tap("phones"), addr("192.0.2.1:5060")
	a, b := addr("192.0.2.7:5060"), addr("192.0.2.8:5060")
	say := func(at netip.AddrPort, out bool, id string) {
		p.Saw("udp", box, at, 0, out, []byte("INVITE sip:x SIP/2.0\r\nCall-ID: "+id+"\r\n\r\n"))
	}
	tr.Belongs(Leg{"phones#1-1", "one", "201"})
	tr.Belongs(Leg{"phones#1-o1", "two", "202"})
	say(a, false, "one")
	say(a, false, "other")
	say(b, true, "two")
	say(b, true, "two")
	l := tr.Ladder([]hal.LegID{"phones#1-1", "phones#1-o1", "gsm1#1-1"}, false)
	if len(l.Steps) != 3 || len(l.Parties) != 2 || l.Parties[1] != (Party{"202", b}) || l.Steps[1].Leg != "phones#1-o1" ||
		l.Steps[1].Again || !l.Steps[2].Again {
		t.Errorf("%+v", l)
	}
}

func TestKeepingAMessageAllocatesNothing(t *testing.T) {
	tr := New(0)
	p, box, phone, text := tr.Tap("phones"), addr("192.0.2.1:5060"), addr("192.0.2.7:5060"), []byte(invite)
	ok := []byte("SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n")
	p.Saw("udp", box, phone, 0, true, ok)
	if n := testing.AllocsPerRun(500, func() {
		p.Saw("udp", box, phone, 0, false, text)
		p.Saw("udp", box, phone, 0, true, ok)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkSaw keeps one INVITE of 600 octets, and one answer. Goal: 2 µs for each.
func BenchmarkSaw(b *testing.B) {
	tr := New(0)
	p, box, phone, text := tr.Tap("phones"), addr("192.0.2.1:5060"), addr("192.0.2.7:5060"), []byte(invite)
	answer := []byte(strings.Replace(invite, "INVITE sip:202@box SIP/2.0", "SIP/2.0 200 OK", 1))
	b.ReportAllocs()
	for b.Loop() {
		p.Saw("udp", box, phone, 0, false, text)
		p.Saw("udp", box, phone, 0, true, answer)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(invite))
	f.Add([]byte("SIP/2.0 "))
	f.Add([]byte(" SIP/ :\n\nv=0\nm=a b c d\na=rtpmap:1 x"))
	f.Add([]byte("INFO x SIP/2.0\r\nAuthorization: Digest response=\"\r\n response=a\r\nc: application/dtmf\r\n\r\nSignal=\n5"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := Read(data)
		for _, w := range []string{s.What, s.CSeq, s.From, s.To, s.Target, s.Why, s.SDP} {
			if len(w) > maxWord || strings.ContainsAny(w, "\r\n\x00\x1b") {
				t.Errorf("%q", w)
			}
		}
		n := len(data)
		if Blank(data); len(data) != n {
			t.Error("another length")
		}
		tr := New(1000)
		tr.Tap("l").Saw("udp", addr("192.0.2.1:5060"), addr("192.0.2.2:5060"), 0, true, data)
		if m, ok := tr.Next(0); !ok || len(m.Text) > len(data) {
			t.Error("not kept")
		}
	})
}
