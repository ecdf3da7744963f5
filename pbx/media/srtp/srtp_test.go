package srtp

import (
	"bytes"
	"crypto/aes"
	"encoding/hex"
	"fmt"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func testKey(t testing.TB, s Suite) Key {
	k := Key{Suite: s}
	copy(k.Bytes[:], unhex(t, "e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6")) // RFC 3711 B.3
	return k
}

func TestSessionKeysAreThoseOfTheRFC(t *testing.T) {
	k := testKey(t, SHA180)
	master, err := aes.NewCipher(k.Bytes[:masterLen])
	if err != nil {
		t.Fatal(err)
	}
	for label, want := range []string{"c61e7a93744f39ee10734afe3ff7a087", "cebe321f6ff7716b6fd4ab49af256a156d38baa4", "30cbbc08863d8c85d49db34a9ae1"} {
		got := make([]byte, len(want)/2)
		if derive(master, &k, byte(label), got); hex.EncodeToString(got) != want {
			t.Errorf("label %d: %x, want %s", label, got, want)
		}
	}
}

func TestKeyStreamIsThatOfTheRFC(t *testing.T) {
	block, err := aes.NewCipher(unhex(t, "2b7e151628aed2a6abf7158809cf4f3c"))
	if err != nil {
		t.Fatal(err)
	}
	s := session{block: block}
	copy(s.salt[:], unhex(t, "f0f1f2f3f4f5f6f7f8f9fafbfcfd"))
	b := make([]byte, 48)
	s.crypt(b, 0, 0)
	if got := hex.EncodeToString(b); got != "e03ead0935c95e80e166b16dd92b4eb4"+"d23513162b02d0f72a43a2fe4a5f97ab"+"41e95b3bb0a2e8dd477901e4fca894c0" {
		t.Errorf("%s", got)
	}
}

// What libsrtp's own test (srtp_driver.c) has for the key of RFC 3711 B.3.
const (
	plain        = "800f1234decafbadcafebabeabababababababababababababababab"
	cipherText   = "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb"
	plainReport  = "81c8000bcafebabeabababababababababababababababab"
	cipherReport = "81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798"
)

func TestPacketsAreThoseOfOthers(t *testing.T) {
	s, r := NewSender(testKey(t, SHA180)), NewReceiver(testKey(t, SHA180))
	b := append(unhex(t, plain), make([]byte, Overhead)...)
	if got := hex.EncodeToString(b[:s.Protect(b, len(plain)/2)]); got != cipherText {
		t.Errorf("sound\n%s, want\n%s", got, cipherText)
	}
	b = unhex(t, cipherText)
	if n, ok := r.Open(b); !ok || hex.EncodeToString(b[:n]) != plain {
		t.Errorf("sound: %v %x", ok, b[:n])
	}
	b = append(unhex(t, plainReport), make([]byte, Overhead)...)
	if got := hex.EncodeToString(b[:s.ProtectReport(b, len(plainReport)/2)]); got != cipherReport {
		t.Errorf("report\n%s, want\n%s", got, cipherReport)
	}
	b = unhex(t, cipherReport)
	if n, ok := r.OpenReport(b); !ok || hex.EncodeToString(b[:n]) != plainReport {
		t.Errorf("report: %v %x", ok, b[:n])
	}
}

// packet is one of RTP, with seq, of ssrc.
func packet(seq uint16, ssrc byte) []byte {
	b := make([]byte, 172, 172+Overhead)
	b[0], b[2], b[3], b[11] = 0x80, byte(seq>>8), byte(seq), ssrc
	for i := range b[12:] {
		b[12+i] = byte(int(seq) + i)
	}
	return b
}

func sent(s *Sender, seq uint16, ssrc byte) []byte {
	b := packet(seq, ssrc)
	return b[:s.Protect(b[:cap(b)], len(b))]
}

func TestWhatComesTwiceAlteredOrByAnotherKeyIsNotOpened(t *testing.T) {
	for _, suite := range []Suite{SHA180, SHA132} {
		s, r := NewSender(testKey(t, suite)), NewReceiver(testKey(t, suite))
		open := func(b []byte) bool {
			n, ok := r.Open(bytes.Clone(b))
			return ok && n == 172
		}
		first := sent(s, 7, 1)
		for i := range first {
			b := bytes.Clone(first)
			b[i] ^= 4
			if open(b) {
				t.Fatalf("%v: altered at byte %d", suite, i)
			}
		}
		if !open(first) || open(first) {
			t.Errorf("%v: it was not opened, or twice", suite)
		}
		other := testKey(t, suite)
		other.Bytes[3]++
		if open(sent(NewSender(other), 8, 1)) {
			t.Errorf("%v: opened by another key", suite)
		}
		ninth, tenth := sent(s, 9, 1), sent(s, 10, 1)
		if !open(tenth) || !open(ninth) || open(ninth) {
			t.Errorf("%v: out of order", suite)
		}
		if !open(sent(s, 100, 1)) || open(sent(s, 30, 1)) {
			t.Errorf("%v: one that is far behind was opened", suite)
		}
		another := NewSender(testKey(t, suite))
		if !open(sent(another, 1, 2)) || !open(sent(s, 101, 1)) || open(first) {
			t.Errorf("%v: after another SSRC what was heard is heard again", suite)
		}
	}
}

func TestNumbersGoRoundManyTimesWithLossAndDisorder(t *testing.T) {
	s, r := NewSender(testKey(t, SHA180)), NewReceiver(testKey(t, SHA180))
	seq := uint16(32000)
	for i := range 200_000 {
		b := sent(s, seq, 1)
		seq++
		if i%1000 < 30 { // lost
			continue
		}
		want := packet(seq-1, 1)
		if n, ok := r.Open(b); !ok || !bytes.Equal(b[:n], want) {
			t.Fatalf("packet %d: %v", i, ok)
		}
	}
	if r.known[0].top>>16 != 3 {
		t.Errorf("went round %d times", r.known[0].top>>16)
	}
}

func TestProtectingAllocatesNothingWhateverComes(t *testing.T) {
	s, r := NewSender(testKey(t, SHA180)), NewReceiver(testKey(t, SHA180))
	b, seq := packet(0, 1), uint16(0)
	evil := packet(0, 9)[:182]
	report := append(unhex(t, plainReport), make([]byte, Overhead)...)
	if n := testing.AllocsPerRun(500, func() {
		copy(b[:12], []byte{0x80, 0, byte(seq >> 8), byte(seq), 0, 0, 0, 0, 0, 0, 0, 1})
		seq++
		n := s.Protect(b[:cap(b)], 172)
		if _, ok := r.Open(b[:n]); !ok {
			t.Error("not opened")
		}
		evil[11] = byte(seq)
		if _, ok := r.Open(evil); ok {
			t.Error("opened")
		}
		copy(report, plainReport)
		if _, ok := r.OpenReport(report[:s.ProtectReport(report, 24)]); !ok {
			t.Error("no report")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestKeyIsNeverPrinted(t *testing.T) {
	k := testKey(t, SHA132)
	text, err := k.MarshalText()
	for _, s := range []string{fmt.Sprint(k), fmt.Sprintf("%+v %#v", k, struct{ K Key }{k}), string(text)} {
		if err != nil || bytes.Contains([]byte(s), []byte("225")) || bytes.Contains([]byte(s), []byte("0xe1")) {
			t.Errorf("printed as %s", s)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(unhex(f, cipherText))
	f.Add(unhex(f, cipherReport))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, suite := range []Suite{SHA180, SHA132} {
			r := NewReceiver(testKey(t, suite))
			if n, ok := r.Open(bytes.Clone(b)); ok && hex.EncodeToString(b) != cipherText && suite == SHA180 {
				t.Errorf("%x was opened to %d bytes", b, n)
			}
			r.OpenReport(bytes.Clone(b))
		}
	})
}

func BenchmarkProtect(b *testing.B) {
	s := NewSender(testKey(b, SHA180))
	p, seq := packet(0, 1), uint16(0)
	for b.Loop() {
		p[2], p[3] = byte(seq>>8), byte(seq)
		seq++
		s.Protect(p[:cap(p)], 172)
	}
}
