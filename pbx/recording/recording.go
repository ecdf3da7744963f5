// Package recording writes what bridges say into WAV files.
//
// A Writer is the media worker's Recorder: Open, Write and Close never wait, the disk is touched by
// the goroutine of Run alone. What a disk does not take in time is lost and told, never waited for.
// While it is written a recording is called name.wav.part and its header is renewed every second, so
// that it can be played after a crash; when it is complete and safe on the disk it becomes name.wav.
// What a crash or a stop of the box cut off is finished by Recover at the next start.
//
// Names are chosen by the caller, relative and with slashes ("2026/03/01/…"), and cannot lead out of
// the folder. Start reading at Writer and Run.
package recording

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"branchline/pbx/media"
)

// Options are what a Writer needs.
type Options struct {
	Log     *slog.Logger
	Dir     string // the folder of the recordings; it is made where it is absent
	Reserve int64  // bytes of the disk that recordings leave free; 0: none
}

// Writer writes recordings. It is a media.Recorder. New makes one; it does nothing until Run.
type Writer struct {
	opt    Options
	opened chan *tape
	ended  atomic.Bool
	tapes  []*tape // owned by Run
	buf    []byte
}

const (
	maxOpen  = 256                    // recordings that wait to be begun
	lag      = 4                      // seconds of sound that a tape holds for the disk
	interval = 100 * time.Millisecond // how often the tapes are emptied
	renew    = time.Second            // how often headers are
	part     = ".wav.part"            // ending of a recording under way
	whole    = ".wav"
)

var _ media.Recorder = (*Writer)(nil)

var errStopping = errors.New("the box was stopped; the recording is finished at its next start")

// New makes a Writer.
func New(o Options) *Writer {
	return &Writer{opt: o, opened: make(chan *tape, maxOpen)}
}

// Open begins a recording called file, relative to the folder and without ending, of stereo sound
// with rate samples per second. It does not wait. done is called once, by the goroutine of Run, when
// the file is complete and safe: with its length, and with what went wrong in words. An error means
// that there will be no recording and no call of done.
func (w *Writer) Open(file string, rate int, done func(length time.Duration, err error)) (media.Tape, error) {
	if err := valid(file); err != nil {
		return nil, err
	}
	if w.ended.Load() {
		return nil, errStopping
	}
	t := newTape(file, rate, done)
	select {
	case w.opened <- t:
		return t, nil
	default:
		return nil, errors.New("too many recordings wait to be begun; is the disk slow?")
	}
}

// Path is where a finished recording called file lies.
func (w *Writer) Path(file string) (string, error) {
	if err := valid(file); err != nil {
		return "", err
	}
	return filepath.Join(w.opt.Dir, filepath.FromSlash(file)+whole), nil
}

// Run writes until ctx ends and then returns nil. Recordings that are under way then are made safe
// as far as they go and left for Recover.
func (w *Writer) Run(ctx context.Context) error {
	if err := os.MkdirAll(w.opt.Dir, 0o750); err != nil {
		return fmt.Errorf("recording: %w", err)
	}
	root, err := os.OpenRoot(w.opt.Dir) // no name leads out of it, nor does a link
	if err != nil {
		return fmt.Errorf("recording: %w", err)
	}
	defer root.Close()
	w.ended.Store(false)
	clock := time.NewTicker(interval)
	defer clock.Stop()
	last := time.Now()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case t := <-w.opened:
			w.begin(root, t)
		case now := <-clock.C:
			header := now.Sub(last) >= renew
			if header {
				last = now
			}
			w.turn(root, header)
		}
	}
	w.stop(root)
	return nil
}

// begin makes the file of t.
func (w *Writer) begin(root *os.Root, t *tape) {
	t.file, t.err = w.create(root, t.name)
	if t.err == nil {
		t.err = t.header()
	}
	if t.err != nil {
		w.opt.Log.Error("a recording cannot be written", "file", t.name, "err", t.err)
	}
	w.tapes = append(w.tapes, t)
}

