package dialog

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

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
