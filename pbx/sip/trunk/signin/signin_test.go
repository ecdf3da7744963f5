package signin

import (
	"net/netip"
	"testing"
	"time"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func servers(n int) (out []netip.AddrPort) {
	for i := range n {
		out = append(out, netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(i + 1)}), 5060))
	}
	return out
}

// life runs a machine second by second; what it sends is answered by answer. It returns when it sent.
func life(m *Machine, n int, d time.Duration, answer func(server int, at time.Duration) Answer) (sent []time.Duration, in map[time.Duration]bool) {
	all := servers(n)
	m.Found(all, "", start)
	in = map[time.Duration]bool{}
	for at := time.Duration(0); at <= d; at += time.Second {
		now := start.Add(at)
		m.Tick(now)
		if m.Due(now) {
			sent = append(sent, at)
			for i, s := range all {
				if s == m.Server() {
					m.Heard(answer(i, at), now)
				}
			}
		}
		in[at] = m.In()
	}
	return sent, in
}

func TestSignInIsRenewedBeforeItEnds(t *testing.T) {
	for granted, want := range map[time.Duration]time.Duration{10 * time.Minute: 9 * time.Minute, time.Hour: 54 * time.Minute, time.Minute: 30 * time.Second, 40 * time.Second: 20 * time.Second} {
		m := New(10 * time.Minute)
		sent, in := life(m, 1, 2*time.Hour, func(int, time.Duration) Answer { return Answer{Code: 200, Granted: granted} })
		if len(sent) < 2 || sent[1] != want {
			t.Errorf("granted %v: renewed at %v, want %v", granted, sent[1], want)
		}
		for at, ok := range in {
			if !ok {
				t.Fatalf("granted %v: out of service at %v", granted, at)
			}
		}
	}
}

func TestRefusedSignInBacksOff(t *testing.T) {
	for name, a := range map[string]Answer{Forbidden: {Code: 403}, Password: {Code: 401, Proof: true}, Unknown: {Code: 404}, Refused: {Code: 480}} {
		m := New(time.Minute)
		sent, _ := life(m, 3, time.Hour, func(int, time.Duration) Answer { return a })
		for i := range sent {
			n := 0
			for _, s := range sent[i:] {
				if s < sent[i]+10*time.Minute {
					n++
				}
			}
			if n > 12 {
				t.Errorf("%s: %d tries within ten minutes", name, n)
			}
		}
		if m.In() || m.Why() != name || len(sent) < 12 {
			t.Errorf("%s: why %q, in %v, %d tries in an hour", name, m.Why(), m.In(), len(sent))
		}
	}
}

func TestLongerSignInIsTakenOnce(t *testing.T) {
	m := New(time.Minute)
	sent, _ := life(m, 1, 5*time.Second, func(int, time.Duration) Answer {
		if m.Expires() < 30*time.Minute {
			return Answer{Code: 423, MinExpires: 30 * time.Minute}
		}
		return Answer{Code: 200, Granted: m.Expires()}
	})
	if !m.In() || len(sent) != 2 || m.Expires() != 30*time.Minute {
		t.Errorf("in %v after %d tries, for %v", m.In(), len(sent), m.Expires())
	}
	m = New(time.Minute)
	ask := time.Minute
	sent, _ = life(m, 1, 20*time.Second, func(int, time.Duration) Answer { ask *= 2; return Answer{Code: 423, MinExpires: ask} })
	if len(sent) > 2 || m.In() {
		t.Errorf("a server that always wants more was asked %d times in 20 s", len(sent))
	}
}

func TestNextServerTakesOver(t *testing.T) {
	for name, broken := range map[string]Answer{"silent": {}, "overload": {Code: 503}} {
		m := New(10 * time.Minute)
		var asked []int
		_, in := life(m, 3, time.Hour, func(s int, at time.Duration) Answer {
			asked = append(asked, s)
			if s == 0 && at > 5*time.Minute {
				return broken
			}
			return Answer{Code: 200, Granted: 10 * time.Minute}
		})
		if m.Server() != servers(3)[1] || asked[0] != 0 || asked[1] != 0 || asked[2] != 1 {
			t.Errorf("%s: asked %v", name, asked[:4])
		}
		for at, ok := range in {
			if !ok {
				t.Errorf("%s: out of service at %v", name, at)
			}
		}
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	m := New(10 * time.Minute)
	var first []time.Duration
	sent, _ := life(m, 1, 20*time.Minute, func(_ int, at time.Duration) Answer {
		first = append(first, at)
		if at < 5*time.Minute {
			return Answer{Code: 503, RetryAfter: 7 * time.Minute}
		}
		return Answer{Code: 200}
	})
	if len(sent) < 2 || sent[1] != 7*time.Minute || !m.In() {
		t.Errorf("asked at %v, want again after 7m", sent)
	}
	m = New(10 * time.Minute)
	sent, _ = life(m, 2, time.Minute, func(s int, at time.Duration) Answer {
		if s == 0 {
			return Answer{Code: 503, RetryAfter: 7 * time.Minute}
		}
		return Answer{Code: 503}
	})
	if m.Server() != servers(2)[1] || len(sent) < 4 {
		t.Errorf("the server that rests is asked: %v at %v", m.Server(), sent)
	}
}

func TestDeadServersAreToldWithinAMinuteAndComeBack(t *testing.T) {
	for _, n := range []int{1, 8} {
		m := NewPeer(20 * time.Second)
		died, back := 5*time.Minute, 15*time.Minute
		_, in := life(m, n, 20*time.Minute, func(_ int, at time.Duration) Answer {
			if at >= died && at < back {
				return Answer{}
			}
			return Answer{Code: 404} // it is there, whatever it thinks of the question
		})
		if !in[died-time.Second] || in[died+time.Minute] || in[back-time.Second] || !in[back+61*time.Second] {
			t.Errorf("%d servers: before %v, dead %v, still dead %v, back %v", n, in[died-time.Second], in[died+time.Minute], in[back-time.Second], in[back+61*time.Second])
		}
	}
}

func TestLostServerAndNewAddressAreActedOnAtOnce(t *testing.T) {
	m := New(10 * time.Minute)
	life(m, 2, time.Second, func(int, time.Duration) Answer { return Answer{Code: 200} })
	now := start.Add(time.Minute)
	m.Moved(now)
	if !m.Due(now) || m.Server() != servers(2)[0] {
		t.Error("a new address does not make a sign-in due")
	}
	m.Heard(Answer{Code: 200}, now)
	m.Lost(now)
	if !m.Due(now.Add(time.Second)) || m.Server() != servers(2)[1] || !m.In() {
		t.Errorf("a lost server: due %v at %v, in %v", m.Due(now.Add(time.Second)), m.Server(), m.In())
	}
}

func TestUnknownNameIsTheReasonOnlyWhileNothingElseIsKnown(t *testing.T) {
	m := New(time.Minute)
	m.Found(nil, NoName, start)
	if m.Why() != NoName || m.Due(start) {
		t.Errorf("why %q, due %v", m.Why(), m.Due(start))
	}
	m.Found(servers(1), "", start)
	m.Heard(Answer{Code: 200}, start)
	m.Found(nil, NoName, start)
	if !m.In() || m.Why() != "" {
		t.Errorf("DNS that falls silent ends a trunk that works: %q", m.Why())
	}
}
