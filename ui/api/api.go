// Package api is the words of the box's API: what travels as JSON between the handler (ui) and its
// clients (the page, the program's commands, other systems). It has no behaviour. All times are
// UTC in RFC 3339, outside numbers E.164; members are added, never changed or taken away.
//
// Start at Status and Call. What says no is a Problem.
package api

import (
	"encoding/json"
	"time"
)

// Status is how the box is.
type Status struct {
	Version  string    `json:"version" doc:"of the program"`
	Board    string    `json:"board" example:"sim"`
	Boot     uint32    `json:"boot" doc:"how often the program has started in this folder"`
	Started  time.Time `json:"started"`
	UptimeS  int64     `json:"uptime_s" doc:"whole seconds"`
	Site     string    `json:"site"`
	Timezone string    `json:"timezone" doc:"IANA name: the time zone of the site"`
	Config   uint64    `json:"config" doc:"version of the configuration in force"`
	Calls    int       `json:"calls" doc:"calls that are up now"`
	Lines    Count     `json:"lines" doc:"lines in service, of all"`
	Phones   Count     `json:"phones" doc:"desk phones signed in, of all extensions"`
	Agents   Count     `json:"agents" doc:"agents signed in, of all"`
	Disk     Disk      `json:"disk"`
	Prompts  string    `json:"prompts" enum:"present,tones" doc:"tones: no prompts are installed, callers hear tones instead"`
	Page     string    `json:"page,omitempty" doc:"address of the page, for a browser on this machine" example:"http://127.0.0.1:8088/"`
	Sound    *Sound    `json:"sound,omitempty" doc:"of the last minute; left out in the live picture"`
}

// Sound is how well the clock of the sound, a tick every 20 ms, was kept over the last seconds.
type Sound struct {
	Ticks     int   `json:"ticks" doc:"that were due: 50 a second"`
	LateTicks int   `json:"late_ticks" doc:"of these, began over 10 ms after their time, or never"`
	LeftOut   int   `json:"left_out" doc:"of these, never began: the machine stood still for over 100 ms"`
	Began     Delay `json:"began" doc:"how long after its time a tick began; what was left out counts, too"`
	Took      Delay `json:"took" doc:"how long a tick took"`
}

// Delay is how a duration is spread.
type Delay struct {
	P50us int64 `json:"p50_us" doc:"half took so many microseconds, or fewer"`
	P99us int64 `json:"p99_us" doc:"all but one in a hundred"`
	MaxUs int64 `json:"max_us" doc:"the longest"`
}

// Count is how many are up, of how many.
type Count struct {
	Up int `json:"up"`
	Of int `json:"of"`
}

// Disk is the file system that holds the box's folder.
type Disk struct {
	FreeBytes  uint64 `json:"free_bytes"`
	TotalBytes uint64 `json:"total_bytes"`

	ReserveBytes uint64 `json:"reserve_bytes,omitempty" doc:"recordings stop where less is free"`

	StalledSince time.Time `json:"stalled_since,omitzero" doc:"since when it has not confirmed what was written, and calls go on without it; absent where it does"`
	Failing      string    `json:"failing,omitempty" doc:"why the disk does not keep what is written now; empty: it does"`
}

// Call is a call that is up now.
type Call struct {
	ID        string    `json:"id"`
	Direction string    `json:"direction" enum:"inbound,outbound,internal"`
	From      string    `json:"from" doc:"empty: withheld"`
	To        string    `json:"to"`
	Name      string    `json:"name,omitempty" doc:"of the caller, as said by the wire"`
	Line      string    `json:"line" doc:"on which it came in"`
	State     string    `json:"state" doc:"began, flow, waiting, ringing, talking, holding"`
	Queue     string    `json:"queue,omitempty"`
	Agent     string    `json:"agent,omitempty" doc:"agent number"`
	Began     time.Time `json:"began"`
	Since     time.Time `json:"since" doc:"since when it is in that state"`
	Recorded  bool      `json:"recorded" doc:"it is being recorded"`
	Legs      []Leg     `json:"legs"`
}

