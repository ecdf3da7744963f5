package trunk

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"branchline/board/sim/phone/message"
	"branchline/board/sim/provider"
	"branchline/hal"
	"branchline/pbx/config"
)

// nobody is a name server that cannot be reached.
func nobody(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no network") }

func TestCallsAreProvedAlsoInside(t *testing.T) {
	t.Parallel()
	p := serve(t, provider.Options{Habits: provider.Habits{ProveAll: true}})
	r := ready(t, p, settings(p), nil)
	leg, call := r.called(hal.Dial{})
	if g := until[hal.Progress](r, leg); !g.Alerting || g.Sound {
		t.Errorf("told %+v", g)
	}
	r.check(call.Answer(r.ctx()))
	until[hal.Answered](r, leg)
	r.do(hal.Hangup{Leg: leg})
	r.check(call.Wait(r.ctx(), provider.Over))
	if byes := p.Requests("BYE"); len(byes) != 2 || byes[1].Get("Proxy-Authorization") == "" {
		t.Errorf("%d BYEs", len(byes))
	}
}

func TestEarlySoundIsToldAndStays(t *testing.T) {
	t.Parallel()
	p := serve(t, provider.Options{})
	r := ready(t, p, settings(p), nil)
	leg, call := r.called(hal.Dial{})
	r.check(call.Early(r.ctx()))
	for !until[hal.Progress](r, leg).Sound {
	}
	if r.line.Audio(leg) == nil {
		t.Error("no sound before the answer")
	}
	r.check(call.Answer(r.ctx()))
	until[hal.Answered](r, leg)
}

func TestServerThatCannotSendsTheCallElsewhere(t *testing.T) {
	t.Parallel()
	p := serve(t, provider.Options{})
	r := ready(t, p, settings(p), nil)
	for code, cause := range map[int]hal.Cause{503: hal.Congestion, 486: hal.Busy, 404: hal.Unallocated, 403: hal.Forbidden, 500: hal.Congestion} {
		p.Behave(func(h *provider.Habits) { h.Invite = code })
		if g := until[hal.Gone](r, r.dial(hal.Dial{})); g.Cause != cause || !g.Far {
			t.Errorf("%d: %+v, want %s", code, g, cause)
		}
	}
	p.Behave(func(h *provider.Habits) { h.Silent = true })
	began := time.Now()
	if g := until[hal.Gone](r, r.dial(hal.Dial{})); g.Cause != hal.Unreachable || time.Since(began) > 2*time.Second {
		t.Errorf("a server that says nothing: %+v after %v", g, time.Since(began))
	}
}

func TestWhoCallsIsToldAsTheProviderWantsIt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		identity         string
		trusted, private bool
		from, more       string // what must be in From, and in the header beside it
	}{
		{config.IdentityFrom, false, false, `"Carl" <sip:+4930901825@127.83.1.1>`, ""},
		{config.IdentityFrom, false, true, `<sip:anonymous@anonymous.invalid>`, "Privacy: id"},
		{config.IdentityPAI, true, false, `"Carl" <sip:+4930901825@127.83.1.1>`, `P-Asserted-Identity: "Carl" <sip:+4930901825@127.83.1.1>`},
		{config.IdentityPAI, true, true, `<sip:anonymous@anonymous.invalid>`, `P-Asserted-Identity: "Carl" <sip:+4930901825@127.83.1.1>`},
		{config.IdentityRPID, true, false, `"Carl" <sip:+4930901825@127.83.1.1>`, `Remote-Party-ID: "Carl" <sip:+4930901825@127.83.1.1>;party=calling;screen=yes;privacy=off`},
	} {
		p := serve(t, provider.Options{})
		s := settings(p)
		s.Identity, s.Trusted = c.identity, c.trusted
		r := ready(t, p, s, nil)
		_, call := r.called(hal.Dial{Show: "+4930901825", Name: "Carl", Private: c.private, Diverted: "+4930901899"})
		text := string(call.Invite.Bytes())
		if told := strings.Contains(text, "Diversion: <sip:+4930901899@127.83.1.1>"); told != (c.trusted && !c.private) {
			t.Errorf("%+v: told who diverted: %v", c, told)
		}
		history := "History-Info: <sip:+4930901899@127.83.1.1>;index=1, <sip:+4989123456@127.83.1.1>;index=1.1;mp=1"
		if told := strings.Contains(text, history); told != (c.trusted && !c.private) {
			t.Errorf("%+v: told its history: %v", c, told)
		}
		if !strings.Contains(call.Invite.Get("From"), c.from) || !strings.Contains(text, c.more) {
			t.Errorf("%+v:\n%s", c, text)
		}
		if !c.trusted && (strings.Contains(text, "P-Asserted") || strings.Contains(text, "Remote-Party") || c.private && strings.Contains(text, "Carl")) {
			t.Errorf("%+v tells too much:\n%s", c, text)
		}
		if !strings.HasPrefix(call.Invite.URI, "sip:+4989123456@127.83.1.1") {
			t.Errorf("called %s", call.Invite.URI)
		}
	}
}

