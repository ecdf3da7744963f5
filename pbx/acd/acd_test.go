package acd

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"branchline/pbx/call"
	"branchline/pbx/config"
)

var began = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func queues() *config.Doc {
	return &config.Doc{Queues: []config.Queue{
		{Name: "sales", Agents: []string{"ana", "bo"}},
		{Name: "support", Agents: []string{"bo", "cy"}},
	}}
}

func TestOldestContactGetsTheLongestIdleAgentOfItsQueue(t *testing.T) {
	m := New(queues())
	m.Wait("young", "sales", began.Add(2*time.Second))
	m.Wait("old", "support", began)
	m.Free("bo", began.Add(-10*time.Second))
	m.Free("cy", began.Add(-20*time.Second))
	got, ok := m.Next(began.Add(5 * time.Second))
	if want := (Match{"old", "support", "cy", "longest idle, 25s"}); !ok || got != want {
		t.Fatalf("%+v, want %+v", got, want)
	}
	m.Leave("old")
	m.Taken("cy")
	if got, ok = m.Next(began); !ok || got.Call != "young" || got.Agent != "bo" {
		t.Fatalf("then %+v, want bo for the young one", got)
	}
	m.Taken("bo")
	if got, ok := m.Next(began); ok {
		t.Errorf("nobody is free, but %+v", got)
	}
}

func TestContactWhoWaitsForNobodyDoesNotHoldUpOthers(t *testing.T) {
	m := New(queues())
	m.Wait("first", "support", began)
	m.Wait("second", "sales", began.Add(time.Second))
	m.Free("ana", began)
	if got, ok := m.Next(began); !ok || got.Call != "second" {
		t.Errorf("%+v, want the second, whose queue has a free agent", got)
	}
}

func TestChangedQueuesReachThoseWhoWait(t *testing.T) {
	m := New(queues())
	m.Wait("first", "support", began)
	m.Free("ana", began)
	if _, ok := m.Next(began); ok {
		t.Fatal("ana does not serve support yet")
	}
	doc := queues()
	doc.Queues[1].Agents = []string{"ana"}
	m.Configure(doc)
	if got, ok := m.Next(began); !ok || got.Agent != "ana" {
		t.Errorf("%+v, want ana, who serves support now", got)
	}
}

// The matcher keeps ordered sets; a naive search over everything must find the same.
func TestMatcherFindsWhatASearchFinds(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 7))
		doc := queues()
		m := New(doc)
		waiting := map[call.ID]contact{}
		idleSince := map[string]time.Time{}
		for step := range 300 {
			at := began.Add(time.Duration(r.IntN(50)) * time.Second)
			agent := []string{"ana", "bo", "cy"}[r.IntN(3)]
			id := call.ID(fmt.Sprint("c", r.IntN(8)))
			switch r.IntN(4) {
			case 0:
				if _, ok := waiting[id]; !ok {
					c := contact{id, doc.Queues[r.IntN(2)].Name, at}
					waiting[id] = c
					m.Wait(c.id, c.queue, c.since)
				}
			case 1:
				delete(waiting, id)
				m.Leave(id)
			case 2:
				idleSince[agent] = at
				m.Free(agent, at)
			case 3:
				delete(idleSince, agent)
				m.Taken(agent)
			}
			got, _ := m.Next(began)
			if want := search(doc, waiting, idleSince); got.Call != want.Call || got.Agent != want.Agent {
				t.Fatalf("seed %d, step %d: %+v, a search finds %+v", seed, step, got, want)
			}
		}
	}
}

func search(doc *config.Doc, waiting map[call.ID]contact, idleSince map[string]time.Time) (best Match) {
	var oldest contact
	for _, c := range waiting {
		var a idle
		for _, q := range doc.Queues {
			for _, n := range q.Agents {
				since, ok := idleSince[n]
				if f := (idle{n, since}); ok && q.Name == c.queue && (a.agent == "" || longer(f, a) < 0) {
					a = f
				}
			}
		}
		if a.agent != "" && (best.Call == "" || older(c, oldest) < 0) {
			best, oldest = Match{Call: c.id, Agent: a.agent}, c
		}
	}
	return best
}
