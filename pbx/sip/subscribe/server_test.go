package subscribe

import (
	"encoding/xml"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"branchline/hal"
	"branchline/pbx/sip/header"
	"branchline/pbx/sip/leg"
	"branchline/pbx/sip/wire"
)

func newServer() *Server {
	log := slog.New(slog.DiscardHandler)
	return NewServer(Options{Log: log, Wire: wire.New(log)})
}

// with adds a subscription of extension 202 as if it had been taken.
func (s *Server) with(tag string, e event, port uint16) *subscription {
	at := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)
	sub := &subscription{watched: watched{e, "201"}, server: s, peer: "202", tag: tag, flow: wire.Flow{Network: "udp", Remote: at}}
	s.add(sub)
	return sub
}

func TestPanicWhileLampsAreToldCostsOneSubscription(t *testing.T) {
	s := newServer()
	s.with("bad", noEvent, 5060).changed() // there is no news of nothing
	s.with("good", dialogEvent, 5060).changed()
	s.armed = false // the timer has fired
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the wire is not told of the panic")
			}
		}()
		s.tell()
	}()
	if s.Len() != 1 || s.subs["good"] == nil || len(s.news) != 1 || !s.armed {
		t.Errorf("left: %d subscriptions, %d with news, armed: %v", s.Len(), len(s.news), s.armed)
	}
}

func TestOneExtensionDoesNotTakeTheRoomOfAll(t *testing.T) {
	s := newServer()
	sub := s.with("0", dialogEvent, 5060)
	for i := 1; s.room(sub); i++ {
		if i > maxInAll {
			t.Fatal("it has taken all")
		}
		sub = s.with(fmt.Sprint(i), dialogEvent, 5060)
		sub.move(wire.Flow{Network: "udp", Remote: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 5060)})
	}
	if s.Len() != maxOfExtension {
		t.Errorf("it has %d", s.Len())
	}
	for _, sub := range s.subs {
		s.forget(sub)
	}
	if len(s.phones) != 0 || len(s.of) != 0 {
		t.Errorf("left: %v, %v", s.phones, s.of)
	}
}

func FuzzWish(f *testing.F) {
	f.Add("dialog;id=7", "3600")
	f.Add(" Message-Summary ; id=a\"b", "59")
	f.Add("presence;ID=\r\nX: y", "-1")
	f.Fuzz(func(t *testing.T, text, expires string) {
		e, id := eventOf(text)
		if id != "" && !header.IsToken(id) || e.name() == "" != (e == noEvent) {
			t.Errorf("event %q: %v, id %q", text, e, id)
		}
		switch life, refused := lifetime(expires); {
		case refused.Code != 0 && (refused.Code != 423 || life != 0), life != 0 && (life < minExpires || life > maxExpires):
			t.Errorf("expires %q: %v, %d", expires, life, refused.Code)
		}
	})
}

// Whatever names and numbers come from the wire, a document is well-formed and of bounded size.
func FuzzDocument(f *testing.F) {
	f.Add("201", "0935", `Carl "<&> 卡尔`, "c0ffee@1", 3)
	f.Add("*23", "\x00\xff", "]]>", "\r\n", 40)
	f.Fuzz(func(t *testing.T, name, number, who, id string, talks int) {
		l := Lamp{Name: name, Note: who}
		for i := range max(0, min(talks, 64)) {
			l.Talks = append(l.Talks, Talk{ID: fmt.Sprint(i), Leg: "phones#4-1", Incoming: i%2 == 0, Stage: Early, Other: hal.Number(number), Name: who})
		}
		named := func(hal.LegID) (leg.Identity, bool) { return leg.Identity{CallID: id, Ours: id, Theirs: id}, true }
		at := netip.MustParseAddrPort("127.0.0.1:5060")
		for _, b := range [][]byte{dialogs(l, at, 1, named), pidf(l, at)} {
			var doc struct {
				Dialogs []struct{} `xml:"dialog"`
			}
			if err := xml.Unmarshal(b, &doc); err != nil {
				t.Fatalf("%v in\n%s", err, b)
			}
			if len(doc.Dialogs) > maxTalks {
				t.Errorf("%d dialogs", len(doc.Dialogs))
			}
		}
		if sum := string(Summary(header.Plain(name), Mail{New: talks}, at)); strings.Count(sum, "\r\n") != 3 {
			t.Errorf("messages:\n%q", sum)
		}
	})
}
