package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata" // as in the program

	"branchline/firmware/cli"
	"branchline/pbx/call"
	"branchline/pbx/journal"
	"branchline/pbx/store"
	"branchline/pbx/view"
	"branchline/pbx/view/words"
	"branchline/ui"
	"branchline/ui/uitest"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "rewrite testdata")
	flag.Parse()
	os.Exit(m.Run())
}

// session runs commands as a person would, and keeps what is printed.
type session struct {
	t     *testing.T
	stdin string
	run   func(context.Context, cli.RunOptions) error
}

// do gives what the command printed and its exit code, in the form of the golden files.
func (s session) do(ctx context.Context, args ...string) string {
	var out, errs safeBuffer
	code := cli.Main(ctx, args, cli.Env{
		Stdin: strings.NewReader(s.stdin), Stdout: &out, Stderr: &errs, Version: "0.1.0", Now: uitest.Now, Run: s.run,
	})
	text := fmt.Sprintf("$ branchline %s\n%s", strings.Join(args, " "), out.String())
	if errs.String() != "" {
		text += "stderr:\n" + errs.String()
	}
	return text + fmt.Sprintf("exit %d\n", code)
}

// safeBuffer is written by a command and read by its test.
type safeBuffer struct {
	mu sync.Mutex // guards b and after
	b  bytes.Buffer
	// after is called when lines lines have been written.
	after func()
	lines int
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.b.Write(p)
	if s.after != nil && bytes.Count(s.b.Bytes(), []byte("\n")) >= s.lines {
		s.after()
	}
	return n, err
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", filepath.Base(name), got, want)
	}
}

// start runs box in ./build/run of a fresh folder, which becomes the working directory. It gives
// testdata's absolute name and what stops the box.
func start(t *testing.T, box *uitest.Box) (testdata string, stop func()) {
	t.Helper()
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.MkdirAll("build/run", 0o755); err != nil {
		t.Fatal(err)
	}
	if box == nil {
		return testdata, func() {}
	}
	h, err := ui.New(box.Parts())
	if err != nil {
		t.Fatal(err)
	}
	ln, err := ui.ListenUnix("build/run")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- ui.Serve(ctx, ln, h, slog.New(slog.DiscardHandler)) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	t.Cleanup(stop)
	return testdata, stop
}

// group is the command lines of one golden file.
type group struct {
	name  string
	lines [][]string
}