func (w *Writer) create(root *os.Root, name string) (*os.File, error) {
	if err := w.room(); err != nil {
		return nil, err
	}
	if err := root.MkdirAll(path.Dir(name), 0o750); err != nil {
		return nil, words(err)
	}
	if _, err := root.Lstat(name + whole); err == nil {
		return nil, errors.New("there is a recording of this name already")
	}
	f, err := root.OpenFile(name+part, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o640)
	if errors.Is(err, fs.ErrExist) {
		return nil, errors.New("there is a recording of this name already")
	}
	return f, words(err)
}

// turn writes what the tapes hold and ends those that were closed.
func (w *Writer) turn(root *os.Root, header bool) {
	full := error(nil)
	if header && len(w.tapes) > 0 {
		full = w.room()
	}
	kept := w.tapes[:0]
	for _, t := range w.tapes {
		over := t.closed.Load() // before it is emptied: nothing comes after it
		w.drain(t)
		if header && t.err == nil {
			t.err = errors.Join(full, t.header())
		}
		if !over {
			kept = append(kept, t)
			continue
		}
		w.finish(root, t)
	}
	clear(w.tapes[len(kept):])
	w.tapes = kept
}

// drain writes what a tape holds. After an error it only empties it.
func (w *Writer) drain(t *tape) {
	w.buf = t.take(w.buf[:0])
	if t.err != nil || len(w.buf) == 0 {
		return
	}
	if t.size+int64(len(w.buf)) > maxData {
		t.err = errors.New("the recording is as long as a file of its kind can be")
		return
	}
	n, err := t.file.WriteAt(w.buf, t.size+headerLen)
	t.size += int64(n - n%(2*channels))
	if err != nil {
		t.err = words(err)
		w.opt.Log.Error("a recording ended early", "file", t.name, "err", t.err)
	}
}

// finish makes the file of t safe, gives it its name, and tells.
func (w *Writer) finish(root *os.Root, t *tape) {
	err := t.err
	if t.file != nil {
		err = errors.Join(err, t.safe())
		if e := words(rename(root, t.name)); e != nil {
			err = errors.Join(err, e)
		}
	}
	if lost := t.lost.Load(); lost > 0 {
		err = errors.Join(err, fmt.Errorf("%v of it were lost, the disk did not keep up", t.span(int64(lost)*2)))
	}
	t.done(t.span(t.size), err)
}

// stop makes safe what is under way and leaves it for Recover.
func (w *Writer) stop(root *os.Root) {
	w.ended.Store(true)
	for {
		select {
		case t := <-w.opened:
			w.begin(root, t)
			continue
		default:
		}
		break
	}
	w.turn(root, true)
	for _, t := range w.tapes {
		err := errors.Join(errStopping, t.err)
		if t.file != nil {
			err = errors.Join(err, t.safe())
		}
		t.done(t.span(t.size), err)
	}
	w.tapes = nil
}

// room says whether the disk has more free than the reserve.
func (w *Writer) room() error {
	if w.opt.Reserve <= 0 {
		return nil
	}
	var s syscall.Statfs_t
	if err := syscall.Statfs(w.opt.Dir, &s); err != nil {
		return words(err)
	}
	if int64(s.Bavail)*s.Bsize < w.opt.Reserve {
		return errFull
	}
	return nil
}

var errFull = errors.New("the disk is full")

// words says what the disk says so that a person understands it.
func words(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return errFull
	case errors.Is(err, syscall.EROFS):
		return errors.New("the disk can only be read")
	case errors.Is(err, syscall.EIO):
		return errors.New("the disk is broken: it reports an input/output error")
	}
	return fmt.Errorf("the disk refuses: %w", err)
}

// valid says whether file may name a recording.
func valid(file string) error {
	bad := !fs.ValidPath(file) || file == "." || len(file) > 200
	for _, c := range file {
		bad = bad || !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./+", c)
	}
	if bad || strings.HasPrefix(file, ".") || strings.Contains(file, "/.") {
		return fmt.Errorf("%q is no name for a recording", file)
	}
	return nil
}

// rename gives a complete file its name and makes that safe.
func rename(root *os.Root, name string) error {
	if err := root.Rename(name+part, name+whole); err != nil {
		return err
	}
	dir, err := root.Open(path.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
