package dialog

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"branchline/pbx/media"
	"branchline/pbx/sip/wire"
)

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

// lan is the way to a phone.
func lan() wire.Flow {
	return wire.Flow{Network: "udp", Local: netip.MustParseAddrPort("10.0.0.1:5060"), Remote: netip.MustParseAddrPort("10.0.0.9:5062")}
}

// offered reads an offer of the phone.
func (s *Sound) offeredIn(body []byte) (*Offer, error) {
	o, refused := s.Offered(&wire.Request{Type: "application/sdp", Body: body, Flow: lan()})
	if refused.Code != 0 || o == nil {
		return nil, fmt.Errorf("refused by %d", refused.Code)
	}
	return o, nil
}

func crlf(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

func TestOfferIsReadAndAnsweredStreamByStream(t *testing.T) {
	o, err := (&Sound{}).offeredIn(crlf(offer))
	if err != nil {
		t.Fatal(err)
	}
	want := media.Session{Remote: netip.MustParseAddrPort("10.0.0.9:4000"), Peer: netip.MustParseAddr("10.0.0.9"), Codec: media.PCMA, PayloadType: 97, DTMF: 100,
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
		o, err := (&Sound{}).offeredIn(crlf(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := describe(o.Session.Send, o.Session.Recv); got != c.ours || o.Session.Send != c.send || o.Session.Recv != c.recv || o.Held != c.held {
			t.Errorf("%s: %s, %+v, held %v", c.line, got, o.Session, o.Held)
		}
	}
}

func TestOffersThatWeCannotCarry(t *testing.T) {
	for name, change := range map[string]*strings.Replacer{
		"no address":     strings.NewReplacer("c=IN IP4 10.0.0.9\n", ""),
		"multicast":      strings.NewReplacer("c=IN IP4 10.0.0.9", "c=IN IP4 239.1.1.1/16"),
		"a host name":    strings.NewReplacer("c=IN IP4 10.0.0.9", "c=IN IP4 victim.example"),
		"encrypted":      strings.NewReplacer("RTP/AVP", "RTP/SAVP"),
		"other codec":    strings.NewReplacer("9 97 0 100", "9 18", "m=audio 4002 RTP/AVP 0", "m=audio 4002 RTP/AVP 18"),
		"a far loopback": strings.NewReplacer("c=IN IP4 10.0.0.9", "c=IN IP4 127.0.0.1"),
		"this net":       strings.NewReplacer("c=IN IP4 10.0.0.9", "c=IN IP4 0.1.2.3"),
		"broadcast":      strings.NewReplacer("c=IN IP4 10.0.0.9", "c=IN IP4 255.255.255.255"),
		"a group in six": strings.NewReplacer("c=IN IP4 10.0.0.9", "c=IN IP6 ff02::1"),
		"a mapped group": strings.NewReplacer("c=IN IP4 10.0.0.9", "c=IN IP6 ::ffff:239.1.1.1"),
		"a name server":  strings.NewReplacer("m=audio 4000", "m=audio 53", "m=audio 4002", "m=audio 123"),
		"a fax alone":    strings.NewReplacer("m=audio 4000 RTP/AVP 9 97 0 100", "m=image 4000 udptl t38", "m=audio 4002 RTP/AVP 0\n", ""),
		"port 0":         strings.NewReplacer("m=audio 4000", "m=audio 0", "m=audio 4002", "m=audio 0"),
		"empty":          strings.NewReplacer(offer, ""),
		"streams":        strings.NewReplacer("m=video 5000 RTP/AVP 96\n", strings.Repeat("m=video 5000 RTP/AVP 96\n", 20)),
	} {
		if o, err := (&Sound{}).offeredIn(crlf(change.Replace(offer))); err == nil {
			t.Errorf("%s was taken: %+v", name, o)
		}
	}
}

const wideOffer = `v=0
o=- 1 1 IN IP4 10.0.0.9
s=-
c=IN IP4 10.0.0.9
t=0 0
m=audio 4000 RTP/AVP 111 9 0 8 18 101 110
a=rtpmap:111 opus/48000/2
a=fmtp:111 useinbandfec=1
a=rtpmap:101 telephone-event/8000
a=rtpmap:110 telephone-event/48000
a=ptime:60
a=maxptime:40
a=rtcp-mux
m=image 4002 udptl t38
`

func TestCodecThatWeLikeBestIsTakenAndOneThatWeCannotDecodeOnlyWhereTheOtherLegHasIt(t *testing.T) {
	opus, g722 := Codec{Name: "OPUS", Hz: 48000, Channels: 2}, Codec{Name: "G722", Hz: 8000, Channels: 1}
	for _, c := range []struct {
		codecs  []string
		other   []Codec
		line    string
		payload uint8
		format  string
		dtmf    uint8
		clock   uint32
	}{
		{nil, nil, "8 101", 8, "", 101, 0},
		{[]string{"PCMU", "PCMA"}, nil, "0 101", 0, "", 101, 0},
		{[]string{"opus", "G722", "PCMA"}, nil, "8 101", 8, "", 101, 0},
		{[]string{"opus", "G722", "PCMA"}, []Codec{g722}, "9 101", 9, "G722/8000", 101, 8000},
		{[]string{"opus", "G722", "PCMA"}, []Codec{g722, opus}, "111 110", 111, "opus/48000/2", 110, 48000},
		{[]string{"PCMA", "G722"}, []Codec{g722}, "8 101", 8, "", 101, 0},
	} {
		s := Sound{ID: 1, Codecs: c.codecs, Other: c.other}
		o, err := s.offeredIn(crlf(wideOffer))
		if err != nil {
			t.Fatal(err)
		}
		answer := string(s.Answer(o, netip.MustParseAddrPort("10.0.0.1:10000")))
		se := o.Session
		if !strings.Contains(answer, "m=audio 10000 RTP/AVP "+c.line+"\r\n") || !strings.Contains(answer, "m=image 0 udptl t38\r\n") ||
			!strings.Contains(answer, "a=ptime:40\r\n") || !strings.Contains(answer, "a=rtcp-mux\r\n") ||
			se.PayloadType != c.payload || se.Format != c.format || se.DTMF != c.dtmf || se.ClockHz != c.clock || !se.Mux {
			t.Errorf("%v with %v: %+v\n%s", c.codecs, c.other, se, answer)
		}
	}
}

func TestWhatTheOtherLegSaysLaterCountsInTheAnswer(t *testing.T) {
	s := Sound{ID: 1, Codecs: []string{"G722", "PCMA"}}
	o, err := s.offeredIn(crlf(wideOffer))
	if err != nil || o.Session.PayloadType != 8 {
		t.Fatalf("%+v, %v", o, err)
	}
	s.Other = []Codec{{Name: "G722", Hz: 8000, Channels: 1}}
	if s.Answer(o, netip.MustParseAddrPort("10.0.0.1:10000")); o.Session.PayloadType != 9 || o.Session.Codec != media.Raw {
		t.Errorf("%+v", o.Session)
	}
	if got := fmt.Sprint(o.Codecs()); got != "[opus/48000/2 G722/8000 PCMU/8000 PCMA/8000 G729/8000]" {
		t.Errorf("the caller has %s", got)
	}
}

func TestNumbersMayDifferInEachDirection(t *testing.T) {
	s := Sound{ID: 1, Codecs: []string{"opus", "PCMU"}, Other: []Codec{{Name: "OPUS", Hz: 48000, Channels: 2, Params: "usedtx=1"}}}
	ours := string(s.Offer(netip.MustParseAddrPort("10.0.0.1:10000")))
	for _, want := range []string{"m=audio 10000 RTP/AVP 96 0 101 102\r\n", "a=rtpmap:96 opus/48000/2\r\n", "a=fmtp:96 usedtx=1\r\n", "a=rtpmap:102 telephone-event/48000\r\n"} {
		if !strings.Contains(ours, want) {
			t.Errorf("no %q in\n%s", want, ours)
		}
	}
	o, err := s.Answered(lan(), crlf(wideOffer))
	if err != nil {
		t.Fatal(err)
	}
	se := o.Session
	if se.PayloadType != 111 || se.PayloadTypeIn != 96 || se.DTMF != 110 || se.DTMFIn != 102 || se.Format != "opus/48000/2" {
		t.Errorf("%+v", se)
	}
	s = Sound{ID: 1}
	s.Offer(netip.MustParseAddrPort("10.0.0.1:10000"))
	if o, err := s.Answered(lan(), crlf(wideOffer)); err != nil || o.Session.PayloadType != 0 {
		t.Errorf("of what we offered: %+v, %v", o, err)
	}
	if o, err := s.Answered(lan(), crlf(strings.ReplaceAll(wideOffer, "9 0 8 18", "9 18"))); err == nil {
		t.Errorf("an answer with nothing that we offered was taken: %+v", o.Session)
	}
}

func TestPeerOnThisMachineMayNameItAndOthersMayNot(t *testing.T) {
	local, far := netip.MustParseAddr("127.0.0.5"), netip.MustParseAddr("192.0.2.7")
	flow := func(remote netip.Addr) wire.Flow { return wire.Flow{Remote: netip.AddrPortFrom(remote, 5060)} }
	for _, c := range []struct {
		a, peer netip.Addr
		want    bool
	}{
		{local, netip.MustParseAddr("127.0.0.1"), false}, {local, far, true}, {far, far, false},
		{netip.MustParseAddr("192.0.2.8"), far, false}, {netip.MustParseAddr("::1"), far, true},
	} {
		if got := astray(c.a, flow(c.peer)); got != c.want {
			t.Errorf("%v for %v: %v", c.a, c.peer, got)
		}
	}
}

const keyLine = "a=crypto:7 AES_CM_128_HMAC_SHA1_32 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20\r\n" // RFC 4568 section 6.1

func secret(proto, lines string) []byte {
	return []byte("v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 " + proto + " 8\r\n" + lines)
}

func TestEncryptionIsAgreedOnByTagAndSuiteOrRefused(t *testing.T) {
	unknown := "a=crypto:1 F8_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n"
	for _, c := range []struct {
		ours         Security
		proto, lines string
		taken, srtp  bool
	}{
		{Plain, "RTP/AVP", "", true, false}, {Plain, "RTP/AVP", keyLine, true, false}, {Plain, "RTP/SAVP", keyLine, false, false},
		{Offered, "RTP/AVP", "", true, false}, {Offered, "RTP/AVP", unknown + keyLine, true, true}, {Offered, "RTP/SAVP", keyLine, true, true},
		{Offered, "RTP/SAVP", unknown, false, false}, {Offered, "RTP/SAVPF", keyLine, true, true},
		{Secret, "RTP/AVP", "", false, false}, {Secret, "RTP/AVP", keyLine, true, true}, {Secret, "RTP/SAVP", keyLine, true, true},
	} {
		s := Sound{ID: 1, Security: c.ours}
		o, err := s.offeredIn(secret(c.proto, c.lines))
		if (err == nil) != c.taken {
			t.Errorf("%+v: %v", c, err)
		}
		if err != nil {
			continue
		}
		answer := string(s.Answer(o, netip.MustParseAddrPort("10.0.0.1:10000")))
		secure := o.Session.Ours.Suite == media.SHA132 && string(o.Session.Theirs.Bytes[:4]) == "YS__" && o.Session.Theirs.Suite == media.SHA132
		if secure != c.srtp || strings.Contains(answer, "a=crypto:7 AES_CM_128_HMAC_SHA1_32 inline:") != c.srtp ||
			strings.Count(answer, "a=crypto") > 1 || !strings.Contains(answer, "m=audio 10000 "+c.proto+" 8\r\n") {
			t.Errorf("%+v: %+v\n%s", c, o.Session, answer)
		}
		if text := fmt.Sprintf("%v %+v %#v", o.Session, o.Session, o.Session); strings.Contains(text, "89") && strings.Contains(text, "83 95 95") {
			t.Errorf("a key is printed: %s", text)
		}
	}
}

func TestAnswerWithAnotherTagOrNoKeyIsNoEncryption(t *testing.T) {
	mine := strings.Replace(keyLine, "crypto:7", "crypto:2", 1)
	for _, c := range []struct {
		ours         Security
		proto, lines string
		taken, srtp  bool
	}{
		{Offered, "RTP/AVP", "", true, false}, {Offered, "RTP/AVP", mine, true, true}, {Offered, "RTP/AVP", keyLine, true, false},
		{Secret, "RTP/SAVP", mine, true, true}, {Secret, "RTP/SAVP", keyLine, false, false}, {Secret, "RTP/AVP", "", false, false},
	} {
		s := Sound{ID: 1, Security: c.ours}
		ours := string(s.Offer(netip.MustParseAddrPort("10.0.0.1:10000")))
		if strings.Count(ours, "a=crypto:") != 2 || strings.Contains(ours, "RTP/SAVP") != (c.ours == Secret) {
			t.Errorf("our offer\n%s", ours)
		}
		o, err := s.Answered(lan(), secret(c.proto, c.lines))
		if (err == nil) != c.taken {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		if err == nil && (o.Session.Ours.Suite != media.None) != c.srtp {
			t.Errorf("%+v: %+v", c, o.Session)
		}
		again := string(s.Offer(netip.MustParseAddrPort("10.0.0.1:10000")))
		if (again == ours) != c.srtp && c.taken {
			t.Errorf("%+v: our keys are the same later: %v", c, again == ours)
		}
	}
}

func TestKeyLinesThatWeDoNotUnderstandAreVoid(t *testing.T) {
	good := "1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
	for line, want := range map[string]bool{
		good: true, good + "|2^48": true, good + "|1:4": false, good + "|2^20|1:4": false, good + " WSH=64": true, good + " KDR=0": true,
		good + " KDR=1": false, good + " UNENCRYPTED_SRTP": false, good + " -odd": true, good + "AA": false, good[:40]: false,
		"x" + good: false, strings.Replace(good, "inline:", "", 1): false, "": false,
	} {
		if _, ok := parseCrypto(line); ok != want {
			t.Errorf("%q: %v", line, ok)
		}
	}
}

func FuzzOffer(f *testing.F) {
	f.Add(crlf(offer))
	f.Add(crlf(wideOffer))
	f.Add(secret("RTP/SAVP", keyLine))
	f.Add([]byte("v=0\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := Sound{ID: 1, Codecs: []string{"G722", "opus", "AMR", "PCMU", "PCMA"}, Security: Offered,
			Other: []Codec{{Name: "G722", Hz: 8000, Channels: 1}, {Name: "OPUS", Hz: 48000, Channels: 2}}}
		_ = s.Offer(netip.MustParseAddrPort("10.0.0.1:10000"))
		_, _ = s.Answered(lan(), data)
		o, err := s.offeredIn(data)
		if err != nil {
			return
		}
		answer := s.Answer(o, netip.MustParseAddrPort("10.0.0.1:10000"))
		back := Sound{ID: 2, Codecs: s.Codecs, Other: s.Other, Security: Offered}
		read, err := back.offeredIn(answer)
		if err != nil || len(read.streams) != len(o.streams) {
			t.Errorf("%q answered\n%s\n%v", data, answer, err)
		}
		se := o.Session
		if se.PayloadType > 127 || se.Remote.Addr().IsMulticast() || se.Remote.Addr().IsLoopback() || se.Remote.Port() < 1024 {
			t.Errorf("%q taken as %+v", data, se)
		}
	})
}

func TestSoundOfAnotherKindOfAddressIsRefusedInWords(t *testing.T) {
	body := func(family, ip string) []byte {
		return []byte("v=0\r\no=- 1 1 IN " + family + " " + ip + "\r\ns=-\r\nc=IN " + family + " " + ip + "\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n")
	}
	for _, c := range []struct {
		our, family, ip string
		code            int
	}{
		{"192.0.2.1:5060", "IP4", "192.0.2.9", 0}, {"[fd00::1]:5060", "IP6", "fd00::9", 0},
		{"[fd00::1]:5060", "IP4", "192.0.2.9", 488}, {"192.0.2.1:5060", "IP6", "fd00::9", 488},
		{"[fd00::1]:5060", "IP4", "0.0.0.0", 0}, // the hold of RFC 2543
	} {
		var s Sound
		_, res := s.Offered(&wire.Request{Type: "application/sdp", Body: body(c.family, c.ip), Flow: wire.Flow{Local: netip.MustParseAddrPort(c.our)}})
		if res.Code != c.code || c.code == 488 && (len(res.Headers) != 1 || !strings.HasPrefix(res.Headers[0].Value, "301 ")) {
			t.Errorf("%s at %s: %+v", c.ip, c.our, res)
		}
	}
}
