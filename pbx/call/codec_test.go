package call_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"branchline/hal"
	"branchline/pbx/call"
)

const golden = "testdata/facts/v1"

// update rewrites the golden files. A file that is there must never change: boxes hold such facts.
var update = flag.Bool("update", false, "rewrite the golden files")

// samples is one fact of each kind with every member set.
func samples() []call.Fact {
	const id call.ID = "01HF7YAT00000000000000000G"
	const in, out hal.LegID = "gsm1#4-17", "phones#4-o42"
	at := time.Date(2026, 11, 22, 9, 15, 30, 123456789, time.UTC)
	traits := hal.Traits{
		Legs: 2, Sounds: 1, CallerID: true, Supervised: true, AnswerAfter: 2, Inside: true,
		EarlySound: true, Hold: true, Text: true,
	}
	return []call.Fact{
		call.Booted{Boot: 4, Program: "1.2.3", Clean: true},
		call.Stopped{Boot: 4},
		call.LineUp{Line: "gsm1", Traits: traits},
		call.LineDown{Line: "gsm1", Why: "no SIM"},
		call.PhoneUp{Extension: "201"},
		call.PhoneDown{Extension: "201", Why: "registration expired"},
		call.ConfigApplied{Version: 7, Who: "ana"},
		call.Guarded{Line: "phones", Source: "203.0.113.7", Counts: map[string]int{"flood": 2000, "wrong": 12}, For: time.Minute, ByHand: true},
		call.Unsynced{For: 350 * time.Millisecond},
		call.Synced{For: 90 * time.Second},
		call.ClockSet{By: -time.Hour},
		call.Began{
			Call: id, Leg: in, Line: "gsm1", Direction: call.Inbound, From: "0935", To: "0800", Name: "Li <\"&\u2028> 丽",
			Dialled: "00800", Extension: "201", Agent: "1001", Wire: "1", Release: "BYE began",
		},
		call.FlowEntered{Call: id, Flow: "main"},
		call.Keyed{Call: id, Leg: in, Key: "1", Step: "menu"},
		call.Queued{Call: id, Queue: "sales"},
		call.Dequeued{Call: id, Queue: "sales", Exit: call.ExitAnswered, Agent: "1001", Waited: 19 * time.Second},
		call.Offered{Call: id, Queue: "sales", Agent: "1001", Extension: "201", Leg: out, Why: "longest idle, 19s"},
		call.Missed{Call: id, Queue: "sales", Agent: "1001", Leg: out, Why: "rona"},
		call.Withdrawn{Call: id, Queue: "sales", Agent: "1001", Leg: out, Why: "the caller left"},
		call.Dialed{Call: id, Leg: out, Line: "phones", To: "201", Agent: "1001", Extension: "201"},
		call.Opened{Call: id, Leg: out, Wire: "f81d4fae-7dec@192.0.2.1", Release: "BYE opened"},
		call.Alerting{Call: id, Leg: out, Release: "BYE alerting"},
		call.Answered{Call: id, Leg: out, Contact: "sip:201@192.0.2.7:5060", Release: "BYE sip:201@192.0.2.7"},
		call.Connected{Call: id, Leg: in, Peer: out, Agent: "1001", Queue: "sales"},
		call.Parted{Call: id, Leg: in, Peer: out},
		call.Transfer{Call: id, Leg: out, To: "202", State: call.TransferFailed, Cause: hal.Busy},
		call.DoorOpened{Call: id, Leg: out, Extension: "210", By: out, Number: "201"},
		call.Moved{Call: id, From: "01HF7YAT00000000000000000H", Leg: out, Why: call.ByTransfer},
		call.Parked{Call: id, Leg: out, Place: "1", Extension: "201"},
		call.Forwarded{Call: id, Extension: "201", To: "202", Why: "busy"},
		call.ForwardSet{Extension: "201", Always: "202", Busy: "203", NoAnswer: "00301234567", Unreachable: "204", DND: true, Actor: "201"},
		call.Held{Call: id, Leg: out},
		call.Resumed{Call: id, Leg: out},
		call.RecordingStarted{Call: id, File: "2026/11/22/" + string(id), Left: []hal.LegID{in}, Right: []hal.LegID{out}},
		call.RecordingSaved{Call: id, File: "2026/11/22/" + string(id), For: time.Minute, Err: "disk full"},
		call.LegEnded{Call: id, Leg: in, Cause: hal.Normal, Far: true, Wire: "NO CARRIER"},
		call.Ended{Call: id, Cause: hal.Normal, By: call.ByCaller, Actor: "Mia"},
		call.Presence{
			Agent: "1001", State: call.WrapUp, After: call.NotReady, Reason: "rest", Extension: "201", Call: id, Actor: "system",
			Cause: call.ByCall, Until: at,
		},
		call.SignInRefused{Agent: "1001", Extension: "201", Why: "wrong PIN"},
		call.Trouble{Call: id, Leg: in, What: "one-way sound"},
	}
}

// kinds reads from the source which kinds of fact there are.
func kinds(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "fact.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Name.Name != "Kind" || f.Body == nil {
			continue
		}
		ast.Inspect(f.Body, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				kind, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, kind)
			}
			return true
		})
	}
	if len(out) < 30 {
		t.Fatalf("%d kinds found in fact.go, want 30 at least", len(out))
	}
	return out
}

