package dialog

import (
	"net/netip"
	"slices"
	"testing"

	"branchline/board/sim/phone/message"
)

func TestRoutesAreUsedBackwardsByTheCallerAndForwardsByTheCalled(t *testing.T) {
	m := &message.Message{Code: 200}
	m.Add("To", "<sip:202@box>;tag=there")
	m.Add("Record-Route", "<sip:192.0.2.1;lr>, <sip:192.0.2.2;lr>")
	m.Add("Contact", "<sip:202@192.0.2.9:5070>")
	d := Calling("c", "here", "<sip:201@box>;tag=here", "sip:202@box", netip.AddrPort{})
	d.Learn(m)
	if want := []string{"<sip:192.0.2.2;lr>", "<sip:192.0.2.1;lr>"}; !slices.Equal(d.Routes, want) {
		t.Errorf("caller's routes %q, want %q", d.Routes, want)
	}
	if d.RemoteTag != "there" || d.Target != "sip:202@192.0.2.9:5070" || d.Hop().String() != "192.0.2.2:5060" {
		t.Errorf("%+v, next hop %s", d, d.Hop())
	}
	invite := &message.Message{Method: "INVITE"}
	invite.Add("From", "<sip:201@box>;tag=there")
	invite.Add("To", "<sip:202@box>")
	invite.Add("Call-ID", "c")
	invite.Add("CSeq", "9 INVITE")
	invite.Add("Record-Route", "<sip:192.0.2.1;lr>, <sip:192.0.2.2;lr>")
	called := Called(invite, "here", netip.AddrPort{})
	if want := []string{"<sip:192.0.2.1;lr>", "<sip:192.0.2.2;lr>"}; !slices.Equal(called.Routes, want) || called.RemoteSeq != 9 {
		t.Errorf("called side's routes %q, want %q", called.Routes, want)
	}
}

func TestContactThatSaysNoAddressIsNotBelieved(t *testing.T) {
	flow := netip.MustParseAddrPort("192.0.2.5:5060")
	for _, target := range []string{"sip:a@0.0.0.0", "sip:a@phone.local", "tel:1", ""} {
		d := Dialog{Target: target, Flow: flow}
		if got := d.Hop(); got != flow {
			t.Errorf("%q: next hop %s, want %s", target, got, flow)
		}
	}
}

func TestRequestWithAnotherTagDoesNotFit(t *testing.T) {
	d := Dialog{CallID: "c", LocalTag: "here", RemoteTag: "there"}
	for to, want := range map[string]bool{"<sip:a>;tag=here": true, "<sip:a>;tag=else": false, "<sip:a>": false} {
		m := &message.Message{Method: "BYE"}
		m.Add("From", "<sip:b>;tag=there")
		m.Add("To", to)
		m.Add("Call-ID", "c")
		if got := d.Fits(m); got != want {
			t.Errorf("%s fits %v, want %v", to, got, want)
		}
	}
}
