package dialog

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/pion/sdp/v3"

	"branchline/pbx/media"
	"branchline/pbx/sip/wire"
)

// Bounds on what one description may hold.
const (
	maxBody    = 8 << 10
	maxStreams = 16
	maxFormats = 64
)

// ErrNoCodec says that nothing in a description can be talked with: 488.
var ErrNoCodec = errors.New("no audio stream with a codec that we have")

// Offer is what the peer describes, and what of it we take.
type Offer struct {
	Session media.Session // as we would carry it
	Held    bool          // the peer will not listen: it has put us on hold

	direction string   // ours in the answer
	streams   []stream // all that was offered, in order: each must be answered
	taken     int
}

type stream struct{ media, proto, formats string }

// Sound is our own side of the negotiation: the name and version of our description.
type Sound struct {
	ID      uint64 // of the o= line; the same for the whole dialog
	version uint64
	last    string
}

// dtmf is the payload type that we offer for telephone events.
const dtmf = 101

// ReadOffer reads an SDP body, an offer or an answer. The error is ErrNoCodec where the text is
// fine but offers nothing for us.
func ReadOffer(body []byte) (*Offer, error) {
	if len(body) > maxBody {
		return nil, errors.New("sdp: too long")
	}
	var s sdp.SessionDescription
	if err := s.Unmarshal(body); err != nil {
		return nil, fmt.Errorf("sdp: %w", err)
	}
	if len(s.MediaDescriptions) > maxStreams {
		return nil, errors.New("sdp: too many streams")
	}
	o := &Offer{taken: -1}
	for i, m := range s.MediaDescriptions {
		n := m.MediaName
		if len(n.Formats) > maxFormats {
			return nil, errors.New("sdp: too many formats")
		}
		o.streams = append(o.streams, stream{n.Media, strings.Join(n.Protos, "/"), strings.Join(n.Formats, " ")})
		if o.taken < 0 && o.take(&s, m) {
			o.taken = i
		}
	}
	if o.taken < 0 {
		return nil, ErrNoCodec
	}
	return o, nil
}

// Offered reads the offer of an INVITE or UPDATE; nil: there is none. A response with a code
// says why it cannot be taken.
func Offered(r *wire.Request) (*Offer, wire.Response) {
	if len(r.Body) == 0 {
		return nil, wire.Response{}
	}
	if r.Type != "application/sdp" {
		return nil, wire.Response{Code: 415, Headers: []wire.Header{{Name: "Accept", Value: "application/sdp"}}}
	}
	o, err := ReadOffer(r.Body)
	switch {
	case errors.Is(err, ErrNoCodec):
		return nil, wire.Response{Code: 488}
	case err != nil:
		return nil, wire.Response{Code: 400, Reason: "Bad Request: SDP"}
	}
	return o, wire.Response{}
}

