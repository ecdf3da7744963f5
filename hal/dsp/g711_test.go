package dsp

import (
	"testing"

	"github.com/zaf/g711"
)

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

func BenchmarkG711BothWays(b *testing.B) {
	pcm, code := make([]int16, 160), make([]byte, 160)
	g := NewGenerator(tune(), 8000)
	g.Fill(pcm)
	b.Run("ulaw", func(b *testing.B) {
		for b.Loop() {
			EncodeULaw(code, pcm)
			DecodeULaw(pcm, code)
		}
	})
	b.Run("alaw", func(b *testing.B) {
		for b.Loop() {
			EncodeALaw(code, pcm)
			DecodeALaw(pcm, code)
		}
	})
}
