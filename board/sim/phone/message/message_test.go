package message

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const invite = "INVITE sip:201@192.0.2.5:5062 SIP/2.0\r\n" +
	"v: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa;rport, SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKb\r\n" +
	"f: \"Doe, \\\"J\\\"\" <sip:+4930123456@box;user=phone>;tag=1\r\n" +
	"t: sip:201@box\r\ni: abc@box\r\nCSeq: 7 INVITE\r\nSubject: folded\r\n  over lines\r\n" +
	"Record-Route: <sip:a;lr>, <sip:b,c;lr>\r\nl: 4\r\n\r\nbodyEXTRA"

func TestMessageIsReadAsItWasMeant(t *testing.T) {
	m, err := Parse([]byte(invite))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Check(); err != nil {
		t.Error(err)
	}
	from, err := ParseAddress(m.Get("From"))
	if err != nil || from.Name != `Doe, "J"` || from.URI != "sip:+4930123456@box;user=phone" || from.Tag() != "1" {
		t.Errorf("From %+v, %v", from, err)
	}
	if got := m.Get("subject"); got != "folded over lines" {
		t.Errorf("Subject %q", got)
	}
	if got := m.List("Record-Route"); !slices.Equal(got, []string{"<sip:a;lr>", "<sip:b,c;lr>"}) {
		t.Errorf("Record-Route %q", got)
	}
	if string(m.Body) != "body" {
		t.Errorf("body %q, want what Content-Length says", m.Body)
	}
	if via, err := m.Via(); err != nil || via.Branch() != "z9hG4bKa" || via.SentBy() != "192.0.2.1:5060" {
		t.Errorf("Via %+v, %v", via, err)
	}
	if n, method, err := m.CSeq(); n != 7 || method != "INVITE" || err != nil {
		t.Errorf("CSeq %d %s %v", n, method, err)
	}
	again, err := Parse(m.Bytes())
	if err != nil || !reflect.DeepEqual(again.Body, m.Body) || again.Get("From") != m.Get("From") {
		t.Errorf("written and read again: %+v, %v", again, err)
	}
}

func TestLinesMayEndInLFAlone(t *testing.T) {
	m, err := Parse([]byte(strings.ReplaceAll(invite, "\r\n", "\n")))
	if err != nil || string(m.Body) != "body" || m.Get("Call-ID") != "abc@box" {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestBadMessagesAreRefused(t *testing.T) {
	for name, change := range map[string][2]string{
		"version":        {"SIP/2.0\r\nv", "SIP/3.0\r\nv"},
		"no CSeq":        {"CSeq: 7 INVITE\r\n", ""},
		"other method":   {"CSeq: 7 INVITE", "CSeq: 7 BYE"},
		"huge CSeq":      {"CSeq: 7", "CSeq: 4294967296"},
		"two From":       {"i: abc@box", "i: abc@box\r\nFrom: <sip:x@y>"},
		"length":         {"l: 4", "l: 400"},
		"negative":       {"l: 4", "l: -4"},
		"no colon":       {"Subject: folded", "Subject folded"},
		"port":           {"192.0.2.1:5060", "192.0.2.1:99999"},
		"open quote":     {`\"J\""`, `\"J\"`},
		"control method": {"INVITE sip", "INV\x00TE sip"},
	} {
		m, err := Parse([]byte(strings.Replace(invite, change[0], change[1], 1)))
		if err == nil {
			err = m.Check()
		}
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestURIsAreTakenApart(t *testing.T) {
	for text, want := range map[string]URI{
		"sip:201@192.0.2.1:5070;transport=udp?a=b": {"sip", "201", "192.0.2.1", 5070, ";transport=udp", "a=b"},
		"SIP:box":                     {"sip", "", "box", 0, "", ""},
		"sips:a:secret@[2001:db8::1]": {"sips", "a", "2001:db8::1", 0, "", ""},
	} {
		if got, err := ParseURI(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, bad := range []string{"", "tel:123", "sip:", "sip:@", "sip:a@b:0", "sip:a@b:66000", "sip:a@[::1"} {
		if got, err := ParseURI(bad); err == nil {
			t.Errorf("%q: accepted as %+v", bad, got)
		}
	}
}

func TestAnswersGoBackWhereTheRequestCameFrom(t *testing.T) {
	src := netip.MustParseAddrPort("198.51.100.7:40000")
	for text, want := range map[string]string{
		"SIP/2.0/UDP 192.0.2.1:5070;rport;branch=z9hG4bKa": "198.51.100.7:40000", // RFC 3581
		"SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKa":       "198.51.100.7:5070",  // RFC 3261 18.2.2
		"SIP/2.0/UDP box.local;branch=z9hG4bKa":            "198.51.100.7:5060",
		"SIP/2.0/UDP x;received=203.0.113.1;branch=b":      "198.51.100.7:5060", // nobody but us says received
	} {
		v, err := ParseVia(text)
		if err != nil {
			t.Fatal(err)
		}
		got, to := v.Received(src)
		if to.String() != want || Param(got.Params, "received") != "198.51.100.7" {
			t.Errorf("%s: back to %s by %s, want %s", text, to, got, want)
		}
	}
}

func TestNobodysNameForgesAHeader(t *testing.T) {
	m := &Message{Method: "OPTIONS", URI: "sip:x@y"}
	m.Add("From", Address{Name: "a\r\nEvil: 1", URI: "sip:a@b"}.String())
	back, err := Parse(m.Bytes())
	if err != nil || back.Get("Evil") != "" {
		t.Errorf("%+v, %v", back, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(invite))
	f.Add([]byte("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x\r\nTo: <sip:a>;tag=\"\r\n\r\n"))
	f.Add([]byte("\r\n\r\n"))
	f.Add([]byte("A b SIP/2.0\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			return
		}
		again, err := Parse(m.Bytes())
		if err != nil {
			t.Fatalf("what we write cannot be read: %v\n%q", err, m.Bytes())
		}
		if again.Method != m.Method || again.Code != m.Code || len(again.Body) != len(m.Body) {
			t.Fatalf("%+v became %+v", m, again)
		}
		if m.Check() != nil {
			return
		}
		via, err := m.Via()
		if err != nil {
			t.Fatal("checked, but without Via")
		}
		via.Received(netip.MustParseAddrPort("192.0.2.1:5060"))
		if _, err := Parse(m.Response(200, "tag").Bytes()); err != nil {
			t.Fatalf("our answer cannot be read: %v", err)
		}
		for _, f := range m.Fields {
			if a, err := ParseAddress(f.Value); err == nil {
				a.Tag()
				if _, err := ParseURI(a.URI); err != nil {
					continue
				}
			}
		}
	})
}
