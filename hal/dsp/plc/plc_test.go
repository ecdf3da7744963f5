package plc

import (
	"math"
	"math/cmplx"
	"math/rand"
	"slices"
	"testing"
)

// voice is a gliding pitch with formants in syllables, as long as n samples.
func voice(n, rate int) []int16 {
	pcm := make([]int16, n)
	phase := 0.0
	for i := range pcm {
		t := float64(i) / float64(rate)
		hz := 130 + 35*math.Sin(2*math.Pi*0.6*t)
		phase += 2 * math.Pi * hz / float64(rate)
		v := 0.0
		for k := 1; k <= 25; k++ {
			f := hz * float64(k)
			v += math.Sin(float64(k)*phase) / (1 + square((f-600-250*math.Sin(3*t))/200)) // a formant that moves
			v += 0.3 * math.Sin(float64(k)*phase) / (1 + square((f-2000)/300))
		}
		pcm[i] = int16(3500 * v * max(0.05, math.Sin(2*math.Pi*2.3*t)+0.5))
	}
	return pcm
}

// distance is the log-spectral distance in dB, the mean over windows of 16 ms.
func distance(a, b []int16) float64 {
	const n = 128
	var wheel [n]complex128
	for i := range wheel {
		wheel[i] = cmplx.Rect(1, -2*math.Pi*float64(i)/n)
	}
	power := func(pcm []int16, k int) float64 {
		s := complex(0, 0)
		for i, v := range pcm {
			s += complex((0.5-0.5*real(wheel[i]))*float64(v), 0) * wheel[k*i%n]
		}
		return real(s)*real(s) + imag(s)*imag(s)
	}
	var sum float64
	windows := 0
	for at := 0; at+n <= len(a); at += n / 2 {
		windows++
		if slices.Equal(a[at:at+n], b[at:at+n]) {
			continue
		}
		var d float64
		for k := 2; k < n/2; k++ {
			x := 10*math.Log10(power(a[at:at+n], k)+1e4) - 10*math.Log10(power(b[at:at+n], k)+1e4)
			d += x * x
		}
		sum += math.Sqrt(d / (n/2 - 2))
	}
	return sum / float64(windows)
}

func TestConcealedSpeechIsNearerToTheCleanThanSilenceOrRepetition(t *testing.T) {
	const n, frame = 8 * 8000, 160 // 400 frames
	clean := voice(n, 8000)
	for _, percent := range []int{1, 3, 5, 10} {
		chance := rand.New(rand.NewSource(int64(percent)))
		concealed, silent, repeated := make([]int16, n), make([]int16, n), make([]int16, n)
		c := New(8000)
		for at := 0; at < n; at += frame {
			copy(concealed[at:at+frame], clean[at:])
			if at > 0 && chance.Intn(100) < percent {
				c.Lost(concealed[at : at+frame])
				copy(repeated[at:at+frame], repeated[at-frame:at])
				continue
			}
			c.Heard(concealed[at : at+frame])
			copy(silent[at:at+frame], clean[at:])
			copy(repeated[at:at+frame], clean[at:])
		}
		d := c.Delay()
		ours, none, twice := distance(concealed[d:], clean[:n-d]), distance(silent, clean), distance(repeated, clean)
		t.Logf("%2d %% lost: concealed %.2f dB, silence %.2f dB, repetition %.2f dB", percent, ours, none, twice)
		if ours > 0.95*twice || ours > 0.5*none {
			t.Errorf("%d %% lost: %.2f dB is not nearer than silence %.2f and repetition %.2f", percent, ours, none, twice)
		}
	}
}

func TestWhatComesIsPlayedUnchangedAndALittleLater(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		c := New(rate)
		in := voice(rate, rate)
		out := append([]int16(nil), in...)
		for at := 0; at < len(out); at += rate / 50 {
			c.Heard(out[at : at+rate/50])
		}
		if d := c.Delay(); d != rate*15/4000 {
			t.Errorf("%d Hz: a delay of %d samples, want 3.75 ms", rate, d)
		}
		for i := c.Delay(); i < len(out); i++ {
			if out[i] != in[i-c.Delay()] {
				t.Fatalf("%d Hz: sample %d is %d, want %d", rate, i, out[i], in[i-c.Delay()])
			}
		}
	}
}

