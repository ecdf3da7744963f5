package nat

import (
	"net/netip"
	"testing"

	"branchline/pbx/sip/header"
)

var (
	home   = netip.MustParseAddrPort("192.168.1.10:5070")
	public = netip.MustParseAddr("198.51.100.1")
	inside = netip.MustParseAddr("10.1.2.3")
)

const via = "SIP/2.0/UDP 192.168.1.10:5070;branch=z9hG4bK1;received=203.0.113.7;rport=1024"

func TestPublicServerIsNeverToldAPrivateAddress(t *testing.T) {
	v := View{Local: home}
	if a, ok := v.Address(public); ok {
		t.Errorf("told %v before anything is known", a)
	}
	if a, ok := v.Address(inside); !ok || a != home {
		t.Errorf("a private server is told %v, %v", a, ok)
	}
	if !v.Learn(via, public) || v.Learn(via, public) {
		t.Error("news are told once")
	}
	if a, ok := v.Address(public); !ok || a.String() != "203.0.113.7:1024" {
		t.Errorf("told %v, %v", a, ok)
	}
	if v.Learn("SIP/2.0/UDP x.invalid;received=192.168.1.1;rport=1", public) || v.Seen().Addr().IsPrivate() {
		t.Error("a public server that sees a private address is believed")
	}
	if !v.Learn("SIP/2.0/UDP x.invalid;received=203.0.113.8;rport=1024", public) {
		t.Error("a new address is no news")
	}
	v.Forget()
	if _, ok := v.Address(public); ok {
		t.Error("not forgotten")
	}
}

func TestSetAddressAndPublicHouse(t *testing.T) {
	v := View{Local: home, Fixed: netip.MustParseAddr("203.0.113.7")}
	if a, ok := v.Address(public); !ok || a.String() != "203.0.113.7:5070" {
		t.Errorf("told %v, %v", a, ok)
	}
	v.Learn(via, public)
	if a, _ := v.Address(public); a.String() != "203.0.113.7:1024" {
		t.Errorf("the port of the router is not taken: %v", a)
	}
	open := View{Local: netip.MustParseAddrPort("203.0.113.9:5060")}
	if a, ok := open.Address(public); !ok || a != open.Local {
		t.Errorf("told %v, %v", a, ok)
	}
}

func TestNonsenseTeachesNothing(t *testing.T) {
	for _, s := range []string{"", "x", "SIP/2.0/UDP", "SIP/2.0/UDP a.invalid;rport", "SIP/2.0/UDP a;received=x", "SIP/2.0/UDP a;received=203.0.113.7;rport=0",
		"SIP/2.0/UDP a;received=203.0.113.7;rport=70000", "SIP/2.0/UDP a;received=239.1.1.1", "SIP/2.0/UDP a;received=0.0.0.0"} {
		v := View{Local: home}
		if v.Learn(s, public) || v.Seen().IsValid() {
			t.Errorf("%q teaches %v", s, v.Seen())
		}
	}
}

func uri(t *testing.T, s string) header.URI {
	u, err := header.ParseURI(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestMeddlingIsSeen(t *testing.T) {
	if ViaAltered(via, "192.168.1.10:5070") || !ViaAltered(via, "203.0.113.7:1024") || !ViaAltered("", "a") {
		t.Error("Via")
	}
	ours := uri(t, "sip:u@203.0.113.7:1024;line=abc")
	seen := netip.MustParseAddrPort("203.0.113.7:1024")
	for text, want := range map[string]bool{
		"<sip:u@203.0.113.7:1024;line=abc>": false,
		"<sip:u@203.0.113.7:9999;line=abc>": true,
		"<sip:u@10.0.0.1:5060;line=abc>":    true,
		"<sip:u@10.0.0.1:5060;line=other>":  false, // another phone of the account
		"<sip:u@10.0.0.1:5060>":             false,
	} {
		c, err := header.ParseAddress(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := ContactAltered(ours, []header.Address{c}, seen); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	if !TargetAltered(uri(t, "sip:u@192.168.1.10:5070;line=abc"), ours, nil) || TargetAltered(ours, ours, nil) ||
		TargetAltered(uri(t, "sip:u@198.51.100.77;line=abc"), ours, nil) {
		t.Error("target")
	}
}

func TestPrivateAddresses(t *testing.T) {
	for s, want := range map[string]bool{"10.0.0.1": true, "172.31.0.1": true, "192.168.0.1": true, "100.64.0.1": true, "100.128.0.1": false,
		"127.0.0.1": true, "169.254.1.1": true, "fe80::1": true, "fd00::1": true, "::1": true, "8.8.8.8": false, "2001:db8::1": false, "::ffff:10.0.0.1": true} {
		if got := Private(netip.MustParseAddr(s)); got != want {
			t.Errorf("%s: %v", s, got)
		}
	}
}

func FuzzVia(f *testing.F) {
	f.Add(via)
	f.Add("SIP/2.0/UDP [2001:db8::1]:5060;received=[2001:db8::2];rport=1")
	f.Fuzz(func(t *testing.T, s string) {
		v := View{Local: home}
		v.Learn(s, public)
		if a := v.Seen(); a.IsValid() && (Private(a.Addr()) || a.Port() == 0) {
			t.Errorf("%q teaches %v", s, a)
		}
		ViaAltered(s, home.String())
	})
}
