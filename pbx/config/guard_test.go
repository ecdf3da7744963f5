package config

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

func TestGuardIsReadAndWrittenAndIsOnWhereNothingIsSaid(t *testing.T) {
	const text = "version: 1\nnetwork:\n  sip:\n    guard: {networks: [192.168.2.0/24, \"fd00:2::/48\"], trusted: [10.0.0.7/32], bans: false}\n" +
		"extensions:\n  - {number: \"201\", password: plum-cake-201, remote: true, networks: [203.0.113.0/29]}\n"
	doc, err := Load([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	net := netip.MustParsePrefix
	want := Guard{LANOnly: true, Limits: true, Scanners: true, Trusted: []netip.Prefix{net("10.0.0.7/32")},
		Networks: []netip.Prefix{net("192.168.2.0/24"), net("fd00:2::/48")}}
	if got := doc.Network.SIP.Guard; !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v", got)
	}
	if e := doc.Extensions[0]; !e.Remote || len(e.Networks) != 1 || e.Networks[0] != net("203.0.113.0/29") {
		t.Errorf("read %+v", e)
	}
	again, err := Load(Marshal(doc))
	if err != nil || !reflect.DeepEqual(again, doc) {
		t.Errorf("written as\n%s\n%v", Marshal(doc), err)
	}
	if _, err = Load([]byte(strings.Replace(text, "10.0.0.7/32", "10.0.0.7", 1))); err == nil {
		t.Error("an address was taken as a network")
	}
}
