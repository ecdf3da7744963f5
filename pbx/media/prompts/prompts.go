// Package prompts finds recorded prompts: files of one or several folders.
// A Folder is a media.Prompts. A name cannot lead out of its folders, and what was read is kept up to a
// bound. Start reading at Folder.
package prompts

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"

	"branchline/hal/dsp"
	"branchline/pbx/media"
)

const (
	rate      = 8000
	maxPrompt = 32 << 20 // bytes of one file: half an hour
	maxCached = 32 << 20 // bytes of samples kept
)

// ErrNone is the error of a prompt that is in none of the folders.
var ErrNone = errors.New("there is no such file")

// Folder finds prompts as WAV files (8 kHz, mono, 16-bit or G.711) in Dirs, the first that has
// one: the owner's own before those that came with the box, the wanted language before another. A
// file that is no sound for us is passed over. What was read is kept, up to a bound, so that a prompt
// is on the disk only the first time. It must not be copied, nor Dirs changed.
type Folder struct {
	Dirs []string

	mu    sync.Mutex
	kept  map[string]*prompt
	bytes int
	clock uint64
}

type prompt struct {
	pcm  []int16
	used uint64 // clock of the last use
}

var _ media.Prompts = (*Folder)(nil)

// Load reads name, slash-separated and without ending, below one of Dirs. A name cannot lead out of
// them. The error is ErrNone where none has it, else what is wrong with the first that does.
func (f *Folder) Load(name string) ([]int16, error) {
	f.mu.Lock()
	f.clock++
	if p := f.kept[name]; p != nil {
		p.used = f.clock
		f.mu.Unlock()
		return p.pcm, nil
	}
	f.mu.Unlock()
	wrong := ErrNone
	for _, dir := range f.Dirs {
		pcm, err := Read(dir, name)
		if err == nil {
			f.keep(name, pcm)
			return pcm, nil
		}
		if errors.Is(wrong, ErrNone) {
			wrong = err
		}
	}
	return nil, fmt.Errorf("prompt %q: %w", name, wrong)
}

// keep remembers pcm and forgets what was not used for longest.
func (f *Folder) keep(name string, pcm []int16) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.kept == nil {
		f.kept = map[string]*prompt{}
	}
	if 2*len(pcm) > maxCached/2 || f.kept[name] != nil {
		return
	}
	for f.bytes+2*len(pcm) > maxCached {
		oldest := ""
		for n, p := range f.kept {
			if oldest == "" || p.used < f.kept[oldest].used {
				oldest = n
			}
		}
		f.bytes -= 2 * len(f.kept[oldest].pcm)
		delete(f.kept, oldest)
	}
	f.kept[name] = &prompt{pcm: pcm, used: f.clock}
	f.bytes += 2 * len(pcm)
}

// Read reads name, slash-separated and without ending, below dir. The error is ErrNone where
// there is none, else why it cannot be played.
func Read(dir, name string) ([]int16, error) {
	if !fs.ValidPath(name) || name == "." {
		return nil, errors.New("not a name of a prompt")
	}
	b, err := contentOf(dir, name+".wav")
	if err != nil {
		return nil, err
	}
	w, err := dsp.ParseWAV(b)
	if err != nil {
		return nil, err
	}
	if w.Rate != rate || w.Channels != 1 {
		return nil, fmt.Errorf("a WAV file of %d Hz and %d channels; it must have 8000 Hz and one", w.Rate, w.Channels)
	}
	return w.PCM, nil
}

// contentOf reads a WAV file below dir: it takes no more memory than the file has
// bytes, none for one that is too large or no WAV, and waits for nobody.
func contentOf(dir, name string) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, err
	}
	defer root.Close()
	file, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // follows no link out of dir; waits for no writer of a pipe
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("not a file")
	case info.Size() > maxPrompt:
		return nil, errors.New("longer than half an hour")
	}
	var head [dsp.WAVMark]byte
	if _, err := io.ReadFull(file, head[:]); err != nil || !dsp.IsWAV(head[:]) {
		return nil, errors.New("not a WAV file")
	}
	b := append(make([]byte, 0, info.Size()), head[:]...)
	n, err := io.ReadFull(file, b[len(head):cap(b)])
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) { // it became shorter meanwhile
		return nil, err
	}
	return b[:len(head)+n], nil
}
