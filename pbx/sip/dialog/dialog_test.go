package dialog

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"branchline/pbx/media"
	"branchline/pbx/sip/header"
	"branchline/pbx/sip/wire"
)

func address(t *testing.T, s string) header.Address {
	t.Helper()
	a, err := header.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func sample(t *testing.T) *Dialog {
	flow := wire.Flow{Network: "udp", Local: netip.MustParseAddrPort("10.0.0.1:5060"), Remote: netip.MustParseAddrPort("10.0.0.9:5062")}
	invite := &wire.Request{Method: "INVITE", URI: header.MakeURI("201", flow.Remote), Flow: flow, CallID: "c1", CSeq: 1,
		From:    address(t, `"Carl" <sip:0935@10.0.0.1>;tag=us`),
		Contact: []header.Address{address(t, "<sip:10.0.0.1:5060>")}}
	return Open(invite, &wire.Response{To: address(t, "<sip:201@10.0.0.1>;tag=them"), Route: []string{"<sip:a;lr>", "<sip:b;lr>"},
		Contact: []header.Address{address(t, "<sip:201@10.0.0.9:5062;line=2>")}})
}

func TestCSeqOnlyRisesAndAnACKHasThatOfItsInvite(t *testing.T) {
	d := sample(t)
	info, bye, ack := d.Request("INFO"), d.Request("BYE"), d.Ack(1)
	if info.CSeq != 2 || bye.CSeq != 3 || ack.CSeq != 1 {
		t.Errorf("CSeq %d, %d, %d", info.CSeq, bye.CSeq, ack.CSeq)
	}
	if bye.URI.Text != "sip:201@10.0.0.9:5062;line=2" || strings.Join(bye.Route, ",") != "<sip:b;lr>,<sip:a;lr>" {
		t.Errorf("to %s by %q", bye.URI.Text, bye.Route)
	}
	if !d.InOrder(&wire.Request{CSeq: 7}) || d.InOrder(&wire.Request{CSeq: 7}) || d.InOrder(&wire.Request{CSeq: 6}) {
		t.Error("an old request was taken")
	}
}

func TestReleaseMakesTheBYEOfTheDialog(t *testing.T) {
	d := sample(t)
	s := d.Release()
	for range 5 {
		d.Request("INFO")
	}
	want := d.Request("BYE")
	ends, err := Endings(Releases([]string{s, s}))
	if err != nil || len(ends) != 2 {
		t.Fatal(ends, err)
	}
	if ends, err = Endings(s); err != nil || len(ends) != 1 || ends[0].Branch != "" {
		t.Fatal(ends, err)
	}
	bye := ends[0].Request
	if strings.Contains(s, "\n") || bye.CSeq <= want.CSeq || bye.CallID != want.CallID || bye.From.Text != want.From.Text ||
		bye.To.Text != want.To.Text || bye.URI.Text != want.URI.Text || bye.Flow != want.Flow || fmt.Sprint(bye.Route) != fmt.Sprint(want.Route) {
		t.Errorf("%s\nmakes %+v\nwant  %+v", s, bye, want)
	}
	for _, bad := range []string{"", "{}", `{"id":"x","from":"<sip:a@b>","to":"y"}`} {
		if _, err := Endings(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

const offer = `v=0
o=- 1 1 IN IP4 10.0.0.9
s=-
c=IN IP4 10.0.0.9
t=0 0
m=video 5000 RTP/AVP 96
m=audio 4000 RTP/AVP 9 97 0 100
a=rtpmap:97 pcma/8000/1
a=rtpmap:100 telephone-event/8000
a=ptime:30
a=sendonly
m=audio 4002 RTP/AVP 0
`

func crlf(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

func TestOfferIsReadAndAnsweredStreamByStream(t *testing.T) {
	o, err := ReadOffer(crlf(offer))
	if err != nil {
		t.Fatal(err)
	}
	want := media.Session{Remote: netip.MustParseAddrPort("10.0.0.9:4000"), Codec: media.PCMA, PayloadType: 97, DTMF: 100,
		Ptime: 30 * time.Millisecond, Recv: true}
	if o.Session != want || !o.Held {
		t.Errorf("read %+v, held %v", o.Session, o.Held)
	}
	s := Sound{ID: 7}
	at := netip.MustParseAddrPort("10.0.0.1:10000")
	got := string(s.Answer(o, at))
	wantText := string(crlf(`v=0
o=- 7 1 IN IP4 10.0.0.1
s=-
c=IN IP4 10.0.0.1
t=0 0
m=video 0 RTP/AVP 96
m=audio 10000 RTP/AVP 97 100
a=rtpmap:97 PCMA/8000
a=rtpmap:100 telephone-event/8000
a=fmtp:100 0-16
a=ptime:30
a=recvonly
m=audio 0 RTP/AVP 0
`))
	if got != wantText {
		t.Errorf("answer\n%s\nwant\n%s", got, wantText)
	}
	if again := string(s.Answer(o, at)); again != got {
		t.Error("the version rose without a change")
	}
	if next := string(s.Offer(at)); !strings.Contains(next, "o=- 7 2 IN") {
		t.Errorf("the version did not rise:\n%s", next)
	}
}

func TestDirections(t *testing.T) {
	base := strings.NewReplacer("a=sendonly\n", "", "a=ptime:30\n", "").Replace(offer)
	for _, c := range []struct {
		line, ours             string
		send, recv, held, zero bool
	}{
		{"sendrecv", "sendrecv", true, true, false, false},
		{"sendonly", "recvonly", false, true, true, false},
		{"recvonly", "sendonly", true, false, false, false},
		{"inactive", "inactive", false, false, true, false},
		{"sendrecv", "recvonly", false, true, true, true},
	} {
		text := strings.Replace(base, "t=0 0\n", "t=0 0\na="+c.line+"\n", 1) // for the whole session
		if c.zero {
			text = strings.Replace(text, "c=IN IP4 10.0.0.9", "c=IN IP4 0.0.0.0", 1)
		}
		o, err := ReadOffer(crlf(text))
		if err != nil {
			t.Fatal(err)
		}
		if o.direction != c.ours || o.Session.Send != c.send || o.Session.Recv != c.recv || o.Held != c.held {
			t.Errorf("%s: %s, %+v, held %v", c.line, o.direction, o.Session, o.Held)
		}
	}
}

func TestOffersThatWeCannotCarry(t *testing.T) {
	for name, change := range map[string]*strings.Replacer{
		"no address":  strings.NewReplacer("c=IN IP4 10.0.0.9\n", ""),
		"multicast":   strings.NewReplacer("c=IN IP4 10.0.0.9", "c=IN IP4 239.1.1.1/16"),
		"a host name": strings.NewReplacer("c=IN IP4 10.0.0.9", "c=IN IP4 victim.example"),
		"encrypted":   strings.NewReplacer("RTP/AVP", "RTP/SAVP"),
		"other codec": strings.NewReplacer("9 97 0 100", "9 18", "m=audio 4002 RTP/AVP 0", "m=audio 4002 RTP/AVP 18"),
		"port 0":      strings.NewReplacer("m=audio 4000", "m=audio 0", "m=audio 4002", "m=audio 0"),
		"empty":       strings.NewReplacer(offer, ""),
		"streams":     strings.NewReplacer("m=video 5000 RTP/AVP 96\n", strings.Repeat("m=video 5000 RTP/AVP 96\n", 20)),
	} {
		if o, err := ReadOffer(crlf(change.Replace(offer))); err == nil {
			t.Errorf("%s was taken: %+v", name, o)
		}
	}
}

func FuzzOffer(f *testing.F) {
	f.Add(crlf(offer))
	f.Add([]byte("v=0\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := ReadOffer(data)
		if err != nil {
			return
		}
		s := Sound{ID: 1}
		answer := s.Answer(o, netip.MustParseAddrPort("10.0.0.1:10000"))
		back, err := ReadOffer(answer)
		if err != nil || len(back.streams) != len(o.streams) {
			t.Errorf("%q answered\n%s\n%v", data, answer, err)
		}
		if o.Session.PayloadType > 127 || o.Session.Remote.Addr().IsMulticast() || o.Session.Remote.Port() == 0 {
			t.Errorf("%q taken as %+v", data, o.Session)
		}
	})
}