// groups are command lines with their golden file, in an order that counts.
func groups() []group {
	return []group{
		{"look", [][]string{{"status"}, {"calls"}, {"lines"}, {"agents"}, {"queues"}, {"guard"}}},
		{"json", [][]string{{"status", "-json"}, {"calls", "-json"}, {"lines", "--json"}, {"agents", "--json"}, {"queues", "-json"}, {"guard", "-json"}}},
		{"cdr", [][]string{
			{"cdr"}, {"cdr", "-since", "24h"}, {"cdr", "-since", "7d"}, {"cdr", "--since", "30m"},
			{"cdr", "-since", "2026-01-31 21:02:30"}, {"cdr", "-since", "2026-01-31T13:02:23Z"}, {"cdr", "-since", "yesterday"},
		}},
		{"act", [][]string{
			{"agents", "ready", "11"}, {"agents", "not-ready", "11", "-reason", "lunch"}, {"agents", "sign-out", "11"},
			{"hangup", string(uitest.CallID)}, {"sim", "call", "-from", "+8613800000003"}, {"sim", "call", "-from", "withheld", "-json"},
			{"guard", "forgive", "203.0.113.7"}, {"guard", "ban", "198.51.100.1", "-minutes", "60"},
			{"phone", "resync", "201"}, {"phone", "resync", "201", "-reboot", "-json"},
		}},
		{"refuse", [][]string{
			{"agents", "ready", "99"}, {"agents", "ready", "1 1?x#y"}, {"hangup", "01NOSUCHCALL"}, {"hangup", "../config/apply"},
			{"sim", "call", "-from", "1", "-script", "nonsense"}, {"guard", "forgive", "192.0.2.1"}, {"guard", "ban", "me"},
			{"phone", "resync", "202"}, {"phone", "resync", "999"},
		}},
		{"usage", [][]string{
			{}, {"stauts"}, {"agent"}, {"xyzzy"}, {"status", "now"}, {"status", "-jsn"}, {"agents", "redy", "11"}, {"agents", "ready"},
			{"hangup"}, {"sim"}, {"sim", "call"}, {"config"}, {"config", "aply", "x"}, {"config", "check"}, {"config", "show", "x"},
			{"phone"}, {"phone", "resync"}, {"guard", "bna", "192.0.2.1"}, {"guard", "ban"}, {"follow", "-since", "soon"}, {"run", "now"},
		}},
		{"config", [][]string{
			{"config", "check", "good.yaml"}, {"config", "check", "bad.yaml"}, {"config", "check", "bad.yaml", "-json"},
			{"config", "check", "bad.yaml", "-lang", "zh-CN"},
			{"config", "apply", "bad.yaml"}, {"config", "apply", "missing.yaml"}, {"config", "apply", "good.yaml"}, {"config", "show"},
			{"config", "apply", "good.yaml", "-json"},
			{"config", "check", "odd.yaml"}, {"config", "apply", "odd.yaml"},
			{"config", "history"}, {"config", "history", "-json"}, {"config", "show", "3"}, {"config", "rollback", "3"},
			{"config", "rollback", "99"}, {"config", "rollback", "x"}, {"config", "diff", "3", "4"}, {"config", "diff", "99"}, {"config", "diff"},
		}},
		{"scenario", [][]string{
			{"scenario"}, {"scenario", "-since", "30m"}, {"scenario", "-since", "soon"}, {"scenario", "replay", "still.scenario"},
			{"scenario", "replay", "good.yaml"}, {"scenario", "replay"}, {"scenario", "reply", "x"},
		}},
		{"trace", [][]string{
			{"trace", string(uitest.CallID)}, {"trace", "000G", "-messages", "-whole"}, {"trace", "000Z"}, {"trace", "0G"}, {"trace", "-pcap", "-"},
			{"trace", "000G", "-pcap", "x.pcap", "-last", "10m", "-whole"}, {"trace", "000G", "-media", "1s", "-pcap", "-"}, {"trace", "-media", "1s"},
			{"trace", "000G", "-media", "1h", "-pcap", "x"}, {"trace", "000G", "-only", "201"}, {"trace", "-last", "10m"}, {"trace", "a000", "b"},
		}},
		{"version", [][]string{{"version"}, {"--version"}}},
	}
}

