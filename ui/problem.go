package ui

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"branchline/ui/api"
)

var (
	_ huma.StatusError       = (*api.Problem)(nil)
	_ huma.ContentTypeFilter = (*api.Problem)(nil)
)

func problem(status int, detail, cure string) *api.Problem {
	return &api.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Cure: cure}
}

func notFound(detail, cure string) *api.Problem { return problem(http.StatusNotFound, detail, cure) }

// broken says that the box itself could not.
func broken(doing string, err error) *api.Problem {
	return problem(http.StatusInternalServerError, fmt.Sprintf("%s: %v", doing, err),
		"try again; if it stays, the box's log says more")
}

// ownWords turns what huma says about a request into a Problem.
func ownWords(_ huma.Context, _ string, body any) (any, error) {
	said, ok := body.(*huma.ErrorModel)
	if !ok {
		return body, nil
	}
	p := problem(said.Status, said.Detail, "see /api/v1/openapi.json for what may be sent")
	for _, e := range said.Errors {
		p.Faults = append(p.Faults, api.Fault{Path: e.Location, What: e.Message})
	}
	return p, nil
}

// refuse sends p where huma is not at hand.
func refuse(w http.ResponseWriter, p *api.Problem) {
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // a client that has gone needs no answer
}
