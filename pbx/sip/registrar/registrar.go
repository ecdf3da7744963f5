// Package registrar knows who may sign in and where each phone is (RFC 3261 10 and 22).
//
// It promises: a captured request proves nothing a second time; an unknown user and a wrong
// password look the same; bindings are values, and one per contact, each with its own expiry.
// It has no goroutine and no clock, and one user. Start reading at Authority and Registrar.
package registrar

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"branchline/pbx/sip/header"
	"branchline/pbx/sip/wire"
)

// maxBindings is how many contacts an extension may have. A phone that comes back under a new
// port each time would gather them; the one that ends soonest makes room.
const maxBindings = 8

// Registrar is the table of bindings. The zero value is empty.
type Registrar struct {
	bindings map[string][]Binding // by extension, in order of first sign-in
	min, max time.Duration
	next     time.Time // no binding ends before
}

// Change is what became of one binding.
type Change struct {
	Binding Binding
	Gone    bool
	Was     wire.Flow // of a phone that signed in from elsewhere: where it was before
}

// SetExpiry bounds how long a binding lives.
func (g *Registrar) SetExpiry(shortest, longest time.Duration) { g.min, g.max = shortest, longest }

// Contacts are the bindings of an extension now, silent ones too. The caller must not change them.
func (g *Registrar) Contacts(extension string) []Binding { return g.bindings[extension] }

// Reachable are those that are not silent.
func (g *Registrar) Reachable(extension string) []Binding {
	return slices.DeleteFunc(slices.Clone(g.bindings[extension]), func(b Binding) bool { return b.Silent })
}

// All are the bindings of all extensions, in no order.
func (g *Registrar) All() iter.Seq[Binding] {
	return func(yield func(Binding) bool) {
		for _, bs := range g.bindings {
			for _, b := range bs {
				if !yield(b) {
					return
				}
			}
		}
	}
}

// SetSilent notes whether the phone of a binding answers, and says whether that is news.
func (g *Registrar) SetSilent(b Binding, silent bool) bool {
	bs := g.bindings[b.Extension]
	i := slices.IndexFunc(bs, func(o Binding) bool { return o.Contact == b.Contact && o.Flow() == b.Flow() })
	if i < 0 || bs[i].Silent == silent {
		return false
	}
	bs[i].Silent = silent
	return true
}

// Lost removes the bindings of a connection that is no more.
func (g *Registrar) Lost(flow wire.Flow) []Change {
	return g.removeIf(func(b Binding) bool { return b.Flow() == flow })
}

// Disconnect removes the bindings of all connections: they ended with whoever held them.
func (g *Registrar) Disconnect() []Change {
	return g.removeIf(func(b Binding) bool { return b.Flow().Connected() })
}

// Restore puts in bindings that were saved, but for those that have ended, by time or with their connection.
// None lives for longer than SetExpiry allows: the clock may have been put back while nobody looked.
func (g *Registrar) Restore(saved []Binding, now time.Time) (changes []Change) {
	for _, b := range saved {
		if latest := now.Add(g.max); g.max > 0 && b.Expires.After(latest) {
			b.Expires = latest
		}
		if b.Expires.After(now) && !b.Flow().Connected() && len(g.bindings[b.Extension]) < maxBindings {
			changes = append(changes, g.put(b)...)
		} else {
			changes = append(changes, Change{Binding: b, Gone: true})
		}
	}
	return changes
}

// Shift takes that the clock was set: every binding lives on for as long as it would have. All of them are
// changes, for what is kept must say so too.
func (g *Registrar) Shift(by time.Duration) (changes []Change) {
	for _, bs := range g.bindings {
		for i := range bs {
			bs[i].Expires = bs[i].Expires.Add(by)
			changes = append(changes, Change{Binding: bs[i]})
		}
	}
	if !g.next.IsZero() {
		g.next = g.next.Add(by)
	}
	return changes
}

// Keep removes the bindings of all extensions that known does not know.
func (g *Registrar) Keep(known func(extension string) bool) []Change {
	return g.removeIf(func(b Binding) bool { return !known(b.Extension) })
}

// Expire removes what has ended by now.
func (g *Registrar) Expire(now time.Time) []Change {
	if now.Before(g.next) {
		return nil
	}
	changes := g.removeIf(func(b Binding) bool { return !b.Expires.After(now) })
	g.next = time.Time{}
	for _, bs := range g.bindings {
		for _, b := range bs {
			if g.next.IsZero() || b.Expires.Before(g.next) {
				g.next = b.Expires
			}
		}
	}
	if g.next.IsZero() {
		g.next = now.Add(time.Hour)
	}
	return changes
}

// Register carries out an authorised REGISTER for extension, wholly or not at all (RFC 3261 10.3),
// and makes its answer.
func (g *Registrar) Register(extension string, r *wire.Request, now time.Time) (wire.Response, []Change) {
	wanted, res := g.wanted(extension, r, now)
	if res.Code != 0 {
		return res, nil
	}
	var changes []Change
	for _, b := range wanted {
		if b.Expires.After(now) {
			changes = append(changes, g.put(b)...)
		} else if c, ok := g.remove(b); ok {
			changes = append(changes, c)
		}
	}
	for over := len(g.bindings[extension]) - maxBindings; over > 0; over-- {
		soonest := slices.MinFunc(g.bindings[extension], func(a, b Binding) int { return a.Expires.Compare(b.Expires) })
		if c, ok := g.remove(soonest); ok {
			changes = append(changes, c)
		}
	}
	return g.answer(extension, now), changes
}

