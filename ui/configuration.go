package ui

import (
	"bytes"
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"branchline/pbx/config"
	"branchline/ui/api"
)

type document struct {
	ContentType string `header:"Content-Type"`
	Version     uint64 `header:"X-Config-Version" doc:"of the configuration in force"`
	Body        []byte
}

type checkIn struct {
	RawBody []byte `contentType:"application/yaml"`
}

type applyIn struct {
	Who     string `query:"who" default:"local" maxLength:"80" doc:"who applies it; kept with the version"`
	RawBody []byte `contentType:"application/yaml"`
}

type checkOut struct{ Body api.Checked }

type applyOut struct{ Body api.Applied }

func (h *Handler) addConfiguration(to huma.API) {
	huma.Register(to, huma.Operation{
		OperationID: "config", Method: http.MethodGet, Path: "/api/v1/config", Summary: "The configuration in force",
		Description: "One YAML document. It holds passwords.",
	}, h.config)
	huma.Register(to, withBody(huma.Operation{
		OperationID: "config-check", Method: http.MethodPost, Path: "/api/v1/config/check",
		Summary: "What is wrong in a configuration; nothing changes",
	}), h.check)
	huma.Register(to, withBody(huma.Operation{
		OperationID: "config-apply", Method: http.MethodPost, Path: "/api/v1/config/apply",
		Summary:     "Replace the configuration whole; calls go on",
		Description: "422 with faults: everything that is wrong in it; then nothing has changed.",
	}), h.apply)
}

func (h *Handler) config(context.Context, *struct{}) (*document, error) {
	_, text, version := h.box.Configuration.Current()
	return &document{ContentType: "application/yaml", Version: version, Body: text}, nil
}

func (h *Handler) check(_ context.Context, in *checkIn) (*checkOut, error) {
	// The body's bytes go back to a pool when the handler returns.
	problems := h.box.Configuration.Check(bytes.Clone(in.RawBody))
	return &checkOut{api.Checked{OK: len(config.Wrong(problems)) == 0, Faults: Faults(problems)}}, nil
}

func (h *Handler) apply(ctx context.Context, in *applyIn) (*applyOut, error) {
	return h.put(ctx, bytes.Clone(in.RawBody), in.Who)
}

// put puts text in force, or says in words why not.
func (h *Handler) put(ctx context.Context, text []byte, who string) (*applyOut, error) {
	version, later, err := h.box.Configuration.Apply(ctx, text, who)
	var wrong *config.LoadError
	switch {
	case errors.As(err, &wrong):
		p := problem(http.StatusUnprocessableEntity, "the configuration is wrong; what runs stays", "mend what is named and apply again")
		p.DetailZH, p.CureZH = "配置有误，运行中的配置不变", "请改正所列各项后重新应用"
		p.Faults = Faults(wrong.Problems)
		return nil, p
	case err != nil:
		p := problem(http.StatusConflict, "the configuration could not be applied: "+err.Error(), "what runs stays; mend that and apply again")
		p.DetailZH, p.CureZH = "配置无法应用："+err.Error(), "运行中的配置不变；请改正后重新应用"
		return nil, p
	}
	warnings := Faults(h.box.Configuration.Check(text)) // else it would not have been applied
	return &applyOut{api.Applied{Version: version, Later: later, Warnings: warnings}}, nil
}

// Faults is problems as the API tells them, nil for none.
func Faults(problems []config.Problem) (faults []api.Fault) {
	for _, p := range problems {
		faults = append(faults, api.Fault{
			Path: p.Path, What: p.What.EN, Cure: p.Cure.EN, WhatZH: p.What.ZH, CureZH: p.Cure.ZH,
			Line: p.Line, Column: p.Column, Warning: p.Warning,
		})
	}
	return faults
}
