package scenario

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/config"
	"branchline/pbx/floor"
)

func doc() *config.Doc {
	return &config.Doc{
		Version:    1,
		Network:    config.Network{Page: config.Page{Listen: netip.MustParseAddrPort("127.0.0.1:8088")}},
		Lines:      []config.Line{{Name: "gsm1", Kind: "sim", Slot: "slot1", Number: "+49301", PIN: "9876", Flow: "main"}},
		Extensions: []config.Extension{{Number: "201", Name: "Front desk", Password: "plum-cake"}},
		Agents:     []config.Agent{{Number: "1001", Name: "Ana", PIN: "4711"}},
		Queues:     []config.Queue{{Name: "sales", Agents: []string{"1001"}, Strategy: "longest-idle", RingTimeout: 15 * time.Second, WrapUp: 10 * time.Second}},
		Flows:      []config.Flow{{Name: "main", Steps: []config.Step{{Name: "q", Queue: "sales"}}}},
		Codes:      config.Codes{SignIn: "*22", Ready: "*23"},
	}
}

// record lets a floor live and writes it down.
func record(t *testing.T) string {
	t.Helper()
	at := time.Date(2026, 3, 2, 9, 0, 0, 123456789, time.UTC)
	f := floor.New(doc(), floor.State{Box: 1, Boot: 3})
	b := Head(nil, doc(), f.Scene())
	for _, ev := range []call.Event{
		call.Configured{Doc: doc()},
		call.Heard{Signal: hal.InService{Name: "phones", Traits: hal.Traits{Inside: true}}},
		call.Heard{Signal: hal.InService{Name: "gsm1", Traits: hal.Traits{Legs: 1, Sounds: 1, CallerID: true}}},
		call.Heard{Signal: hal.Reachable{Name: "phones", Endpoint: "201", Contacts: 1}},
		call.Heard{Signal: hal.Incoming{Leg: "phones#3-1", From: "201", Endpoint: "201", To: "*221001", Wire: "a@b"}},
		call.Heard{Signal: hal.Answered{Leg: "phones#3-1", Release: `{"x":"ü → <&>"}`}},
		call.Heard{Signal: hal.Digit{Leg: "phones#3-1", Key: call.HiddenKey, For: 90 * time.Millisecond}},
		call.Heard{Signal: hal.Digit{Leg: "phones#3-1", Key: '#'}},
		call.Done{Ref: "pin-2", OK: true},
		call.Heard{Signal: hal.Gone{Leg: "phones#3-1", Cause: hal.Normal, Far: true}},
		call.Heard{Signal: hal.Incoming{Leg: "gsm1#3-1", From: "+4935", Wire: "1"}},
		call.Heard{Signal: hal.Census{Name: "gsm1", Legs: []hal.LegID{"gsm1#3-1"}}},
		call.Heard{Signal: hal.Answered{Leg: "gsm1#3-1"}},
		call.Heard{Signal: hal.Progress{Leg: "phones#3-o1", Alerting: true}},
		call.Asked{Command: call.SetReady{Agent: "nobody", Actor: "Mia"}},
		call.Tick{},
		call.ClockSet{By: -time.Millisecond},
		call.Heard{Signal: hal.Answered{Leg: "phones#3-o1"}},
		call.Heard{Signal: hal.Gone{Leg: "gsm1#3-1", Cause: hal.Normal, Far: true, Wire: "NO CARRIER"}},
	} {
		at = at.Add(1234567 * time.Nanosecond)
		out, err := f.Step(at, ev)
		b = Event(b, at, ev, out, err)
	}
	at = at.Add(time.Second)
	return string(Dropped(b, at, "phones#3-o1", f.Drop(at, "phones#3-o1")))
}

func TestReplayGivesTheSame(t *testing.T) {
	text := record(t)
	got, err := Replay(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if len(got.Differences) > 0 || got.Events != 20 || got.Facts < 20 {
		t.Fatalf("%d events, %d facts, differences %v in\n%s", got.Events, got.Facts, got.Differences, text)
	}
}

func TestReplayTellsWhatDiffers(t *testing.T) {
	text := strings.Replace(record(t), `"state":"ready"`, `"state":"not_ready"`, 1)
	got, err := Replay(strings.NewReader(text))
	if err != nil || len(got.Differences) == 0 {
		t.Fatalf("a changed fact was not noticed: %+v, %v", got, err)
	}
}

func TestNoSecretIsWritten(t *testing.T) {
	text := record(t)
	for _, secret := range []string{"plum-cake", "4711", "9876"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q stands in\n%s", secret, text)
		}
	}
}

func TestWhatIsNoScenarioIsRefusedWithItsLine(t *testing.T) {
	for text, want := range map[string]string{
		"hello":                            "line 1: ",
		"\n\nscene {}":                     "line 3: a scene without a document",
		"2026-03-02T09:00:00Z tick":        "line 1: an event without a scene",
		"document \"version: 9\"":          "line 1: document",
		"document \"version: 1\"\nscene {": "line 2: scene",
	} {
		if _, err := Replay(strings.NewReader(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s…", text, err, want)
		}
	}
}

// FuzzReplay: no file ends the program, for a person is handed files by others.
func FuzzReplay(f *testing.F) {
	f.Add("document \"version: 1\"\nscene {}\n2026-03-02T09:00:00Z tick\n")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 100_000 {
			return
		}
		_, _ = Replay(strings.NewReader(text))
	})
}
