package api

import "time"

// Live is the whole picture that the page shows: what the stream begins with, and what a Change is
// applied to.
type Live struct {
	Seq     uint64      `json:"seq" doc:"the newest entry of the timeline that is in it"`
	Now     time.Time   `json:"now" doc:"the box's clock"`
	Status  Status      `json:"status"`
	Calls   []Call      `json:"calls"`
	Lines   []Line      `json:"lines"`
	Agents  []Agent     `json:"agents"`
	Queues  []Queue     `json:"queues"`
	Phones  []Phone     `json:"phones"`
	Outside []Caller    `json:"outside,omitempty" doc:"people in the simulated outside world, newest first"`
	Facts   []Happening `json:"facts,omitempty" doc:"the latest that happened, oldest first"`
	Records uint64      `json:"records" doc:"number of the newest call record"`
}

// Change is what became different since the frame before. What is left out stayed as it was.
type Change struct {
	Seq     uint64         `json:"seq"`
	Now     time.Time      `json:"now"`
	Status  *Status        `json:"status,omitempty"`
	Calls   *Items[Call]   `json:"calls,omitempty"`
	Lines   *Items[Line]   `json:"lines,omitempty"`
	Agents  *Items[Agent]  `json:"agents,omitempty"`
	Queues  *Items[Queue]  `json:"queues,omitempty"`
	Phones  *Items[Phone]  `json:"phones,omitempty"`
	Outside *Items[Caller] `json:"outside,omitempty"`
	Facts   []Happening    `json:"facts,omitempty"`
	Records uint64         `json:"records,omitempty"`
}

// Items is what became different in a list.
type Items[T any] struct {
	Put   []T      `json:"put,omitempty" doc:"new ones, and old ones that changed"`
	Order []string `json:"order" doc:"the keys of all that are in the list now, in order"`
}

// Phone is one extension and whether its desk phone can ring.
type Phone struct {
	Extension string `json:"extension"`
	Name      string `json:"name"`
	Up        bool   `json:"up"`
}

// Caller is somebody in the simulated outside world, in a call or just out of it.
type Caller struct {
	ID       string    `json:"id"`
	Called   bool      `json:"called" doc:"the box dialled this person"`
	Number   string    `json:"number" doc:"of the person; empty: withheld"`
	Line     string    `json:"line" doc:"number of the box's line"`
	State    string    `json:"state" doc:"dialled, ringing, answered, ended"`
	Began    time.Time `json:"began"`
	Answered time.Time `json:"answered,omitzero"`
	Ended    time.Time `json:"ended,omitzero"`
	By       string    `json:"by,omitempty" doc:"who ended it: caller, called, network"`
	Cause    string    `json:"cause,omitempty"`
}

// Happening is a fact of the timeline in words.
type Happening struct {
	Seq  uint64    `json:"seq"`
	At   time.Time `json:"at"`
	Kind string    `json:"kind"`
	Call string    `json:"call,omitempty"`
	EN   string    `json:"en"`
	ZH   string    `json:"zh"`
}

// Keys are what a simulated person presses.
type Keys struct {
	Keys string `json:"keys" maxLength:"40" pattern:"^[0-9*#A-D]+$" doc:"0-9 * # A-D"`
}

// Found is some call records that were looked for, the newest first.
type Found struct {
	Rows   []Brief `json:"rows"`
	Before uint64  `json:"before" doc:"give it as before to go on; 0: there are no older ones"`
}

// Brief is a call record in one line.
type Brief struct {
	No        uint64    `json:"no"`
	Call      string    `json:"call"`
	Direction string    `json:"direction"`
	From      string    `json:"from" doc:"empty: withheld"`
	To        string    `json:"to"`
	Name      string    `json:"name,omitempty"`
	Extension string    `json:"extension,omitempty" doc:"who called, where it is one of ours"`
	Agent     string    `json:"agent,omitempty"`
	Queue     string    `json:"queue,omitempty" doc:"the last that it waited in"`
	Line      string    `json:"line"`
	Began     time.Time `json:"began"`
	Ended     time.Time `json:"ended"`
	Outcome   string    `json:"outcome" enum:"answered,abandoned,no_answer,busy,unreachable,failed,service,restarted"`
	WaitMS    int64     `json:"wait_ms"`
	TalkMS    int64     `json:"talk_ms"`
	TotalMS   int64     `json:"total_ms"`
	Recorded  bool      `json:"recorded"`
}

// Told is one call record as a story.
type Told struct {
	Brief
	Cause      string      `json:"cause"`
	By         string      `json:"ended_by" enum:"caller,callee,system"`
	HoldMS     int64       `json:"hold_ms"`
	Story      []Moment    `json:"story"`
	Summary    string      `json:"summary"`
	Recordings []Recording `json:"recordings"`
}

// Moment is one line of a story.
type Moment struct {
	At    time.Time `json:"at,omitzero" doc:"left out where nobody knows when"`
	Words string    `json:"words"`
}

// Recording is a file that was recorded of a call.
type Recording struct {
	File    string    `json:"file" doc:"as GET /api/v1/recordings/{file} takes it"`
	Started time.Time `json:"started"`
	Left    string    `json:"left" doc:"who is heard in the left channel"`
	Right   string    `json:"right"`
	Why     string    `json:"why,omitempty" doc:"why it cannot be played"`
}

// Wave is the picture of a recording: for each piece of equal length the loudest sample of each
// channel, 0 to 100.
type Wave struct {
	Seconds float64 `json:"seconds"`
	Rate    int     `json:"rate" doc:"samples per second"`
	Left    []int   `json:"left"`
	Right   []int   `json:"right,omitempty" doc:"left out where the file has one channel"`
}
