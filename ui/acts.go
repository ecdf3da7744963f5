package ui

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"branchline/pbx/call"
	"branchline/pbx/config"
	"branchline/pbx/journal"
	"branchline/ui/api"
)

// askPatience is how long the floor has for an answer, the disk's included.
const askPatience = 5 * time.Second

type hangupIn struct {
	ID  string `path:"id" maxLength:"64"`
	Who string `query:"who" default:"local" maxLength:"80"`
}

type agentIn struct {
	Number string `path:"number" maxLength:"40"`
	Who    string `query:"who" default:"local" maxLength:"80"`
}

type notReadyIn struct {
	Number string `path:"number" maxLength:"40"`
	Who    string `query:"who" default:"local" maxLength:"80"`
	Reason string `query:"reason" maxLength:"40" doc:"why, in a word: lunch"`
}

func (h *Handler) addActs(to huma.API) {
	huma.Register(to, act("calls-hangup", "/api/v1/calls/{id}/hangup", "End a call: all its legs are hung up"), h.hangup)
	huma.Register(to, act("agents-ready", "/api/v1/agents/{number}/ready", "Make a signed-in agent ready; it ends wrap-up too"),
		func(ctx context.Context, in *agentIn) (*struct{}, error) {
			return h.askAgent(ctx, in.Number, call.SetReady{Agent: in.Number, Actor: in.Who})
		})
	huma.Register(to, act("agents-not-ready", "/api/v1/agents/{number}/not-ready", "Keep contacts away from an agent; in a call: after it"),
		func(ctx context.Context, in *notReadyIn) (*struct{}, error) {
			return h.askAgent(ctx, in.Number, call.SetNotReady{Agent: in.Number, Reason: in.Reason, Actor: in.Who})
		})
	huma.Register(to, act("agents-sign-out", "/api/v1/agents/{number}/sign-out", "Sign an agent out; in a call: after it"),
		func(ctx context.Context, in *agentIn) (*struct{}, error) {
			return h.askAgent(ctx, in.Number, call.SignOut{Agent: in.Number, Actor: in.Who})
		})
}

// act describes something that a person may do; it answers 204 when it is done and on disk.
func act(id, path, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: http.MethodPost, Path: path, Summary: summary, DefaultStatus: http.StatusNoContent}
}

func (h *Handler) hangup(ctx context.Context, in *hangupIn) (*struct{}, error) {
	if !slices.ContainsFunc(h.liveCalls(), func(c api.Call) bool { return c.ID == in.ID }) {
		return nil, notFound(fmt.Sprintf("no call %q is up", in.ID), "see which are: GET /api/v1/calls, or branchline calls")
	}
	return nil, h.ask(ctx, call.EndCall{Call: call.ID(in.ID), Actor: in.Who})
}

func (h *Handler) askAgent(ctx context.Context, number string, c call.Command) (*struct{}, error) {
	doc, _, _ := h.box.Configuration.Current()
	if !slices.ContainsFunc(doc.Agents, func(a config.Agent) bool { return a.Number == number }) {
		return nil, notFound(fmt.Sprintf("there is no agent %q", number), "see who there is: GET /api/v1/agents, or branchline agents")
	}
	return nil, h.ask(ctx, c)
}

// ask puts c to the floor. What the floor refuses, it refuses in words.
func (h *Handler) ask(ctx context.Context, c call.Command) error {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	err := h.box.Commands.Ask(ctx, c)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, journal.ErrUnsafe):
		return problem(http.StatusServiceUnavailable, fmt.Sprintf("it was done, but is not safe yet: %v", err),
			"look after the disk; if the power fails before, do it again")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return problem(http.StatusServiceUnavailable, fmt.Sprintf("the box did not answer within %s", askPatience),
			"look whether it was done before you try again")
	default:
		return problem(http.StatusConflict, err.Error(), "see how things stand: branchline agents, branchline calls")
	}
}
