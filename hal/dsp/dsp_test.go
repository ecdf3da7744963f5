package dsp

import (
	"math"
	"testing"
	"time"
)

func sound(c Cadence, rate int, d time.Duration) []int16 {
	g := NewGenerator(c, rate)
	pcm := make([]int16, Samples(d, rate))
	g.Fill(pcm)
	return pcm
}

func sine(hz, gain float64, rate int, d time.Duration) []int16 {
	return sound(Cadence{{Hz: [4]float64{hz}, Gain: gain}}, rate, d)
}

func near(t *testing.T, what string, got, want, off float64) {
	t.Helper()
	if math.Abs(got-want) > off {
		t.Errorf("%s: %.4f, want %.4f ± %.4f", what, got, want, off)
	}
}

func TestLevelFindsATonesAmplitudeAndNothingBesideIt(t *testing.T) {
	pcm := sine(440, 0.5, 8000, time.Second)
	near(t, "440 Hz", Level(pcm, 8000, 440), 0.5, 0.005)
	near(t, "480 Hz", Level(pcm, 8000, 480), 0, 0.005)
	near(t, "rms", RMS(pcm), 0.5/math.Sqrt2, 0.005)
	near(t, "dBFS of half", DBFS(0.5), -6.02, 0.01)
	near(t, "dBFS of nothing", DBFS(0), -120, 0)
	near(t, "level of nothing", Level(nil, 8000, 440), 0, 0)
}

func TestToneOfEachCountryHoldsItsFrequenciesAndPauses(t *testing.T) {
	for _, c := range []string{"US", "CA", "CN", "GB", "UK", "DE", "FR", "JP", "ES", "IT", "RU", "BR", "AU", "IN", "NL", "PL", "", "zz"} {
		for _, name := range []string{"dial", "ringback", "busy", "congestion", "sit", "beep", "music"} {
			tone, ok := Tone(c, name)
			if !ok || len(tone) == 0 {
				t.Fatalf("%s has no %s", c, name)
			}
			if pcm := sound(tone, 8000, 200*time.Millisecond); RMS(pcm) < 0.005 {
				t.Errorf("%s %s is not heard", c, name)
			}
		}
	}
	us, _ := Tone("us", "ringback")
	pcm := sound(us, 8000, 6*time.Second)
	near(t, "US ringback 440", Level(pcm[:16000], 8000, 440), toneGain, 0.01)
	near(t, "US ringback 480", Level(pcm[:16000], 8000, 480), toneGain, 0.01)
	near(t, "US ringback pause", RMS(pcm[16000:]), 0, 0)
	in, _ := Tone("IN", "dial")
	pcm = sound(in, 8000, time.Second)
	near(t, "India's side band", Level(pcm, 8000, 425), 2*toneGain/4, 0.01)
	au, _ := Tone("AU", "congestion")
	pcm = sound(au, 8000, 1500*time.Millisecond)
	near(t, "Australia's second burst", RMS(pcm[6000:9000])/RMS(pcm[:3000]), 0.316, 0.01)
	if _, ok := Tone("DE", "polka"); ok {
		t.Error("an unknown tone was found")
	}
}

func TestGeneratorRendersTheSameHoweverItIsCut(t *testing.T) {
	c, _ := Tone("DE", "music")
	whole := sound(c, 8000, 3*time.Second)
	g := NewGenerator(c, 8000)
	cut := make([]int16, len(whole))
	for at, n := 0, 1; at < len(cut); n = n%317 + 1 {
		end := min(at+n, len(cut))
		g.Fill(cut[at:end])
		at = end
	}
	for i := range whole {
		if d := int(whole[i]) - int(cut[i]); d < -1 || d > 1 { // rounding
			t.Fatalf("sample %d: %d and %d", i, whole[i], cut[i])
		}
	}
}

func TestGeneratorKeepsItsLoudnessForHours(t *testing.T) {
	g := NewGenerator(Cadence{{Hz: [4]float64{425}, Gain: 0.3}}, 8000)
	pcm := make([]int16, 8000)
	for range 3600 {
		g.Fill(pcm[:4000])
	}
	g.Fill(pcm)
	near(t, "after half an hour", Level(pcm, 8000, 425), 0.3, 0.001)
}

func TestGeneratorEndsEvenWhenItsCadenceIsEmpty(t *testing.T) {
	pcm := []int16{1, 2, 3}
	var g Generator
	g.Fill(pcm)
	if pcm[0] != 0 || pcm[2] != 0 {
		t.Errorf("zero generator renders %v", pcm)
	}
}

func TestKeyDetectorHearsEachKeyOnceAndHowLong(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		for _, held := range []time.Duration{50, 100, 400} {
			for _, key := range []byte(keyPad) {
				c, _ := KeyTone(key)
				pcm := append(sound(c, rate, held*time.Millisecond), make([]int16, rate/10)...)
				got := hear(NewKeyDetector(rate), pcm, rate)
				if len(got) != 1 || got[0].key != key {
					t.Fatalf("%d Hz, %d ms of %c: heard %v", rate, held, key, got)
				}
				if off := got[0].held - held*time.Millisecond; off.Abs() > 26*time.Millisecond {
					t.Errorf("%d ms of %c were told as %v", held, key, got[0].held)
				}
			}
		}
	}
}

type heard struct {
	key  byte
	held time.Duration
}

func hear(d *KeyDetector, pcm []int16, rate int) (keys []heard) {
	for n := rate / 50; len(pcm) >= n; pcm = pcm[n:] {
		if k, h, ok := d.Feed(pcm[:n]); ok {
			keys = append(keys, heard{k, h})
		}
	}
	return keys
}

func TestKeyDetectorHearsThroughNoiseAndTwistAndCountsRepeats(t *testing.T) {
	var pcm []int16
	keys := "5519##0A"
	for _, k := range []byte(keys) {
		c, _ := KeyTone(k)
		pcm = append(append(pcm, sound(c, 8000, 70*time.Millisecond)...), make([]int16, 480)...)
	}
	pcm = append(pcm, make([]int16, 800)...)
	seed := uint32(1)
	for i := range pcm {
		seed = seed*1664525 + 1013904223
		pcm[i] = Clip(int32(pcm[i])/2 + int32(int16(seed>>16))/64) // 18 dB below
	}
	got := ""
	for _, h := range hear(NewKeyDetector(8000), pcm, 8000) {
		got += string(h.key)
	}
	if got != keys {
		t.Errorf("heard %q, want %q", got, keys)
	}
}

func TestKeyDetectorTakesNoMusicToneOrNoiseForAKey(t *testing.T) {
	seed := uint32(7)
	noise := make([]int16, 80000)
	for i := range noise {
		seed = seed*1664525 + 1013904223
		noise[i] = int16(seed>>16) / 4
	}
	sounds := map[string][]int16{"noise": noise}
	for _, name := range []string{"dial", "ringback", "busy", "congestion", "music", "sit", "beep"} {
		c, _ := Tone("US", name)
		sounds[name] = sound(c, 8000, 20*time.Second)
	}
	for hz := 650.0; hz < 1700; hz += 7 {
		sounds["sine"] = append(sounds["sine"], sine(hz, 0.4, 8000, 100*time.Millisecond)...)
	}
	for name, pcm := range sounds {
		if got := hear(NewKeyDetector(8000), pcm, 8000); len(got) > 0 {
			t.Errorf("%s: heard %v", name, got)
		}
	}
}

func TestRateChangesKeepTonesAndStopWhatWouldFoldOver(t *testing.T) {
	var h Halver
	narrow := make([]int16, 160)
	var out []int16
	wide := append(sine(1000, 0.4, 16000, time.Second), sine(6000, 0.4, 16000, time.Second)...)
	for i := 0; i < len(wide); i += 320 {
		h.Halve(narrow, wide[i:i+320])
		out = append(out, narrow...)
	}
	near(t, "1 kHz halved", Level(out[:8000], 8000, 1000), 0.4, 0.01)
	near(t, "6 kHz folded to 2", Level(out[8100:], 8000, 2000), 0, 0.002)
	var d Doubler
	double := make([]int16, 320)
	out = nil
	slow := sine(1000, 0.4, 8000, time.Second)
	for i := 0; i < len(slow); i += 160 {
		d.Double(double, slow[i:i+160])
		out = append(out, double...)
	}
	near(t, "1 kHz doubled", Level(out, 16000, 1000), 0.4, 0.01)
	near(t, "its image at 7 kHz", Level(out, 16000, 7000), 0, 0.002)
}

func TestTheTickAllocatesNothing(t *testing.T) {
	c, _ := Tone("AU", "music")
	g := NewGenerator(c, 8000)
	d := NewKeyDetector(8000)
	pcm, wide, code := make([]int16, 160), make([]int16, 320), make([]byte, 160)
	var up Doubler
	var down Halver
	if n := testing.AllocsPerRun(200, func() {
		g.Fill(pcm)
		d.Feed(pcm)
		EncodeALaw(code, pcm)
		DecodeALaw(pcm, code)
		EncodeULaw(code, pcm)
		DecodeULaw(pcm, code)
		up.Double(wide, pcm)
		down.Halve(pcm, wide)
	}); n != 0 {
		t.Errorf("%v allocations per tick", n)
	}
}

func TestWAVComesBackAsItself(t *testing.T) {
	in := WAV{Rate: 8000, Channels: 2, PCM: []int16{1, -2, 32767, -32768}}
	b := FormatWAV(in)
	out, err := ParseWAV(b)
	if err != nil || out.Rate != 8000 || out.Channels != 2 || len(out.PCM) != 4 || out.PCM[3] != -32768 {
		t.Fatalf("%+v, %v", out, err)
	}
	if out, err = ParseWAV(b[:len(b)-2]); err != nil || len(out.PCM) != 3 {
		t.Errorf("a cut file: %d samples, %v; want 3", len(out.PCM), err)
	}
	if _, err = ParseWAV(b[:WAVHeaderLen-8]); err == nil {
		t.Error("a file without data was read")
	}
}

func FuzzParseWAV(f *testing.F) {
	f.Add(FormatWAV(WAV{Rate: 8000, Channels: 1, PCM: []int16{1, 2, 3}}))
	f.Add([]byte("RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00\x06\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00LIST\x01\x00\x00\x00xxdata\xff\xff\xff\xff\x01\x02"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if w, err := ParseWAV(b); err == nil && 2*len(w.PCM) > 2*len(b) {
			t.Errorf("%d samples of %d bytes", len(w.PCM), len(b))
		}
	})
}
