package ui

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"branchline/ui/api"
)

type outsideIn struct{ Body api.OutsideCall }

type outsideOut struct{ Body api.Placed }

type callersOut struct{ Body []api.Caller }

type callerIn struct {
	ID string `path:"id" maxLength:"64"`
}

type pressIn struct {
	ID   string `path:"id" maxLength:"64"`
	Body api.Keys
}

// addOutside is the simulated outside world: who calls from there, and what they do.
func (h *Handler) addOutside(to huma.API) {
	huma.Register(to, withBody(huma.Operation{
		OperationID: "sim-call", Method: http.MethodPost, Path: "/api/v1/sim/calls", DefaultStatus: http.StatusCreated,
		Summary: "Let somebody in the simulated outside world call the box",
	}), h.outsideCall)
	huma.Register(to, huma.Operation{
		OperationID: "sim-calls", Method: http.MethodGet, Path: "/api/v1/sim/calls",
		Summary: "Who is in a call in the simulated outside world, or just was",
	}, h.callers)
	huma.Register(to, act("sim-hangup", "/api/v1/sim/calls/{id}/hangup", "Let somebody in the simulated outside world hang up"),
		func(_ context.Context, in *callerIn) (*struct{}, error) {
			return nil, h.outside(func(s Simulator) error { return s.Hangup(in.ID) })
		})
	huma.Register(to, withBody(act("sim-keys", "/api/v1/sim/calls/{id}/keys", "Let somebody in the simulated outside world press keys")),
		func(_ context.Context, in *pressIn) (*struct{}, error) {
			return nil, h.outside(func(s Simulator) error { return s.Press(in.ID, in.Body.Keys) })
		})
}

// real says that there is no outside world here but the true one.
func (h *Handler) real() error {
	return notFound("the lines of this box are real: there is no simulated outside world", "call it with a telephone")
}

func (h *Handler) outside(do func(Simulator) error) error {
	if h.box.Simulator == nil {
		return h.real()
	}
	if err := do(h.box.Simulator); err != nil {
		return notFound(err.Error(), "see who is there: GET /api/v1/sim/calls")
	}
	return nil
}

func (h *Handler) callers(context.Context, *struct{}) (*callersOut, error) {
	if h.box.Simulator == nil {
		return nil, h.real()
	}
	return &callersOut{h.box.Simulator.Callers()}, nil
}

func (h *Handler) outsideCall(ctx context.Context, in *outsideIn) (*outsideOut, error) {
	if h.box.Simulator == nil {
		return nil, h.real()
	}
	id, err := h.box.Simulator.Call(ctx, in.Body)
	if err != nil {
		return nil, problem(http.StatusUnprocessableEntity, err.Error(), "mend the numbers or the script and try again")
	}
	return &outsideOut{api.Placed{ID: id}}, nil
}
