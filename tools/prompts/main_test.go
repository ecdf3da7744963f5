package main

import (
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"branchline/hal/dsp"
	"branchline/pbx/prompt"
)

func sine(hz, amplitude float64, at, n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(32767 * amplitude * math.Sin(2*math.Pi*hz*float64(i)/float64(at)))
	}
	return pcm
}

func TestSoundOfAnotherRateKeepsItsTonesAndBringsNoAliases(t *testing.T) {
	for _, hz := range []float64{200, 1000, 3000} {
		out := resample(sine(hz, 0.5, 22050, 22050), 22050)
		if len(out) != rate {
			t.Errorf("a second has %d samples, want %d", len(out), rate)
		}
		if l := dsp.Level(out, rate, hz); l < 0.48 || l > 0.52 {
			t.Errorf("%v Hz has level %.3f after, 0.5 before", hz, l)
		}
	}
	for _, hz := range []float64{5000, 7000, 10000} {
		if rms := dsp.RMS(resample(sine(hz, 0.5, 22050, 22050), 22050)); rms > 0.003 {
			t.Errorf("%v Hz is still heard, at %.4f", hz, rms)
		}
	}
}

func TestEveryRecordingIsAsLoudAsTheOthers(t *testing.T) {
	for _, amplitude := range []float64{0.01, 0.1, 0.9} {
		out := level(sine(500, amplitude, rate, rate))
		if l := loudness(out); math.Abs(l-loud) > 0.5 {
			t.Errorf("at amplitude %v the loudness is %.1f dBFS, want %d", amplitude, l, loud)
		}
	}
	clicks := sine(500, 0.05, rate, rate) // a voice with sharp peaks
	for i := 0; i < len(clicks); i += 400 {
		clicks[i] = 32767
	}
	for _, x := range level(clicks) {
		if math.Abs(float64(x)) > peak*32768+1 {
			t.Fatalf("a peak of %d", x)
		}
	}
}

func TestSilenceAroundTheWordsIsCutOff(t *testing.T) {
	pcm := append(make([]int16, rate), sine(500, 0.3, rate, rate/2)...)
	if got, want := len(trim(append(pcm, make([]int16, 2*rate)...))), rate/2+8*frame; got < want-frame || got > want+frame {
		t.Errorf("%d samples are left, want %d", got, want)
	}
	if trim(make([]int16, rate)) != nil {
		t.Error("something is left of silence")
	}
}

// A folder is made by a synthesiser of our own, then checked; each thing that can be wrong is told.
func TestAFolderIsMadeOfTheWordsAndChecked(t *testing.T) {
	dir := t.TempDir()
	voice := filepath.Join(dir, "voice.wav")
	say := filepath.Join(dir, "say")
	made := filepath.Join(dir, "made")
	save(t, voice, dsp.FormatWAV(dsp.WAV{Rate: 22050, Channels: 1, PCM: sine(700, 0.9, 22050, 4410)}))
	save(t, say, []byte("#!/bin/sh\n[ \"$1\" != mute ] && cat "+voice+"\n"))
	list := filepath.Join(dir, "list.txt")
	save(t, list, []byte("# all\n"+strings.Join(prompt.Chinese.Recordings(), "\twords\tspoken\n")+"\twords\tspoken\n"))
	if err := run([]string{"-say", say, "-words", list, made}, io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"-check", "zh-CN", made}, io.Discard); err != nil {
		t.Fatal(err)
	}

	save(t, filepath.Join(made, "digits/wan.wav"), dsp.FormatWAV(dsp.WAV{Rate: 16000, Channels: 1, PCM: sine(700, 0.1, 16000, 16000)}))
	save(t, filepath.Join(made, "digits/yi.wav"), []byte("no sound"))
	save(t, filepath.Join(made, "time/noon.wav"), dsp.FormatWAV(dsp.WAV{Rate: rate, Channels: 1, PCM: make([]int16, rate)}))
	if err := os.Remove(filepath.Join(made, "agent-number.wav")); err != nil {
		t.Fatal(err)
	}
	err := run([]string{"-check", "zh-CN", made}, io.Discard)
	for _, want := range []string{"digits/wan: 16000 Hz", "digits/yi: not a WAV", "time/noon: its loudness", "agent-number"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the check says %v, nothing of %q", err, want)
		}
	}

	for what, text := range map[string]string{"a mute voice": "a\tb\tmute\n", "two fields": "a\tb\n", "a way out": "../a\tb\tc\n"} {
		save(t, list, []byte(text))
		if err := run([]string{"-say", say, "-words", list, filepath.Join(dir, "bad")}, io.Discard); err == nil {
			t.Errorf("%s: nothing is wrong", what)
		}
	}
}

func save(t *testing.T, file string, b []byte) {
	t.Helper()
	if err := os.WriteFile(file, b, 0o755); err != nil {
		t.Fatal(err)
	}
}
