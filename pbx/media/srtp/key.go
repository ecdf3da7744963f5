// Package srtp protects RTP and RTCP (RFC 3711): AES in counter mode and HMAC-SHA1, the two suites that
// SIP phones know. Nothing here waits, locks or allocates after it was made, whatever comes in. Start
// reading at Sender and Receiver.
package srtp

// Suite is what protects a stream (RFC 4568 section 6.2).
type Suite uint8

const (
	None   Suite = iota
	SHA180       // AES_CM_128_HMAC_SHA1_80
	SHA132       // AES_CM_128_HMAC_SHA1_32
)

func (s Suite) String() string {
	return [...]string{"none", "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"}[min(s, SHA132)]
}

// Sizes in bytes.
const (
	masterLen = 16
	saltLen   = 14
	KeyLen    = masterLen + saltLen
)

// Key is the master key and salt of one direction. The zero value protects nothing. It prints as its
// suite alone, so that it comes into no log and no file.
type Key struct {
	Suite Suite
	Bytes [KeyLen]byte
}

func (k Key) String() string { return "srtp key of " + k.Suite.String() }

// GoString is for %#v.
func (k Key) GoString() string { return k.String() }

// MarshalText is for JSON and logs.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }
