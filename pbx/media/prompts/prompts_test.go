package prompts

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"branchline/hal/dsp"
)

func write(t *testing.T, dir, name string, b []byte) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFolderReadsWhatIsThereAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "digits/1.wav", dsp.FormatWAV(dsp.WAV{Rate: 8000, Channels: 1, PCM: []int16{1, 2, 3}}))
	write(t, dir, "fast.wav", dsp.FormatWAV(dsp.WAV{Rate: 44100, Channels: 2, PCM: []int16{1, 2, 3, 4}}))
	write(t, dir, "text.wav", []byte("I am no sound"))
	f := &Folder{Dirs: []string{dir + "/digits"}}
	for _, bad := range []string{"", ".", "..", "../fast", "/etc/passwd", "a//b", "a\x00b", "2"} {
		if _, err := f.Load(bad); err == nil {
			t.Errorf("%q was loaded", bad)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.wav"), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "huge.wav", nil)
	if err := os.Truncate(filepath.Join(dir, "huge.wav"), 1<<30); err != nil { // a hole: it takes no room
		t.Fatal(err)
	}
	write(t, dir, "folder.wav/x", nil)
	f = &Folder{Dirs: []string{dir}}
	for name, want := range map[string]string{
		"fast": `prompt "fast": a WAV file of 44100 Hz and 2 channels; it must have 8000 Hz and one`,
		"text": `prompt "text": not a WAV file`,
		"pipe": `prompt "pipe": not a file`, "folder": `prompt "folder": not a file`,
		"huge": `prompt "huge": longer than half an hour`,
		"none": `prompt "none": there is no such file`,
	} {
		if _, err := f.Load(name); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	for range 2 {
		if pcm, err := f.Load("digits/1"); err != nil || !slices.Equal(pcm, []int16{1, 2, 3}) {
			t.Errorf("digits/1: %v, %v", pcm, err)
		}
	}
}

func TestPromptsAreKeptUpToABound(t *testing.T) {
	var f Folder
	for i := range 100 {
		f.keep(fmt.Sprint(i), make([]int16, maxCached/2/40))
	}
	if f.bytes > maxCached || len(f.kept) < 30 || f.kept["99"] == nil {
		t.Errorf("%d bytes of %d prompts are kept", f.bytes, len(f.kept))
	}
}

func TestThePromptOfTheFirstFolderThatHasItIsPlayed(t *testing.T) {
	own, shipped := t.TempDir(), t.TempDir()
	wav := func(x int16) []byte { return dsp.FormatWAV(dsp.WAV{Rate: 8000, Channels: 1, PCM: []int16{x}}) }
	write(t, own, "both.wav", wav(1))
	write(t, shipped, "both.wav", wav(2))
	write(t, shipped, "one.wav", wav(3))
	write(t, own, "broken.wav", []byte("I am no sound"))
	write(t, shipped, "broken.wav", wav(4))
	write(t, own, "hopeless.wav", []byte("I am no sound"))
	f := &Folder{Dirs: []string{own, own + "/nowhere", shipped}}
	for name, want := range map[string]int16{"both": 1, "one": 3, "broken": 4} {
		if pcm, err := f.Load(name); err != nil || len(pcm) != 1 || pcm[0] != want {
			t.Errorf("%s: %v, %v, want %d", name, pcm, err, want)
		}
	}
	if _, err := f.Load("none"); !errors.Is(err, ErrNone) {
		t.Errorf("none: %v", err)
	}
	if _, err := f.Load("hopeless"); err == nil || errors.Is(err, ErrNone) {
		t.Errorf("a file that is no sound: %v", err)
	}
}
