package flow

import (
	"reflect"
	"testing"
	"time"

	"branchline/pbx/config"
)

func branch() *config.Flow {
	return &config.Flow{Name: "main", Steps: []config.Step{
		{Name: "welcome", Play: []string{"hello"}},
		{Name: "choose", Menu: &config.Menu{
			Prompt: []string{"menu"}, Keys: map[string]string{"1": "sales", "*": "choose"},
			Wait: 5 * time.Second, Tries: 2, Invalid: []string{"invalid"}, Otherwise: "bye",
		}},
		{Name: "sales", Queue: "sales"},
		{Name: "sorry", Play: []string{"sorry"}, Then: "end"},
		{Name: "bye", Play: []string{"bye"}},
		{Name: "end", Hangup: true},
	}}
}

// walk takes a caller through what happens to him and gives the acts.
func walk(f *config.Flow, what ...any) (acts []Act) {
	r, act := Begin(f)
	acts = append(acts, act)
	for _, w := range what {
		switch w := w.(type) {
		case byte:
			r, act = r.Key(w)
		case rune:
			r, act = r.Key(byte(w))
		case string:
			switch w {
			case "played":
				r, act = r.Played()
			case "late":
				r, act = r.TimedOut()
			case "left":
				r, act = r.QueueLeft()
			}
		}
		acts = append(acts, act)
	}
	return acts
}

func TestCallerWalksThroughTheFlow(t *testing.T) {
	hello := Act{Kind: Play, Prompts: []string{"hello"}, Step: "welcome"}
	menu := Act{Kind: Play, Prompts: []string{"menu"}, Step: "choose"}
	await := Act{Kind: Await, Wait: 5 * time.Second, Step: "choose"}
	invalid := Act{Kind: Play, Prompts: []string{"invalid"}, Step: "choose"}
	sales := Act{Kind: Queue, Queue: "sales", Step: "sales"}
	chosen := sales
	chosen.Menu = "choose"
	again := menu
	again.Menu = "choose"
	bye := Act{Kind: Play, Prompts: []string{"bye"}, Step: "bye"}
	none := Act{Kind: None}
	for _, c := range []struct {
		name string
		what []any
		want []Act
	}{
		{"hears the menu out and chooses", []any{"played", "played", '1'}, []Act{hello, menu, await, chosen}},
		{"chooses while the menu plays", []any{"played", '1'}, []Act{hello, menu, chosen}},
		{"knows the menu and chooses ahead", []any{'1'}, []Act{hello, chosen}},
		{"presses a wrong key ahead: it means nothing yet", []any{'9', "played"}, []Act{hello, none, menu}},
		{"presses a wrong key, then none", []any{"played", '9', "played", "played", "late"}, []Act{hello, menu, invalid, menu, await, bye}},
		{"presses nothing twice", []any{"played", "played", "late", "played", "late"}, []Act{hello, menu, await, menu, await, bye}},
		{"comes back to the menu with all tries", []any{"played", '9', '*', '9', "played"}, []Act{hello, menu, invalid, again, invalid, menu}},
		{"waits too long in the queue", []any{'1', "left", "played"}, []Act{hello, chosen, {Kind: Play, Prompts: []string{"sorry"}, Step: "sorry"}, {}}},
		{"presses keys in the queue", []any{'1', '1', "late"}, []Act{hello, chosen, none, none}},
	} {
		if got := walk(branch(), c.what...); !reflect.DeepEqual(got, c.want) {
			t.Errorf("caller %s:\n got  %+v\n want %+v", c.name, got, c.want)
		}
	}
}

func TestFlowEndsWhereNothingFollows(t *testing.T) {
	f := &config.Flow{Name: "short", Steps: []config.Step{{Name: "a", Play: []string{"a"}}}}
	if got := walk(f, "played"); got[1].Kind != Hangup {
		t.Errorf("after the last step: %+v, want a hang-up", got[1])
	}
	lost := &config.Flow{Name: "lost", Steps: []config.Step{{Name: "a", Play: []string{"a"}, Then: "nowhere"}}}
	if got := walk(lost, "played"); got[1].Kind != Hangup {
		t.Errorf("to a step that is not there: %+v, want a hang-up", got[1])
	}
	if got := walk(&config.Flow{}); got[0].Kind != Hangup {
		t.Errorf("a flow without steps: %+v, want a hang-up", got[0])
	}
}

// Whatever a caller does, in any order, a flow never fails and never leaves the document.
func FuzzCaller(f *testing.F) {
	f.Add([]byte("p1pl9*#"))
	f.Fuzz(func(t *testing.T, what []byte) {
		r, _ := Begin(branch())
		for _, w := range what {
			switch w {
			case 'p':
				r, _ = r.Played()
			case 'l':
				r, _ = r.TimedOut()
			case 'q':
				r, _ = r.QueueLeft()
			default:
				r, _ = r.Key(w)
			}
			if r.tries >= 2 {
				t.Fatalf("%d tries used up and still in the menu", r.tries)
			}
		}
	})
}
