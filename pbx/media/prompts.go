package media

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"branchline/hal/dsp"
)

const (
	loaders   = 2
	loadQueue = 256

	maxPrompt = 32 << 20 // bytes of one file: half an hour
	maxCached = 32 << 20 // bytes of samples kept
)

// load reads the files of plays until loads is closed.
func (w *Worker) load(loads <-chan *play) {
	missing := map[string]bool{}
	for p := range loads {
		sounds := make([][]int16, len(p.files))
		for i, at := range p.files {
			name := p.sounds[at].file
			pcm, err := w.read(name)
			sounds[i] = pcm
			if err == nil {
				delete(missing, name)
			} else if !missing[name] && len(missing) < 1000 {
				missing[name] = true
				w.opt.Log.Warn("prompt left out", "prompt", name, "err", err)
			}
		}
		w.post(func() {
			if p.over {
				return
			}
			for i, at := range p.files {
				p.sounds[at].pcm, p.sounds[at].n = sounds[i], len(sounds[i])
			}
			w.begin(p)
		})
	}
}

// read asks Prompts for one file; a panic there costs that file.
func (w *Worker) read(name string) (pcm []int16, err error) {
	if w.opt.Prompts == nil {
		return nil, errors.New("there are no prompts on this box")
	}
	defer func() {
		if r := recover(); r != nil {
			pcm, err = nil, fmt.Errorf("reading it broke: %v", r)
		}
	}()
	return w.opt.Prompts.Load(name)
}

// ErrNoPrompt is the error of a prompt that is in none of the folders.
var ErrNoPrompt = errors.New("there is no such file")

// PromptFolder finds prompts as WAV files (8 kHz, mono, 16-bit or G.711) in Dirs, the first that has
// one: the owner's own before those that came with the box, the wanted language before another. A
// file that is no sound for us is passed over. What was read is kept, up to a bound, so that a prompt
// is on the disk only the first time. It must not be copied, nor Dirs changed.
type PromptFolder struct {
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

var _ Prompts = (*PromptFolder)(nil)

// Load reads name, slash-separated and without ending, below one of Dirs. A name cannot lead out of
// them. The error is ErrNoPrompt where none has it, else what is wrong with the first that does.
func (f *PromptFolder) Load(name string) ([]int16, error) {
	f.mu.Lock()
	f.clock++
	if p := f.kept[name]; p != nil {
		p.used = f.clock
		f.mu.Unlock()
		return p.pcm, nil
	}
	f.mu.Unlock()
	wrong := ErrNoPrompt
	for _, dir := range f.Dirs {
		pcm, err := ReadPrompt(dir, name)
		if err == nil {
			f.keep(name, pcm)
			return pcm, nil
		}
		if errors.Is(wrong, ErrNoPrompt) {
			wrong = err
		}
	}
	return nil, fmt.Errorf("prompt %q: %w", name, wrong)
}

// keep remembers pcm and forgets what was not used for longest.
func (f *PromptFolder) keep(name string, pcm []int16) {
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

// ReadPrompt reads name, slash-separated and without ending, below dir. The error is ErrNoPrompt where
// there is none, else why it cannot be played.
func ReadPrompt(dir, name string) ([]int16, error) {
	if !fs.ValidPath(name) || name == "." {
		return nil, errors.New("not a name of a prompt")
	}
	file, err := os.OpenInRoot(dir, name+".wav") // follows no link out of dir
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoPrompt
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, maxPrompt+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxPrompt {
		return nil, errors.New("longer than half an hour")
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

// Chimes are prompts for a box that has none: every name is a short chime of its own, so that a
// caller hears that something was said.
func Chimes() Prompts { return chimes{} }

type chimes struct{}

func (chimes) Load(name string) ([]int16, error) {
	sum := uint32(0)
	for _, c := range []byte(name) {
		sum = sum*31 + uint32(c)
	}
	note := func(n uint32) dsp.Step {
		scale := [...]float64{523.25, 587.33, 659.26, 783.99, 880}
		return dsp.Step{Hz: [4]float64{scale[n%5]}, Gain: 0.2, For: 250 * time.Millisecond, Decay: 200 * time.Millisecond}
	}
	g := dsp.NewGenerator(dsp.Cadence{note(sum), note(sum / 5), note(sum / 25), {For: 250 * time.Millisecond}}, rate)
	pcm := make([]int16, rate)
	g.Fill(pcm)
	return pcm, nil
}
