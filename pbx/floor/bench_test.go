package floor

import (
	"fmt"
	"testing"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/config"
)

// BenchmarkStep100Agents50Waiting steps a key press of one of 50 waiting callers and an agent going
// not ready and ready again, with 100 agents in conversation: the whole floor is looked at each time.
func BenchmarkStep100Agents50Waiting(b *testing.B) {
	doc := branch()
	doc.Agents, doc.Queues[0].Agents = nil, nil
	doc.Queues = doc.Queues[:1]
	doc.Flows[0].Steps = []config.Step{{Name: "q", Queue: "sales"}}
	s := State{Box: 1, Boot: 1}
	for i := range 100 {
		n := fmt.Sprint(1000 + i)
		doc.Agents = append(doc.Agents, config.Agent{Number: n})
		doc.Queues[0].Agents = append(doc.Queues[0].Agents, n)
		s.Fold(began, call.Presence{Agent: n, State: call.Ready, Extension: n})
	}
	f := New(doc, s)
	step := func(now time.Time, ev call.Event) Output {
		out, err := f.Step(now, ev)
		if err != nil {
			b.Fatal(err)
		}
		return out
	}
	step(began, call.Configured{Doc: doc})
	step(began, call.Heard{Signal: hal.InService{Name: "phones", Traits: hal.Traits{Inside: true}}})
	for i := range 100 {
		step(began, call.Heard{Signal: hal.Reachable{Name: "phones", Endpoint: fmt.Sprint(1000 + i), Contacts: 1}})
	}
	for i := range 150 {
		leg := hal.IncomingLeg("gsm1", 1, uint64(i))
		out := step(began, call.Heard{Signal: hal.Incoming{Leg: leg, From: "1"}})
		step(began, call.Heard{Signal: hal.Answered{Leg: leg}})
		for _, o := range out.Orders {
			if d, ok := o.(hal.Dial); ok {
				step(began, call.Heard{Signal: hal.Progress{Leg: d.Leg, Alerting: true}})
				step(began, call.Heard{Signal: hal.Answered{Leg: d.Leg}})
			}
		}
	}
	if len(f.calls) != 150 || f.acd.Waiting("sales") != 50 {
		b.Fatalf("%d calls, %d waiting", len(f.calls), f.acd.Waiting("sales"))
	}
	busy := call.Asked{Command: call.SetNotReady{Agent: "1050", Reason: "tea", Actor: "x"}}
	ready := call.Asked{Command: call.SetReady{Agent: "1050", Actor: "x"}}
	key := call.Heard{Signal: hal.Digit{Leg: hal.IncomingLeg("gsm1", 1, 120), Key: '5'}}
	b.ReportAllocs()
	for b.Loop() {
		step(began, busy)
		step(began, key)
		step(began, ready)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/3, "ns/step")
}
