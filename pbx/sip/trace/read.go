package trace

import (
	"bytes"
	"net"
	"strings"
)

// Summary is what of a message stands in one line. Whatever is missing or broken is "".
type Summary struct {
	What     string // "INVITE", "200 OK"; of what is no SIP: "no SIP"
	CallID   string
	CSeq     string // "1 INVITE"
	From, To string // the user, or else the host
	Target   string // the user that a request is for
	Why      string // of a Reason or Warning header
	SDP      string // "PCMU,PCMA 192.0.2.1:4000 sendrecv"
}

const maxWord = 120 // octets of a member of a Summary: anybody can send longer ones

// Read sums a message up. Any bytes may come.
func Read(text []byte) Summary {
	first, _, _ := bytes.Cut(text, []byte("\n"))
	s := Summary{What: "no SIP"}
	if !bytes.Contains(first, []byte("SIP/")) {
		return s
	}
	if answer, ok := bytes.CutPrefix(first, []byte("SIP/2.0 ")); ok {
		s.What = word(answer)
	} else {
		words := bytes.Fields(first)
		s.What = word(words[0])
		if len(words) > 1 {
			s.Target = user(string(words[1]))
		}
	}
	s.CallID = callID(text)
	s.CSeq = word(field(text, "CSeq", ""))
	s.From, s.To = user(string(field(text, "From", "f"))), user(string(field(text, "To", "t")))
	if s.Why = word(field(text, "Reason", "")); s.Why == "" {
		s.Why = word(field(text, "Warning", ""))
	}
	s.SDP = sound(body(text))
	return s
}

// callID is whole: a Call-ID is compared.
func callID(text []byte) string { return string(field(text, "Call-ID", "i")) }

// word is b for a person's eye: one line, of bounded length.
func word(b []byte) string {
	s := strings.ToValidUTF8(string(bytes.TrimSpace(b[:min(len(b), maxWord)])), "")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// field is the value of the first header of that name, or of its compact form; nil: there is none.
func field(text []byte, name, compact string) []byte {
	for len(text) > 0 {
		line, rest, _ := bytes.Cut(text, []byte("\n"))
		text = rest
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 {
			return nil
		}
		key, value, ok := bytes.Cut(line, []byte(":"))
		key = bytes.TrimRight(key, " \t")
		if ok && (equal(key, name) || compact != "" && equal(key, compact)) {
			return bytes.TrimSpace(value)
		}
	}
	return nil
}

func equal(b []byte, name string) bool {
	return len(b) == len(name) && strings.EqualFold(string(b), name)
}

// body is what stands behind the headers.
func body(text []byte) []byte {
	if _, b, ok := bytes.Cut(text, []byte("\r\n\r\n")); ok {
		return b
	}
	_, b, _ := bytes.Cut(text, []byte("\n\n"))
	return b
}

// user is the user of an address, or its host where there is none.
func user(address string) string {
	if i := strings.IndexByte(address, '<'); i >= 0 {
		address = address[i+1:]
	}
	if i := strings.IndexAny(address, ">;"); i >= 0 {
		address = address[:i]
	}
	if _, after, ok := strings.Cut(address, ":"); ok {
		address = after
	}
	name, _, _ := strings.Cut(address, "@")
	return word([]byte(name))
}

// sound sums an SDP up: the codecs, where to, in which direction.
func sound(sdp []byte) string {
	var host, port, direction string
	var codecs []string
	if !bytes.HasPrefix(sdp, []byte("v=0")) {
		return ""
	}
	names := map[string]string{"0": "PCMU", "8": "PCMA", "9": "G722", "18": "G729", "13": "CN"}
	var types []string
	for line := range strings.Lines(string(sdp[:min(len(sdp), 8<<10)])) {
		kind, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		f := strings.Fields(value)
		switch {
		case kind == "c" && len(f) == 3:
			host = f[2]
		case kind == "m" && len(f) > 3 && port == "":
			port, types = f[1], f[3:min(len(f), 15)]
		case kind == "a" && len(f) == 2 && strings.HasPrefix(f[0], "rtpmap:"):
			names[strings.TrimPrefix(f[0], "rtpmap:")], _, _ = strings.Cut(f[1], "/")
		case kind == "a" && (value == "sendrecv" || value == "sendonly" || value == "recvonly" || value == "inactive"):
			direction = value
		}
	}
	for _, t := range types {
		if n := names[t]; n != "" {
			t = n
		}
		codecs = append(codecs, t)
	}
	if direction == "" {
		direction = "sendrecv" // RFC 3264 clause 5.1
	}
	return word([]byte(strings.Join(codecs, ",") + " " + net.JoinHostPort(host, port) + " " + direction))
}
