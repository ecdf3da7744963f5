package dialog

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"branchline/pbx/media"
)

// Security says whether the sound of a leg is encrypted (SRTP, keys in the SDP: RFC 4568).
type Security uint8

const (
	Plain   Security = iota // never; who insists on it is refused
	Offered                 // where the peer can
	Secret                  // always; who cannot is refused
)

// SecurityOf is the Security that the configuration calls word: "offer", "require", else Plain.
func SecurityOf(word string) Security {
	switch word {
	case "offer":
		return Offered
	case "require":
		return Secret
	}
	return Plain
}

// crypto is one a=crypto line.
type crypto struct {
	tag uint64
	key media.Key
}

// readCrypto lists the keys of a stream that we could use, in its order.
func readCrypto(m *part) (list []crypto) {
	for _, a := range m.attributes {
		if a.key != "crypto" || len(list) >= maxFormats {
			continue
		}
		if c, ok := parseCrypto(a.value); ok {
			list = append(list, c)
		}
	}
	return list
}

// parseCrypto reads "1 AES_CM_128_HMAC_SHA1_80 inline:key|2^31". What it does not know makes the line void
// (RFC 4568 section 6.3), as do a master key index and more keys than one, which nobody sends.
func parseCrypto(s string) (c crypto, ok bool) {
	parts := strings.Fields(s)
	if len(parts) < 3 {
		return crypto{}, false
	}
	tag, err := strconv.ParseUint(parts[0], 10, 30)
	if err != nil {
		return crypto{}, false
	}
	c.tag = tag
	switch strings.ToUpper(parts[1]) {
	case media.SHA180.String():
		c.key.Suite = media.SHA180
	case media.SHA132.String():
		c.key.Suite = media.SHA132
	default:
		return crypto{}, false
	}
	for _, p := range parts[3:] {
		if !strings.HasPrefix(p, "-") && !strings.HasPrefix(p, "WSH=") && p != "KDR=0" {
			return crypto{}, false
		}
	}
	text, found := strings.CutPrefix(parts[2], "inline:")
	text, more, _ := strings.Cut(text, "|")
	if !found || strings.ContainsAny(more, ":;|") {
		return crypto{}, false
	}
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil || len(b) != len(c.key.Bytes) {
		return crypto{}, false
	}
	copy(c.key.Bytes[:], b)
	return c, true
}

// line writes a key of ours.
func (c crypto) line() string {
	return fmt.Sprintf("a=crypto:%d %s inline:%s\r\n", c.tag, c.key.Suite, base64.StdEncoding.EncodeToString(c.key.Bytes[:]))
}

func newKey(s media.Suite) media.Key {
	k := media.Key{Suite: s}
	_, _ = rand.Read(k.Bytes[:]) // it does not fail
	return k
}
