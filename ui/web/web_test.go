package web_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"branchline/ui/web"
)

func page() http.Handler { return web.Page(http.NotFoundHandler()) }

func get(h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// A browser keeps what can never change and asks for the rest; the whole shell is small.
func TestPageIsSentPackedAndKeptRightly(t *testing.T) {
	h := page()
	index := get(h, "/")
	if index.Code != http.StatusOK || index.Header().Get("Cache-Control") != "no-cache" || !strings.HasPrefix(index.Header().Get("Content-Type"), "text/html") {
		t.Fatalf("index: %d %v", index.Code, index.Header())
	}
	if again := get(h, "/", "If-None-Match", index.Header().Get("ETag")); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
		t.Errorf("index again: %d", again.Code)
	}
	names := regexp.MustCompile(`\./assets/[^"]+`).FindAllString(index.Body.String(), -1)
	if len(names) < 2 {
		t.Fatalf("assets %q", names)
	}
	shell := index.Body.Len()
	for _, name := range names {
		name = strings.TrimPrefix(name, ".")
		w := get(h, name, "Accept-Encoding", "gzip, br")
		if w.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" || w.Header().Get("Content-Encoding") != "gzip" {
			t.Errorf("%s: %v", name, w.Header())
		}
		shell += w.Body.Len()
		z, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		unpacked, err := io.ReadAll(z)
		if plain := get(h, name); err != nil || plain.Body.String() != string(unpacked) || plain.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s differs when it is not packed: %v", name, err)
		}
	}
	t.Logf("shell: %d bytes as sent", shell)
	if shell > 45_000 {
		t.Errorf("the shell is %d bytes as sent", shell)
	}
	if w := get(h, "/assets/"); w.Code != http.StatusNotFound {
		t.Errorf("folder: %d", w.Code)
	}
}

func TestOtherSitesNeitherReadNorCommand(t *testing.T) {
	inner := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "done") })
	h := web.Local(inner, func(w http.ResponseWriter, status int, detail, cure string) { http.Error(w, detail+"; "+cure, status) })
	for _, c := range []struct {
		method, host, origin, site string
		want                       int
	}{
		{"GET", "127.0.0.1:8088", "", "", 200},
		{"GET", "localhost:8088", "", "", 200},
		{"GET", "[::1]:8088", "", "", 200},
		{"GET", "127.9.8.7", "", "", 200},
		{"POST", "127.0.0.1:8088", "http://127.0.0.1:8088", "same-origin", 200},
		{"POST", "127.0.0.1:8088", "", "", 200}, // a program, not a browser
		{"GET", "evil.example", "", "", 421},    // a name that somebody pointed at this machine
		{"GET", "127.0.0.1.evil.example:8088", "", "", 421},
		{"GET", "192.168.1.10:8088", "", "", 421},
		{"GET", "", "", "", 421},
		{"POST", "127.0.0.1:8088", "http://evil.example", "cross-site", 403},
		{"POST", "127.0.0.1:8088", "http://127.0.0.1:9999", "same-site", 403},
		{"POST", "127.0.0.1:8088", "http://evil.example", "", 403},
	} {
		r := httptest.NewRequest(c.method, "/", nil)
		r.Host = c.host
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		if c.site != "" {
			r.Header.Set("Sec-Fetch-Site", c.site)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s to %q from %q %s: %d, want %d", c.method, c.host, c.origin, c.site, w.Code, c.want)
		}
		if p := w.Header().Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'self'") || !strings.Contains(p, "frame-ancestors 'none'") {
			t.Errorf("policy %q", p)
		}
	}
}