func TestLongGapFadesToSilenceIn60msAndEndsWithoutAClick(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		frame := rate / 50
		c := New(rate)
		in := voice(rate, rate)
		var steepest int
		for i := range in[1:] {
			steepest = max(steepest, abs(int(in[i+1])-int(in[i])))
		}
		out := append([]int16(nil), in...)
		for at := 0; at < len(out); at += frame {
			switch k := at / frame; {
			case k >= 10 && k < 16:
				c.Lost(out[at : at+frame])
			default:
				c.Heard(out[at : at+frame])
			}
		}
		for i := 13*frame + c.Delay(); i < 16*frame+c.Delay(); i++ {
			if out[i] != 0 {
				t.Fatalf("%d Hz: %d at %v ms of the gap, want silence", rate, out[i], (i-10*frame)*1000/rate)
			}
		}
		if loud := rms(out[10*frame+c.Delay() : 10*frame+c.Delay()+rate/100]); loud < 0.5*rms(in[9*frame:10*frame]) {
			t.Errorf("%d Hz: the first 10 ms have %v", rate, loud)
		}
		for i := range out[1:] {
			if d := abs(int(out[i+1]) - int(out[i])); d > steepest*3/2 {
				t.Errorf("%d Hz: a step of %d at sample %d; the voice has %d", rate, d, i, steepest)
			}
		}
	}
}

func TestPitchOfAToneIsFound(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		for _, hz := range []float64{70, 100, 133, 190} {
			sound := make([]float32, history*rate/8000)
			for i := range sound {
				for k := 1.0; k < 8; k++ {
					sound[i] += float32(1000 / k * math.Sin(2*math.Pi*k*hz*float64(i)/float64(rate)))
				}
			}
			want := float64(rate) / hz
			got := float64(pitch(sound, rate/8000))
			if off := math.Abs(math.Remainder(got, want)); off > 1 {
				t.Errorf("%v Hz at %d: a period of %v samples, want %v", hz, rate, got, want)
			}
		}
	}
}

func TestNothingHeardIsFilledWithSilence(t *testing.T) {
	c := New(8000)
	pcm := []int16{160: 7}[:160]
	c.Lost(pcm)
	if rms(pcm) != 0 {
		t.Errorf("%v", pcm)
	}
	defer func() {
		if recover() == nil {
			t.Error("44.1 kHz was taken")
		}
	}()
	New(44100)
}

func TestFramesAllocateNothing(t *testing.T) {
	c := New(16000)
	pcm := voice(320, 16000)
	if n := testing.AllocsPerRun(100, func() { c.Heard(pcm); c.Lost(pcm) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzAnyOrderOfLossAndAnySoundIsServed(f *testing.F) {
	f.Add([]byte("heard and lost"), false)
	f.Fuzz(func(t *testing.T, b []byte, wide bool) {
		c := New(map[bool]int{false: 8000, true: 16000}[wide])
		pcm := make([]int16, 160)
		for i, v := range b {
			for k := range pcm {
				pcm[k] = int16(int(v)*(k+i)) * 257
			}
			if v&1 == 0 {
				c.Heard(pcm)
			} else {
				c.Lost(pcm)
			}
		}
	})
}

func abs(v int) int { return max(v, -v) }

func rms(pcm []int16) float64 {
	var sum float64
	for _, v := range pcm {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(max(len(pcm), 1)))
}

// BenchmarkConceal is a frame of 20 ms at 8 kHz: one that came, and the first that did not.
func BenchmarkConceal(b *testing.B) {
	voice := voice(1600, 8000)
	pcm := make([]int16, 160)
	b.Run("heard", func(b *testing.B) {
		c := New(8000)
		for b.Loop() {
			copy(pcm, voice)
			c.Heard(pcm)
		}
	})
	b.Run("lost", func(b *testing.B) {
		c := New(8000)
		c.Heard(voice)
		for b.Loop() {
			c.lost = 0
			c.Lost(pcm)
		}
	})
}

func square(v float64) float64 { return v * v }
