package ui

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// FlightRecorder writes what the floor lived through in the last hours; engine.Engine is one.
type FlightRecorder interface {
	// WriteScenario writes the parts that hold what came after since, oldest first.
	WriteScenario(w io.Writer, since time.Time) error
}

type scenarioIn struct {
	Since time.Time `query:"since" doc:"leave out what is older, as far as whole parts go"`
}

type scenarioOut struct {
	ContentType string `header:"Content-Type"`
	Name        string `header:"Content-Disposition"`
	Body        []byte
}

func (h *Handler) addScenario(to huma.API) {
	huma.Register(to, huma.Operation{
		OperationID: "scenario", Method: http.MethodGet, Path: "/api/v1/scenario",
		Summary:     "The flight recorder: the last hours as a scenario that can be replayed",
		Description: "It holds numbers of callers, but no password, PIN or sound.",
	}, h.scenario)
}

func (h *Handler) scenario(_ context.Context, in *scenarioIn) (*scenarioOut, error) {
	var b bytes.Buffer
	if err := h.box.Flight.WriteScenario(&b, in.Since); err != nil {
		return nil, broken("write the scenario", err)
	}
	name := "branchline-" + h.box.Now().UTC().Format("20060102-150405") + ".scenario"
	return &scenarioOut{"text/plain; charset=utf-8", `attachment; filename="` + name + `"`, b.Bytes()}, nil
}
