// Package web is the page: its sources (Svelte and TypeScript, see README.md) and, in dist, what was
// built of them and is embedded here. It promises that the page needs nothing that is not on the
// box, and that it cannot be shown, driven or read by another site. Start at Page and Local.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

//go:embed all:dist
var dist embed.FS

// file is one file of the page, ready to be sent.
type file struct {
	kind, tag, cache string
	raw, zipped      []byte // zipped is nil where it saves nothing
}

// Page answers with the page's files and hands everything else to next. It packs the files at once,
// which takes some milliseconds.
func Page(next http.Handler) http.Handler {
	files := map[string]file{}
	err := fs.WalkDir(dist, "dist", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := dist.ReadFile(name)
		if err != nil {
			return err
		}
		files[strings.TrimPrefix(name, "dist")] = pack(name, raw)
		return nil
	})
	if err != nil {
		panic(fmt.Sprintf("web: embedded files: %v", err)) // they are in the program: only our own bug
	}
	if index, ok := files["/index.html"]; ok {
		files["/"] = index
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ok := files[r.URL.Path]
		if !ok || r.Method != http.MethodGet && r.Method != http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		f.send(w, r)
	})
}

func pack(name string, raw []byte) file {
	sum := sha256.Sum256(raw)
	f := file{kind: mime.TypeByExtension(path.Ext(name)), tag: fmt.Sprintf(`"%x"`, sum[:8]), cache: "no-cache", raw: raw}
	if kind, ok := kinds()[path.Ext(name)]; ok {
		f.kind = kind // whatever the machine's own table says
	}
	if strings.HasPrefix(name, "dist/assets/") {
		f.cache = "public, max-age=31536000, immutable" // its name changes with its content
	}
	var zipped bytes.Buffer
	z, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(raw)
	}
	if err == nil && z.Close() == nil && zipped.Len() < len(raw)*9/10 {
		f.zipped = zipped.Bytes()
	}
	return f
}

func kinds() map[string]string {
	return map[string]string{
		".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
	}
}

func (f file) send(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Cache-Control", f.cache)
	head.Set("ETag", f.tag)
	head.Set("Vary", "Accept-Encoding")
	if r.Header.Get("If-None-Match") == f.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	head.Set("Content-Type", f.kind)
	body := f.raw
	if f.zipped != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		head.Set("Content-Encoding", "gzip")
		body = f.zipped
	}
	head.Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body) // a browser that has gone needs no answer
}
