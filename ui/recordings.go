package ui

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"branchline/ui/api"
)

// addRecordings serves the recordings folder itself, because huma knows no ranges; the operation
// is described by hand.
func (h *Handler) addRecordings(mux *http.ServeMux, to huma.API) {
	mux.HandleFunc("GET /api/v1/recordings/{file...}", h.recording)
	mux.HandleFunc("GET /api/v1/waves/{file...}", h.wave)
	to.OpenAPI().AddOperation(&huma.Operation{
		OperationID: "wave", Method: http.MethodGet, Path: "/api/v1/waves/{file}", Summary: "The picture of a recording, for people who look where somebody speaks",
		Parameters: []*huma.Param{{Name: "file", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}},
		Responses: map[string]*huma.Response{"200": {
			Description: "the picture",
			Content:     map[string]*huma.MediaType{"application/json": {Schema: to.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[api.Wave](), true, "Wave")}},
		}},
	})
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

func (h *Handler) recording(w http.ResponseWriter, r *http.Request) {
	f, err := h.openRecording(r.PathValue("file"))
	if err != nil {
		refuse(w, noRecording(r.PathValue("file")))
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		refuse(w, noRecording(r.PathValue("file")))
		return
	}
	if path.Ext(f.Name()) == ".wav" {
		w.Header().Set("Content-Type", "audio/wav")
	} else {
		w.Header().Set("Content-Type", "application/octet-stream")
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, path.Base(f.Name()), info.ModTime(), f)
}

func noRecording(name string) *api.Problem {
	return notFound(fmt.Sprintf("there is no recording %q", name), "take the name from a call record; retention may have removed it")
}

// openRecording opens a recording as a record names it: without ending. The caller closes it.
func (h *Handler) openRecording(name string) (*os.File, error) {
	if path.Ext(name) == "" {
		name += ".wav"
	}
	if h.box.Recordings == nil || !fs.ValidPath(name) || strings.HasPrefix(path.Base(name), ".") {
		return nil, fs.ErrNotExist
	}
	f, err := h.box.Recordings.Open(name) // an os.Root: no link leads out of it
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fs.ErrNotExist, err, f.Close())
	}
	return f, nil
}
