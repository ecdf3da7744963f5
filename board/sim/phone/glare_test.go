package phone

import (
	"testing"
)

func TestChangesOfBothSidesAtOnceAreRefusedAndTriedAgain(t *testing.T) {
	t.Parallel()
	box := newPeer(t)
	p := start(t, Options{User: "201", Server: box.addr, Expires: -1, Auto: AnswerAfter(0)})
	box.say(p, withSDP(box.request(p, "INVITE", "1", "", 1), "sendrecv"))
	tag := tagOf(box.next("200"))
	box.say(p, box.request(p, "ACK", "2", tag, 1))
	c, err := p.WaitCall(soon(t))
	must(t, err)
	must(t, c.Hold())
	ours := box.next("INVITE")
	box.say(p, withSDP(box.request(p, "INVITE", "3", tag, 2), "sendonly"))
	box.next("491")
	box.say(p, box.request(p, "ACK", "3", tag, 2))
	box.say(p, ours.Response(491, ""))
	box.next("ACK")
	again := box.next("INVITE") // after 0 to 2 s: the box made the Call-ID (RFC 3261 14.1)
	if again.Get("CSeq") == ours.Get("CSeq") {
		t.Errorf("CSeq %s once more", again.Get("CSeq"))
	}
	ok := withSDP(again.Response(200, ""), "recvonly")
	ok.Add("Contact", "<sip:box@"+box.addr.String()+">")
	box.say(p, ok)
	box.next("ACK")
	must(t, c.WaitState(soon(t), Holding))
	box.say(p, box.request(p, "BYE", "4", tag, 3))
	must(t, c.WaitState(soon(t), Gone))
}
