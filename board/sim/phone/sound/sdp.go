// Package sound is the sound of the simulated phone: what is agreed in SDP (RFC 4566, RFC 3264),
// and RTP with G.711 and telephone events (RFC 3550, 3551, 4733).
//
// A Session sends a tone or samples every 20 ms and remembers what it heard, so that a test can
// listen: Heard, Level, Tone, Keys. Everything that comes from the wire is bounded and checked.
// Start reading at Session; SDP stands by itself.
package sound

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// ErrSDP is what every reading error of a session description wraps.
var ErrSDP = errors.New("unusable session description")

// Direction is what a side says it does with sound.
type Direction string

// The four directions of RFC 3264 5.1.
const (
	SendRecv Direction = "sendrecv"
	SendOnly Direction = "sendonly"
	RecvOnly Direction = "recvonly"
	Inactive Direction = "inactive"
)

// Sends and Receives take the direction apart.
func (d Direction) Sends() bool { return d == SendRecv || d == SendOnly }

// Receives says whether the side wants to hear.
func (d Direction) Receives() bool { return d == SendRecv || d == RecvOnly }

// DirectionOf puts a direction together.
func DirectionOf(sends, receives bool) Direction {
	switch {
	case sends && receives:
		return SendRecv
	case sends:
		return SendOnly
	case receives:
		return RecvOnly
	}
	return Inactive
}

// Codec is one line of an rtpmap that we know: "PCMU", "PCMA" or "telephone-event".
type Codec struct {
	Name    string
	Payload uint8
}

const eventName = "telephone-event"

// Static payload types of RFC 3551 table 4, and the usual dynamic one for events.
const (
	payloadPCMU   = 0
	payloadPCMA   = 8
	payloadEvents = 101
)

// Description is the part of a session description that a telephone needs.
type Description struct {
	ID, Version uint64         // of the o= line
	Addr        netip.AddrPort // where its sender wants the sound; port 0: no sound at all
	Direction   Direction      // as its sender sees it
	Codecs      []Codec        // those that we know, in the order of the m= line, events included
	medias      []string       // all m= lines as they came: an answer has as many
	audio       int            // which of them this is about; -1: none
}

const maxLines, maxMedias = 500, 16

// Parse reads a description. Of several audio streams the first that is not refused counts.
func Parse(b []byte) (*Description, error) {
	d := &Description{Direction: SendRecv, audio: -1}
	lines := strings.Split(strings.ReplaceAll(string(b), "\r", ""), "\n")
	if len(lines) > maxLines || !strings.HasPrefix(lines[0], "v=0") {
		return nil, fmt.Errorf("%w: no version, or too long", ErrSDP)
	}
	p := parser{d: d, names: map[uint8]string{payloadPCMU: "PCMU", payloadPCMA: "PCMA"}}
	for _, line := range lines {
		if len(line) < 2 || line[1] != '=' {
			continue
		}
		if err := p.line(line[0], line[2:]); err != nil {
			return nil, err
		}
	}
	for _, payload := range p.order {
		if name, ok := p.names[payload]; ok {
			d.Codecs = append(d.Codecs, Codec{name, payload})
		}
	}
	if d.audio >= 0 && !p.addr.IsValid() {
		return nil, fmt.Errorf("%w: no address that we can send to", ErrSDP)
	}
	if p.addr.IsUnspecified() { // hold of the old kind: RFC 2543 B.5
		d.Direction = DirectionOf(d.Direction.Sends(), false)
	}
	d.Addr = netip.AddrPortFrom(p.addr, p.port)
	return d, nil
}

// parser is a description being read.
type parser struct {
	d     *Description
	addr  netip.Addr
	port  uint16
	order []uint8 // payload types of our m= line
	names map[uint8]string
}

func (p *parser) line(key byte, value string) error {
	ours := len(p.d.medias) == 0 || len(p.d.medias)-1 == p.d.audio
	switch {
	case key == 'm':
		return p.media(value)
	case !ours:
	case key == 'o':
		if f := strings.Fields(value); len(f) == 6 {
			p.d.ID, _ = strconv.ParseUint(f[1], 10, 64)
			p.d.Version, _ = strconv.ParseUint(f[2], 10, 64)
		}
	case key == 'c':
		f := strings.Fields(value)
		if len(f) != 3 || f[0] != "IN" {
			return fmt.Errorf("%w: c=%.40q", ErrSDP, value)
		}
		host, _, _ := strings.Cut(f[2], "/")
		p.addr, _ = netip.ParseAddr(host) // a name stays invalid: no names are looked up
	case key == 'a':
		p.attribute(value)
	}
	return nil
}

func (p *parser) media(value string) error {
	if len(p.d.medias) == maxMedias {
		return fmt.Errorf("%w: too many streams", ErrSDP)
	}
	p.d.medias = append(p.d.medias, value)
	f := strings.Fields(value)
	if len(f) < 4 {
		return fmt.Errorf("%w: m=%.40q", ErrSDP, value)
	}
	port, err := strconv.ParseUint(f[1], 10, 16)
	if p.d.audio >= 0 || f[0] != "audio" || f[2] != "RTP/AVP" || err != nil || port == 0 {
		return nil
	}
	p.d.audio, p.port = len(p.d.medias)-1, uint16(port)
	for _, format := range f[3:] {
		if n, err := strconv.ParseUint(format, 10, 7); err == nil && !slices.Contains(p.order, uint8(n)) {
			p.order = append(p.order, uint8(n))
		}
	}
	return nil
}

