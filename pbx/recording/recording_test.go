package recording

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"branchline/hal/dsp"
)

const rate = 8000

// result is what done told.
type result struct {
	length time.Duration
	err    error
}

func run(t *testing.T, w *Writer) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	var once bool
	stop = func() {
		if once {
			return
		}
		once = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("ended with %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

func newWriter(dir string) *Writer {
	return New(Options{Log: slog.New(slog.DiscardHandler), Dir: dir})
}

// ticks are n frames of 20 ms, the left channel counting up, the right one down.
func ticks(n int) (frames [][]int16) {
	at := int16(0)
	for range n {
		f := make([]int16, 320)
		for i := 0; i < 320; i += 2 {
			at++
			f[i], f[i+1] = at, -at
		}
		frames = append(frames, f)
	}
	return frames
}

func read(t *testing.T, path string) dsp.WAV {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := dsp.ParseWAV(b)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// within waits for what ch brings.
func within[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(5 * time.Second):
		t.Fatal("nothing came in five seconds")
		panic("unreachable")
	}
}

func TestRecordingHoldsWhatWasWrittenInItsOwnFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "recordings")
	w := newWriter(dir)
	run(t, w)
	told := make(chan result, 2)
	tape, err := w.Open("2026/03/01/call-1", rate, func(l time.Duration, err error) { told <- result{l, err} })
	if err != nil {
		t.Fatal(err)
	}
	var want []int16
	for _, f := range ticks(150) {
		if !tape.Write(f) {
			t.Fatal("no room")
		}
		want = append(want, f...)
	}
	tape.Close()
	if got := within(t, told); got != (result{3 * time.Second, nil}) {
		t.Errorf("told %+v", got)
	}
	path, err := w.Path("2026/03/01/call-1")
	if err != nil {
		t.Fatal(err)
	}
	got := read(t, path)
	if got.Rate != rate || got.Channels != 2 || !slices.Equal(got.PCM, want) {
		t.Errorf("%d Hz, %d channels, %d samples", got.Rate, got.Channels, len(got.PCM))
	}
	if left, _ := filepath.Glob(filepath.Dir(path) + "/*.part"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := w.Open("2026/03/01/call-1", rate, func(l time.Duration, err error) { told <- result{l, err} }); err != nil {
		t.Fatal(err)
	}
}

func TestNameThatIsTakenIsNotOverwritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.wav"), []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWriter(dir)
	run(t, w)
	told := make(chan result, 2)
	tape, err := w.Open("a", rate, func(l time.Duration, err error) { told <- result{l, err} })
	if err != nil {
		t.Fatal(err)
	}
	tape.Write(make([]int16, 320))
	tape.Close()
	if got := within(t, told); got.err == nil || got.length != 0 {
		t.Errorf("told %+v", got)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "a.wav")); string(b) != "precious" {
		t.Errorf("it holds %q now", b)
	}
}

func TestNameThatLeadsOutOrIsOddIsRefused(t *testing.T) {
	dir := t.TempDir()
	w := newWriter(filepath.Join(dir, "in"))
	for _, bad := range []string{"", ".", "..", "../a", "/a", "a/../../b", "a//b", "a/", ".a", "a/.b", `a\b`, "a\x00b", "ä", "a b", strings.Repeat("a", 201)} {
		if _, err := w.Open(bad, rate, nil); err == nil {
			t.Errorf("%q was taken", bad)
		}
		if _, err := w.Path(bad); err == nil {
			t.Errorf("%q has a path", bad)
		}
	}
}

func TestLinkInTheFolderLeadsNowhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	outside := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	w := newWriter(dir)
	run(t, w)
	told := make(chan result, 1)
	tape, err := w.Open("out/a", rate, func(l time.Duration, err error) { told <- result{l, err} })
	if err != nil {
		t.Fatal(err)
	}
	tape.Close()
	if got := within(t, told); got.err == nil {
		t.Error("it was written")
	}
	if left, _ := os.ReadDir(outside); len(left) > 0 {
		t.Errorf("outside lies %v", left)
	}
}

