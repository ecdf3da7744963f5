package view

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"branchline/pbx/call"
)

// AgentLog is the fold that gives a Stint, as a row, whenever an agent's state ends. The latest stint
// of each agent stays open.
type AgentLog struct {
	open map[string]Stint // by agent
}

// Stint is a time during which an agent did one thing.
type Stint struct {
	Agent     string        `json:"agent"`
	State     call.State    `json:"state"`
	Reason    string        `json:"reason,omitempty"` // of not ready
	Extension string        `json:"extension,omitempty"`
	Call      call.ID       `json:"call,omitempty"`
	From      time.Time     `json:"from"`
	To        time.Time     `json:"to,omitzero"` // zero: it still lasts
	For       time.Duration `json:"for_ns"`
	Actor     string        `json:"actor"` // who made it begin
	Cause     string        `json:"cause"` // and why
}

// AgentLogName is the name of the fold AgentLog.
const AgentLogName = "agents"

// NewAgentLog makes the fold with no agent known.
func NewAgentLog() *AgentLog { return &AgentLog{open: map[string]Stint{}} }

// Name is AgentLogName.
func (l *AgentLog) Name() string { return AgentLogName }

// Apply takes the next entry and gives the stint that it ends.
func (l *AgentLog) Apply(e call.Entry) []json.RawMessage {
	if c, ok := e.Fact.(call.ClockSet); ok {
		l.shift(c)
	}
	f, ok := e.Fact.(call.Presence)
	if !ok {
		return nil
	}
	was, known := l.open[f.Agent]
	next := Stint{
		Agent: f.Agent, State: f.State, Extension: f.Extension, Call: f.Call,
		From: e.At, Actor: f.Actor, Cause: f.Cause,
	}
	if f.State == call.NotReady { // else it is that of a state to come
		next.Reason = f.Reason
	}
	l.open[f.Agent] = next
	if !known {
		return nil
	}
	was.To, was.For = e.At, max(0, e.At.Sub(was.From))
	return []json.RawMessage{mustJSON(was)}
}

// Open gives the stints that last, by agent number.
func (l *AgentLog) Open() []Stint {
	out := make([]Stint, 0, len(l.open))
	for _, agent := range slices.Sorted(maps.Keys(l.open)) {
		out = append(out, l.open[agent])
	}
	return out
}

// Save gives the open stints.
func (l *AgentLog) Save() []byte { return mustJSON(l.Open()) }

// Restore takes what Save gave.
func (l *AgentLog) Restore(state []byte) error {
	var list []Stint
	if err := json.Unmarshal(state, &list); err != nil {
		return fmt.Errorf("agent log: %w", err)
	}
	l.open = map[string]Stint{}
	for _, s := range list {
		l.open[s.Agent] = s
	}
	return nil
}