func TestEveryKindOfFactKeepsItsFormForEver(t *testing.T) {
	byKind := map[string]call.Fact{}
	for _, f := range samples() {
		byKind[f.Kind()] = f
	}
	for _, kind := range kinds(t) {
		f, ok := byKind[kind]
		if !ok {
			t.Errorf("no sample of %s: add it to samples and run with -update", kind)
			continue
		}
		raw, err := call.Encode(f)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(golden, kind+".json")
		if *update {
			if err := os.WriteFile(path, append(raw, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("no golden file of %s: run with -update: %v", kind, err)
			continue
		}
		if want = bytes.TrimSpace(want); !bytes.Equal(raw, want) {
			t.Errorf("%s is written\n%s\nbut boxes hold\n%s", kind, raw, want)
		}
		back, err := call.Decode(want)
		if err != nil || !reflect.DeepEqual(back, f) {
			t.Errorf("%s comes back as\n%+v, %v\nwant\n%+v", kind, back, err, f)
		}
	}
}

// A kind that got a member later: before/ holds it as boxes wrote it without.
func TestFactsFromBeforeAMemberCameAreReadAsTheyWere(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(golden, "before", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, name := range files {
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := call.Decode(bytes.TrimSpace(want))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if raw, err := call.Encode(f); err != nil || !bytes.Equal(raw, bytes.TrimSpace(want)) {
			t.Errorf("%s is read as %+v (%v)", name, f, err)
		}
	}
}

func TestSamplesHaveEveryMemberSet(t *testing.T) {
	for _, f := range samples() {
		v := reflect.ValueOf(f)
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("sample of %s: %s is not set, so its form is not held", f.Kind(), v.Type().Field(i).Name)
			}
		}
	}
}

func TestKindIsTheFirstMember(t *testing.T) {
	for _, f := range samples() {
		raw, err := call.Encode(f)
		if err != nil || !strings.HasPrefix(string(raw), `{"kind":"`+f.Kind()+`",`) {
			t.Errorf("%s is written %.60s, %v", f.Kind(), raw, err)
		}
	}
}

func TestZeroFactsComeBack(t *testing.T) {
	for _, f := range samples() {
		zero := reflect.Zero(reflect.TypeOf(f)).Interface().(call.Fact)
		raw, err := call.Encode(zero)
		if err != nil || !json.Valid(raw) {
			t.Errorf("zero %s is written %s, %v", f.Kind(), raw, err)
			continue
		}
		if back, err := call.Decode(raw); err != nil || !reflect.DeepEqual(back, zero) {
			t.Errorf("zero %s comes back as %+v, %v", f.Kind(), back, err)
		}
	}
}

func TestFactOfALaterVersionIsKeptAsItCame(t *testing.T) {
	raw := []byte(`{"kind":"teleported","call":"01HF","far":{"x":[1,2]}}`)
	f, err := call.Decode(raw)
	u, ok := f.(call.Unknown)
	if err != nil || !ok || u.Kind() != "teleported" {
		t.Fatalf("decoded %T %v %v, want Unknown of kind teleported", f, f, err)
	}
	clone := bytes.Clone(raw)
	raw[2] = '!' // the reader's buffer is not kept
	if back, err := call.Encode(f); err != nil || !bytes.Equal(back, clone) {
		t.Errorf("written again %s, %v, want %s", back, err, clone)
	}
}

func TestMembersOfALaterVersionAreSkippedAndMissingOnesAreZero(t *testing.T) {
	f, err := call.Decode([]byte(`{"kind":"queued","call":"A","mood":"good"}`))
	if want := (call.Queued{Call: "A"}); err != nil || f != want {
		t.Errorf("decoded %+v, %v, want %+v", f, err, want)
	}
}

func TestWhatIsNoFactIsRefused(t *testing.T) {
	for _, raw := range []string{``, `null`, `{}`, `[]`, `"began"`, `{"kind":""}`, `{"kind":7}`, `{"kind":"began"`, `{"kind":"began","call":7}`} {
		if f, err := call.Decode([]byte(raw)); err == nil {
			t.Errorf("%q decoded as %+v, want an error", raw, f)
		}
	}
}

func TestCallIDsSortByTimeAndNeverMeet(t *testing.T) {
	at := time.UnixMilli(1469918176385)
	if got, want := call.NewID(at, 0, 0, 0)[:10], call.ID("01ARYZ6S41"); got != want { // github.com/ulid/spec, README
		t.Errorf("time part %s, want %s", got, want)
	}
	seen := map[call.ID]bool{}
	last := call.ID("")
	for n := range uint64(100) {
		for _, box := range []uint32{1, 0xffffff} {
			for _, boot := range []uint32{1, 2} {
				id := call.NewID(at, box, boot, n)
				if seen[id] || len(id) != 26 {
					t.Fatalf("id %s is used twice or not of 26 characters", id)
				}
				seen[id] = true
			}
		}
		at = at.Add(time.Millisecond)
		if id := call.NewID(at, 1, 1, n); id <= last {
			t.Fatalf("id %s after %s does not sort", id, last)
		}
		last = call.NewID(at, 1, 1, n)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range samples() {
		raw, err := call.Encode(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`{"kind":"later","x":1}`))
	f.Add([]byte(`{"kind":"presence","until":"0000-01-01T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		fact, err := call.Decode(raw)
		if err != nil {
			return
		}
		again, err := call.Encode(fact)
		if err != nil {
			t.Fatalf("%+v was read but is not written: %v", fact, err)
		}
		back, err := call.Decode(again)
		if err != nil {
			t.Fatalf("%s was written but is not read: %v", again, err)
		}
		if !reflect.DeepEqual(back, fact) {
			t.Fatalf("%+v came back as %+v", fact, back)
		}
	})
}
