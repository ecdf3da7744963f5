package srtp

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/binary"
	"hash"
)

// Labels of the session keys (RFC 3711 section 4.3.2). Those of RTCP follow in the same order.
const (
	forSound   = 0
	forReports = 3
)

// session is the keys of one direction for one kind of packet, with the memory that using them needs:
// what is handed to a cipher through its interface would be allocated anew each time.
type session struct {
	block   cipher.Block
	auth    hash.Hash
	salt    [saltLen]byte
	counter [aes.BlockSize]byte
	stream  [aes.BlockSize]byte
	index   [4]byte
	tag     [sha1.Size]byte
}

func newSession(k *Key, label byte) *session {
	master, err := aes.NewCipher(k.Bytes[:masterLen])
	if err != nil {
		panic("srtp: " + err.Error()) // the length is right
	}
	var key [masterLen]byte
	var auth [sha1.Size]byte
	s := &session{}
	derive(master, k, label, key[:])
	derive(master, k, label+1, auth[:])
	derive(master, k, label+2, s.salt[:])
	s.block, _ = aes.NewCipher(key[:])
	s.auth = hmac.New(sha1.New, auth[:])
	return s
}

// derive fills key with the session key of label (RFC 3711 section 4.3.1, of rate 0).
func derive(master cipher.Block, k *Key, label byte, key []byte) {
	var iv [aes.BlockSize]byte
	copy(iv[:], k.Bytes[masterLen:])
	iv[7] ^= label
	cipher.NewCTR(master, iv[:]).XORKeyStream(key, key)
}

// crypt encrypts or decrypts b, of packet index of ssrc (RFC 3711 section 4.1.1).
func (s *session) crypt(b []byte, ssrc uint32, index uint64) {
	c := &s.counter
	*c = [aes.BlockSize]byte{}
	copy(c[:], s.salt[:])
	binary.BigEndian.PutUint32(c[4:], binary.BigEndian.Uint32(c[4:])^ssrc)
	binary.BigEndian.PutUint64(c[8:], binary.BigEndian.Uint64(c[8:])^index<<16)
	for n := uint16(0); len(b) > 0; n++ {
		binary.BigEndian.PutUint16(c[14:], n)
		s.block.Encrypt(s.stream[:], c[:])
		b = b[subtle.XORBytes(b, b, s.stream[:]):]
	}
}

// sign is the tag of b and, of sound, of the rollover counter behind it. It is valid until the next.
func (s *session) sign(b []byte, sound bool, roc uint32) []byte {
	s.auth.Reset()
	s.auth.Write(b)
	if sound {
		binary.BigEndian.PutUint32(s.index[:], roc)
		s.auth.Write(s.index[:])
	}
	return s.auth.Sum(s.tag[:0])
}

// window is which indexes of a stream have come (RFC 3711 section 3.3.2).
type window struct {
	top  uint64 // the highest
	seen uint64 // bit i: top-i has come
	any  bool
}

// fresh says that index has not come, as far as is known.
func (w *window) fresh(index uint64) bool {
	switch {
	case !w.any || index > w.top:
		return true
	case w.top-index >= 64:
		return false
	}
	return w.seen>>(w.top-index)&1 == 0
}

func (w *window) mark(index uint64) {
	switch {
	case !w.any:
		w.top, w.seen, w.any = index, 1, true
	case index > w.top:
		w.seen = w.seen<<min(index-w.top, 64) | 1
		w.top = index
	default:
		w.seen |= 1 << (w.top - index)
	}
}

// guess is the index of a packet with number seq: the one nearest to the highest (RFC 3711 section
// 3.3.1).
func (w *window) guess(seq uint16) uint64 {
	if !w.any {
		return uint64(seq)
	}
	index := w.top&^0xffff | uint64(seq)
	switch ahead := int64(index - w.top); {
	case ahead > 1<<15 && index >= 1<<16:
		return index - 1<<16
	case ahead < -1<<15:
		return index + 1<<16
	}
	return index
}