// wanted reads what a REGISTER asks for; a response with a code refuses all of it.
func (g *Registrar) wanted(extension string, r *wire.Request, now time.Time) ([]Binding, wire.Response) {
	var out []Binding
	if r.Star {
		for _, b := range g.bindings[extension] {
			if b.CallID == r.CallID && r.CSeq <= b.CSeq {
				return nil, wire.Response{Code: 400, Reason: "Bad Request: CSeq is out of order"}
			}
			b.Expires = now
			out = append(out, b)
		}
		return out, wire.Response{}
	}
	general := seconds(r.Header("Expires"), g.max)
	for _, a := range r.Contact {
		life := general
		if v, ok := a.Param("expires"); ok {
			life = seconds(v, g.max)
		}
		if life > 0 && life < g.min {
			return nil, wire.Response{Code: 423, Headers: []wire.Header{{Name: "Min-Expires", Value: format(g.min)}}}
		}
		instance, _ := a.Param("+sip.instance")
		b := Binding{Extension: extension, Contact: a.URI.Text, Instance: clip(instance), Agent: clip(r.Header("User-Agent")),
			Network: r.Flow.Network, Local: r.Flow.Local, Remote: r.Flow.Remote, Conn: r.Flow.Conn,
			CallID: r.CallID, CSeq: r.CSeq, Expires: now.Add(min(life, g.max))}
		if old, ok := g.find(b); ok && old.CallID == r.CallID && r.CSeq <= old.CSeq {
			return nil, wire.Response{Code: 400, Reason: "Bad Request: CSeq is out of order"}
		}
		out = append(out, b)
	}
	return out, wire.Response{}
}

func (g *Registrar) answer(extension string, now time.Time) wire.Response {
	res := wire.Response{Code: 200, Headers: []wire.Header{{Name: "Date", Value: now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")}}}
	for _, b := range g.bindings[extension] {
		value := "<" + b.Contact + ">;expires=" + format(b.Expires.Sub(now))
		if b.Instance != "" {
			value += `;+sip.instance="` + b.Instance + `"`
		}
		res.Headers = append(res.Headers, wire.Header{Name: "Contact", Value: value})
	}
	return res
}

func (g *Registrar) put(b Binding) []Change {
	if g.bindings == nil {
		g.bindings = map[string][]Binding{}
	}
	if g.next.IsZero() || b.Expires.Before(g.next) {
		g.next = b.Expires
	}
	bs := g.bindings[b.Extension]
	i := slices.IndexFunc(bs, b.same)
	if i < 0 {
		g.bindings[b.Extension] = append(bs, b)
		return []Change{{Binding: b}}
	}
	old := bs[i]
	bs[i] = b
	now := Change{Binding: b}
	if old.Flow() != b.Flow() {
		now.Was = old.Flow()
	}
	if old.Contact != b.Contact {
		return []Change{{Binding: old, Gone: true}, now}
	}
	return []Change{now}
}

func (g *Registrar) find(b Binding) (Binding, bool) {
	bs := g.bindings[b.Extension]
	if i := slices.IndexFunc(bs, b.same); i >= 0 {
		return bs[i], true
	}
	return Binding{}, false
}

func (g *Registrar) remove(b Binding) (Change, bool) {
	bs := g.bindings[b.Extension]
	i := slices.IndexFunc(bs, b.same)
	if i < 0 {
		return Change{}, false
	}
	gone := bs[i]
	if bs = slices.Delete(slices.Clone(bs), i, i+1); len(bs) == 0 {
		delete(g.bindings, b.Extension)
	} else {
		g.bindings[b.Extension] = bs
	}
	return Change{Binding: gone, Gone: true}, true
}

func (g *Registrar) removeIf(ends func(Binding) bool) (changes []Change) {
	for _, bs := range g.bindings {
		for _, b := range bs {
			if ends(b) {
				changes = append(changes, Change{Binding: b, Gone: true})
			}
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Binding.Extension, b.Binding.Extension) })
	for _, c := range changes {
		g.remove(c.Binding)
	}
	return changes
}

// same: one contact URI, or one phone under a new one.
func (b Binding) same(o Binding) bool {
	if b.Instance != "" && b.Instance == o.Instance {
		return true
	}
	u, err1 := header.ParseURI(b.Contact)
	v, err2 := header.ParseURI(o.Contact)
	return b.Contact == o.Contact || err1 == nil && err2 == nil && u.Same(v)
}

// SamePhone says whether two bindings of one extension are of one phone, as far as that can be known: it
// says so itself, or it signs in from the same address.
func (b Binding) SamePhone(o Binding) bool {
	return b.Extension == o.Extension && (b.same(o) || b.Remote.Addr() == o.Remote.Addr())
}

// seconds reads a delta-seconds; what is none counts as absent (RFC 3261 10.2.1.1).
func seconds(s string, absent time.Duration) time.Duration {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return absent
	}
	return time.Duration(n) * time.Second
}

// format rounds up: a phone must not think that its binding ends before it does.
func format(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) }

// clip bounds what a phone says of itself; what would need quoting again is not kept.
func clip(s string) string {
	if strings.ContainsAny(s, "\"\\") {
		return ""
	}
	return s[:min(len(s), 128)]
}