func TestCallerIsBelievedOnlyWhenTrusted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		trusted bool
		from    string
		headers string // "Name: value" separated by |
		want    hal.Incoming
	}{
		{false, "0171555", "P-Asserted-Identity: <sip:110@x>|Diversion: <sip:301@x>", hal.Incoming{From: "0171555"}},
		{true, "0171555", `P-Asserted-Identity: "Police" <tel:+49110>, <sip:110@x>|Diversion: <sip:301@x>;reason=busy`, hal.Incoming{From: "+49110", Name: "Police", Diverted: "301"}},
		{true, "0171555", "History-Info: <sip:300@x>;index=1|History-Info: <sip:301@x;cause=302>;index=1.1, <sip:302@x>;index=1.1.1;mp=1.1", hal.Incoming{From: "0171555", Diverted: "301"}},
		{true, "0171555", "History-Info: <sip:301@x>;index=1,<sip:302@x>;index=1.1;rc=1,<sip:>;index=1.2;mp=9", hal.Incoming{From: "0171555"}},
		{true, "0171555", "Remote-Party-ID: <sip:0172@x>;party=calling;privacy=off", hal.Incoming{From: "0172"}},
		{true, "anonymous", "P-Asserted-Identity: <sip:0172@x>|Privacy: id", hal.Incoming{}},
		{true, "anonymous", "P-Asserted-Identity: <sip:0172@x>", hal.Incoming{From: "0172"}},
		{false, "anonymous", "", hal.Incoming{}},
	} {
		p := serve(t, provider.Options{})
		s := settings(p)
		s.Trusted = c.trusted
		r := ready(t, p, s, nil)
		r.must(p.Call(r.ctx(), "4930901820", c.from, func(m *message.Message) {
			for h := range strings.SplitSeq(c.headers, "|") {
				if name, value, ok := strings.Cut(h, ": "); ok {
					m.Add(name, value)
				}
			}
		}))
		in := until[hal.Incoming](r, "")
		if in.Endpoint != "" || in.From != c.want.From || in.Name != c.want.Name || in.Diverted != c.want.Diverted {
			t.Errorf("%+v:\ntold %+v", c, in)
		}
	}
}

func TestNumberThatWasDialledIsFound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		called    string
		toContact bool
		to        string // instead of the number
		want      hal.Number
	}{
		{config.CalledURI, false, "", "+4930901827"},
		{config.CalledURI, true, "", "+4930901827"}, // the address is our Contact: the number is in To
		{config.CalledURI, false, "<sip:group@x>", "+4930901827"},
		{config.CalledTo, false, "<tel:+4930901829>", "+4930901829"},
	} {
		p := serve(t, provider.Options{Habits: provider.Habits{ToContact: c.toContact}})
		s := settings(p)
		s.Called = c.called
		r := ready(t, p, s, nil)
		r.must(p.Call(r.ctx(), "+4930901827", "0171555", func(m *message.Message) {
			if c.to != "" {
				m.Set("To", c.to)
			}
		}))
		if in := until[hal.Incoming](r, ""); in.To != c.want {
			t.Errorf("%+v: told %q", c, in.To)
		}
	}
}

