package dsp

import (
	"math"
	"testing"
	"time"
)

// through is pcm after change, which turns frames of in samples into frames of out.
func through(pcm []int16, in, out int, change func(dst, src []int16)) []int16 {
	var all []int16
	for ; len(pcm) >= in; pcm = pcm[in:] {
		frame := make([]int16, out)
		change(frame, pcm[:in])
		all = append(all, frame...)
	}
	return all[len(all)/5:] // it has settled
}

func TestSpeechBandIsLevelWithinATenthOfADecibel(t *testing.T) {
	for hz := 100.0; hz <= 3400; hz += 100 {
		var h Halver
		var d Doubler
		narrow := through(sine(hz, 0.5, 16000, time.Second/2), 320, 160, h.Halve)
		wide := through(sine(hz, 0.5, 8000, time.Second/2), 160, 320, d.Double)
		for what, level := range map[string]float64{"halved": Level(narrow, 8000, hz), "doubled": Level(wide, 16000, hz)} {
			if db := 20 * math.Log10(level/0.5); math.Abs(db) > 0.1 {
				t.Errorf("%v Hz %s: %.3f dB", hz, what, db)
			}
		}
	}
}

func TestWhatWouldFoldOverIs50DBDown(t *testing.T) {
	for hz := 100.0; hz <= 3400; hz += 100 {
		var h Halver
		var d Doubler
		narrow := through(sine(8000-hz, 0.5, 16000, time.Second/2), 320, 160, h.Halve)
		wide := through(sine(hz, 0.5, 8000, time.Second/2), 160, 320, d.Double)
		for what, level := range map[string]float64{"folded": Level(narrow, 8000, hz), "image": Level(wide, 16000, 8000-hz)} {
			if db := DBFS(level / 0.5); db > -50 {
				t.Errorf("%v Hz %s: %.1f dB", hz, what, db)
			}
		}
	}
}

func TestLoudestSoundIsLimitedNotTurnedOver(t *testing.T) {
	loud := make([]int16, 16000) // 500 Hz at 16 kHz, 250 at 8, square and at full scale
	for i := range loud {
		loud[i] = int16(65535*(i/16%2) - 32768)
	}
	var h Halver
	var d Doubler
	for period, out := range map[int][]int16{16: through(loud, 320, 160, h.Halve), 64: through(loud, 160, 320, d.Double)} {
		turns := 0
		for i := range out[1:] {
			if (out[i] < 0) != (out[i+1] < 0) {
				turns++
			}
		}
		if want := 2 * len(out) / period; turns > want+1 || turns < want-1 {
			t.Errorf("%d changes of sign, want %d", turns, want)
		}
	}
}

// BenchmarkRate is a frame of 20 ms.
func BenchmarkRate(b *testing.B) {
	wide, narrow := sine(1000, 0.5, 16000, 20*time.Millisecond), make([]int16, 160)
	b.Run("halve", func(b *testing.B) {
		var h Halver
		for b.Loop() {
			h.Halve(narrow, wide)
		}
	})
	b.Run("double", func(b *testing.B) {
		var d Doubler
		for b.Loop() {
			d.Double(wide, narrow)
		}
	})
}