func TestDiskThatDoesNotKeepUpLosesSoundAndSaysSo(t *testing.T) {
	tape := newTape("a", rate, nil) // nobody empties it
	frames := ticks(1)
	room := 0
	for tape.Write(frames[0]) {
		room++
	}
	if room != lag*50 {
		t.Errorf("room for %d frames, want %d", room, lag*50)
	}
	if n := testing.AllocsPerRun(100, func() { tape.Write(frames[0]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if b := tape.take(nil); len(b) != room*640 {
		t.Errorf("%d bytes", len(b))
	}
	if !tape.Write(frames[0]) || len(tape.take(nil)) != 640 {
		t.Error("no room after it was emptied")
	}
	w := newWriter(t.TempDir())
	run(t, w)
	told := make(chan result, 1)
	tape.done = func(l time.Duration, err error) { told <- result{l, err} }
	tape.Close()
	w.opened <- tape
	if got := within(t, told); got.err == nil || !strings.Contains(got.err.Error(), "2.04s of it were lost") {
		t.Errorf("told %+v", got)
	}
}

func TestTapeGoesRoundAndRoundWithoutLosingASample(t *testing.T) {
	tape := newTape("a", 8010, nil) // no whole number of frames goes into it
	var got []byte
	var want []int16
	for i, f := range ticks(1000) {
		if !tape.Write(f) {
			t.Fatal("no room")
		}
		if want = append(want, f...); i%37 == 0 {
			got = tape.take(got)
		}
	}
	if got = tape.take(got); !slices.Equal(got, dsp.AppendPCM(nil, want)) {
		t.Error("what came out is not what was put in")
	}
}

func TestFullDiskIsToldInWords(t *testing.T) {
	t.Parallel()
	w := New(Options{Log: slog.New(slog.DiscardHandler), Dir: t.TempDir(), Reserve: 1 << 60})
	run(t, w)
	told := make(chan result, 1)
	tape, err := w.Open("a", rate, func(l time.Duration, err error) { told <- result{l, err} })
	if err != nil {
		t.Fatal(err)
	}
	tape.Write(make([]int16, 320))
	tape.Close()
	if got := within(t, told); got.err == nil || got.err.Error() != "the disk is full" {
		t.Errorf("told %+v", got)
	}
	for err, want := range map[error]string{
		&os.PathError{Err: syscall.ENOSPC}: "the disk is full",
		&os.PathError{Err: syscall.EROFS}:  "the disk can only be read",
		&os.PathError{Err: syscall.EIO}:    "the disk is broken: it reports an input/output error",
	} {
		if got := words(err); got.Error() != want {
			t.Errorf("%v in words: %v", err, got)
		}
	}
}

func TestDiskThatFillsUpInACallKeepsWhatWasWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := newWriter(dir)
	told := make(chan result, 1)
	tape := newTape("a", rate, func(l time.Duration, err error) { told <- result{l, err} })
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	w.begin(root, tape)
	for _, f := range ticks(50) {
		tape.Write(f)
	}
	w.turn(root, true)
	w.opt.Reserve = 1 << 60 // no room any more
	w.turn(root, true)
	for _, f := range ticks(50) {
		tape.Write(f)
	}
	tape.Close()
	w.turn(root, true)
	if got := within(t, told); got.length != time.Second || !errors.Is(got.err, errFull) {
		t.Errorf("told %+v", got)
	}
	if got := read(t, filepath.Join(dir, "a.wav")); len(got.PCM) != 2*rate {
		t.Errorf("%d samples are kept", len(got.PCM))
	}
}

func TestRecordingUnderWayAtAStopIsFinishedAtTheNextStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := newWriter(dir)
	stop := run(t, w)
	told := make(chan result, 1)
	tape, err := w.Open("x/a", rate, func(l time.Duration, err error) { told <- result{l, err} })
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range ticks(100) {
		tape.Write(f)
	}
	stop()
	if got := within(t, told); !errors.Is(got.err, errStopping) || got.length != 2*time.Second {
		t.Errorf("told %+v", got)
	}
	if _, err := w.Open("b", rate, nil); err == nil {
		t.Error("a recording was begun after the stop")
	}
	found, err := newWriter(dir).Recover()
	if err != nil || len(found) != 1 || found[0] != (Found{"x/a", 2 * time.Second}) {
		t.Errorf("found %v, %v", found, err)
	}
	if found, err = newWriter(dir).Recover(); err != nil || len(found) != 0 {
		t.Errorf("found %v once more, %v", found, err)
	}
	if found, err = newWriter(dir + "/none").Recover(); err != nil || len(found) != 0 {
		t.Errorf("found %v in no folder, %v", found, err)
	}
}

// The file had its name and the box went down before anybody was told.
func TestRecordingWhoseEndWasNotToldIsFoundAtTheNextStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := newWriter(dir)
	stop := run(t, w)
	told := make(chan result, 1)
	tape, err := w.Open("x/a", rate, func(l time.Duration, err error) { told <- result{l, err} })
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range ticks(100) {
		tape.Write(f)
	}
	tape.Close()
	within(t, told)
	stop()
	for bad, size := range map[string]int{"empty": 0, "noise": headerLen} {
		if err := os.WriteFile(filepath.Join(dir, bad+whole), make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found, err := newWriter(dir).Recover("x/a", "x/none", "empty", "noise", "../../etc/passwd")
	if err != nil || !slices.Equal(found, []Found{{"x/a", 2 * time.Second}}) {
		t.Errorf("found %v, %v", found, err)
	}
	if found, err = newWriter(dir).Recover(); err != nil || len(found) != 0 {
		t.Errorf("found %v although all was told, %v", found, err)
	}
}

func TestRecoverMendsWhatAPowerCutLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, size := range map[string]int{"empty": 0, "header": headerLen, "odd": headerLen + 32003, "b/whole": headerLen + 64000} {
		path := filepath.Join(dir, name+part)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil { // zeros: the header is lost
			t.Fatal(err)
		}
	}
	found, err := newWriter(dir).Recover()
	if err != nil || !slices.Equal(found, []Found{{"b/whole", 2 * time.Second}, {"odd", time.Second}}) {
		t.Errorf("found %v, %v", found, err)
	}
	if got := read(t, filepath.Join(dir, "odd.wav")); got.Rate != rate || len(got.PCM) != 16000 {
		t.Errorf("%d samples at %d Hz", len(got.PCM), got.Rate)
	}
	if left, _ := filepath.Glob(dir + "/*.part"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestRecordingCanBePlayedAfterAKill runs itself as another program, which records until it is killed.
func TestRecordingCanBePlayedAfterAKill(t *testing.T) {
	const folder = "recording-of-the-child"
	if dir := os.Getenv(folder); dir != "" {
		child(t, dir)
		return
	}
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestRecordingCanBePlayedAfterAKill$")
	cmd.Env = append(os.Environ(), folder+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, len("written"))); err != nil {
		t.Error(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // it was killed
	got := read(t, filepath.Join(dir, "a"+part))
	b, err := os.ReadFile(filepath.Join(dir, "a"+part))
	if err != nil {
		t.Fatal(err)
	}
	claimed := int(b[40]) | int(b[41])<<8 | int(b[42])<<16
	if len(got.PCM) < rate || claimed < 2*rate {
		t.Errorf("%d samples, %d bytes by the header, after three seconds", len(got.PCM), claimed)
	}
	found, err := newWriter(dir).Recover()
	if err != nil || len(found) != 1 || found[0].For < time.Second {
		t.Errorf("found %v, %v", found, err)
	}
}

// child records for three seconds, says so, and goes on.
func child(t *testing.T, dir string) {
	w := newWriter(dir)
	run(t, w)
	tape, err := w.Open("a", rate, func(time.Duration, error) {})
	if err != nil {
		t.Fatal(err)
	}
	clock := time.NewTicker(20 * time.Millisecond)
	for i := range 3000 {
		<-clock.C
		tape.Write(make([]int16, 320))
		if i == 150 {
			os.Stdout.WriteString("written")
		}
	}
}