func TestChannelsAreCounted(t *testing.T) {
	t.Parallel()
	p := serve(t, provider.Options{})
	r := ready(t, p, settings(p), func(l *Trunk) { l.o.Channels = 1 })
	leg, _ := r.talking()
	if g := until[hal.Gone](r, r.dial(hal.Dial{})); g.Cause != hal.Congestion {
		t.Errorf("a second call out: %+v", g)
	}
	second := r.must(p.Call(r.ctx(), "4930901820", "0172666", nil))
	r.check(second.Wait(r.ctx(), provider.Over))
	if _, code := second.State(); code != 486 {
		t.Errorf("a second call in got %d", code)
	}
	r.do(hal.Hangup{Leg: leg})
	until[hal.Gone](r, leg)
	r.talking()
}

// fax is an offer of T.38 (RFC 3362).
const fax = "v=0\r\no=- 7 9 IN IP4 127.83.1.1\r\ns=-\r\nc=IN IP4 127.83.1.1\r\nt=0 0\r\nm=image 4000 udptl t38\r\na=T38FaxVersion:0\r\n"

func TestCarrierChangesTheCall(t *testing.T) {
	t.Parallel()
	p := serve(t, provider.Options{})
	r := ready(t, p, settings(p), nil)
	leg, call := r.talking()
	for _, step := range []struct {
		body string
		code int
		tell hal.Signal
	}{{"", 200, nil}, {"hold", 200, hal.Held{Leg: leg}}, {fax, 488, nil}, {"resume", 200, hal.Resumed{Leg: leg}}, {fax, 488, nil}, {"", 200, nil}} {
		r.check(call.Reinvite(r.ctx(), step.body))
		r.wait("an answer", func() bool { return call.Last() != 0 })
		if got := call.TakeLast(); got != step.code {
			t.Errorf("%.10q answered %d, want %d", step.body, got, step.code)
		}
		switch step.tell.(type) {
		case hal.Held:
			until[hal.Held](r, leg)
		case hal.Resumed:
			until[hal.Resumed](r, leg)
		}
	}
	r.check(call.Hangup(r.ctx()))
	if g := until[hal.Gone](r, leg); g.Cause != hal.Normal || !g.Far {
		t.Errorf("told %+v", g)
	}
}

func TestStrangersAreNotHeard(t *testing.T) {
	t.Parallel()
	p := serve(t, provider.Options{})
	r := ready(t, p, settings(p), nil)
	stranger := serve(t, provider.Options{Listen: netip.MustParseAddrPort("127.83.1.9:0"), Algorithm: "none"})
	at := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), r.line.Listening()[0].Port())
	call := r.must(stranger.CallAt(r.ctx(), at, "4930901820", "0900", nil))
	if err := call.Wait(r.ctx(), provider.Over); err != nil {
		t.Error(err)
	}
	if _, code := call.State(); code != 408 {
		t.Errorf("answered %d", code)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.told {
		if in, ok := s.(hal.Incoming); ok {
			t.Errorf("told %+v", in)
		}
	}
}

func TestCallsOfBeforeTheRestartAreEnded(t *testing.T) {
	t.Parallel()
	p := serve(t, provider.Options{Habits: provider.Habits{ProveAll: true}})
	r := ready(t, p, settings(p), nil)
	leg, call := r.called(hal.Dial{})
	r.check(call.Answer(r.ctx()))
	release := until[hal.Answered](r, leg).Release
	next := ready(t, p, settings(p), func(l *Trunk) { l.o.Releases = []string{release} })
	next.check(call.Wait(next.ctx(), provider.Over))
}

func TestCodecsOfATrunkAreItsOwn(t *testing.T) {
	t.Parallel()
	p := serve(t, provider.Options{})
	s := settings(p)
	s.Codecs = []string{"PCMU"}
	r := ready(t, p, s, nil)
	leg, call := r.called(hal.Dial{})
	if sdp := string(call.Invite.Body); strings.Contains(sdp, "PCMA") || !strings.Contains(sdp, "PCMU") {
		t.Errorf("offered\n%s", sdp)
	}
	r.check(call.Answer(r.ctx()))
	until[hal.Answered](r, leg)
}
