package ui

import (
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// addRecordings serves the recordings folder itself, because huma knows no ranges; the operation
// is described by hand.
func (h *handler) addRecordings(mux *http.ServeMux, to huma.API) {
	mux.HandleFunc("GET /api/v1/recordings/{file...}", h.recording)
	to.OpenAPI().AddOperation(&huma.Operation{
		OperationID: "recording", Method: http.MethodGet, Path: "/api/v1/recordings/{file}",
		Summary:     "A recording, or a range of it",
		Description: "file is what the call record names; it may hold slashes.",
		Parameters:  []*huma.Param{{Name: "file", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}},
		Responses: map[string]*huma.Response{
			"200": {Description: "the WAV file", Content: map[string]*huma.MediaType{"audio/wav": {}}},
			"206": {Description: "the range asked for", Content: map[string]*huma.MediaType{"audio/wav": {}}},
		},
	})
}

func (h *handler) recording(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	if path.Ext(name) == "" {
		name += ".wav" // a record names the file without ending
	}
	missing := notFound(fmt.Sprintf("there is no recording %q", r.PathValue("file")), "take the name from a call record; retention may have removed it")
	if h.box.Recordings == nil || !fs.ValidPath(name) || strings.HasPrefix(path.Base(name), ".") {
		refuse(w, missing)
		return
	}
	f, err := h.box.Recordings.Open(name) // an os.Root: no link leads out of it
	if err != nil {
		refuse(w, missing)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		refuse(w, missing)
		return
	}
	if path.Ext(name) == ".wav" {
		w.Header().Set("Content-Type", "audio/wav")
	} else {
		w.Header().Set("Content-Type", "application/octet-stream")
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, path.Base(name), info.ModTime(), f)
}
