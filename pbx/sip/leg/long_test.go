package leg

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"branchline/hal"
	"branchline/pbx/media"
	"branchline/pbx/sip/header"
	"branchline/pbx/sip/outbox"
	"branchline/pbx/sip/wire"
)

// phone is a wire with one phone behind it, which answers by rules. Its time is the bubble's.
type phone struct {
	jobs  chan func() // done one after the other
	dead  bool
	said  []string // methods that came
	glare int      // how many UPDATEs are refused by 491
}

func (p *phone) Send(r *wire.Request, on func(*wire.Response)) error {
	p.said = append(p.said, r.Method)
	res := &wire.Response{Code: 200, Flow: r.Flow, To: header.MakeAddress("", r.To.URI, "theirs")}
	switch {
	case p.dead:
		p.After(32*time.Second, "", func() { on(&wire.Response{Code: 408, Local: true}) })
		return nil
	case p.glare > 0 && r.Method == "UPDATE":
		p.glare--
		res.Code = 491
	case r.Method == "INVITE":
		res.Type, res.Body = "application/sdp", []byte("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n")
	}
	for _, h := range r.Headers {
		if h.Name == "Session-Expires" {
			expires, _, _ := strings.Cut(h.Value, ";")
			res.Headers = []wire.Header{{Name: "Session-Expires", Value: expires + ";refresher=uac"}, {Name: "Allow", Value: "INVITE, UPDATE"}}
		}
	}
	p.After(50*time.Millisecond, "", func() { on(res) })
	return nil
}

func (p *phone) Tell(*wire.Request) error { return nil }
func (p *phone) After(d time.Duration, _ string, f func()) func() {
	t := time.AfterFunc(d, func() { p.jobs <- f })
	return func() { t.Stop() }
}
func (p *phone) Branch(*wire.Request) string          { return "z9hG4bK" }
func (p *phone) Revoke(*wire.Request, string, string) {}

type anybody struct{ Direct }

func (anybody) Proves(string, *wire.Request) bool { return true }
func (anybody) Heard(wire.Flow)                   {}

func TestCallOfFourHoursIsKeptAliveAndOneWhosePhoneDiesIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := slog.New(slog.DiscardHandler)
		p := &phone{jobs: make(chan func())}
		defer close(p.jobs)
		go func() {
			for f := range p.jobs {
				f()
			}
		}()
		after := func(d time.Duration, check func()) {
			time.Sleep(d)
			done := make(chan struct{})
			p.jobs <- func() { defer close(done); check() }
			<-done
		}
		table := NewTable(Options{Name: "phones", Count: new(uint64), Log: log, Wire: p, Out: outbox.New(), Ports: &Ports{}, Peers: anybody{},
			Media: media.New(media.Options{Log: log, RTPFirst: 39000, RTPLast: 39099})})
		at := netip.MustParseAddrPort("127.77.4.1:5060")
		uri := header.MakeURI("201", at)
		table.Dial("phones#1-o1", Terms{Peer: "201"}, []Way{{Name: "x", URI: uri, From: header.MakeAddress("", uri, ""), To: header.MakeAddress("", uri, ""),
			Flow: wire.Flow{Network: "udp", Local: at, Remote: netip.MustParseAddrPort("127.0.0.1:5060")}}})
		after(4*time.Hour, func() {
			if left := table.Legs(); len(left) != 1 {
				t.Errorf("after four hours: %v; told %v", left, table.Out.Take())
			}
			if got := strings.Join(p.said, " "); got != "INVITE"+strings.Repeat(" UPDATE", 15) {
				t.Errorf("said: %s", got)
			}
			p.glare = 3
		})
		after(15*time.Minute, func() {
			if n := len(p.said); n != 20 {
				t.Errorf("asked %d times after glare", n)
			}
			p.dead = true
		})
		after(30*time.Minute, func() {
			if left := table.Legs(); len(left) != 0 || p.said[len(p.said)-1] != "BYE" {
				t.Errorf("the phone is gone: %v; said %v", left, p.said)
			}
			told := table.Out.Take()
			if g, ok := told[len(told)-1].(hal.Gone); !ok || g.Cause != hal.WireTrouble {
				t.Errorf("told %+v", told)
			}
		})
	})
}
