package registrar

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func binding(contact string, port int, life time.Duration) Binding {
	return Binding{Extension: "201", Contact: contact, Expires: epoch.Add(life),
		Remote: netip.MustParseAddrPort(fmt.Sprintf("10.0.0.9:%d", port))}
}

func TestRestoredBindingsEndWhenTheyWouldHave(t *testing.T) {
	var g Registrar
	changes := g.Restore([]Binding{binding("sip:a@h", 1, time.Minute), binding("sip:b@h", 2, time.Hour), binding("sip:c@h", 3, -time.Second)}, epoch)
	if len(changes) != 3 || !changes[2].Gone || len(g.Contacts("201")) != 2 {
		t.Errorf("changes %+v", changes)
	}
	if c := g.Expire(epoch.Add(59 * time.Second)); len(c) != 0 {
		t.Errorf("ended too early: %+v", c)
	}
	if c := g.Expire(epoch.Add(time.Minute)); len(c) != 1 || c[0].Binding.Contact != "sip:a@h" {
		t.Errorf("ended: %+v", c)
	}
	if c := g.Expire(epoch.Add(time.Hour)); len(c) != 1 || len(g.Contacts("201")) != 0 {
		t.Errorf("ended: %+v", c)
	}
}

func TestPhoneUnderANewContactTakesTheOldOnesPlace(t *testing.T) {
	var g Registrar
	a := binding("sip:a@10.0.0.9:1", 1, time.Hour)
	a.Instance = "<urn:uuid:1>"
	b := a
	b.Contact = "sip:a@10.0.0.9:2"
	g.put(a)
	c := g.put(b)
	if len(c) != 2 || !c[0].Gone || c[0].Binding.Contact != a.Contact || len(g.Contacts("201")) != 1 {
		t.Errorf("changes %+v", c)
	}
	if c := g.put(binding("sip:A@10.0.0.9:2", 2, time.Hour)); len(c) != 1 || len(g.Contacts("201")) != 2 {
		t.Errorf("users are told apart by case: %+v", c)
	}
	if c := g.put(binding("sip:a@10.0.0.9:2;ob", 2, time.Hour)); len(c) != 2 || len(g.Contacts("201")) != 2 {
		t.Errorf("the same contact in other words: %+v", c)
	}
}

func TestRemovedExtensionLosesAllContacts(t *testing.T) {
	var g Registrar
	g.put(binding("sip:a@h", 1, time.Hour))
	g.put(binding("sip:b@h", 1, time.Hour))
	if c := g.Keep(func(string) bool { return true }); len(c) != 0 {
		t.Errorf("changes %+v", c)
	}
	if c := g.Keep(func(string) bool { return false }); len(c) != 2 || !c[1].Gone {
		t.Errorf("changes %+v", c)
	}
}
