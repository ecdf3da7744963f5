package ui_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"branchline/ui"
)

// serveUnix answers h on the socket of a folder until the test ends.
func serveUnix(t *testing.T, dir string, h http.Handler) *http.Client {
	t.Helper()
	ln, err := ui.ListenUnix(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- ui.Serve(ctx, ln, h, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return ui.DialUnix(ctx, dir)
		},
	}}
}

func TestSocketBelongsToTheBoxAloneAndReplacesAStaleOne(t *testing.T) {
	// Longer than the 108 bytes of a socket's address.
	dir := filepath.Join(t.TempDir(), strings.Repeat("deep/", 30))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	stale, err := ui.ListenUnix(dir)
	if err != nil {
		t.Fatal(err)
	}
	stale.Close()
	if _, err := ui.DialUnix(t.Context(), dir); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial a stopped box: %v", err)
	}
	client := serveUnix(t, dir, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "here") }))
	answer, err := client.Get("http://box/")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, _ := io.ReadAll(answer.Body); string(body) != "here" {
		t.Errorf("answer %q", body)
	}
	info, err := os.Stat(filepath.Join(dir, ui.Socket))
	if err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("socket %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".socket-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestFolderWithoutABoxHasNoSocket(t *testing.T) {
	if _, err := ui.DialUnix(t.Context(), t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("dial: %v", err)
	}
	if _, err := ui.ListenUnix(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("listen: %v", err)
	}
}
