package dialog

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"branchline/pbx/media"
	"branchline/pbx/sip/wire"
)

// Sound is our own side of the negotiations of one dialog. The zero value talks G.711, unencrypted.
type Sound struct {
	ID       uint64   // of the o= line; the same for the whole dialog
	Codecs   []string // that may be used, best first: "PCMA", "G722"; none: PCMA, PCMU. Those that the box cannot decode count where Other has them
	Other    []Codec  // what the other leg of the call has, when that is known: Offer.Codecs
	Security Security

	version uint64
	last    string
	offered []format
	keys    [2]media.Key // ours, by suite
	stale   bool         // keys were offered in vain, and shall protect nothing later
}

// Offered reads the offer of an INVITE or UPDATE; nil: there is none. A response with a code says why
// it cannot be taken.
func (s *Sound) Offered(r *wire.Request) (*Offer, wire.Response) {
	if len(r.Body) == 0 {
		return nil, wire.Response{}
	}
	if r.Type != "application/sdp" {
		return nil, wire.Response{Code: 415, Headers: []wire.Header{{Name: "Accept", Value: "application/sdp"}}}
	}
	o, err := read(r.Flow, r.Body)
	switch {
	case err != nil:
		return nil, wire.Response{Code: 400, Reason: "Bad Request: SDP"}
	case !s.choose(o):
		return nil, wire.Response{Code: 488}
	case o.otherFamily(r.Flow.Local.Addr()):
		return nil, wire.Response{Code: 488, Headers: []wire.Header{{Name: "Warning", // RFC 3261 20.43
			Value: `301 branchline "the sound is of another kind of address, IPv4 or IPv6, than the signalling; use one for both"`}}}
	}
	return o, wire.Response{}
}

// otherFamily says whether the sound shall go to an address that cannot be reached from ours: the port of a leg
// is bound to where its signalling comes.
func (o *Offer) otherFamily(our netip.Addr) bool {
	there := o.Session.Remote.Addr()
	return our.IsValid() && there.IsValid() && !there.IsUnspecified() && our.Unmap().Is4() != there.Is4()
}

// Answered reads the answer to our offer of a peer that is at flow. The error is ErrNoCodec where the
// text is fine but holds nothing for us.
func (s *Sound) Answered(flow wire.Flow, body []byte) (*Offer, error) {
	o, err := read(flow, body)
	if err != nil {
		return nil, err
	}
	if len(o.streams) == 0 {
		return nil, ErrNoCodec
	}
	st := &o.streams[0]                                                                               // we offered one
	st.keys = slices.DeleteFunc(st.keys, func(c crypto) bool { return c.tag != uint64(c.key.Suite) }) // our tags
	for _, f := range st.offer {
		i := slices.IndexFunc(s.offered, func(g format) bool { return !g.events() && g.Codec.same(f.Codec) })
		if i < 0 {
			continue
		}
		o.take(0, f)
		o.Session.PayloadTypeIn = s.offered[i].payload
		for _, g := range s.offered {
			if g.events() && g.Hz == f.Hz && o.Session.DTMF != 0 {
				o.Session.DTMFIn = g.payload
			}
		}
		if !s.secure(o, st) {
			return nil, fmt.Errorf("%w: encryption was not agreed on", ErrNoCodec)
		}
		return o, nil
	}
	return nil, ErrNoCodec
}

// choose takes the first stream that we can carry, and of its codecs the one that we like best: so
// that all legs of the box have the same one, where they can.
func (s *Sound) choose(o *Offer) bool {
	for i := range o.streams {
		st := &o.streams[i]
		if f, ok := s.best(st.offer); ok {
			o.take(i, f)
			s.renew()
			if s.secure(o, st) {
				return true
			}
		}
	}
	return false
}

func (s *Sound) best(offer []format) (format, bool) {
	for _, name := range s.names() {
		for _, f := range offer {
			if f.Name == name && !f.events() && s.carries(f.Codec) {
				return f, true
			}
		}
	}
	return format{}, false
}

func (s *Sound) names() []string {
	if len(s.Codecs) == 0 {
		return []string{"PCMA", "PCMU"}
	}
	names := slices.Clone(s.Codecs)
	for i := range names {
		names[i] = strings.ToUpper(names[i])
	}
	return names
}

// carries says whether c can be had: the box decodes it, or passes it to the other leg.
func (s *Sound) carries(c Codec) bool {
	return c.decodes() || slices.ContainsFunc(s.Other, c.same)
}

