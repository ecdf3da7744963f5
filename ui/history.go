package ui

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"branchline/pbx/config"
	"branchline/ui/api"
)

// History is every configuration that the box keeps.
type History interface {
	// Versions lists them, the newest first. It reads the disk.
	Versions() ([]api.Version, error)
	// Text is the document of one; ok is false where it is not kept.
	Text(number uint64) (text []byte, ok bool, err error)
}

type versionsOut struct{ Body []api.Version }

type versionIn struct {
	Number uint64 `path:"number" minimum:"1"`
}

type diffIn struct {
	From uint64 `query:"from" required:"true" minimum:"1"`
	To   uint64 `query:"to" doc:"0: the configuration in force"`
}

type diffOut struct{ Body []config.Change }

type rollbackIn struct {
	Number uint64 `path:"number" minimum:"1"`
	Who    string `query:"who" default:"local" maxLength:"80" doc:"who wants it; kept with the new version"`
}

func (h *Handler) addHistory(to huma.API) {
	huma.Register(to, huma.Operation{
		OperationID: "config-versions", Method: http.MethodGet, Path: "/api/v1/config/versions",
		Summary: "Every configuration that is kept, the newest first",
	}, h.versions)
	huma.Register(to, huma.Operation{
		OperationID: "config-version", Method: http.MethodGet, Path: "/api/v1/config/versions/{number}",
		Summary: "One of them", Description: "It holds passwords.",
	}, h.version)
	huma.Register(to, huma.Operation{
		OperationID: "config-diff", Method: http.MethodGet, Path: "/api/v1/config/diff",
		Summary: "What differs between two of them; passwords are not shown",
	}, h.diff)
	huma.Register(to, huma.Operation{
		OperationID: "config-rollback", Method: http.MethodPost, Path: "/api/v1/config/versions/{number}/rollback",
		Summary:     "Put an earlier configuration in force again, as a new version; calls go on",
		Description: "422 with faults where it does not hold any more: then nothing has changed.",
	}, h.rollback)
}

func (h *Handler) versions(context.Context, *struct{}) (*versionsOut, error) {
	list, err := h.box.Configuration.Versions()
	if err != nil {
		return nil, broken("read the configurations", err)
	}
	return &versionsOut{list}, nil
}

func (h *Handler) version(_ context.Context, in *versionIn) (*document, error) {
	text, err := h.text(in.Number)
	if err != nil {
		return nil, err
	}
	return &document{ContentType: "application/yaml", Version: in.Number, Body: text}, nil
}

func (h *Handler) diff(_ context.Context, in *diffIn) (*diffOut, error) {
	from, err := h.doc(in.From)
	if err != nil {
		return nil, err
	}
	to, _, _ := h.box.Configuration.Current()
	if in.To != 0 {
		if to, err = h.doc(in.To); err != nil {
			return nil, err
		}
	}
	return &diffOut{config.Diff(from, to)}, nil
}

func (h *Handler) rollback(ctx context.Context, in *rollbackIn) (*applyOut, error) {
	text, err := h.text(in.Number)
	if err != nil {
		return nil, err
	}
	return h.put(ctx, text, fmt.Sprintf("%s, back to %d", in.Who, in.Number))
}

// text is the document of a version, the caller's own.
func (h *Handler) text(number uint64) ([]byte, error) {
	text, ok, err := h.box.Configuration.Text(number)
	if err != nil {
		return nil, broken("read the configuration", err)
	}
	if !ok {
		return nil, notFound(fmt.Sprintf("configuration %d is not kept", number), "`branchline config history` lists those that are")
	}
	return bytes.Clone(text), nil
}

func (h *Handler) doc(number uint64) (*config.Doc, error) {
	text, err := h.text(number)
	if err != nil {
		return nil, err
	}
	doc, err := config.Load(text)
	if err != nil {
		return nil, broken(fmt.Sprintf("read configuration %d", number), err)
	}
	return doc, nil
}
