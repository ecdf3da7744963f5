package dialog

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"branchline/pbx/media"
)

// Codec is one way to pack sound, as descriptions name it.
type Codec struct {
	Name     string // upper case: "PCMA", "G722", "OPUS"
	Hz       uint32 // how fast its timestamps count
	Channels uint8
	Params   string // of its fmtp line, as said
}

// String is the value of its rtpmap line.
func (c Codec) String() string {
	name := c.Name
	if name == "OPUS" { // the spelling of RFC 7587
		name = "opus"
	}
	if c.Channels > 1 {
		return fmt.Sprintf("%s/%d/%d", name, c.Hz, c.Channels)
	}
	return fmt.Sprintf("%s/%d", name, c.Hz)
}

// same says whether two legs that have c and d can be passed each other's packets. The parameters of
// most codecs are wishes.
func (c Codec) same(d Codec) bool {
	if c.Name != d.Name || c.Hz != d.Hz || c.Channels != d.Channels {
		return false
	}
	return c.Params == d.Params || !c.bound()
}

// bound says that the parameters change the bits.
func (c Codec) bound() bool {
	return slices.Contains([]string{"AMR", "AMR-WB", "ILBC", "SPEEX"}, c.Name)
}

// decodes says whether the box can make sound of it.
func (c Codec) decodes() bool {
	return (c.Name == "PCMA" || c.Name == "PCMU") && c.Hz == 8000 && c.Channels == 1
}

// put names c in a session.
func (c Codec) put(s *media.Session) {
	switch {
	case !c.decodes():
		s.Codec, s.Format, s.ClockHz = media.Raw, c.String(), c.Hz
		if c.bound() {
			s.Format += ";" + c.Params
		}
	case c.Name == "PCMA":
		s.Codec = media.PCMA
	default:
		s.Codec = media.PCMU
	}
}

// format is a codec or telephone events under the payload type of one description.
type format struct {
	Codec
	payload uint8
}

func (f format) events() bool { return f.Name == "TELEPHONE-EVENT" }

const g711, dynamic, firstDTMF = 8000, 96, 101

// static are the payload types that need no rtpmap (RFC 3551 table 4).
func static(payload uint8) (Codec, bool) {
	switch payload {
	case 0:
		return Codec{Name: "PCMU", Hz: 8000, Channels: 1}, true
	case 3:
		return Codec{Name: "GSM", Hz: 8000, Channels: 1}, true
	case 4:
		return Codec{Name: "G723", Hz: 8000, Channels: 1}, true
	case 8:
		return Codec{Name: "PCMA", Hz: 8000, Channels: 1}, true
	case 9:
		return Codec{Name: "G722", Hz: 8000, Channels: 1}, true // its clock is wrong for ever: RFC 3551 4.5.2
	case 18:
		return Codec{Name: "G729", Hz: 8000, Channels: 1}, true
	}
	return Codec{}, false
}

// readFormats lists what a stream names, in its order; what makes no sense is left out.
func readFormats(m *part) (list []format) {
	names, params := map[string]string{}, map[string]string{}
	for _, a := range m.attributes {
		payload, value, _ := strings.Cut(a.value, " ")
		switch a.key {
		case "rtpmap":
			names[payload] = strings.TrimSpace(value)
		case "fmtp":
			params[payload] = strings.TrimSpace(value)
		}
	}
	for _, f := range m.formats {
		payload, err := strconv.ParseUint(f, 10, 7)
		if err != nil {
			continue
		}
		c, ok := readCodec(names[f])
		if names[f] == "" {
			c, ok = static(uint8(payload))
		}
		if c.Params = params[f]; ok && len(c.Params) <= maxParams {
			list = append(list, format{c, uint8(payload)})
		}
	}
	return list
}

// readCodec reads the value of an rtpmap line: name/clock or name/clock/channels.
func readCodec(s string) (Codec, bool) {
	parts := strings.Split(s, "/")
	if len(parts) < 2 || len(parts) > 3 || !token(parts[0]) {
		return Codec{}, false
	}
	hz, err := strconv.ParseUint(parts[1], 10, 32)
	if err != nil || hz < 1000 || hz > 192_000 || hz%1000 != 0 {
		return Codec{}, false
	}
	c := Codec{Name: strings.ToUpper(parts[0]), Hz: uint32(hz), Channels: 1}
	if len(parts) == 3 {
		n, err := strconv.ParseUint(parts[2], 10, 3)
		if err != nil || n == 0 {
			return Codec{}, false
		}
		c.Channels = uint8(n)
	}
	return c, true
}

func token(s string) bool {
	return s != "" && len(s) <= 32 && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"(),/:;<=>?@[]\\", r)
	})
}
