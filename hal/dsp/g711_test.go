package dsp

import (
	"bytes"
	"flag"
	"fmt"
	"math/bits"
	"os"
	"testing"

	"github.com/zaf/g711"
)

var update = flag.Bool("update", false, "rewrite g711_tables.go")

// ulaw follows ITU-T G.711 table 2 as G.191 computes it: a magnitude of 14 bits, biased by 33, in
// eight segments, all bits inverted. Here everything is two bits longer, as the sample is.
func ulaw(s int16) byte {
	const bias, clip = 33 << 2, 1<<15 - 1
	x := int32(s)
	sign := byte(x>>31) & 0x80
	x = min((x^x>>31)+bias, clip)
	seg := bits.Len32(uint32(x) >> 8)
	return ^(sign | byte(seg<<4) | byte(x>>(seg+3))&0x0f)
}

func unulaw(c byte) int16 {
	c = ^c
	x := (int16(c&0x0f)<<3+0x84)<<(c>>4&7) - 0x84
	sign := -int16(c >> 7)
	return (x ^ sign) - sign
}

// alaw follows ITU-T G.711 table 1: a magnitude of 12 bits in eight segments of which the first
// two have the same step, even bits inverted, sign 1 for positive.
func alaw(s int16) byte {
	x := int32(s)
	sign := byte(0x80)
	if x < 0 {
		x = ^x
		sign = 0
	}
	x >>= 4
	seg := bits.Len32(uint32(x) >> 4)
	m := x >> max(seg-1, 0) & 0x0f
	return (sign | byte(seg<<4) | byte(m)) ^ 0x55
}

func unalaw(c byte) int16 {
	c ^= 0x55
	x := int16(c&0x0f)<<4 + 8
	if seg := c >> 4 & 7; seg > 0 {
		x = (x + 0x100) << (seg - 1)
	}
	sign := int16(c>>7) - 1
	return (x ^ sign) - sign
}

func TestTablesAreWhatTheFormulasSay(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("package dsp\n\n// Written by `go test ./hal/dsp -run Tables -update`. A constant needs no memory of its own and no start.\nconst (\n")
	table := func(name, what string, n int, at func(i int) byte) {
		fmt.Fprintf(&b, "\t// %s\n\t%s = ", what, name)
		for i := range n {
			if i%64 == 0 {
				b.WriteString("\"")
			}
			fmt.Fprintf(&b, "\\x%02x", at(i))
			if i%64 == 63 {
				b.WriteString(map[bool]string{true: "\"\n", false: "\" +\n\t\t"}[i == n-1])
			}
		}
	}
	half := func(s int16, i int) byte { return byte(s >> (8 - 8*(i%2))) }
	table("ulawCodes", "by a quarter of the sample: its code", 16384, func(i int) byte { return ulaw(int16(i << 2)) })
	table("ulawSamples", "by code: a sample, high byte first", 512, func(i int) byte { return half(unulaw(byte(i/2)), i) })
	table("alawCodes", "by a sixteenth of the sample: its code", 4096, func(i int) byte { return alaw(int16(i << 4)) })
	table("alawSamples", "by code: a sample, high byte first", 512, func(i int) byte { return half(unalaw(byte(i/2)), i) })
	b.WriteString(")\n")
	const name = "g711_tables.go"
	if *update {
		if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if is, err := os.ReadFile(name); err != nil || !bytes.Equal(is, b.Bytes()) {
		t.Errorf("%s is another: %v", name, err)
	}
	for v := -32768; v <= 32767; v++ {
		u, a := make([]byte, 1), make([]byte, 1)
		EncodeULaw(u, []int16{int16(v)})
		EncodeALaw(a, []int16{int16(v)})
		if u[0] != ulaw(int16(v)) || a[0] != alaw(int16(v)) {
			t.Fatalf("%d: %#x %#x, want %#x %#x", v, u[0], a[0], ulaw(int16(v)), alaw(int16(v)))
		}
	}
}

func TestG711IsThatOfAnIndependentImplementation(t *testing.T) {
	one := make([]byte, 1)
	for v := -32768; v <= 32767; v++ {
		pcm := []int16{int16(v)}
		EncodeULaw(one, pcm)
		if want := g711.EncodeUlawFrame(int16(v)); one[0] != want {
			t.Fatalf("µ-law of %d: %#x, want %#x", v, one[0], want)
		}
		EncodeALaw(one, pcm)
		if want := g711.EncodeAlawFrame(int16(v)); one[0] != want {
			t.Fatalf("A-law of %d: %#x, want %#x", v, one[0], want)
		}
	}
	pcm := make([]int16, 1)
	for v := range 256 {
		DecodeULaw(pcm, []byte{byte(v)})
		if want := g711.DecodeUlawFrame(byte(v)); pcm[0] != want {
			t.Fatalf("µ-law %#x: %d, want %d", v, pcm[0], want)
		}
		DecodeALaw(pcm, []byte{byte(v)})
		if want := g711.DecodeAlawFrame(byte(v)); pcm[0] != want {
			t.Fatalf("A-law %#x: %d, want %d", v, pcm[0], want)
		}
	}
}

func TestG711ComesBackAsItself(t *testing.T) {
	pcm, back := make([]int16, 1), make([]byte, 1)
	for v := range 256 {
		DecodeALaw(pcm, []byte{byte(v)})
		if EncodeALaw(back, pcm); back[0] != byte(v) {
			t.Errorf("A-law %#x comes back as %#x", v, back[0])
		}
		DecodeULaw(pcm, []byte{byte(v)})
		if EncodeULaw(back, pcm); back[0] != byte(v) && v != 0x7f { // there are two zeros
			t.Errorf("µ-law %#x comes back as %#x", v, back[0])
		}
	}
}

// BenchmarkG711 is a frame of 20 ms. Goal: 0.25 µs each way on a machine that has nothing else to do.
func BenchmarkG711(b *testing.B) {
	pcm, code := make([]int16, 160), make([]byte, 160)
	g := NewGenerator(tune(), 8000)
	g.Fill(pcm)
	for name, f := range map[string]func(){
		"encode-ulaw": func() { EncodeULaw(code, pcm) }, "decode-ulaw": func() { DecodeULaw(pcm, code) },
		"encode-alaw": func() { EncodeALaw(code, pcm) }, "decode-alaw": func() { DecodeALaw(pcm, code) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f()
			}
		})
	}
}
