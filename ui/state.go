package ui

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"branchline/pbx/call"
	"branchline/pbx/config"
	"branchline/pbx/view/board"
	"branchline/pbx/view/words"
	"branchline/ui/api"
)

type (
	statusOut struct{ Body api.Status }
	callsOut  struct{ Body []api.Call }
	linesOut  struct{ Body []api.Line }
	agentsOut struct{ Body []api.Agent }
	queuesOut struct{ Body []api.Queue }
	soundOut  struct{ Body api.Sound }
	soundIn   struct {
		Seconds int `query:"seconds" minimum:"1" maximum:"60" default:"60" doc:"to look back"`
	}
)

func (h *Handler) addState(to huma.API) {
	show := func(name, summary string) huma.Operation {
		return huma.Operation{OperationID: name, Method: http.MethodGet, Path: "/api/v1/" + name, Summary: summary}
	}
	huma.Register(to, show("status", "How the box is"), func(context.Context, *struct{}) (*statusOut, error) {
		s, sound := h.status(), h.box.Sound(time.Minute)
		s.Sound = &sound
		return &statusOut{s}, nil
	})
	huma.Register(to, show("sound", "How well the clock of the sound is kept"), func(_ context.Context, in *soundIn) (*soundOut, error) {
		return &soundOut{h.box.Sound(time.Duration(in.Seconds) * time.Second)}, nil
	})
	huma.Register(to, show("calls", "Calls that are up now, oldest first"), func(context.Context, *struct{}) (*callsOut, error) {
		return &callsOut{h.liveCalls()}, nil
	})
	huma.Register(to, show("lines", "Outside lines and the desk phones"), func(context.Context, *struct{}) (*linesOut, error) {
		return &linesOut{h.lines()}, nil
	})
	huma.Register(to, show("agents", "Agents and what they do"), func(context.Context, *struct{}) (*agentsOut, error) {
		return &agentsOut{h.agents()}, nil
	})
	huma.Register(to, show("queues", "Queues and who waits there"), func(context.Context, *struct{}) (*queuesOut, error) {
		return &queuesOut{h.queues()}, nil
	})
}

func (h *Handler) status() api.Status {
	doc, _, version := h.box.Configuration.Current()
	health, now, picture := h.box.Health(), h.box.Now(), h.box.Board()
	s := api.Status{
		Version: health.Version, Board: health.Board, Boot: health.Boot,
		Started: health.Started.UTC(), UptimeS: int64(now.Sub(health.Started) / time.Second),
		Site: doc.Site.Name, Timezone: doc.Site.Timezone, Config: version,
		Calls:  len(picture.Calls),
		Lines:  api.Count{Of: len(doc.Lines)},
		Phones: api.Count{Of: len(doc.Extensions)},
		Agents: api.Count{Of: len(doc.Agents)},
		Disk:   health.Disk, Prompts: "tones", Page: health.Page,
	}
	s.Disk.StalledSince = picture.Unsynced
	if health.Prompts {
		s.Prompts = "present"
	}
	for _, l := range doc.Lines {
		if live, _ := lineOf(picture, l.Name); live.Up {
			s.Lines.Up++
		}
	}
	for _, e := range doc.Extensions {
		if slices.Contains(picture.Phones, e.Number) {
			s.Phones.Up++
		}
	}
	for _, a := range doc.Agents {
		if agentOf(picture, a.Number).State != call.SignedOut {
			s.Agents.Up++
		}
	}
	return s
}

func (h *Handler) liveCalls() []api.Call {
	picture := h.box.Board()
	calls := make([]api.Call, 0, len(picture.Calls))
	for _, c := range picture.Calls {
		row := api.Call{
			ID: string(c.Call), Direction: string(c.Direction), From: string(c.From), To: string(c.To), Name: c.Name,
			Line: c.Line, State: string(c.Phase), Queue: c.Queue, Agent: c.Agent, Began: c.Began.UTC(), Since: c.Since.UTC(),
			Recorded: c.Recorded, Legs: make([]api.Leg, 0, len(c.Legs)),
		}
		for _, l := range c.Legs {
			row.Legs = append(row.Legs, api.Leg{ID: string(l.Leg), Line: l.Line, Number: string(l.Number), Agent: l.Agent, State: l.State})
		}
		calls = append(calls, row)
	}
	return calls
}

// lines are those of the configuration, then those that are on the board alone: the desk phones,
// and lines that were taken out of the configuration and still carry a call.
func (h *Handler) lines() []api.Line {
	doc, _, _ := h.box.Configuration.Current()
	picture := h.box.Board()
	lines := make([]api.Line, 0, len(doc.Lines)+1)
	for _, l := range doc.Lines {
		row := api.Line{Name: l.Name, Kind: l.Kind, Slot: l.Slot, Number: l.Number, Why: "not heard of yet", WhyZH: "尚无消息"}
		if live, known := lineOf(picture, l.Name); known {
			row.Up, row.Why, row.Since, row.Legs = live.Up, live.Why, live.Since.UTC(), live.Legs
			row.WhyZH = words.Why(live.Why, words.Chinese)
		}
		lines = append(lines, row)
	}
	for _, l := range picture.Lines {
		removed := l.Name != "phones" && !l.Up // from the document, and at rest
		if !removed && !slices.ContainsFunc(doc.Lines, func(c config.Line) bool { return c.Name == l.Name }) {
			lines = append(lines, api.Line{Name: l.Name, Kind: "inside", Up: l.Up, Why: l.Why, WhyZH: words.Why(l.Why, words.Chinese), Since: l.Since.UTC(), Legs: l.Legs})
		}
	}
	return lines
}

func (h *Handler) agents() []api.Agent {
	doc, _, _ := h.box.Configuration.Current()
	picture := h.box.Board()
	agents := make([]api.Agent, 0, len(doc.Agents))
	for _, a := range doc.Agents {
		live := agentOf(picture, a.Number)
		agents = append(agents, api.Agent{
			Number: a.Number, Name: a.Name, State: string(live.State), Reason: live.Reason, Extension: live.Extension,
			Call: string(live.Call), Since: live.Since.UTC(), Until: live.Until.UTC(),
		})
	}
	return agents
}

func (h *Handler) queues() []api.Queue {
	doc, _, _ := h.box.Configuration.Current()
	picture := h.box.Board()
	queues := make([]api.Queue, 0, len(doc.Queues))
	for _, q := range doc.Queues {
		row := api.Queue{Name: q.Name, Agents: len(q.Agents)}
		for _, number := range q.Agents {
			if agentOf(picture, number).State == call.Ready {
				row.Ready++
			}
		}
		if i := slices.IndexFunc(picture.Queues, func(l board.Queue) bool { return l.Queue == q.Name }); i >= 0 {
			row.Waiting, row.WaitingSince = picture.Queues[i].Waiting, picture.Queues[i].Longest.UTC()
		}
		queues = append(queues, row)
	}
	return queues
}

func lineOf(picture board.Snapshot, name string) (board.Line, bool) {
	i := slices.IndexFunc(picture.Lines, func(l board.Line) bool { return l.Name == name })
	if i < 0 {
		return board.Line{}, false
	}
	return picture.Lines[i], true
}

// agentOf is signed out who has not been heard of.
func agentOf(picture board.Snapshot, number string) board.Agent {
	i := slices.IndexFunc(picture.Agents, func(a board.Agent) bool { return a.Agent == number })
	if i < 0 {
		return board.Agent{Agent: number, State: call.SignedOut}
	}
	return picture.Agents[i]
}