func (p *parser) attribute(value string) {
	switch Direction(value) {
	case SendRecv, SendOnly, RecvOnly, Inactive:
		p.d.Direction = Direction(value)
		return
	}
	mapping, ok := strings.CutPrefix(value, "rtpmap:")
	if !ok {
		return
	}
	payload, encoding, _ := strings.Cut(mapping, " ")
	n, err := strconv.ParseUint(payload, 10, 7)
	if err != nil {
		return
	}
	name, rate, _ := strings.Cut(strings.TrimSpace(encoding), "/")
	rate, _, _ = strings.Cut(rate, "/")
	delete(p.names, uint8(n))
	if rate != "8000" {
		return
	}
	switch {
	case strings.EqualFold(name, "PCMU"), strings.EqualFold(name, "PCMA"):
		p.names[uint8(n)] = strings.ToUpper(name)
	case strings.EqualFold(name, eventName):
		p.names[uint8(n)] = eventName
	}
}

// Offer describes what we could do: all of codecs and telephone events.
func Offer(id, version uint64, local netip.AddrPort, dir Direction, codecs []string) *Description {
	d := &Description{ID: id, Version: version, Addr: local, Direction: dir}
	for _, name := range codecs {
		switch name {
		case "PCMU":
			d.Codecs = append(d.Codecs, Codec{name, payloadPCMU})
		case "PCMA":
			d.Codecs = append(d.Codecs, Codec{name, payloadPCMA})
		}
	}
	d.Codecs = append(d.Codecs, Codec{eventName, payloadEvents})
	return d
}

// Answer describes what we take of the offer d: the first codec of the offer that is in codecs,
// with the offer's payload types, and every other stream refused (RFC 3264 6). dir is what we
// would like; the answer never promises more than the offer lets it.
func (d *Description) Answer(id, version uint64, local netip.AddrPort, dir Direction, codecs []string) (*Description, error) {
	if d.audio < 0 {
		return nil, fmt.Errorf("%w: no audio offered", ErrSDP)
	}
	a := &Description{ID: id, Version: version, Addr: local, medias: d.medias, audio: d.audio}
	a.Direction = DirectionOf(dir.Sends() && d.Direction.Receives(), dir.Receives() && d.Direction.Sends())
	i := slices.IndexFunc(d.Codecs, func(c Codec) bool { return slices.Contains(codecs, c.Name) })
	if i < 0 {
		return nil, fmt.Errorf("%w: no common codec", ErrSDP)
	}
	a.Codecs = append(a.Codecs, d.Codecs[i])
	if e, ok := d.events(); ok {
		a.Codecs = append(a.Codecs, e)
	}
	return a, nil
}

func (d *Description) events() (Codec, bool) {
	i := slices.IndexFunc(d.Codecs, func(c Codec) bool { return c.Name == eventName })
	if i < 0 {
		return Codec{}, false
	}
	return d.Codecs[i], true
}

// Bytes writes the description.
func (d *Description) Bytes() []byte {
	family := "IP4"
	if d.Addr.Addr().Is6() {
		family = "IP6"
	}
	host := d.Addr.Addr().String()
	var b strings.Builder
	fmt.Fprintf(&b, "v=0\r\no=- %d %d IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n", d.ID, d.Version, family, host, family, host)
	if len(d.medias) == 0 {
		d.writeAudio(&b)
		return []byte(b.String())
	}
	for i, m := range d.medias {
		if i == d.audio {
			d.writeAudio(&b)
			continue
		}
		f := strings.Fields(m) // refused: port 0, the rest as it was
		f[1] = "0"
		fmt.Fprintf(&b, "m=%s\r\n", strings.Join(f, " "))
	}
	return []byte(b.String())
}

func (d *Description) writeAudio(b *strings.Builder) {
	fmt.Fprintf(b, "m=audio %d RTP/AVP", d.Addr.Port())
	for _, c := range d.Codecs {
		fmt.Fprintf(b, " %d", c.Payload)
	}
	b.WriteString("\r\n")
	for _, c := range d.Codecs {
		fmt.Fprintf(b, "a=rtpmap:%d %s/8000\r\n", c.Payload, c.Name)
		if c.Name == eventName {
			fmt.Fprintf(b, "a=fmtp:%d 0-15\r\n", c.Payload)
		}
	}
	fmt.Fprintf(b, "a=ptime:20\r\na=%s\r\n", d.Direction)
}

// Agree is what an offer and its answer come to, seen by the side that sent ours: where to
// send, with what, and whether. theirs is the other side's description, ours our own.
func Agree(ours, theirs *Description) (Flow, error) {
	f := Flow{To: theirs.Addr, Sends: ours.Direction.Sends() && theirs.Direction.Receives() && !theirs.Addr.Addr().IsUnspecified(), Receives: ours.Direction.Receives()}
	if theirs.audio < 0 {
		return Flow{}, fmt.Errorf("%w: sound was refused", ErrSDP)
	}
	for _, c := range theirs.Codecs {
		if c.Name != eventName && slices.ContainsFunc(ours.Codecs, func(o Codec) bool { return o.Name == c.Name }) {
			f.Codec = c
			break
		}
	}
	if f.Codec.Name == "" {
		return Flow{}, fmt.Errorf("%w: no common codec", ErrSDP)
	}
	if e, ok := theirs.events(); ok {
		f.Events = e.Payload
	}
	for _, c := range ours.Codecs { // what comes in wears our numbers
		f.In[c.Payload&0x7f] = c.Name
	}
	return f, nil
}
