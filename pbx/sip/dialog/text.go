package dialog

import (
	"errors"
	"strconv"
	"strings"
)

// text is an SDP body (RFC 8866) as far as it concerns us: of the session and of each stream the
// address and the attributes. What a line means is not judged here.
type text struct {
	part    // of the session
	streams []part
}

// part is the session, or an m-line and what is below it.
type part struct {
	media, proto string
	port         int
	formats      []string
	address      string // of its c= line; "": none
	attributes   []attribute
}

type attribute struct{ key, value string }

var (
	errLine   = errors.New("sdp: a line that is none")
	errTooBig = errors.New("sdp: too long")
)

// parse reads body. Lines may end in LF alone.
func parse(body []byte) (*text, error) {
	if len(body) > maxBody {
		return nil, errTooBig
	}
	t, now := &text{}, (*part)(nil)
	now = &t.part
	first := true
	for line := range strings.Lines(string(body)) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || len(key) != 1 || key[0] < 'a' || key[0] > 'z' || !visible(value) || first && line != "v=0" {
			return nil, errLine
		}
		first = false
		switch key {
		case "m":
			p, err := readStream(value)
			if err != nil || len(t.streams) == maxStreams {
				return nil, errors.Join(err, errLine)
			}
			t.streams = append(t.streams, p)
			now = &t.streams[len(t.streams)-1]
		case "c":
			now.address = readAddress(value)
		case "a":
			key, value, _ := strings.Cut(value, ":")
			now.attributes = append(now.attributes, attribute{key, value})
		}
	}
	if first {
		return nil, errLine
	}
	return t, nil
}

// readStream reads "audio 4000 RTP/AVP 8 0 101".
func readStream(s string) (part, error) {
	f := strings.Fields(s)
	if len(f) < 4 || len(f) > 3+maxFormats {
		return part{}, errLine
	}
	port, _, _ := strings.Cut(f[1], "/") // of several ports the first
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return part{}, errLine
	}
	return part{media: f[0], port: int(n), proto: f[2], formats: f[3:]}, nil
}

// readAddress reads "IN IP4 10.0.0.9", also with the TTL of a group behind it.
func readAddress(s string) string {
	f := strings.Fields(s)
	if len(f) != 3 || f[0] != "IN" {
		return "none"
	}
	a, _, _ := strings.Cut(f[2], "/")
	return a
}

// value is that of the first attribute key of p.
func (p *part) value(key string) (string, bool) {
	for _, a := range p.attributes {
		if a.key == key {
			return strings.TrimSpace(a.value), true
		}
	}
	return "", false
}

// visible says that s may be said again: no control characters.
func visible(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\ufffd' })
}
