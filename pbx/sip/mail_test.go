package sip

import (
	"strings"
	"testing"

	"branchline/pbx/sip/subscribe"
)

func TestPhoneIsToldOfMessagesUnaskedWhereItIsSetSo(t *testing.T) {
	s := settings()
	for i := range s.Accounts {
		s.Accounts[i].Mail = s.Accounts[i].Extension == "201"
	}
	h := open(t, s, Options{})
	p, other := newRaw(t, h.at, "201"), newRaw(t, h.at, "202")
	other.signIn()
	p.signIn()
	if m := p.told(); m.get("Event") != "message-summary" || !strings.Contains(m.body, "Voice-Message: 0/0 (0/0)") {
		t.Errorf("at the sign-in: %q\n%s", m.headers, m.body)
	}
	p.signIn() // no news
	h.phones.Show([]Lamp{{Name: "201", Mail: subscribe.Mail{New: 2}}, {Name: "202", Mail: subscribe.Mail{New: 1}}})
	if m := p.told(); !strings.Contains(m.body, "Messages-Waiting: yes\r\n") || !strings.Contains(m.body, "Voice-Message: 2/0 (0/0)") {
		t.Errorf("a new one:\n%s", m.body)
	}
	h.phones.Show([]Lamp{{Name: "201", Up: true, Mail: subscribe.Mail{New: 2}}})
	for _, q := range []*raw{p, other} {
		q.none(func(m msg) bool { return m.code() == 0 })
	}
}
