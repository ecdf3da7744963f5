package stream

import (
	"bufio"
	"bytes"
	"errors"
	"strings"
	"testing"
)

// FuzzStream cuts octets into messages: what comes out is bounded, and nothing of it is lost or made up.
func FuzzStream(f *testing.F) {
	for _, s := range []string{
		"OPTIONS sip:a SIP/2.0\r\nContent-Length: 3\r\n\r\nabcOPTIONS sip:b SIP/2.0\nl: 0\n\n",
		"X y SIP/2.0\r\nContent-Length:\r\n 4\r\n\r\nbody", "X y SIP/2.0\r\nl: -1\r\n\r\n", "X y SIP/2.0\r\nl: 1\r\nl: 1\r\n\r\nx", "\x16\x03\x01",
		"X y SIP/2.0\r\nContent-Length: 99999999999\r\n\r\n", " SIP/\n\tl: 3\nl: \n 1\n\nx",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in := bufio.NewReaderSize(bytes.NewReader(data), 4<<10)
		rest := data
		for {
			m, fault, err := next(in)
			if err != nil {
				if m != nil || fault != "" {
					t.Errorf("a message beside the error %v", err)
				}
				if errors.Is(err, errFraming) && len(rest) == 0 {
					t.Error("the end is no broken message")
				}
				return
			}
			if len(m) > maxHead+maxBody || !bytes.HasPrefix(rest, m) {
				t.Fatalf("%d octets %q of %q", len(m), m, rest)
			}
			if rest = rest[len(m):]; fault != "" {
				return
			}
			if head, _, _ := strings.Cut(string(m), "\n\n"); !strings.Contains(head, "SIP/") {
				t.Errorf("taken: %q", m)
			}
		}
	})
}