// Leg is one side of a call that is up.
type Leg struct {
	ID     string `json:"id"`
	Line   string `json:"line"`
	Number string `json:"number"`
	Agent  string `json:"agent,omitempty"`
	State  string `json:"state" doc:"in, dialling, ringing, up, held"`
}

// Line is one outside line, or all the desk phones together.
type Line struct {
	Name   string    `json:"name"`
	Kind   string    `json:"kind" doc:"sim; inside: the desk phones"`
	Slot   string    `json:"slot,omitempty"`
	Number string    `json:"number,omitempty"`
	Up     bool      `json:"up" doc:"it can carry calls"`
	Why    string    `json:"why,omitempty" doc:"why it is not up"`
	WhyZH  string    `json:"why_zh,omitempty" doc:"the same in Chinese, where there are words for it"`
	Since  time.Time `json:"since,omitzero"`
	Legs   int       `json:"legs" doc:"that it carries now"`
}

// Agent is a person who takes contacts.
type Agent struct {
	Number    string    `json:"number"`
	Name      string    `json:"name"`
	State     string    `json:"state" doc:"signed_out, ready, not_ready, ringing, talking …"`
	Reason    string    `json:"reason,omitempty"`
	Extension string    `json:"extension,omitempty" doc:"where the agent is signed in"`
	Call      string    `json:"call,omitempty"`
	Since     time.Time `json:"since,omitzero"`
	Until     time.Time `json:"until,omitzero" doc:"when the state ends by itself"`
}

// Queue is a place where contacts wait.
type Queue struct {
	Name         string    `json:"name"`
	Waiting      int       `json:"waiting"`
	WaitingSince time.Time `json:"waiting_since,omitzero" doc:"of the contact that waits longest"`
	Agents       int       `json:"agents" doc:"agents of the queue"`
	Ready        int       `json:"ready" doc:"of these, ready now"`
}

// Entry is one fact of the timeline.
type Entry struct {
	Seq   uint64          `json:"seq"`
	At    time.Time       `json:"at,omitzero" doc:"left out where entries are no longer kept"`
	Call  string          `json:"call,omitempty" doc:"the call that it belongs to"`
	Fact  json.RawMessage `json:"fact" doc:"an object; its kind says what the other members are"`
	Words string          `json:"words,omitempty" doc:"the same in words"`
}

// Checked is what the box thinks of a configuration.
type Checked struct {
	OK     bool    `json:"ok" doc:"it can be applied"`
	Faults []Fault `json:"faults,omitempty" doc:"where ok, warnings alone"`
}

// Applied says which configuration is in force now.
type Applied struct {
	Version uint64   `json:"version"`
	Later   []string `json:"later,omitempty" doc:"what takes effect only when the box restarts"`

	Warnings []Fault `json:"warnings,omitempty" doc:"what is odd in it"`
}

// Version is one configuration that the box keeps.
type Version struct {
	Number uint64    `json:"number"`
	Who    string    `json:"who" doc:"who put it in force"`
	At     time.Time `json:"at"`
}

// OutsideCall is a call that somebody in the simulated outside world shall place.
type OutsideCall struct {
	From   string `json:"from" maxLength:"40" doc:"number of the caller; empty: withheld"`
	To     string `json:"to,omitempty" maxLength:"40" doc:"number of one of the box's lines; empty: its first"`
	Script string `json:"script,omitempty" maxLength:"65536" doc:"what the caller does; empty: says nothing and stays"`
}

// Placed names the simulated call.
type Placed struct {
	ID string `json:"id"`
}

// Page is some call records in the order in which their calls ended.
type Page struct {
	Rows []Row  `json:"rows"`
	Next uint64 `json:"next" doc:"give it as after to go on"`
	More bool   `json:"more" doc:"there are more now"`
}

// Row is one finished call record with its number on this box.
type Row struct {
	No     uint64          `json:"no" doc:"from 1, without gaps"`
	Record json.RawMessage `json:"record"`
}
