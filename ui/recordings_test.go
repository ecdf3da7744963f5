package ui_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"branchline/ui"
	"branchline/ui/uitest"
)

// withRecordings is a box whose recordings folder has one recording, among things that are not
// to be had.
func withRecordings(t *testing.T) http.Handler {
	t.Helper()
	outside := t.TempDir()
	dir := filepath.Join(outside, "recordings")
	for name, text := range map[string]string{
		"secret.wav":                 "secret",
		"recordings/2026-01/one.wav": "RIFF0123456789",
		"recordings/.hidden.wav":     "hidden",
	} {
		file := filepath.Join(outside, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../secret.wav", filepath.Join(dir, "link.wav")); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return handlerOf(t, uitest.New(), func(b *ui.Box) { b.Recordings = root })
}

func TestRecordingIsHadWholeOrInPart(t *testing.T) {
	h := withRecordings(t)
	for _, name := range []string{"2026-01/one.wav", "2026-01/one", "2026-01%2Fone"} {
		w := ask(h, "GET", "/api/v1/recordings/"+name, "")
		if w.Code != http.StatusOK || w.Body.String() != "RIFF0123456789" || w.Header().Get("Content-Type") != "audio/wav" {
			t.Errorf("%s: %d %v %q", name, w.Code, w.Header(), w.Body)
		}
	}
	r := httptest.NewRequest("GET", "/api/v1/recordings/2026-01/one", nil)
	r.Header.Set("Range", "bytes=4-7")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusPartialContent || w.Body.String() != "0123" || w.Header().Get("Content-Range") != "bytes 4-7/14" {
		t.Errorf("range: %d %v %q", w.Code, w.Header(), w.Body)
	}
}

func TestNothingOutsideTheRecordingsFolderIsHad(t *testing.T) {
	h := withRecordings(t)
	for _, name := range []string{
		"", "2026-01", "2026-01/", ".hidden.wav", "link.wav", "%2E%2E/secret.wav", "..%2Fsecret.wav",
		"2026-01%2F..%2F..%2Fsecret.wav", "%2Fetc%2Fpasswd", "2026-01%5C..%5Cone.wav", "one%00.wav",
	} {
		w := ask(h, "GET", "/api/v1/recordings/"+name, "")
		problemOf(t, w, http.StatusNotFound)
	}
}
