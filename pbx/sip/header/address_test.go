package header

import (
	"net/netip"
	"strings"
	"testing"
)

func TestTelNumberAndEscapedUserAreRead(t *testing.T) {
	for text, want := range map[string]string{"tel:+49-30(1).2;phone-context=x": "+493012", "sip:%2A22@h": "*22",
		"sip:0935;phone-context=x@h:5070;transport=udp": "0935", "sips:a:secret@h": "a", "sip:[::1]:5060": "",
		"sip:%00a@h": "%00a", "sip:[2001:db8:::192.0.2.1]": ""} {
		u, err := ParseURI(text)
		if err != nil || u.User != want {
			t.Errorf("%s: user %q (%v), want %q", text, u.User, err, want)
		}
	}
	if u := MakeURI("*22#;x?", netip.MustParseAddrPort("127.0.0.1:5060")); u.Text != "sip:*22%23%3Bx%3F@127.0.0.1:5060" {
		t.Errorf("made %q", u.Text)
	}
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{`"a\"b" <sip:x@[::1]:5060;lr>;tag=1;q="a;b"`, "sip:x@y;tag=1", "<tel:+1-2>", `a <sips:%2a@h?x>;expires=60`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAddress(s)
		if err != nil {
			return
		}
		if again, err := ParseAddress(MakeAddress(a.Name, a.URI, "t1").Text); err != nil || again.URI.Text != a.URI.Text || again.Tag() != "t1" {
			t.Errorf("%q made %q (%v)", s, again.Text, err)
		}
		_, _ = a.Param("expires")
		if strings.ContainsAny(a.URI.Text, "<>\r\n") {
			t.Errorf("URI %q", a.URI.Text)
		}
		for _, part := range List(s) {
			_ = part
		}
	})
}

func TestAddressesThatCannotBeAreRefused(t *testing.T) {
	for _, s := range []string{"", "x", "sip:", "sip:@", "sip:a@", "sip:a@256.1.1.1", "sip:a@h:0", "sip:a@h:99999", "sip:a@h:-1", "sip:[x]",
		"<sip:a@b", `"a" x`, `"a <sip:a@b>`, "sip:%4@h", "sip:a b@h", "<sip:a@b>x", "tel:", "<sip:a@h\x00>", "sip:a@h?x", "sip:a@h;;x", "<sip:a@h>;;",
		"<sip:" + strings.Repeat("a", 2000) + "@h>"} {
		if a, err := ParseAddress(s); err == nil {
			t.Errorf("%.40q was taken as %+v", s, a)
		}
	}
}

func TestListsAreCutOutsideQuotesAndBrackets(t *testing.T) {
	got := List(`"a,b\"," <sip:x@y?a,b>;p="q,", <sip:z>,`)
	if len(got) != 3 || got[1] != "<sip:z>" || got[2] != "" {
		t.Errorf("%q", got)
	}
	if v, ok := Param(`a=1;B="x;y";c`, "b"); !ok || v != "x;y" {
		t.Errorf("%q, %v", v, ok)
	}
}

func TestSecuredAddressIsReachedByTLSAlone(t *testing.T) {
	for at, want := range map[string]string{"<sip:192.0.2.1:5061;transport=tls>": "<sips:192.0.2.1:5061>",
		"<sip:[fd00::1]:5061;transport=tls>": "<sips:[fd00::1]:5061>", "<tel:110>": "<tel:110>"} {
		a, err := ParseAddress(at)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Secured(); got.Text != want {
			t.Errorf("%s became %s, want %s", at, got.Text, want)
		}
	}
}
