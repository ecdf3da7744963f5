package dialog

import (
	"cmp"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"branchline/pbx/media"
	"branchline/pbx/sip/wire"
)

// Bounds on what one description may hold.
const (
	maxBody    = 8 << 10
	maxStreams = 16
	maxFormats = 64
	maxParams  = 200
	firstPort  = 1024 // below are services, not ears: nobody has us talk to a name server
)

// ErrNoCodec says that nothing in a description can be talked with: 488.
var ErrNoCodec = errors.New("no audio stream with a codec that we have and an address that sound may go to")

// Offer is what the peer describes, in an offer or an answer, and what of it we take.
type Offer struct {
	Session media.Session // as we would carry it
	Held    bool          // the peer will not listen: it has put us on hold

	streams []stream // all that was described, in order: each must be answered
	taken   int      // the one that we carry
}

// stream is one m-line.
type stream struct {
	media, proto, formats string // as said
	offer                 []format
	keys                  []crypto
	at                    netip.AddrPort
	direction             string // theirs
	ptime                 time.Duration
	mux                   bool   // reports beside the sound
	rtcp                  uint16 // where reports go; 0: the port above
}

// Codecs lists what the stream that we carry names, in its order.
func (o *Offer) Codecs() (list []Codec) {
	for _, f := range o.streams[o.taken].offer {
		if !f.events() {
			list = append(list, f.Codec)
		}
	}
	return list
}

// read reads a description of a peer that is at flow.
func read(flow wire.Flow, body []byte) (*Offer, error) {
	t, err := parse(body)
	if err != nil {
		return nil, err
	}
	o := &Offer{taken: -1}
	o.Session.Peer = flow.Remote.Addr().Unmap()
	for i := range t.streams {
		m := &t.streams[i]
		st := stream{media: m.media, proto: m.proto, formats: strings.Join(m.formats, " ")}
		if m.media == "audio" && m.port >= firstPort {
			st.describe(&t.part, m, flow)
		}
		o.streams = append(o.streams, st)
	}
	return o, nil
}

// describe reads a stream of sound. One that has no place where we may send has no formats.
func (st *stream) describe(s, m *part, flow wire.Flow) {
	addr, ok := connection(s, m)
	if !ok || astray(addr, flow) {
		return
	}
	st.at = netip.AddrPortFrom(addr, uint16(m.port))
	st.offer, st.keys, st.direction, st.ptime = readFormats(m), readCrypto(m), direction(s, m), ptime(m)
	_, st.mux = m.value("rtcp-mux")
	if v, ok := m.value("rtcp"); ok { // RFC 3605; another address than that of the sound is not taken
		port, _, _ := strings.Cut(v, " ")
		if n, err := strconv.ParseUint(port, 10, 16); err == nil && n >= firstPort {
			st.rtcp = uint16(n)
		}
	}
}

// take makes o the session of one of its streams and format f there.
func (o *Offer) take(i int, f format) {
	st := &o.streams[i]
	o.taken = i
	listens := (st.direction == "sendrecv" || st.direction == "recvonly") && !st.at.Addr().IsUnspecified() // 0.0.0.0 is the hold of RFC 2543
	speaks := st.direction == "sendrecv" || st.direction == "sendonly"
	o.Session = media.Session{Remote: st.at, Peer: o.Session.Peer, Ptime: st.ptime, Send: listens, Recv: speaks,
		PayloadType: f.payload, Mux: st.mux, Reports: st.rtcp}
	f.put(&o.Session)
	for _, e := range st.offer {
		if e.events() && e.Hz == f.Hz && o.Session.DTMF == 0 {
			o.Session.DTMF = e.payload
		}
	}
	o.Held = !listens
}

// formats are what of its stream o has taken, under the peer's numbers.
func (o *Offer) formats() []format {
	var sound, events []format
	for _, f := range o.streams[o.taken].offer {
		switch {
		case f.events() && f.payload == o.Session.DTMF && events == nil:
			f.Params = "0-16"
			events = append(events, f)
		case !f.events() && f.payload == o.Session.PayloadType && sound == nil:
			sound = append(sound, f)
		}
	}
	return append(sound, events...)
}

// describe names our direction: never sendrecv where the peer has put us on hold.
func describe(send, recv bool) string {
	switch {
	case send && recv:
		return "sendrecv"
	case send:
		return "sendonly"
	case recv:
		return "recvonly"
	}
	return "inactive"
}

func direction(s, m *part) string {
	for _, p := range []*part{m, s} {
		for _, a := range p.attributes {
			switch a.key {
			case "sendrecv", "sendonly", "recvonly", "inactive":
				return a.key
			}
		}
	}
	return "sendrecv"
}

// connection is where the stream shall be sent: one host, or nowhere (0.0.0.0). A group address would
// make us shout.
func connection(s, m *part) (netip.Addr, bool) {
	a, err := netip.ParseAddr(cmp.Or(m.address, s.address))
	if err != nil || a.Zone() != "" || a.IsMulticast() {
		return netip.Addr{}, false
	}
	if a = a.Unmap(); a.Is4() { // 0/8 is "this net", from 240 on nothing is a host: RFC 6890
		first := a.As4()[0]
		return a, first > 0 && first < 224 || a.IsUnspecified()
	}
	return a, true
}

// astray says that a peer at flow would have us send to ourselves.
func astray(a netip.Addr, flow wire.Flow) bool {
	peer := flow.Remote.Addr().Unmap()
	switch {
	case !peer.IsValid() || a == peer || a.IsUnspecified():
		return false
	case peer.IsLoopback(): // somebody on this machine
		return false
	}
	return a.IsLoopback() || media.Ours(a) && !media.Ours(peer)
}

// ptime is how much sound the peer wants in a packet.
func ptime(m *part) time.Duration {
	read := func(key string) int {
		v, _ := m.value(key)
		n, err := strconv.Atoi(v)
		if err != nil || n < 10 || n > 60 {
			return 0
		}
		return n
	}
	n := read("ptime")
	if n == 0 {
		n = 20
	}
	if most := read("maxptime"); most > 0 {
		n = min(n, most)
	}
	return time.Duration(n) * time.Millisecond
}
