package ui

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"branchline/ui/api"
)

type certificateOut struct{ Body api.Certificate }

// addCertificate serves the authority for people, and as the file that a phone is given.
func (h *Handler) addCertificate(mux *http.ServeMux, to huma.API) {
	huma.Register(to, huma.Operation{
		OperationID: "certificate", Method: http.MethodGet, Path: "/api/v1/certificate", Summary: "The authority by which phones know the box by TLS",
	}, func(context.Context, *struct{}) (*certificateOut, error) {
		c, ok := h.certificate()
		if !ok {
			return nil, noCertificate()
		}
		return &certificateOut{c}, nil
	})
	mux.HandleFunc("GET /api/v1/certificate.pem", func(w http.ResponseWriter, _ *http.Request) {
		c, ok := h.certificate()
		if !ok {
			refuse(w, noCertificate())
			return
		}
		w.Header().Set("Content-Type", "application/x-pem-file")
		w.Header().Set("Content-Disposition", `attachment; filename="branchline.pem"`)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write([]byte(c.PEM)) // a client that has gone needs no answer
	})
	to.OpenAPI().AddOperation(&huma.Operation{
		OperationID: "certificate-file", Method: http.MethodGet, Path: "/api/v1/certificate.pem", Summary: "The same as the file that a phone is given",
		Responses: map[string]*huma.Response{"200": {Description: "PEM", Content: map[string]*huma.MediaType{"application/x-pem-file": {}}}},
	})
}

func (h *Handler) certificate() (api.Certificate, bool) {
	if h.box.Certificate == nil {
		return api.Certificate{}, false
	}
	return h.box.Certificate()
}

func noCertificate() *api.Problem {
	return problem(http.StatusServiceUnavailable, "the box has no certificate", "its log says what is wrong with the folder certificates")
}