func TestCommandsPrintWhatIsAsked(t *testing.T) {
	box := uitest.New()
	testdata, _ := start(t, box)
	if err := os.WriteFile("odd.yaml", []byte("version: 1\nodd: here\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("good.yaml", []byte("version: 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("bad.yaml", []byte("version: 1\nqueues: wrong\n\nwrong\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("still.scenario", []byte("document \"version: 1\"\nscene {}\n2026-01-31T15:04:05Z tick\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, group := range groups() {
		var got []string
		for _, args := range group.lines {
			got = append(got, session{t: t}.do(t.Context(), args...))
		}
		golden(t, filepath.Join(testdata, group.name+".golden"), strings.Join(got, "\n"))
	}
	if n := len(box.Commands()); n != 4 {
		t.Errorf("%d commands reached the box: %+v", n, box.Commands())
	}
	if calls := box.Calls(); len(calls) != 2 || calls[0].From != "+8613800000003" || calls[1].From != "" || !strings.Contains(calls[0].Script, "key 1") {
		t.Errorf("simulated calls %+v", calls)
	}
}

func TestHelpTellsAboutEachCommandWithExamples(t *testing.T) {
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, args := range [][]string{
		{"help"}, {"help", "run"}, {"help", "status"}, {"help", "follow"}, {"help", "calls"}, {"help", "cdr"}, {"help", "lines"},
		{"help", "agents"}, {"help", "queues"}, {"help", "config"}, {"help", "hangup"}, {"help", "guard"}, {"help", "sim"}, {"help", "trace"}, {"help", "version"}, {"help", "help"},
	} {
		got = append(got, session{t: t}.do(t.Context(), args...))
	}
	golden(t, filepath.Join(testdata, "help.golden"), strings.Join(got, "\n"))
	if a, b := (session{t: t}).do(t.Context(), "help", "cdr"), (session{t: t}).do(t.Context(), "cdr", "-h"); a[strings.Index(a, "\n"):] != b[strings.Index(b, "\n"):] {
		t.Errorf("help cdr and cdr -h differ:\n%s\n%s", a, b)
	}
}

func TestEveryClientSaysHowToStartABoxWhereNoneRuns(t *testing.T) {
	testdata, _ := start(t, nil)
	var got []string
	for _, args := range [][]string{
		{"status"}, {"follow"}, {"calls"}, {"cdr"}, {"cdr", "-follow"}, {"lines", "-data", "elsewhere"}, {"agents"}, {"agents", "ready", "11"},
		{"config", "show"}, {"hangup", "x"}, {"sim", "call", "-from", "1"},
	} {
		got = append(got, session{t: t}.do(t.Context(), args...))
	}
	golden(t, filepath.Join(testdata, "nobox.golden"), strings.Join(got, "\n"))
}

// stopped makes the folder of a box that has run the calls of the memory box.
func stopped(t *testing.T, dir string) *store.Store {
	t.Helper()
	kept, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(kept, journal.Options{Folds: []journal.Fold{view.NewRecords()}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- kept.Run(ctx) }()
	story := uitest.New().Timeline
	for e := range story.Follow(ctx, 0) {
		last := j.Append(e.At, e.Fact)
		if e.Seq < story.Last() {
			continue
		}
		if err := j.Synced(ctx, last); err != nil {
			t.Fatal(err)
		}
		break
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return kept
}

func TestRecordsOfAStoppedBoxAreReadFromItsFolder(t *testing.T) {
	testdata, _ := start(t, nil)
	kept := stopped(t, "build/run")
	if got := (session{t: t}).do(t.Context(), "cdr"); !strings.Contains(got, "does not answer") || !strings.HasSuffix(got, "exit 1\n") {
		t.Errorf("while the folder is in use: %s", got)
	}
	if err := kept.Close(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, args := range [][]string{
		{"cdr"}, {"cdr", "-since", "30m"}, {"cdr", "-since", "2026-01-31T13:02:23Z"}, {"cdr", "-since", "soon"}, {"cdr", "-follow"},
	} {
		got = append(got, session{t: t}.do(t.Context(), args...))
	}
	golden(t, filepath.Join(testdata, "stopped.golden"), strings.Join(got, "\n"))
	rows, _ := uitest.New().Timeline.Rows("", 0, 10)
	if got := (session{t: t}).do(t.Context(), "cdr", "-json"); got != "$ branchline cdr -json\n"+string(rows[0].Body)+"\nexit 0\n" {
		t.Errorf("as JSON: %s", got)
	}
}

func TestConfigurationIsCheckedWhereNoBoxRuns(t *testing.T) {
	start(t, nil)
	got := session{t: t, stdin: "version: 1\nsite:\n  nmae: x\n"}.do(t.Context(), "config", "check", "-")
	if !strings.Contains(got, "-:3:") || !strings.Contains(got, "nmae") || !strings.Contains(got, "No box runs") || !strings.HasSuffix(got, "exit 1\n") {
		t.Error(got)
	}
}

func TestConfigurationIsReadFromStandardInput(t *testing.T) {
	start(t, uitest.New())
	if got := (session{t: t, stdin: "version: 1\n"}).do(t.Context(), "config", "check", "-"); !strings.HasSuffix(got, "exit 0\n") {
		t.Error(got)
	}
	if got := (session{t: t, stdin: strings.Repeat("#", 1<<20+1)}).do(t.Context(), "config", "apply", "-"); !strings.Contains(got, "larger than 1 MiB") || !strings.HasSuffix(got, "exit 1\n") {
		t.Error(got)
	}
}

func TestRunHandsItsFlagsToTheBox(t *testing.T) {
	var got cli.RunOptions
	s := session{t: t, run: func(_ context.Context, o cli.RunOptions) error { got = o; return nil }}
	if said := s.do(t.Context(), "run", "-board", "sim", "-data", "d", "--config", "c.yaml", "-v"); !strings.HasSuffix(said, "exit 0\n") {
		t.Error(said)
	}
	if want := (cli.RunOptions{Board: "sim", Data: "d", Config: "c.yaml", Verbose: true}); got != want {
		t.Errorf("options %+v, want %+v", got, want)
	}
	s.run = func(context.Context, cli.RunOptions) error { return errors.New("the folder is in use") }
	if said := s.do(t.Context(), "run"); !strings.HasSuffix(said, "stderr:\nbranchline: the folder is in use\nexit 1\n") {
		t.Error(said)
	}
}

// watch runs a command that goes on until the person has seen enough lines.
func watch(t *testing.T, lines int, args ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	out := &safeBuffer{after: cancel, lines: lines}
	var errs safeBuffer
	code := cli.Main(ctx, args, cli.Env{Stdout: out, Stderr: &errs, Now: uitest.Now})
	return out.String() + errs.String(), code
}

func TestTimelineIsFollowedInWordsAndSiteTime(t *testing.T) {
	box := uitest.New()
	start(t, box)
	site := time.FixedZone("Asia/Shanghai", 8*3600)
	box.Timeline.Add(uitest.Now(), call.Presence{Agent: "11", State: call.WrapUp, Until: uitest.Now().Add(10 * time.Second)})
	for _, lang := range []string{"en", "zh-CN"} {
		want := []string{"2026-01-31"}
		for e := range box.Timeline.Follow(t.Context(), 0) {
			id := string(e.Fact.About())
			e.At = e.At.In(site)
			want = append(want, fmt.Sprintf("%s  %4s  %s", e.At.Format("15:04:05.000"), id[max(0, len(id)-4):], words.Of(e, lang)))
			if e.Seq == box.Timeline.Last() {
				break
			}
		}
		got, code := watch(t, len(want), "follow", "-since", "0", "-lang", lang)
		if code != cli.OK || got != strings.Join(want, "\n")+"\n" {
			t.Errorf("exit %d, got\n%s\nwant\n%s", code, got, strings.Join(want, "\n"))
		}
	}
}

func TestTimelineAndRecordsAreFollowedAsJSON(t *testing.T) {
	box := uitest.New()
	start(t, box)
	got, code := watch(t, 24, "follow", "-since", "5", "-json")
	var e struct {
		Seq  int
		At   string
		Fact struct{ Kind, Agent string }
	}
	first, _, _ := strings.Cut(got, "\n")
	if err := json.Unmarshal([]byte(first), &e); err != nil || code != cli.OK {
		t.Fatalf("exit %d, %v\n%s", code, err, got)
	}
	if e.Seq != 6 || e.At != "2026-01-31T13:02:06Z" || e.Fact.Kind != "presence" || e.Fact.Agent != "11" {
		t.Errorf("first entry %+v", e)
	}
	rows, _ := box.Timeline.Rows("", 0, 10)
	if got, code := watch(t, 1, "cdr", "-follow", "-json"); code != cli.OK || got != string(rows[0].Body)+"\n" {
		t.Errorf("cdr -follow: exit %d\n%s", code, got)
	}
	if got := (session{t: t}).do(t.Context(), "cdr", "-json"); got != "$ branchline cdr -json\n"+string(rows[0].Body)+"\nexit 0\n" {
		t.Errorf("cdr: %s", got)
	}
}

func TestFollowerLearnsThatTheBoxHasStopped(t *testing.T) {
	_, stop := start(t, uitest.New())
	out := &safeBuffer{lines: 40, after: func() { go stop() }}
	var errs safeBuffer
	code := cli.Main(t.Context(), []string{"follow", "-since", "0"}, cli.Env{Stdout: out, Stderr: &errs})
	if code != cli.Failed || !strings.Contains(errs.String(), "the box has stopped") {
		t.Errorf("exit %d, %q", code, errs.String())
	}
}

func TestSocketThatACrashLeftBehindIsNoBox(t *testing.T) {
	_, stop := start(t, uitest.New())
	stop()
	if _, err := os.Stat(filepath.Join("build/run", ui.Socket)); err != nil {
		t.Fatalf("this test needs a stale socket: %v", err)
	}
	if got := (session{t: t}).do(t.Context(), "status"); !strings.HasSuffix(got, "exit 3\n") {
		t.Error(got)
	}
}

func TestAllRecordsArePrintedHoweverMany(t *testing.T) {
	box := uitest.New()
	for i := range 250 {
		box.Timeline.AddRecord(fmt.Sprintf(`{"call":"%03d"}`, i))
	}
	start(t, box)
	got := session{t: t}.do(t.Context(), "cdr", "-json")
	if n := strings.Count(got, "\n"); n != 1+251+1 || !strings.Contains(got, `{"call":"249"}`) {
		t.Errorf("%d lines:\n%s", n, got)
	}
}