// secure settles the encryption of the session that o has taken from st.
func (s *Sound) secure(o *Offer, st *stream) bool {
	insists := false
	switch strings.TrimSuffix(st.proto, "F") { // feedback (RFC 4585) may be given, and need not
	case "RTP/AVP":
	case "RTP/SAVP":
		insists = true
	default:
		return false
	}
	if s.Security == Plain || len(st.keys) == 0 {
		s.stale = true
		return !insists && s.Security != Secret
	}
	theirs := st.keys[0]
	o.Session.Theirs, o.Session.Ours = theirs.key, s.key(theirs.key.Suite)
	return true
}

// renew forgets keys that somebody may know who does not use them.
func (s *Sound) renew() {
	if s.stale {
		s.keys, s.stale = [2]media.Key{}, false
	}
}

// key is our key of a suite: one for the whole dialog, as its numbers go on through all of it.
func (s *Sound) key(suite media.Suite) media.Key {
	k := &s.keys[suite-1]
	if k.Suite == media.None {
		*k = newKey(suite)
	}
	return *k
}

// Offer writes our own offer, with at as the place where we listen.
func (s *Sound) Offer(at netip.AddrPort) []byte {
	s.renew()
	s.offered = s.formats()
	proto, lines := "RTP/AVP", ""
	if s.Security != Plain {
		for _, suite := range []media.Suite{media.SHA180, media.SHA132} {
			lines += crypto{uint64(suite), s.key(suite)}.line()
		}
	}
	if s.Security == Secret {
		proto = "RTP/SAVP"
	}
	return s.write(at.Addr(), audio(at.Port(), proto, s.offered)+lines+"a=ptime:20\r\na=sendrecv\r\n")
}

// formats are what we offer.
func (s *Sound) formats() (list []format) {
	next := uint8(dynamic)
	add := func(c Codec) {
		for p := range uint8(dynamic) {
			if known, ok := static(p); ok && known.Name == c.Name && known.Hz == c.Hz {
				list = append(list, format{c, p})
				return
			}
		}
		if next == firstDTMF {
			next += 2
		}
		if next < 127 {
			list = append(list, format{c, next})
			next++
		}
	}
	wide := false
	for _, name := range s.names() {
		c := Codec{Name: name, Hz: g711, Channels: 1}
		if c.decodes() {
			add(c)
			continue
		}
		for _, c := range s.Other {
			if c.Name == name {
				add(c)
				wide = wide || c.Hz == 48_000
			}
		}
	}
	events := Codec{Name: "TELEPHONE-EVENT", Hz: g711, Channels: 1, Params: "0-16"}
	list = append(list, format{events, firstDTMF})
	if events.Hz = 48_000; wide {
		list = append(list, format{events, firstDTMF + 1})
	}
	return list
}

// Answer writes our answer to o; streams that we do not take are refused by port 0. What Other says by
// now counts, and o.Session may be another than before.
func (s *Sound) Answer(o *Offer, at netip.AddrPort) []byte {
	s.choose(o)
	var b strings.Builder
	for i, st := range o.streams {
		if i != o.taken {
			fmt.Fprintf(&b, "m=%s 0 %s %s\r\n", st.media, st.proto, st.formats)
			continue
		}
		se := o.Session
		b.WriteString(audio(at.Port(), st.proto, o.formats()))
		if se.Ours.Suite != media.None {
			b.WriteString(crypto{st.keys[0].tag, se.Ours}.line())
		}
		if st.mux {
			b.WriteString("a=rtcp-mux\r\n")
		}
		fmt.Fprintf(&b, "a=ptime:%d\r\na=%s\r\n", se.Ptime.Milliseconds(), describe(se.Send, se.Recv))
	}
	return s.write(at.Addr(), b.String())
}

// audio writes the m-line of a stream and what its numbers mean.
func audio(port uint16, proto string, formats []format) string {
	var numbers, lines strings.Builder
	for _, f := range formats {
		fmt.Fprintf(&numbers, " %d", f.payload)
		name := f.String()
		if f.events() {
			name = strings.ToLower(name)
		}
		fmt.Fprintf(&lines, "a=rtpmap:%d %s\r\n", f.payload, name)
		if f.Params != "" {
			fmt.Fprintf(&lines, "a=fmtp:%d %s\r\n", f.payload, f.Params)
		}
	}
	return fmt.Sprintf("m=audio %d %s%s\r\n%s", port, proto, &numbers, &lines)
}

// write puts the session part before streams. The version rises with every change (RFC 3264 8).
func (s *Sound) write(ip netip.Addr, streams string) []byte {
	family := "IP4"
	if ip.Is6() {
		family = "IP6"
	}
	body := fmt.Sprintf("%s %s|%s", family, ip, streams)
	if body != s.last {
		s.last = body
		s.version++
	}
	return fmt.Appendf(nil, "v=0\r\no=- %d %d IN %[3]s %[4]s\r\ns=-\r\nc=IN %[3]s %[4]s\r\nt=0 0\r\n%[5]s",
		s.ID, s.version, family, ip, streams)
}
