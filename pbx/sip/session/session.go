// Package session is how long a call may stand without a sign of life: session timers (RFC 4028). It is
// pure arithmetic on headers. Start reading at Wants, then Timer.
package session

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"branchline/pbx/sip/wire"
)

// Wants are what we ask for. The zero value is the RFC's: 30 minutes, at least 90 seconds (RFC 4028 4, 5).
type Wants struct{ Expires, Least time.Duration }

const (
	usual    = 30 * time.Minute
	shortest = 90 * time.Second
	longest  = 24 * time.Hour // that a peer may ask for as the least
)

// Timer is what two peers agreed on.
type Timer struct {
	Expires time.Duration // 0: the call stands without a sign of life
	Ours    bool          // we give it
}

// Message is a request or a response that came in.
type Message interface {
	Header(name string) string
	Values(name string) []string
}

var (
	_ Message = (*wire.Request)(nil)
	_ Message = (*wire.Response)(nil)
)

// Named says whether one of the lists of that name in m holds an option tag or method.
func Named(m Message, name, option string) bool {
	for _, v := range m.Values(name) {
		if strings.EqualFold(v, option) {
			return true
		}
	}
	return false
}

func (w Wants) filled() Wants {
	if w.Least <= 0 {
		w.Least = shortest
	}
	if w.Expires <= 0 {
		w.Expires = usual
	}
	w.Expires = max(w.Expires, w.Least)
	return w
}

// Offer is what an INVITE or a sign of life of ours says; t is what holds until now.
func (w Wants) Offer(t Timer) []wire.Header {
	w = w.filled()
	expires, role := w.Expires, ""
	if t.Expires > 0 {
		expires, role = max(t.Expires, w.Least), ";refresher=uas"
		if t.Ours {
			role = ";refresher=uac"
		}
	}
	return []wire.Header{{Name: "Session-Expires", Value: seconds(expires) + role}, {Name: "Min-SE", Value: seconds(w.Least)}}
}

// Raise takes the least that a peer has named in a 422; false: it names none that we would grant.
func (w Wants) Raise(res Message) (Wants, bool) {
	w = w.filled()
	least, _, ok := read(res, "Min-SE", "")
	if !ok || least <= w.Least || least > longest {
		return w, false
	}
	return Wants{Expires: max(w.Expires, least), Least: least}, true
}

// Agreed is what the 2xx to a request with Offer says. Who gives the sign of life is said by the peer; we,
// where it does not (RFC 4028 7.2).
func Agreed(res Message) Timer {
	d, role, ok := read(res, "Session-Expires", "x")
	if !ok || d == 0 || d > longest {
		return Timer{}
	}
	return Timer{Expires: d, Ours: role != "uas"}
}

// Answer reads what an INVITE or UPDATE of the peer asks for, and makes the headers of the 2xx. knows says
// that the peer has spoken of timers before, now is what holds until now. refused is a 422 where it asks for less than we bear.
func (w Wants) Answer(r Message, knows bool, now Timer) (t Timer, headers []wire.Header, refused wire.Response) {
	w = w.filled()
	knows = knows || Knows(r)
	d, role, asked := read(r, "Session-Expires", "x")
	least, _, _ := read(r, "Min-SE", "")
	least = min(least, longest)
	switch {
	case asked && d < w.Least && knows:
		return Timer{}, nil, wire.Response{Code: 422,
			Headers: []wire.Header{{Name: "Min-SE", Value: seconds(w.Least)}}}
	case !asked && !knows:
		return Timer{}, nil, wire.Response{}
	case !asked:
		d = cmp.Or(now.Expires, w.Expires)
	}
	t.Expires = max(min(d, max(w.Expires, now.Expires)), least, w.Least)
	if t.Ours = role != "uac" || !knows; t.Ours {
		return t, []wire.Header{{Name: "Session-Expires", Value: seconds(t.Expires) + ";refresher=uas"}}, wire.Response{}
	}
	return t, []wire.Header{{Name: "Session-Expires", Value: seconds(t.Expires) + ";refresher=uac"}, {Name: "Require", Value: "timer"}},
		wire.Response{}
}

// Knows says whether a peer speaks of timers in m.
func Knows(m Message) bool {
	return Named(m, "Supported", "timer") || Named(m, "Require", "timer")
}

// Refresh is after what time of silence we give the next sign of life (RFC 4028 10).
func (t Timer) Refresh() time.Duration { return t.Expires / 2 }

// End is after what time of silence the call is over: somewhat early, for the BYE shall find the peer's
// end of the call alive (RFC 4028 10).
func (t Timer) End() time.Duration { return t.Expires - min(32*time.Second, t.Expires/3) }

// read reads a header of seconds with a refresher parameter; short is its compact name.
func read(m Message, name, short string) (d time.Duration, role string, ok bool) {
	v := m.Header(name)
	if v == "" && short != "" {
		v = m.Header(short)
	}
	number, params, _ := strings.Cut(v, ";")
	n, err := strconv.ParseUint(strings.TrimSpace(number), 10, 31)
	if err != nil {
		return 0, "", false
	}
	for p := range strings.SplitSeq(params, ";") {
		if k, v, _ := strings.Cut(p, "="); strings.EqualFold(strings.TrimSpace(k), "refresher") {
			role = strings.ToLower(strings.TrimSpace(v))
		}
	}
	return time.Duration(n) * time.Second, role, true
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
