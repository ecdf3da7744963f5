package ui_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"branchline/hal/dsp"
	"branchline/ui"
	"branchline/ui/api"
	"branchline/ui/uitest"
)

// recorded is a handler of a box whose recordings folder holds files.
func recorded(t *testing.T, files map[string][]byte) http.Handler {
	t.Helper()
	dir := t.TempDir()
	for name, body := range files {
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return handlerOf(t, uitest.New(), func(b *ui.Box) { b.Recordings = root })
}

func TestRecordingIsDrawnWithBothParties(t *testing.T) {
	pcm := make([]int16, 2*8000*10) // 10 s: the left party speaks first, then the right one
	for i := range pcm {
		if left := i%2 == 0; left == (i < len(pcm)/2) {
			pcm[i] = -1 << 14
		}
	}
	h := recorded(t, map[string][]byte{"a.wav": dsp.FormatWAV(dsp.WAV{Rate: 8000, Channels: 2, PCM: pcm})})
	var wave api.Wave
	w := ask(h, "GET", "/api/v1/waves/a", "")
	if err := json.Unmarshal(w.Body.Bytes(), &wave); err != nil {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if wave.Seconds != 10 || wave.Rate != 8000 || len(wave.Left) != 800 || len(wave.Right) != 800 {
		t.Fatalf("%v s at %d Hz, %d and %d pieces", wave.Seconds, wave.Rate, len(wave.Left), len(wave.Right))
	}
	for i := range wave.Left {
		left, right := 50, 0
		if i >= 400 {
			left, right = 0, 50
		}
		if wave.Left[i] != left || wave.Right[i] != right {
			t.Fatalf("piece %d: %d and %d, want %d and %d", i, wave.Left[i], wave.Right[i], left, right)
		}
	}
}

func TestFileThatIsNoRecordingIsRefusedInWords(t *testing.T) {
	good := dsp.FormatWAV(dsp.WAV{Rate: 8000, Channels: 2, PCM: make([]int16, 100)})
	wrong := func(at int, b ...byte) []byte {
		return append(append(append([]byte(nil), good[:at]...), b...), good[at+len(b):]...)
	}
	bad := map[string][]byte{
		"empty":     nil,
		"text":      []byte("this is a letter, not a sound"),
		"cut":       good[:30],
		"no format": append(append([]byte(nil), good[:12]...), good[36:]...),
		"channels":  wrong(22, 0xff, 0xff),
		"no rate":   wrong(24, 0, 0, 0, 0),
		"8 bit":     wrong(34, 8),
		"long fmt":  wrong(16, 0xff, 0xff, 0xff, 0xff),
	}
	files := map[string][]byte{"huge claim.wav": wrong(40, 0xff, 0xff, 0xff, 0xff), "silent.wav": wrong(40, 0, 0, 0, 0)}
	for name, body := range bad {
		files[name+".wav"] = body
	}
	h := recorded(t, files)
	for name := range bad {
		r := ask(h, "GET", "/api/v1/waves/"+url.PathEscape(name), "")
		problemOf(t, r, http.StatusUnprocessableEntity)
	}
	for _, name := range []string{"huge claim", "silent"} {
		if w := ask(h, "GET", "/api/v1/waves/"+url.PathEscape(name), ""); w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}
