package pause

import (
	"bytes"
	"math"
	"math/rand"
	"testing"
)

const rate, frame = 8000, 160

// hiss is n samples of noise of so many dB; colour 0 is white, up to 0.9 is dull.
func hiss(n int, db, colour float64, seed int64) []int16 {
	chance := rand.New(rand.NewSource(seed))
	pcm := make([]int16, n)
	gain := 32768 * math.Pow(10, db/20) * math.Sqrt(1-colour*colour)
	last := 0.0
	for i := range pcm {
		last = colour*last + gain*chance.NormFloat64()
		pcm[i] = int16(min(max(last, -32768), 32767))
	}
	return pcm
}

// talk adds words of 400 ms every second to pcm, and tells in which frames.
func talk(pcm []int16, db float64) (spoken []bool) {
	gain := 32768 * math.Pow(10, db/20)
	for at := 0; at+frame <= len(pcm); at += frame {
		t := math.Mod(float64(at)/rate, 1)
		word := t >= 0.4 && t < 0.8
		for i := at; word && i < at+frame; i++ {
			s := float64(i) / rate
			v := math.Sin(2*math.Pi*150*s) + 0.7*math.Sin(2*math.Pi*450*s) + 0.4*math.Sin(2*math.Pi*1200*s)
			pcm[i] += int16(gain * v * (0.7 + 0.3*math.Sin(2*math.Pi*5*s)))
		}
		spoken = append(spoken, word)
	}
	return spoken
}

func TestVoiceIsToldFromNoiseOfAnyLevel(t *testing.T) {
	for _, noise := range []float64{-90, -70, -60, -50, -40} {
		pcm := hiss(20*rate, noise, 0.5, 3)
		spoken := talk(pcm[2*rate:], max(noise+15, -45)) // after two seconds in which nobody speaks
		var d Detector
		missed, invented, words, pauses := 0, 0, 0, 0
		for i := 0; i*frame < len(pcm); i++ {
			voice := d.Voice(pcm[i*frame:][:frame])
			k := i - 100
			switch {
			case k < 0:
			case spoken[k]:
				words++
				if !voice {
					missed++
				}
			case k < hangover || !spoken[k-hangover]:
				pauses++
				if voice {
					invented++
				}
			}
		}
		t.Logf("noise %v dB: missed %d of %d, invented %d of %d", noise, missed, words, invented, pauses)
		if missed*100 > words || invented*50 > pauses {
			t.Errorf("noise %v dB: missed %d of %d frames, want 1 %%; invented %d of %d, want 2 %%", noise, missed, words, invented, pauses)
		}
		if got := d.Background(); noise > -80 && math.Abs(got-noise) > 3 {
			t.Errorf("background %.1f dB, want %v", got, noise)
		}
	}
}

func TestWordsFromTheFirstMomentOnAreHeard(t *testing.T) {
	var d Detector
	pcm := hiss(frame, -25, 0.5, 1)
	if !d.Voice(pcm) {
		t.Error("the first word was not heard")
	}
	var quiet Detector
	if quiet.Voice(make([]int16, frame)) {
		t.Error("silence was heard as a voice")
	}
}

func TestNoiseSoundsLikeWhatWasMeasured(t *testing.T) {
	for _, c := range []struct{ db, colour float64 }{{-40, 0}, {-50, 0.6}, {-60, 0.9}} {
		bg := Measure(hiss(rate, c.db, c.colour, 5))
		sent, ok := Parse(bg.Append(nil))
		if !ok || sent.Level() != bg.Level() {
			t.Fatalf("%+v came over as %+v", bg, sent)
		}
		var n Noise
		n.Become(sent)
		out := make([]int16, rate)
		n.Fill(out[:frame])
		n.Fill(out)
		again := Measure(out)
		if got := float64(decibels(out)); math.Abs(got-c.db) > 1.5 {
			t.Errorf("%v dB: sounds at %.1f", c.db, got)
		}
		if off := math.Abs(float64(again.shape[0] - bg.shape[0])); off > 0.05 {
			t.Errorf("colour %v: first coefficient %v, want %v", c.colour, again.shape[0], bg.shape[0])
		}
	}
}

func TestNoiseBeginsAndChangesWithoutAJump(t *testing.T) {
	var n Noise
	pcm := make([]int16, frame)
	n.Fill(pcm)
	if !bytes.Equal(Measure(pcm).Append(nil), []byte{96, 127, 127, 127, 127}) {
		t.Errorf("a new Noise is %v", Measure(pcm))
	}
	loud, _ := Parse([]byte{20})
	n.Become(loud)
	n.Fill(pcm)
	if first, last := decibels(pcm[:16]), decibels(pcm[144:]); first > last-10 || last < -24 {
		t.Errorf("it begins with %.1f dB and is at %.1f after 20 ms", first, last)
	}
}

func TestFramesAllocateNothing(t *testing.T) {
	var d Detector
	var n Noise
	pcm, out := make([]int16, frame), make([]byte, 0, 16)
	if allocs := testing.AllocsPerRun(100, func() {
		d.Voice(pcm)
		bg, _ := Parse(Measure(pcm).Append(out[:0]))
		n.Become(bg)
		n.Fill(pcm)
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func FuzzNoiseOfAnyPayloadStaysSound(f *testing.F) {
	f.Add([]byte{40, 1, 254, 1, 254, 1, 254, 1, 254, 1, 254, 9, 9})
	f.Fuzz(func(t *testing.T, b []byte) {
		bg, ok := Parse(b)
		if ok != (len(b) > 0) {
			t.Fatalf("%v: %v", b, ok)
		}
		var n Noise
		n.Become(bg)
		pcm := make([]int16, 10*frame)
		n.Fill(pcm)
		for _, v := range n.past {
			if v != v || math.Abs(float64(v)) > 1e9 {
				t.Fatalf("%v rings: %v", b, n.past)
			}
		}
	})
}

// BenchmarkPause is a frame of 20 ms at 8 kHz.
func BenchmarkPause(b *testing.B) {
	pcm := hiss(frame, -50, 0.5, 1)
	bg := Measure(pcm)
	b.Run("voice", func(b *testing.B) {
		var d Detector
		for b.Loop() {
			d.Voice(pcm)
		}
	})
	b.Run("noise", func(b *testing.B) {
		var n Noise
		n.Become(bg)
		for b.Loop() {
			n.Fill(pcm)
		}
	})
}
