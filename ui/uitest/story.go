package uitest

import (
	"encoding/json"
	"slices"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/config"
	"branchline/pbx/view"
)

// CallID is the call that is up in the box that New makes.
const CallID call.ID = "01KG9Z6XW8000040000400000G"

// New makes a box in the afternoon: one call is over, another talks, a third waits.
func New() *Box {
	b := &Box{Timeline: &Timeline{}, Doc: doc(), text: []byte("version: 1\nsite: {name: Main Street}\n"), version: 3}
	at := Now().Add(-2*time.Hour - 3*time.Minute)
	add := func(after time.Duration, facts ...call.Fact) {
		at = at.Add(after)
		b.Timeline.Add(at, facts...)
	}
	add(0, call.Booted{Boot: 4, Program: "0.1.0", Clean: true})
	add(time.Second, call.LineUp{Line: "gsm1"}, call.LineUp{Line: "phones"}, call.PhoneUp{Extension: "201"}, call.PhoneUp{Extension: "202"})
	add(time.Minute, call.Presence{Agent: "11", State: call.Ready, Extension: "201", Actor: "11", Cause: call.BySelf})
	talk(add, "01KG9XNJ98000040000400000F", "gsm1#4-1", "phones#4-o1", "+8613800000001")
	add(9*time.Second, call.LegEnded{Call: "01KG9XNJ98000040000400000F", Leg: "gsm1#4-1", Cause: hal.Normal, Far: true, Wire: "NO CARRIER"},
		call.LegEnded{Call: "01KG9XNJ98000040000400000F", Leg: "phones#4-o1", Cause: hal.Normal},
		call.Ended{Call: "01KG9XNJ98000040000400000F", Cause: hal.Normal, By: call.ByCaller},
		call.Presence{Agent: "11", State: call.Ready, Extension: "201", Actor: "11", Cause: call.ByCall})
	at = Now().Add(-time.Minute)
	talk(add, CallID, "gsm1#4-2", "phones#4-o2", "+8613800000002")
	third := call.ID("01KG9Z8NG8000040000400000H")
	add(5*time.Second, call.Began{Call: third, Leg: "gsm1#4-3", Line: "gsm1", Direction: call.Inbound, Wire: "3"},
		call.Queued{Call: third, Queue: "sales"})
	b.addRecords()
	return b
}

// talk takes a caller from the ring to agent 11.
func talk(add func(time.Duration, ...call.Fact), id call.ID, leg, desk hal.LegID, from hal.Number) {
	add(time.Second, call.Began{Call: id, Leg: leg, Line: "gsm1", Direction: call.Inbound, From: from, To: "+862150001234", Wire: "1"},
		call.FlowEntered{Call: id, Flow: "main"}, call.Answered{Call: id, Leg: leg, Release: "CHUP"})
	add(4*time.Second, call.Keyed{Call: id, Leg: leg, Key: "1", Step: "menu"}, call.Queued{Call: id, Queue: "sales"},
		call.Presence{Agent: "11", State: call.Ringing, Extension: "201", Call: id, Actor: "system", Cause: call.ByCall},
		call.Offered{Call: id, Queue: "sales", Agent: "11", Extension: "201", Leg: desk, Why: "longest idle, 19s"},
		call.Dialed{Call: id, Leg: desk, Line: "phones", To: "201", Agent: "11"},
		call.Opened{Call: id, Leg: desk, Wire: "3c26-1@127.0.0.1"})
	add(200*time.Millisecond, call.Alerting{Call: id, Leg: desk})
	add(3*time.Second, call.Answered{Call: id, Leg: desk},
		call.Dequeued{Call: id, Queue: "sales", Exit: call.ExitAnswered, Agent: "11", Waited: 3200 * time.Millisecond},
		call.Connected{Call: id, Leg: leg, Peer: desk, Agent: "11", Queue: "sales"},
		call.RecordingStarted{Call: id, File: "2026-01-31/" + string(id), Left: []hal.LegID{leg}, Right: []hal.LegID{desk}},
		call.Presence{Agent: "11", State: call.Talking, Extension: "201", Call: id, Actor: "system", Cause: call.ByCall})
}

// addRecords makes the records of the calls that have ended, as the box does.
func (b *Box) addRecords() {
	records := view.NewRecords()
	var rows []json.RawMessage
	for e := range b.Timeline.entriesNow() {
		rows = append(rows, records.Apply(e)...)
	}
	for _, row := range rows {
		b.Timeline.AddRecord(string(row))
	}
}

func doc() *config.Doc {
	return &config.Doc{
		Version: 1,
		Site:    config.Site{Name: "Main Street", Timezone: "Asia/Shanghai", Country: "CN", Language: "en"},
		Lines: []config.Line{
			{Name: "gsm1", Kind: "sim", Slot: "slot1", Number: "+862150001234", Flow: "main"},
			{Name: "gsm2", Kind: "sim", Slot: "slot2", Number: "+862150001235", Flow: "main"},
		},
		Extensions: []config.Extension{{Number: "201", Name: "Front desk"}, {Number: "202", Name: "Back office"}, {Number: "203", Name: "Store"}},
		Agents:     []config.Agent{{Number: "11", Name: "Ana"}, {Number: "12", Name: "李博"}},
		Queues:     slices.Clip([]config.Queue{{Name: "sales", Agents: []string{"11", "12"}}, {Name: "support", Agents: []string{"12"}}}),
	}
}