// take reads one stream and says whether we can carry it.
func (o *Offer) take(s *sdp.SessionDescription, m *sdp.MediaDescription) bool {
	n := m.MediaName
	if n.Media != "audio" || strings.Join(n.Protos, "/") != "RTP/AVP" || n.Port.Value < 1 || n.Port.Value > 65535 {
		return false
	}
	addr, ok := connection(s, m)
	if !ok {
		return false
	}
	session := media.Session{Remote: netip.AddrPortFrom(addr, uint16(n.Port.Value)), Ptime: ptime(m)}
	found := false
	for _, f := range n.Formats {
		pt, err := strconv.ParseUint(f, 10, 7)
		if err != nil {
			continue
		}
		switch name := encoding(m, f); {
		case name == "TELEPHONE-EVENT/8000" && session.DTMF == 0:
			session.DTMF = uint8(pt)
		case found:
		case name == "PCMU/8000":
			session.Codec, session.PayloadType, found = media.PCMU, uint8(pt), true
		case name == "PCMA/8000":
			session.Codec, session.PayloadType, found = media.PCMA, uint8(pt), true
		}
	}
	if !found {
		return false
	}
	theirs := direction(s, m)
	listens := (theirs == "sendrecv" || theirs == "recvonly") && !addr.IsUnspecified() // 0.0.0.0 is the hold of RFC 2543
	speaks := theirs == "sendrecv" || theirs == "sendonly"
	session.Send, session.Recv = listens, speaks
	o.Session, o.Held, o.direction = session, !listens, describe(listens, speaks)
	return true
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

func direction(s *sdp.SessionDescription, m *sdp.MediaDescription) string {
	for _, as := range [][]sdp.Attribute{m.Attributes, s.Attributes} {
		for _, a := range as {
			switch a.Key {
			case "sendrecv", "sendonly", "recvonly", "inactive":
				return a.Key
			}
		}
	}
	return "sendrecv"
}

// connection is where the stream shall be sent. A group address would make us shout.
func connection(s *sdp.SessionDescription, m *sdp.MediaDescription) (netip.Addr, bool) {
	c := m.ConnectionInformation
	if c == nil {
		c = s.ConnectionInformation
	}
	if c == nil || c.Address == nil {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(c.Address.Address)
	a = a.Unmap()
	return a, err == nil && a.Zone() == "" && !a.IsMulticast() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// encoding is the upper-case name and rate of a payload type.
func encoding(m *sdp.MediaDescription, format string) string {
	for _, a := range m.Attributes {
		if pt, name, ok := strings.Cut(a.Value, " "); ok && a.Key == "rtpmap" && pt == format {
			name = strings.ToUpper(strings.TrimSpace(name))
			return strings.TrimSuffix(name, "/1") // one channel
		}
	}
	switch format { // RFC 3551 table 4
	case "0":
		return "PCMU/8000"
	case "8":
		return "PCMA/8000"
	}
	return ""
}

func ptime(m *sdp.MediaDescription) time.Duration {
	if v, ok := m.Attribute("ptime"); ok {
		if n, err := strconv.Atoi(strings.TrimSpace(v)); err == nil && n >= 10 && n <= 60 {
			return time.Duration(n) * time.Millisecond
		}
	}
	return 20 * time.Millisecond
}

// Offer writes our own offer, with at as the place where we listen.
func (s *Sound) Offer(at netip.AddrPort) []byte {
	m := fmt.Sprintf("m=audio %d RTP/AVP 8 0 %d\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n", at.Port(), dtmf) +
		fmt.Sprintf("a=rtpmap:%[1]d telephone-event/8000\r\na=fmtp:%[1]d 0-16\r\na=ptime:20\r\na=sendrecv\r\n", dtmf)
	return s.write(at.Addr(), m)
}

// Answer writes our answer to o; streams that we do not take are refused by port 0.
func (s *Sound) Answer(o *Offer, at netip.AddrPort) []byte {
	var b strings.Builder
	for i, st := range o.streams {
		if i != o.taken {
			fmt.Fprintf(&b, "m=%s 0 %s %s\r\n", st.media, st.proto, st.formats)
			continue
		}
		se := o.Session
		name := "PCMU"
		if se.Codec == media.PCMA {
			name = "PCMA"
		}
		formats, events := fmt.Sprint(se.PayloadType), ""
		if se.DTMF != 0 {
			formats += fmt.Sprintf(" %d", se.DTMF)
			events = fmt.Sprintf("a=rtpmap:%[1]d telephone-event/8000\r\na=fmtp:%[1]d 0-16\r\n", se.DTMF)
		}
		fmt.Fprintf(&b, "m=audio %d RTP/AVP %s\r\na=rtpmap:%d %s/8000\r\n%sa=ptime:%d\r\na=%s\r\n",
			at.Port(), formats, se.PayloadType, name, events, se.Ptime.Milliseconds(), o.direction)
	}
	return s.write(at.Addr(), b.String())
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
